"""The statements that evaluate a rule over other records, composed from the rule and the tables' specifications.

A statement looks at records as they are, or as the measurement before saw them, which the history tells: a version
was visible then when its own batch was visible and the batch that ended it was not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

import polars as pl
from psycopg import sql

from lienthong.centre.measuring import AGREEMENT, BLOCK_RECORDS_MAX, FRESHNESS, NEAR_DUPLICATE, measured_kind
from lienthong.centre.refusals import RuleNotMeasurable
from lienthong.centre.tables import PARTIAL_DATE, SCHEMA, TableSpec
from lienthong.check.columns import AGE_DAYS, MEASURED_DAY, RECORD_DAY, SOURCE_DAY
from lienthong.check.language import ColumnUnknown, Predicate, PredicateRefused, parse_predicate, to_sql
from lienthong.check.verdict import Comparison, Rule
from lienthong.dictionary.model import Dataset, DatasetId, Dictionary
from lienthong.standardise.plan import schema_of

# What stands for the two sides' newest batches in the run before.
_VISIBLE_BEFORE = "{alias}._batch <= %({bound})s"
_ENDED_SINCE = "{alias}._batch <= %({bound})s AND {alias}._ended_batch > %({bound})s"
OWN_BOUND = "own_bound"
OTHER_BOUND = "other_bound"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """The two sides of a comparison."""

    own: TableSpec
    other: TableSpec
    comparison: Comparison
    columns: tuple[str, ...]  # own columns that are read
    applies: sql.Composable  # over a record x
    holds: sql.Composable | None  # where the rule is about one row
    day: str | None  # column of the record's own date, where the condition asks for it


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One rule of a measurement, ready to run; ``place`` is its place in the rule set."""

    place: int
    rule: Rule
    kind: str  # what it is evaluated as
    own: TableSpec
    other: TableSpec
    comparison: Comparison
    sides: Sides
    shown: tuple[str, ...]  # own columns shown as observed
    shown_other: tuple[str, ...]  # and the other record's
    affected: bytes  # fills pg_temp.affected with the records to look at again
    whole: bytes  # judges every record
    now: bytes  # judges the affected records as they are
    before: bytes  # and as the run before saw them
    observed: bytes  # texts of the failing records without an open finding

    @property
    def parameters(self) -> dict[str, object]:
        """Return what the statements name beside the bounds."""
        return {
            "place": self.place,
            "rule": self.rule.name,
            "dataset": self.own.dataset,
            "most": BLOCK_RECORDS_MAX,
        }


def plan_rule(
    dictionary: Dictionary, specs: Mapping[str, TableSpec], dataset: Dataset, *, place: int, rule: Rule
) -> Plan:
    """Compose the statements of a rule.

    Raises:
        RuleNotMeasurable: the rule names a dataset or column there is not, or compares values of two types.
    """
    kind = measured_kind(rule)
    assert kind is not None, f"rule {rule.name} is not for a measurement"
    comparison = rule.comparison
    if kind == FRESHNESS:
        comparison = Comparison(dataset=DatasetId(dataset.identity.id), on=())
    elif comparison is None or not comparison.on:
        raise RuleNotMeasurable(rule=rule.name, reason="it does not say which records are compared")
    if comparison.dataset not in specs:
        raise RuleNotMeasurable(rule=rule.name, reason=f"there is no dataset {comparison.dataset}")
    own, other = specs[dataset.identity.id], specs[comparison.dataset]
    _require_comparable(rule, comparison, own, other)
    sides = _sides(dictionary, dataset, rule, comparison, own, other)
    shown = tuple(name for name, _ in comparison.equal) or comparison.similar or tuple(n for n, _ in comparison.on)
    named = rule.shows or rule.element
    if named in own.column_names and kind == FRESHNESS:
        shown = (str(named),)
    whole, now, before = _judging(kind, sides)
    return Plan(
        place=place,
        rule=rule,
        kind=kind,
        own=own,
        other=other,
        comparison=comparison,
        sides=sides,
        shown=shown,
        shown_other=tuple(name for _, name in comparison.equal) if rule.over == AGREEMENT else (),
        affected=affected_records(sides),
        whole=whole,
        now=now,
        before=before,
        observed=_observed(sides, shown, with_other=rule.over == AGREEMENT),
    )


def wanted_indexes(plan: Plan) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return (table, index, columns) by which records are found from the other side, where the tables lack them."""
    mine = tuple(name for name, _ in plan.comparison.on)
    if not mine:
        return []
    theirs = tuple(name for _, name in plan.comparison.on)
    tables = [
        (plan.own.table, plan.own.indexes, mine),
        (plan.other.table, plan.other.indexes, theirs),
        (plan.other.history, plan.other.history_indexes, theirs),
    ]
    wanted = []
    for table, known, columns in tables:
        if any(index.columns[: len(columns)] == columns for index in known):
            continue
        digest = hashlib.sha256(" ".join((table, *columns)).encode()).hexdigest()[:10]
        wanted.append((table, f"{table[:40]}_m_{digest}", columns))
    return list(dict.fromkeys(wanted))


def changed_since(spec: TableSpec) -> bytes:
    """Return the statement that counts records touched since a batch."""
    return composed(
        "SELECT (SELECT count(*) FROM {current} WHERE _batch > %(bound)s)"
        " + (SELECT count(*) FROM {history} WHERE _ended_batch > %(bound)s AND _ended_by = 'CANCEL')",
        **_tables(spec),
    )


def newest_batch(spec: TableSpec) -> bytes:
    """Return the statement that finds the newest batch whose effect on a dataset is visible.

    Batches of a dataset follow one another: each takes its number while it holds the dataset, so every batch up to
    the newest visible one is visible.
    """
    return composed(
        "SELECT greatest((SELECT coalesce(max(_batch), 0) FROM {current}),"
        " (SELECT coalesce(max(_ended_batch), 0) FROM {history}))",
        **_tables(spec),
    )


# -- what a rule says ----------------------------------------------------------------------------------------------


def _require_comparable(rule: Rule, comparison: Comparison, own: TableSpec, other: TableSpec) -> None:
    for mine, theirs in (*comparison.on, *comparison.equal, *((name, name) for name in comparison.similar)):
        for spec, name in ((own, mine), (other, theirs)):
            if name not in spec.column_names:
                raise RuleNotMeasurable(rule=rule.name, reason=f"dataset {spec.dataset} has no column {name}")
        if _family(own.column(mine).type) != _family(other.column(theirs).type):
            raise RuleNotMeasurable(rule=rule.name, reason=f"{mine} and {theirs} hold values of two types")
    if rule.over == AGREEMENT and not comparison.equal:
        raise RuleNotMeasurable(rule=rule.name, reason="it does not say which values must agree")
    if rule.over == NEAR_DUPLICATE:
        if own.dataset != other.dataset or any(mine != theirs for mine, theirs in comparison.on):
            raise RuleNotMeasurable(rule=rule.name, reason="near-duplicates are sought in one dataset")
        if any(own.column(name).type != "text" for name in comparison.similar):
            raise RuleNotMeasurable(rule=rule.name, reason="only texts resemble each other")


def _family(type_: str) -> str:
    return "number" if type_ == "bigint" or type_.startswith("numeric") else type_


def _sides(
    dictionary: Dictionary, dataset: Dataset, rule: Rule, comparison: Comparison, own: TableSpec, other: TableSpec
) -> Sides:
    known: dict[str, pl.DataType] = schema_of(dictionary, dataset) | {
        **dict.fromkeys((RECORD_DAY, SOURCE_DAY, MEASURED_DAY), pl.Date()),
        AGE_DAYS: pl.Int64(),
    }
    try:
        when = parse_predicate(rule.when or "true", columns=known)
        check = parse_predicate(rule.check, columns=known) if rule.over is None else when
    except (ColumnUnknown, PredicateRefused) as cause:
        # What the standardiser did to a value is not kept with the record.
        raise RuleNotMeasurable(rule=rule.name, reason=f"its condition cannot be asked here, {cause.code}") from cause
    day = None
    read = {*when.columns, *check.columns}
    if RECORD_DAY in read and dataset.record_date is not None:
        day = dictionary.elements[dataset.record_date].technical_name
        if own.column(day).type != "date":
            raise RuleNotMeasurable(rule=rule.name, reason=f"{RECORD_DAY} rests on {day}, which is no full date")
    needed = [name for name, _ in comparison.on]
    needed += comparison.similar if rule.over == NEAR_DUPLICATE else ()
    parts: list[sql.Composable] = [sql.SQL("coalesce(({}), false)").format(_made(when))]
    parts += [sql.SQL("{} IS NOT NULL").format(sql.Identifier("x", name)) for name in dict.fromkeys(needed)]
    if rule.over == AGREEMENT:
        values = sql.SQL(", ").join(sql.Identifier("x", name) for name, _ in comparison.equal)
        parts.append(sql.SQL("num_nonnulls({}) > 0").format(values))
    asked = [*needed, *(name for name, _ in comparison.equal), *sorted(read)]
    columns = tuple(name for name in dict.fromkeys(asked) if name in own.column_names)
    return Sides(
        own=own,
        other=other,
        comparison=comparison,
        columns=columns,
        applies=sql.SQL(" AND ").join(parts),
        holds=_made(check) if rule.over is None else None,
        day=day,
    )


def _made(predicate: Predicate) -> sql.SQL:
    # A percent sign in the text is no parameter.
    text = to_sql(predicate, dialect="postgres").replace("%", "%%")
    # sqlglot wrote it from a tree checked node by node.
    return sql.SQL(text)  # type: ignore[arg-type, unused-ignore] # no literal, see above


# -- records -------------------------------------------------------------------------------------------------------


def composed(template: LiteralString, **parts: sql.Composable) -> bytes:
    """Render a template once: everything that varies enters as a composed part, or as a parameter later."""
    return sql.SQL(template).format(**parts).as_bytes()


def _tables(spec: TableSpec) -> dict[str, sql.Composable]:
    return {"current": sql.Identifier(SCHEMA, spec.table), "history": sql.Identifier(SCHEMA, spec.history)}


def _names(names: Sequence[str], alias: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in names)


def own_records(sides: Sides, *, before: bool, affected: bool, together: Sequence[Sides] = ()) -> sql.Composed:
    """Return own records with what is read of them and whether the rule applies; or several rules, numbered."""
    every = together or (sides,)
    columns = dict.fromkeys(name for each in every for name in each.columns)
    source_day = sql.SQL("((t._source_time AT TIME ZONE 'UTC') + interval '7 hours')::date")
    record_day: sql.Composable = source_day
    if sides.day is not None:
        record_day = sql.SQL("coalesce({}, {})").format(sql.Identifier("t", sides.day), source_day)
    what = sql.SQL(", ").join(
        [
            sql.SQL("t._record_id AS record_id, {} AS source_day, {} AS record_day").format(source_day, record_day),
            # A clock that was set back tells no age.
            sql.SQL(
                "%(day)s::date AS measured_day,"
                " CASE WHEN %(day)s::date >= {0} THEN %(day)s::date - {0} END AS age_days"
            ).format(source_day),
            *(sql.Identifier("t", name) for name in columns),
        ]
    )
    join = sql.SQL("")
    if affected:
        join = sql.SQL(" JOIN pg_temp.affected a ON a.place = %(place)s AND a.record_id = t._record_id")
    branch = sql.SQL("SELECT {what} FROM {table} t{join}{where}")
    tables = _tables(sides.own)
    if before:
        records = sql.SQL(" UNION ALL ").join(
            branch.format(what=what, table=tables[table], join=join, where=_where(condition, "t", OWN_BOUND))
            for table, condition in (("current", _VISIBLE_BEFORE), ("history", _ENDED_SINCE))
        )
    else:
        records = branch.format(what=what, table=tables["current"], join=join, where=sql.SQL(""))
    holds = sql.SQL("NULL::boolean") if sides.holds is None else sides.holds
    numbered = [
        sql.SQL("{} AS {}").format(each.applies, sql.Identifier(f"applies_{n}")) for n, each in enumerate(every)
    ]
    return sql.SQL("(SELECT x.*, {applies} AS applies, {numbered}, ({holds}) AS holds FROM ({records}) x)").format(
        applies=sides.applies, numbered=sql.SQL(", ").join(numbered), holds=holds, records=records
    )


def _where(condition: LiteralString, alias: LiteralString, bound: LiteralString) -> sql.SQL:
    return sql.SQL(" WHERE " + condition.replace("{alias}", alias).replace("{bound}", bound))


def _same_keys(sides: Sides, own: str, other: str) -> sql.Composed:
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(other, theirs), sql.Identifier(own, mine))
        for mine, theirs in sides.comparison.on
    )


def compared_records(sides: Sides, what: sql.Composable, *, before: bool) -> sql.Composed:
    """Return the other side's records with the keys of own record o, each side by its index."""
    tables, keys = _tables(sides.other), _same_keys(sides, "o", "c")
    branch = sql.SQL("SELECT {what} FROM {table} c{where} AND {keys}")
    if not before:
        return branch.format(what=what, table=tables["current"], where=sql.SQL(" WHERE true"), keys=keys)
    return sql.SQL(" UNION ALL ").join(
        branch.format(what=what, table=tables[table], where=_where(condition, "c", OTHER_BOUND), keys=keys)
        for table, condition in (("current", _VISIBLE_BEFORE), ("history", _ENDED_SINCE))
    )


# -- letters -------------------------------------------------------------------------------------------------------


def _judging(kind: str, sides: Sides) -> tuple[bytes, bytes, bytes]:
    """Return the statements that judge: all records, the affected as they are, the affected as they were."""
    if kind == NEAR_DUPLICATE and sides.comparison.similar:
        return (
            _blocks(sides, before=False, affected=False),
            _blocks(sides, before=False, affected=True),
            _blocks(sides, before=True, affected=True),
        )
    if kind in {NEAR_DUPLICATE, FRESHNESS}:
        alone = _shared if kind == NEAR_DUPLICATE else _aged
        whole = alone(sides, before=False, affected=False)
        now, before = alone(sides, before=False, affected=True), alone(sides, before=True, affected=True)
    elif kind == AGREEMENT:
        whole = _agreement_of_all(sides)
        now, before = (_agreement_of_affected(sides, before=past) for past in (False, True))
    else:
        whole = _reference_of_all(sides)
        now, before = (_reference_of_affected(sides, before=past) for past in (False, True))
    count = sql.SQL("SELECT l.letter, count(*) FROM ({letters}) l GROUP BY l.letter")
    return _keeping(whole), _keeping(now), count.format(letters=before).as_bytes()


def _keeping(letters: sql.Composed) -> bytes:
    """Count the letters and keep which records failed."""
    return composed(
        "WITH l AS MATERIALIZED ({letters}), f AS (INSERT INTO pg_temp.failed (place, record_id)"
        " SELECT %(place)s, l.record_id FROM l WHERE l.letter = 'f')"
        " SELECT l.letter, count(*) FROM l GROUP BY l.letter",
        letters=letters,
    )


def _reference_of_all(sides: Sides) -> sql.Composed:
    theirs = [name for _, name in sides.comparison.on]
    return sql.SQL(
        "SELECT o.record_id, CASE WHEN NOT o.applies THEN 'n' WHEN c.found THEN 'p' ELSE 'f' END AS letter"
        " FROM {own} o LEFT JOIN (SELECT DISTINCT {keys}, true AS found FROM {other} s) c ON o.applies AND {same}"
    ).format(
        own=own_records(sides, before=False, affected=False),
        keys=_names(theirs, "s"),
        other=_tables(sides.other)["current"],
        same=_same_keys(sides, "o", "c"),
    )


def _reference_of_affected(sides: Sides, *, before: bool) -> sql.Composed:
    return sql.SQL(
        "SELECT o.record_id, CASE WHEN NOT o.applies THEN 'n' WHEN c.found THEN 'p' ELSE 'f' END AS letter"
        " FROM {own} o LEFT JOIN LATERAL (SELECT true AS found FROM ({compared}) s LIMIT 1) c ON o.applies"
    ).format(
        own=own_records(sides, before=before, affected=True),
        compared=compared_records(sides, sql.SQL("true AS found"), before=before),
    )


def pair_letter(sides: Sides, other: str) -> sql.Composed:
    """Compare the values of two records: a value that the other side lacks could not be evaluated.

    A partial date that says less than the other side's contradicts nothing, and proves nothing.
    """
    differ, unknown = [], []
    for mine, theirs in sides.comparison.equal:
        both = {"mine": sql.Identifier("o", mine), "theirs": sql.Identifier(other, theirs)}
        if sides.own.column(mine).type == PARTIAL_DATE:
            nested = "(starts_with({mine}, {theirs}) OR starts_with({theirs}, {mine}))"
            differ.append(sql.SQL("coalesce(NOT " + nested + ", false)").format(**both))
            unknown.append(sql.SQL("coalesce({mine} <> {theirs} AND " + nested + ", false)").format(**both))
        else:
            differ.append(sql.SQL("coalesce({mine} <> {theirs}, false)").format(**both))
        unknown.append(sql.SQL("({mine} IS NOT NULL AND {theirs} IS NULL)").format(**both))
    return sql.SQL("CASE WHEN {differ} THEN 'f' WHEN {unknown} THEN 'e' ELSE 'p' END").format(
        differ=sql.SQL(" OR ").join(differ), unknown=sql.SQL(" OR ").join(unknown)
    )


def _agreement_of_all(sides: Sides) -> sql.Composed:
    first = sql.Identifier("c", sides.comparison.on[0][1])
    letter = sql.SQL("CASE WHEN {first} IS NOT NULL THEN {pair} END").format(
        first=first, pair=pair_letter(sides, "c")
    )
    return sql.SQL(
        # Several records may claim the key: where they do not say the same, nothing could be evaluated.
        "SELECT o.record_id, CASE WHEN NOT bool_and(o.applies) OR count({first}) = 0 THEN 'n'"
        " WHEN min({letter}) = max({letter}) THEN min({letter}) ELSE 'e' END AS letter"
        " FROM {own} o LEFT JOIN {other} c ON o.applies AND {same} GROUP BY o.record_id"
    ).format(
        first=first,
        letter=letter,
        own=own_records(sides, before=False, affected=False),
        other=_tables(sides.other)["current"],
        same=_same_keys(sides, "o", "c"),
    )


def _agreement_of_affected(sides: Sides, *, before: bool) -> sql.Composed:
    compared = compared_records(sides, sql.SQL("{} AS letter").format(pair_letter(sides, "c")), before=before)
    return sql.SQL(
        "SELECT o.record_id, CASE WHEN NOT o.applies OR c.least IS NULL THEN 'n'"
        " WHEN c.least = c.most THEN c.least ELSE 'e' END AS letter FROM {own} o"
        " LEFT JOIN LATERAL (SELECT min(s.letter) AS least, max(s.letter) AS most FROM ({compared}) s) c ON o.applies"
    ).format(own=own_records(sides, before=before, affected=True), compared=compared)


def _aged(sides: Sides, *, before: bool, affected: bool) -> sql.Composed:
    """Judge a rule about one row that asks how old it is."""
    return sql.SQL(
        "SELECT o.record_id, CASE WHEN NOT o.applies THEN 'n' WHEN o.holds IS NULL THEN 'e' WHEN o.holds THEN 'p'"
        " ELSE 'f' END AS letter FROM {own} o"
    ).format(own=own_records(sides, before=before, affected=affected))


def _shared(sides: Sides, *, before: bool, affected: bool) -> sql.Composed:
    """Judge duplicates that share some values exactly: however many there are, each of them fails."""
    shared = _names([name for name, _ in sides.comparison.on], "o")
    return sql.SQL(
        "SELECT o.record_id, CASE WHEN NOT o.applies THEN 'n'"
        " WHEN count(*) OVER (PARTITION BY o.applies, {shared}) > 1 THEN 'f' ELSE 'p' END AS letter FROM {own} o"
    ).format(shared=shared, own=own_records(sides, before=before, affected=affected))


def _blocks(sides: Sides, *, before: bool, affected: bool) -> bytes:
    """Keep the blocks in which records are compared, and count what is settled without comparing.

    The letter b says: in a block, still to be compared.
    """
    shared = _names([name for name, _ in sides.comparison.on], "o")
    return composed(
        "WITH b AS MATERIALIZED (SELECT o.record_id, o.applies, {similar},"
        " count(*) OVER (PARTITION BY o.applies, {shared}) AS members,"
        " dense_rank() OVER (ORDER BY o.applies, {shared}) AS block FROM {own} o),"
        " k AS (INSERT INTO pg_temp.block (record_id, block, texts) SELECT b.record_id, b.block, ARRAY[{texts}]"
        "  FROM b WHERE b.applies AND b.members BETWEEN 2 AND %(most)s)"
        " SELECT CASE WHEN NOT b.applies THEN 'n' WHEN b.members = 1 THEN 'p' WHEN b.members > %(most)s THEN 'e'"
        "  ELSE 'b' END AS letter, count(*) FROM b GROUP BY 1",
        similar=_names(sides.comparison.similar, "o"),
        texts=_names(sides.comparison.similar, "b"),
        shared=shared,
        own=own_records(sides, before=before, affected=affected),
    )


# -- what changed, and what is shown -------------------------------------------------------------------------------


def affected_records(sides: Sides) -> bytes:
    """Find the records whose letter can have changed: they changed themselves, or a record they are compared with.

    The other side's records count by the keys they have and by those they had.
    """
    own, other = _tables(sides.own), _tables(sides.other)
    theirs = [name for _, name in sides.comparison.on]
    if not theirs:
        return composed(
            "INSERT INTO pg_temp.affected (place, record_id) SELECT %(place)s, u.record_id FROM ("
            " SELECT t._record_id AS record_id FROM {current} t WHERE t._batch > %(own_bound)s"
            " UNION SELECT h._record_id FROM {history} h WHERE h._ended_batch > %(own_bound)s) u",
            **own,
        )
    return composed(
        "INSERT INTO pg_temp.affected (place, record_id) SELECT %(place)s, u.record_id FROM ("
        " SELECT t._record_id AS record_id FROM {own_current} t WHERE t._batch > %(own_bound)s"
        " UNION SELECT h._record_id FROM {own_history} h WHERE h._ended_batch > %(own_bound)s"
        " UNION SELECT t.record_id FROM (SELECT {now} FROM {other_current} k WHERE k._batch > %(other_bound)s"
        "  UNION SELECT {now} FROM {other_history} k WHERE k._ended_batch > %(other_bound)s) k"
        "  CROSS JOIN LATERAL (SELECT t._record_id AS record_id FROM {own_current} t WHERE {same} OFFSET 0) t) u",
        own_current=own["current"],
        own_history=own["history"],
        other_current=other["current"],
        other_history=other["history"],
        now=_names(theirs, "k"),
        same=_same_keys(sides, "t", "k"),
    )


def _as_text(spec: TableSpec, names: Sequence[str], alias: str) -> sql.Composed:
    if not names:
        return sql.SQL("{}").format(sql.SQL("NULL::text"))
    parts = [
        sql.SQL("array_to_string({}, ', ')" if spec.column(name).type == "text[]" else "{}::text").format(
            sql.Identifier(alias, name)
        )
        for name in names
    ]
    return sql.SQL("concat_ws(' · ', {})").format(sql.SQL(", ").join(parts))


def _observed(sides: Sides, shown: Sequence[str], *, with_other: bool) -> bytes:
    other: sql.Composable = sql.SQL("NULL::text")
    if with_other:
        theirs = _as_text(sides.other, [name for _, name in sides.comparison.equal], "c")
        other = sql.SQL("(SELECT min({text}) FROM {other} c WHERE {same})").format(
            text=theirs, other=_tables(sides.other)["current"], same=_same_keys(sides, "t", "c")
        )
    return composed(
        "SELECT f.record_id, {mine}, {other} FROM pg_temp.failed f JOIN {own} t ON t._record_id = f.record_id"
        " WHERE f.place = %(place)s AND NOT EXISTS (SELECT FROM lienthong.finding g WHERE g.record_id = f.record_id"
        "  AND g.rule = %(rule)s AND g.dataset = %(dataset)s AND g.closed_at IS NULL)",
        mine=_as_text(sides.own, shown, "t"),
        other=other,
        own=_tables(sides.own)["current"],
    )
