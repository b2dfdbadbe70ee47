"""``lienthong source`` against a real server: what people and programs see, and what they never see."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from sources_agency import Agency
from typer.testing import CliRunner

from lienthong.cli.output import EXIT_FINDINGS, EXIT_OK, EXIT_REFUSED, EXIT_USAGE
from lienthong.cli.source import app
from lienthong.dictionary.load import load
from lienthong.dictionary.shipped import shipped_folder
from lienthong.sources.mapping_file import parse_mapping
from lienthong.standardise.encodings.tables import Encoding
from lienthong.testing.legacy_text import spell

SECRET = "Bí Mật Tuyệt Đối"


@pytest.fixture(scope="module")
def dictionary():
    return load(shipped_folder("dictionary"))


@pytest.fixture
def agency(make_database, monkeypatch, tmp_path) -> Iterator[Agency]:
    monkeypatch.chdir(tmp_path)  # no lienthong.toml here: the shipped dictionary is used
    monkeypatch.delenv("LIENTHONG_CONFIG", raising=False)
    made = Agency(make_database("agency"))
    made.sql(
        "CREATE TABLE doanh_nghiep (id bigint PRIMARY KEY, ma_so text, ten text, dia_chi text, quan_huyen text,"
        " von_dieu_le text, nganh_chinh text, nganh_nghe text, ngay_cap text, loai_hinh text, ghi_chu text)",
        "COMMENT ON COLUMN doanh_nghiep.ten IS 'Tên doanh nghiệp'",
        f"INSERT INTO doanh_nghiep SELECT n, (2000000000 + n)::text, 'CÔNG TY TNHH {SECRET} ' || n,"
        " 'Số ' || n || ', đường Lý Thường Kiệt, Phường 6, Thành phố Cà Mau', 'Thành phố Cà Mau', '98800000000',"
        " '4661:Bán buôn nhiên liệu', '4661:Bán buôn nhiên liệu,4663:Bán buôn vật liệu', (40000 + n)::text,"
        " 'Công ty cổ phần', NULL FROM generate_series(1, 300) AS n",
        "CREATE TABLE audit_trail (n int PRIMARY KEY, blob bytea)",
        "ANALYZE",
    )
    yield made
    made.close()


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_a_survey_writes_a_mapping_that_is_right_and_shows_no_value(agency, tmp_path, dictionary):
    path = tmp_path / "dn.yaml"
    url = agency.database.superuser_url
    result = run("survey", url, "--table", "public.doanh_nghiep", "--source", "ca-mau", "-o", str(path))
    assert result.exit_code == EXIT_OK, result.output
    text = path.read_text(encoding="utf-8")
    mapping = parse_mapping(text, path=path, dictionary=dictionary)
    found = {column.column: column.element for column in mapping.columns}
    assert found == {
        "id": None,
        "ma_so": "MaSoDoanhNghiep",
        "ten": "TenToChuc",
        "dia_chi": "DiaChiTruSo",
        "quan_huyen": "TenHuyenTruSo",
        "von_dieu_le": "VonDieuLe",
        "nganh_chinh": "NganhNgheChinh",
        "nganh_nghe": "NganhNgheKinhDoanh",
        "ngay_cap": "NgayCapDangKy",
        "loai_hinh": "LoaiHinhDoanhNghiep",
        "ghi_chu": None,
    }
    assert mapping.key == ("id",)
    assert next(column.form for column in mapping.columns if column.column == "ngay_cap") == "excel-serial"
    for shown in (text, result.output):
        assert SECRET not in shown
        assert "2000000001" not in shown


def test_a_survey_proposes_the_encoding_of_every_column_of_text(agency, tmp_path, dictionary):
    names = [f"{surname} Văn {name}" for surname in ("Nguyễn", "Trần", "Phạm") for name in ("Đức", "Hạnh", "Thắm")]
    sexes = ["Nữ", "Nam"]
    agency.sql(
        "CREATE TABLE nhan_khau (id bigint PRIMARY KEY, so_cccd text, ho_ten text, ngay_sinh text, gioi_tinh text)"
    )
    with agency.connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO nhan_khau VALUES (%s, %s, %s, '01/02/1980', %s)",
            [
                (at, f"0012000{at:05}", spell(name, Encoding.TCVN3), spell(sexes[at % 2], Encoding.TCVN3))
                for at, name in enumerate(names)
            ],
        )
    path = tmp_path / "nk.yaml"
    arguments = ("survey", agency.database.superuser_url, "--table", "public.nhan_khau")
    result = run(*arguments, "-o", str(path))
    assert result.exit_code == EXIT_OK, result.output
    text = path.read_text(encoding="utf-8")
    encodings = {
        name: found.group(1) if (found := re.search(rf"^  {name}: .*encoding: (\w+)", text, re.MULTILINE)) else None
        for name in ("so_cccd", "ho_ten", "ngay_sinh", "gioi_tinh")
    }
    assert encodings == {"so_cccd": None, "ho_ten": "tcvn3", "ngay_sinh": None, "gioi_tinh": "tcvn3"}
    assert "# encoding tcvn3: confidence 1.00, from 9 different values" in text
    told = json.loads(run(*arguments, "--json").stdout)["tables"][0]["columns"][2]["encoding"]
    assert (told["encoding"], told["values"], told["sure"]) == ("tcvn3", 9, True)
    for name in names:
        assert name.split()[-1] not in text
        assert spell(name, Encoding.TCVN3) not in text


def test_a_survey_does_not_overwrite_a_person_s_decisions(agency, tmp_path):
    path = tmp_path / "dn.yaml"
    path.write_text("decided", encoding="utf-8")
    arguments = ("survey", agency.database.superuser_url, "--table", "public.doanh_nghiep", "-o", str(path))
    assert run(*arguments).exit_code == EXIT_USAGE
    assert path.read_text(encoding="utf-8") == "decided"
    assert run(*arguments, "--force").exit_code == EXIT_OK
    assert path.read_text(encoding="utf-8") != "decided"


def test_a_survey_of_everything_as_json_holds_no_value(agency):
    result = run("survey", agency.database.superuser_url, "--json")
    assert result.exit_code == EXIT_OK, result.output
    tables = {each["table"]: each for each in json.loads(result.stdout)["tables"]}
    assert tables["public.doanh_nghiep"]["dataset"] == "doanh-nghiep"
    assert tables["public.audit_trail"]["dataset"] is None
    assert SECRET not in result.stdout


def test_a_large_table_is_sampled_by_blocks(agency):
    agency.sql("INSERT INTO audit_trail SELECT n FROM generate_series(1, 60000) AS n", "ANALYZE audit_trail")
    result = run("survey", agency.database.superuser_url, "--table", "public.audit_trail", "--json")
    column = json.loads(result.stdout)["tables"][0]["columns"][0]
    assert 0 < column["sampled"] <= 2000


def test_a_survey_of_a_table_that_is_not_there_is_refused(agency):
    result = run("survey", agency.database.superuser_url, "--table", "public.gone", "--json")
    assert result.exit_code == EXIT_REFUSED
    assert json.loads(result.stdout)["error"]["code"] == "SRC-008"


def test_a_survey_by_an_account_that_may_read_nothing_is_refused(agency):
    result = run("survey", agency.database.role("guest"), "--json")
    assert json.loads(result.stdout)["error"]["code"] == "SRC-031"


def test_validate_compares_with_the_live_table(agency, tmp_path):
    path = tmp_path / "dn.yaml"
    url = agency.database.superuser_url
    run("survey", url, "--table", "public.doanh_nghiep", "-o", str(path))
    assert run("validate", str(path), "--url", url).exit_code == EXIT_OK
    agency.sql("ALTER TABLE doanh_nghiep ADD COLUMN moi text")
    result = run("validate", str(path), "--url", url, "--json")
    assert result.exit_code == EXIT_OK
    assert json.loads(result.stdout)["mappings"][0]["unmapped_columns"] == ["moi"]
    agency.sql("ALTER TABLE doanh_nghiep DROP COLUMN ten")
    result = run("validate", str(path), "--url", url, "--json")
    assert result.exit_code == EXIT_FINDINGS
    assert json.loads(result.stdout)["mappings"][0]["error"]["code"] == "SRC-020"


def test_validate_names_every_mistake_with_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIENTHONG_CONFIG", raising=False)
    path = tmp_path / "bad.yaml"
    path.write_text(
        "source: a\ntable: t\ndataset: doanh-nghiep\nowner: x\ncolumns:\n  a: {element: HoTen}\n", encoding="utf-8"
    )
    result = run("validate", str(path))
    assert result.exit_code == EXIT_FINDINGS
    assert "line 2:" in result.output
    assert "line 6: unknown element HoTen" in result.output


def test_doctor_says_what_blocks_with_the_repair(agency):
    url = agency.database.superuser_url
    result = run("doctor", url, "--table", "public.doanh_nghiep", "--slot", agency.slot, "--json")
    assert result.exit_code == EXIT_FINDINGS
    report = json.loads(result.stdout)
    blocking = [line for line in report["lines"] if line["grade"] == "blocking"]
    assert [line["code"] for line in blocking] == ["SRC-007"]
    agency.sql(blocking[0]["repair"])
    result = run("doctor", url, "--table", "public.doanh_nghiep", "--slot", agency.slot)
    assert result.exit_code == EXIT_OK, result.output


def test_doctor_of_an_unreachable_server_shows_no_password():
    result = run("doctor", "postgresql://u:s3cret@127.0.0.1:1/d", "--table", "a.b")
    assert result.exit_code == EXIT_FINDINGS
    assert "SRC-001" in result.output
    assert "s3cret" not in result.output


def test_a_table_without_its_schema_is_a_mistake_of_use(agency):
    assert run("doctor", agency.database.superuser_url, "--table", "doanh_nghiep").exit_code == EXIT_USAGE
