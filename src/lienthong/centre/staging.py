"""How the rows of a batch follow one another: pure preparation of what the store writes in one go.

Applied one by one, a record's rows would form a chain: a good row replaces the one before it, a cancel ends it, a bad
row waits in quarantine until the next row settles it. Here the chain is worked out on columns, so that the store
needs one statement for each effect instead of one for each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from lienthong.centre.tables import TableSpec
from lienthong.check.verdict import JudgedBatch, Letter, RuleSet, Severity
from lienthong.standardise.batch import Event

KIND_GOOD = "G"
KIND_BAD = "B"
KIND_CANCEL = "C"
UNIQUE = "unique"
SNAPSHOT_NUMBER = -1  # a row read by a snapshot stands before every change committed at the same position
BUSINESS_KEY_BYTES_MAX = 1_000  # longer keys cannot be indexed, and no true key is that long
EMPTY_IMAGE = "{}"

STAGE_SCHEMA: Mapping[str, str] = {
    "_row": "integer",
    "_kind": "text",
    "_last": "boolean",  # the row that decides: last good or cancel of its record, or last of all and bad
    "_counted": "boolean",
    "_record_id": "text",
    "_event": "text",
    "_version": "bigint",
    "_number": "integer",
    "_source_time": "timestamp with time zone",
    "_from": "timestamp with time zone",  # never before the row it follows, whatever the source's clock did
    "_until": "timestamp with time zone",
    "_ended_by": "text",
    "_ended_version": "bigint",
    "_ended_number": "integer",
    "_image": "text",
    "_judgement": "text",
    "_rules": "text[]",
    "_detail": "text",
    "_key": "text[]",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class UniqueRule:
    """A rule about several rows, with its place among the letters."""

    place: int  # from 0
    name: str
    columns: tuple[str, ...]
    severity: str
    element: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lag:
    """How long changes of a part took from commit to the centre."""

    changes: int
    within: int
    worst_s: float | None


def unique_rules(rules: RuleSet, spec: TableSpec) -> tuple[UniqueRule, ...]:
    """Return the rules the centre itself evaluates."""
    return tuple(
        UniqueRule(
            place=place,
            name=rule.name,
            columns=spec.key if rule.element is None else (rule.element,),
            severity=rule.severity.value,
            element=rule.element,
        )
        for place, rule in enumerate(rules.rules)
        if rule.over == UNIQUE
    )


def flatten(judged: JudgedBatch, *, spec: TableSpec, snapshot: bool) -> pl.DataFrame:
    """Return one row per change: envelope, verdict and values, the values of bad rows left out."""
    records = judged.records
    frame = records.envelope.drop("_damaged", "_superseded").with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("_row"),
        judged.judgement.alias("_judgement"),
        judged.quarantined.alias("_bad"),
    )
    kind = (
        pl.when(pl.col("_event") == Event.CANCEL)
        .then(pl.lit(KIND_CANCEL))
        .when(pl.col("_bad"))
        .then(pl.lit(KIND_BAD))
        .otherwise(pl.lit(KIND_GOOD))
    )
    frame = frame.with_columns(
        kind.alias("_kind"),
        pl.lit(None, dtype=pl.String).alias("_detail"),
        pl.col("_image").fill_null(EMPTY_IMAGE),
        *([pl.lit(SNAPSHOT_NUMBER, dtype=pl.Int32).alias("_number")] if snapshot else []),
    )
    frame = _with_reasons(frame, judged)
    values = records.values.select(spec.column_names)
    frame = pl.concat([frame, values], how="horizontal").with_columns(_business_key(spec).alias("_key"))
    frame = _with_unique_letters(frame, unique_rules(judged.rules, spec))
    return _without_bad_values(frame.drop("_bad"), spec)


def _without_bad_values(frame: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    kept = pl.col("_kind") == KIND_GOOD
    return frame.with_columns(pl.when(kept).then(pl.col(name)).alias(name) for name in spec.column_names)


def _with_reasons(frame: pl.DataFrame, judged: JudgedBatch) -> pl.DataFrame:
    blocking = [rule.name for rule in judged.rules.rules if rule.severity is Severity.BLOCKING]
    reasons = (
        judged.findings.filter(pl.col("rule").is_in(blocking))
        .group_by("row", maintain_order=True)
        .agg(pl.col("rule").unique(maintain_order=True).alias("_rules"))
        .select(pl.col("row").cast(pl.Int32).alias("_row"), "_rules")
    )
    return frame.join(reasons, on="_row", how="left", maintain_order="left").with_columns(
        pl.col("_rules").fill_null(pl.lit([], dtype=pl.List(pl.String)))
    )


def _business_key(spec: TableSpec) -> pl.Expr:
    if not spec.key:
        return pl.lit(None, dtype=pl.List(pl.String))
    parts = [pl.col(name).cast(pl.String) for name in spec.key]
    known = pl.all_horizontal(part.is_not_null() for part in parts)
    short = pl.sum_horizontal(part.str.len_bytes().cast(pl.Int64) for part in parts) <= BUSINESS_KEY_BYTES_MAX
    return pl.when(known & short).then(pl.concat_list(parts))


def _with_unique_letters(frame: pl.DataFrame, rules: tuple[UniqueRule, ...]) -> pl.DataFrame:
    """Presume that nobody else claims the value; the store corrects the few letters where somebody does."""
    for rule in rules:
        filled = pl.all_horizontal(pl.col(name).is_not_null() for name in rule.columns)
        letter = (
            pl.when((pl.col("_kind") == KIND_GOOD) & filled)
            .then(pl.lit(Letter.PASS))
            .otherwise(pl.lit(Letter.NOT_APPLICABLE))
        )
        frame = frame.with_columns(_with_letter(rule, letter))
    return frame


def _letter(rule: UniqueRule) -> pl.Expr:
    return pl.col("_judgement").str.slice(rule.place, 1)


def _with_letter(rule: UniqueRule, letter: pl.Expr) -> pl.Expr:
    text = pl.col("_judgement")
    return pl.concat_str(text.str.slice(0, rule.place), letter, text.str.slice(rule.place + 1)).alias("_judgement")


def refuse_row(frame: pl.DataFrame, *, spec: TableSpec, sqlstate: str) -> pl.DataFrame:
    """Return rows the database would not take as rows for quarantine, with its reason instead of a rule's."""
    return _without_bad_values(
        frame.with_columns(
            pl.lit(KIND_BAD).alias("_kind"),
            pl.lit(f"SQLSTATE {sqlstate}").alias("_detail"),
        ),
        spec,
    )


def chain(frame: pl.DataFrame, *, spec: TableSpec, uniques: Sequence[UniqueRule]) -> pl.DataFrame:
    """Return the rows with what each one does to its record, in the columns of the stage."""
    columns = [*STAGE_SCHEMA, *spec.column_names]
    if not frame["_record_id"].is_duplicated().any():
        return frame.with_columns(
            pl.lit(value=True).alias("_last"), pl.col("_source_time").alias("_from"), *_no_ending()
        ).select(columns)
    over = "_record_id"
    settled = (
        frame.filter(pl.col("_kind") != KIND_BAD)
        .with_columns(pl.col("_source_time").cum_max().over(over).alias("_from"))
        .with_columns(
            (pl.col("_row") == pl.col("_row").max().over(over)).alias("_last"),
            pl.col("_from").shift(-1).over(over).alias("_until"),
            pl.col("_kind").replace_strict(_ENDED_BY, return_dtype=pl.String).shift(-1).over(over).alias("_ended_by"),
            pl.col("_version").shift(-1).over(over).alias("_ended_version"),
            pl.col("_number").shift(-1).over(over).alias("_ended_number"),
        )
    )
    held = (
        frame.with_columns((pl.col("_row") == pl.col("_row").max().over(over)).alias("_last"))
        .filter(pl.col("_kind") == KIND_BAD)
        .with_columns(pl.col("_source_time").alias("_from"), *_no_ending())
    )
    staged = pl.concat([settled.select(columns), held.select(columns)]).sort("_row")
    for rule in uniques:  # a version that was never visible was never compared with others
        letter = pl.when(pl.col("_last")).then(_letter(rule)).otherwise(pl.lit(Letter.NOT_APPLICABLE))
        staged = staged.with_columns(_with_letter(rule, letter))
    return staged


_ENDED_BY = {KIND_GOOD: Event.UPDATE, KIND_CANCEL: Event.CANCEL}


def _no_ending() -> list[pl.Expr]:
    return [
        pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("_until"),
        pl.lit(None, dtype=pl.String).alias("_ended_by"),
        pl.lit(None, dtype=pl.Int64).alias("_ended_version"),
        pl.lit(None, dtype=pl.Int32).alias("_ended_number"),
    ]


def deciding_findings(judged: JudgedBatch, staged: pl.DataFrame) -> pl.DataFrame:
    """Return the findings of each record's last row, with severity and element, each rule once per record."""
    last = staged.select("_row", "_record_id").group_by("_record_id").agg(pl.col("_row").max())
    single = [rule for rule in judged.rules.rules if rule.over is None]
    about = pl.DataFrame(
        {
            "rule": [rule.name for rule in single],
            "severity": [rule.severity.value for rule in single],
            "element": [rule.element for rule in single],
        },
        schema={"rule": pl.String, "severity": pl.String, "element": pl.String},
    )
    return (
        judged.findings.with_columns(pl.col("row").cast(pl.Int32))
        .join(last, left_on="row", right_on="_row", how="inner", maintain_order="left")
        .join(about, on="rule", how="inner", maintain_order="left")
        .unique(["record_id", "rule"], keep="first", maintain_order=True)
        .select("record_id", "rule", "severity", "element", "observed")
    )


def lag_of(frame: pl.DataFrame, *, at: datetime, allowed_lag_s: int) -> Lag:
    """Return how many of the changes became visible within the promise."""
    lag_s = (pl.lit(at) - pl.col("_source_time")).dt.total_microseconds() / 1_000_000
    worst, within = frame.select(lag_s.max().alias("worst"), (lag_s <= allowed_lag_s).sum().alias("within")).row(0)
    return Lag(changes=frame.height, within=within, worst_s=worst)
