"""What was planted is what the rules find, through mapping, standardiser and checks as an agency's table takes them."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import polars as pl
import pytest

from lienthong.check.engine import Checker
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import Severity
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.pipeline.envelope import wrap
from lienthong.sources.change import ChangeBatch, Epoch, SourceColumn, SourceId, SourceTable, TableName
from lienthong.sources.mapping_file import parse_mapping
from lienthong.standardise.batch import RecordBatch
from lienthong.standardise.plan import build_plan
from lienthong.testing.citizens import COLUMNS, DUPLICATE, INVISIBLE, KINDS, STANDARDISED, generate

ROWS = 12_000
SHARE = 0.06
MOMENT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
EVALUATED_BY_THE_CENTRE = {DUPLICATE}  # uniqueness needs other records


@pytest.fixture(scope="module")
def judged() -> tuple[pl.DataFrame, pl.DataFrame, pl.Series]:
    """Return (truth, findings with ids and rule codes, ids that are held back)."""
    frame, truth = generate(ROWS, seed=21, defect_share=SHARE)
    dictionary = load(shipped_folder("dictionary"))
    dataset = dictionary.datasets[DatasetId("nhan-khau")]
    text = (
        resources.files("lienthong.testing.agency").joinpath("mappings", "nhan_khau.yaml").read_text(encoding="utf-8")
    )
    mapping = parse_mapping(text, path=Path("nhan_khau.yaml"), dictionary=dictionary)
    rules = derive_rules(dictionary, dataset)
    rows = frame.with_columns(pl.all().cast(pl.String))
    table = SourceTable(
        name=TableName(schema="public", table="nhan_khau"),
        columns=tuple(SourceColumn(name=name, type_name="text") for name in COLUMNS),
        key=("id",),
    )
    meta = pl.DataFrame(
        {"operation": ["read"], "commit": [1], "number": [0], "time": [MOMENT]},
        schema={"operation": pl.String, "commit": pl.Int64, "number": pl.Int32, "time": pl.Datetime("us", "UTC")},
    ).with_columns(
        unchanged=pl.lit(None, pl.List(pl.String)),
        damaged=pl.lit(None, pl.List(pl.String)),
        old_key=pl.lit(None, pl.List(pl.String)),
    )
    changes = ChangeBatch(
        source=SourceId("ca-mau"), table=table, rows=rows, meta=pl.concat([meta] * rows.height, rechunk=True)
    )
    raw, envelope = wrap(changes, lambda _: {})
    standardised = build_plan(dictionary, dataset, mapping).run(raw)
    records = RecordBatch(
        dataset=dataset,
        source=changes.source,
        epoch=Epoch(system="1", timeline=1, database="agency", slot="s"),
        table=table.name,
        values=standardised.values,
        outcomes=standardised.outcomes,
        envelope=envelope,
    )
    verdict = Checker(dictionary, rules).judge(records, oversized=standardised.oversized)
    severity = {rule.name: rule.severity is Severity.BLOCKING for rule in rules.rules}
    findings = verdict.findings.select(
        id=frame["id"].gather(verdict.findings["row"]),
        code=pl.col("rule").str.split(":").list.first(),
        blocking=pl.col("rule").replace_strict(severity, return_dtype=pl.Boolean),
    )
    return truth, findings, frame["id"].filter(verdict.quarantined)


@pytest.mark.parametrize("kind", [name for name in KINDS if name not in EVALUATED_BY_THE_CENTRE])
def test_every_planted_defect_is_found_by_its_rule(judged, kind):
    truth, findings, _ = judged
    expected = KINDS[kind].expected
    planted = truth.filter(pl.col("kind") == kind)["id"]
    assert planted.len() > 10
    if expected in {INVISIBLE, STANDARDISED}:
        assert findings.filter(pl.col("id").is_in(planted.implode())).is_empty()
        return
    found = findings.filter(pl.col("code") == expected)["id"]
    assert planted.is_in(found.implode()).all()


def test_rows_without_a_defect_have_no_finding(judged):
    truth, findings, _ = judged
    wrong = findings.join(truth, on="id", how="anti")
    assert wrong.is_empty(), wrong.group_by("code").len()


def test_only_rows_that_cannot_stand_are_held_back(judged):
    truth, _, held = judged
    kinds = set(truth.filter(pl.col("id").is_in(held.implode()))["kind"])
    assert {"missing_name", "number_too_short", "letters_in_number", "impossible_date"} <= kinds
    assert not kinds & {"phone_garbage", "decomposed_name", "unknown_marital_code", "sex_contradicts_number"}
    assert held.is_in(truth["id"].implode()).all()
