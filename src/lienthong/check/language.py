"""The language of rules: the part of SQL that every engine reads alike.

Of 28 small expressions 17 differ on at least one of six engines (casts, dates, slices below 1, classes of
characters, lists with nulls). What is let in here does not differ; everything else is refused by name, when a rule
is derived and never when a row arrives. ``docs/reference/rules/README.md`` lists what may be written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final

import polars as pl
import sqlglot
from sqlglot import exp

from lienthong.check.language_kinds import (
    ARITHMETIC,
    COMPARISONS,
    COUNTED_MAX,
    ORDERINGS,
    Kind,
    MixedKinds,
    check_kinds,
    kind_of,
    try_cast_fault,
)
from lienthong.dictionary.patterns import pattern_fault
from lienthong.errors import Actor, LienthongError

TEXT_CHARACTERS_MAX: Final = 20_000
NODES_MAX: Final = 5_000
PREDICATES_KEPT_MAX: Final = 8_192  # read once; the same text comes again with every run
DEPTH_MAX: Final = 60  # parts inside one another, a chain of AND or of + counting once
DIALECTS: Final = ("duckdb", "postgres", "spark")

DIGITS_MAX: Final = 38  # of a decimal, on every engine
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
    tree: exp.Expr  # with a bracket around every part that could be read in two ways
    columns: tuple[str, ...]  # that it reads, sorted
    kinds: Mapping[str, pl.DataType] = field(default_factory=dict, compare=False)  # of these columns


def parse_predicate(text: str, *, columns: Mapping[str, pl.DataType]) -> Predicate:
    """Read a predicate and refuse what is outside the language.

    Raises:
        PredicateRefused: names the node that is not let in.
        ColumnUnknown: names a column the rows do not have.
    """
    _, _, names = _inside(text)
    for name in names:
        if name not in columns:
            raise ColumnUnknown(text=_short(text), column=name)
    return _finished(text, tuple((name, columns[name]) for name in names))


@lru_cache(PREDICATES_KEPT_MAX)
def _inside(text: str) -> tuple[exp.Expr, exp.Expr, tuple[str, ...]]:
    """Return a text as it was written, as it is to be read, and the columns it names; whatever their kinds."""
    tree = _parsed(text)
    nodes = list(tree.walk())
    if len(nodes) > NODES_MAX:
        raise PredicateRefused(text=_short(text), node="the whole", reason=f"has more than {NODES_MAX} parts")
    if max(_depth(node) for node in nodes if node.is_leaf()) > DEPTH_MAX:
        raise PredicateRefused(text=_short(text), node="the whole", reason=f"nests more than {DEPTH_MAX} parts")
    for node in nodes:
        judge = _ALLOWED.get(type(node))
        fault = "is not let in" if judge is None else judge(node)
        if fault is not None:
            raise PredicateRefused(text=_short(text), node=_node_name(node), reason=fault)
    names = {column.name for column in tree.find_all(exp.Column)}
    return tree, _rewritten(_rewritten(tree, _counted), _bracketed), tuple(sorted(names))


@lru_cache(PREDICATES_KEPT_MAX)
def _finished(text: str, kinds: tuple[tuple[str, pl.DataType], ...]) -> Predicate:
    written, plain, names = _inside(text)
    try:
        check_kinds(written, dict(kinds))
    except MixedKinds as mixed:
        raise PredicateRefused(text=_short(text), node=_node_name(mixed.node), reason=mixed.reason) from None
    return Predicate(text=text, tree=plain, columns=names, kinds=dict(kinds))


def to_polars(predicate: Predicate, *, rewrite: Callable[[exp.Expr], exp.Expr] | None = None) -> pl.Expr:
    """Return the predicate as an expression; unknown is null, as in SQL.

    ``rewrite`` may put quicker parts of the same meaning in place of others.
    """
    tree = _rewritten(predicate.tree, _widened)
    return pl.sql_expr((tree if rewrite is None else rewrite(tree)).sql(identify=True))


def to_sql(predicate: Predicate, *, dialect: str) -> str:
    """Return the predicate for another engine: "duckdb", "postgres" or "spark"."""
    assert dialect in DIALECTS, f"the rule language is not written for {dialect}"
    tree = _rewritten(predicate.tree, _widened)
    if dialect == "postgres":
        tree = _for_postgres(tree, predicate.kinds)
    if dialect == "spark":
        tree = _rewritten(tree, _for_spark)
    return tree.sql(dialect=dialect, identify=True, unsupported_level=sqlglot.ErrorLevel.RAISE)


def _rewritten(tree: exp.Expr, rewrite: Callable[[exp.Expr], exp.Expr | None]) -> exp.Expr:
    """Return the tree with parts put in place of others, from the inside out; None leaves a part as it is.

    A tree without such parts is returned itself, since copies cost more than all the rest of reading a predicate.
    """
    if all(rewrite(node) is None for node in tree.walk()):
        return tree
    tree = tree.copy()
    for node in reversed(list(tree.walk())):
        written = rewrite(node)
        if written is not None:
            node.replace(written)
    return tree


def _counted(node: exp.Expr) -> exp.Expr | None:
    """Make a column unknown to arithmetic where its number is so large that a sum could overflow."""
    if not isinstance(node, exp.Column) or not isinstance(_operator(node), ARITHMETIC):
        return None
    limit = exp.Literal.number(COUNTED_MAX)
    inside = exp.Between(this=node.copy(), low=exp.Neg(this=limit.copy()), high=limit)
    return exp.Case(ifs=[exp.If(this=inside, true=node.copy())])


def _operator(node: exp.Expr) -> exp.Expr | None:
    """Return what a part is an operand of, brackets left out."""
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    return parent


_OPERATORS: Final = (
    exp.And, exp.Or, exp.Not, exp.In, exp.Between, exp.Is, exp.Like, exp.RegexpLike, *COMPARISONS, *ARITHMETIC,
)  # fmt: skip


def _bracketed(node: exp.Expr) -> exp.Expr | None:
    """Put a bracket around every operator inside another, since engines differ in what binds tighter."""
    parent = node.parent
    if not isinstance(node, _OPERATORS) or not isinstance(parent, _OPERATORS):
        return None
    if type(parent) is type(node) and isinstance(node, (exp.And, exp.Or, exp.Add)):
        return None  # a chain of one operator is read alike from either end
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not isinstance(parent, exp.Neg):
        return None
    return exp.Paren(this=node.copy())


def _widened(node: exp.Expr) -> exp.Expr | None:
    """Let arithmetic run in 64 bits everywhere: lengths, years and chosen literals are narrower on some engines."""
    if not isinstance(node, (exp.Length, exp.Extract, exp.Case)) or not _is_narrow(node):
        return None
    return exp.Cast(this=node.copy(), to=exp.DataType.build("BIGINT"))


def _is_narrow(node: exp.Expr) -> bool:
    """Return whether an operand of arithmetic may have fewer than 64 bits; a literal follows its fellow."""
    if not isinstance(_operator(node), ARITHMETIC):
        return False
    # What ``_counted`` wrote chooses a column of 64 bits.
    return not (isinstance(node, exp.Case) and isinstance(node.args["ifs"][0].args["true"], exp.Column))


def _for_postgres(tree: exp.Expr, kinds: Mapping[str, pl.DataType]) -> exp.Expr:
    """Order texts by bytes whatever the database's language, and write days whatever its date style."""

    def ordered(node: exp.Expr) -> exp.Expr | None:
        operator = node.parent
        is_ordered = isinstance(operator, (*ORDERINGS, exp.Between)) and operator.this is node
        if not is_ordered or kind_of(node, kinds) is not Kind.TEXT:
            return None
        return exp.Collate(this=exp.Paren(this=node.copy()), expression=exp.to_identifier("C", quoted=True))

    def written(node: exp.Expr) -> exp.Expr | None:
        if type(node) is not exp.Cast or node.to.this != exp.DataType.Type.VARCHAR:
            return None
        return exp.Anonymous(this="TO_CHAR", expressions=[node.this.copy(), exp.Literal.string("YYYY-MM-DD")])

    return _rewritten(_rewritten(tree, ordered), written)


def _for_spark(node: exp.Expr) -> exp.Expr | None:
    """Let a pattern end at the end of the text: for Java ``$`` also stands before a last line break."""
    if not isinstance(node, exp.Literal) or not isinstance(node.parent, exp.RegexpLike):
        return None
    return exp.Literal.string(node.name[:-1] + "\\z") if node.name.endswith("$") else None


def literal(text: str) -> str:
    """Write a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _depth(node: exp.Expr) -> int:
    depth, child, parent = 1, node, node.parent
    while parent is not None:
        # A chain of one operator leans to one side; engines and sqlglot read it without going deeper.
        chained = (
            type(parent) is type(child) and isinstance(child, (exp.And, exp.Or, exp.Add)) and parent.this is child
        )
        depth += not chained
        child, parent = parent, parent.parent
    return depth


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
        return _decimal_fault(inner, to)
    if target == exp.DataType.Type.VARCHAR:
        return None if isinstance(inner, exp.Column) else "makes text of date columns only"
    return "to this type differs between engines"


def _decimal_fault(node: exp.Expr, to: exp.Expr) -> str | None:
    if not isinstance(node, exp.Literal) or not node.is_string or not _DECIMAL.fullmatch(node.name):
        return "makes decimals of literals only: CAST('0.5' AS DECIMAL(38, 2))"
    sizes = [int(each.name) for each in to.expressions]
    # Engines choose other sizes where none are named, and round other ways where the literal has more digits.
    whole, _, part = node.name.removeprefix("-").partition(".")
    fits = len(sizes) == 2 and len(part) <= sizes[1] <= sizes[0] <= DIGITS_MAX and len(whole) <= sizes[0] - sizes[1]  # noqa: PLR2004 - precision and scale
    return None if fits else "makes decimals that hold the literal only: CAST('0.5' AS DECIMAL(38, 2))"


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
    assert isinstance(node, exp.TryCast), "the judge of this very part"
    return try_cast_fault(node)


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
