"""The centre as of a moment (tra cứu theo thời điểm): what may be asked, and what an answer says about itself.

Two clocks. *Valid time* is the source's: from which commit to which commit the agency held a version. *Record time*
is the centre's: from when on it knew. Asked for a moment alone, the answer is what is known today about then; asked
with ``known_at`` too, it is what the centre would have answered at that time, before later corrections arrived.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Protocol

from lienthong.centre.reading import LookupOutcome, RecordFinding, StoredRecord
from lienthong.centre.time_travel_refusals import (
    ElementWithoutCodes,
    MomentInFuture,
    MomentNotValid,
    MomentWithoutZone,
)
from lienthong.dictionary.model import CodeList, Dataset, DatasetId, Dictionary, ElementId

VIETNAM = timezone(timedelta(hours=7))
MOMENT_CHARACTERS_MAX = 40


class Knowledge(enum.Enum):
    """How much the centre knows about a moment."""

    KNOWN = "known"
    PARTLY = "partly"  # some sources of the dataset were connected later
    NOT_KNOWN = "not-known"  # before the first snapshot: chưa xác định, which is not the same as empty


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceKnown:
    """From when to when a source of a dataset is known."""

    source: str
    known_from: datetime | None  # the moment of its first whole reading; None: that has not ended yet
    read_until: datetime | None  # what it committed before is here; None: not known


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordVersion:
    """One version of a record, and how long it was valid."""

    record: StoredRecord  # its findings are the failed rules of its verdict, without what was observed
    valid_from: datetime
    valid_to: datetime | None  # not included; None: still valid, as far as was known
    ended_by: str | None
    ended_at: datetime | None  # when the centre learned of the end


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordAsOf:
    """The record with a business key as of a moment; ``outcome`` is None where it is not known."""

    dataset: DatasetId
    moment: datetime
    known_at: datetime | None
    knowledge: Knowledge
    sources: tuple[SourceKnown, ...]
    outcome: LookupOutcome | None
    versions: tuple[RecordVersion, ...] = ()  # one when FOUND, several when DISPUTED, none otherwise
    reasons: tuple[RecordFinding, ...] = ()  # why it is INCOMPLETE


@dataclass(frozen=True, kw_only=True, slots=True)
class CountAsOf:
    """How many records a dataset had at a moment; ``rows`` is None where that is not known."""

    dataset: DatasetId
    moment: datetime
    known_at: datetime | None
    knowledge: Knowledge
    sources: tuple[SourceKnown, ...]
    rows: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeTally:
    """How values of a coded element stood against their list."""

    in_force: int
    not_in_force: int  # in the list, with another period
    not_listed: int
    missing: int  # records without a value


@dataclass(frozen=True, kw_only=True, slots=True)
class ConformanceAsOf:
    """How many values of a coded element were in force in their list on a day; None where that is not known."""

    dataset: DatasetId
    element: ElementId
    code_list: str
    list_version: str
    moment: datetime
    day: date  # of the moment, in Vietnam
    known_at: datetime | None
    knowledge: Knowledge
    sources: tuple[SourceKnown, ...]
    tally: CodeTally | None


class CentreHistoryReader(Protocol):
    """Answer questions about the past; every moment has a time zone."""

    def record_as_of(
        self, dataset: DatasetId, key: Sequence[str], moment: datetime, known_at: datetime | None = None
    ) -> RecordAsOf:
        """Return the record with this business key as of a moment."""
        ...

    def versions(self, dataset: DatasetId, record_id: str) -> tuple[RecordVersion, ...]:
        """Return every version of a record, oldest first."""
        ...

    def count_as_of(self, dataset: DatasetId, moment: datetime, known_at: datetime | None = None) -> CountAsOf:
        """Return how many records a dataset had at a moment."""
        ...

    def conformance_as_of(
        self, dataset: DatasetId, element: ElementId, moment: datetime, known_at: datetime | None = None
    ) -> ConformanceAsOf:
        """Return how many values of a coded element were in force in their list on the day of a moment."""
        ...


def parse_moment(text: str, *, name: str) -> datetime:
    """Return the moment a text names, in UTC.

    Raises:
        MomentNotValid: it is none.
        MomentWithoutZone: it has no time zone.
    """
    try:
        found = datetime.fromisoformat(text.strip()) if len(text) <= MOMENT_CHARACTERS_MAX else None
    except ValueError as cause:
        raise MomentNotValid(name=name) from cause
    if found is None:
        raise MomentNotValid(name=name)
    return require_zone(found, name=name)


def require_zone(moment: datetime, *, name: str = "moment") -> datetime:
    """Return a moment in UTC.

    Raises:
        MomentWithoutZone: it has no time zone.
        MomentNotValid: it is outside the calendar.
    """
    if moment.utcoffset() is None:
        raise MomentWithoutZone(moment=moment.isoformat(), vietnam=moment.replace(tzinfo=VIETNAM).isoformat())
    try:
        return moment.astimezone(UTC)
    except OverflowError as cause:
        raise MomentNotValid(name=name) from cause


def require_past(moment: datetime, *, now: datetime) -> datetime:
    """Return a moment that has come.

    Raises:
        MomentInFuture: it has not.
    """
    if moment > now:
        raise MomentInFuture(moment=moment.isoformat(), now=now.isoformat(timespec="seconds"))
    return moment


def knowledge_of(sources: Sequence[SourceKnown], moment: datetime) -> Knowledge:
    """Return how much is known about a moment."""
    known = [each.known_from is not None and each.known_from <= moment for each in sources]
    if not any(known):
        return Knowledge.NOT_KNOWN
    return Knowledge.KNOWN if all(known) else Knowledge.PARTLY


def coded_element(dictionary: Dictionary, dataset: Dataset, name: str) -> tuple[ElementId, CodeList]:
    """Return a coded element of a dataset by its code or its technical name, and its list.

    Raises:
        ElementWithoutCodes: the dataset has no such element, or it has no list of codes.
    """
    lists: dict[ElementId, CodeList] = {}
    for member in dataset.members:
        code_list = dictionary.code_list_of(member.element)
        if code_list is not None and code_list.codes:
            lists[member.element] = code_list
    for element, code_list in lists.items():
        if name in {element, dictionary.elements[element].technical_name}:
            return element, code_list
    raise ElementWithoutCodes(element=name, dataset=dataset.identity.id, known=", ".join(sorted(lists)) or "none")


def day_in_vietnam(moment: datetime) -> date:
    """Return the day on which a moment falls in Vietnam; codes are in force by days there."""
    return moment.astimezone(VIETNAM).date()


def codes_on(code_list: CodeList, day: date) -> dict[str, bool]:
    """Return every code of a list and whether it was in force on a day, in any of its periods."""
    found: dict[str, bool] = {}
    for code in code_list.codes:
        begun = code.valid_from is None or code.valid_from <= day
        over = code.valid_to is not None and code.valid_to <= day
        found[code.code] = found.get(code.code, False) or (begun and not over)
    return found
