"""What differs between two states of the dictionary, and how much it matters (so sánh hai bản từ điển)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from lienthong.dictionary.canonical import Item, items, plain
from lienthong.dictionary.changes import (
    EDITORIAL,
    JUDGES,
    MEMBER,
    Action,
    Change,
    Impact,
    digits,
)
from lienthong.dictionary.model import Code, CodeList, Dataset, Dictionary, Element, Member, Status, ValueDomain

_ENDED: Final = frozenset({Status.SUPERSEDED, Status.RETIRED, Status.REJECTED})
_LIFE: Final = frozenset({"id", "version", "status", "superseded_by"})
_APART: Final = frozenset({"codes", "aliases", "members", "rules", "value_domain", "precision", "scale", "identity"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """All changes from one state to another."""

    before: str  # version of the dictionary
    after: str
    changes: tuple[Change, ...]

    @property
    def impact(self) -> Impact | None:
        """Return the greatest impact, or None where nothing changed."""
        return max((change.impact for change in self.changes), default=None)

    def of(self, impact: Impact) -> tuple[Change, ...]:
        """Return the changes of one impact."""
        return tuple(change for change in self.changes if change.impact is impact)


def compare(before: Dictionary, after: Dictionary) -> Difference:
    """Return what changed between two dictionaries, by kind and id."""
    one, other = _by_key(before), _by_key(after)
    changes: list[Change] = []
    for kind, name in sorted(one.keys() | other.keys()):
        earlier, later = one.get((kind, name)), other.get((kind, name))
        if earlier is None and later is not None:
            changes.append(
                Change(
                    kind=kind,
                    item=name,
                    action=Action.ADDED,
                    impact=Impact.EXTENDING,
                    text="is new",
                    after=later.identity.version,
                    effective=later.identity.valid_from,
                )
            )
        elif later is None and earlier is not None:
            changes.append(
                Change(
                    kind=kind,
                    item=name,
                    action=Action.REMOVED,
                    impact=Impact.BREAKING,
                    text="is gone: items are retired, never removed",
                    before=earlier.identity.version,
                )
            )
        elif earlier is not None and later is not None:
            changes += item_changes(kind, earlier, later)
    return Difference(before=before.version, after=after.version, changes=tuple(judged(changes)))


def _by_key(dictionary: Dictionary) -> dict[tuple[str, str], Item]:
    return {(kind, item.identity.id): item for kind, item in items(dictionary)}


def judged(changes: Sequence[Change]) -> Iterator[Change]:
    """Give a reference to a new version of the same value domain the impact of what changed in that domain."""
    impacts: dict[tuple[str, str], Impact] = {}
    for change in changes:
        key = (change.kind, change.item)
        impacts[key] = max(change.impact, impacts.get(key, change.impact))
    for change in changes:
        if change.descriptor != "value_domain" or not change.before or not change.after:
            yield change
            continue
        one, other = change.before.partition("@")[0], change.after.partition("@")[0]
        impact = impacts.get(("value-domain", other), Impact.EDITORIAL) if one == other else Impact.BREAKING
        yield reference_changed(change.item, change.before, change.after, impact)


def reference_changed(item: str, before: str, after: str, impact: Impact) -> Change:
    """Return the change of an element that points to another value domain or another version of it."""
    other = before.partition("@")[0] != after.partition("@")[0]
    return Change(
        kind="data-element",
        item=item,
        action=Action.CHANGED,
        impact=impact,
        text="points to another value domain" if other else "points to another version of its value domain",
        descriptor="value_domain",
        before=before,
        after=after,
    )


def item_changes(kind: str, before: Item, after: Item) -> list[Change]:
    """Return what changed in one item; a reference to another value domain is breaking until looked into."""
    changes = [*_life(kind, before, after), *_descriptors(kind, before, after)]
    if isinstance(before, Element) and isinstance(after, Element) and before.value_domain != after.value_domain:
        changes.append(
            reference_changed(before.identity.id, str(before.value_domain), str(after.value_domain), Impact.BREAKING)
        )
    if isinstance(before, ValueDomain) and isinstance(after, ValueDomain):
        changes += _decimals(before, after)
    if isinstance(before, CodeList) and isinstance(after, CodeList):
        changes += [*code_changes(before, after), *_alias_changes(before, after), *_table_changes(before, after)]
    if isinstance(before, Dataset) and isinstance(after, Dataset):
        changes += [*_member_changes(before, after), *_rule_changes(before, after)]
    return changes


def _life(kind: str, before: Item, after: Item) -> Iterator[Change]:
    """Yield the change of status, and the ending of an item."""
    one, other = before.identity, after.identity
    if one.status is other.status:
        return
    ended = other.status in _ENDED and one.status not in _ENDED
    successor = "" if other.superseded_by is None else f" by {other.superseded_by}"
    yield Change(
        kind=kind,
        item=one.id,
        action=Action.RETIRED if ended else Action.CHANGED,
        impact=Impact.BREAKING if ended else Impact.EDITORIAL,
        text=f"is {other.status.value}{successor}" if ended else "stands elsewhere in its life",
        descriptor="status",
        before=one.status.value,
        after=other.status.value,
        effective=other.valid_to if ended else None,
    )


def _descriptors(kind: str, before: Item, after: Item) -> Iterator[Change]:
    """Yield one change for each descriptor that differs and needs no rule of its own."""
    one, other = _flat(before), _flat(after)
    judges = JUDGES[kind]
    for key in sorted(one.keys() | other.keys()):
        earlier, later = one.get(key), other.get(key)
        if key in _APART or key in _LIFE or earlier == later:
            continue
        if key in {"valid_from", "valid_to"} and before.identity.status is not after.identity.status:
            continue  # told by the change of status
        impact, text = judges.get(key, EDITORIAL)(earlier, later)
        if key == "conflicts":
            impact, text = Impact.EXTENDING, "what sources say differs"
        yield Change(
            kind=kind,
            item=before.identity.id,
            action=Action.CHANGED,
            impact=impact,
            text=text,
            descriptor=key,
            before=written(earlier),
            after=written(later),
        )


def _flat(item: Item) -> dict[str, Any]:
    # Codes may be many thousands; they are compared by period, not as one value.
    value: dict[str, Any] = plain(_without_codes(item))
    value |= value.pop("identity")
    return value


def _without_codes(item: Item) -> object:
    if not isinstance(item, CodeList):
        return item
    keys = ("identity", "label", "sources", "complete", "parent_list", "within_list")
    return {key: getattr(item, key) for key in keys}


def written(value: Any) -> str | None:
    """Return a value as people read it; structures as JSON."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _decimals(before: ValueDomain, after: ValueDomain) -> Iterator[Change]:
    one, other = (before.precision, before.scale), (after.precision, after.scale)
    if one == other or None in one or None in other:
        return  # the type changed, which is told already
    assert before.precision is not None
    assert after.precision is not None
    impact, text = digits((before.precision, before.scale or 0), (after.precision, after.scale or 0))
    yield Change(
        kind="value-domain",
        item=before.identity.id,
        action=Action.CHANGED,
        impact=impact,
        text=text,
        descriptor="precision",
        before=f"{one[0]},{one[1]}",
        after=f"{other[0]},{other[1]}",
    )


Period = tuple[str, date | None]


def _periods(code_list: CodeList) -> dict[Period, Code]:
    return {(code.code, code.valid_from): code for code in code_list.codes}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """What happened within one period of a code."""

    action: Action
    impact: Impact
    text: str
    effective: date | None
    before: str | None = None
    after: str | None = None


def code_changes(before: CodeList, after: CodeList) -> Iterator[Change]:
    """Yield what happened to each period of each code, with its day."""
    one, other = _periods(before), _periods(after)
    for period in sorted(one.keys() | other.keys(), key=_period_order):
        for step in _steps(one.get(period), other.get(period)):
            yield Change(
                kind="code-list",
                item=before.identity.id,
                action=step.action,
                impact=step.impact,
                text=step.text,
                descriptor="codes",
                before=step.before,
                after=step.after,
                code=period[0],
                effective=step.effective,
            )


def _period_order(period: Period) -> tuple[str, date]:
    return period[0], period[1] or date.min


def _steps(before: Code | None, after: Code | None) -> Iterator[_Step]:
    if before is None and after is not None:
        yield _Step(
            action=Action.ADDED,
            impact=Impact.EXTENDING,
            text="code added",
            effective=after.valid_from,
            after=after.label.vi,
        )
    elif after is None and before is not None:
        yield _Step(
            action=Action.REMOVED,
            impact=Impact.BREAKING,
            text="code removed: what it meant can no longer be read",
            effective=before.valid_from,
            before=before.label.vi,
        )
    elif before is not None and after is not None and before != after:
        yield from _period_steps(before, after)


def _period_steps(before: Code, after: Code) -> Iterator[_Step]:
    """Yield what differs within one period of a code."""
    if before.valid_to != after.valid_to:
        longer = after.valid_to is None or (before.valid_to is not None and after.valid_to > before.valid_to)
        heirs = f", replaced by {', '.join(after.replaced_by)}" if after.replaced_by else ""
        yield _Step(
            action=Action.CHANGED if longer else Action.RETIRED,
            impact=Impact.EXTENDING if longer else Impact.BREAKING,
            text="code stays in force longer" if longer else f"code ends{heirs}",
            effective=before.valid_to if longer else after.valid_to,
            before=written_day(before.valid_to),
            after=written_day(after.valid_to),
        )
    told = (
        (
            "|".join(before.replaced_by),
            "|".join(after.replaced_by),
            Impact.EXTENDING,
            "successors differ",
        ),
        (before.label.vi, after.label.vi, Impact.EXTENDING, "code is labelled otherwise"),
        (before.label.en, after.label.en, Impact.EDITORIAL, "code is labelled otherwise in English"),
        (before.parent, after.parent, Impact.BREAKING, "code belongs to another parent"),
        (before.source, after.source, Impact.EDITORIAL, "source of the code differs"),
    )
    for one, other, impact, text in told:
        if one != other:
            yield _Step(
                action=Action.CHANGED,
                impact=impact,
                text=text,
                effective=after.valid_from,
                before=one or None,
                after=other or None,
            )


def written_day(day: date | None) -> str | None:
    """Return a day as text."""
    return None if day is None else day.isoformat()


def _alias_changes(before: CodeList, after: CodeList) -> Iterator[Change]:
    one, other = dict(before.aliases), dict(after.aliases)
    for spelling in sorted(one.keys() | other.keys()):
        earlier, later = one.get(spelling), other.get(spelling)
        if earlier == later:
            continue
        impact = Impact.EXTENDING if earlier is None else Impact.BREAKING
        text = "spelling added" if earlier is None else "spelling is no longer understood as it was"
        yield Change(
            kind="code-list",
            item=before.identity.id,
            action=Action.CHANGED,
            impact=impact,
            text=f"{text}: {spelling}",
            descriptor="aliases",
            before=earlier,
            after=later,
            code=later or earlier,
        )


def _table_changes(before: CodeList, after: CodeList) -> Iterator[Change]:
    """Yield how many lines of the conversion table and of the sightings came and went; each line is a file's."""
    tables: tuple[tuple[str, frozenset[object], frozenset[object]], ...] = (
        ("conversion", frozenset(before.successions), frozenset(after.successions)),
        ("history", frozenset(before.sightings), frozenset(after.sightings)),
    )
    for name, one, other in tables:
        gone, come = len(one - other), len(other - one)
        if gone or come:
            yield Change(
                kind="code-list",
                item=before.identity.id,
                action=Action.CHANGED,
                impact=Impact.BREAKING if gone else Impact.EXTENDING,
                text=f"{name} table: {gone} line(s) gone, {come} added",
                descriptor=name,
                before=str(len(one)),
                after=str(len(other)),
            )


def _member_changes(before: Dataset, after: Dataset) -> Iterator[Change]:
    one: Mapping[str, Member] = {member.element: member for member in before.members}
    other: Mapping[str, Member] = {member.element: member for member in after.members}

    def change(member: str, action: Action, impact: Impact, text: str, descriptor: str) -> Change:
        return Change(
            kind="dataset",
            item=before.identity.id,
            action=action,
            impact=impact,
            text=text,
            descriptor=descriptor,
            member=member,
        )

    for name in (*one, *(name for name in other if name not in one)):
        earlier, later = one.get(name), other.get(name)
        if earlier is None and later is not None:
            impact = Impact.BREAKING if later.required else Impact.EXTENDING
            yield change(
                name, Action.ADDED, impact, "required field added" if later.required else "field added", "members"
            )
        elif later is None:
            yield change(name, Action.REMOVED, Impact.BREAKING, "field taken away", "members")
        elif earlier is not None:
            for key, judge in MEMBER.items():
                if getattr(earlier, key) != getattr(later, key):
                    impact, text = judge(getattr(earlier, key), getattr(later, key))
                    yield change(name, Action.CHANGED, impact, text, key)
    kept = [name for name in one if name in other]
    if kept != [name for name in other if name in one]:
        yield change("", Action.CHANGED, Impact.EDITORIAL, "fields stand in another order", "members")


def _rule_changes(before: Dataset, after: Dataset) -> Iterator[Change]:
    one, other = set(before.rules), set(after.rules)
    for rule in sorted(one ^ other):
        added = rule in other
        yield Change(
            kind="dataset",
            item=before.identity.id,
            action=Action.CHANGED,
            impact=Impact.BREAKING if added else Impact.EXTENDING,
            text=f"rule {rule} added" if added else f"rule {rule} lifted",
            descriptor="rules",
            before=None if added else rule,
            after=rule if added else None,
        )


def greatest(changes: Iterable[Change]) -> Impact | None:
    """Return the greatest impact of some changes, or None where there are none."""
    return max((change.impact for change in changes), default=None)
