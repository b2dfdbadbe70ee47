"""Find items by what people type: with or without marks, in whole or in part (tra cứu từ điển).

What stands as typed comes first, then the same without marks, then all words, then what looks alike. Words in another
order are found too, below, and the hit says so: "danh định số" is not "số định danh".
"""

from __future__ import annotations

import enum
import functools
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from lienthong.dictionary.finding import folded
from lienthong.dictionary.model import Dictionary, Element, Text

QUERY_LETTERS_MAX: Final = 100
INSIDE_LETTERS_MIN: Final = 3  # shorter pieces of words are in everything
BEGINNING_LETTERS_MIN: Final = 3  # of a last word not typed to its end, where the words stand apart
SIMILAR_BELOW_HITS: Final = 3  # what looks alike is looked for only when little was found
SIMILAR_LETTERS_MIN: Final = 3
SIMILARITY_MIN: Final = 0.55
SHARED_MIN: Final = 0.4  # of the query's trigrams; with fewer the likeness cannot reach its minimum

WORDS_KEPT_MAX: Final = 20_000  # Vietnamese has some 7,000 syllables

_TONES: Final = frozenset("\u0300\u0301\u0303\u0309\u0323")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD: Final = re.compile(r"[^\W_]+")
_FINAL_Y: Final = re.compile(r"(?<=[^aeiouy])y$|(?<=^qu)y$")  # quý and quí, lý and lí are the same words


class Kind(enum.Enum):
    """What is found."""

    ELEMENT = "data-element"
    CODE_LIST = "code-list"
    DATASET = "dataset"
    CODE = "code"


class NameKind(enum.IntEnum):
    """What an item is called; the stronger kind of name first."""

    LABEL = 0
    CODE = 1
    TECHNICAL = 2
    SYNONYM = 3
    ENGLISH = 4
    ABBREVIATION = 5


class Tier(enum.IntEnum):
    """How well a hit fits; the better first."""

    EXACT = 1  # as typed: a query without marks matches every marking
    FOLDED = 2  # only when marks are dropped
    WORDS = 3  # all words in the order typed, others between them
    DEFINITION = 4  # the words stand together in the definition
    SCATTERED = 5  # all words, in another order or in several places
    SIMILAR = 6


class _Place(enum.IntEnum):
    """Where in a name the query stands."""

    WHOLE = 0
    START = 1
    WITHIN = 2
    WORD_BEGINNING = 3  # the last word is not typed to its end
    INSIDE = 4  # across words or inside one


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """Something to be found, and what it is called."""

    kind: Kind
    id: str
    names: tuple[tuple[NameKind, str], ...]
    prose: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """Something found, and why."""

    kind: Kind
    id: str
    tier: Tier
    name: str | None  # by which name; None: by the definition, or by several places together
    name_kind: NameKind | None


@dataclass(frozen=True, slots=True)
class _Name:
    owner: int
    kind: NameKind
    text: str
    plain: str  # " ho va ten "
    words: tuple[str, ...]
    joined: str  # "hovaten"
    toned: tuple[tuple[str, str], ...]  # each word without its tone, and the tone


@dataclass(frozen=True, slots=True)
class _Query:
    plain: tuple[str, ...]
    toned: tuple[tuple[str, str], ...]
    marked: tuple[bool, ...]  # which words carry marks
    phrase: str  # " ho va ten"
    joined: str

    @classmethod
    def of(cls, text: str) -> _Query | None:
        words = _words(text[:QUERY_LETTERS_MAX])
        plain = tuple(_plain(word) for word in words)
        if not any(plain):
            return None
        return cls(
            plain=plain,
            toned=tuple(_toned(word) for word in words),
            marked=tuple(_has_marks(word) for word in words),
            phrase=" " + " ".join(plain),
            joined="".join(plain),
        )


_Rank = tuple[float, ...]  # the Tier first; the less the better
_Found = dict[int, tuple[_Rank, _Name | None]]


class SearchIndex:
    """Everything that can be found, prepared once; safe to ask from several threads."""

    def __init__(self, subjects: Iterable[Subject]) -> None:
        self._subjects: list[Subject] = list(subjects)
        self._names: list[_Name] = []
        self._names_of: list[list[_Name]] = []
        self._prose: list[str] = []
        by_word: defaultdict[str, set[int]] = defaultdict(set)
        trigrams: defaultdict[str, list[int]] = defaultdict(list)
        for owner, subject in enumerate(self._subjects):
            prose = " ".join(_plain(word) for word in _words(subject.prose))
            self._prose.append(f" {prose} ")
            for word in prose.split():
                by_word[word].add(owner)
            names = [_name(owner, kind, text) for kind, text in subject.names]
            self._names_of.append(names)
            for name in names:
                for word in name.words:
                    by_word[word].add(owner)
                for trigram in _trigrams(name.plain):
                    trigrams[trigram].append(len(self._names))
                self._names.append(name)
        self._trigram_counts: Sequence[int] = [len(_trigrams(name.plain)) for name in self._names]
        self._joined: Sequence[str] = [name.joined for name in self._names]
        self._by_word: Mapping[str, set[int]] = dict(by_word)
        self._vocabulary: Sequence[str] = sorted(by_word)
        self._trigrams: Mapping[str, list[int]] = dict(trigrams)

    @classmethod
    def of(cls, dictionary: Dictionary) -> SearchIndex:
        """Index the elements, code lists and datasets of a dictionary."""
        return cls(subjects(dictionary))

    def search(self, text: str) -> tuple[Hit, ...]:
        """Return everything that fits, best first; nothing for a text without a letter or digit.

        Only the first ``QUERY_LETTERS_MAX`` characters count.
        """
        query = _Query.of(text)
        if query is None:
            return ()
        found: _Found = {}
        for number in [number for number, joined in enumerate(self._joined) if query.joined in joined]:
            name = self._names[number]
            place = _place(query, name)
            held = found.get(name.owner)
            if place is not None and (held is None or (Tier.EXACT, place) <= held[0][:2]):
                _keep(found, name.owner, _phrase_rank(query, name, place), name)
        for owner in self._with_all_words(query) - found.keys():
            _keep(found, owner, *self._words_rank(query, owner))
        if sum(rank[0] <= Tier.WORDS for rank, _ in found.values()) < SIMILAR_BELOW_HITS:
            for likeness, number in self._similar(query):
                _keep(found, self._names[number].owner, (Tier.SIMILAR, -likeness), self._names[number])
        ordered = sorted(found, key=lambda owner: (found[owner][0], owner))
        return tuple(self._hit(owner, *found[owner]) for owner in ordered)

    def _words_rank(self, query: _Query, owner: int) -> tuple[_Rank, _Name | None]:
        names = self._names_of[owner]
        in_order = [name for name in names if _stand_in_order(query.plain, name.words)]
        best = min(in_order, key=lambda name: (_differing_marks(query, name), name.kind), default=None)
        if best is not None and _differing_marks(query, best) == 0:
            return (Tier.WORDS, 0, len(best.plain)), best
        differing = min((_differing_marks(query, name) for name in names), default=0)
        return (Tier.DEFINITION if query.phrase in self._prose[owner] else Tier.SCATTERED, differing), None

    def _hit(self, owner: int, rank: _Rank, name: _Name | None) -> Hit:
        subject = self._subjects[owner]
        return Hit(
            kind=subject.kind,
            id=subject.id,
            tier=Tier(int(rank[0])),
            name=None if name is None else name.text,
            name_kind=None if name is None else name.kind,
        )

    def _with_all_words(self, query: _Query) -> set[int]:
        """Return who has every word somewhere; the last word may be a beginning."""
        owners: set[int] | None = None
        for place, word in enumerate(query.plain):
            having = set(self._by_word.get(word, ()))
            if place == len(query.plain) - 1 and len(word) >= BEGINNING_LETTERS_MIN:
                start = bisect_left(self._vocabulary, word)
                for longer in self._vocabulary[start:]:
                    if not longer.startswith(word):
                        break
                    having |= self._by_word[longer]
            owners = having if owners is None else owners & having
        return owners or set()

    def _similar(self, query: _Query) -> Iterator[tuple[float, int]]:
        if len(query.joined) < SIMILAR_LETTERS_MIN:
            return
        wanted = _trigrams(query.phrase + " ")
        shared: Counter[int] = Counter()
        for trigram in wanted:
            shared.update(self._trigrams.get(trigram, ()))
        least = SHARED_MIN * len(wanted)
        for number, count in [pair for pair in shared.items() if pair[1] >= least]:
            size = self._trigram_counts[number]
            likeness = (2 * count / (len(wanted) + size) + count / len(wanted)) / 2
            if likeness >= SIMILARITY_MIN:
                yield likeness, number


def subjects(dictionary: Dictionary) -> Iterator[Subject]:
    """Yield what of a dictionary can be found: elements, code lists, datasets."""
    for name, element in dictionary.elements.items():
        yield Subject(kind=Kind.ELEMENT, id=name, names=_element_names(element), prose=element.definition.vi)
    for list_id, code_list in dictionary.code_lists.items():
        yield Subject(
            kind=Kind.CODE_LIST,
            id=list_id,
            names=(*_label_names(code_list.label), (NameKind.CODE, list_id)),
        )
    for dataset_id, dataset in dictionary.datasets.items():
        yield Subject(
            kind=Kind.DATASET,
            id=dataset_id,
            names=(
                *_label_names(dataset.label),
                (NameKind.CODE, dataset_id),
                (NameKind.TECHNICAL, dataset.table),
            ),
            prose=dataset.definition.vi,
        )


def _label_names(label: Text) -> tuple[tuple[NameKind, str], ...]:
    english = () if label.en is None else ((NameKind.ENGLISH, label.en),)
    return ((NameKind.LABEL, label.vi), *english)


def _element_names(element: Element) -> tuple[tuple[NameKind, str], ...]:
    return (
        *_label_names(element.label),
        (NameKind.CODE, element.identity.id),
        (NameKind.TECHNICAL, element.technical_name),
        *((NameKind.SYNONYM, text) for text in element.synonyms),
        *((NameKind.ABBREVIATION, text) for text in element.abbreviations),
    )


def _words(text: str) -> list[str]:
    composed = normalize("NFC", text)
    if " " not in composed:
        composed = _HUMP.sub(" ", composed)  # HoVaTen is three words
    return _WORD.findall(composed.casefold())


@functools.lru_cache(maxsize=WORDS_KEPT_MAX)
def _plain(word: str) -> str:
    return _FINAL_Y.sub("i", folded(word))


@functools.lru_cache(maxsize=WORDS_KEPT_MAX)
def _toned(word: str) -> tuple[str, str]:
    """Return a word without its tone, and the tone, wherever it was put: hoà and hòa agree."""
    spread = normalize("NFD", word)
    letters = "".join(sign for sign in spread if sign not in _TONES)
    return _FINAL_Y.sub("i", letters), "".join(sign for sign in spread if sign in _TONES)


def _has_marks(word: str) -> bool:
    return normalize("NFD", word) != word or "đ" in word


def _name(owner: int, kind: NameKind, text: str) -> _Name:
    words = _words(text)
    plain = [_plain(word) for word in words]
    return _Name(
        owner, kind, text, f" {' '.join(plain)} ", tuple(plain), "".join(plain), tuple(_toned(word) for word in words)
    )


def _keep(found: _Found, owner: int, rank: _Rank, name: _Name | None) -> None:
    if owner not in found or rank < found[owner][0]:
        found[owner] = rank, name


def _phrase_rank(query: _Query, name: _Name, place: _Place) -> _Rank:
    agrees, literal = _marks(query, name, place)
    return Tier.EXACT if agrees else Tier.FOLDED, place, not literal, name.kind, len(name.plain)


def _trigrams(plain: str) -> set[str]:
    return {plain[place : place + 3] for place in range(len(plain) - 2)}


def _place(query: _Query, name: _Name) -> _Place | None:
    if query.joined == name.joined:
        return _Place.WHOLE
    start = name.plain.find(query.phrase)
    if start >= 0:
        if name.plain.find(query.phrase + " ") < 0:
            return _Place.WORD_BEGINNING
        return _Place.START if name.plain.startswith(query.phrase + " ") else _Place.WITHIN
    return _Place.INSIDE if len(query.joined) >= INSIDE_LETTERS_MIN and query.joined in name.joined else None


def _marks(query: _Query, name: _Name, place: _Place) -> tuple[bool, bool]:
    """Return whether the marks typed are those of the name, and whether the name has no others."""
    if place is _Place.INSIDE or (place is _Place.WHOLE and len(query.toned) != len(name.toned)):
        return not any(query.marked), False  # cut into words differently
    best = (False, False)
    for start in range(len(name.toned) - len(query.toned) + 1):
        end = start + len(query.toned)
        window = name.toned[start:end]
        if not _covers(query.plain, name.words[start:end], open_end=place is _Place.WORD_BEGINNING):
            continue
        agrees = all(
            not marked or _same(asked, held, open_end=at == len(window) - 1 and place is _Place.WORD_BEGINNING)
            for at, (asked, held, marked) in enumerate(zip(query.toned, window, query.marked, strict=True))
        )
        best = max(best, (agrees, agrees and window == query.toned))
    return best


def _covers(wanted: tuple[str, ...], words: tuple[str, ...], *, open_end: bool) -> bool:
    if open_end:
        return words[:-1] == wanted[:-1] and words[-1].startswith(wanted[-1])
    return words == wanted


def _same(asked: tuple[str, str], held: tuple[str, str], *, open_end: bool) -> bool:
    if not open_end:
        return asked == held
    return held[0].startswith(asked[0]) and asked[1] in {"", held[1]}


def _stand_in_order(wanted: Sequence[str], words: Sequence[str]) -> bool:
    place = 0
    for number, word in enumerate(wanted):
        open_end = number == len(wanted) - 1 and len(word) >= BEGINNING_LETTERS_MIN
        while place < len(words) and not (words[place] == word or (open_end and words[place].startswith(word))):
            place += 1
        if place == len(words):
            return False
        place += 1
    return True


def _differing_marks(query: _Query, name: _Name) -> int:
    """Return how many of the words typed with marks a name has not with the same marks."""
    held = set(name.toned)
    return sum(marked and toned not in held for toned, marked in zip(query.toned, query.marked, strict=True))
