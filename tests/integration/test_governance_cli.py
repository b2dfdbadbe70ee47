"""``lienthong dictionary propose … diff`` on a real register, as an officer types it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from typer.testing import CliRunner, Result

from governance_dictionary import CODES, domain, element, write, write_dictionary
from lienthong.adapters.postgres import access, dictionary_drafts
from lienthong.cli.dictionary import app
from lienthong.dictionary.load import load
from lienthong.errors import LienthongError
from lienthong.wiring import governance
from lienthong.wiring.governance import open_desk
from lienthong.wiring.settings import settings_from_environment

AN = ("--as", "Trần An", "--agency", "G01")
BINH = ("--as", "Lê Bình", "--agency", "G01")
DECISION = ("--decision", "1/QĐ-TEST", "--effective", "2026-01-01")
MAPPING = """\
source: nguon
table: public.xe
dataset: xe
owner: Sở A
columns:
  ten: {element: TenXe, type: text}
  mau: {element: MauXe, type: text}
"""


@dataclass(frozen=True)
class Line:
    home: Path

    @property
    def folder(self) -> Path:
        return self.home / "dictionary"

    def run(self, *arguments: str | Path) -> Result:
        return CliRunner().invoke(app, [str(one) for one in arguments])

    def json(self, *arguments: str | Path) -> dict:
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def refused(self, *arguments: str | Path) -> str:
        result = self.run(*arguments, "--json")
        assert result.exit_code == 1, result.output
        return json.loads(result.stdout)["error"]["code"]

    def approve(self, *paths: str | Path) -> None:
        task = str(self.json("propose", *paths, "--reason", "thử", "--with-related", *AN)["task"])
        self.json("review", task, *BINH)
        self.json("consult", task, "--outcome", "đồng ý", *BINH)
        self.json("approve", task, *DECISION, *BINH)


@pytest.fixture
def line(make_database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    write_dictionary(tmp_path / "dictionary")
    database = make_database("governance")
    gateway = database.role("gateway")
    access.install(database.url, password=None, gateway_role=database.user_of(gateway))
    settings = tmp_path / "lienthong.toml"
    settings.write_text(
        f'dictionary = "dictionary"\n[centre.writer]\nurl = "{database.url}"\n'
        f'[centre.reader]\nurl = "{gateway}"\n[centre.gateway]\nurl = "{gateway}"\n'
    )
    monkeypatch.setenv("LIENTHONG_CONFIG", str(settings))
    return Line(tmp_path)


def write_keys(home: Path) -> tuple[Path, Path]:
    private = ec.generate_private_key(ec.SECP256R1())
    key, public = home / "release.pem", home / "release.pub"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    public.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return key, public


def test_a_term_goes_from_proposal_to_a_verified_release(line: Line):
    line.approve(line.folder)
    key, public = write_keys(line.home)
    made = line.json("release", "--version", "1.0.0", "--key", key, *BINH)
    assert (made["preliminary"], made["items"]) == (False, 6)
    assert line.json("verify", "1.0.0", "--public-key", public)["valid"] is True
    path = line.folder / "elements/tai-san/TenXe.yaml"
    path.write_bytes(path.read_bytes() + b"# x\n")
    assert line.refused("verify", "1.0.0", "--public-key", public) == "DIC-045"
    assert line.refused("publish") == "DIC-033"


def test_the_steps_refuse_with_their_codes(line: Line):
    path = write(line.home / "TenXe.yaml", element(version="1.1.0"))
    task = str(line.json("propose", path, "--reason", "thử", *AN)["task"])
    assert line.refused("propose", path, "--reason", "thử", *AN) == "DIC-034"
    assert line.refused("approve", task, *DECISION, *BINH) == "DIC-030"
    assert line.refused("review", task, *AN) == "DIC-031"
    assert line.refused("reject", task, *BINH) == "DIC-032"
    assert line.refused("review", "99", *BINH) == "DIC-040"


def test_drafts_and_history_show_who_what_and_when(line: Line):
    path = write(line.home / "TenXe.yaml", element(version="1.1.0", label="Tên gọi"))
    line.json("propose", path, "--reason", "rõ hơn", *AN)
    assert "TenXe@1.1.0" in line.run("drafts").stdout
    one = line.json("drafts", "TenXe")
    assert (one["status"], one["actor"], [each["descriptor"] for each in one["changes"]]) == (
        "proposed",
        "Trần An",
        ["label"],
    )
    line.json("reject", "TenXe", "--reason", "chưa rõ", *BINH)
    told = line.json("history", "TenXe")
    assert [each["after"] for each in told] == ["proposed", "rejected"]
    assert "chưa rõ" in line.run("history", "TenXe").stdout
    assert line.json("drafts") == []
    assert len(line.json("drafts", "--all")) == 1


def test_the_file_of_a_decision_is_kept_as_a_hash(line: Line):
    task = str(line.json("propose", line.folder, "--reason", "thử", *AN)["task"])
    line.json("review", task, *BINH)
    line.json("consult", task, "--outcome", "đồng ý", *BINH)
    scan = write(line.home / "quyet-dinh.pdf", "x")
    done = line.json("approve", task, *DECISION, "--decision-file", scan, *BINH)
    assert {event["decision_sha256"] for event in done["events"]} == {
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    }


def test_diff_says_what_breaks_for_whom(line: Line):
    from datetime import date

    from lienthong.dictionary.model import DatasetId
    from lienthong.exchange.grants import Grant

    settings = settings_from_environment()
    grant = Grant(
        agency="G09",
        dataset=DatasetId("xe"),
        elements=frozenset({"ten_xe"}),
        purpose="xác minh",
        legal_basis="Nghị quyết 214/NQ-CP",
        valid_from=date(2020, 1, 1),
        valid_to=date(2090, 1, 1),
    )
    access.issue(settings.centre.url, password=None, random=bytes(32), grant=grant)
    key, _ = write_keys(line.home)
    line.json("release", "--version", "0.2.0", "--key", key, *BINH)
    line.approve(line.folder)
    line.approve(write(line.home / "vd-ten-xe.yaml", domain(length=10, version="2.0.0")))
    mapping = write(line.home / "xe.yaml", MAPPING)
    told = line.json("diff", "0.2.0", "--mappings", mapping)
    assert told["impact"] == "breaking"
    assert {(one["what"], one["who"], one["element"]) for one in told["breaks"]} == {
        ("mapping", "Sở A", "TenXe"),
        ("grant", "G09", "TenXe"),
    }
    assert told["columns"] == []
    shown = line.run("diff", "0.2.0", "--mappings", mapping, "--exit-code")
    assert shown.exit_code == 3
    assert "What breaks for whom" in shown.stdout


def test_diff_of_two_folders_needs_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LIENTHONG_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    one, other = write_dictionary(tmp_path / "one"), write_dictionary(tmp_path / "other")
    write(other / "domains/vd-ten-xe.yaml", domain(length=60))
    told = json.loads(CliRunner().invoke(app, ["diff", str(one), str(other), "--json"]).stdout)
    assert [(each["descriptor"], each["impact"]) for each in told["changes"]] == [("max_length", "extending")]
    assert CliRunner().invoke(app, ["diff", str(one), "9.9.9", "--json"]).exit_code == 1


def test_the_shipped_dictionary_is_never_written(line: Line):
    settings = line.home / "lienthong.toml"
    settings.write_text(settings.read_text().replace('dictionary = "dictionary"\n', ""))
    assert line.refused("publish") == "DIC-042"
    key, _ = write_keys(line.home)
    assert line.refused("release", "--version", "0.2.0", "--key", key, *BINH) == "DIC-042"


def test_of_two_proposals_of_one_item_at_the_same_moment_one_is_taken(line: Line):
    desk = open_desk(settings_from_environment())
    dictionary_drafts.install(desk.url, password=desk.password)
    paths = [
        write(line.home / str(number) / "TenXe.yaml", element(version="1.1.0", label=f"Tên {number}"))
        for number in range(4)
    ]

    def attempt(path: Path) -> str:
        try:
            governance.propose(desk, [path], who=governance.Who(actor="Trần An", agency="G01"), reason="thử")
        except LienthongError as error:
            return error.code
        return "taken"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, paths))
    assert outcomes == ["DIC-034", "DIC-034", "DIC-034", "taken"]
    assert len(governance.list_tasks(desk)) == 1


def test_rows_of_codes_are_proposed_as_a_table(line: Line):
    rows = write(line.home / "mau-xe.csv", CODES.splitlines(keepends=True)[0] + "V,Vàng,,2026-01-01,,,,\n")
    line.approve(rows)
    (held,) = load(line.folder).code_lists.values()
    assert [code.code for code in held.codes] == ["D", "X", "V"]
    assert held.identity.version == "1.1.0"
