"""A release is signed, chained and checked to the byte."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from governance_dictionary import BINH, domain, element, write, write_dictionary
from lienthong.adapters import dictionary_folder as disk
from lienthong.adapters.signing import load_signer, load_verifier
from lienthong.clock import FixedClock
from lienthong.dictionary.governance_refusals import (
    FolderNotOurs,
    ReleaseNotTrue,
    ReleaseRefused,
    ReleaseUnknown,
    SigningKeyRefused,
)
from lienthong.dictionary.load import load
from lienthong.dictionary.release import seal, seal_problem
from lienthong.wiring.releases import release, release_path, resolve, verify

CLOCK = FixedClock(datetime(2026, 11, 23, 7, 0, tzinfo=UTC))


def write_key(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None) -> Path:
    key = key or ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.with_suffix(".pub").write_bytes(public)
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return write_key(tmp_path / "release.pem")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dictionary(tmp_path / "dictionary")


def released(folder: Path, key: Path, version: str = "0.2.0") -> Path:
    return release(folder, version=version, key=key, who=BINH, desk=None, clock=CLOCK).path


def check(path: Path, key: Path) -> None:
    verify(path, public_key=key.with_suffix(".pub"))


def problems(path: Path, key: Path) -> str:
    with pytest.raises(ReleaseNotTrue) as refusal:
        check(path, key)
    return "; ".join(refusal.value.facts["problems"])  # type: ignore[arg-type] # texts


def renamed(folder: Path) -> None:
    write(folder / "elements/tai-san/TenXe.yaml", element(label="Tên gọi của xe", version="1.0.1"))


def shortened(folder: Path) -> None:
    write(folder / "domains/vd-ten-xe.yaml", domain(length=10, version="2.0.0"))
    write(folder / "elements/tai-san/TenXe.yaml", element(domain="vd-ten-xe@2.0.0", version="2.0.0"))


def test_a_release_lists_every_item_in_order_with_version_and_hash(folder: Path, key: Path):
    value = orjson.loads(released(folder, key).read_bytes())
    names = [(one["kind"], one["id"]) for one in value["items"]]
    assert names == sorted(names)
    assert len(names) == 6
    assert all(len(one["hash"]) == 64 and one["version"] == "1.0.0" for one in value["items"])
    assert value["digest"] == load(folder).digest
    assert value["previous"] is None


def test_a_release_is_valid_and_gives_the_dictionary_its_version(folder: Path, key: Path):
    check(released(folder, key), key)
    assert load(folder).version == "0.2.0"


def test_a_preliminary_release_says_that_nobody_approved(folder: Path, key: Path):
    value = orjson.loads(released(folder, key).read_bytes())
    assert value["preliminary"] is True
    assert {one["status"] for one in value["items"]} == {"proposed"}


def test_a_real_release_refuses_what_nobody_approved(folder: Path, key: Path):
    with pytest.raises(ReleaseRefused, match="a draft"):
        released(folder, key, "1.0.0")
    assert disk.released_versions(folder) == []


@pytest.mark.parametrize("status", ["review", "consultation", "rejected"])
def test_a_release_refuses_a_draft_in_the_folder(folder: Path, key: Path, status: str):
    write(folder / "elements/tai-san/TenXe.yaml", element().replace("status: proposed", f"status: {status}"))
    with pytest.raises(ReleaseRefused, match=f"data-element/TenXe is {status}"):
        released(folder, key)


def test_a_release_refuses_an_item_that_only_claims_to_be_approved(folder: Path, key: Path):
    write(folder / "elements/tai-san/TenXe.yaml", element().replace("status: proposed", "status: approved"))
    with pytest.raises(ReleaseRefused, match="the register of decisions holds nothing"):
        released(folder, key)


@pytest.mark.parametrize("version", ["0.2.0", "0.1.9", "0.0.1"])
def test_a_version_that_is_not_greater_is_refused_and_the_release_stays(folder: Path, key: Path, version: str):
    before = released(folder, key).read_bytes()
    renamed(folder)
    with pytest.raises(ReleaseRefused, match="released already"):
        released(folder, key, version)
    assert disk.release_file(folder, "0.2.0").read_bytes() == before


def test_a_release_in_which_nothing_changed_is_refused(folder: Path, key: Path):
    released(folder, key)
    with pytest.raises(ReleaseRefused, match="nothing changed"):
        released(folder, key, "0.3.0")


def test_breaking_changes_ask_for_a_greater_version(folder: Path, key: Path):
    released(folder, key)
    shortened(folder)
    with pytest.raises(ReleaseRefused, match=r"breaking and need at least 0\.3\.0"):
        released(folder, key, "0.2.1")
    released(folder, key, "0.3.0")


def test_releases_make_a_chain(folder: Path, key: Path):
    first = released(folder, key)
    renamed(folder)
    second = released(folder, key, "0.3.0")
    check(first, key)
    check(second, key)
    first.write_bytes(first.read_bytes() + b" ")
    assert "is not the one it follows" in problems(second, key)
    first.unlink()
    assert "is missing" in problems(second, key)


def test_an_item_released_once_is_not_released_again_with_other_content(folder: Path, key: Path):
    path = released(folder, key)
    write(folder / "elements/tai-san/TenXe.yaml", element(label="Tên gọi của xe"))
    with pytest.raises(ReleaseRefused, match=r"TenXe was released as 1\.0\.0 with other content"):
        released(folder, key, "0.3.0")
    assert "TenXe@1.0.0 has changed since under the same version" in problems(path, key)


def test_replaced_files_are_kept_so_that_old_releases_stay_checkable(folder: Path, key: Path):
    first = released(folder, key)
    before = load(folder).digest
    disk.replace_files(folder, {"elements/tai-san/TenXe.yaml": element(label="Tên gọi", version="1.0.1")})
    check(first, key)
    assert resolve("0.2.0", folder).digest == before
    assert resolve(str(folder), folder).digest != before


def test_a_file_put_away_and_changed_later_is_seen(folder: Path, key: Path):
    first = released(folder, key)
    renamed(folder)
    (kept,) = (folder / "versions").rglob("TenXe@*.yaml")
    kept.write_bytes(kept.read_bytes() + b"# x\n")
    assert "TenXe" in problems(first, key)


def test_a_comment_added_to_a_released_file_is_seen(folder: Path, key: Path):
    path = released(folder, key)
    file = folder / "elements/tai-san/TenXe.yaml"
    file.write_bytes(b"# nobody decided this\n" + file.read_bytes())
    assert problems(path, key) == "elements/tai-san/TenXe.yaml is not what was released"


def test_a_file_that_is_gone_is_seen(folder: Path, key: Path):
    path = released(folder, key)
    (folder / "codelists/mau-xe.csv").unlink()
    assert "mau-xe.csv is missing" in problems(path, key)


def test_a_release_under_another_name_is_seen(folder: Path, key: Path):
    path = released(folder, key)
    for ending in (".json", ".jws"):
        shutil.copy(path.with_suffix(ending), path.with_name("0.9.0" + ending))
    assert "says 0.2.0" in problems(path.with_name("0.9.0.json"), key)


def test_another_key_does_not_verify(folder: Path, key: Path, tmp_path: Path):
    path = released(folder, key)
    assert "another key" in problems(path, write_key(tmp_path / "other.pem"))


def test_a_missing_signature_is_seen(folder: Path, key: Path):
    path = released(folder, key)
    path.with_suffix(".jws").unlink()
    assert "missing" in problems(path, key)


def test_the_signature_is_a_detached_es256_jws_over_the_file(folder: Path, key: Path):
    import base64

    path = released(folder, key)
    header, payload, signature = path.with_suffix(".jws").read_text("ascii").strip().split(".")
    assert payload == ""
    assert orjson.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "ES256"
    assert len(base64.urlsafe_b64decode(signature + "==")) == 64


def test_idle_bits_of_the_signature_are_refused(key: Path):
    content = b"{}"
    signer, verifier = load_signer(key), load_verifier(key.with_suffix(".pub"))
    jws = seal(content, signer)
    assert seal_problem(content, jws, verifier) is None
    last = jws[-2]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for sign in alphabet.replace(last, ""):
        assert seal_problem(content, jws[:-2] + sign + "\n", verifier) is not None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o700, 0o660])
def test_a_key_that_others_may_use_is_refused(key: Path, mode: int):
    key.chmod(mode)
    with pytest.raises(SigningKeyRefused, match="mode"):
        load_signer(key)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_another_account_is_refused(key: Path):
    os.chown(key, 12_345, 12_345)
    with pytest.raises(SigningKeyRefused, match="another account"):
        load_signer(key)


def test_keys_of_other_kinds_are_refused(tmp_path: Path):
    other = write_key(tmp_path / "rsa.pem", rsa.generate_private_key(public_exponent=65_537, key_size=2_048))
    wide = write_key(tmp_path / "wide.pem", ec.generate_private_key(ec.SECP384R1()))
    for path in (other, wide):
        with pytest.raises(SigningKeyRefused, match="P-256"):
            load_signer(path)
        with pytest.raises(SigningKeyRefused, match="P-256"):
            load_verifier(path.with_suffix(".pub"))


def test_a_key_with_a_passphrase_or_of_nonsense_is_refused(tmp_path: Path, key: Path):
    locked = tmp_path / "locked.pem"
    private = ec.generate_private_key(ec.SECP256R1())
    locked.write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a passphrase"))
    )
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_bytes(b"nonsense")
    for path in (locked, nonsense, tmp_path / "missing.pem"):
        if path.exists():
            path.chmod(0o600)
        with pytest.raises(SigningKeyRefused):
            load_signer(path)
    with pytest.raises(SigningKeyRefused):
        load_verifier(key)  # a private key is not a public one


def test_a_release_that_is_not_there_is_said_so(folder: Path):
    for wanted in ("9.9.9", "nowhere.json", str(folder)):
        with pytest.raises(ReleaseUnknown):
            release_path(wanted, folder)


def test_files_are_replaced_all_or_none_when_a_write_fails(folder: Path, monkeypatch: pytest.MonkeyPatch):
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    real, calls = disk._write, []

    def full(path: Path, content: bytes) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(disk, "_write", full)
    with pytest.raises(FolderNotOurs, match="nothing was changed"):
        disk.replace_files(
            folder, {"domains/vd-ten-xe.yaml": domain(length=1), "elements/tai-san/TenXe.yaml": element()}
        )
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


@pytest.mark.parametrize("put", [0, 1, 2])
def test_a_replacement_cut_off_after_the_plan_is_finished_by_the_next_writer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, put: int
):
    files = {"domains/vd-ten-xe.yaml": domain(length=60), "elements/tai-san/TenXe.yaml": element(owner="G09")}
    real, calls = disk.keep, []

    class Killed(BaseException):
        pass

    def cut(place: Path, path: str) -> None:
        if len(calls) == put:
            raise Killed
        calls.append(path)
        real(place, path)

    monkeypatch.setattr(disk, "keep", cut)
    if put < len(files):
        with pytest.raises(Killed):
            disk.replace_files(folder, files)
    else:
        disk.replace_files(folder, files)
    monkeypatch.setattr(disk, "keep", real)
    with disk.writing(folder):
        assert {name: (folder / name).read_text("utf-8") for name in files} == files
    assert not (folder / disk.STAGE).exists()


def test_a_replacement_cut_off_before_the_plan_is_taken_back(folder: Path):
    stage = folder / disk.STAGE
    stage.mkdir()
    (stage / "0.new").write_text("half", encoding="utf-8")
    before = load(folder).digest
    with disk.writing(folder):
        assert load(folder).digest == before
    assert not stage.exists()


def test_two_writers_of_one_folder_exclude_each_other(folder: Path):
    with disk.writing(folder), pytest.raises(FolderNotOurs, match="another command"), disk.writing(folder):
        pass
