"""A rule set made ready for any engine: what it reads and shows, what judgements mean (chương trình kiểm tra).

An engine is given a table of one row per record (``examined_schema``) and answers with a letter per rule and row. All
that follows from the letters, counts and findings and masks, is worked out here, once, for all engines.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from lienthong.check.columns import OUTCOME, ROW_COLUMNS, TEXT, fact_columns, known_columns
from lienthong.check.language import Predicate, parse_predicate
from lienthong.check.masking import DIVIDED_FROM_TEXTS, masked
from lienthong.check.verdict import Letter, Rule, RuleSet, Severity
from lienthong.dictionary.model import Dictionary, Sensitivity
from lienthong.standardise.plan import schema_of

TOGETHER_MAX: Final = DIVIDED_FROM_TEXTS  # findings spelled in one step

UNIQUE: Final = "unique"
RECORD_ID: Final = "_record_id"
JUDGEMENT: Final = "_judgement"
ROWS: Final = "rows"

# What is reported: a broken rule, and what holds a record back without being broken.
FINDS: Final[Mapping[Severity, tuple[str, ...]]] = {
    Severity.BLOCKING: (Letter.FAIL, Letter.NOT_EVALUATED),
    Severity.ERROR: (Letter.FAIL,),
    Severity.WARNING: (Letter.FAIL,),
}

FOUND_SCHEMA: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "record_id": pl.String,
    "rule": pl.String,  # Rule.name
    "element": pl.String,  # technical name; null for a rule about the whole record
    "observed": pl.String,  # masked by the element's sensitivity; null when empty
}


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundRule:
    """A rule with its predicates read; one that is about other records has none."""

    rule: Rule
    when: Predicate | None
    check: Predicate | None
    key: tuple[str, ...]  # columns that no other record may share; empty for every rule but those
    shows: str | None  # column shown as observed
    sensitivity: Sensitivity

    @property
    def reads(self) -> frozenset[str]:
        """Return the columns its predicates read."""
        return frozenset(name for part in (self.when, self.check) if part is not None for name in part.columns)


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleOutcome:
    """How many rows a rule passed, failed, did not concern or could not judge."""

    rule: Rule
    passed: int
    failed: int
    not_applicable: int
    not_evaluated: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleProgram:
    """All rules of a dataset with what they need; the same for every engine."""

    dictionary: Dictionary
    rules: RuleSet
    bound: tuple[BoundRule, ...]
    record_date: str | None

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Return name and type of every column of the table to be examined."""
        return examined_schema(self.dictionary, self.rules)

    @property
    def shown(self) -> tuple[str, ...]:
        """Return the columns a finding may show: values, what the source wrote instead, and marks."""
        columns = self.schema
        names = dict.fromkeys(each.shows for each in self.bound if each.shows is not None)
        return tuple(name for shows in names for name in (shows, shows + TEXT) if name in columns)

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the columns of the examined table that judging reads; what is shown is read for few rows."""
        wanted = {name for each in self.bound for name in (*each.reads, *each.key)}
        dataset = self.rules.dataset
        for member in dataset.members:
            facts = wanted & set(fact_columns(self.dictionary, member.element))
            if facts:
                wanted |= {self.dictionary.elements[member.element].technical_name, *_DAYS}
        return tuple(name for name in self.schema if name in wanted)

    def outcomes(self, patterns: pl.DataFrame) -> tuple[RuleOutcome, ...]:
        """Count the letters of each rule; ``patterns`` has each judgement once (``_judgement``, ``rows``)."""
        counts: list[dict[str, int]] = [dict.fromkeys(_LETTERS, 0) for _ in self.bound]
        for judgement, times in patterns.select(JUDGEMENT, ROWS).iter_rows():
            assert len(judgement) == len(counts), "a judgement has a letter for each rule"
            for place, letter in enumerate(judgement):
                counts[place][letter] += times
        return tuple(
            RuleOutcome(
                rule=each.rule,
                passed=count[Letter.PASS],
                failed=count[Letter.FAIL],
                not_applicable=count[Letter.NOT_APPLICABLE],
                not_evaluated=count[Letter.NOT_EVALUATED],
            )
            for each, count in zip(self.bound, counts, strict=True)
        )

    def rows_with(self, patterns: pl.DataFrame, *severities: Severity) -> int:
        """Count the rows on which a rule of one of these severities has a finding."""
        marks = [
            pl.col(JUDGEMENT).str.slice(place, 1).is_in(FINDS[each.rule.severity])
            for place, each in enumerate(self.bound)
            if each.rule.severity in severities
        ]
        return int(patterns.filter(pl.any_horizontal(marks))[ROWS].sum()) if marks else 0

    def findings(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return a line per broken rule and row, in the order of ``rows`` and then of rules (``FOUND_SCHEMA``).

        ``rows`` has ``_record_id``, ``_judgement`` and the columns of ``shown``; rows without findings give none.
        """
        letters = rows.select(
            _is_one_of(pl.col(JUDGEMENT).str.slice(place, 1), FINDS[each.rule.severity]).alias(str(place))
            for place, each in enumerate(self.bound)
        )
        marks = {place: letters[str(place)] for place in range(len(self.bound))}
        found = spell(rows, {place: at for place, at in marks.items() if at.any()}, self.bound)
        names = pl.Series([each.rule.name for each in self.bound], dtype=pl.String)
        elements = pl.Series([each.rule.element for each in self.bound], dtype=pl.String)
        return pl.DataFrame(
            {
                "record_id": rows[RECORD_ID].gather(found["row"]),
                "rule": names.gather(found["place"]),
                "element": elements.gather(found["place"]),
                "observed": found["observed"],
            },
            schema=dict(FOUND_SCHEMA),
        )


_LETTERS: Final = (Letter.PASS, Letter.FAIL, Letter.NOT_APPLICABLE, Letter.NOT_EVALUATED)
_DAYS: Final = frozenset({"record_day"})


def added(parts: Iterable[tuple[RuleOutcome, ...]]) -> tuple[RuleOutcome, ...]:
    """Add up what became of the parts of a table."""
    return tuple(
        RuleOutcome(
            rule=same[0].rule,
            passed=sum(each.passed for each in same),
            failed=sum(each.failed for each in same),
            not_applicable=sum(each.not_applicable for each in same),
            not_evaluated=sum(each.not_evaluated for each in same),
        )
        for same in zip(*parts, strict=True)
    )


def examined_schema(dictionary: Dictionary, rules: RuleSet) -> dict[str, pl.DataType]:
    """Return the columns on which every engine runs: one row per record, one meaning per column.

    The record's id, the values, what the standardiser did (``<c>__outcome``), days and marks, and what the source
    wrote where a value is null (``<c>__text``).
    """
    values = schema_of(dictionary, rules.dataset)
    columns: dict[str, pl.DataType] = {RECORD_ID: pl.String()}
    columns.update(values)
    columns.update({name + OUTCOME: pl.UInt8() for name in values})
    columns.update(ROW_COLUMNS)
    columns.update({name + TEXT: pl.String() for name in values})
    return columns


def compile_program(dictionary: Dictionary, rules: RuleSet) -> RuleProgram:
    """Read every predicate of a rule set and bind it to the columns it shows.

    Raises:
        PredicateRefused, ColumnUnknown: a rule is written outside the language.
    """
    dataset = rules.dataset
    columns = known_columns(dictionary, dataset)
    elements = {dictionary.elements[member.element].technical_name: member.element for member in dataset.members}
    key = tuple(dictionary.elements[element].technical_name for element in dataset.key)
    bound = []
    for rule in rules.rules:
        shows = rule.shows if rule.shows is not None else rule.element
        element = None if shows is None else elements.get(shows)
        assert shows is None or shows in elements or shows in ROW_COLUMNS, f"rule {rule.name} shows {shows}"
        alone = rule.over is None
        bound.append(
            BoundRule(
                rule=rule,
                when=parse_predicate(rule.when, columns=columns) if alone else None,
                check=parse_predicate(rule.check, columns=columns) if alone else None,
                key=(key if rule.element is None else (rule.element,)) if rule.over == UNIQUE else (),
                shows=shows,
                # Columns the checks add name columns of the source, never values of records.
                sensitivity=Sensitivity.INTERNAL if element is None else dictionary.elements[element].sensitivity,
            )
        )
    date = dataset.record_date
    return RuleProgram(
        dictionary=dictionary,
        rules=rules,
        bound=tuple(bound),
        record_date=None if date is None else dictionary.elements[date].technical_name,
    )


def spell(rows: pl.DataFrame, marks: Mapping[int, pl.Series], bound: tuple[BoundRule, ...]) -> pl.DataFrame:
    """Return (row, place, observed) where rules are broken, by row and then by rule.

    ``marks`` says by place of the rule on which rows it is broken.
    """
    if not marks:
        return pl.DataFrame(schema={"row": pl.UInt32, "observed": pl.String, "place": pl.Int32})
    if sum(at.sum() for at in marks.values()) <= TOGETHER_MAX:
        return _spelled_together(rows, marks, bound)
    parts: dict[Sensitivity, list[pl.DataFrame]] = {}
    for place, marked in marks.items():
        at = marked.arg_true()
        found = pl.DataFrame([at.cast(pl.UInt32).alias("row"), _observed(rows, bound[place], at).alias("observed")])
        parts.setdefault(bound[place].sensitivity, []).append(found.with_columns(place=pl.lit(place, pl.Int32)))
    # Masking costs most, so it runs once for each sensitivity and not once for each rule.
    told = []
    for sensitivity, part in parts.items():
        together = pl.concat(part)
        told.append(together.with_columns(masked(together["observed"], sensitivity).alias("observed")))
    return pl.concat(told).sort("row", "place")


def _spelled_together(
    rows: pl.DataFrame, marks: Mapping[int, pl.Series], bound: tuple[BoundRule, ...]
) -> pl.DataFrame:
    """Do the same for few findings in few steps: each step has its price, whatever the number of rows."""
    some = functools.reduce(operator.or_, marks.values())
    shown = dict.fromkeys(bound[place].shows for place in marks)
    names = [name for column in shown if column is not None for name in (column, column + TEXT)]
    numbers = pl.int_range(rows.height, dtype=pl.UInt32, eager=True).alias("row")
    picked = pl.DataFrame([numbers, *(rows[name] for name in names if name in rows.columns)]).filter(some)
    nothing = pl.repeat(None, picked.height, dtype=pl.String)
    texts = picked.select(
        (nothing if column is None else _text(picked, column)).alias(str(number))
        for number, column in enumerate(shown)
    )
    at = {column: str(number) for number, column in enumerate(shown)}
    parts: dict[Sensitivity, list[tuple[int, pl.Series, pl.Series]]] = {}
    for place, marked in marks.items():
        here = marked.filter(some)
        found = (place, picked["row"].filter(here), texts[at[bound[place].shows]].filter(here))
        parts.setdefault(bound[place].sensitivity, []).append(found)
    told = [
        pl.DataFrame(
            [
                pl.concat([at_rows for _, at_rows, _ in part]),
                masked(pl.concat([observed for _, _, observed in part]), sensitivity).alias("observed"),
                pl.concat([_same(place, at_rows.len()) for place, at_rows, _ in part]),
            ]
        )
        for sensitivity, part in parts.items()
    ]
    return pl.concat(told).sort("row", "place")


def _same(place: int, rows: int) -> pl.Series:
    return pl.Series("place", [place], dtype=pl.Int32).new_from_index(0, rows)


def _text(rows: pl.DataFrame, name: str) -> pl.Expr:
    """Return a column as texts, with what the source wrote where there is no value."""
    value = pl.col(name)
    text = value.list.join(", ") if isinstance(rows.schema[name], pl.List) else value.cast(pl.String)
    written = name + TEXT
    return pl.when(text.is_not_null()).then(text).otherwise(pl.col(written)) if written in rows.columns else text


def _is_one_of(letter: pl.Expr, signs: tuple[str, ...]) -> pl.Expr:
    return pl.any_horizontal(letter == sign for sign in signs)  # a look-up in a set costs more than two comparisons


def _observed(rows: pl.DataFrame, bound: BoundRule, at: pl.Series) -> pl.Series:
    if bound.shows is None:
        return pl.Series([None], dtype=pl.String).new_from_index(0, at.len())
    value = rows[bound.shows].gather(at)
    text = value.list.join(", ") if isinstance(value.dtype, pl.List) else value
    text = text if text.dtype == pl.String else text.cast(pl.String)
    written = bound.shows + TEXT
    return text.zip_with(text.is_not_null(), rows[written].gather(at)) if written in rows.columns else text
