"""Rules over other records in memory: slow and obvious, one record after another; a judge for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lienthong.centre.measuring import AGREEMENT, BLOCK_RECORDS_MAX, REFERENCE
from lienthong.check.verdict import Comparison, Letter, Rule

Values = Mapping[str, object]
Alike = Callable[[str, str], float]
"""How alike two texts are, by their matching keys."""


def judge(
    rule: Rule,
    *,
    own: Mapping[str, Values],
    other: Mapping[str, Values],
    partial_dates: frozenset[str],
    alike: Alike,
    applies: Callable[[Values], bool] = lambda _: True,
) -> dict[str, str]:
    """Return the letter of every own record, by record id; ``other`` are the records of the compared dataset."""
    assert rule.comparison is not None, "a rule of a measurement compares"
    letters = {}
    for record_id, values in own.items():
        if not applies(values):
            letters[record_id] = Letter.NOT_APPLICABLE
        elif rule.over == REFERENCE:
            letters[record_id] = _reference(rule.comparison, values, other)
        elif rule.over == AGREEMENT:
            letters[record_id] = _agreement(rule.comparison, values, other, partial_dates)
        else:
            letters[record_id] = _near_duplicate(rule.comparison, record_id, own, alike)
    return letters


def _matches(comparison: Comparison, values: Values, other: Mapping[str, Values]) -> Sequence[Values] | None:
    mine = [values[name] for name, _ in comparison.on]
    if None in mine:
        return None
    return [each for each in other.values() if [each[name] for _, name in comparison.on] == mine]


def _reference(comparison: Comparison, values: Values, other: Mapping[str, Values]) -> str:
    found = _matches(comparison, values, other)
    if found is None:
        return Letter.NOT_APPLICABLE
    return Letter.PASS if found else Letter.FAIL


def _agreement(
    comparison: Comparison, values: Values, other: Mapping[str, Values], partial_dates: frozenset[str]
) -> str:
    found = _matches(comparison, values, other)
    pairs = [(mine, theirs) for mine, theirs in comparison.equal if values[mine] is not None]
    if not found or not pairs:
        return Letter.NOT_APPLICABLE
    letters = {_pairs(pairs, values, each, partial_dates) for each in found}
    return letters.pop() if len(letters) == 1 else Letter.NOT_EVALUATED


def _pairs(pairs: Sequence[tuple[str, str]], values: Values, other: Values, partial_dates: frozenset[str]) -> str:
    outcomes = set()
    for mine, theirs in pairs:
        a, b = values[mine], other[theirs]
        if b is None:
            outcomes.add(Letter.NOT_EVALUATED)
        elif a == b:
            outcomes.add(Letter.PASS)
        elif mine in partial_dates and (str(a).startswith(str(b)) or str(b).startswith(str(a))):
            outcomes.add(Letter.NOT_EVALUATED)
        else:
            outcomes.add(Letter.FAIL)
    for worst in (Letter.FAIL, Letter.NOT_EVALUATED):
        if worst in outcomes:
            return worst
    return Letter.PASS


def _near_duplicate(comparison: Comparison, record_id: str, own: Mapping[str, Values], alike: Alike) -> str:
    names = [name for name, _ in comparison.on]
    needed = [*names, *comparison.similar]
    me = own[record_id]
    if any(me[name] is None for name in needed):
        return Letter.NOT_APPLICABLE
    block = [
        (other_id, each)
        for other_id, each in own.items()
        if all(each[name] is not None for name in needed) and [each[n] for n in names] == [me[n] for n in names]
    ]
    if len(block) > BLOCK_RECORDS_MAX:
        return Letter.NOT_EVALUATED
    for other_id, each in block:
        likeness = (alike(str(me[name]), str(each[name])) for name in comparison.similar)
        if other_id != record_id and all(each >= comparison.similarity for each in likeness):
            return Letter.FAIL
    return Letter.PASS
