"""A release covers every file the dictionary is made of: one byte changed in any of them is seen."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from governance_dictionary import BINH, COLOURS, SOURCES, element, write, write_dictionary
from lienthong.adapters import dictionary_folder as disk
from lienthong.clock import FixedClock
from lienthong.dictionary.governance_refusals import ReleaseNotTrue, ReleaseRefused
from lienthong.dictionary.load import load
from lienthong.wiring.releases import release, resolve, verify

CLOCK = FixedClock(datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
PAINT = "codelists/mau-son"
COLOUR = "codelists/mau-xe"
MAPPINGS = "code_mappings/mau.csv"
TABLES = {
    f"{COLOUR}.aliases.csv": "spelling,code,source\ndo,D,own\n",
    f"{COLOUR}.conversion.csv": "old_code,new_code,changed_on,kind,within,source\nX,D,2020-01-01,whole,,own\n",
    f"{COLOUR}.history.csv": "code,label_vi,within,seen_from,seen_to,gone_by,source\n"
    "X,Xanh,,1990-01-01,1991-01-01,1992-01-01,own\n",
    f"{PAINT}.yaml": COLOURS.format(sources=SOURCES, version="1.0.0").replace("mau-xe", "mau-son"),
    f"{PAINT}.csv": "code,label_vi,label_en,valid_from,valid_to,parent,replaced_by,source\n1,Đỏ,,,,,,\n2,Xanh,,,,,,\n",
    MAPPINGS: "list,code,other_list,other_code,relation,source\nmau-xe,D,mau-son,1,exact,own\nmau-xe,X,mau-son,2,exact,own\n",
}
HARMLESS = {  # a change that leaves a valid dictionary, so that only the signature can tell
    f"{COLOUR}.csv": ("Green", "Lime"),
    f"{COLOUR}.aliases.csv": ("do,D", "đo,D"),
    f"{COLOUR}.conversion.csv": ("whole,,own", "whole,,own2"),
    f"{COLOUR}.history.csv": ("1990-01-01", "1990-01-02"),
    MAPPINGS: ("mau-xe,X,mau-son,2", "mau-xe,X,mau-son,1"),
}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path, private = tmp_path / "release.pem", ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.with_suffix(".pub").write_bytes(public)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = write_dictionary(tmp_path / "dictionary")
    for path, text in TABLES.items():
        write(place / path, text)
    return place


def released(folder: Path, key: Path, version: str = "0.2.0") -> Path:
    return release(folder, version=version, key=key, who=BINH, desk=None, clock=CLOCK).path


def problems(path: Path, key: Path) -> str:
    with pytest.raises(ReleaseNotTrue) as refusal:
        verify(path, public_key=key.with_suffix(".pub"))
    return "; ".join(refusal.value.facts["problems"])  # type: ignore[arg-type] # texts


def test_a_release_lists_every_file_there_is_with_its_hash(folder: Path, key: Path):
    parts = {*TABLES, *(path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.parent != folder)}
    value = orjson.loads(released(folder, key).read_bytes())
    listed = {file["path"] for one in value["items"] for file in one["files"]} | {
        file["path"] for file in value["beside"]
    }
    assert listed == parts
    verify(disk.release_file(folder, "0.2.0"), public_key=key.with_suffix(".pub"))


@pytest.mark.parametrize("file", sorted(HARMLESS), ids=lambda file: Path(file).name)
def test_a_valid_change_of_any_table_is_seen(folder: Path, key: Path, file: str):
    path = released(folder, key)
    before, after = HARMLESS[file]
    text = (folder / file).read_text("utf-8")
    assert text.count(before) == 1
    write(folder / file, text.replace(before, after))
    load(folder)
    assert file.partition("/")[2].partition(".")[0] in problems(path, key)


@pytest.mark.parametrize("file", sorted(TABLES), ids=lambda file: Path(file).name)
def test_a_table_that_is_gone_is_seen(folder: Path, key: Path, file: str):
    path = released(folder, key)
    (folder / file).unlink()
    assert Path(file).name.partition(".")[0] in problems(path, key)


def test_a_file_put_away_and_changed_later_is_seen(folder: Path, key: Path):
    path = released(folder, key)
    (kept,) = (folder / "versions").rglob("mau@*.csv")
    kept.write_bytes(kept.read_bytes() + b"\n")
    assert "was changed after it was put away" in problems(path, key)


def test_a_mapping_that_changed_asks_for_a_release_and_leaves_the_one_before_checkable(folder: Path, key: Path):
    first = released(folder, key)
    write(folder / MAPPINGS, TABLES[MAPPINGS].replace("own", "QĐ 1"))
    second = released(folder, key, "0.3.0")
    for path in (first, second):
        verify(path, public_key=key.with_suffix(".pub"))
    assert resolve("0.2.0", folder).digest == load(folder).digest


def test_a_release_of_the_time_before_such_files_is_still_read(folder: Path, key: Path):
    (folder / MAPPINGS).unlink()
    path = released(folder, key)
    assert "beside" not in orjson.loads(path.read_bytes())
    verify(path, public_key=key.with_suffix(".pub"))


def test_a_file_under_a_name_that_no_release_lists_is_not_released(folder: Path, key: Path):
    shutil.copy(folder / MAPPINGS, folder / "code_mappings/bản sao.csv")
    write(folder / MAPPINGS, TABLES[MAPPINGS].splitlines()[0] + "\n")
    with pytest.raises(ReleaseRefused, match="no file of a dictionary"):
        released(folder, key)


def test_a_proposal_is_tried_out_with_the_tables_between_lists(folder: Path):
    text = (folder / f"{PAINT}.csv").read_text("utf-8").replace("2,Xanh", "3,Xanh")
    with pytest.raises(Exception, match="2 is not in mau-son"):
        disk.tried(folder, {f"{PAINT}.csv": text})
    disk.tried(folder, {"elements/tai-san/TenXe.yaml": element()})
