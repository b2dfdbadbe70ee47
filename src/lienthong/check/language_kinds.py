"""What kind of value each part of a predicate has, and how large its numbers can grow.

Engines disagree most where kinds are mixed: one reads the text as a number, one the number as a text, one stops. And
they disagree where whole numbers overflow: one wraps around, one stops, one gives null. Both are refused here, when a
rule is written.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import polars as pl
from sqlglot import exp

from lienthong.check.widths import pattern_widths
from lienthong.dictionary.pattern_shape import DIGITS, signs_between

COUNTED_MAX: Final = 10**15  # a whole number of a column beyond this is unknown to arithmetic
WHOLE_MAX: Final = 2**63 - 1
_LENGTH_MAX: Final = 10**9
_YEAR_MAX: Final = 10**4
_READ_DIGITS_MAX: Final = 18  # digits that every engine reads as a 64-bit number

ARITHMETIC: Final = (exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.Neg)
ORDERINGS: Final = (exp.LT, exp.LTE, exp.GT, exp.GTE)
COMPARISONS: Final = (exp.EQ, exp.NEQ, *ORDERINGS)


class Kind(enum.Enum):
    """Kinds of values; decimals and whole numbers may be compared with each other, nothing else mixes."""

    TEXT = "a text"
    WHOLE = "a whole number"
    DECIMAL = "a decimal"
    DAY = "a day"
    MOMENT = "a moment"
    TRUTH = "a truth value"
    LIST = "a list"


class MixedKinds(Exception):
    """A part of a predicate has the wrong kind; the parser turns it into its refusal."""

    def __init__(self, node: exp.Expr, reason: str) -> None:
        super().__init__(reason)
        self.node = node
        self.reason = reason


def check_kinds(tree: exp.Expr, columns: Mapping[str, pl.DataType]) -> None:
    """Refuse a predicate whose parts do not fit, or that is no condition.

    Raises:
        MixedKinds: names the part and what it should be.
    """
    if kind_of(tree, columns) is not Kind.TRUTH:
        raise MixedKinds(tree, "is not a condition")
    for node in tree.find_all(*ARITHMETIC):
        if not isinstance(node.parent, ARITHMETIC) and bound_of(node) > WHOLE_MAX:
            raise MixedKinds(node, "could grow beyond what engines count (19 digits)")


def kind_of_type(dtype: pl.DataType) -> Kind:
    """Return the kind of a column."""
    if isinstance(dtype, pl.Decimal):
        return Kind.DECIMAL
    if isinstance(dtype, pl.List):
        return Kind.LIST
    if isinstance(dtype, pl.Datetime):
        return Kind.MOMENT
    if dtype.is_integer():
        return Kind.WHOLE
    return {pl.String: Kind.TEXT, pl.Date: Kind.DAY, pl.Boolean: Kind.TRUTH}[dtype.base_type()]


def kind_of(  # noqa: C901, PLR0911 - one branch per part
    node: exp.Expr, columns: Mapping[str, pl.DataType]
) -> Kind:
    """Return the kind of a part, having checked the parts inside it."""
    match node:
        case exp.Column():
            return kind_of_type(columns[node.name])
        case exp.Paren():
            return kind_of(node.this, columns)
        case exp.Literal():
            return Kind.TEXT if node.is_string else Kind.WHOLE
        case exp.Boolean():
            return Kind.TRUTH
        case exp.And() | exp.Or():
            _each(Kind.TRUTH, node.flatten(), columns)
            return Kind.TRUTH
        case exp.Not():
            _each(Kind.TRUTH, (node.this,), columns)
            return Kind.TRUTH
        case exp.Is():
            kind_of(node.this, columns)  # of any kind; what stands inside must fit all the same
            return Kind.TRUTH
        case exp.Case():
            return _case(node, columns)
        case exp.Cast():  # a TRY_CAST is one too
            return _cast(node, columns)
        case exp.Extract():
            _each(Kind.DAY, (node.expression,), columns)
            return Kind.WHOLE
        case exp.Length():
            _each(Kind.TEXT, (node.this,), columns)
            return Kind.WHOLE
        case exp.Substring():
            _each(Kind.TEXT, (node.this,), columns)
            return Kind.TEXT
    return _with_operands(node, columns)


def _with_operands(node: exp.Expr, columns: Mapping[str, pl.DataType]) -> Kind:
    if isinstance(node, exp.Mod):
        _mod(node)
    if isinstance(node, ARITHMETIC):
        _arithmetic(node, columns)
        return Kind.WHOLE
    if isinstance(node, exp.In):
        _alike(node, (node.this, *node.expressions), columns)
    elif isinstance(node, exp.Between):
        _alike(node, (node.this, node.args["low"], node.args["high"]), columns)
    elif isinstance(node, COMPARISONS):
        _alike(node, (node.this, node.expression), columns)
    else:
        assert isinstance(node, (exp.Like, exp.StartsWith, exp.RegexpLike)), "every other part is handled"
        _each(Kind.TEXT, (node.this, node.expression), columns)
    return Kind.TRUTH


def _each(kind: Kind, parts: object, columns: Mapping[str, pl.DataType]) -> None:
    for part in parts:  # type: ignore[attr-defined] # nodes, from a tuple or from sqlglot's generator
        found = kind_of(part, columns)
        if found is not kind:
            raise MixedKinds(part, f"is {found.value} where {kind.value} is needed")


def _alike(node: exp.Expr, parts: tuple[exp.Expr, ...], columns: Mapping[str, pl.DataType]) -> None:
    kinds = {kind_of(part, columns) for part in parts}
    if Kind.LIST in kinds:
        raise MixedKinds(node, "compares a list, which only IS NULL reads")
    if len(kinds) > 1 and kinds != {Kind.WHOLE, Kind.DECIMAL}:
        named = " and ".join(sorted(kind.value for kind in kinds))
        raise MixedKinds(node, f"compares {named}")
    if Kind.TRUTH in kinds and isinstance(node, (*ORDERINGS, exp.Between)):
        raise MixedKinds(node, "orders truth values")
    scales = {scale for part in parts if (scale := _scale(part, columns)) is not None}
    if len(scales) > 1:
        raise MixedKinds(node, "compares decimals of different scales: write the literal with the column's own scale")


def _scale(part: exp.Expr, columns: Mapping[str, pl.DataType]) -> int | None:
    inner = part.unnest()
    if isinstance(inner, exp.Column):
        dtype = columns[inner.name]
        return dtype.scale if isinstance(dtype, pl.Decimal) else None
    if type(inner) is exp.Cast and inner.to.this == exp.DataType.Type.DECIMAL:
        return int(inner.to.expressions[1].name)
    return None


def _case(node: exp.Case, columns: Mapping[str, pl.DataType]) -> Kind:
    branches = [each.args["true"] for each in node.args["ifs"]]
    _each(Kind.TRUTH, [each.this for each in node.args["ifs"]], columns)
    if node.args.get("default") is not None:
        branches.append(node.args["default"])
    kinds = {kind_of(branch, columns) for branch in branches}
    if len(kinds) > 1 or Kind.LIST in kinds or Kind.DECIMAL in kinds:
        named = ", ".join(sorted(kind.value for kind in kinds))
        raise MixedKinds(node, f"has branches of other kinds than one: {named}")
    return next(iter(kinds))


def _cast(node: exp.Cast, columns: Mapping[str, pl.DataType]) -> Kind:
    target = node.to.this
    if isinstance(node, exp.TryCast):
        _each(Kind.TEXT, (node.this,), columns)
        return Kind.WHOLE
    if target == exp.DataType.Type.BIGINT:  # never written by people: 64 bits for what is narrower on some engines
        return Kind.WHOLE
    if target == exp.DataType.Type.VARCHAR:
        _each(Kind.DAY, (node.this,), columns)
        return Kind.TEXT
    return Kind.DAY if target == exp.DataType.Type.DATE else Kind.DECIMAL


def _arithmetic(node: exp.Expr, columns: Mapping[str, pl.DataType]) -> None:
    parts = [node.this] if isinstance(node, exp.Neg) else [node.this, node.expression]
    _each(Kind.WHOLE, parts, columns)
    for part in parts:
        inner = part.unnest()
        if isinstance(inner, exp.Column) and columns[inner.name] != pl.Int64():
            raise MixedKinds(node, f"counts with {inner.name}, which is no number to count with")
    if len(parts) > 1 and all(_is_literal(part.unnest()) for part in parts):
        raise MixedKinds(node, "has two literals: write the result")


def _is_literal(node: exp.Expr) -> bool:
    return isinstance(node.this if isinstance(node, exp.Neg) else node, exp.Literal)


def _mod(node: exp.Mod) -> None:
    divisor = node.expression
    if not isinstance(divisor, exp.Literal) or divisor.is_string or int(divisor.name) == 0:
        raise MixedKinds(node, "takes a literal divisor above 0")


def bound_of(node: exp.Expr) -> int:  # noqa: C901, PLR0911 - one branch per part
    """Return a number that a whole number never exceeds, whatever its sign."""
    match node:
        case exp.Literal():
            return int(node.name)
        case exp.Paren() | exp.Neg():
            return bound_of(node.this)
        case exp.Column():
            return COUNTED_MAX
        case exp.Add() | exp.Sub():
            return bound_of(node.this) + bound_of(node.expression)
        case exp.Mul():
            return bound_of(node.this) * bound_of(node.expression)
        case exp.Mod():
            # What is divided must be counted right before the remainder is small.
            inner = bound_of(node.this)
            return int(node.expression.name) if inner <= WHOLE_MAX else inner
        case exp.Length():
            return _LENGTH_MAX
        case exp.Extract():
            return _YEAR_MAX
        case exp.Case():
            branches = [each.args["true"] for each in node.args["ifs"]]
            branches += [node.args["default"]] if node.args.get("default") is not None else []
            return max(bound_of(branch) for branch in branches)
        case exp.TryCast():
            width = node.this.args["length"].name if isinstance(node.this, exp.Substring) else _READ_DIGITS_MAX
            return int(10 ** int(width))
    raise AssertionError(f"{type(node).__name__} is no whole number")


def try_cast_fault(node: exp.TryCast) -> str | None:
    """Return why digits might be anything else when they are read, or None.

    Engines may work out both sides of AND: only CASE keeps a cast away from what it cannot read. Its condition has to
    hold a pattern for the very column, and the pattern has to have nothing but digits where the cast reads.
    """
    column, start, length = _read_places(node.this)
    if column is None:
        return "reads a column, or substr of one, only"
    for pattern in _guards(node, column):
        least, most = pattern_widths(pattern)
        width = most - start + 1 if length is None else length
        if least < start or not 1 <= width <= _READ_DIGITS_MAX:
            continue
        signs, ends_before = signs_between(pattern, start, width)
        if signs <= DIGITS and not ends_before:
            return None
    return (
        "stands behind a test of its digits only: CASE WHEN regexp_like(…) THEN TRY_CAST(…) END, "
        f"with 1 to {_READ_DIGITS_MAX} digits where it reads"
    )


def _read_places(node: exp.Expr) -> tuple[str | None, int, int | None]:
    if isinstance(node, exp.Column):
        return node.name, 1, None
    if isinstance(node, exp.Substring) and isinstance(node.this, exp.Column):
        start, length = node.args["start"], node.args.get("length")
        if isinstance(start, exp.Literal) and isinstance(length, exp.Literal) and not length.is_string:
            return node.this.name, int(start.name), int(length.name)
    return None, 1, None


def _guards(node: exp.Expr, column: str) -> list[str]:
    """Return the patterns that certainly hold for a column where this part is worked out."""
    found: list[str] = []
    child: exp.Expr = node
    while child.parent is not None:
        parent = child.parent
        if isinstance(parent, exp.If) and parent.args.get("true") is child:
            condition = parent.this.unnest()
            parts = condition.flatten() if isinstance(condition, exp.And) else (condition,)
            for part in parts:
                test = part.unnest()
                tested = test.this if isinstance(test, exp.RegexpLike) else None
                if isinstance(tested, exp.Column) and tested.name == column:
                    found.append(test.expression.name)
        child = parent
    return found
