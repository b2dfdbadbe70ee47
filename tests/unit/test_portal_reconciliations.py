"""What the page of a dataset says about source and centre."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from lienthong.centre.reconciling import Reconciliation
from lienthong.centre.refusals import CentreUnreachable
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.plan import load_plan
from lienthong.portal.application import prepare
from lienthong.portal.services import set_services
from lienthong.sources.change import Position, SourceId, TableName
from lienthong.testing.fakes import FakeReader, fake_services, lively_reader

prepare()

PLAN = load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml")
AT = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


def result(**values: object) -> Reconciliation:
    facts: dict[str, object] = {
        "link": SourceId("ca-mau"), "table": TableName(schema="public", table="nhan_khau"),
        "dataset": DatasetId("nhan-khau"), "began_at": AT, "ended_at": AT, "moment": AT,
        "position": Position(commit=2**32 + 10), "rows_source": 20000, "rows_centre": 20000,
    }  # fmt: skip
    return Reconciliation(**(facts | values))  # type: ignore[arg-type] # plain facts of a test


class Reader:
    def __init__(self, newest: tuple[Reconciliation, ...], equal: tuple[Reconciliation, ...] = ()) -> None:
        self.answers = newest, equal

    def newest(self) -> tuple[Reconciliation, ...]:
        return self.answers[0]

    def newest_equal(self) -> tuple[Reconciliation, ...]:
        return self.answers[1]


class With:
    """The fakes, with a reader of results."""

    def __init__(self, reader: object) -> None:
        self.reconciliations = reader
        self.given = fake_services(plan=PLAN, reader=lively_reader())

    def __getattr__(self, name: str) -> object:
        return getattr(self.given, name)


def page(reader: object) -> str:
    set_services(With(reader))  # type: ignore[arg-type] # answers as the fakes do
    try:
        html = Client(SERVER_NAME="localhost").get("/bo-du-lieu/nhan-khau/").content.decode()
    finally:
        set_services(fake_services(plan=PLAN, reader=FakeReader()))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_an_equal_result_is_said_with_position_and_time_in_vietnam() -> None:
    seen = page(Reader((result(equal=True),)))
    assert "Nguồn và trung tâm bằng nhau tại vị trí 1/A lúc 23/11/2026 01:00" in seen
    assert "20.000 bản ghi" in seen


def test_a_different_result_is_said_with_its_counts_and_when_it_was_equal_last() -> None:
    differs = result(equal=False, missing=3, surplus=1, differing=2, buckets_unopened=7)
    seen = page(Reader((differs,), (result(equal=True),)))
    assert "ít nhất trung tâm thiếu 3, thừa 1, khác nội dung 2 bản ghi" in seen
    assert "Lần bằng nhau gần nhất" in seen


def test_no_result_is_not_said_to_be_equal() -> None:
    seen = page(Reader((result(equal=None, error="CEN-201 behind", rows_source=None, rows_centre=None),)))
    assert "không có kết quả: CEN-201 behind" in seen
    assert "bằng nhau tại" not in seen


def test_results_of_other_datasets_are_not_shown() -> None:
    assert "Đối soát" not in page(Reader((result(equal=True, dataset=DatasetId("doanh-nghiep")),)))


@pytest.mark.parametrize("failure", [CentreUnreachable(sqlstate="none")])
def test_the_page_stands_when_nobody_can_say(failure: Exception) -> None:
    class Away:
        def newest(self) -> tuple[Reconciliation, ...]:
            raise failure

    assert "Đối soát" not in page(Away())
