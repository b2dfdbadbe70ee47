"""The data package is judged by frictionless itself, with sound rows and with planted faults."""

from __future__ import annotations

from pathlib import Path

import frictionless
import pytest

from lienthong.dictionary.exports.frictionless import DESCRIPTOR, frictionless_files
from lienthong.dictionary.exports.selection import chosen_datasets
from lienthong.dictionary.load import load
from lienthong.dictionary.model import Dictionary
from lienthong.dictionary.shipped import shipped_folder

ENTERPRISE = '0100109106,Công ty A,"số 1, phố B",,1000.5,4661,"[""4661""]",2020-01-02,Công ty TNHH'
PERSON = "001200012345,Nguyễn Văn A,1990,1,01,VN,00004,01,,,"


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


def package_with(dictionary: Dictionary, folder: Path, rows: dict[str, list[str]]) -> frictionless.Report:
    for one in frictionless_files(dictionary, chosen_datasets(dictionary, list(rows))):
        path = folder / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.content)
    for name, lines in rows.items():
        with (folder / f"{name}.csv").open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    return frictionless.validate(str(folder / DESCRIPTOR))


def test_the_package_of_all_datasets_is_valid_before_it_is_filled(dictionary: Dictionary, tmp_path: Path) -> None:
    report = package_with(dictionary, tmp_path, {name: [] for name in dictionary.datasets})
    assert report.valid, report.flatten(["type", "note"])


def test_sound_rows_are_valid(dictionary: Dictionary, tmp_path: Path) -> None:
    report = package_with(dictionary, tmp_path, {"doanh-nghiep": [ENTERPRISE], "nhan-khau": [PERSON]})
    assert report.valid, report.flatten(["type", "note"])


@pytest.mark.parametrize(
    ("dataset", "row", "fault"),
    [
        ("nhan-khau", PERSON.replace("001200012345", "12345"), ["constraint-error", "so_dinh_danh"]),
        ("nhan-khau", PERSON.replace("1990", "1990-13"), ["constraint-error", "ngay_sinh"]),
        ("nhan-khau", PERSON.replace(",1990,1,", ",1990,7,"), ["foreign-key"]),
        ("nhan-khau", PERSON.replace("00004", "99999"), ["foreign-key"]),
        ("nhan-khau", PERSON.replace("Nguyễn Văn A", ""), ["constraint-error", "ho_va_ten"]),
        ("doanh-nghiep", ENTERPRISE.replace("1000.5", "-1"), ["constraint-error", "von_dieu_le"]),
        ("doanh-nghiep", ENTERPRISE.replace("2020-01-02", "02/01/2020"), ["type-error", "ngay_cap_dang_ky"]),
    ],
)
def test_a_planted_fault_is_found(
    dictionary: Dictionary, tmp_path: Path, dataset: str, row: str, fault: list[str]
) -> None:
    report = package_with(dictionary, tmp_path, {dataset: [row]})
    assert fault in report.flatten(["type", "fieldName"][: len(fault)])


def test_a_key_that_stands_twice_is_found(dictionary: Dictionary, tmp_path: Path) -> None:
    report = package_with(dictionary, tmp_path, {"nhan-khau": [PERSON, PERSON]})
    assert ["primary-key"] in report.flatten(["type"])
