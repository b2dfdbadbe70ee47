"""What a code meant on a day, with what dated copies of the list add where no document gives exact days."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from lienthong.dictionary.codes import is_in_force
from lienthong.dictionary.model import Code, CodeList, Sighting


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """One thing a code meant (nghĩa của mã), and from when to when."""

    code: str
    label: str
    parent: str | None
    within: str | None
    valid_from: date | None  # None: before every source
    valid_to: date | None  # None: open; for a sighting the first list without it
    seen_to: date | None = None  # the last list that showed it; None where a document gives the period
    source: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MeaningIndex:
    """A code list by code, prepared once."""

    codes: dict[str, tuple[Code, ...]]  # oldest first
    sightings: dict[str, tuple[Sighting, ...]]  # oldest first
    within: dict[str, str]

    @classmethod
    def of(cls, code_list: CodeList) -> MeaningIndex:
        """Gather the periods and sightings of every code."""
        codes: defaultdict[str, list[Code]] = defaultdict(list)
        sightings: defaultdict[str, list[Sighting]] = defaultdict(list)
        for code in code_list.codes:
            codes[code.code].append(code)
        for sighting in code_list.sightings:
            sightings[sighting.code].append(sighting)
        return cls(
            codes={name: tuple(sorted(found, key=_start)) for name, found in codes.items()},
            sightings={name: tuple(sorted(found, key=_seen)) for name, found in sightings.items()},
            within={one.old: one.within for one in code_list.successions if one.within is not None},
        )

    def all_of(self, code: str) -> tuple[Meaning, ...]:
        """Return everything a code is known to have meant, oldest first."""
        seen = tuple(_of_sighting(one) for one in self.sightings.get(code, ()))
        return seen + tuple(self._of_code(one) for one in self.codes.get(code, ()))

    def on(self, code: str, day: date) -> tuple[Meaning, ...]:
        """Return what a code meant on a day: none, one, or all it may have meant between two dated lists.

        A sighting reaches back to the one before it: nothing older is known. It yields to a period whose first day a
        document gives.
        """
        listed = tuple(self._of_code(one) for one in self.codes.get(code, ()) if is_in_force(one, on=day))
        if any(one.valid_from is not None for one in listed):
            return listed
        before: date | None = None
        possible: list[Meaning] = []
        for one in self.sightings.get(code, ()):
            if day <= one.seen_to and (before is None or before < day):
                # An older meaning may reach into the gap before this one was first seen.
                return (*possible, _of_sighting(one)) if day < one.seen_from else (_of_sighting(one),)
            if one.seen_to < day < one.gone_by:
                possible.append(_of_sighting(one))
            before = one.seen_to
        return (*possible, *listed)

    def _of_code(self, code: Code) -> Meaning:
        return Meaning(
            code=code.code,
            label=code.label.vi,
            parent=code.parent,
            within=self.within.get(code.code) if code.valid_to is not None else None,
            valid_from=code.valid_from,
            valid_to=code.valid_to,
            source=code.source,
        )


def _start(code: Code) -> date:
    return code.valid_from or date.min


def _seen(sighting: Sighting) -> tuple[date, date]:
    return sighting.seen_to, sighting.seen_from


def _of_sighting(sighting: Sighting) -> Meaning:
    return Meaning(
        code=sighting.code,
        label=sighting.label,
        parent=None,
        within=sighting.within,
        valid_from=None,
        valid_to=sighting.gone_by,
        seen_to=sighting.seen_to,
        source=sighting.source,
    )
