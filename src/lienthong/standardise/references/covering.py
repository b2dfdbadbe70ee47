"""Cover the words of a text with the phrases of a registry: every word counts, none is passed over silently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from lienthong.standardise.references.registry import Phrase, Registry
from lienthong.standardise.references.spelling import distance_is_one

TYPO_LETTERS_MIN: Final = 4  # a shorter word is too easily another word
PREFIX_WORDS_MIN: Final = 2
TYPO: Final = 0.9
JOINED: Final = 0.95
CUT_OFF: Final = 0.7
_WAYS_MAX: Final = 8  # equally good coverings that are compared


@dataclass(frozen=True, kw_only=True, slots=True)
class Covering:
    """What the words of one part name."""

    named: tuple[frozenset[str], ...] = ()  # for each phrase the entries it may name
    left: tuple[str, ...] = ()  # words that no phrase covers
    sure: float = 1.0
    notes: tuple[str, ...] = ()
    tied: frozenset[str] = frozenset()  # entries between which equally good coverings disagree

    @property
    def settled(self) -> bool:
        """Say whether every word is covered and every phrase names one entry."""
        return not self.left and not self.tied and all(len(entries) == 1 for entries in self.named)


def exact(found: Phrase, registry: Registry) -> Covering:
    """Cover words with phrases as they are written: fewest words left, then fewest phrases."""
    best: list[list[tuple[Phrase, ...]]] = [[()]]
    costs: list[tuple[int, int]] = [(0, 0)]
    uncovered: list[list[tuple[str, ...]]] = [[()]]
    for end in range(1, len(found) + 1):
        options: list[tuple[tuple[int, int], int, Phrase | None]] = [
            ((costs[end - 1][0] + 1, costs[end - 1][1]), end - 1, None)
        ]
        for length in range(1, min(end, registry.longest) + 1):
            phrase = found[end - length : end]
            if phrase in registry.phrases:
                before = costs[end - length]
                options.append(((before[0], before[1] + 1), end - length, phrase))
        cheapest = min(cost for cost, _, _ in options)
        ways: list[tuple[Phrase, ...]] = []
        lefts: list[tuple[str, ...]] = []
        for cost, start, taken in options:
            if cost == cheapest:
                for way, left in zip(best[start], uncovered[start], strict=True):
                    ways.append(way if taken is None else (*way, taken))
                    lefts.append((*left, found[end - 1]) if taken is None else left)
        costs.append(cheapest)
        best.append(ways[:_WAYS_MAX])
        uncovered.append(lefts[:_WAYS_MAX])
    first = best[-1][0]
    readings = {_union(registry.phrases[phrase] for phrase in way) for way in best[-1]}
    tied = _union(readings) if len(readings) > 1 else frozenset()
    return Covering(
        named=tuple(registry.phrases[phrase] for phrase in first),
        left=uncovered[-1][0],
        sure=min((registry.trust[phrase] for phrase in first), default=1.0),
        tied=tied,
    )


def repaired(found: Phrase, registry: Registry) -> Covering:
    """Cover words after mending slips: a letter off, words run together, a name cut off at its end."""
    mended: list[str] = []
    sure = 1.0
    notes: list[str] = []
    for word in found:
        if word in registry.vocabulary:
            mended.append(word)
            continue
        apart = registry.runs.get(word, ())
        close = () if apart else _close(word, registry)
        if apart:
            mended.extend(apart)
            sure *= JOINED
            notes.append("chữ viết liền")
        elif len(close) == 1:
            mended.append(close[0])
            sure *= TYPO
            notes.append("sai một chữ cái")
        else:
            mended.append(word)
    covering = exact(tuple(mended), registry)
    covering = replace(covering, sure=covering.sure * sure, notes=tuple(dict.fromkeys(notes)))
    return _completed(covering, tuple(mended), registry)


def _completed(covering: Covering, found: Phrase, registry: Registry) -> Covering:
    """Read words left at the end as the beginning of a name that was cut off."""
    left = covering.left
    if len(left) < PREFIX_WORDS_MIN or found[-len(left) :] != left:
        return covering
    begun = [phrase for phrase in registry.phrases if phrase[: len(left)] == left]
    entries = _union(registry.phrases[phrase] for phrase in begun)
    if not entries:
        return covering
    return Covering(
        named=(*covering.named, entries),
        sure=covering.sure * CUT_OFF,
        notes=(*covering.notes, "tên bị cắt ở cuối"),
        tied=covering.tied,
    )


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset(entry for entries in sets for entry in entries)


def _close(word: str, registry: Registry) -> tuple[str, ...]:
    if len(word) < TYPO_LETTERS_MIN:
        return ()
    return tuple(
        known
        for known in sorted(registry.vocabulary)
        if len(known) >= TYPO_LETTERS_MIN - 1 and distance_is_one(word, known)
    )
