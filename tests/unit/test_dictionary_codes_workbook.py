"""The codes of a list on a day as a workbook: the same rows as the CSV, every cell a text."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.test import Client

from lienthong.adapters.spreadsheet import read_workbook
from lienthong.clock import FixedClock
from lienthong.dictionary.exports.workbook import CELL_CHARACTERS_MAX
from lienthong.dictionary.load import load
from lienthong.dictionary.model import Dictionary
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.dictionary_codes import CodeRow, codes_sheet
from lienthong.oversight.plan import load_plan
from lienthong.portal.application import prepare
from lienthong.portal.services import set_services
from lienthong.testing.fakes import FakeReader, fake_services
from lienthong.wiring.exporting import code_list_workbook

prepare()

PLAN = load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml")
COMMUNES = "/tu-dien/danh-muc/don-vi-hanh-chinh-xa"
ASKED = "?ngay=2024-01-01&cha=01"
DAY = date(2024, 1, 1)


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


@pytest.fixture
def client(dictionary: Dictionary) -> Iterator[Client]:
    made = fake_services(plan=PLAN, clock=FixedClock(datetime(2026, 3, 1, 5, 0, tzinfo=UTC)))
    set_services(replace(made, dictionary=dictionary))
    yield Client(SERVER_NAME="localhost")
    set_services(fake_services(plan=PLAN, reader=FakeReader()))


def row(code: str, label: str) -> CodeRow:
    return CodeRow(
        code=code, label=label, label_en=None, parent=None, parent_label=None, within_label=None, valid_from=None,
        valid_to=None, source=None, seen_only=False, alternatives=(), others=(),
    )  # fmt: skip


def test_the_workbook_has_the_rows_of_the_csv_with_leading_zeros(client: Client, tmp_path: Path) -> None:
    response = client.get(f"{COMMUNES}.xlsx{ASKED}")
    assert response.headers["Content-Disposition"] == 'attachment; filename="don-vi-hanh-chinh-xa-2024-01-01.xlsx"'
    (tmp_path / "a.xlsx").write_bytes(response.content)
    (sheet,) = read_workbook(tmp_path / "a.xlsx")
    listed = list(csv.reader(io.StringIO(client.get(f"{COMMUNES}.csv{ASKED}").content.decode("utf-8-sig"))))
    told = [[cell or "" for cell in cells] for cells in sheet.rows]
    assert told[1:] == listed[1:]
    assert told[0][0] == "Mã"
    assert any(cells[:2] == ["00008", "Phường Liễu Giai"] for cells in told)
    assert not sheet.formulas


def test_what_looks_like_a_formula_or_a_number_is_a_text(tmp_path: Path) -> None:
    content = code_list_workbook([row("00008", "=1+1"), row("1E5", "@SUM(A1)")], list_id="x", on=DAY)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert sheet.count('t="s"') == sheet.count("<v>"), "every cell with a value is a shared string"


def test_a_text_longer_than_a_cell_is_cut_and_does_not_break_the_file() -> None:
    sheet = codes_sheet([row("1", "x" * 40_000)], list_id="y" * 60, on=DAY)
    assert len(sheet.rows[1][1]) == CELL_CHARACTERS_MAX
    assert len(sheet.name) <= 31


def test_the_same_day_gives_the_same_bytes() -> None:
    one, other = (code_list_workbook([row("00008", "a")], list_id="x", on=DAY) for _ in range(2))
    assert one == other


def test_the_page_links_to_the_workbook_of_the_day_and_the_parent(client: Client) -> None:
    html = client.get(f"{COMMUNES}/{ASKED}").content.decode()
    assert f'href="{COMMUNES}.xlsx?ngay=2024-01-01&amp;cha=01"' in html


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"{COMMUNES}.xlsx?ngay=2024-02-30", 400),
        (f"{COMMUNES}.xlsx?ngay=<script>", 400),
        ("/tu-dien/danh-muc/khong-co.xlsx", 404),
    ],
)
def test_what_cannot_be_given_is_refused(client: Client, address: str, status: int) -> None:
    response = client.get(address)
    assert response.status_code == status
    assert "<script>" not in response.content.decode()
