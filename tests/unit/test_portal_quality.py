"""The pages about quality: every number with what it rests on, the worst first, nothing invented, nothing unmasked."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from lienthong.centre.measuring import (
    Extent,
    MeasuredRule,
    Measurement,
    ResultState,
    RunState,
    ScorePoint,
)
from lienthong.centre.reading import CentreReader
from lienthong.clock import Clock, FixedClock
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.officers import Officer, Role
from lienthong.oversight.plan import Plan, load_plan
from lienthong.oversight.repair_desk import CaseFilter
from lienthong.oversight.sampling import Commitment, Sample, Tally
from lienthong.portal import quality
from lienthong.portal.application import prepare
from lienthong.portal.services import set_services
from lienthong.testing.fakes import (
    CITIZENS,
    MOMENT,
    FakeReader,
    fake_services,
    lively_reader,
    small_dictionary,
    small_mappings,
    small_rule_sets,
)
from lienthong.wiring.repair_desk import repair_rules

prepare()

PLAN = load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml")
PAGE = "/bo-du-lieu/nhan-khau/chat-luong/"
PAGES = (PAGE, "/lanh-dao/", "/chat-luong/cach-tinh/")


@dataclass
class FakeMeasurements:
    runs: Sequence[Measurement] = ()
    history: Sequence[ScorePoint] = ()
    rules: Sequence[MeasuredRule] = ()

    def measurements(self, dataset: DatasetId, *, limit: int) -> Sequence[Measurement]:
        return [run for run in self.runs if run.dataset == dataset][:limit]

    def measured_rules(self, dataset: DatasetId) -> Sequence[MeasuredRule]:
        return self.rules

    def score_history(self, dataset: DatasetId, *, since: datetime) -> Sequence[ScorePoint]:
        return [point for point in self.history if point.dataset == dataset]


@dataclass
class FakeSamples:
    held: Sequence[Sample] = ()

    def samples(self, dataset: DatasetId, *, limit: int) -> Sequence[Sample]:
        return [sample for sample in self.held if sample.commitment.dataset == dataset][:limit]


@dataclass(frozen=True, kw_only=True)
class World:
    """Services of a centre that measures and samples."""

    plan: Plan
    reader: CentreReader
    measurements: FakeMeasurements = field(default_factory=FakeMeasurements)
    samples: FakeSamples = field(default_factory=FakeSamples)
    repairs: object = None
    repair_rules: object = None
    dictionary = small_dictionary()
    rule_sets = small_rule_sets()
    mappings = small_mappings()
    clock: Clock = field(default_factory=lambda: FixedClock(MOMENT))


def client_of(**facts: object) -> Client:
    set_services(World(plan=PLAN, **{"reader": lively_reader(), **facts}))  # type: ignore[arg-type]  # facts of a test
    return Client(HTTP_HOST="localhost")


@pytest.fixture(autouse=True)
def bare() -> None:
    set_services(fake_services(plan=PLAN))


def text_of(response: HttpResponse) -> str:
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_stands_without_measurements_samples_or_repair(page: str) -> None:
    response = Client(HTTP_HOST="localhost").get(page)
    assert response.status_code == 200
    assert response["Content-Security-Policy"]


@pytest.mark.parametrize("page", PAGES)
def test_no_page_carries_a_style_or_a_script_of_its_own(page: str) -> None:
    html = client_of().get(page).content.decode()
    assert " style=" not in html
    assert "<script" not in html


def test_a_page_of_an_empty_centre_invents_nothing() -> None:
    text = text_of(client_of(reader=FakeReader()).get(PAGE))
    assert "Tiêu chí chưa đo được 6 / 6" in text
    assert "Chưa đo được" in text
    text = text_of(client_of(reader=FakeReader()).get("/lanh-dao/"))
    assert "12 / 12 tiêu chí; tất cả được tính là 0" in text


def test_a_dataset_nobody_knows_has_no_page() -> None:
    assert Client(HTTP_HOST="localhost").get("/bo-du-lieu/khong-co/chat-luong/").status_code == 404
    assert Client(HTTP_HOST="localhost").get("/bo-du-lieu/khong-co/chat-luong.json").status_code == 404


def test_every_word_stands_with_numerator_denominator_and_what_it_rests_on() -> None:
    scored = json.loads(client_of().get("/bo-du-lieu/nhan-khau/chat-luong.json").content)
    text = text_of(client_of().get(PAGE))
    for word in scored["words"]:
        assert word["rests_on_vi"] in text
        passed, applicable = (f"{word[each]:,}".replace(",", ".") for each in ("passed", "applicable"))
        assert f"{passed} / {applicable}" in text
    assert "chưa đối chiếu với nguồn gốc; chưa có mẫu người đánh giá" in text


def test_the_json_traces_a_score_down_to_rules_versions_and_counts() -> None:
    scored = json.loads(client_of().get("/bo-du-lieu/nhan-khau/chat-luong.json").content)
    rule = next(rule for word in scored["words"] for rule in word["rules"] if rule["rule"] == "CL02:so_dinh_danh")
    assert rule["passed"] + rule["failed"] + rule["not_evaluated"] + rule["not_applicable"] == 20_000
    assert (rule["version"], rule["state"], rule["scored"]) == (1, "measured", True)
    assert scored["rule_set"] == small_rule_sets()[CITIZENS].digest
    assert (
        scored["scoring"]
        == json.loads(Client(HTTP_HOST="localhost").get("/chat-luong/cach-tinh.json").content)["digest"]
    )


def test_elements_come_the_worst_first() -> None:
    scored = json.loads(client_of().get("/bo-du-lieu/nhan-khau/chat-luong.json").content)
    totals = [each["total"] for each in scored["elements"]]
    assert totals == sorted(totals)


def test_failing_rows_are_masked_for_everybody_and_say_so() -> None:
    response = client_of().get(PAGE)
    text = text_of(response)
    assert "09600*******" in text
    assert "Giá trị được che với mọi người xem" in text
    assert "/bo-du-lieu/nhan-khau/quy-tac/CL02:so_dinh_danh/" in response.content.decode()


def run(number: int, *, state: RunState, result: ResultState | None, error: str | None = None) -> Measurement:
    return Measurement(
        id=number,
        dataset=CITIZENS,
        extent=Extent.WHOLE,
        engine="postgres",
        rule_set="9" * 64,
        dictionary_version="1",
        began_at=MOMENT - timedelta(hours=number),
        ended_at=MOMENT,
        run_state=state,
        result_state=result,
        error=error,
        rows_present=20_000,
        rows_examined=20_000 if error is None else None,
        up_to_batch=421,
    )


def test_a_run_that_failed_is_never_shown_as_a_success() -> None:
    runs = [
        run(8, state=RunState.FAILED, result=ResultState.VOID, error="CEN-009"),
        run(7, state=RunState.COMPLETED, result=ResultState.FOUND),
    ]
    text = text_of(client_of(measurements=FakeMeasurements(runs=runs)).get(PAGE))
    assert re.search(r"8 [\d/]+ [\d:]+ hỏng CEN-009 không dùng được chưa xác định / 20\.000", text)
    assert re.search(r"7 [\d/]+ [\d:]+ xong có lỗi 20\.000 / 20\.000 toàn bộ, postgres 999999999999 khác bộ", text)


def point(days: int, percent: float, *, rules: str = "a", known: bool = True, baseline: bool = False) -> ScorePoint:
    return ScorePoint(
        dataset=CITIZENS,
        measured_at=MOMENT - timedelta(days=days),
        criterion="total",
        percent=percent,
        known=known,
        passed=1,
        applicable=2,
        rule_set=rules * 64,
        scoring="s" * 64,
        baseline=baseline,
    )


def test_a_trend_breaks_where_the_rules_changed_and_keeps_its_baseline() -> None:
    history = [point(9, 80, baseline=True), point(5, 85), point(5, 70, rules="b"), point(1, 75, rules="b")]
    html = client_of(measurements=FakeMeasurements(history=history)).get(PAGE).content.decode()
    assert html.count("<polyline") == 2
    assert html.count('class="trend-break"') == 1
    assert html.count("trend-baseline") == 1
    assert "hai bên nét đứt không so sánh được" in html


def test_a_trend_of_one_rule_set_is_one_line() -> None:
    history = [point(9, 80, baseline=True), point(5, 0, known=False), point(1, 75)]
    html = client_of(measurements=FakeMeasurements(history=history)).get(PAGE).content.decode()
    assert html.count("<polyline") == 1
    assert html.count("trend-unknown") == 1
    assert "nét đứt" not in html


def sample(*, judged: bool) -> Sample:
    return Sample(
        commitment=Commitment(
            number=4,
            dataset=CITIZENS,
            snapshot="c" * 64,
            records=20_000,
            up_to_batch=400,
            wanted=100,
            assessors=1,
            committed_at=MOMENT - timedelta(days=3),
            committed_by="Trung tâm CNTT",
        ),
        seed="xổ số 20/11/2026: 123456" if judged else None,
        seed_origin="xổ số" if judged else None,
        seeded_at=MOMENT - timedelta(days=2) if judged else None,
        settled=100 if judged else 0,
        finished_at=MOMENT - timedelta(days=1) if judged else None,
        records=Tally(right=93, wrong=5, undecided=2) if judged else Tally(),
        elements={"so_dinh_danh": Tally(right=99, wrong=1), "ho_va_ten": Tally(right=95, wrong=3, undecided=2)}
        if judged
        else {},
    )


def test_a_sample_is_published_with_hash_seed_and_result_and_counts_in_the_word() -> None:
    text = text_of(client_of(samples=FakeSamples(held=[sample(judged=True)])).get(PAGE))
    assert "c" * 64 in text
    assert "xổ số 20/11/2026: 123456" in text
    assert "100 / 100 93, 5, 2" in text
    assert "mẫu người đánh giá: 93 trên 100 bản ghi đúng" in text


def test_a_committed_sample_without_a_seed_says_so() -> None:
    text = text_of(client_of(samples=FakeSamples(held=[sample(judged=False)])).get(PAGE))
    assert "chưa có hạt giống" in text
    assert "mẫu đang được đánh giá" in text


def test_the_rule_of_a_sample_leads_to_no_page_that_is_not_there() -> None:
    client = client_of(samples=FakeSamples(held=[sample(judged=True)]))
    for page in (PAGE, "/bo-du-lieu/nhan-khau/"):
        html = client.get(page).content.decode()
        assert "SAMPLE" in html
        assert "quy-tac/SAMPLE" not in html


def test_the_leader_sees_the_worst_dataset_first_beside_the_mean() -> None:
    html = client_of().get("/lanh-dao/").content.decode()
    text = text_of(client_of().get("/lanh-dao/"))
    assert "Dưới ngưỡng 90%" in text
    assert "Chưa đo được" in text
    links = re.findall(r'href="/bo-du-lieu/([a-z-]+)/chat-luong/"', html)
    assert sorted(links) == ["doanh-nghiep", "nhan-khau"]


def test_every_weight_and_threshold_is_published_with_its_source() -> None:
    text = text_of(client_of().get("/chat-luong/cach-tinh/"))
    assert "Công văn 4856/BCA-TTDLQG" in text
    assert "chưa kiểm chứng" in text
    published = json.loads(Client(HTTP_HOST="localhost").get("/chat-luong/cach-tinh.json").content)
    assert set(published["weights"]) == {"correct", "complete", "clean", "live", "unified", "shared"}
    assert published["source"]["trust"] == "secondary"


def test_rules_that_the_numbers_show_to_say_nothing_are_named_for_their_owner() -> None:
    rule = "CL02:so_dinh_danh"
    reader = lively_reader()
    told = [
        replace(each, passed=0, failed=20_000, not_applicable=0, not_evaluated=0) if each.rule == rule else each
        for each in reader.rule_counts(CITIZENS)
    ]
    before = text_of(client_of(reader=reader).get(PAGE))
    reader.rule_counts = lambda _: told  # type: ignore[attr-defined, method-assign]  # one fact of the centre
    client = client_of(reader=reader)
    assert "đều không đạt: có thể quy tắc sai" not in before
    assert "Mọi bản ghi được xét (20.000) đều không đạt: có thể quy tắc sai" in text_of(client.get(PAGE))
    warnings = json.loads(client.get("/bo-du-lieu/nhan-khau/chat-luong.json").content)["warnings"]
    assert (rule, "fails-everything") in [(each["rule"], each["kind"]) for each in warnings]


def test_a_page_of_a_rule_carries_its_text_version_and_part_of_the_score() -> None:
    text = text_of(client_of().get("/bo-du-lieu/nhan-khau/quy-tac/CL02:so_dinh_danh/"))
    rule = next(each for each in small_rule_sets()[CITIZENS].rules if each.name == "CL02:so_dinh_danh")
    assert html.escape(rule.check, quote=True) in text
    assert f"Phiên bản quy tắc {rule.version}" in text
    assert "Tiêu chí Sạch" in text
    assert "trọng số 1" in text


def test_hostile_texts_are_shown_as_text() -> None:
    evil = "<script>alert(1)</script>"
    bad = replace(sample(judged=True), seed_origin=evil, seed=evil + "12345678")
    html = client_of(samples=FakeSamples(held=[bad])).get(PAGE).content.decode()
    assert evil not in html


@dataclass
class NoCases:
    """A desk on which nothing lies."""

    asked: list[CaseFilter] = field(default_factory=list)

    def cases(self, wanted: CaseFilter) -> Sequence[object]:
        self.asked.append(wanted)
        return ()


@pytest.mark.parametrize(("role", "sees"), [(Role.LEADER, True), (Role.ASSESSOR, True), (Role.PROPOSER, False)])
def test_how_repairs_go_is_shown_to_those_who_watch_them(role: Role, sees: bool) -> None:
    desk = NoCases()
    set_services(World(plan=PLAN, reader=lively_reader(), repairs=desk, repair_rules=repair_rules()))
    request = RequestFactory(SERVER_NAME="localhost").get("/lanh-dao/")
    request.officer = Officer(name="an", full_name="An", agency="G01", roles=frozenset({role}))
    text = text_of(quality.leader(request))
    assert ("Sửa dữ liệu trong 90 ngày" in text) is sees
    assert bool(desk.asked) is sees
