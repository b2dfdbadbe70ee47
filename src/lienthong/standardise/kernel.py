"""What a standardiser is: one column of raw text in, one typed column and its outcomes out (phép chuẩn hoá)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from lienthong.dictionary.model import CodeList, Datatype, Source, Text, ValueDomain
from lienthong.standardise.batch import Outcome
from lienthong.standardise.readings import Reading

DISTINCT_ROWS_MIN = 10_000  # below it one pass over all rows is cheaper than finding the distinct values
DISTINCT_SHARE_MAX = (
    0.25  # distinct values per row; above it the join costs more than it saves (benchmarks/standardise.py)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelContext:
    """Say for which field a kernel works: its value domain, its code list, and how the source writes it."""

    domain: ValueDomain
    code_list: CodeList | None = None
    form: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelResult:
    """Typed values and, beside each, what was done to it (``Outcome`` as UInt8)."""

    values: pl.Series
    outcomes: pl.Series


BoundKernel = Callable[[pl.Series], KernelResult]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kernel:
    """A named, versioned standardiser.

    ``bind`` prepares it for one field (patterns, look-up tables) and returns the function over columns, so
    nothing is prepared per batch. A kernel does no I/O, is idempotent on the text of its own values, and
    answers the same for composed and decomposed spellings.
    """

    name: str  # as value domains name it: "person-name"
    version: str  # changes whenever one value may come out differently
    rule: Text
    sources: tuple[Source, ...]
    datatypes: frozenset[Datatype]  # which logical types its values fit
    forms: frozenset[str] = frozenset()  # values of a mapping's ``form`` it understands, beside none
    bind: Callable[[KernelContext], BoundKernel]
    readings: tuple[Reading, ...] = ()  # how values damaged on the way may be read; proposed, never taken
    tidy: Callable[[pl.Series], pl.Series] | None = None  # the spelling in which readings are looked for
    doubts: bool = False  # a text of a damaged shape comes out ambiguous

    def run(self, source: pl.Series, context: KernelContext) -> KernelResult:
        """Standardise one column once; a plan keeps the bound kernel instead."""
        return self.bind(context)(source)


def settle(
    source: pl.Series,
    values: pl.Series,
    *,
    refused: pl.Series,
    ambiguous: pl.Series | None = None,
    same: pl.Series | None = None,
) -> KernelResult:
    """Give every value its outcome: ambiguous before refused before empty before unchanged.

    A null value that is neither refused nor ambiguous is empty. ``same`` says where the source already was in
    the standard spelling; without it the text of value and source is compared. Null flags mean no.
    """
    outcome = pl.when(pl.col("same")).then(Outcome.UNCHANGED.value).otherwise(Outcome.CHANGED.value)
    outcome = pl.when(pl.col("value").is_null()).then(Outcome.EMPTY.value).otherwise(outcome)
    columns = {"value": values, "same": values == source if same is None else same}
    kept = pl.col("value")
    for name, flag, number in (("refused", refused, Outcome.REFUSED), ("ambiguous", ambiguous, Outcome.AMBIGUOUS)):
        if flag is not None and flag.any():
            columns[name] = flag
            outcome = pl.when(pl.col(name)).then(number.value).otherwise(outcome)
            kept = pl.when(pl.col(name)).then(None).otherwise(kept)
    done = pl.DataFrame(columns).select(kept.alias("value"), outcome.cast(pl.UInt8).alias("outcome"))
    return KernelResult(values=done["value"].alias(source.name), outcomes=done["outcome"].alias(source.name))


def over_distinct(source: pl.Series, run: BoundKernel) -> KernelResult:
    """Standardise distinct values only and spread the answers, where a long column repeats itself."""
    if source.len() < DISTINCT_ROWS_MIN:
        return run(source)
    about = source.to_frame("key").select(pl.col("key").approx_n_unique()).item()
    if about > DISTINCT_SHARE_MAX * source.len():
        return run(source)
    distinct = source.unique()
    answer = run(distinct)
    table = pl.DataFrame({"key": distinct, "value": answer.values, "outcome": answer.outcomes})
    spread = pl.DataFrame({"key": source}).join(table, on="key", how="left", nulls_equal=True, maintain_order="left")
    return KernelResult(values=spread["value"].alias(source.name), outcomes=spread["outcome"].alias(source.name))
