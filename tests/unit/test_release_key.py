"""With a key in the settings the platform uses what the key's owner signed, or does not start."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.test import Client

from governance_dictionary import BINH, element, write, write_dictionary
from lienthong.adapters import dictionary_folder as disk
from lienthong.adapters.signing import load_verifier
from lienthong.clock import FixedClock
from lienthong.dictionary.governance_refusals import DictionaryNotTrusted, SigningKeyRefused
from lienthong.dictionary.load import load
from lienthong.dictionary.model import ElementId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.plan import load_plan
from lienthong.portal.application import prepare
from lienthong.portal.services import set_services
from lienthong.testing.fakes import fake_services
from lienthong.wiring.releases import in_force, release
from lienthong.wiring.services import read_dictionary
from lienthong.wiring.settings import SettingNotValid, Settings, load_settings

prepare()

PLAN = load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml")
CLOCK = FixedClock(datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
NAME = "elements/tai-san/TenXe.yaml"
SETTINGS = """
dictionary = "dictionary"
dictionary_key = "owner.pub"
[centre.writer]
url = "postgresql://w@/centre"
[centre.reader]
url = "postgresql://r@/centre"
[centre.gateway]
url = "postgresql://g@/centre"
"""


def write_key(path: Path) -> Path:
    private = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.with_suffix(".pub").write_bytes(public)
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return write_key(tmp_path / "owner.pem")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dictionary(tmp_path / "dictionary")


def released(folder: Path, key: Path, version: str = "0.2.0") -> Path:
    return release(folder, version=version, key=key, who=BINH, desk=None, clock=CLOCK).path


def settings(folder: Path) -> Settings:
    path = folder.parent / "lienthong.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return load_settings(path, {})


def refused(folder: Path, key: Path) -> str:
    with pytest.raises(DictionaryNotTrusted) as refusal:
        in_force(folder, public_key=key.with_suffix(".pub"))
    return str(refusal.value)


def test_what_was_signed_is_used(folder: Path, key: Path):
    released(folder, key)
    used = read_dictionary(settings(folder))
    assert (used.digest, used.version) == (load(folder).digest, "0.2.0")


def test_what_is_in_no_release_has_no_effect(folder: Path, key: Path):
    released(folder, key)
    before = load(folder).digest
    disk.replace_files(folder, {NAME: element(label="Tên gọi", version="1.0.1")})
    assert load(folder).digest != before
    assert read_dictionary(settings(folder)).digest == before


def test_the_newest_release_counts(folder: Path, key: Path):
    released(folder, key)
    write(folder / NAME, element(label="Tên gọi", version="1.0.1"))
    released(folder, key, "0.10.0")
    used = read_dictionary(settings(folder))
    assert used.version == "0.10.0"
    assert used.elements[ElementId("TenXe")].label.vi == "Tên gọi"


def test_a_folder_without_releases_is_refused(folder: Path, key: Path):
    assert "no release" in refused(folder, key)


def test_the_signature_of_another_key_is_refused(folder: Path, key: Path, tmp_path: Path):
    released(folder, write_key(tmp_path / "other.pem"))
    told = refused(folder, key)
    assert "another key" in told
    assert load_verifier(key.with_suffix(".pub")).key_id in told


def test_a_missing_signature_is_refused(folder: Path, key: Path):
    released(folder, key).with_suffix(".jws").unlink()
    assert "is missing" in refused(folder, key)


def test_a_changed_list_is_refused_before_it_is_read(folder: Path, key: Path):
    path = released(folder, key)
    path.write_bytes(path.read_bytes().replace(b'"agency": "G01"', b'"agency": "G02"'))
    assert "does not fit" in refused(folder, key)


def test_an_older_release_under_a_greater_name_is_refused(folder: Path, key: Path):
    path = released(folder, key)
    for ending in (".json", ".jws"):
        shutil.copy(path.with_suffix(ending), path.with_name("0.9.0" + ending))
    assert "says 0.2.0" in refused(folder, key)


def test_a_changed_file_is_never_used(folder: Path, key: Path):
    released(folder, key)
    file = folder / NAME
    file.write_text(file.read_text("utf-8").replace("Nhãn", "Nhan"), encoding="utf-8")
    used = in_force(folder, public_key=key.with_suffix(".pub"))
    assert used.elements[ElementId("TenXe")].label.vi.startswith("Nhãn"), "the copy that was put away has the bytes"
    shutil.rmtree(folder / "versions")
    assert "TenXe.yaml is not what was released" in refused(folder, key)


def test_a_key_that_cannot_be_read_is_refused(folder: Path, key: Path):
    released(folder, key)
    key.with_suffix(".pub").unlink()
    with pytest.raises(SigningKeyRefused):
        read_dictionary(settings(folder))


def test_without_a_key_the_folder_is_used_as_it_stands(folder: Path, key: Path):
    path = folder.parent / "plain.toml"
    path.write_text(SETTINGS.replace('dictionary_key = "owner.pub"\n', ""), encoding="utf-8")
    assert read_dictionary(load_settings(path, {})).digest == load(folder).digest


def test_a_key_for_the_shipped_dictionary_is_refused(tmp_path: Path):
    path = tmp_path / "lienthong.toml"
    path.write_text(SETTINGS.replace('dictionary = "dictionary"\n', ""), encoding="utf-8")
    with pytest.raises(SettingNotValid, match="has no releases"):
        load_settings(path, {})


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """The settings a page asks for."""

    dictionary: Path
    dictionary_key: Path | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ServicesOnFolder:
    """Fake services whose dictionary lies in a folder."""

    dictionary: Any
    rule_sets: Any
    mappings: Any
    plan: Any
    reader: Any
    clock: Any
    settings: Place


@pytest.fixture
def shown(folder: Path) -> Iterator[Any]:
    made = fake_services(plan=PLAN)

    def page(public_key: Path | None) -> str:
        given = ServicesOnFolder(
            dictionary=load(folder),
            rule_sets=made.rule_sets,
            mappings=made.mappings,
            plan=made.plan,
            reader=made.reader,
            clock=made.clock,
            settings=Place(dictionary=folder, dictionary_key=public_key),
        )
        set_services(given)  # type: ignore[arg-type] # settings are only asked for folder and key
        html = Client(SERVER_NAME="localhost").get("/tu-dien/phat-hanh/").content.decode()
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))

    yield page
    set_services(made)


def test_the_page_says_that_a_signature_is_right_and_of_which_key(folder: Path, key: Path, shown: Any):
    released(folder, key)
    public = key.with_suffix(".pub")
    words, key_id = shown(public), load_verifier(public).key_id
    assert f"chữ ký đúng, khóa {key_id[:12]}" in words
    assert key_id in words
    assert "chưa kiểm tra" not in words


def test_the_page_says_that_a_signature_is_wrong(folder: Path, key: Path, tmp_path: Path, shown: Any):
    released(folder, write_key(tmp_path / "other.pem"))
    words = shown(key.with_suffix(".pub"))
    assert "chữ ký sai" in words
    assert "chữ ký đúng" not in words


def test_the_page_says_that_nothing_is_checked_without_a_key(folder: Path, key: Path, shown: Any):
    released(folder, key)
    for public in (None, folder / "lost.pub"):
        words = shown(public)
        assert "có chữ ký, chưa kiểm tra" in words
        assert "chữ ký đúng" not in words
