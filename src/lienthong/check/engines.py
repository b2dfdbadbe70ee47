"""What engines that run rules have in common: the table they are given, the account they give (cổng kiểm tra)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from lienthong.check.columns import TEXT
from lienthong.check.program import ROWS, RuleOutcome, RuleProgram
from lienthong.errors import Actor, LienthongError


class EngineMissing(LienthongError, code="CHK-040", actor=Actor.OPERATOR):
    """An engine was asked for whose package is not installed here."""

    message = "the engine {engine} cannot run here: {missing}"
    hint = "install it with {install}, or leave --engine out"


class EngineFailed(LienthongError, code="CHK-041", actor=Actor.OPERATOR):
    """An engine broke off, and not because of one rule: no memory, no disk, no connection."""

    message = "the engine {engine} stopped before the end: {reason}; nothing was scored"
    hint = "{fix}"


class RowsLost(LienthongError, code="CHK-042", actor=Actor.DEVELOPER):
    """An engine judged more or fewer rows than there are; its result is void."""

    message = "the engine {engine} judged {judged} rows of {present}: the result is void"
    hint = "run again with --engine polars and report this with the versions: lienthong --version"


@dataclass(frozen=True, kw_only=True, slots=True)
class Examined:
    """A table to be examined: Parquet files in the columns of ``RuleProgram.schema``, and how many rows they hold.

    Only columns that the rules read, and those a finding shows, have to be there. Without ``texts`` the files do not
    have what the source wrote where a value is null.
    """

    paths: tuple[str, ...]
    rows: int
    texts: bool = True

    def shown(self, program: RuleProgram) -> tuple[str, ...]:
        """Return the columns a finding may show that the files have."""
        return program.shown if self.texts else tuple(name for name in program.shown if not name.endswith(TEXT))


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What an engine found out about a whole table.

    ``suspects`` has every judgement that occurs on a row with findings once, with its number of rows (``_judgement``,
    ``rows``); other judgements may be there too. ``broken`` names the rules the engine could not run, with the
    engine's own word for why: their letter is the fourth outcome on every row.
    """

    engine: str
    rows: int
    outcomes: tuple[RuleOutcome, ...]
    suspects: pl.DataFrame
    broken: Mapping[str, str] = field(default_factory=dict)


def judged_by_letters(engine: str, program: RuleProgram, patterns: pl.DataFrame, broken: Mapping[str, str]) -> Judged:
    """Return the result of an engine that counted how often each judgement occurs over all rows."""
    return Judged(
        engine=engine,
        rows=int(patterns[ROWS].sum()),
        outcomes=program.outcomes(patterns),
        suspects=patterns,
        broken=broken,
    )


# Takes rows with ``_record_id``, ``_judgement`` and the shown columns.
Found = Callable[[pl.DataFrame], None]


class RuleEngine(Protocol):
    """Something that judges a whole table by a rule program; all engines give the same letters for the same rows."""

    @property
    def name(self) -> str:
        """Return the name by which people choose it."""
        ...

    def run(self, source: Examined, program: RuleProgram, *, found: Found, every: bool = False) -> Judged:
        """Judge every row; hand rows that may have findings to ``found``, all rows when ``every`` is asked.

        A rule the engine cannot run costs that rule alone.

        Raises:
            EngineFailed: the run did not come to its end.
            RowsLost: rows judged are not rows present.
        """
        ...


def must_be_whole(judged: Judged, source: Examined) -> Judged:
    """Return the result, refusing one that is not about every row."""
    if judged.rows != source.rows:
        raise RowsLost(engine=judged.engine, judged=judged.rows, present=source.rows)
    return judged
