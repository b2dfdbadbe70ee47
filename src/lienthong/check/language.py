"""The language of rules: the part of SQL that every engine reads alike.

Of 28 small expressions 17 differ on at least one of six engines (casts, dates, slices below 1, classes of
characters, lists with nulls). What is let in here does not differ; everything else is refused by name, when a rule
is derived and never when a row arrives. ``docs/reference/rules/README.md`` lists what may be written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl
import sqlglot
from sqlglot import exp

from lienthong.dictionary.patterns import pattern_fault
from lienthong.errors import Actor, LienthongError

TEXT_CHARACTERS_MAX: Final = 20_000
NODES_MAX: Final = 5_000
DIALECTS: Final = ("duckdb", "postgres", "spark")

_INTEGER: Final = re.compile(r"[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,10})?")
_CONTAINS: Final = re.compile(r"%?[^%_\\]+%?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class PredicateRefused(LienthongError, code="CHK-001", actor=Actor.DEVELOPER):
    """A predicate uses something that engines read differently, or that is not SQL."""

    message = "predicate {text!r} is outside the rule language: {node} {reason}"
    hint = "write it with what the rule language has: docs/reference/rules/README.md"


class ColumnUnknown(LienthongError, code="CHK-002", actor=Actor.DEVELOPER):
    """A predicate names a column that the dataset's rows do not have."""

    message = "predicate {text!r} names the column {column}, which the rows do not have"
    hint = "columns are the technical names of the dataset's elements and what the checks add beside them"


@dataclass(frozen=True, kw_only=True, slots=True)
class Predicate:
    """A condition on one row, known to be inside the language."""

    text: str  # as it was written
    tree: exp.Expr
    columns: tuple[str, ...]  # that it reads, sorted


def parse_predicate(text: str, *, columns: Mapping[str, pl.DataType]) -> Predicate:
    """Read a predicate and refuse what is outside the language.

    Raises:
        PredicateRefused: names the node that is not let in.
        ColumnUnknown: names a column the rows do not have.
    """
    tree = _parsed(text)
    nodes = list(tree.walk())
    if len(nodes) > NODES_MAX:
        raise PredicateRefused(text=_short(text), node="the whole", reason=f"has more than {NODES_MAX} parts")
    for node in nodes:
        judge = _ALLOWED.get(type(node))
        fault = "is not let in" if judge is None else judge(node)
        if fault is not None:
            raise PredicateRefused(text=_short(text), node=_node_name(node), reason=fault)
    read: set[str] = set()
    for column in tree.find_all(exp.Column):
        if column.name not in columns:
            raise ColumnUnknown(text=_short(text), column=column.name)
        # A TRY_CAST is a Cast too, of its own kind and with its own condition.
        if type(column.parent) is exp.Cast and not isinstance(columns[column.name], pl.Date):
            raise PredicateRefused(
                text=_short(text), node="CAST", reason=f"may make text of dates only: {column.name}"
            )
        read.add(column.name)
    return Predicate(text=text, tree=tree, columns=tuple(sorted(read)))


def to_polars(predicate: Predicate) -> pl.Expr:
    """Return the predicate as an expression; unknown is null, as in SQL."""
    return pl.sql_expr(predicate.tree.sql(identify=True))


def to_sql(predicate: Predicate, *, dialect: str) -> str:
    """Return the predicate for another engine: "duckdb", "postgres" or "spark"."""
    assert dialect in DIALECTS, f"the rule language is not written for {dialect}"
    return predicate.tree.sql(dialect=dialect, identify=True, unsupported_level=sqlglot.ErrorLevel.RAISE)


def literal(text: str) -> str:
    """Write a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "…"  # noqa: PLR2004 - what fits a line of a message


def _parsed(text: str) -> exp.Expr:
    if len(text) > TEXT_CHARACTERS_MAX:
        raise PredicateRefused(text=_short(text), node="the whole", reason="is too long")
    try:
        parts = sqlglot.parse(text)
    except (sqlglot.errors.SqlglotError, RecursionError) as cause:
        raise PredicateRefused(text=_short(text), node="the whole", reason="cannot be read as SQL") from cause
    if len(parts) != 1 or parts[0] is None:
        raise PredicateRefused(text=_short(text), node="the whole", reason="is not one expression")
    tree = parts[0]
    if any(node.comments for node in tree.walk()):
        raise PredicateRefused(text=_short(text), node="the whole", reason="is not one expression without comments")
    return tree


def _node_name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return f"function {node.name}"
    return type(node).__name__.upper()


def _fine(_: exp.Expr) -> str | None:
    return None


def _only(*names: str) -> Callable[[exp.Expr], str | None]:
    """Let a node in when it carries these parts and no other (no modifiers that some engines lack)."""

    def judge(node: exp.Expr) -> str | None:
        extra = [name for name, part in node.args.items() if part not in (None, False, []) and name not in names]
        return f"takes no {', '.join(extra)}" if extra else None

    return judge


def _column(node: exp.Expr) -> str | None:
    return "takes no table before the column" if node.args.get("table") else None


def _literal(node: exp.Expr) -> str | None:
    if node.args["is_string"]:
        return "holds control characters" if _CONTROL.search(node.name) else None
    if _INTEGER.fullmatch(node.name):
        return None
    return "is a number with a point or too long: write whole numbers, or CAST('0.5' AS DECIMAL(38, 2))"


def _in(node: exp.Expr) -> str | None:
    members = node.args.get("expressions") or []
    if set(node.args) - {"this", "expressions"} and any(node.args.get(k) for k in ("query", "unnest", "field")):
        return "takes a list of values only"
    if not members or not all(isinstance(member, exp.Literal) for member in members):
        return "takes values only, neither columns nor NULL"
    return None


def _is(node: exp.Expr) -> str | None:
    return None if isinstance(node.expression, exp.Null) else "is for IS NULL only"


def _null(node: exp.Expr) -> str | None:
    return None if isinstance(node.parent, exp.Is) else "stands in IS NULL only"


def _like(node: exp.Expr) -> str | None:
    pattern = node.expression
    if isinstance(pattern, exp.Literal) and pattern.is_string and _CONTAINS.fullmatch(pattern.name):
        return None
    return "takes a literal with % at its ends only"


def _regexp(node: exp.Expr) -> str | None:
    extra = _only("this", "expression")(node)
    pattern = node.expression
    if extra is not None:
        return extra
    if not isinstance(pattern, exp.Literal) or not pattern.is_string:
        return "takes a literal pattern"
    fault = pattern_fault(pattern.name)
    return None if fault is None else f"has a pattern that {fault}"


def _substring(node: exp.Expr) -> str | None:
    start, length = node.args.get("start"), node.args.get("length")
    if not isinstance(start, exp.Literal) or start.is_string or start.name.startswith("0"):
        return "starts at a whole number from 1"
    return "needs a length" if length is None else _only("this", "start", "length")(node)


def _cast(node: exp.Expr) -> str | None:
    to = node.args["to"]
    target = to.this
    inner = node.this
    if target == exp.DataType.Type.DATE:
        return None if _is_day(inner) else "makes dates of literals only: DATE '2025-07-01'"
    if target == exp.DataType.Type.DECIMAL:
        fits = isinstance(inner, exp.Literal) and inner.is_string and _DECIMAL.fullmatch(inner.name)
        return None if fits else "makes decimals of literals only: CAST('0.5' AS DECIMAL(38, 2))"
    if target == exp.DataType.Type.VARCHAR:
        return None if isinstance(inner, exp.Column) else "makes text of date columns only"
    return "to this type differs between engines"


def _is_day(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Literal) or not node.is_string:
        return False
    try:
        return date.fromisoformat(node.name).isoformat() == node.name
    except ValueError:
        return False


def _try_cast(node: exp.Expr) -> str | None:
    if node.args["to"].this != exp.DataType.Type.BIGINT:
        return "makes whole numbers only: TRY_CAST(… AS BIGINT)"
    # Engines may work out both sides of AND: only CASE keeps a cast away from what it cannot read.
    child: exp.Expr = node
    while child.parent is not None:
        parent = child.parent
        if isinstance(parent, exp.If) and parent.args.get("true") is child and parent.this.find(exp.RegexpLike):
            return None
        child = parent
    return "stands behind a test of its digits only: CASE WHEN regexp_like(…) THEN TRY_CAST(…) END"


def _data_type(node: exp.Expr) -> str | None:
    return None if isinstance(node.parent, exp.Cast) else "stands in CAST only"


def _extract(node: exp.Expr) -> str | None:
    return None if node.this.name.upper() == "YEAR" else "takes the YEAR only"


def _case(node: exp.Expr) -> str | None:
    return "compares with WHEN conditions only" if node.this is not None else None


_ALLOWED: Final[Mapping[type[exp.Expr], Callable[[exp.Expr], str | None]]] = {
    exp.Column: _column,
    exp.Identifier: _fine,
    exp.Literal: _literal,
    exp.Boolean: _fine,
    exp.Null: _null,
    exp.Paren: _only("this"),
    exp.And: _fine,
    exp.Or: _fine,
    exp.Not: _fine,
    exp.EQ: _fine,
    exp.NEQ: _fine,
    exp.LT: _fine,
    exp.LTE: _fine,
    exp.GT: _fine,
    exp.GTE: _fine,
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _only("this", "low", "high"),
    exp.Like: _like,
    exp.Case: _case,
    exp.If: _fine,
    exp.Add: _fine,
    exp.Sub: _fine,
    exp.Mul: _fine,
    exp.Mod: _fine,
    exp.Neg: _fine,
    exp.Length: _only("this"),
    exp.Substring: _substring,
    exp.StartsWith: _only("this", "expression"),
    exp.RegexpLike: _regexp,
    exp.Extract: _extract,
    exp.Var: _fine,
    exp.Cast: _cast,
    exp.TryCast: _try_cast,
    exp.DataType: _data_type,
    exp.DataTypeParam: _fine,
}
