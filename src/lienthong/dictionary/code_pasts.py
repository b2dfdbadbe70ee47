"""The CSV files beside a code list that tell its past: conversion tables and sightings in dated copies."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from lienthong.dictionary.code_tables import Row, remember_day, table_rows
from lienthong.dictionary.model import Code, Sighting, Succession
from lienthong.dictionary.refusals import Problem

SUCCESSION_COLUMNS: Final = ("old_code", "new_code", "changed_on", "kind", "within", "source")
SIGHTING_COLUMNS: Final = ("code", "label_vi", "within", "seen_from", "seen_to", "gone_by", "source")

WHOLE_KINDS: Final = frozenset({"whole", "unchanged", "renamed"})  # one target, for everybody
PEOPLE_KIND: Final = "part-area-all-people"  # one target for persons, one of several for land
PART_KINDS: Final = frozenset({"part", "part-area", "part-people"})
KINDS: Final = WHOLE_KINDS | PART_KINDS | {PEOPLE_KIND}

_DAY: Final = timedelta(days=1)


class _Days:
    """Days read once each; the same few stand in thousands of rows."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._known: dict[str, date | None] = {}

    def day(self, line: int, text: str) -> date | None:
        if text not in self._known and not remember_day(text, self._known):
            self._known[text] = None
        found = self._known[text]
        if found is None:
            words = f"{text or 'nothing'} is not a day (YYYY-MM-DD)"
            self._problems.append(Problem(file=self._file, line=line, rule="not-a-day", text=words))
        return found


def read_successions(
    file: str, text: str, codes: tuple[Code, ...], problems: list[Problem]
) -> tuple[Succession, ...]:
    """Return the lines of a conversion table; note what contradicts the list or itself."""
    days, read, lines = _Days(file, problems), [], []
    for line, (old, new, on, kind, within, source) in table_rows(file, text, SUCCESSION_COLUMNS, problems) or ():
        day = days.day(line, on)
        if kind not in KINDS:
            words = f"kind must be one of: {', '.join(sorted(KINDS))}; not {kind or 'nothing'}"
            problems.append(Problem(file=file, line=line, rule="unknown-value", text=words))
        elif not source:
            problems.append(Problem(file=file, line=line, rule="blank-text", text="source must not be empty"))
        elif day is not None:
            read.append(Succession(old=old, new=new, on=day, kind=kind, within=within or None, source=source))
            lines.append(line)
    _note_succession_faults(file, read, lines, codes, problems)
    return tuple(read)


def _note_succession_faults(
    file: str, read: list[Succession], lines: list[int], codes: tuple[Code, ...], problems: list[Problem]
) -> None:
    def refuse(line: int, rule: str, words: str) -> None:
        problems.append(Problem(file=file, line=line, rule=rule, text=words))

    in_force: dict[date, tuple[frozenset[str], frozenset[str]]] = {
        day: (_codes_on(codes, day - _DAY), _codes_on(codes, day)) for day in {one.on for one in read}
    }
    seen: dict[tuple[date, str, str], int] = {}
    kinds: dict[tuple[date, str], set[str]] = {}
    for one, line in zip(read, lines, strict=True):
        before, after = in_force[one.on]
        if one.old not in before:
            refuse(line, "unknown-code", f"code {one.old} is not in force on the day before {one.on}")
        if one.new not in after:
            refuse(line, "unknown-code", f"code {one.new} is not in force on {one.on}")
        first = seen.setdefault((one.on, one.old, one.new), line)
        if first != line:
            refuse(line, "duplicate-value", f"{one.old} to {one.new} already stands at line {first}")
            continue
        others = kinds.setdefault((one.on, one.old), set())
        if one.kind in WHOLE_KINDS | {PEOPLE_KIND} and others & (WHOLE_KINDS | {PEOPLE_KIND}):
            refuse(line, "contradiction", f"{one.old} goes to two codes as a whole")
        others.add(one.kind)


def _codes_on(codes: tuple[Code, ...], day: date) -> frozenset[str]:
    return frozenset(
        one.code
        for one in codes
        if (one.valid_from is None or one.valid_from <= day) and (one.valid_to is None or day < one.valid_to)
    )


def read_sightings(file: str, text: str, problems: list[Problem]) -> tuple[Sighting, ...]:
    """Return what dated copies of a list showed."""
    days, read = _Days(file, problems), []
    seen: dict[tuple[str, ...], int] = {}
    rows: list[Row] = table_rows(file, text, SIGHTING_COLUMNS, problems) or []
    for line, (code, label, within, since, until, gone, source) in rows:
        first, last, next_ = (days.day(line, day) for day in (since, until, gone))
        if first is None or last is None or next_ is None:
            continue
        fault: tuple[str, str] | None = None
        if not code or not label or not source:
            fault = "blank-text", "code, label_vi and source must not be empty"
        elif not first <= last < next_:
            fault = "empty-period", f"the days of code {code} must be in order: seen_from, seen_to, gone_by"
        earlier = seen.setdefault((code, label, within, since), line)
        if fault is None and earlier != line:
            fault = "duplicate-value", f"the same sighting already stands at line {earlier}"
        if fault is not None:
            problems.append(Problem(file=file, line=line, rule=fault[0], text=fault[1]))
            continue
        read.append(
            Sighting(
                code=code,
                label=label,
                within=within or None,
                seen_from=first,
                seen_to=last,
                gone_by=next_,
                source=source,
            )
        )
    return tuple(read)
