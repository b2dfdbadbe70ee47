"""``lienthong standardise`` on good files of each kind: what comes out, where it goes, what it says."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from files_made import COLUMNS, GOOD, Desk, csv_of, facts_of, invoke

from lienthong.standardise.encodings.tables import Encoding, letters


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(folder=tmp_path)


def workbook(path: Path, rows: list[tuple[object, ...]], *, sheets: tuple[str, ...] = ("Danh sách",)) -> Path:
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_numbers": False}) as book:
        for name in sheets:
            sheet = book.add_worksheet(name)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
    return path


def test_values_are_typed_and_every_row_keeps_its_line_and_its_raw_text(desk: Desk):
    done = desk.run(desk.put(csv_of(*GOOD)))
    assert (done.code, done.rows) == (0, (3, 3, 0))
    assert done.kept is not None
    assert done.kept["_row"].to_list() == [2, 3, 4]
    assert done.kept["von_dieu_le"].to_list() == [Decimal("1000000.00"), Decimal("2000000.00"), Decimal("3000000.00")]
    assert done.kept["ngay_cap_dang_ky"].to_list() == [date(2020, 3, 7), date(2021, 3, 7), date(2022, 3, 7)]
    assert done.kept["ngay_cap_dang_ky__outcome"].to_list() == [0, 1, 0]
    assert json.loads(done.kept["_image"][1]) == dict(zip(COLUMNS, GOOD[1], strict=True))
    assert not done.kept["_quarantined"].any()


def test_the_three_kinds_of_file_give_the_same_rows(desk: Desk):
    rows = [tuple(COLUMNS), *GOOD]
    desk.put(csv_of(*GOOD), "a.csv")
    workbook(desk.folder / "a.xlsx", [tuple(map(str, row)) for row in rows])
    pl.read_csv(desk.folder / "a.csv", infer_schema=False).write_parquet(desk.folder / "a.parquet")
    frames = []
    for name in ("a.csv", "a.xlsx", "a.parquet"):
        done = desk.run(desk.folder / name, "--force")
        assert done.code == 0, done.text
        assert done.kept is not None
        frames.append(done.kept.drop("_row"))
    assert frames[0].equals(frames[1])
    assert frames[0].equals(frames[2])


def test_a_file_is_read_by_its_content_and_not_by_its_name(desk: Desk):
    workbook(desk.folder / "a.xlsx", [tuple(COLUMNS), *GOOD]).rename(desk.folder / "a.csv")
    done = desk.run(desk.folder / "a.csv")
    assert done.told["kind"] == "xlsx"


def test_the_same_input_gives_the_same_bytes(desk: Desk):
    path = desk.put(csv_of(*GOOD, ("", "Không có mã", "x", "1", "2020-01-01", "CTCP")))
    names = ("out.parquet", "out.quarantine.parquet", "report.html")
    desk.run(path)
    first = [(desk.folder / name).read_bytes() for name in names]
    desk.run(path, "--force")
    assert [(desk.folder / name).read_bytes() for name in names] == first


def test_a_row_that_cannot_be_used_is_quarantined_with_its_reasons(desk: Desk):
    done = desk.run(desk.put(csv_of(GOOD[0], ("", "Tên", "", "5", "2020-01-01", "CTCP"), GOOD[1])))
    assert done.rows == (3, 2, 1)
    assert done.reasons == {3: ["CP01:ma_so_doanh_nghiep", "CP01:dia_chi_tru_so"]}
    assert done.quarantined is not None
    assert "bắt buộc" in done.quarantined["_sentences"][0][0]
    assert done.quarantined["_quarantined"].to_list() == [True]
    assert done.told["reasons"] == {"CP01:ma_so_doanh_nghiep": 1, "CP01:dia_chi_tru_so": 1}
    assert done.told["rows"]["equation"] == "3 = 2 + 1"


def test_letters_of_a_judgement_can_be_read_from_the_file_alone(desk: Desk):
    done = desk.run(desk.put(csv_of(*GOOD)))
    facts = facts_of(desk.folder / "out.parquet")
    rules = json.loads(facts["lienthong.rules"])
    assert done.kept is not None
    letters = dict(zip(rules, done.kept["_judgement"][0], strict=True))
    assert letters["CP01:ma_so_doanh_nghiep"] == "p"
    assert facts["lienthong.dataset"] == "doanh-nghiep"
    assert facts["lienthong.on"] == "2026-11-23"


def test_rows_that_share_their_key_fail_uniqueness_wherever_they_stand(desk: Desk):
    twin = ("2000 113 222", "Một lần nữa", "Số 9, Tỉnh Cà Mau", "1", "2020-01-01", "DNTN")
    held = ("2000113222", "", "", "1", "2020-01-01", "DNTN")
    done = desk.run(desk.put(csv_of(*GOOD, twin, held)))
    place = json.loads(facts_of(desk.folder / "out.parquet")["lienthong.rules"]).index("CL04:ma_so_doanh_nghiep")
    assert done.kept is not None
    assert done.quarantined is not None
    assert [each[place] for each in done.kept["_judgement"]] == ["f", "p", "p", "f"]
    assert [each[place] for each in done.quarantined["_judgement"]] == ["f"]
    rule = next(each for each in done.told["rules"] if each["rule"] == "CL04:ma_so_doanh_nghiep")
    assert (rule["passed"], rule["failed"], rule["measured"]) == (2, 3, True)


def test_what_a_file_cannot_tell_is_said_not_to_be_measured(desk: Desk):
    done = desk.run(desk.put(csv_of(*GOOD)))
    measured = {each["rule"]: each["measured"] for each in done.told["rules"]}
    assert measured["LV01"] is False
    assert set(done.told["words"]) == {"correct", "complete", "clean", "unified"}


def test_counts_of_every_column_add_up_to_the_rows(desk: Desk):
    done = desk.run(desk.put(csv_of(*GOOD, ("x", "", "", "abc", "99/99/2020", ""))))
    for column in done.told["columns"]:
        assert sum(column["outcomes"].values()) == 4, column["name"]
    outcomes = {each["name"]: each["outcomes"] for each in done.told["columns"]}
    assert outcomes["von_dieu_le"]["refused"] == 1
    assert outcomes["ten_huyen_tru_so"]["empty"] == 4


def test_columns_are_found_without_a_mapping_and_every_decision_is_told(desk: Desk):
    header = ("Mã số doanh nghiệp", "Tên doanh nghiệp", "Địa chỉ trụ sở", "Vốn điều lệ", "Ngày cấp", "Loại hình")
    done = desk.run(desk.put(csv_of(*GOOD, header=header)), mapped=False)
    assert done.code == 0, done.text
    decided = {each["column"]: each["element"] for each in done.told["mapping"]["columns"]}
    assert decided["Mã số doanh nghiệp"] == "MaSoDoanhNghiep"
    assert decided["Loại hình"] == "LoaiHinhDoanhNghiep"
    assert done.told["mapping"]["proposed"] is True
    assert all(each["score"] for each in done.told["mapping"]["columns"] if each["element"])


def test_a_required_column_that_is_not_found_stops_the_run(desk: Desk):
    done = desk.run(desk.put("Mã số doanh nghiệp,abcxyz\n2000113222,1\n"), mapped=False)
    assert (done.code, done.refused) == (1, "FIL-012")
    assert "TenToChuc" in done.told["error"]["message"]
    assert desk.left_behind() == {"in.csv"}


def test_a_proposal_can_be_written_decided_on_and_used(desk: Desk):
    header = ("Mã số doanh nghiệp", "Tên doanh nghiệp", "Địa chỉ trụ sở", "Vốn điều lệ", "Ngày cấp", "Loại hình")
    path = desk.put(csv_of(*GOOD, header=header))
    proposal = desk.folder / "p.yaml"
    assert desk.run(path, "--propose", str(proposal), mapped=False).code == 0
    assert desk.left_behind() == {"in.csv", "p.yaml"}
    done = desk.run(path, "--mapping", str(proposal), mapped=False)
    assert done.rows == (3, 3, 0)
    assert done.told["mapping"]["proposed"] is False


def test_a_mapping_of_another_file_or_dataset_is_refused(desk: Desk):
    short = csv_of(*(row[:-1] for row in GOOD), header=COLUMNS[:-1])
    done = desk.run(desk.put(short))
    assert done.refused == "FIL-013"
    assert "loai_hinh" in done.told["error"]["message"]
    assert desk.run(desk.put(csv_of(*GOOD)), "--dataset", "nhan-khau").refused == "FIL-013"


def test_a_column_outside_the_mapping_stays_in_the_raw_text(desk: Desk):
    rows = [(*row, f"ghi chú {place}") for place, row in enumerate(GOOD)]
    done = desk.run(desk.put(csv_of(*rows, header=(*COLUMNS, "ghi_chu"))))
    assert done.kept is not None
    assert json.loads(done.kept["_image"][2])["ghi_chu"] == "ghi chú 2"
    decided = next(each for each in done.told["mapping"]["columns"] if each["column"] == "ghi_chu")
    assert (decided["element"], decided["reason"]) == (None, "not in the mapping")


def test_letters_of_tcvn3_are_recognised_and_become_unicode(desk: Desk):
    header = ("Mã số doanh nghiệp", "Tên doanh nghiệp", "Địa chỉ trụ sở", "Vốn điều lệ", "Ngày cấp", "Loại hình")
    names = ("Công ty Cổ phần Thuỷ sản Đất Mũi", "Doanh nghiệp tư nhân Hồng Đức", "Công ty Xây dựng Thới Bình")
    places = ("Số 1, đường Lý Thường Kiệt, Phường 6", "ấp Tân Thuộc, xã Nguyễn Huân", "khóm 3, thị trấn Cái Nước")
    old = str.maketrans(dict(letters()[Encoding.TCVN3]))
    rows = [
        (row[0], name.translate(old), place.translate(old), *row[3:])
        for row, name, place in zip(GOOD, names, places, strict=True)
    ]
    done = desk.run(desk.put(csv_of(*rows, header=header)), mapped=False)
    assert done.kept is not None, done.text
    assert done.kept["ten_to_chuc"].to_list() == list(names)
    decided = {each["element"]: each["encoding"] for each in done.told["mapping"]["columns"]}
    assert decided["TenToChuc"] == "tcvn3"


def test_too_few_usable_rows_leave_with_three(desk: Desk):
    path = desk.put(csv_of(GOOD[0], ("", "Tên", "", "5", "2020-01-01", "CTCP")))
    assert desk.run(path).code == 0
    assert desk.run(path, "--force", "--fail-under", "50").code == 0
    done = desk.run(path, "--force", "--fail-under", "51")
    assert done.code == 3
    assert done.kept is not None, "the files are written all the same"


def test_nothing_is_overwritten_unless_asked(desk: Desk):
    path = desk.put(csv_of(*GOOD))
    for name in ("out.parquet", "out.quarantine.parquet", "report.html"):
        (desk.folder / name).write_text("before")
        assert desk.run(path).refused == "FIL-014"
        assert (desk.folder / name).read_text() == "before"
        (desk.folder / name).unlink()
    assert desk.run(path).code == 0


def test_the_input_is_never_overwritten(desk: Desk):
    path = desk.put(csv_of(*GOOD), "out.parquet")
    before = path.read_bytes()
    assert desk.run(path, "--force").refused == "FIL-014"
    assert path.read_bytes() == before


def test_two_outputs_of_one_name_are_refused(desk: Desk):
    path = desk.put(csv_of(*GOOD))
    assert desk.run(path, "--quarantine", str(desk.folder / "out.parquet")).refused == "FIL-016"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--dataset", "khong-co"), "DIC-004"),
        ((), "FIL-018"),
    ],
)
def test_a_dataset_that_is_unknown_or_not_named_is_refused(desk: Desk, options: tuple[str, ...], code: str):
    path = desk.put(csv_of(*GOOD))
    result = invoke(str(path), "--json", *options)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == code


def test_the_report_stands_alone_and_shows_no_value_that_is_not_masked(desk: Desk):
    from lienthong.testing import citizens

    frame, _ = citizens.generate(400, seed=3)
    path = desk.folder / "people.csv"
    frame.select(pl.all().cast(pl.String)).write_csv(path)
    done = desk.run(path, "--dataset", "nhan-khau", "--mapping", str(_people_mapping(desk)), mapped=False)
    assert done.code == 0, done.text
    assert done.report is not None
    assert '<html lang="vi">' in done.report
    for outside in ("http:", "https:", "src=", "href=", "<script", "url(", "@import"):
        assert outside not in done.report
    shown = done.report + done.text
    for column in ("so_cccd", "dia_chi", "dien_thoai"):
        values = {value for value in frame[column].drop_nulls() if len(value) > 6}
        assert not [value for value in values if value in shown], column
    names = {name for name in frame["ho_ten"].drop_nulls() if len(name.split()) > 2}
    assert not [name for name in names if name in shown]
    assert "•" in done.report


def _people_mapping(desk: Desk) -> Path:
    from importlib import resources

    text = (resources.files("lienthong.testing.agency") / "mappings" / "nhan_khau.yaml").read_text(encoding="utf-8")
    return desk.put(text, "people.yaml")


def test_the_report_escapes_what_the_file_holds(desk: Desk):
    nasty = "<script>alert(1)</script>"
    rows = [(*row, "x") for row in GOOD]
    done = desk.run(desk.put(csv_of(*rows, header=(*COLUMNS, nasty)), "<b>.csv"))
    assert done.report is not None
    assert nasty not in done.report
    assert "<b>.csv" not in done.report
    assert "&lt;script&gt;" in done.report


def test_the_report_has_balanced_tags(desk: Desk):
    done = desk.run(desk.put(csv_of(*GOOD, ("x", "", "", "abc", "99/99/2020", ""))))
    assert done.report is not None
    from html.parser import HTMLParser

    class Tags(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag != "meta":
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    reader = Tags()
    reader.feed(done.report)
    assert reader.open == []
    assert re.search(r"4 dòng đọc = <b>3</b> dòng dùng được \+ <b>1</b>", done.report)


def test_people_see_what_was_decided_and_the_equation(desk: Desk):
    path = desk.put(csv_of(*GOOD))
    result = invoke(str(path), "--mapping", str(desk.mapping), "-o", str(desk.folder / "o.parquet"))
    assert result.exit_code == 0, result.output
    assert "3 rows read = 3 written + 0 quarantined" in result.output
    assert "MaSoDoanhNghiep" in result.output
