"""Laws of governance: no sequence of events, no damaged byte and no merging of codes gets round the rules."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from governance_dictionary import BINH, event, write_dictionary
from lienthong.clock import FixedClock
from lienthong.dictionary.governance import (
    OPEN,
    History,
    ItemKey,
    StatusEvent,
    advance,
    readable,
    same_person,
    version_key,
)
from lienthong.dictionary.governance_refusals import ProposalNotValid, ReleaseNotTrue
from lienthong.dictionary.model import Code, Ref, Status, Text
from lienthong.dictionary.proposals import merge_codes
from lienthong.errors import LienthongError
from lienthong.wiring.releases import release, verify

KEYS = tuple(ItemKey(kind="data-element", id=name) for name in ("TenXe", "MauXe"))
VERSIONS = ("1.0.0", "1.1.0", "2.0.0")
PEOPLE = ("An", "Bình", "Chi", "Dung", "an ")

events = st.builds(
    event,
    st.sampled_from(Status),
    key=st.sampled_from(KEYS),
    version=st.sampled_from(VERSIONS),
    before=st.none() | st.sampled_from(Status),
    actor=st.sampled_from(PEOPLE).map(str.strip),
    content_hash=st.sampled_from(("a" * 64, "b" * 64)),
    reason=st.none() | st.just("lý do"),
    decision=st.none() | st.just("1/QĐ"),
    effective=st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    successor=st.none() | st.builds(Ref, id=st.sampled_from(["TenXe", "MauXe"]), version=st.sampled_from(VERSIONS)),
)


def told_rightly(history: History, one: StatusEvent) -> StatusEvent:
    """Return the event with the status the item really stood at: else hardly any would be let in."""
    return replace(one, before=history.status(one.key, one.version))


def after(sequence: list[StatusEvent]) -> tuple[History, int]:
    history, taken = History(), 0
    for one in sequence:
        try:
            history = advance(history, told_rightly(history, one))
            taken += 1
        except LienthongError:
            continue
    return history, taken


WAY = (Status.PROPOSED, Status.REVIEW, Status.CONSULTATION, Status.APPROVED)
PARTS = (WAY, WAY, WAY, WAY[:2], (Status.PROPOSED, Status.REJECTED), (Status.SUPERSEDED,), (Status.RETIRED,))


def part(one: StatusEvent, steps: tuple[Status, ...], people: list[str], day: date) -> list[StatusEvent]:
    """Return one version's steps in order, by anybody, complete in form."""
    return [
        replace(
            one,
            after=step,
            actor=actor.strip(),
            reason="lý do",
            decision="1/QĐ",
            effective=day,
            successor=one.successor or Ref(id="MauXe", version="1.0.0"),
        )
        for step, actor in zip(steps, people, strict=False)
    ]


parts = st.builds(
    part,
    events,
    st.sampled_from(PARTS),
    st.lists(st.sampled_from(PEOPLE), min_size=4, max_size=4),
    st.dates(date(2026, 1, 1), date(2026, 12, 31)),
)


def steered() -> st.SearchStrategy[list[StatusEvent]]:
    """Return sequences of which some go far: steps in order, mixed with single events of any kind."""
    mixed = st.lists(parts | parts | parts | events.map(lambda one: [one]), min_size=3, max_size=12)
    return mixed.map(lambda groups: [one for group in groups for one in group])


@pytest.mark.parametrize("status", [Status.APPROVED, Status.RETIRED, Status.REJECTED])
def test_the_sequences_go_far_enough_to_try_the_rules(status: Status):
    def reaches(sequence: list[StatusEvent]) -> bool:
        return any(one.after is status for own in after(sequence)[0].by_item.values() for one in own)

    assert reaches(
        find(
            steered(),
            reaches,
            settings=settings(max_examples=3_000, database=None, deadline=None, phases=[Phase.generate]),
        )
    )


@settings(deadline=None)
@given(steered())
def test_nothing_is_ever_approved_by_its_proposer_or_without_review_and_consultation(sequence: list[StatusEvent]):
    history, _ = after(sequence)
    for own in history.by_item.values():
        for place, one in enumerate(own):
            if one.after is not Status.APPROVED:
                continue
            earlier = [each for each in own[:place] if each.version == one.version]
            proposers = [each.actor for each in earlier if each.after is Status.PROPOSED]
            assert proposers
            assert not any(same_person(one.actor, proposer) for proposer in proposers)
            assert [each.after for each in earlier[-3:]] == [Status.PROPOSED, Status.REVIEW, Status.CONSULTATION]


@settings(deadline=None)
@given(steered())
def test_the_hash_of_an_approved_version_never_changes(sequence: list[StatusEvent]):
    history, seen = History(), dict[tuple[ItemKey, str], str]()
    for one in sequence:
        try:
            history = advance(history, told_rightly(history, one))
        except LienthongError:
            continue
        for key in history.by_item:
            for version in VERSIONS:
                approval = history.approval(key, version)
                if approval is not None:
                    assert seen.setdefault((key, version), approval.content_hash) == approval.content_hash
                    last = history.of_version(key, version)[-1]
                    assert last.content_hash == approval.content_hash


@settings(deadline=None)
@given(steered())
def test_an_item_has_at_most_one_open_draft_and_versions_only_rise(sequence: list[StatusEvent]):
    history, _ = after(sequence)
    for key, own in history.by_item.items():
        standing = {one.version: one.after for one in own}
        assert sum(status in OPEN for status in standing.values()) <= 1
        approvals = [version_key(one.version) for one in own if one.after is Status.APPROVED]
        assert approvals == sorted(set(approvals))
        assert history.open_draft(key) is None or standing[history.open_draft(key).version] in OPEN


@settings(deadline=None)
@given(steered(), st.dates(date(2025, 1, 1), date(2028, 1, 1)))
def test_readers_are_only_ever_told_what_was_approved_and_holds_that_day(sequence: list[StatusEvent], on: date):
    history, _ = after(sequence)
    for key in history.by_item:
        standing = readable(history, key, on=on)
        if standing is not None:
            assert standing.status not in OPEN
            assert standing.approval.after is Status.APPROVED
            assert standing.approval.effective <= on


@settings(deadline=None)
@given(st.lists(events, max_size=12))
def test_a_refused_event_leaves_the_history_as_it_was(sequence: list[StatusEvent]):
    history = History()
    for one in sequence:
        before = dict(history.by_item)
        try:
            grown = advance(history, one)
        except LienthongError:
            assert dict(history.by_item) == before
        else:
            assert grown.of(one.key)[:-1] == history.of(one.key)
            history = grown


def code(draw_days: tuple[int, int | None], name: str) -> Code:
    first, length = draw_days
    since = date(2000, 1, 1) + timedelta(days=first)
    until = None if length is None else since + timedelta(days=length)
    return Code(code=name, label=Text(vi="Nhãn"), valid_from=since, valid_to=until)


codes = st.builds(code, st.tuples(st.integers(0, 50), st.none() | st.integers(1, 30)), st.sampled_from(["A", "B"]))


def overlap(some: tuple[Code, ...]) -> bool:
    ordered = sorted(some, key=lambda one: (one.code, one.valid_from))
    return any(
        one.code == other.code and (one.valid_to is None or other.valid_from < one.valid_to)
        for one, other in pairwise(ordered)
    )


@settings(deadline=None)
@given(st.lists(st.lists(codes, max_size=4), max_size=6))
def test_periods_of_a_code_never_overlap_however_proposals_are_merged(proposals: list[list[Code]]):
    held: tuple[Code, ...] = ()
    for additions in proposals:
        try:
            merged = merge_codes(held, additions)
        except ProposalNotValid:
            continue
        assert not overlap(merged)
        assert {(one.code, one.valid_from) for one in held} <= {(one.code, one.valid_from) for one in merged}
        held = merged


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a release and the public key it was signed for."""
    home = tmp_path_factory.mktemp("signed")
    folder = write_dictionary(home / "dictionary")
    private = ec.generate_private_key(ec.SECP256R1())
    key = home / "key.pem"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    public = home / "key.pub"
    public.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    clock = FixedClock(datetime(2026, 11, 23, tzinfo=UTC))
    made = release(folder, version="0.2.0", key=key, who=BINH, desk=None, clock=clock)
    shutil.rmtree(folder / "versions")  # as somebody receives it who fetches a release alone
    verify(made.path, public_key=public)
    return made.path, public


@settings(deadline=None)
@given(st.data())
def test_any_flipped_bit_of_a_release_is_seen(signed: tuple[Path, Path], data: st.DataObject):
    path, public = signed
    folder = path.parent.parent
    files = sorted(one for one in folder.rglob("*") if one.is_file() and one.name != "release.yaml")
    file = data.draw(st.sampled_from(files), label="file")
    good = file.read_bytes()
    place = data.draw(st.integers(0, len(good) - 1), label="byte")
    bad = bytearray(good)
    bad[place] ^= 1 << data.draw(st.integers(0, 7), label="bit")
    file.write_bytes(bytes(bad))
    try:
        with pytest.raises(ReleaseNotTrue):
            verify(path, public_key=public)
    finally:
        file.write_bytes(good)
