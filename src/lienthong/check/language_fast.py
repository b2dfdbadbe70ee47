"""The same predicates, quicker on Polars: what several of them need of a column is worked out once, as a column.

Nothing here changes what a predicate means: ``tests/properties/test_check_fast.py`` holds every rewriting against the
plain reading.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl
from sqlglot import exp

from lienthong.check.language import Predicate, to_polars

MEMBERS_COMPARED_MAX: Final = 5  # texts of a list that are quicker compared one by one than looked up
PLANNED_FROM_ROWS: Final = 20_000  # looking for what expressions share costs more than it saves on fewer rows
DIGITS_MAX: Final = 18  # that a 64-bit number holds
FIRST_DAY: Final = date(1800, 1, 1)
LAST_DAY: Final = date(2200, 1, 1)

_ONLY: Final = re.compile(r"\^\[0-9\]\{([0-9]{1,2})\}\$")
_LEADING: Final = re.compile(r"\^\[0-9\]\{([0-9]{1,2})\}")
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """Columns that rewritten predicates read beside their own; the later ones read the earlier ones."""

    days: tuple[str, ...]  # date columns that are written as texts
    numbers: tuple[tuple[str, int], ...]  # (column, digits at its beginning) read as a number
    parts: tuple[tuple[str, int, int, int], ...]  # (column, digits, first, length) of such a number
    slices: tuple[tuple[str, int, int], ...]  # (column, first, length) of a text
    shapes: tuple[tuple[str, int], ...]  # (column, digits): whether a text is so many digits

    def add(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with these columns; one that cannot be made is left out."""
        written = [_written(frame[name]).alias(_day_name(name)) for name in self.days if name in frame.columns]
        there = frame.hstack(written) if written else frame
        texts = {name for name, dtype in there.schema.items() if dtype == pl.String}
        read = [_number(*each) for each in self.numbers if each[0] in texts]
        read += [
            pl.col(name).str.slice(first - 1, length).alias(_slice_name(name, first, length))
            for name, first, length in self.slices
            if name in texts
        ]
        parts = [_part(*each) for each in self.parts if each[0] in texts]
        parts += [_shape(*each) for each in self.shapes if each[0] in texts]
        if not read:
            return there
        plan = there.lazy().with_columns(read).with_columns(parts)
        few = there.height < PLANNED_FROM_ROWS
        return plan.collect(engine="in-memory", optimizations=pl.QueryOptFlags.none() if few else pl.QueryOptFlags())


class Rewriter:
    """Rewrite the predicates of a rule set and remember what they need."""

    def __init__(self) -> None:
        self._days: dict[str, None] = {}
        self._numbers: dict[tuple[str, int], None] = {}
        self._parts: dict[tuple[str, int, int, int], None] = {}
        self._slices: dict[tuple[str, int, int], None] = {}
        self._shapes: dict[tuple[str, int], None] = {}

    def rewritten(self, predicate: Predicate) -> pl.Expr:
        """Return the predicate as an expression over the rows and the prepared columns."""
        return to_polars(predicate, rewrite=self._rewrite)

    def prepared(self) -> Prepared:
        """Return what all predicates rewritten so far need."""
        return Prepared(
            days=tuple(self._days),
            numbers=tuple(self._numbers),
            parts=tuple(self._parts),
            slices=tuple(self._slices),
            shapes=tuple(self._shapes),
        )

    def _rewrite(self, tree: exp.Expr) -> exp.Expr:
        # Patterns go last: until then they say with how many digits a text begins.
        return _replaced(_replaced(tree, self._better), self._all_digits)

    def _better(self, node: exp.Expr) -> exp.Expr | None:
        if isinstance(node, exp.TryCast):
            return self._digits(node)
        if type(node) is exp.Cast and node.to.this == exp.DataType.Type.VARCHAR and isinstance(node.this, exp.Column):
            self._days[node.this.name] = None
            return exp.column(_day_name(node.this.name))
        if isinstance(node, exp.In):
            return _compared(node)
        if isinstance(node, exp.Substring):
            return self._slice(node)
        return None

    def _all_digits(self, node: exp.Expr) -> exp.Expr | None:
        """Ask whether a text is so many digits of the number that is read out of it anyhow."""
        if not isinstance(node, exp.RegexpLike):
            return None
        found = _ONLY.fullmatch(node.expression.name)
        digits = 0 if found is None else int(found[1])
        if not isinstance(node.this, exp.Column) or (node.this.name, digits) not in self._numbers:
            return None
        self._shapes[node.this.name, digits] = None
        return exp.column(_shape_name(node.this.name, digits))

    def _slice(self, node: exp.Substring) -> exp.Expr | None:
        """Cut a part out of a text once for all rules."""
        if not isinstance(node.this, exp.Column):
            return None
        length = node.args["length"]
        if not isinstance(length, exp.Literal) or _is_digits(node):
            return None
        cut = (node.this.name, int(node.args["start"].name), int(length.name))
        self._slices[cut] = None
        return exp.column(_slice_name(*cut))

    def _digits(self, node: exp.TryCast) -> exp.Expr | None:
        """Take digits out of a number that was read once, where a pattern says that the text begins with digits."""
        text = node.this.unnest()
        if not isinstance(text, exp.Substring) or not isinstance(text.this, exp.Column):
            return None
        first, length = int(text.args["start"].name), int(text.args["length"].name)
        digits = _leading_digits(node, text.this.name)
        if length < 1 or digits > DIGITS_MAX or first + length - 1 > digits:
            return None
        self._numbers[text.this.name, digits] = None
        self._parts[text.this.name, digits, first, length] = None
        return exp.column(_part_name(text.this.name, digits, first, length))


def _replaced(tree: exp.Expr, better: Callable[[exp.Expr], exp.Expr | None]) -> exp.Expr:
    tree = tree.copy()
    for node in reversed(list(tree.walk())):
        other = better(node)
        if other is not None:
            if node is tree:
                return other
            node.replace(other)
    return tree


def _is_digits(node: exp.Substring) -> bool:
    """Return whether the cast around it takes the digits out of a number."""
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    return isinstance(parent, exp.TryCast)


def _leading_digits(node: exp.Expr, column: str) -> int:
    """Return with how many digits the column begins wherever this node counts; 0 when nothing says so."""
    child, parent = node, node.parent
    while parent is not None:
        if isinstance(parent, exp.If) and parent.args.get("true") is child:
            for condition in _conjuncts(parent.this):
                named = isinstance(condition, exp.RegexpLike) and condition.this.name == column
                found = _LEADING.match(condition.expression.name) if named else None
                if found is not None:
                    return int(found[1])
        child, parent = parent, parent.parent
    return 0


def _conjuncts(condition: exp.Expr) -> Sequence[exp.Expr]:
    inner = condition.unnest()
    if isinstance(inner, exp.And):
        return [*_conjuncts(inner.this), *_conjuncts(inner.expression)]
    return [inner]


def _compared(node: exp.In) -> exp.Expr | None:
    members = node.expressions
    if len(members) > MEMBERS_COMPARED_MAX or not all(each.is_string for each in members):
        return None
    compared = [exp.EQ(this=node.this.copy(), expression=each.copy()) for each in members]
    return exp.Paren(this=exp.or_(*compared))


def _day_name(name: str) -> str:
    return f"{name}__day_written"


def _slice_name(name: str, first: int, length: int) -> str:
    return f"{name}__from_{first}_for_{length}"


def _number(name: str, digits: int) -> pl.Expr:
    return pl.col(name).str.head(digits).cast(pl.UInt64, strict=False).alias(_number_name(name, digits))


def _number_name(name: str, digits: int) -> str:
    return f"{name}__first_{digits}"


def _shape_name(name: str, digits: int) -> str:
    return f"{name}__is_{digits}_digits"


def _shape(name: str, digits: int) -> pl.Expr:
    # A plus sign is the one thing but digits that can be read as a whole number from 0.
    text = pl.col(name)
    read = pl.col(_number_name(name, digits)).is_not_null()
    fits = (text.str.len_bytes() == digits) & read & text.str.starts_with("+").not_()
    return pl.when(text.is_not_null()).then(fits).alias(_shape_name(name, digits))


def _part_name(name: str, digits: int, first: int, length: int) -> str:
    return f"{name}__first_{digits}_from_{first}_for_{length}"


def _part(name: str, digits: int, first: int, length: int) -> pl.Expr:
    # A signed division looks at the sign of every number, and a cast at its size.
    above = pl.lit(10 ** (digits - first - length + 1), pl.UInt64)
    below = pl.lit(10**length, pl.UInt64)
    number = pl.col(_number_name(name, digits))
    return (number // above % below).reinterpret(signed=True).alias(_part_name(name, digits, first, length))


def _written(days: pl.Series) -> pl.Series:
    """Return days as texts, out of a table of the days that people live in."""
    if days.dtype != pl.Date or not days.len():
        return days.cast(pl.String)
    least, most = days.min(), days.max()
    if not isinstance(least, date) or not isinstance(most, date) or least < FIRST_DAY or most > LAST_DAY:
        return days.cast(pl.String)
    return _days_table().gather(days.to_physical() - (FIRST_DAY - _EPOCH).days)


@functools.cache
def _days_table() -> pl.Series:
    return pl.date_range(FIRST_DAY, LAST_DAY, eager=True).cast(pl.String)
