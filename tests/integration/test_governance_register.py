"""Proposals and decisions on a real register and a real folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from governance_dictionary import (
    AN,
    BINH,
    CODES,
    CONFLICT,
    DECISION,
    approved,
    colours,
    domain,
    element,
    write,
    write_dictionary,
)
from lienthong.adapters import dictionary_folder as disk
from lienthong.adapters.postgres import dictionary_drafts
from lienthong.clock import FixedClock
from lienthong.dictionary.changes import Impact
from lienthong.dictionary.codes import periods
from lienthong.dictionary.governance import ItemKey
from lienthong.dictionary.governance_refusals import (
    ApprovedChanged,
    ChangedMeanwhile,
    DraftOpen,
    FolderNotOurs,
    LedgerBroken,
    NothingIsDeleted,
    NothingProposed,
    ProposalNotValid,
    ProposerDecides,
    RegisterUnreachable,
    RestsOnDraft,
    StillInUse,
    TaskUnknown,
    TransitionRefused,
    VersionTooLow,
)
from lienthong.dictionary.load import load
from lienthong.dictionary.model import CodeListId, ElementId, Ref, Status
from lienthong.errors import LienthongError
from lienthong.wiring import governance
from lienthong.wiring.governance import Decision, Desk, Outcome, approve, consult, propose, publish, reject, review

TEN, MAU = ElementId("TenXe"), ElementId("MauXe")


@dataclass(frozen=True)
class Office:
    desk: Desk
    clock: FixedClock
    inbox: Path  # where proposers put their files

    def propose(self, *texts: tuple[str, str], related: bool = False) -> Outcome:
        paths = [write(self.inbox / name, text) for name, text in texts]
        return propose(self.desk, paths, who=AN, reason="bài kiểm tra", with_related=related)

    def consulted(self, *texts: tuple[str, str], related: bool = False) -> str:
        task = str(self.propose(*texts, related=related).task)
        review(self.desk, task, who=BINH)
        consult(self.desk, task, who=BINH, outcome="đồng ý")
        return task

    def element(self, name: ElementId = TEN) -> tuple[str, Status]:
        identity = load(self.desk.folder).elements[name].identity
        return identity.version, identity.status

    def status(self, version: str, name: str = "TenXe") -> Status | None:
        with dictionary_drafts.deciding(self.desk.url, password=None) as register:
            return register.history.status(ItemKey(kind="data-element", id=name), version)


@pytest.fixture
def office(make_database: Callable, tmp_path: Path) -> Office:
    clock = FixedClock(datetime(2026, 3, 1, 3, 0, tzinfo=UTC))
    folder = write_dictionary(tmp_path / "dictionary")
    desk = Desk(url=make_database("governance").url, password=None, folder=folder, clock=clock)
    return Office(desk, clock, tmp_path / "inbox")


@pytest.fixture
def running(office: Office) -> Office:
    """Return an office whose whole dictionary is approved."""
    approved(office.desk, office.desk.folder)
    return office


def named(version: str, label: str = "Tên gọi") -> tuple[str, str]:
    return "TenXe.yaml", element(version=version, label=label)


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_whole_dictionary_is_one_review_task(office: Office):
    outcome = propose(office.desk, [office.desk.folder], who=AN, reason="toàn bộ")
    assert len(outcome.events) == 6
    assert {event.task for event in outcome.events} == {outcome.task}
    assert len(governance.list_tasks(office.desk)) == 1


def test_readers_see_nothing_of_a_draft_until_it_is_approved(office: Office):
    before = tree(office.desk.folder)
    task = office.consulted(named("1.1.0"), related=True)
    assert tree(office.desk.folder) == before
    approve(office.desk, task, who=BINH, decision=DECISION)
    assert office.element() == ("1.1.0", Status.APPROVED)


def test_what_is_published_is_to_the_byte_what_was_reviewed(office: Office):
    task = office.consulted(named("1.1.0"), related=True)
    reviewed = {
        path: text for draft in governance.show_task(office.desk, task).drafts for path, text in draft.paths.items()
    }
    outcome = approve(office.desk, task, who=BINH, decision=DECISION)
    assert set(outcome.published) == set(reviewed)
    assert {path: (office.desk.folder / path).read_text("utf-8") for path in reviewed} == reviewed


def test_the_proposer_cannot_approve(office: Office):
    task = office.consulted(named("1.1.0"), related=True)
    with pytest.raises(ProposerDecides):
        approve(office.desk, task, who=AN, decision=DECISION)
    assert office.status("1.1.0") is Status.CONSULTATION
    assert office.element() == ("1.0.0", Status.PROPOSED)


def test_a_task_is_not_approved_before_review_and_consultation(office: Office):
    task = str(office.propose(named("1.1.0"), related=True).task)
    with pytest.raises(TransitionRefused):
        approve(office.desk, task, who=BINH, decision=DECISION)


def test_a_second_draft_of_an_item_is_refused_and_nothing_of_its_task_is_kept(office: Office):
    office.propose(named("1.1.0"))
    with pytest.raises(DraftOpen):
        office.propose(("vd-ten-xe.yaml", domain(length=60, version="1.1.0")), related=True)
    assert len(governance.list_tasks(office.desk, every=True)) == 1


def test_what_rests_on_something_nobody_approved_is_not_approved(office: Office):
    task = office.consulted(named("1.1.0"))
    with pytest.raises(RestsOnDraft, match="value-domain/vd-ten-xe"):
        approve(office.desk, task, who=BINH, decision=DECISION)
    assert office.status("1.1.0") is Status.CONSULTATION


def test_a_new_version_of_a_domain_takes_along_the_elements_that_name_it(running: Office):
    approved(
        running.desk, write(running.inbox / "vd-ten-xe.yaml", domain(length=60, version="1.1.0")), with_related=True
    )
    one = load(running.desk.folder).elements[TEN]
    assert (one.identity.version, one.value_domain) == ("1.1.0", Ref(id="vd-ten-xe", version="1.1.0"))
    assert running.status("1.0.0") is Status.SUPERSEDED


def test_a_new_version_of_a_domain_alone_is_refused_with_every_place_that_names_the_old_one(running: Office):
    with pytest.raises(ProposalNotValid, match="unknown-version") as refusal:
        running.propose(("vd-ten-xe.yaml", domain(length=60, version="1.1.0")))
    assert "--with-related" in refusal.value.remedy


@pytest.mark.parametrize(
    ("length", "version", "needed"), [(40, "1.9.9", "2.0.0"), (60, "1.0.1", "1.1.0"), (60, "1.0.0", None)]
)
def test_a_version_must_say_how_much_changed(running: Office, length: int, version: str, needed: str | None):
    with pytest.raises((VersionTooLow, ApprovedChanged)) as refusal:
        running.propose(("vd-ten-xe.yaml", domain(length=length, version=version)), related=True)
    assert refusal.value.facts.get("needed") == needed


def test_an_approved_item_word_for_word_is_nothing_to_propose(running: Office):
    with pytest.raises(NothingProposed, match="differs"):
        running.propose(("TenXe.yaml", element()))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (element(version="1.1.0", definition="Nhãn của TenXe"), "definition-is-name"),
        (element(version="1.1.0", definition="Điều mà MauXe nói về một chiếc xe"), "same-definition"),
        (element(version="1.1.0", domain="vd-ten-xe"), "reference-without-version"),
        (element(version="1.1.0", label="Nhãn"), "not-nfc"),
        (element(version="1.1.0", domain="vd-la@1.0.0"), "unknown-reference"),
    ],
)
def test_a_proposal_with_which_the_dictionary_is_not_valid_is_refused(office: Office, text: str, rule: str):
    if rule == "not-nfc":
        from unicodedata import normalize

        text = normalize("NFD", text)
    with pytest.raises(ProposalNotValid, match=rule):
        office.propose(("TenXe.yaml", text))
    assert governance.list_tasks(office.desk, every=True) == ()


def test_a_code_list_that_drops_a_code_is_refused(office: Office):
    kept = "".join(CODES.splitlines(keepends=True)[:2])
    with pytest.raises(NothingIsDeleted, match="code X"):
        office.propose(("mau-xe.csv", kept), ("mau-xe.yaml", colours(version="2.0.0")))


def test_what_another_source_says_is_not_lost_by_a_proposal(office: Office):
    with pytest.raises(NothingIsDeleted, match="max_length of Một nguồn khác"):
        office.propose(("TenXe.yaml", element(version="1.1.0", conflicts="")))
    more = CONFLICT + CONFLICT.partition("\n")[2].replace("'50'", "'150'")
    approved(
        office.desk, write(office.inbox / "TenXe.yaml", element(version="1.1.0", conflicts=more)), with_related=True
    )
    assert [one.value for one in load(office.desk.folder).elements[TEN].conflicts] == ["50", "150"]


def test_an_item_left_out_of_a_folder_is_not_deleted(running: Office, tmp_path: Path):
    part = tmp_path / "part"
    write(part / "elements/tai-san/TenXe.yaml", named("1.1.0")[1])
    approved(running.desk, part)
    assert MAU in load(running.desk.folder).elements


def test_rows_given_for_a_list_are_added_and_the_version_follows(running: Office):
    header = CODES.splitlines(keepends=True)[0]
    rows = write(running.inbox / "mau-xe.csv", header + "V,Vàng,,2026-01-01,,,,\n")
    outcome = propose(running.desk, [rows], who=AN, reason="thêm màu")
    assert [(event.subject) for event in outcome.events] == ["mau-xe@1.1.0"]
    assert [change.impact for change in outcome.changes if change.code] == [Impact.EXTENDING]


def test_a_row_that_ends_a_code_is_breaking_and_keeps_every_period(running: Office):
    header = CODES.splitlines(keepends=True)[0]
    rows = write(
        running.inbox / "mau-xe.csv",
        header + "D,Đỏ,Red,2000-01-01,2026-01-01,,V,\nV,Đỏ cờ,,2026-01-01,,,,\nX,Xanh lá,,2022-01-01,,,,\n",
    )
    approved(running.desk, rows)
    held = load(running.desk.folder).code_lists[CodeListId("mau-xe")]
    assert held.identity.version == "2.0.0"
    assert [(one.valid_from, one.valid_to) for one in periods(held, "X")] == [
        (date(2000, 1, 1), date(2020, 1, 1)),
        (date(2022, 1, 1), None),
    ]


def test_rows_that_overlap_a_period_in_force_are_refused(running: Office):
    header = CODES.splitlines(keepends=True)[0]
    rows = write(running.inbox / "mau-xe.csv", header + "D,Đỏ cờ,,2026-01-01,,,,\n")
    with pytest.raises(ProposalNotValid, match="code D is still in force"):
        propose(running.desk, [rows], who=AN, reason="thử")


def test_a_folder_that_changed_since_the_proposal_is_not_overwritten(office: Office):
    task = office.consulted(named("1.1.0"), related=True)
    write(office.desk.folder / "elements/tai-san/TenXe.yaml", element(label="Sửa tay"))
    with pytest.raises(ChangedMeanwhile):
        approve(office.desk, task, who=BINH, decision=DECISION)
    assert office.element() == ("1.0.0", Status.PROPOSED)


@pytest.mark.parametrize("deed", ["publish", "propose", "approve", "release"])
def test_a_changed_byte_of_an_approved_file_stops_everything(running: Office, deed: str):
    task = running.consulted(("MauXe.yaml", element("MauXe", version="1.0.1", label="Màu")))
    path = running.desk.folder / "elements/tai-san/TenXe.yaml"
    path.write_bytes(path.read_bytes().replace("một chiếc xe".encode(), "hai chiếc xe".encode()))
    deeds = {
        "publish": lambda: publish(running.desk),
        "propose": lambda: running.propose(named("1.1.0")),
        "approve": lambda: approve(running.desk, task, who=BINH, decision=DECISION),
        "release": lambda: governance.decided(running.desk),
    }
    with pytest.raises(ApprovedChanged, match=r"TenXe\.yaml"):
        deeds[deed]()


def test_an_approval_that_is_not_yet_due_is_published_on_its_day(running: Office):
    due = Decision(number="2/QĐ-TEST", effective=date(2026, 7, 1))
    approved(running.desk, write(running.inbox / "TenXe.yaml", named("1.1.0")[1]), decision=due)
    assert running.element() == ("1.0.0", Status.APPROVED)
    running.clock.moment = datetime(2026, 6, 30, 16, 59, tzinfo=UTC)  # a minute before midnight in Vietnam
    assert publish(running.desk) == ()
    running.clock.moment += timedelta(minutes=1)
    assert publish(running.desk) == ("elements/tai-san/TenXe.yaml",)
    assert running.element() == ("1.1.0", Status.APPROVED)


def test_an_approval_cut_off_before_it_was_published_is_finished_by_doing_it_again(
    running: Office, monkeypatch: pytest.MonkeyPatch
):
    task = running.consulted(named("1.1.0"))

    def cut(*_: object) -> None:
        raise FolderNotOurs(reason="no space left")

    monkeypatch.setattr(disk, "replace_files", cut)
    with pytest.raises(FolderNotOurs):
        approve(running.desk, task, who=BINH, decision=DECISION)
    monkeypatch.undo()
    assert running.element() == ("1.0.0", Status.APPROVED)
    again = approve(running.desk, task, who=BINH, decision=DECISION)
    assert (again.events, again.published) == ((), ("elements/tai-san/TenXe.yaml",))
    assert running.element() == ("1.1.0", Status.APPROVED)


def test_every_replaced_version_is_kept(running: Office):
    before = (running.desk.folder / "elements/tai-san/TenXe.yaml").read_bytes()
    approved(running.desk, write(running.inbox / "TenXe.yaml", named("1.1.0")[1]))
    kept = [path.read_bytes() for path in (running.desk.folder / "versions").rglob("TenXe@*.yaml")]
    assert before in kept


def test_an_item_others_rest_on_is_not_retired(running: Office):
    decision = Decision(reason="thừa", number="3/QĐ-TEST", effective=date(2026, 2, 1))
    with pytest.raises(StillInUse, match="data-element/TenXe"):
        governance.retire(running.desk, "vd-ten-xe", who=BINH, decision=decision)
    governance.retire(running.desk, "xe", who=BINH, decision=decision)
    identity = next(iter(load(running.desk.folder).datasets.values())).identity
    assert (identity.status, identity.valid_to, identity.version) == (Status.RETIRED, date(2026, 2, 1), "1.0.0")
    assert publish(running.desk) == ()


def test_a_superseded_item_names_its_successor_even_when_that_moves_on(running: Office):
    decision = Decision(number="4/QĐ-TEST", effective=date(2026, 2, 1))
    governance.supersede(running.desk, "MauXe", by=Ref(id="TenXe", version="1.0.0"), who=BINH, decision=decision)
    one = load(running.desk.folder).elements[MAU].identity
    assert (one.status, one.superseded_by) == (Status.SUPERSEDED, Ref(id="TenXe", version="1.0.0"))
    approved(running.desk, write(running.inbox / "TenXe.yaml", named("1.1.0")[1]))
    assert load(running.desk.folder).elements[MAU].identity.superseded_by == Ref(id="TenXe", version="1.1.0")
    later = Decision(number="5/QĐ-TEST", effective=date(2027, 1, 1))
    approved(running.desk, write(running.inbox / "TenXe.yaml", named("1.2.0", "Khác")[1]), decision=later)
    assert load(running.desk.folder).elements[MAU].identity.superseded_by == Ref(id="TenXe", version="1.1.0")
    assert publish(running.desk) == ()


def test_who_answers_for_an_item_is_asked_when_it_is_decided(running: Office):
    """The owner changes between proposal and approval of a code list: the approval names the new one."""
    path = write(running.inbox / "mau-xe.csv", CODES.splitlines(keepends=True)[0] + "V,Vàng,,2026-01-01,,,,\n")
    number = str(propose(running.desk, [path], who=AN, reason="thêm màu").task)
    approved(running.desk, write(running.inbox / "MauXe.yaml", element("MauXe", version="1.1.0", owner="G09")))
    review(running.desk, number, who=BINH)
    consult(running.desk, number, who=BINH, outcome="đồng ý")
    outcome = approve(running.desk, number, who=BINH, decision=DECISION)
    assert {event.stewards for event in outcome.events if event.after is Status.APPROVED} == {("G09",)}


def test_a_rejected_task_is_out_of_the_way(office: Office):
    office.propose(named("1.1.0"))
    reject(office.desk, "TenXe", who=AN, reason="rút lại")
    assert governance.list_tasks(office.desk) == ()
    office.propose(named("1.1.0", label="Tên khác"))


def test_a_task_that_is_not_there_is_said_so(office: Office):
    for wanted in ("7", "TenXe"):
        with pytest.raises(TaskUnknown):
            review(office.desk, wanted, who=BINH)
    with pytest.raises(TaskUnknown):
        governance.history_of(office.desk, "TenXe")


@pytest.mark.parametrize("path", ["nowhere.yaml", "a.txt", "empty"])
def test_a_path_that_holds_nothing_is_refused(office: Office, path: str):
    place = office.inbox / path
    if path == "a.txt":
        write(place, "x")
    elif path == "empty":
        place.mkdir(parents=True)
    with pytest.raises(NothingProposed):
        propose(office.desk, [place], who=AN, reason="thử")


@pytest.mark.parametrize("status", ["superseded", "retired", "rejected"])
def test_a_status_that_only_a_decision_gives_is_refused(office: Office, status: str):
    text = element(version="1.1.0").replace("status: proposed", f"status: {status}")
    if status == "superseded":
        text = text.replace("technical_name", "superseded_by: MauXe@1.0.0\ntechnical_name")
        text = text.replace("value_domain", "valid_to: 2027-01-01\nvalue_domain")
    with pytest.raises(NothingProposed, match=status):
        office.propose(("TenXe.yaml", text))


@pytest.mark.parametrize("table", ["dictionary_task", "dictionary_draft", "dictionary_event"])
@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM lienthong.{}", "UPDATE lienthong.{} SET agency = 'x'", "TRUNCATE lienthong.{} CASCADE"],
)
def test_not_even_the_owner_of_the_tables_can_rewrite_decisions(office: Office, table: str, statement: str):
    office.propose(named("1.1.0"))
    statement = statement.format(table).replace("agency", "place" if table == "dictionary_draft" else "agency")
    with psycopg.connect(office.desk.url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)
    assert len(governance.list_tasks(office.desk)) == 1


def test_an_event_rewritten_behind_the_triggers_is_seen(office: Office):
    office.propose(named("1.1.0"))
    with psycopg.connect(office.desk.url) as connection:
        connection.execute("ALTER TABLE lienthong.dictionary_event DISABLE TRIGGER dictionary_event_append_only")
        connection.execute("UPDATE lienthong.dictionary_event SET actor = 'Người khác'")
    with pytest.raises(LedgerBroken):
        governance.list_tasks(office.desk)


def test_a_draft_rewritten_behind_the_triggers_is_seen(office: Office):
    task = office.consulted(named("1.1.0"), related=True)
    with psycopg.connect(office.desk.url) as connection:
        connection.execute("ALTER TABLE lienthong.dictionary_draft DISABLE TRIGGER dictionary_draft_append_only")
        connection.execute(
            "UPDATE lienthong.dictionary_draft SET files = replace(files::text, 'Tên gọi', 'Tên xấu')::json"
        )
    with pytest.raises(LedgerBroken):
        approve(office.desk, task, who=BINH, decision=DECISION)


def test_a_reader_role_reads_and_writes_nothing(office: Office, make_database: Callable):
    database = make_database("reading")
    reader = database.role("reader")
    dictionary_drafts.install(database.url, password=None, reader_role=database.user_of(reader))
    with dictionary_drafts.looking(reader, password=None) as register:
        assert register.tasks() == ()
    with pytest.raises(LienthongError), dictionary_drafts.deciding(reader, password=None) as register:
        register.add_task(actor="x", agency=AN.agency, reason="x", diff=[], at=office.clock.now())


def test_a_database_that_does_not_answer_is_said_so(office: Office, tmp_path: Path):
    desk = Desk(url=f"postgresql:///x?host={tmp_path}", password=None, folder=office.desk.folder, clock=office.clock)
    with pytest.raises(RegisterUnreachable):
        governance.list_tasks(desk)
