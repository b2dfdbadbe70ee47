"""Every rule of the dictionary's files: what breaks it is refused, with file and line."""

from __future__ import annotations

import gc
import textwrap
from pathlib import Path
from unicodedata import normalize

import pytest

from lienthong.dictionary.load import load, problems
from lienthong.dictionary.refusals import DictionaryNotFound, DictionaryNotValid
from lienthong.dictionary.remedies import REMEDIES

SOURCES = """\
sources:
  - document: văn bản thử
    trust: own
"""

FILES = {
    "release.yaml": SOURCES + "status: proposed\nversion: 0.1.0\n",
    "codelists/mau.yaml": "complete: true\nid: mau\nlabel: {vi: Màu}\nlevel: national\n"
    + SOURCES
    + "status: proposed\nversion: 1.0.0\n",
    "codelists/mau.csv": "code,label_vi,label_en,valid_from,valid_to,parent,replaced_by,source\n"
    "1,Đỏ,Red,,2025-07-01,,2,x\n"
    "1,Đỏ tươi,,2025-07-01,,,,x\n"
    "2,Xanh,,,,,,x\n",
    "codelists/mau.aliases.csv": "spelling,code,source\ndo,1,own\n",
    "domains/vd-mau.yaml": "code_list: mau\ndatatype: code\nid: vd-mau\nlabel: {vi: Mã màu}\nlevel: national\n"
    "rdf_type: xsd:token\n" + SOURCES + "standardiser: code\nstatus: proposed\nversion: 1.0.0\n",
    "domains/vd-ten.yaml": "datatype: text\nid: vd-ten\nlabel: {vi: Tên}\nlevel: national\nmax_length: 50\n"
    "pattern: ^[A-Z]{1,50}$\nrdf_type: xsd:string\n"
    + SOURCES
    + "standardiser: text\nstatus: proposed\nversion: 1.0.0\n",
    "domains/vd-so.yaml": "datatype: decimal\nid: vd-so\nlabel: {vi: Số}\nlevel: national\nprecision: 5\n"
    "rdf_type: xsd:decimal\nscale: 2\n" + SOURCES + "standardiser: decimal\nstatus: proposed\nversion: 1.0.0\n",
    "domains/vd-ngay.yaml": "datatype: date\nid: vd-ngay\nlabel: {vi: Ngày}\nlevel: national\nmaximum: today\n"
    "rdf_type: xsd:date\n" + SOURCES + "standardiser: date\nstatus: proposed\nversion: 1.0.0\n",
    "elements/do/MauXe.yaml": "concept: xe.mau\ndefinition: {vi: Màu sơn của chiếc xe.}\nid: MauXe\nlabel: {vi: Màu xe}\n"
    "level: national\nsensitivity: public\n"
    + SOURCES
    + "status: proposed\ntechnical_name: mau_xe\nvalue_domain: vd-mau@1.0.0\nversion: 1.0.0\n",
    "elements/do/TenXe.yaml": "concept: xe.ten\ndefinition: {vi: Tên gọi của chiếc xe.}\nid: TenXe\nlabel: {vi: Tên xe}\n"
    "level: national\nrelated: [MauXe]\nsensitivity: public\n"
    + SOURCES
    + "status: proposed\ntechnical_name: ten_xe\nvalue_domain: vd-ten@1.0.0\nversion: 1.0.0\n",
    "elements/do/NgayMua.yaml": "concept: xe.ngay-mua\ndefinition: {vi: Ngày chủ xe mua xe.}\nid: NgayMua\n"
    "label: {vi: Ngày mua}\nlevel: national\nsensitivity: public\n"
    + SOURCES
    + "status: proposed\ntechnical_name: ngay_mua\nvalue_domain: vd-ngay@1.0.0\nversion: 1.0.0\n",
    "datasets/xe.yaml": "definition: {vi: Các xe.}\ndomain: Tài sản\nid: xe\nlabel: {vi: Xe}\nlevel: national\nmembers:\n"
    "  - {element: TenXe, key: true, required: true}\n  - {element: MauXe}\n  - {element: NgayMua}\n"
    "record_date: NgayMua\n" + SOURCES + "status: proposed\ntable: xe\nversion: 1.0.0\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file, text in FILES.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8", newline="")
    return tmp_path


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, "the case must change exactly one place"
    (folder / file).write_text(text.replace(old, new), encoding="utf-8", newline="")


def found(folder: Path) -> list[tuple[str, int, str]]:
    noted = problems(folder)
    assert {one.rule for one in noted} <= REMEDIES.keys(), "a problem without a way to correct it"
    return [(one.file, one.line, one.rule) for one in noted]


def test_the_folder_all_cases_start_from_is_valid(folder: Path) -> None:
    assert problems(folder) == ()
    assert load(folder).datasets["xe"].key == ("TenXe",)


ELEMENT = "elements/do/TenXe.yaml"
DOMAIN = "domains/vd-ten.yaml"
LIST = "codelists/mau.yaml"
CODES = "codelists/mau.csv"
ALIASES = "codelists/mau.aliases.csv"
DATASET = "datasets/xe.yaml"


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "rule"),
    [
        (ELEMENT, "level: national", "lavel: national\nlevel: national", 5, "unknown-key"),
        (ELEMENT, "concept: xe.ten\n", "", 1, "missing-key"),
        (ELEMENT, "concept: xe.ten", "concept: [xe]", 1, "wrong-type"),
        (ELEMENT, "related: [MauXe]", "related: MauXe", 6, "wrong-type"),
        (ELEMENT, "related: [MauXe]", "related: [MauXe, 3]", 6, "wrong-type"),
        (ELEMENT, "related: [MauXe]", "related: [MauXe, MauXe]", 6, "duplicate-value"),
        (ELEMENT, "related: [MauXe]", "related:\n  - MauXe\n  - KhongCo", 8, "unknown-reference"),
        (ELEMENT, "concept: xe.ten", 'concept: " xe.ten"', 1, "blank-text"),
        (ELEMENT, "concept: xe.ten", "concept: xe", 1, "not-a-concept"),
        (ELEMENT, "concept: xe.ten", "concept: xe.", 1, "not-a-concept"),
        (ELEMENT, "concept: xe.ten", "concept: xe.tên", 1, "not-a-concept"),
        (ELEMENT, "level: national", "level: city", 5, "unknown-value"),
        (ELEMENT, "level: national", "level: national\nlevel: national", 6, "duplicate-key"),
        (ELEMENT, "concept: xe.ten\n", "creator: Bộ\nconcept: xe.ten\n", 2, "unsorted-keys"),
        (ELEMENT, "id: TenXe", "id: TenXe\nidentifier: yes", 4, "ambiguous-scalar"),
        (ELEMENT, "\nversion: 1.0.0", "\nversion: 1.0", 14, "ambiguous-scalar"),
        (ELEMENT, "\nversion: 1.0.0", "\nversion: 1.0.x", 14, "not-a-version"),
        (ELEMENT, "\nversion: 1.0.0", "\nvalid_from: 2025-02-30\nversion: 1.0.0", 14, "unsorted-keys"),
        (ELEMENT, "value_domain", "valid_from: 2025-02-30\nvalue_domain", 13, "not-a-day"),
        (ELEMENT, "value_domain", "valid_from: 2025-02-03\nvalid_to: 2025-02-03\nvalue_domain", 14, "empty-period"),
        (ELEMENT, "id: TenXe", "id: TenXeMay", 3, "file-name"),
        (ELEMENT, "id: TenXe", "id: ten-xe", 3, "not-an-id"),
        (ELEMENT, "vd-ten@1.0.0", "vd-ten", 13, "reference-without-version"),
        (ELEMENT, "vd-ten@1.0.0", "vd-khac@1.0.0", 13, "unknown-reference"),
        (ELEMENT, "vd-ten@1.0.0", "vd-ten@1.0.1", 13, "unknown-version"),
        (ELEMENT, "technical_name: ten_xe", "technical_name: TênXe", 12, "technical-name"),
        (ELEMENT, "technical_name: ten_xe", "technical_name: _ten", 12, "technical-name"),
        (ELEMENT, "technical_name: ten_xe", "technical_name: ten__xe", 12, "technical-name"),
        (ELEMENT, "technical_name: ten_xe", "technical_name: select", 12, "technical-name"),
        (ELEMENT, "technical_name: ten_xe", "technical_name: record_day", 12, "technical-name"),
        (ELEMENT, "technical_name: ten_xe", "technical_name: " + "a" * 49, 12, "technical-name"),
        (ELEMENT, "Tên gọi của chiếc xe.", "tên  xe", 2, "definition-is-name"),
        (ELEMENT, "Tên gọi của chiếc xe.", "màu sơn của chiếc xe", 2, "same-definition"),
        (ELEMENT, "sources:\n  - document: văn bản thử\n    trust: own\n", "sources: []\n", 8, "no-source"),
        (ELEMENT, "    trust: own", "    trust: own\n    url: x", 11, "unknown-key"),
        (ELEMENT, "{vi: Tên xe}", "{en: Name}", 4, "missing-key"),
        (ELEMENT, "{vi: Tên xe}", "&a {vi: Tên xe}\nlanguages: [*a]", 4, "alias"),
        (ELEMENT, "status: proposed", "status: superseded", 11, "superseded-without-successor"),
        (ELEMENT, "technical_name", "superseded_by: MauXe@1.0.0\ntechnical_name", 12, "successor-without-status"),
        (ELEMENT, "concept: xe.ten", "concept: [", 3, "not-yaml"),
        (DOMAIN, "^[A-Z]{1,50}$", "'[A-Z]{1,50}'", 6, "pattern"),
        (DOMAIN, "^[A-Z]{1,50}$", r"^\d{2}$", 6, "pattern"),
        (DOMAIN, "^[A-Z]{1,50}$", "^(?=a)a$", 6, "pattern"),
        (DOMAIN, "standardiser: text", "standardiser: person", 11, "unknown-kernel"),
        (DOMAIN, "standardiser: text", "standardiser: date", 11, "kernel-datatype"),
        (DOMAIN, "max_length: 50\n", "", 1, "no-limit"),
        (DOMAIN, "max_length: 50", "max_length: 50\nmin_length: 51", 5, "empty-range"),
        (DOMAIN, "max_length: 50", "max_length: -1", 5, "negative"),
        (DOMAIN, "max_length: 50", "max_length: 0o50", 5, "wrong-type"),
        (DOMAIN, "max_length: 50", "max_length: 050", 5, "ambiguous-scalar"),
        (DOMAIN, "max_length: 50", "max_length: 50\nmaximum: today", 6, "bound"),
        (DOMAIN, "datatype: text", "code_list: mau\ndatatype: text", 1, "list-without-code"),
        (DOMAIN, "datatype: text", "check_digit: luhn\ndatatype: text", 1, "unknown-check-digit"),
        (DOMAIN, "rdf_type", "precision: 3\nrdf_type", 1, "precision"),
        ("domains/vd-so.yaml", "precision: 5", "precision: 1", 5, "precision"),
        ("domains/vd-so.yaml", "precision: 5", "precision: 39", 5, "precision"),
        ("domains/vd-so.yaml", "scale: 2\n", "", 1, "precision"),
        ("domains/vd-so.yaml", "precision: 5", "minimum: ít\nprecision: 5", 5, "bound"),
        (LIST, "sources:", "parent_list: khac\nsources:", 5, "unknown-reference"),
        ("domains/vd-mau.yaml", "code_list: mau\n", "", 1, "code-without-list"),
        ("domains/vd-mau.yaml", "code_list: mau", "code_list: khac", 1, "unknown-reference"),
        (LIST, "complete: true", "colour: 1\ncomplete: true", 1, "unknown-key"),
        (CODES, "1,Đỏ,Red,,2025-07-01,,2,x", "1,Đỏ,Red,,2025-07-02,,2,x", 3, "overlapping-periods"),
        (CODES, "1,Đỏ,Red,,2025-07-01,,2,x", "1,Đỏ,Red,,,,2,x", 3, "overlapping-periods"),
        (CODES, "1,Đỏ,Red,,2025-07-01,,2,x", "1,Đỏ,Red,,2025-07-01,,2|9,x", 2, "unknown-code"),
        (CODES, "1,Đỏ,Red,,2025-07-01,,2,x", "1,Đỏ,Red,,20250701,,2,x", 2, "not-a-day"),
        (CODES, "1,Đỏ,Red,,2025-07-01,,2,x", "1,Đỏ,Red,2025-07-01,2025-07-01,,2,x", 2, "empty-period"),
        (CODES, "1,Đỏ,Red,,2025-07-01,,2,x", "1,Đỏ,Red", 2, "csv-row"),
        (CODES, "2,Xanh,,", "2,,,", 4, "blank-text"),
        (CODES, "2,Xanh", '2,"Xanh"lam', 4, "csv-row"),
        (CODES, "1,Đỏ,Red,,2025-07-01,,2,x", "1,Đỏ,Red,,2025-02-30,,2,x", 2, "not-a-day"),
        (ALIASES, "do,1,own", "do,1,", 2, "blank-text"),
        (ALIASES, "do,1,own", "do,1", 2, "csv-row"),
        (ELEMENT, "concept: xe.ten", "7: x\nconcept: xe.ten", 1, "key-not-text"),
        (ELEMENT, "concept: xe.ten", "business_attributes: {mau: 3}\nconcept: xe.ten", 1, "wrong-type"),
        (ELEMENT, "concept: xe.ten", "conflicts: [x]\nconcept: xe.ten", 1, "wrong-type"),
        (CODES, "2,Xanh", "02 ,Xanh", 4, "blank-text"),
        (CODES, "label_en,", "nhan,", 1, "csv-header"),
        (ALIASES, "do,1,own", "do,7,own", 2, "unknown-code"),
        (ALIASES, "do,1,own", "do,1,own\ndo,2,own", 3, "duplicate-value"),
        (ALIASES, "do,1,own", "2,1,own", 2, "alias-is-code"),
        (DATASET, "{element: MauXe}", "{element: KhongCo}", 8, "unknown-reference"),
        (DATASET, "{element: MauXe}", "{element: TenXe}", 8, "duplicate-value"),
        (DATASET, "{element: MauXe}", "{element: MauXe, key: true}", 8, "key-not-required"),
        (DATASET, "key: true, required: true", "required: true", 6, "no-key"),
        (DATASET, "record_date: NgayMua", "record_date: MauXe", 10, "record-date"),
        (DATASET, "record_date: NgayMua", "record_date: KhongCo", 10, "unknown-reference"),
        (DATASET, "table: xe", "table: order", 15, "technical-name"),
        (DATASET, "domain: Tài sản", "domain: Xe cộ", 2, "unknown-value"),
        ("release.yaml", "version: 0.1.0", "version: thử", 5, "not-a-version"),
    ],
)
def test_a_broken_rule_is_named_with_its_file_and_line(
    folder: Path, *, file: str, old: str, new: str, line: int, rule: str
) -> None:
    change(folder, file, old, new)
    assert (file, line, rule) in found(folder)


def test_parents_without_a_parent_list_are_refused(folder: Path) -> None:
    change(folder, CODES, "2,Xanh,,,,,,x", "2,Xanh,,,,1,,x")
    assert found(folder) == [(LIST, 1, "missing-key")]


def test_parents_outside_the_parent_list_are_refused(folder: Path) -> None:
    change(folder, LIST, "level: national", "level: national\nparent_list: mau")
    change(folder, CODES, "2,Xanh,,,,,,x", "2,Xanh,,,,7,,x")
    assert found(folder) == [(CODES, 4, "unknown-code")]


def test_parents_that_run_in_a_circle_are_refused(folder: Path) -> None:
    change(folder, LIST, "level: national", "level: national\nparent_list: mau")
    change(folder, CODES, "1,Đỏ,Red,,2025-07-01,,2,x", "1,Đỏ,Red,,2025-07-01,2,2,x")
    assert found(folder) == []
    change(folder, CODES, "2,Xanh,,,,,,x", "2,Xanh,,,,1,,x")
    assert [(file, rule) for file, _, rule in found(folder)] == [(CODES, "parent-circle")]


def test_two_members_with_one_technical_name_are_refused(folder: Path) -> None:
    change(folder, "elements/do/MauXe.yaml", "technical_name: mau_xe", "technical_name: ten_xe")
    assert found(folder) == [(DATASET, 8, "duplicate-technical-name")]


def test_one_id_in_two_folders_is_refused(folder: Path) -> None:
    (folder / "elements/la").mkdir()
    (folder / "elements/la/TenXe.yaml").write_text(FILES[ELEMENT], encoding="utf-8")
    assert ("elements/la/TenXe.yaml", 3, "duplicate-id") in found(folder)


def test_two_datasets_in_one_table_are_refused(folder: Path) -> None:
    (folder / "datasets/xe-hai.yaml").write_text(FILES[DATASET].replace("id: xe", "id: xe-hai"), encoding="utf-8")
    assert found(folder) == [(DATASET, 15, "duplicate-value")]


def supersede(folder: Path, element: str, successor: str) -> None:
    change(
        folder,
        f"elements/do/{element}.yaml",
        "status: proposed\n",
        f"status: superseded\nsuperseded_by: {successor}\n",
    )
    change(folder, f"elements/do/{element}.yaml", "value_domain", "valid_to: 2026-01-01\nvalue_domain")


def test_a_successor_that_exists_is_accepted(folder: Path) -> None:
    supersede(folder, "MauXe", "TenXe@1.0.0")
    assert found(folder) == []


def test_a_successor_that_does_not_exist_is_refused(folder: Path) -> None:
    supersede(folder, "MauXe", "KhongCo@1.0.0")
    assert found(folder) == [("elements/do/MauXe.yaml", 11, "unknown-reference")]


def test_a_circle_of_succession_is_named_once(folder: Path) -> None:
    supersede(folder, "MauXe", "TenXe@1.0.0")
    supersede(folder, "TenXe", "NgayMua@1.0.0")
    supersede(folder, "NgayMua", "MauXe@1.0.0")
    assert [rule for _, _, rule in found(folder)] == ["succession-circle"]


@pytest.mark.parametrize("file", [ELEMENT, CODES])
def test_decomposed_text_is_refused_at_its_line(folder: Path, file: str) -> None:
    text = FILES[file]
    (folder / file).write_text(
        text.replace("Tên gọi", normalize("NFD", "Tên gọi")).replace("Đỏ tươi", normalize("NFD", "Đỏ tươi")),
        encoding="utf-8",
    )
    assert (file, 2 if file == ELEMENT else 3, "not-nfc") in found(folder)


@pytest.mark.parametrize(
    ("damage", "line", "rule"),
    [
        (lambda data: data.replace(b"\n", b"\r\n"), 1, "line-end"),
        (lambda data: b"\xef\xbb\xbf" + data, 1, "byte-order-mark"),
        (lambda data: data.replace("gọi".encode(), b"g\xe4i"), 2, "not-utf-8"),
        (lambda data: b"- " + data.splitlines()[0], 1, "not-a-mapping"),
        (lambda data: data + b"#" * 200_001, 1, "too-large"),
        (lambda data: data.replace(b"concept: xe.ten", b"concept: " + b"[" * 30 + b"]" * 30), 1, "too-deep"),
    ],
)
def test_a_damaged_file_is_refused(folder: Path, damage: object, line: int, rule: str) -> None:
    path = folder / ELEMENT
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator] # a table of functions
    assert (ELEMENT, line, rule) in found(folder)


def test_a_code_list_without_its_table_is_refused(folder: Path) -> None:
    (folder / CODES).unlink()
    assert (LIST, 1, "no-codes") in found(folder)


def test_an_empty_table_is_refused(folder: Path) -> None:
    (folder / CODES).write_text(
        "code,label_vi,label_en,valid_from,valid_to,parent,replaced_by,source\n", encoding="utf-8"
    )
    assert (CODES, 1, "no-codes") in found(folder)


@pytest.mark.parametrize("name", ["codelists/la.csv", "codelists/la.aliases.csv", "elements/do/La.yml"])
def test_a_file_that_nothing_reads_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("x\n", encoding="utf-8")
    assert (name, 1, "file-name") in found(folder)


@pytest.mark.parametrize("name", ["release.yaml", "elements", "domains", "codelists", "datasets"])
def test_a_folder_without_its_parts_is_no_dictionary(folder: Path, name: str) -> None:
    (folder / name).rename(folder / "gone")
    with pytest.raises(DictionaryNotFound, match=name):
        load(folder)


def test_loading_collects_all_problems_in_order(folder: Path) -> None:
    change(folder, ELEMENT, "level: national", "level: city")
    change(folder, DOMAIN, "max_length: 50\n", "")
    change(folder, CODES, "2,Xanh,,", "2,,,")
    with pytest.raises(DictionaryNotValid) as refused:
        load(folder)
    noted = refused.value.facts["problems"]
    assert [one.file for one in noted] == sorted([CODES, CODES, DOMAIN, ELEMENT])
    assert refused.value.facts["count"] == len(noted)
    assert str(noted[0]) in str(refused.value)


def test_a_refused_file_still_counts_for_the_references_of_others(folder: Path) -> None:
    change(folder, DOMAIN, "max_length: 50", "max_length: -1")
    assert {file for file, _, _ in found(folder)} == {DOMAIN}


def test_comments_change_nothing(folder: Path) -> None:
    before = load(folder).digest
    path = folder / ELEMENT
    path.write_text("# why\n" + textwrap.dedent(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert load(folder).digest == before


MAPPINGS = "code_mappings/mau.csv"
HEADER = "list,code,other_list,other_code,relation,source\n"


def map_codes(folder: Path, *rows: str, file: str = MAPPINGS) -> None:
    """Write mappings between ``mau`` and two further lists of the same codes."""
    for name in ("son", "vai"):
        (folder / f"codelists/{name}.yaml").write_text(
            FILES[LIST].replace("id: mau", f"id: {name}"), encoding="utf-8"
        )
        (folder / f"codelists/{name}.csv").write_text(FILES[CODES], encoding="utf-8")
    (folder / "code_mappings").mkdir(exist_ok=True)
    (folder / file).write_text(HEADER + "".join(row + "\n" for row in rows), encoding="utf-8")


def test_mappings_between_code_lists_are_accepted(folder: Path) -> None:
    map_codes(folder, "mau,1,son,1,exact,x", "son,1,mau,1,exact,x", "mau,2,son,,none,x", "mau,2,vai,1,narrower,x")
    assert found(folder) == []


@pytest.mark.parametrize(
    ("rows", "line", "rule"),
    [
        (["mau,1,son,1,exact,x", "mau,1,son,2,close,x"], 3, "duplicate-value"),
        (["mau,1,kim,1,exact,x"], 2, "unknown-reference"),
        (["kim,1,mau,1,exact,x"], 2, "unknown-reference"),
        (["mau,1,son,2,exact,x", "mau,9,son,1,exact,x"], 3, "unknown-code"),
        (["mau,1,son,9,exact,x"], 2, "unknown-code"),
        (["mau,1,mau,2,exact,x"], 2, "same-list"),
        (["mau,1,son,1,same,x"], 2, "unknown-value"),
        (["mau,1,son,1,none,x"], 2, "undecided"),
        (["mau,1,son,,exact,x"], 2, "undecided"),
        (["mau,1,son,1,exact,"], 2, "undecided"),
        (["mau,1,son,1,exact"], 2, "csv-row"),
        (["mau,1,son,1,exact,x", "son,1,mau,2,exact,x"], 2, "contradiction"),
        (["mau,1,son,1,exact,x", "son,1,mau,,none,x"], 2, "contradiction"),
        (["mau,1,son,1,broader,x", "son,1,mau,1,broader,x"], 3, "mapping-circle"),
        (["mau,1,son,1,broader,x", "son,1,vai,1,broader,x", "mau,1,vai,1,narrower,x"], 4, "mapping-circle"),
    ],
)
def test_a_wrong_mapping_between_code_lists_is_named_with_its_line(
    folder: Path, *, rows: list[str], line: int, rule: str
) -> None:
    map_codes(folder, *rows)
    assert (MAPPINGS, line, rule) in found(folder)


def test_a_pair_decided_in_two_files_is_refused_in_the_second(folder: Path) -> None:
    map_codes(folder, "mau,1,son,1,exact,x")
    map_codes(folder, "mau,1,son,1,exact,x", file="code_mappings/them.csv")
    assert found(folder) == [("code_mappings/them.csv", 2, "duplicate-value")]


def test_a_relation_told_from_both_sides_is_no_circle(folder: Path) -> None:
    map_codes(folder, "mau,1,son,1,broader,x", "son,1,mau,1,narrower,x")
    assert found(folder) == []


@pytest.mark.parametrize(
    ("content", "line", "rule"),
    [
        (b"list,code\n", 1, "csv-header"),
        (HEADER.encode() + b"mau,1,son,1,exact,\xe4\n", 2, "not-utf-8"),
        (HEADER.encode() + normalize("NFD", "mau,1,son,1,exact,nguồn\n").encode(), 2, "not-nfc"),
    ],
)
def test_a_damaged_mapping_file_is_refused(folder: Path, *, content: bytes, line: int, rule: str) -> None:
    map_codes(folder)
    (folder / MAPPINGS).write_bytes(content)
    assert found(folder) == [(MAPPINGS, line, rule)]


def test_a_stray_file_among_the_mappings_is_refused(folder: Path) -> None:
    map_codes(folder)
    (folder / "code_mappings/mau.xlsx").write_bytes(b"x")
    assert found(folder) == [("code_mappings/mau.xlsx", 1, "file-name")]


def test_a_folder_in_the_place_of_a_file_is_refused(folder: Path) -> None:
    (folder / "elements/do/La.yaml").mkdir()
    assert found(folder) == [("elements/do/La.yaml", 1, "unreadable")]


def test_the_refusal_says_how_to_correct_the_first_problem(folder: Path) -> None:
    change(folder, ELEMENT, "vd-ten@1.0.0", "vd-khac@1.0.0")
    with pytest.raises(DictionaryNotValid) as refused:
        load(folder)
    assert f"{ELEMENT}:13" in str(refused.value)
    assert refused.value.remedy.startswith(REMEDIES["unknown-reference"])


def test_loading_leaves_the_collector_of_cycles_as_it_was(folder: Path) -> None:
    change(folder, ELEMENT, "level: national", "level: city")
    assert gc.isenabled()
    problems(folder)
    assert gc.isenabled()
    gc.disable()
    try:
        problems(folder)
        assert not gc.isenabled()
    finally:
        gc.enable()
