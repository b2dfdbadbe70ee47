"""Judging everything stored again from its raw images proves the counters, or says what is wrong."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import psycopg
import pytest

from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.adapters.postgres.stored_rows import PostgresStoredRows
from lienthong.check.engine import Checker
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import RuleSet
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.pipeline.recheck import Standing, recheck
from lienthong.pipeline.transfer import Transfer, Way
from lienthong.sources.change import (
    INSERT,
    META_SCHEMA,
    ChangeBatch,
    Delivery,
    Epoch,
    Position,
    SourceColumn,
    SourceId,
    SourceTable,
    TableName,
)
from lienthong.sources.mapping_file import parse_mapping
from lienthong.standardise.plan import build_plan
from lienthong.testing import agency

MOMENT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
DATASET = DatasetId("doanh-nghiep")
SOURCE = SourceId("ca-mau")
EPOCH = Epoch(system="1", timeline=1, database="agency", slot="s")
TABLE = TableName(schema="public", table="doanh_nghiep")
COLUMNS = (
    *("id", "ma_so", "ten", "dia_chi", "quan_huyen", "von_dieu_le", "nganh_chinh", "nganh_nghe", "ngay_cap"),
    "loai_hinh",
)
GOOD = ("2000109850", "CÔNG TY A", "Số 1, phường 5", "Cà Mau", "1500000", "4101", "4101, 4102", "43000", "LLC")
ROWS = [
    ("1", *GOOD),
    ("2", "2000109850", *GOOD[1:]),  # the same number twice
    ("3", None, *GOOD[1:]),  # held
    ("4", "20001O985", "  công   ty B ", *GOOD[2:4], "một tỷ", *GOOD[5:]),
]


@dataclass
class Centre:
    url: str
    dictionary: object
    rules: RuleSet
    way: Way

    def recheck(self, *, rules=None, ways=None):
        asked = self.rules if rules is None else rules
        known = {(str(SOURCE), str(TABLE)): self.way} if ways is None else ways
        with PostgresStoredRows(self.url, self.dictionary).snapshot(asked) as (rows, equal):
            found = recheck(rows, known, asked)
        found.counters_equal = equal
        return found

    def execute(self, statement):
        with psycopg.connect(self.url) as connection:
            assert connection.execute(statement).rowcount > 0


@pytest.fixture(scope="module")
def dictionary():
    return load(shipped_folder("dictionary"))


@pytest.fixture
def centre(make_database, dictionary):
    url = make_database("centre").url
    rules = derive_rules(dictionary, dictionary.datasets[DATASET])
    path = Path(agency.__file__).parent / "mappings" / "doanh_nghiep.yaml"
    mapping = parse_mapping(path.read_text(encoding="utf-8"), path=path, dictionary=dictionary)
    way = Way(
        mapping=mapping,
        dataset=dictionary.datasets[DATASET],
        plan=build_plan(dictionary, dictionary.datasets[DATASET], mapping),
        checker=Checker(dictionary, rules),
    )
    with closing(PostgresCentreStore(url)) as store:
        store.prepare(dictionary, {DATASET: rules})
        position = Position(commit=10)
        store.begin_snapshot(SOURCE, epoch=EPOCH, position=position, plan_digest="p", rows_estimated=1, at=MOMENT)
        store.finish_snapshot(SOURCE, tables=[(TABLE, DATASET)], position=position, at=MOMENT)
        transfer = Transfer(ways={TABLE: way}, store=store, dictionary_version=dictionary.version)
        store.apply(transfer.batch(delivery(), epoch=EPOCH, snapshot=False), at=MOMENT)
    return Centre(url=url, dictionary=dictionary, rules=rules, way=way)


def delivery():
    table = SourceTable(
        name=TABLE, columns=tuple(SourceColumn(name=name, type_name="text") for name in COLUMNS), key=("id",)
    )
    meta = {
        "operation": [INSERT] * len(ROWS), "commit": [20] * len(ROWS), "number": list(range(len(ROWS))),
        "time": [MOMENT] * len(ROWS), "unchanged": [None] * len(ROWS),
        # The bytes of the last row were broken at the source: its image does not tell.
        "damaged": [None] * (len(ROWS) - 1) + [["dia_chi"]], "old_key": [None] * len(ROWS),
    }  # fmt: skip
    changes = ChangeBatch(
        source=SOURCE,
        table=table,
        rows=pl.DataFrame(ROWS, schema=dict.fromkeys(COLUMNS, pl.String), orient="row"),
        meta=pl.DataFrame(meta, schema=dict(META_SCHEMA)),
    )
    return Delivery(source=SOURCE, batches=(changes,), end=Position(commit=21))


def test_what_is_stored_is_what_comes_out_again(centre):
    found = centre.recheck()
    assert (found.standing, found.rows, dict(found.letters), dict(found.values)) == (Standing.EQUAL, 4, {}, {})


def test_a_letter_changed_behind_our_back_is_found_by_its_rule(centre):
    place = next(n for n, rule in enumerate(centre.rules.rules, start=1) if rule.name == "CP01:ten_to_chuc")
    centre.execute(
        f"UPDATE dataset.doanh_nghiep SET _judgement = overlay(_judgement PLACING 'f' FROM {place} FOR 1)"
        " WHERE _record_id LIKE '%/1'"
    )
    found = centre.recheck()
    assert (found.standing, found.damaged) == (Standing.DAMAGED, 1)
    assert dict(found.letters) == {"CP01:ten_to_chuc": 1}
    assert not found.counters_equal


def test_a_value_changed_behind_our_back_is_found_by_its_column(centre):
    centre.execute("UPDATE dataset.doanh_nghiep SET von_dieu_le = 1 WHERE _record_id LIKE '%/1'")
    found = centre.recheck()
    assert (found.standing, dict(found.values), found.damaged) == (Standing.DAMAGED, {"von_dieu_le": 1}, 1)


def test_counters_changed_behind_our_back_are_found(centre):
    centre.execute("UPDATE lienthong.rule_counter SET passed = passed + 1 WHERE place = 1")
    found = centre.recheck()
    assert (found.standing, found.damaged, found.counters_equal) == (Standing.DAMAGED, 0, False)


def test_records_judged_with_other_rules_are_told_from_damaged_ones(centre):
    other = RuleSet(dataset=centre.rules.dataset, rules=centre.rules.rules[1:], digest="other")
    found = centre.recheck(rules=other)
    assert (found.standing, found.earlier, found.damaged) == (Standing.CHANGED, 4, 0)


def test_records_of_a_table_without_a_mapping_are_counted(centre):
    found = centre.recheck(ways={})
    assert (found.standing, found.without_way, found.rows) == (Standing.CHANGED, 4, 4)
