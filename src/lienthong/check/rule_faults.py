"""Rules that cannot be right: contradictions, constants, and rules that a run shows to say nothing.

What is certain from the text alone is refused when rules are derived. What only data can show, that a rule concerns
no record or fails every one, is a warning beside the run that showed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, Protocol

from sqlglot import exp

from lienthong.check.language import Predicate
from lienthong.check.verdict import Rule
from lienthong.dictionary.model import Text
from lienthong.errors import Actor, LienthongError

_TRUE: Final = exp.true()
_FALSE: Final = exp.false()

ROWS_TELLING_MIN: Final = 100  # with fewer rows a rule that fails or spares them all proves nothing


class RuleContradicts(LienthongError, code="CHK-011", actor=Actor.STEWARD):
    """Two rules ask of the same records what cannot both hold: every such record would fail."""

    message = "the rules {one} and {other} of dataset {dataset} cannot both hold where {other} applies"
    hint = "correct or withdraw one of them; a local rule gives way to a national one"


class RuleSaysNothing(LienthongError, code="CHK-012", actor=Actor.STEWARD):
    """A rule has a condition that never applies, or a check that is the same for every record."""

    message = "the rule {rule} of dataset {dataset} says nothing: {reason}"
    hint = "write what the rule is to find; examples of rows that pass and fail show whether it does"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Allowed:
    """What a conjunction leaves a column: a set of values, an interval, null or not."""

    values: frozenset[object] | None = None  # None: any
    without: frozenset[object] = frozenset()
    least: tuple[object, bool] | None = None  # bound, included
    most: tuple[object, bool] | None = None
    null: bool | None = None  # True: only null; False: never null
    never: bool = False  # null is asked for, and something else too


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadRule:
    """A rule about one row with its predicates."""

    rule: Rule
    when: Predicate
    check: Predicate


def check_rules(dataset: str, rules: Sequence[ReadRule]) -> None:
    """Refuse rules that say nothing and pairs of rules that contradict each other.

    Raises:
        RuleSaysNothing, RuleContradicts: found in the texts alone.
    """
    read = [_read(rule) for rule in rules]
    for one in read:
        reason = _nothing(one)
        if reason is not None:
            raise RuleSaysNothing(rule=one.rule.name, dataset=dataset, reason=reason)
    by_column: dict[str, list[_Read]] = {}
    for one in read:
        for name in one.allowed:
            by_column.setdefault(name, []).append(one)
    denied: dict[exp.Expr, list[_Read]] = {}
    for one in read:
        if one.opposite is not None:
            denied.setdefault(one.opposite, []).append(one)
    for one in read:
        rivals = list(denied.get(one.tree, ()))
        rivals += [other for name in one.allowed for other in by_column[name]]
        for other in rivals:
            if other is not one and one.conditions <= other.conditions and _excludes(one, other):
                raise RuleContradicts(one=one.rule.name, other=other.rule.name, dataset=dataset)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    """A rule with its texts taken apart."""

    rule: Rule
    tree: exp.Expr  # of ``check``
    conditions: frozenset[exp.Expr]  # of ``when``
    checks: frozenset[exp.Expr]
    opposite: exp.Expr | None  # what ``check`` denies, where it is a denial
    allowed: Mapping[str, _Allowed] = field(default_factory=dict)  # by what ``check`` demands
    applies: Mapping[str, _Allowed] = field(default_factory=dict)  # by what ``when`` demands


def _read(one: ReadRule) -> _Read:
    conditions, checks = _parts(one.when), _parts(one.check)
    whole = one.check.tree.unnest()
    return _Read(
        rule=one.rule,
        tree=whole,
        conditions=frozenset(conditions) - {_TRUE},
        checks=frozenset(checks),
        opposite=whole.this.unnest() if isinstance(whole, exp.Not) else None,
        allowed=_demands(checks),
        applies=_demands(conditions),
    )


def _parts(predicate: Predicate) -> list[exp.Expr]:
    """Return the parts that all have to hold."""
    tree = predicate.tree.unnest()
    if not isinstance(tree, exp.And):
        return [tree]
    return [inner for part in tree.flatten() for inner in _flat(part.unnest())]


def _flat(part: exp.Expr) -> list[exp.Expr]:
    if not isinstance(part, exp.And):
        return [part]
    return [inner for each in part.flatten() for inner in _flat(each.unnest())]


def _nothing(one: _Read) -> str | None:  # noqa: PLR0911 - one branch per fault
    if _FALSE in one.conditions or any(_is_empty(each) for each in one.applies.values()):
        return "its condition never holds"
    if any(_is_empty(each) for each in one.allowed.values()):
        return "its check can never hold, so every record would fail"
    shared = one.applies.keys() & one.allowed.keys()
    if any(_is_empty(_both(one.applies[name], one.allowed[name])) for name in shared):
        return "its check can never hold where its condition does, so every record it concerns would fail"
    if one.tree.find(exp.Column) is None:
        return "its check reads no column, so it is the same for every record"
    if one.checks <= one.conditions:
        return "its check only repeats its condition, so it can never fail"
    if any(_is_same(part) for part in _flat(one.tree)):
        return "its check compares a column with itself"
    return None


def _is_same(part: exp.Expr) -> bool:
    sides = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
    return isinstance(part, sides) and part.this.unnest() == part.expression.unnest()


def _excludes(one: _Read, other: _Read) -> bool:
    """Return whether no record can satisfy both checks."""
    if other.opposite == one.tree or one.opposite == other.tree:
        return True
    return any(
        _is_empty(_both(one.allowed[name], other.allowed[name])) for name in one.allowed.keys() & other.allowed.keys()
    )


def _demands(parts: Iterable[exp.Expr]) -> dict[str, _Allowed]:
    """Return what the parts that concern one column alone leave to it."""
    found: dict[str, _Allowed] = {}
    for part in parts:
        name, allowed = _demand(part)
        if name is not None and allowed is not None:
            found[name] = _both(found[name], allowed) if name in found else allowed
    return found


def _demand(part: exp.Expr) -> tuple[str | None, _Allowed | None]:
    denied = isinstance(part, exp.Not)
    inner = part.this.unnest() if denied else part
    column = inner.this.unnest() if isinstance(inner.args.get("this"), exp.Expr) else None
    if isinstance(inner, exp.Column):
        return inner.name, _Allowed(values=frozenset({not denied}), null=False)
    if not isinstance(column, exp.Column):
        return None, None
    if isinstance(inner, exp.Is):
        return column.name, _Allowed(null=not denied)
    if isinstance(inner, exp.In):
        members = frozenset(_value(each) for each in inner.expressions)
        wanted = _Allowed(without=members, null=False) if denied else _Allowed(values=members, null=False)
        return column.name, wanted
    if denied:
        return column.name, None
    return column.name, _compared(inner)


def _compared(part: exp.Expr) -> _Allowed | None:  # noqa: PLR0911 - one branch per part
    if isinstance(part, exp.Between):
        low, high = _value(part.args["low"]), _value(part.args["high"])
        if low is None or high is None:
            return None
        return _Allowed(least=(low, True), most=(high, True), null=False)
    value = _value(part.args.get("expression"))
    if value is None:
        return None
    match part:
        case exp.EQ():
            return _Allowed(values=frozenset({value}), null=False)
        case exp.NEQ():
            return _Allowed(without=frozenset({value}), null=False)
        case exp.LT() | exp.LTE():
            return _Allowed(most=(value, isinstance(part, exp.LTE)), null=False)
        case exp.GT() | exp.GTE():
            return _Allowed(least=(value, isinstance(part, exp.GTE)), null=False)
    return None


def _value(node: object) -> object:
    """Return a literal's value, or None for what is no literal."""
    if isinstance(node, exp.Paren):
        return _value(node.this)
    if isinstance(node, exp.Neg):
        inner = _value(node.this)
        return -inner if isinstance(inner, int) else None
    if isinstance(node, exp.Literal):
        return node.name if node.is_string else int(node.name)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if type(node) is exp.Cast and node.to.this == exp.DataType.Type.DATE:
        return date.fromisoformat(node.this.name)
    return None


def _both(one: _Allowed, other: _Allowed) -> _Allowed:
    values = one.values if other.values is None else other.values
    if one.values is not None and other.values is not None:
        values = one.values & other.values
    return _Allowed(
        values=values,
        without=one.without | other.without,
        least=_tighter(one.least, other.least, greatest=True),
        most=_tighter(one.most, other.most, greatest=False),
        null=one.null if other.null is None else other.null,
        never=one.never or other.never or {one.null, other.null} == {True, False},
    )


def _tighter(
    one: tuple[object, bool] | None, other: tuple[object, bool] | None, *, greatest: bool
) -> tuple[object, bool] | None:
    if one is None or other is None:
        return other if one is None else one
    if one[0] == other[0]:
        return (one[0], one[1] and other[1])
    is_greater = one[0] > other[0]  # type: ignore[operator] # literals of one column have one kind
    return one if is_greater is greatest else other


def _is_empty(allowed: _Allowed) -> bool:
    """Return whether nothing is left."""
    least, most = allowed.least, allowed.most
    if allowed.never:
        return True
    if allowed.values is not None:
        left = allowed.values - allowed.without
        return not any(_fits(value, replace(allowed, values=None, without=frozenset())) for value in left)
    if least is None or most is None:
        return False
    return least[0] > most[0] or (least[0] == most[0] and not (least[1] and most[1]))  # type: ignore[operator] # one kind


def _fits(value: object, allowed: _Allowed) -> bool:
    least, most = allowed.least, allowed.most
    above = least is None or value > least[0] or (value == least[0] and least[1])  # type: ignore[operator] # one kind
    below = most is None or value < most[0] or (value == most[0] and most[1])  # type: ignore[operator] # one kind
    return above and below


class Counted(Protocol):
    """How many rows a rule passed, failed, did not concern or could not judge."""

    @property
    def passed(self) -> int: ...  # noqa: D102 - the class says it
    @property
    def failed(self) -> int: ...  # noqa: D102 - the class says it
    @property
    def not_applicable(self) -> int: ...  # noqa: D102 - the class says it
    @property
    def not_evaluated(self) -> int: ...  # noqa: D102 - the class says it


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleWarning:
    """Something about a rule that a run showed, for its owner to look at (cảnh báo về quy tắc)."""

    rule: str  # Rule.name
    kind: str  # "concerns-nothing", "fails-everything", "cannot-be-evaluated"
    text: Text


def rule_warnings(counts: Mapping[str, Counted]) -> tuple[RuleWarning, ...]:
    """Return which rules a run over a whole dataset shows to say nothing; by name of rule.

    ``counts`` has the four outcomes by name of rule. A score is worked out from the same counts all the same: the
    warning asks a person whether it means anything.
    """
    found: list[RuleWarning] = []
    for name, count in counts.items():
        judged = count.passed + count.failed
        rows = judged + count.not_applicable + count.not_evaluated
        if rows < ROWS_TELLING_MIN:
            continue
        if count.not_applicable == rows:
            text = Text(
                vi=f"Quy tắc không áp dụng cho bản ghi nào trong {_vi(rows)} bản ghi",
                en=f"The rule concerns none of {rows} records",
            )
            found.append(RuleWarning(rule=name, kind="concerns-nothing", text=text))
        elif judged == 0:
            text = Text(
                vi=f"Không đánh giá được bản ghi nào trong {_vi(rows)} bản ghi",
                en=f"The rule could judge none of {rows} records",
            )
            found.append(RuleWarning(rule=name, kind="cannot-be-evaluated", text=text))
        elif count.passed == 0 and count.failed >= ROWS_TELLING_MIN:
            text = Text(
                vi=f"Mọi bản ghi được xét ({_vi(count.failed)}) đều không đạt: có thể quy tắc sai",
                en=f"Every record judged ({count.failed}) fails: the rule may be wrong",
            )
            found.append(RuleWarning(rule=name, kind="fails-everything", text=text))
    return tuple(sorted(found, key=lambda warning: warning.rule))


def _vi(number: int) -> str:
    return f"{number:,}".replace(",", ".")
