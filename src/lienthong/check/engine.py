"""Judge a batch: one pass of columnar expressions, four outcomes for each rule and row.

A rule that cannot be run gives the fourth outcome on its own column. It never costs the batch, and it never looks
like bad data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from lienthong.check.columns import ROW_COLUMNS, fact_columns, known_columns
from lienthong.check.facts import Fact, plan_facts, row_columns
from lienthong.check.language import parse_predicate, to_polars
from lienthong.check.masking import mask
from lienthong.check.verdict import FINDING_SCHEMA, JudgedBatch, Letter, Rule, RuleSet, Severity
from lienthong.dictionary.model import Dictionary, ElementId, Sensitivity
from lienthong.standardise.batch import Event, RecordBatch

UNIQUE: Final = "unique"

# Polars raises its own errors for what it refuses and a panic for its own faults; neither may cost a batch.
_ENGINE_ERRORS: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)

# What is reported: a broken rule, and what holds a record back without being broken.
_FINDS: Final = {
    Severity.BLOCKING: [Letter.FAIL, Letter.NOT_EVALUATED],
    Severity.ERROR: [Letter.FAIL],
    Severity.WARNING: [Letter.FAIL],
}

_PASS, _FAIL = pl.lit(Letter.PASS), pl.lit(Letter.FAIL)
_NOT_APPLICABLE, _NOT_EVALUATED = pl.lit(Letter.NOT_APPLICABLE), pl.lit(Letter.NOT_EVALUATED)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bound:
    """A rule with the expression of its letter."""

    rule: Rule
    letter: pl.Expr
    shows: str | None  # column shown as observed
    sensitivity: Sensitivity


class Checker:
    """Judge batches of one dataset; compiled once, used for every batch."""

    def __init__(self, dictionary: Dictionary, rule_set: RuleSet) -> None:
        dataset = rule_set.dataset
        self.rule_set = rule_set
        columns = known_columns(dictionary, dataset)
        elements = {dictionary.elements[m.element].technical_name: m.element for m in dataset.members}
        self._record_date = (
            None if dataset.record_date is None else dictionary.elements[dataset.record_date].technical_name
        )
        read: set[str] = set()
        self._bound: list[_Bound] = []
        key = tuple(dictionary.elements[element].technical_name for element in dataset.key)
        for rule in rule_set.rules:
            if rule.over is None:
                when = parse_predicate(rule.when, columns=columns)
                check = parse_predicate(rule.check, columns=columns)
                read.update(when.columns, check.columns)
                letter = _letter(to_polars(when), to_polars(check))
            else:
                letter = _letter_over(rule, key)
            self._bound.append(_bind(dictionary, elements, rule, letter))
        facts = {name for element in elements.values() for name in fact_columns(dictionary, element)}
        self._facts = plan_facts(dictionary, dataset, read & facts)

    def judge(
        self, records: RecordBatch, *, oversized: pl.Series | None = None, texts: pl.DataFrame | None = None
    ) -> JudgedBatch:
        """Return the batch with a letter per rule and row, who is held back, and the findings.

        ``oversized`` has one Boolean per row, or the names of the source columns over the limit. ``texts`` may have
        the texts as the source sent them, by technical name: what is shown where a value could not be read.
        """
        frame = row_columns(records, record_date=self._record_date, oversized=oversized)
        frame = _with_facts(frame, self._facts)
        letters = _letters(frame, self._bound)
        cancelled = records.envelope["_event"] == Event.CANCEL
        verdict = letters.select(
            pl.when(~cancelled).then(pl.concat_str(pl.all()) if self._bound else pl.lit("")).alias("judgement"),
            (_held(self._bound) & ~cancelled).alias("quarantined"),
        )
        return JudgedBatch(
            records=records,
            rules=self.rule_set,
            judgement=verdict["judgement"],
            quarantined=verdict["quarantined"],
            findings=_findings(frame, letters, self._bound, envelope=records.envelope, texts=texts),
        )


def _bind(dictionary: Dictionary, elements: dict[str, ElementId], rule: Rule, letter: pl.Expr) -> _Bound:
    shows = rule.shows if rule.shows is not None else rule.element
    element = None if shows is None else elements.get(shows)
    # Columns the checks add name columns of the source, never values of records.
    sensitivity = Sensitivity.INTERNAL if element is None else dictionary.elements[element].sensitivity
    assert shows is None or shows in elements or shows in ROW_COLUMNS, f"rule {rule.name} shows {shows}"
    return _Bound(rule=rule, letter=letter, shows=shows, sensitivity=sensitivity)


def _letter(when: pl.Expr, check: pl.Expr) -> pl.Expr:
    """Where ``when`` is false or unknown the rule does not apply; an unknown ``check`` could not be evaluated."""
    return (
        pl.when(when.fill_null(value=False).not_())
        .then(_NOT_APPLICABLE)
        .when(check.is_null())
        .then(_NOT_EVALUATED)
        .when(check)
        .then(_PASS)
        .otherwise(_FAIL)
    )


def _letter_over(rule: Rule, key: tuple[str, ...]) -> pl.Expr:
    """Presume that nobody else has the value: the store corrects it where somebody does."""
    names = key if rule.element is None else (rule.element,)
    if rule.over != UNIQUE or not names:
        return _NOT_APPLICABLE
    filled = pl.all_horizontal(pl.col(name).is_not_null() for name in names)
    return pl.when(filled).then(_PASS).otherwise(_NOT_APPLICABLE)


def _with_facts(frame: pl.DataFrame, facts: tuple[Fact, ...]) -> pl.DataFrame:
    made = []
    for fact in facts:
        try:
            made.append(fact.make(frame))
        except _ENGINE_ERRORS:
            continue  # the rules that read these columns get the fourth outcome
    return pl.concat([frame, *made], how="horizontal") if made else frame


def _letters(frame: pl.DataFrame, bound: list[_Bound]) -> pl.DataFrame:
    """Return a column of letters per rule, named by its place."""
    named = [each.letter.alias(str(place)) for place, each in enumerate(bound)]
    if not named:
        return frame.select(pl.repeat("", pl.len()).alias("none")).drop("none")
    try:
        return _at_once(frame, named)
    except _ENGINE_ERRORS:
        return pl.concat([_alone(frame, letter, str(place)) for place, letter in enumerate(named)], how="horizontal")


def _at_once(frame: pl.DataFrame, letters: list[pl.Expr]) -> pl.DataFrame:
    # With columns of the frame as the base, a literal letter gets as many rows as there are.
    names = [letter.meta.output_name() for letter in letters]
    return frame.lazy().with_columns(letters).select(names).collect(engine="in-memory")


def _alone(frame: pl.DataFrame, letter: pl.Expr, name: str) -> pl.DataFrame:
    try:
        return _at_once(frame, [letter])
    except _ENGINE_ERRORS:
        return pl.DataFrame({name: pl.repeat(Letter.NOT_EVALUATED, frame.height, eager=True)})


def _held(bound: list[_Bound]) -> pl.Expr:
    """Say which rows a blocking rule holds back."""
    blocking = [str(place) for place, each in enumerate(bound) if each.rule.severity is Severity.BLOCKING]
    if not blocking:
        return pl.lit(value=False)
    return pl.any_horizontal(pl.col(name).is_in(_FINDS[Severity.BLOCKING]) for name in blocking)


def _findings(
    frame: pl.DataFrame,
    letters: pl.DataFrame,
    bound: list[_Bound],
    *,
    envelope: pl.DataFrame,
    texts: pl.DataFrame | None,
) -> pl.DataFrame:
    """Return a line per broken rule and row, in order of rows and then of rules; only these rows are touched."""
    if not bound or letters.is_empty():
        return pl.DataFrame(schema=dict(FINDING_SCHEMA))
    marks = letters.select(
        (pl.col(str(place)).is_in(_FINDS[each.rule.severity]) & (envelope["_event"] != Event.CANCEL))
        for place, each in enumerate(bound)
    )
    found = [place for place, any_found in enumerate(marks.select(pl.all().any()).row(0)) if any_found]
    if not found:
        return pl.DataFrame(schema=dict(FINDING_SCHEMA))
    parts: dict[Sensitivity, list[pl.DataFrame]] = {}
    for place in found:
        rows = marks[str(place)].arg_true()
        text = _observed(frame, bound[place], rows, texts)
        part = pl.DataFrame([rows.cast(pl.UInt32).alias("row"), text.alias("observed")])
        parts.setdefault(bound[place].sensitivity, []).append(part.with_columns(place=pl.lit(place)))
    # Masking costs most, so it runs once for each sensitivity and not once for each rule.
    masked = [
        pl.concat(part).with_columns(mask(pl.col("observed"), sensitivity)) for sensitivity, part in parts.items()
    ]
    findings = pl.concat(masked).sort("row", "place")
    names = pl.Series([each.rule.name for each in bound])
    return findings.select(
        "row",
        envelope["_record_id"].gather(findings["row"]).alias("record_id"),
        names.gather(findings["place"]).alias("rule"),
        "observed",
    )


def _observed(frame: pl.DataFrame, bound: _Bound, rows: pl.Series, texts: pl.DataFrame | None) -> pl.Series:
    if bound.shows is None:
        return pl.Series([None], dtype=pl.String).new_from_index(0, rows.len())
    value = frame[bound.shows].gather(rows)
    text = value.list.join(", ") if isinstance(value.dtype, pl.List) else value
    text = text if text.dtype == pl.String else text.cast(pl.String)
    if texts is not None and bound.shows in texts.columns:
        text = text.zip_with(text.is_not_null(), texts[bound.shows].gather(rows))
    return text
