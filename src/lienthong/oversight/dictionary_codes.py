"""A code list on a day, and everything one code has meant (trang danh mục, trang mã): plain values for the faces.

A code alone means nothing: every row says what its code meant on other days, and a day between two dated lists
gives all that the code may have meant.
"""

from __future__ import annotations

import csv
import functools
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from lienthong.dictionary.canonical import item_hash
from lienthong.dictionary.exports.workbook import CELL_CHARACTERS_MAX, Sheet, sheet_names
from lienthong.dictionary.finding import folded
from lienthong.dictionary.meanings import Meaning, MeaningIndex
from lienthong.dictionary.model import CodeList, CodeListId, Dictionary, Succession
from lienthong.dictionary.search import Kind, NameKind, SearchIndex, Subject, Tier
from lienthong.oversight.dictionary_pages import SourceLine, Standing, source_lines, standing_of

CODES_A_PAGE: Final = 50
DAYS_KEPT_MAX: Final = 8
FLOWS_SHOWN_MAX: Final = 40
CSV_COLUMNS: Final = (
    "ma", "ten", "ten_tieng_anh", "ma_cap_tren", "ten_cap_tren", "hieu_luc_tu", "het_hieu_luc_tu", "ghi_chu", "nguon",
)  # fmt: skip

SHEET_TITLES: Final = (
    "Mã", "Tên", "Tên tiếng Anh", "Mã cấp trên", "Tên cấp trên", "Hiệu lực từ", "Hết hiệu lực từ", "Ghi chú", "Nguồn",
)  # fmt: skip
SHEET_WIDTHS: Final = (12, 40, 30, 12, 30, 13, 15, 50, 40)

_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")
_APART: Final = "\t"

_LabelOf = Callable[[str | None], str | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherMeaning:
    """What a code meant on other days."""

    label: str
    earlier: bool  # than the meaning it stands beside
    on: date | None  # the day the meaning changed: from then on, or until then; None: no source says


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeRow:
    """One code as it is on a day."""

    code: str
    label: str
    label_en: str | None
    parent: str | None
    parent_label: str | None
    within_label: str | None  # level between, where the list had one
    valid_from: date | None
    valid_to: date | None
    source: str | None
    seen_only: bool  # known from dated copies of the list, not from a document with days
    alternatives: tuple[str, ...]  # what else it may have been: the day lies between two dated lists
    others: tuple[OtherMeaning, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ParentChoice:
    """A code of the level above, and how many codes it has."""

    code: str
    label: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeListHead:
    """What is true of a list on every day."""

    standing: Standing
    label: str
    complete: bool
    rows: int
    codes: int
    dated: bool  # some code has a first or last day
    parent_list: tuple[str, str] | None
    elements: tuple[tuple[str, str], ...]
    sources: tuple[SourceLine, ...]
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CodesPage:
    """One page of a list on a day."""

    day: date
    rows: tuple[CodeRow, ...]
    found: int
    in_force: int
    page: int
    pages: int
    parents: tuple[ParentChoice, ...]
    parent: str
    since_unknown: int
    reused: int  # codes in force that meant something else before
    doubtful: int
    turning_days: tuple[date, ...]  # days on which many codes changed, newest first


@dataclass(frozen=True, kw_only=True, slots=True)
class PeriodLine:
    """One thing a code meant."""

    label: str
    valid_from: date | None
    valid_to: date | None
    seen_from: date | None
    seen_to: date | None
    parent: str | None
    parent_label: str | None
    within_label: str | None
    source: str | None
    asked: bool  # it may have held on the day asked


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowLine:
    """One line of a conversion: where a code went, or came from."""

    on: date
    code: str
    label: str | None
    kind: str
    source: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CodePage:
    """Everything a code has meant."""

    list_id: str
    list_label: str
    code: str
    day: date
    answer: str  # one, several, none
    labels: tuple[str, ...]
    periods: tuple[PeriodLine, ...]
    became: tuple[FlowLine, ...]
    came_from: tuple[FlowLine, ...]
    spellings: tuple[str, ...]


class CodeBook:
    """A code list prepared once for many questions; safe for several threads."""

    def __init__(self, dictionary: Dictionary, list_id: CodeListId) -> None:
        self.code_list: CodeList = dictionary.code_lists[list_id]
        self._dictionary = dictionary
        self.meanings = MeaningIndex.of(self.code_list)
        self._english: Mapping[tuple[str, date | None], str] = {
            (one.code, one.valid_from): one.label.en for one in self.code_list.codes if one.label.en is not None
        }
        self._seen_from = {(one.code, one.label, one.seen_to): one.seen_from for one in self.code_list.sightings}
        self._parents = self._index(self.code_list.parent_list)
        self._districts = self._index(self.code_list.within_list)
        self._forward = _gathered(self.code_list.successions, key=lambda one: one.old)
        self._backward = _gathered(self.code_list.successions, key=lambda one: one.new)
        self.rows_on = functools.lru_cache(maxsize=DAYS_KEPT_MAX)(self._rows_on)

    @functools.cached_property
    def codes(self) -> tuple[str, ...]:
        """Return every code the list ever had, in order."""
        return tuple(sorted({*self.meanings.codes, *self.meanings.sightings}))

    @functools.cached_property
    def _search(self) -> SearchIndex:
        pairs = dict.fromkeys((code, meaning.label) for code in self.codes for meaning in self.meanings.all_of(code))
        return SearchIndex(
            Subject(
                kind=Kind.CODE, id=f"{code}{_APART}{label}", names=((NameKind.LABEL, label), (NameKind.CODE, code))
            )
            for code, label in pairs
        )

    @functools.cached_property
    def head(self) -> CodeListHead:
        """Return what is true of the list on every day."""
        one = self.code_list
        domains = {name for name, each in self._dictionary.domains.items() if each.code_list == one.identity.id}
        parent = None if one.parent_list is None else self._dictionary.code_lists[one.parent_list]
        return CodeListHead(
            standing=standing_of(one.identity),
            label=one.label.vi,
            complete=one.complete,
            rows=len(one.codes),
            codes=len(self.codes),
            dated=any(each.valid_from or each.valid_to for each in one.codes),
            parent_list=None if parent is None else (parent.identity.id, parent.label.vi),
            elements=tuple(
                (name, element.label.vi)
                for name, element in self._dictionary.elements.items()
                if element.value_domain.id in domains
            ),
            sources=source_lines(one.sources),
            hash=item_hash(one),
        )

    def page(self, day: date, *, query: str, parent: str, page: int) -> CodesPage:
        """Return the codes in force on a day, narrowed down by a query and a parent; an unknown parent is ignored."""
        rows = self.rows_on(day)
        parents = _parents(rows)
        parent = parent if any(one.code == parent for one in parents) else ""
        kept = [row for row in rows if not parent or row.parent == parent]
        if query:
            kept = self._found(kept, query)
        pages = max(1, -(-len(kept) // CODES_A_PAGE))
        page = min(max(1, page), pages)
        return CodesPage(
            day=day,
            rows=tuple(kept[(page - 1) * CODES_A_PAGE : page * CODES_A_PAGE]),
            found=len(kept),
            in_force=len(rows),
            page=page,
            pages=pages,
            parents=parents,
            parent=parent,
            since_unknown=sum(row.valid_from is None for row in rows),
            reused=sum(any(other.earlier for other in row.others) for row in rows),
            doubtful=sum(bool(row.alternatives) for row in rows),
            turning_days=self.turning_days,
        )

    @functools.cached_property
    def turning_days(self) -> tuple[date, ...]:
        """Return the days on which codes began, newest first: the days worth looking at."""
        begun = Counter(one.valid_from for one in self.code_list.codes if one.valid_from is not None)
        return tuple(sorted(begun, reverse=True)[:4])

    def code_page(self, code: str, day: date) -> CodePage | None:
        """Return everything a code has meant, or None when the list never had it."""
        meanings = self.meanings.all_of(code)
        if not meanings:
            return None
        asked = self.meanings.on(code, day)
        return CodePage(
            list_id=self.code_list.identity.id,
            list_label=self.code_list.label.vi,
            code=code,
            day=day,
            answer="none" if not asked else "one" if len(asked) == 1 else "several",
            labels=tuple(dict.fromkeys(one.label for one in asked)),
            periods=tuple(self._period(one, asked=one in asked) for one in meanings),
            became=tuple(self._flow(one, ahead=True) for one in self._forward.get(code, ())[:FLOWS_SHOWN_MAX]),
            came_from=tuple(self._flow(one, ahead=False) for one in self._backward.get(code, ())[:FLOWS_SHOWN_MAX]),
            spellings=tuple(spelling for spelling, meant in self.code_list.aliases if meant == code),
        )

    def _index(self, list_id: CodeListId | None) -> MeaningIndex | None:
        return None if list_id is None else MeaningIndex.of(self._dictionary.code_lists[list_id])

    def _found(self, rows: Sequence[CodeRow], query: str) -> list[CodeRow]:
        hits = self._search.search(query)
        # What merely looks alike would bury what was asked for: a code is not like its neighbour.
        good = [hit for hit in hits if hit.tier is not Tier.SIMILAR] or (() if query.isdigit() else hits)
        rank = {hit.id: place for place, hit in enumerate(good)}
        ranked = [
            (min(places), row)
            for row in rows
            if (
                places := [
                    rank[key]
                    for label in (row.label, *row.alternatives)
                    if (key := f"{row.code}{_APART}{label}") in rank
                ]
            )
        ]
        return [row for _, row in sorted(ranked, key=lambda pair: (pair[0], pair[1].code))]

    def _rows_on(self, day: date) -> tuple[CodeRow, ...]:
        parent_label = functools.cache(lambda parent: _label_on(self._parents, parent, day))
        within_label = functools.cache(lambda within: _label_on(self._districts, within, day))
        return tuple(
            self._row(code, meant, day, parent_label, within_label)
            for code in self.codes
            if (meant := self.meanings.on(code, day))
        )

    def _row(
        self, code: str, meant: Sequence[Meaning], day: date, parent_label: _LabelOf, within_label: _LabelOf
    ) -> CodeRow:
        first = meant[0]
        labels = list(dict.fromkeys(one.label for one in meant))
        parent = self._parent(first, day)
        return CodeRow(
            code=code,
            label=first.label,
            label_en=self._english.get((code, first.valid_from)),
            parent=parent,
            parent_label=parent_label(parent),
            within_label=within_label(first.within),
            valid_from=first.valid_from,
            valid_to=first.valid_to if first.seen_to is None else None,
            source=first.source,
            seen_only=first.seen_to is not None,
            alternatives=tuple(labels[1:]),
            others=self._others(code, meant),
        )

    def _others(self, code: str, meant: Sequence[Meaning]) -> tuple[OtherMeaning, ...]:
        """Return the meanings of other days under another name, oldest first."""
        everything = self.meanings.all_of(code)
        if len(everything) == 1:
            return ()
        here = everything.index(meant[-1])
        names = {folded(one.label) for one in meant}
        found: dict[str, OtherMeaning] = {}
        for place, one in enumerate(everything):
            if folded(one.label) in names:
                continue
            earlier = place < here
            turned = one.valid_to if earlier else one.valid_from
            found[one.label] = OtherMeaning(
                label=one.label, earlier=earlier, on=None if one.seen_to is not None else turned
            )
        return tuple(found.values())

    def _parent(self, meaning: Meaning, day: date) -> str | None:
        if meaning.parent is not None or meaning.within is None or self._districts is None:
            return meaning.parent
        # Dated copies name the district only; the district knows its province.
        above = self._districts.on(meaning.within, day) or self._districts.all_of(meaning.within)
        return next((one.parent or one.within for one in above if one.parent or one.within), None)

    def _period(self, meaning: Meaning, *, asked: bool) -> PeriodLine:
        day = meaning.seen_to or meaning.valid_from or date.min
        parent = self._parent(meaning, day)
        return PeriodLine(
            label=meaning.label,
            valid_from=meaning.valid_from,
            valid_to=meaning.valid_to,
            seen_from=self._seen_from.get((meaning.code, meaning.label, meaning.seen_to or date.min)),
            seen_to=meaning.seen_to,
            parent=parent,
            parent_label=_label_on(self._parents, parent, day),
            within_label=_label_on(self._districts, meaning.within, day),
            source=meaning.source,
            asked=asked,
        )

    def _flow(self, one: Succession, *, ahead: bool) -> FlowLine:
        code = one.new if ahead else one.old
        known = self.meanings.codes.get(code, ())
        touching = [each for each in known if (each.valid_from if ahead else each.valid_to) == one.on]
        label = touching[0].label.vi if touching else None
        return FlowLine(on=one.on, code=code, label=label, kind=one.kind, source=one.source)


def _gathered(
    successions: Sequence[Succession], *, key: Callable[[Succession], str]
) -> Mapping[str, tuple[Succession, ...]]:
    found: defaultdict[str, list[Succession]] = defaultdict(list)
    for one in successions:
        found[key(one)].append(one)
    return {code: tuple(lines) for code, lines in found.items()}


def codes_csv(rows: Sequence[CodeRow]) -> str:
    """Return the rows as CSV for people: UTF-8 with a byte order mark, every cell quoted, no cell a formula.

    Vietnamese: tệp danh mục theo ngày. Codes are texts and keep their leading zeros.
    """
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in _cells(row)])
    return text.getvalue()


def codes_sheet(rows: Sequence[CodeRow], *, list_id: str, on: date) -> Sheet:
    """Return the rows as a sheet to write; its cells are texts, so that no spreadsheet takes 00008 for 8."""
    (name,) = sheet_names((f"{on.isoformat()} {list_id}",))
    cells = (tuple(cell[:CELL_CHARACTERS_MAX] for cell in _cells(row)) for row in rows)
    return Sheet(name=name, rows=(SHEET_TITLES, *cells), widths=SHEET_WIDTHS)


def _cells(row: CodeRow) -> tuple[str, ...]:
    notes = [f"có thể là: {label}" for label in row.alternatives]
    notes += [f"{'trước' if one.earlier else 'sau'} đó mã này là: {one.label}" for one in row.others]
    return (
        row.code,
        row.label,
        row.label_en or "",
        row.parent or "",
        row.parent_label or "",
        "" if row.valid_from is None else row.valid_from.isoformat(),
        "" if row.valid_to is None else row.valid_to.isoformat(),
        "; ".join(notes),
        row.source or "",
    )


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_SIGNS) else cell


def _parents(rows: Sequence[CodeRow]) -> tuple[ParentChoice, ...]:
    counted = Counter(row.parent for row in rows if row.parent is not None)
    labels = {row.parent: row.parent_label for row in rows}
    return tuple(
        ParentChoice(code=code, label=labels[code] or code, count=count) for code, count in sorted(counted.items())
    )


def _label_on(index: MeaningIndex | None, code: str | None, day: date) -> str | None:
    if index is None or code is None:
        return None
    meant = index.on(code, day) or index.all_of(code)[-1:]
    return meant[0].label if meant else None
