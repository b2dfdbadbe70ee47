"""Reports and exports say what the scores say, in the forms of others, and each form passes its judge."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
import rdflib
import yaml
from rdflib.namespace import DCAT, RDF

from lienthong.adapters.spreadsheet import read_workbook, write_workbook
from lienthong.adapters.typesetting import PageNotSet, set_pdf, set_pictures
from lienthong.centre.measuring import Extent, Measurement, ResultState, RunState
from lienthong.check.dqi import shipped_scoring
from lienthong.dictionary.exports.addresses import Addresses
from lienthong.dictionary.exports.odcs import QualityRule, odcs_contract, odcs_yaml
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.assemble import assemble_overview
from lienthong.oversight.overview import DatasetScore
from lienthong.oversight.plan import load_plan
from lienthong.oversight.scores_exports.dqv import dqv_turtle
from lienthong.oversight.scores_exports.odcs import with_results
from lienthong.oversight.scores_exports.openlineage import events_of
from lienthong.oversight.scores_history import TOTAL, points_at_change, points_of, stretches
from lienthong.oversight.scores_report import (
    QualityReport,
    report_as_json,
    report_for_print,
    report_sheets,
    unknown_lines,
)
from lienthong.testing.fakes import (
    CITIZENS,
    ENTERPRISES,
    MOMENT,
    FakeReader,
    lively_reader,
    small_dictionary,
    small_mappings,
    small_rule_sets,
)

PLAN = load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml")
ADDRESSES = Addresses(base="https://tudien.example/")
DICTIONARY = small_dictionary()
PNG_HEIGHT = slice(20, 24)


def scores_of(reader: FakeReader) -> tuple[DatasetScore, ...]:
    return assemble_overview(
        dictionary=DICTIONARY,
        mappings=small_mappings(),
        rule_sets=small_rule_sets(),
        reader=reader,
        plan=PLAN,
        now=MOMENT,
    ).scores


SCORES = scores_of(lively_reader())


def report(**facts: object) -> QualityReport:
    given: dict[str, object] = {"made_at": MOMENT, "scores": SCORES, "scoring": shipped_scoring(), **facts}
    return QualityReport(**given)  # type: ignore[arg-type]  # facts of a test


def history() -> Mapping[str, Sequence[object]]:
    return {
        score.dataset: [
            replace(point, measured_at=MOMENT - timedelta(days=days), rule_set="ab"[days > 3] * 64)
            for days in range(6, 0, -1)
            for point in points_of(score)
        ]
        for score in SCORES
    }


# History


def test_what_is_kept_of_a_score_is_the_index_and_the_six_words_with_their_numbers() -> None:
    points = points_of(SCORES[0])
    assert [point.criterion for point in points] == [TOTAL, *(word.criterion for word in SCORES[0].criteria)]
    assert points[0].percent == SCORES[0].total
    assert points[1].passed == SCORES[0].criteria[0].passed
    assert {(point.rule_set, point.scoring) for point in points} == {(SCORES[0].rule_set, SCORES[0].scoring)}


def test_an_unknown_word_is_kept_as_an_unknown_zero() -> None:
    shared = next(point for point in points_of(SCORES[0]) if point.criterion == "shared")
    assert (shared.percent, shared.known) == (0.0, False)


def test_when_rules_change_the_same_observations_are_kept_under_both_versions() -> None:
    after = replace(SCORES[0], rule_set="b" * 64, total=50.0)
    kept = points_at_change(SCORES[0], after)
    totals = {point.rule_set: point.percent for point in kept if point.criterion == TOTAL}
    assert totals == {SCORES[0].rule_set: SCORES[0].total, "b" * 64: 50.0}
    assert points_at_change(after, after) == points_of(after)
    assert len(stretches(kept, criterion=TOTAL)) == 2


def test_a_history_is_cut_where_rules_or_numbers_changed() -> None:
    kept = points_of(SCORES[0])[:1]
    later = [replace(kept[0], measured_at=MOMENT + timedelta(days=1), scoring="x" * 64)]
    found = stretches([*later, *kept], criterion=TOTAL)
    assert [len(stretch.points) for stretch in found] == [1, 1]
    assert found[0].points[0].measured_at < found[1].points[0].measured_at


# Report


def test_what_is_unknown_has_its_own_lines() -> None:
    lines = unknown_lines(report())
    assert any("Dùng chung: chưa có cơ quan nào được cấp quyền khai thác; tính 0" in line for line in lines)
    assert any("chưa có mẫu người đánh giá" in line for line in lines)
    assert any("chưa biết diễn biến" in line for line in lines)
    assert any("không nối với sổ việc sửa dữ liệu" in line for line in lines)


def test_a_report_of_an_empty_centre_says_that_nothing_is_known() -> None:
    printed = report_for_print(report(scores=scores_of(FakeReader())))
    assert [each["total"] for each in printed["datasets"]] == ["chưa đo được", "chưa đo được"]
    assert ["Tiêu chí chưa đo được, tính 0", "12 / 12"] in printed["summary"]


def test_the_json_of_a_report_is_the_scores_themselves() -> None:
    told = json.loads(json.dumps(report_as_json(report(history=history()))))
    assert [each["total"] for each in told["datasets"]] == [score.total for score in SCORES]
    assert told["scoring"]["digest"] == shipped_scoring().digest
    assert len(told["datasets"][0]["history"]) == 6 * 7


def test_a_workbook_keeps_codes_as_texts_and_counts_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "bao-cao.xlsx"
    path.write_bytes(write_workbook(report_sheets(report(history=history())), created=MOMENT.date()))
    sheets = {sheet.name: sheet.rows for sheet in read_workbook(path)}
    assert list(sheets) == [
        "Tóm tắt", "Sáu tiêu chí", "Theo trường", "Quy tắc", "Diễn biến", "Chưa biết", "Cách tính",
    ]  # fmt: skip
    for name in ("Theo trường", "Quy tắc", "Diễn biến"):
        assert all(isinstance(row[0], str) and isinstance(row[2], str | None) for row in sheets[name])
    rules = {row[2]: row for row in sheets["Quy tắc"] if row[0] == "Nhân khẩu"}
    failed = next(rule for word in SCORES[1].criteria for rule in word.rules if rule.rule == "CL02:so_dinh_danh")
    assert rules["CL02:so_dinh_danh"][9] == failed.failed


def test_a_report_in_vietnamese_names_datasets_and_trust_in_words() -> None:
    printed = str(report_for_print(report(history=history())))
    assert "mức tin cậy: nguồn thứ cấp" in printed
    assert "secondary" not in printed


def test_the_same_report_gives_the_same_bytes() -> None:
    data = report_for_print(report(history=history()))
    assert set_pdf("quality", data, made_at=MOMENT) == set_pdf("quality", data, made_at=MOMENT)
    sheets = report_sheets(report(history=history()))
    assert write_workbook(sheets, created=MOMENT.date()) == write_workbook(sheets, created=MOMENT.date())


def test_a_printed_report_is_pages_of_a4_with_letters_of_its_own() -> None:
    data = report_for_print(report(history=history()))
    pdf = set_pdf("quality", data, made_at=MOMENT)
    assert pdf.startswith(b"%PDF-")
    assert b"LibertinusSerif" in pdf
    pages = set_pictures("quality", data, made_at=MOMENT)
    assert len(pages) >= 2
    for page in pages:
        assert page.startswith(b"\x89PNG")
        assert abs(int.from_bytes(page[16:20], "big") - 909) <= 1  # 210 mm at 110 dots an inch
        assert abs(int.from_bytes(page[PNG_HEIGHT], "big") - 1286) <= 1
        assert len(page) > 20_000, "a page that is nearly empty"


def test_every_vietnamese_letter_has_its_glyph_in_the_printed_report() -> None:
    letters = "aàảãáạăằẳẵắặâầẩẫấậeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵđ"
    data = report_for_print(report())
    plain = len(set(_glyphs(set_pdf("quality", data | {"unknown": []}, made_at=MOMENT))))
    every = _glyphs(set_pdf("quality", data | {"unknown": [letters + letters.upper()]}, made_at=MOMENT))
    assert 0 not in every, "glyph 0 is the empty box"
    assert len(set(every)) > plain


def _glyphs(pdf: bytes) -> list[int]:
    """Return the numbers of all glyphs that the pages show."""
    found: list[int] = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, flags=re.DOTALL):
        try:
            text = zlib.decompress(stream)
        except zlib.error:
            continue
        if b"BT" not in text:
            continue
        for shown in re.findall(rb"<([0-9A-Fa-f]+)>", text):
            found += [int(shown[place : place + 4], 16) for place in range(0, len(shown) - 3, 4)]
        for shown in re.findall(rb"\(((?:\\.|[^\\()])*)\)", text, flags=re.DOTALL):
            raw = _unescaped(shown)
            found += [int.from_bytes(raw[place : place + 2], "big") for place in range(0, len(raw) - 1, 2)]
    assert found, "the pages show nothing that was understood"
    return found


def _unescaped(text: bytes) -> bytes:
    simple = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
    return re.sub(
        rb"\\([0-7]{1,3}|.)",
        lambda found: bytes([int(found[1], 8) & 255]) if found[1].isdigit() else simple.get(found[1], found[1]),
        text,
        flags=re.DOTALL,
    )


def test_data_are_never_read_as_commands_of_the_page() -> None:
    evil = '#panic("x") #read("/etc/passwd") = Tiêu đề *đậm* $x$'
    data = report_for_print(report(scores=(replace(SCORES[0], title_vi=evil),)))
    assert set_pdf("quality", data, made_at=MOMENT).startswith(b"%PDF-")


def test_a_report_made_between_two_seconds_is_set_too() -> None:
    made_at = MOMENT.replace(microsecond=123_456)
    assert set_pdf("quality", report_for_print(report()), made_at=made_at).startswith(b"%PDF-")


def test_data_that_do_not_fit_the_page_are_refused() -> None:
    with pytest.raises(PageNotSet) as refusal:
        set_pdf("quality", {}, made_at=MOMENT)
    assert refusal.value.code == "OVS-231"


# Exports


@pytest.fixture(scope="module")
def odcs_judge() -> jsonschema.Draft201909Validator:
    found = importlib.util.find_spec("open_data_contract_standard")
    assert found is not None
    assert found.origin is not None
    return jsonschema.Draft201909Validator(json.loads((Path(found.origin).parent / "schema.json").read_text("utf-8")))


def contract(score: DatasetScore) -> dict:
    rules = [
        QualityRule(
            name=rule.rule,
            element=rule.element,
            dimension="accuracy",
            severity=rule.severity,
            sentence=rule.sentence_vi,
        )
        for word in score.criteria
        for rule in word.rules
    ]
    dataset = DICTIONARY.datasets[DatasetId(score.dataset)]
    plain = odcs_contract(DICTIONARY, dataset, rules=rules, addresses=ADDRESSES)
    return yaml.safe_load(odcs_yaml(with_results(plain, score)))


@pytest.mark.parametrize("score", SCORES, ids=lambda score: score.dataset)
def test_a_contract_with_results_is_still_valid_by_the_official_schema(
    score: DatasetScore, odcs_judge: jsonschema.Draft201909Validator
) -> None:
    assert list(odcs_judge.iter_errors(contract(score))) == []


def test_a_contract_carries_what_every_rule_came_to() -> None:
    score = next(each for each in SCORES if each.dataset == CITIZENS)
    wanted = next(rule for word in score.criteria for rule in word.rules if rule.rule == "CL02:so_dinh_danh")
    properties = {each["name"]: each for each in contract(score)["schema"][0]["properties"]}
    rule = next(each for each in properties["so_dinh_danh"]["quality"] if each["name"] == "CL02:so_dinh_danh")
    told = {each["property"]: each["value"] for each in rule["customProperties"]}
    assert (told["passed"], told["failed"], told["resultState"]) == (wanted.passed, wanted.failed, "measured")


DQV = rdflib.Namespace("http://www.w3.org/ns/dqv#")
PROV = rdflib.Namespace("http://www.w3.org/ns/prov#")


def test_measurements_of_a_catalogue_have_everything_the_vocabulary_asks() -> None:
    graph = rdflib.Graph().parse(data=dqv_turtle(DICTIONARY, SCORES, addresses=ADDRESSES), format="turtle")
    found = list(graph.subjects(RDF.type, DQV.QualityMeasurement))
    assert len(found) == 7 * len(SCORES)
    for measurement in found:
        (metric,) = graph.objects(measurement, DQV.isMeasurementOf)
        (dataset,) = graph.objects(measurement, DQV.computedOn)
        (value,) = graph.objects(measurement, DQV.value)
        assert (metric, RDF.type, DQV.Metric) in graph
        assert (metric, DQV.expectedDataType, rdflib.XSD.double) in graph
        assert (dataset, RDF.type, DCAT.Dataset) in graph
        assert (dataset, DQV.hasQualityMeasurement, measurement) in graph
        assert 0 <= float(value) <= 100
        assert value.datatype == rdflib.XSD.double
        assert len(list(graph.objects(measurement, PROV.generatedAtTime))) == 1
    assert len(list(graph.subjects(RDF.type, DQV.Dimension))) == 6


def run(number: int, state: RunState, result: ResultState | None, error: str | None = None) -> Measurement:
    return Measurement(
        id=number,
        dataset=ENTERPRISES,
        extent=Extent.WHOLE,
        engine="postgres",
        rule_set="1" * 64,
        dictionary_version="1",
        began_at=MOMENT - timedelta(minutes=number),
        ended_at=None if state is RunState.RUNNING else MOMENT,
        run_state=state,
        result_state=result,
        error=error,
        rows_present=10,
        rows_examined=10,
        up_to_batch=1,
    )


EVENT = {  # what OpenLineage 2-0-2 requires of a run event and of facets, in our own words
    "type": "object",
    "required": ["eventType", "eventTime", "producer", "schemaURL", "run", "job"],
    "properties": {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "eventTime": {"type": "string", "format": "date-time"},
        "producer": {"type": "string", "format": "uri"},
        "schemaURL": {"type": "string", "format": "uri"},
        "run": {
            "type": "object",
            "required": ["runId"],
            "properties": {
                "runId": {"type": "string", "format": "uuid"},
                "facets": {"type": "object", "additionalProperties": {"$ref": "#/$defs/facet"}},
            },
        },
        "job": {"type": "object", "required": ["namespace", "name"]},
        "inputs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["namespace", "name"],
                "properties": {
                    "inputFacets": {
                        "type": "object",
                        "additionalProperties": {"$ref": "#/$defs/facet"},
                        "properties": {
                            "dataQualityAssertions": {"required": ["assertions"]},
                            "dataQualityMetrics": {"required": ["columnMetrics"]},
                        },
                    }
                },
            },
        },
    },
    "$defs": {"facet": {"type": "object", "required": ["_producer", "_schemaURL"]}},
}


def events(runs: Sequence[Measurement] = ()) -> list[dict]:
    return events_of(DICTIONARY, SCORES, {ENTERPRISES: runs})


def test_every_event_has_what_the_standard_requires() -> None:
    judge = jsonschema.Draft202012Validator(EVENT, format_checker=jsonschema.FormatChecker())
    made = events([run(3, RunState.COMPLETED, ResultState.FOUND), run(2, RunState.FAILED, ResultState.VOID, "CEN-9")])
    assert made
    for event in made:
        assert list(judge.iter_errors(event)) == []
        assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None


def test_a_failed_or_void_run_is_never_complete_and_a_running_one_has_only_begun() -> None:
    def kinds(each: Measurement) -> list[str]:
        return [event["eventType"] for event in events([each]) if event["job"]["name"].startswith("measurement.")]

    assert kinds(run(1, RunState.COMPLETED, ResultState.PASSED)) == ["START", "COMPLETE"]
    assert kinds(run(1, RunState.FAILED, ResultState.VOID, "CEN-009")) == ["START", "FAIL"]
    assert kinds(run(1, RunState.COMPLETED, ResultState.VOID)) == ["START", "FAIL"]
    assert kinds(run(1, RunState.RUNNING, None)) == ["START"]


def test_a_rule_without_a_result_is_no_assertion() -> None:
    (ended,) = (
        event
        for event in events()
        if event["job"]["name"] == f"quality.{CITIZENS}" and event["eventType"] == "COMPLETE"
    )
    told = {
        each["assertion"]: each for each in ended["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    }
    score = next(each for each in SCORES if each.dataset == CITIZENS)
    measured = {rule.rule for word in score.criteria for rule in word.rules if rule.state == "measured"}
    assert set(told) == measured
    assert told["CL02:so_dinh_danh"] == {"assertion": "CL02:so_dinh_danh", "success": False, "column": "so_dinh_danh"}


def test_a_run_has_the_same_id_whoever_computes_it() -> None:
    assert [event["run"]["runId"] for event in events()] == [event["run"]["runId"] for event in events()]
    assert len({event["run"]["runId"] for event in events()}) == len(SCORES)
    assert io.StringIO("\n".join(map(json.dumps, events()))).readline().startswith("{")
