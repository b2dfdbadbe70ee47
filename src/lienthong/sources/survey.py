"""Propose which column means which element: name × values, with reasons (khảo sát, đề xuất ánh xạ)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from lienthong.dictionary.model import (
    UNKNOWN_VI,
    Dataset,
    DatasetId,
    Datatype,
    Dictionary,
    DomainId,
    Element,
    ElementId,
    Relation,
    ValueDomain,
)
from lienthong.sources.change import SourceId
from lienthong.sources.mapping import ColumnMapping
from lienthong.sources.mapping import Mapping as Proposal
from lienthong.sources.profile import MIXED, ColumnProfile, EncodingSeen, TableProfile
from lienthong.sources.spelling import fold, overlap, syllables_of, trigrams, words

SUGGESTIONS = 3
ACCEPTED_FROM = 0.55  # below it a person must decide
NEUTRAL = 0.5  # what values say when there are none
VALUE_FLOOR = 0.25  # a perfect name with values that do not fit at all keeps so much
FORM_SHARE = 0.6  # so many values must be written one way before the mapping says so

NO_ELEMENT = "survey: no element found"

# Which shapes speak for a text of each standardiser; its kernel does the real work later.
_TEXT_SHAPES: Mapping[str, tuple[str, ...]] = {
    "person-name": ("words",),
    "organisation-name": ("long words",),
    "address": ("parts with commas", "long words"),
    "phone": ("phone",),
    "integer": ("digits",),
    "decimal": ("number",),
}
_DATE_SHAPES = ("iso date", "day-first date", "serial day", "timestamp")


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """An element a column may mean, and why."""

    element: ElementId
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TableProposal:
    """A mapping for a person to decide on, and what else was considered."""

    mapping: Proposal
    score: float  # how well the dataset fits the table, 0 to 1
    suggestions: Mapping[str, tuple[Suggestion, ...]]
    missing: tuple[ElementId, ...]  # elements the dataset requires that no column seems to mean
    encodings: Mapping[str, EncodingSeen] = field(default_factory=dict)  # of the columns that are not Unicode


@dataclass(frozen=True, kw_only=True, slots=True)
class _Names:
    """Every way to spell an element, prepared for comparison."""

    spellings: tuple[tuple[str, str, tuple[str, ...]], ...]  # as written, run together, syllables
    short: frozenset[str]  # abbreviations and initials, run together


def _together(text: str) -> str:
    return "".join(each for each in fold(text) if each.isalnum())


def _element_texts(element: Element) -> tuple[str, ...]:
    return (element.technical_name, element.label.vi, *element.synonyms, element.identity.id)


class Survey:
    """Compare columns with the elements of the dictionary's datasets."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        members = {member.element for dataset in dictionary.datasets.values() for member in dataset.members}
        texts = [text for name in members for text in _element_texts(dictionary.elements[name])]
        self._syllables = syllables_of(texts)
        self._names = {name: self._names_of(dictionary.elements[name]) for name in members}
        counts = Counter(
            word for names in self._names.values() for word in {w for *_, each in names.spellings for w in each}
        )
        self._weights = {word: math.log(1 + len(members) / count) for word, count in counts.items()}

    def _names_of(self, element: Element) -> _Names:
        spellings = []
        initials = set()
        for text in dict.fromkeys(_element_texts(element)):
            syllables = words(text, self._syllables)
            spellings.append((text, _together(text), syllables))
            if len(syllables) > 1:
                initials.add("".join(each[0] for each in syllables))
        abbreviations = {_together(each) for each in element.abbreviations}
        return _Names(spellings=tuple(spellings), short=frozenset(abbreviations | initials))

    # ── names ───────────────────────────────────────────────────────────────────────────────────────────────

    def _weight(self, found: Iterable[str]) -> float:
        unknown = math.log(1 + len(self._names))
        return sum(self._weights.get(word, unknown) for word in found)

    def name_score(self, column: str, element: ElementId) -> tuple[float, str]:
        """Return how well a name fits an element, 0 to 1, and the spelling it fits best."""
        names = self._names[element]
        together, syllables = _together(column), words(column, self._syllables)
        best, reason = 0.0, ""
        for text, run, other in names.spellings:
            if together == run:
                return 1.0, f"name is “{text}”"
            shared = self._weight(set(syllables) & set(other))
            whole = self._weight(set(syllables) | set(other))
            score = max(
                0.95 * shared / whole if whole else 0.0,
                0.85 * overlap(trigrams(together), trigrams(run)),
                0.8 * SequenceMatcher(None, together, run, autojunk=False).ratio(),
            )
            if score > best:
                best, reason = score, f"name is like “{text}”"
        if together in names.short and best < 0.97:  # noqa: PLR2004 - a known cut is nearly as good as the name
            exact = together in {_together(each) for each in self._dictionary.elements[element].abbreviations}
            return (0.97 if exact else max(best, 0.7)), f"name is a short form of “{names.spellings[1][0]}”"
        return best, reason

    # ── values ──────────────────────────────────────────────────────────────────────────────────────────────

    def value_score(self, column: ColumnProfile, element: ElementId) -> tuple[float, str]:
        """Return how well the sampled values fit an element, 0 to 1, and why."""
        if not column.sampled:
            return NEUTRAL, "no values sampled"
        domain = self._dictionary.domain_of(element)
        score, reason = self._by_datatype(column, domain)
        is_text = domain.datatype is Datatype.TEXT  # codes often stand beside their labels, or several in one field
        if is_text and domain.max_length is not None and column.length_min > domain.max_length:
            return score * 0.3, f"values are longer than {domain.max_length} characters"
        return score, reason

    def _by_datatype(self, column: ColumnProfile, domain: ValueDomain) -> tuple[float, str]:
        shapes = column.shapes
        if domain.code_list is not None:
            share = column.codes.get(domain.code_list, 0.0)
            return share, f"{share:.0%} of values are in code list {domain.code_list}"
        if domain.datatype in (Datatype.DATE, Datatype.PARTIAL_DATE, Datatype.TIMESTAMP):
            kinds = [*_DATE_SHAPES, *(["year"] if domain.datatype is Datatype.PARTIAL_DATE else [])]
            share = min(1.0, sum(shapes.get(kind, 0.0) for kind in kinds))
            if "date" in column.type_name or "timestamp" in column.type_name:
                share = 1.0
            return share, f"{share:.0%} of values look like dates"
        if domain.datatype in (Datatype.CODE, Datatype.CODES) or domain.pattern is not None:
            share = max(
                column.patterns.get(DomainId(domain.identity.id), 0.0),
                shapes.get("code with label", 0.0) if domain.datatype in (Datatype.CODE, Datatype.CODES) else 0.0,
            )
            return share, f"{share:.0%} of values fit the pattern"
        if domain.datatype in (Datatype.DECIMAL, Datatype.INTEGER):
            share = shapes.get("number", 0.0)
            return share, f"{share:.0%} of values are numbers"
        wanted = _TEXT_SHAPES.get(domain.standardiser)
        if wanted is not None:
            share = max(shapes.get(shape, 0.0) for shape in wanted)
            return share, f"{share:.0%} of values look like {domain.standardiser.replace('-', ' ')}"
        return NEUTRAL, "any text fits"

    # ── columns and tables ──────────────────────────────────────────────────────────────────────────────────

    def score(self, column: ColumnProfile, element: ElementId) -> Suggestion:
        """Return how well a column fits an element."""
        by_name, name_reason = self.name_score(column.name, element)
        if column.comment:
            by_comment, _ = self.name_score(column.comment, element)
            if 0.95 * by_comment > by_name:
                by_name, name_reason = 0.95 * by_comment, "the column's comment names it"
        by_value, value_reason = self.value_score(column, element)
        return Suggestion(
            element=element,
            score=round(by_name * (VALUE_FLOOR + (1 - VALUE_FLOOR) * by_value), 3),
            reasons=(name_reason, value_reason),
        )

    def suggestions(self, table: TableProfile, dataset: Dataset) -> Mapping[str, tuple[Suggestion, ...]]:
        """Return the best elements of a dataset for every column, best first."""
        found = {}
        for column in table.columns:
            scored = [self.score(column, member.element) for member in dataset.members]
            scored.sort(key=lambda each: (-each.score, each.element))
            found[column.name] = tuple(scored)
        return found

    def propose(self, table: TableProfile, *, source: SourceId) -> TableProposal | None:
        """Return the best mapping for a table; None when it is like no dataset at all."""
        proposals = [self._propose(table, dataset, source) for dataset in self._dictionary.datasets.values()]
        best = max(proposals, key=lambda each: (each.score, each.mapping.dataset), default=None)
        return best if best is not None and any(each.element for each in best.mapping.columns) else None

    def _propose(self, table: TableProfile, dataset: Dataset, source: SourceId) -> TableProposal:
        suggestions = self.suggestions(table, dataset)
        chosen = _assign(suggestions)
        required = {member.element for member in dataset.members if member.required or member.key}
        about = overlap(trigrams(_together(table.name.table)), trigrams(_together(dataset.table)))
        covered = sum(each.score for each in chosen.values()) / max(1, len(dataset.members))
        whole = sum(each.element in required for each in chosen.values()) / max(1, len(required))
        encodings = _encodings(table)
        columns = tuple(
            self._column(column, chosen.get(column.name), encodings.get(column.name)) for column in table.columns
        )
        return TableProposal(
            mapping=Proposal(
                source=source,
                table=table.name,
                dataset=DatasetId(dataset.identity.id),
                owner=UNKNOWN_VI,
                columns=columns,
                digest="",
                key=table.key,
            ),
            score=round((covered + whole + about) / 3, 3),
            suggestions={name: found[:SUGGESTIONS] for name, found in suggestions.items()},
            missing=tuple(sorted(required - {each.element for each in chosen.values()})),
            encodings=encodings,
        )

    def _column(
        self, column: ColumnProfile, chosen: Suggestion | None, encoding: EncodingSeen | None
    ) -> ColumnMapping:
        if chosen is None:
            return ColumnMapping(
                column=column.name,
                element=None,
                relation=Relation.NONE,
                native_type=column.type_name,
                reason=NO_ELEMENT,
            )
        return ColumnMapping(
            column=column.name,
            element=chosen.element,
            relation=Relation.EXACT,
            native_type=column.type_name,
            form=self._form(column, chosen.element),
            encoding=None if encoding is None else encoding.encoding,
        )

    def _form(self, column: ColumnProfile, element: ElementId) -> str | None:
        if self._dictionary.domain_of(element).datatype not in (Datatype.DATE, Datatype.PARTIAL_DATE):
            return None
        if column.shapes.get("serial day", 0.0) >= FORM_SHARE:
            return "excel-serial"
        return "day-first" if column.shapes.get("day-first date", 0.0) >= FORM_SHARE else None


def _encodings(table: TableProfile) -> Mapping[str, EncodingSeen]:
    """Return the encodings seen; what few words say counts where a sure column of the table says the same."""
    seen = {column.name: column.encoding for column in table.columns if column.encoding is not None}
    sure = {each.encoding for each in seen.values() if each.sure}
    return {name: each for name, each in seen.items() if each.encoding in sure}


def _assign(suggestions: Mapping[str, Sequence[Suggestion]]) -> Mapping[str, Suggestion]:
    """Give each column at most one element and each element at most one column, the surest first."""
    pairs = sorted(
        ((each.score, name, each) for name, found in suggestions.items() for each in found),
        key=lambda pair: (-pair[0], pair[1], pair[2].element),
    )
    chosen: dict[str, Suggestion] = {}
    taken: set[ElementId] = set()
    for score, name, each in pairs:
        if score >= ACCEPTED_FROM and name not in chosen and each.element not in taken:
            chosen[name] = each
            taken.add(each.element)
    return chosen


def notes(proposal: TableProposal) -> Mapping[str, tuple[str, ...]]:
    """Return comment lines for the mapping file: what was considered for every column, and why."""
    return {
        name: (
            *(
                f"{each.score:.2f} {each.element}: {'; '.join(reason for reason in each.reasons if reason)}"
                for each in found
            ),
            *([_told(proposal.encodings[name])] if name in proposal.encodings else []),
        )
        for name, found in proposal.suggestions.items()
    }


def _told(seen: EncodingSeen) -> str:
    share = "values whose encoding is certain" if seen.encoding == MIXED else "confidence"
    return f"encoding {seen.encoding}: {share} {seen.confidence:.2f}, from {seen.values} different values"
