"""The life of a term: every rule refuses its wrong case, and the right way goes through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from unicodedata import normalize

import pytest

from governance_dictionary import event
from lienthong.dictionary.governance import (
    TRANSITIONS,
    History,
    ItemKey,
    StatusEvent,
    advance,
    advance_all,
    chained,
    readable,
    same_person,
)
from lienthong.dictionary.governance_refusals import (
    ApprovedChanged,
    DecisionIncomplete,
    DraftOpen,
    ProposerDecides,
    SuccessorRefused,
    TransitionRefused,
    VersionTooLow,
)
from lienthong.dictionary.model import Ref, Status

KEY = ItemKey(kind="data-element", id="TenXe")
OTHER = ItemKey(kind="data-element", id="MauXe")
STEPS = (Status.PROPOSED, Status.REVIEW, Status.CONSULTATION, Status.APPROVED)


def way(*, version: str = "1.0.0", upto: Status = Status.APPROVED, **more: object) -> list[StatusEvent]:
    """Return the events from proposal up to a status."""
    steps = STEPS[: STEPS.index(upto) + 1]
    befores: Sequence[Status | None] = (None, *steps)
    return [event(step, version=version, before=before, **more) for before, step in zip(befores, steps, strict=False)]


def after(events: Sequence[StatusEvent]) -> History:
    return advance_all(History(), events)


def test_a_term_goes_through_proposal_review_consultation_and_approval():
    history = after(way())
    assert history.status(KEY, "1.0.0") is Status.APPROVED
    assert history.newest_approved(KEY) == "1.0.0"
    assert history.open_draft(KEY) is None


@pytest.mark.parametrize("last", [Status.PROPOSED, Status.REVIEW])
def test_approval_without_review_and_consultation_is_refused(last: Status):
    with pytest.raises(TransitionRefused, match="approval follows review and consultation"):
        advance(after(way(upto=last)), event(Status.APPROVED, before=last))


@pytest.mark.parametrize("start", [None, *Status])
def test_only_the_transitions_of_the_table_are_taken(start: Status | None):
    assert {Status.APPROVED} & TRANSITIONS[start] == ({Status.APPROVED} if start is Status.CONSULTATION else set())


def test_an_event_that_misremembers_where_the_item_stood_is_refused():
    with pytest.raises(TransitionRefused):
        advance(after(way(upto=Status.REVIEW)), event(Status.CONSULTATION, before=Status.PROPOSED))


@pytest.mark.parametrize(
    "name",
    ["Trần An", "trần  an", "TRẦN AN", normalize("NFD", "Trần An"), "TrầnAn"],
    ids=["same", "lower", "upper", "decomposed", "no-blank"],
)
@pytest.mark.parametrize("step", [Status.REVIEW, Status.APPROVED])
def test_the_proposer_neither_reviews_nor_approves_however_the_name_is_spelled(name: str, step: Status):
    before = STEPS[STEPS.index(step) - 1]
    with pytest.raises(ProposerDecides):
        advance(after(way(upto=before)), event(step, before=before, actor=name))


def test_whoever_proposed_a_version_once_may_not_approve_it_when_another_proposes_it_again():
    events = [
        *way(upto=Status.PROPOSED, actor="Lê Bình"),
        event(Status.REJECTED, before=Status.PROPOSED),
        event(Status.PROPOSED, before=Status.REJECTED),
        event(Status.REVIEW, before=Status.PROPOSED, actor="Vũ Chi"),
        event(Status.CONSULTATION, before=Status.REVIEW),
    ]
    with pytest.raises(ProposerDecides):
        advance(after(events), event(Status.APPROVED, before=Status.CONSULTATION, actor="Lê Bình"))


def test_another_person_with_a_like_name_is_another_person():
    assert not same_person("Trần An", "Trần Ân")
    assert same_person("Trần An", normalize("NFD", "Trần An"))


def test_a_rejection_without_a_reason_is_refused():
    with pytest.raises(DecisionIncomplete, match="a reason"):
        advance(after(way(upto=Status.REVIEW)), event(Status.REJECTED, before=Status.REVIEW, reason=None))


def test_a_reason_of_blanks_is_no_reason():
    with pytest.raises(DecisionIncomplete):
        advance(after(way(upto=Status.REVIEW)), event(Status.REJECTED, before=Status.REVIEW, reason="  "))


@pytest.mark.parametrize("missing", ["decision", "effective"])
def test_an_approval_without_number_or_day_is_refused(missing: str):
    with pytest.raises(DecisionIncomplete):
        advance(
            after(way(upto=Status.CONSULTATION)),
            event(Status.APPROVED, before=Status.CONSULTATION, **{missing: None}),
        )


@pytest.mark.parametrize("nobody", ["", " ", "Trần\nAn"])
def test_a_decision_by_nobody_is_refused(nobody: str):
    with pytest.raises(DecisionIncomplete):
        advance(History(), event(Status.PROPOSED, actor=nobody))


@pytest.mark.parametrize("missing", ["successor", "effective"])
def test_superseded_without_successor_or_day_is_refused(missing: str):
    history = after([*way(), *way(key=OTHER)])
    with pytest.raises(DecisionIncomplete):
        advance(history, event(Status.SUPERSEDED, before=Status.APPROVED, **{missing: None}))


def test_a_successor_that_nobody_approved_is_refused():
    with pytest.raises(SuccessorRefused, match="never proposed"):
        advance(after(way()), event(Status.SUPERSEDED, before=Status.APPROVED))
    with pytest.raises(SuccessorRefused, match="it is review"):
        advance(
            after([*way(), *way(key=OTHER, upto=Status.REVIEW)]), event(Status.SUPERSEDED, before=Status.APPROVED)
        )


def test_nothing_succeeds_itself():
    with pytest.raises(SuccessorRefused, match="itself"):
        advance(
            after(way()),
            event(Status.SUPERSEDED, before=Status.APPROVED, successor=Ref(id="TenXe", version="1.0.0")),
        )


def test_succession_in_a_circle_is_refused():
    history = after([*way(), *way(key=OTHER), event(Status.SUPERSEDED, before=Status.APPROVED)])
    back = Ref(id="TenXe", version="1.0.0")
    with pytest.raises(SuccessorRefused, match="circle"):
        advance(history, event(Status.SUPERSEDED, before=Status.APPROVED, key=OTHER, successor=back))


def test_what_is_approved_may_not_be_other_than_what_was_reviewed():
    with pytest.raises(ApprovedChanged):
        advance(
            after(way(upto=Status.CONSULTATION)),
            event(Status.APPROVED, before=Status.CONSULTATION, content_hash="b" * 64),
        )


def test_an_approved_version_proposed_with_other_content_is_refused():
    with pytest.raises(ApprovedChanged):
        advance(after(way()), event(Status.PROPOSED, before=Status.APPROVED, content_hash="b" * 64))


@pytest.mark.parametrize("version", ["1.0.0", "0.9.9"])
def test_a_version_that_is_not_greater_than_the_approved_one_is_refused(version: str):
    before = Status.APPROVED if version == "1.0.0" else None
    with pytest.raises(VersionTooLow, match=r"1\.0\.1"):
        advance(after(way()), event(Status.PROPOSED, version=version, before=before))


@pytest.mark.parametrize("version", ["1.0", "01.0.0", "1.0.0-rc1", "v1.0.0", ""])
def test_a_version_that_is_not_three_numbers_is_refused(version: str):
    with pytest.raises(VersionTooLow):
        advance(History(), event(Status.PROPOSED, version=version))


def test_versions_are_compared_as_numbers():
    history = after(way(version="1.9.0"))
    assert advance(history, event(Status.PROPOSED, version="1.10.0")).open_draft(KEY) is not None


@pytest.mark.parametrize("last", [Status.PROPOSED, Status.REVIEW, Status.CONSULTATION])
def test_a_second_open_draft_of_an_item_is_refused(last: Status):
    with pytest.raises(DraftOpen, match="task 1"):
        advance(after(way(upto=last)), event(Status.PROPOSED, version="2.0.0"))


def test_a_rejected_draft_makes_room_for_another():
    history = after([*way(upto=Status.REVIEW), event(Status.REJECTED, before=Status.REVIEW)])
    assert advance(history, event(Status.PROPOSED, version="2.0.0")).open_draft(KEY) is not None


@pytest.mark.parametrize("ending", [Status.RETIRED, Status.SUPERSEDED])
@pytest.mark.parametrize("next_", list(Status))
def test_what_has_ended_stays_ended_and_cannot_be_deleted(ending: Status, next_: Status):
    history = after([*way(), *way(key=OTHER), event(ending, before=Status.APPROVED)])
    with pytest.raises((TransitionRefused, VersionTooLow)):
        advance(history, event(next_, before=ending))
    assert len(history.of(KEY)) == 5


def test_record_time_does_not_run_back():
    earlier = event(Status.REVIEW, before=Status.PROPOSED, recorded_at=datetime(2026, 2, 28, 23, 59, tzinfo=UTC))
    with pytest.raises(TransitionRefused, match="clock"):
        advance(after(way(upto=Status.PROPOSED)), earlier)


@pytest.mark.parametrize("upto", [Status.PROPOSED, Status.REVIEW, Status.CONSULTATION])
def test_readers_never_see_a_draft(upto: Status):
    assert readable(after(way(upto=upto)), KEY, on=date(2030, 1, 1)) is None
    both = after([*way(), *way(version="2.0.0", upto=upto)])
    standing = readable(both, KEY, on=date(2030, 1, 1))
    assert standing is not None
    assert (standing.version, standing.status) == ("1.0.0", Status.APPROVED)


def test_readers_see_a_version_from_its_day_on_and_the_one_before_until_then():
    new = [*way(version="1.1.0", effective=date(2027, 7, 1))]
    ends = event(
        Status.SUPERSEDED,
        before=Status.APPROVED,
        successor=Ref(id="TenXe", version="1.1.0"),
        effective=date(2027, 7, 1),
    )
    history = after([*way(), *new, ends])

    def version(on: date) -> str:
        standing = readable(history, KEY, on=on)
        assert standing is not None
        return standing.version

    assert version(date(2027, 6, 30)) == "1.0.0"
    assert version(date(2027, 7, 1)) == "1.1.0"


def test_the_two_clocks_are_told_apart():
    """On 2026-03-01 the decision of a week later was not known, though it holds from an earlier day."""
    late = datetime(2026, 3, 8, tzinfo=UTC)
    history = after([*way(), event(Status.RETIRED, before=Status.APPROVED, recorded_at=late)])
    then = readable(history, KEY, on=date(2026, 3, 2), known_at=late - timedelta(days=1))
    now = readable(history, KEY, on=date(2026, 3, 2), known_at=late)
    assert then is not None
    assert now is not None
    assert (then.status, now.status) == (Status.APPROVED, Status.RETIRED)


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("reason", "khác"),
        ("actor", "Người khác"),
        ("effective", date(2026, 3, 2)),
        ("recorded_at", datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC)),
        ("stewards", ("G09",)),
        ("content_hash", "b" * 64),
    ],
)
def test_any_changed_fact_changes_the_chain(fact: str, value: object):
    one = event(Status.APPROVED, before=Status.CONSULTATION)
    other = event(Status.APPROVED, before=Status.CONSULTATION, **{fact: value})
    assert chained("", one) != chained("", other)
    assert chained("x", one) != chained("", one)
