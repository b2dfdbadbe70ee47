"""A rule program as one SQL query: facts become joins, rules become letters, in the words of each dialect.

    SELECT _record_id, letters AS _judgement, … FROM (SELECT e.*, facts FROM examined e LEFT JOIN code lists …)

Code lists travel as tables in which every code has its periods cut into pieces that do not overlap, so that a join
finds one row at most. What ``check/facts.py`` works out on a batch in memory, these joins work out on a whole table.
"""

# ruff: noqa: S608 - the queries are put together from names and texts of the dictionary, quoted where they are made

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from lienthong.check.columns import IN_FORCE, LISTED, PARENT, PATTERNED, RECORD_DAY, SIZED, fact_columns
from lienthong.check.language import literal, parse_predicate, to_sql
from lienthong.check.program import JUDGEMENT, RECORD_ID, BoundRule, RuleProgram
from lienthong.check.verdict import Letter, Severity
from lienthong.dictionary.model import Code, CodeList, CodeListId, Datatype, ValueDomain

DUCKDB: Final = "duckdb"
POSTGRES: Final = "postgres"
SPARK: Final = "spark"

ARGUMENTS_MAX: Final = 100  # of a function of PostgreSQL
FIRST_DAY: Final = date.min  # open periods begin and end with the calendar, for joins that know no infinity
LAST_DAY: Final = date.max

_CODES_SCHEMA: Final = {"code": pl.String, "undated_in_force": pl.Boolean, "undated_parent": pl.String}
_PERIODS_SCHEMA: Final = {"code": pl.String, "begins": pl.Date, "last": pl.Date, "parent": pl.String}
_TEXT_TYPE: Final = {DUCKDB: "VARCHAR", POSTGRES: "TEXT", SPARK: "STRING"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _CodeFact:
    """Facts about one coded column."""

    column: str
    wanted: frozenset[str]  # LISTED, IN_FORCE, PARENT, PATTERNED, SIZED
    several: bool  # a list of codes
    codes: str | None  # name of the table of codes
    periods: str | None  # name of the table of periods; None where no code begins or ends
    domain: ValueDomain


@dataclass(frozen=True, kw_only=True, slots=True)
class SqlProgram:
    """The queries of one rule program; ``tables`` must stand under these names where they run."""

    program: RuleProgram
    tables: Mapping[str, pl.DataFrame]
    _facts: tuple[_CodeFact, ...]

    def query(
        self,
        *,
        dialect: str,
        examined: str,
        broken: Collection[int] = (),
        also: Sequence[str] = (),
        names: Mapping[str, str] | None = None,
    ) -> str:
        """Return the query of ``_record_id``, ``_judgement`` and the columns of ``also``, a row per examined row.

        ``examined`` and the values of ``names`` (for the names of ``tables``) are relations as this engine writes
        them. Rules at the places of ``broken`` get the fourth outcome on every row.
        """
        judged = [_letter(each, place, dialect, place in broken) for place, each in enumerate(self.program.bound)]
        letters = _concat(judged)
        return self._select(
            [_quoted(RECORD_ID, dialect), f"{letters} AS {_quoted(JUDGEMENT, dialect)}"]
            + [_quoted(name, dialect) for name in also],
            dialect=dialect,
            examined=examined,
            places=[place for place in range(len(self.program.bound)) if place not in broken],
            names=names or {},
        )

    def probe(self, place: int, *, dialect: str, examined: str, names: Mapping[str, str] | None = None) -> str:
        """Return a query that runs one rule alone on every row: what fails here is this rule."""
        return self._select(
            [f"MAX({_letter(self.program.bound[place], place, dialect, broken=False)}) AS letter"],
            dialect=dialect,
            examined=examined,
            places=[place],
            names=names or {},
        )

    def found(self, *, dialect: str) -> str:
        """Return the condition on ``_judgement`` that no row with a finding fails."""
        judgement = _quoted(JUDGEMENT, dialect)
        held = [
            f"SUBSTR({judgement}, {place + 1}, 1) = '{Letter.NOT_EVALUATED}'"
            for place, each in enumerate(self.program.bound)
            if each.rule.severity is Severity.BLOCKING
        ]
        return " OR ".join([f"{judgement} LIKE '%{Letter.FAIL}%'", *held])

    def _select(
        self, columns: list[str], *, dialect: str, examined: str, places: Sequence[int], names: Mapping[str, str]
    ) -> str:
        read = frozenset(name for place in places for name in self.program.bound[place].reads)
        made: list[str] = []
        joins: list[str] = []
        for number, fact in enumerate(self._facts):
            wanted = frozenset(each for each in fact.wanted if fact.column + each in read)
            if wanted:
                way = _several if fact.several else _single
                facts, joined = way(fact, wanted, number, dialect, examined, names)
                made += facts
                joins += joined
        for place in places:
            key = self.program.bound[place].key
            if key:
                made.append(f"k{place}.{_quoted(key[0], dialect)} IS NOT NULL AS {_quoted(_shared(place), dialect)}")
                joins.append(_twice(place, key, dialect, examined))
        inner = ", ".join(["e.*", *made])
        return f"SELECT {', '.join(columns)} FROM (SELECT {inner} FROM {examined} e {' '.join(joins)}) t"


def compile_sql(program: RuleProgram) -> SqlProgram:
    """Return the queries of a program and the tables of codes they join."""
    read = frozenset(name for each in program.bound for name in each.reads)
    dictionary = program.dictionary
    tables: dict[str, pl.DataFrame] = {}
    numbers: dict[CodeListId, int] = {}
    facts: list[_CodeFact] = []
    for member in program.rules.dataset.members:
        column = dictionary.elements[member.element].technical_name
        wanted = frozenset(
            name.removeprefix(column) for name in fact_columns(dictionary, member.element) if name in read
        )
        if not wanted:
            continue
        domain = dictionary.domain_of(member.element)
        code_list = dictionary.code_list_of(member.element)
        codes = periods = None
        if wanted & {LISTED, IN_FORCE, PARENT}:
            assert code_list is not None, "a fact about a code needs its list"
            assert domain.code_list is not None, "a list has a name"
            number = numbers.setdefault(domain.code_list, len(numbers))
            codes = f"lienthong_codes_{number}"
            tables[codes] = codes_table(code_list)
            if any(_dated(code) for code in code_list.codes):
                periods = f"lienthong_periods_{number}"
                tables[periods] = periods_table(code_list)
        facts.append(
            _CodeFact(
                column=column,
                wanted=wanted,
                several=domain.datatype is Datatype.CODES,
                codes=codes,
                periods=periods,
                domain=domain,
            )
        )
    return SqlProgram(program=program, tables=tables, _facts=tuple(facts))


def codes_table(code_list: CodeList) -> pl.DataFrame:
    """Return each code once, with what can be said of it when no day is known."""
    entries = _by_code(code_list)
    undated = [[each for each in found if not _dated(each)] for found in entries.values()]
    return pl.DataFrame(
        {
            "code": list(entries),
            # Without a day a code that begins or ends could be in force or not.
            "undated_in_force": [True if always else None for always in undated],
            "undated_parent": [_least_parent(always) for always in undated],
        },
        schema=_CODES_SCHEMA,
    )


def periods_table(code_list: CodeList) -> pl.DataFrame:
    """Return the days on which each code is in force as pieces that do not overlap; both ends belong to a piece."""
    rows: list[tuple[str, date, date, str | None]] = []
    for code, entries in _by_code(code_list).items():
        begins = [each.valid_from or FIRST_DAY for each in entries]
        ends = [each.valid_to for each in entries if each.valid_to is not None]
        cuts = sorted({*begins, *ends})
        for start, following in zip(cuts, [*cuts[1:], None], strict=True):
            there = [each for each in entries if _in_force(each, start)]
            if there:
                last = LAST_DAY if following is None else following - timedelta(days=1)
                rows.append((code, start, last, _least_parent(there)))
    return pl.DataFrame(rows, schema=_PERIODS_SCHEMA, orient="row")


def _by_code(code_list: CodeList) -> dict[str, list[Code]]:
    entries: dict[str, list[Code]] = {}
    for code in code_list.codes:
        entries.setdefault(code.code, []).append(code)
    return entries


def _dated(code: Code) -> bool:
    return code.valid_from is not None or code.valid_to is not None


def _in_force(code: Code, day: date) -> bool:
    return (code.valid_from is None or code.valid_from <= day) and (code.valid_to is None or day < code.valid_to)


def _least_parent(codes: Sequence[Code]) -> str | None:
    return min((code.parent for code in codes if code.parent is not None), default=None)


def _concat(texts: Sequence[str]) -> str:
    """Join texts, a hundred at a time: PostgreSQL's functions take no more, and || copies what it has each time."""
    if not texts:
        return "''"
    parts = [f"CONCAT({', '.join(texts[at : at + ARGUMENTS_MAX])})" for at in range(0, len(texts), ARGUMENTS_MAX)]
    return parts[0] if len(parts) == 1 else _concat(parts)


def _quoted(name: str, dialect: str) -> str:
    return f"`{name}`" if dialect == SPARK else f'"{name}"'


def _shared(place: int) -> str:
    return f"_shared_{place}"


def _letter(bound: BoundRule, place: int, dialect: str, broken: bool) -> str:
    if broken:
        return f"'{Letter.NOT_EVALUATED}'"
    if bound.key:
        filled = " AND ".join(f"{_quoted(name, dialect)} IS NOT NULL" for name in bound.key)
        return (
            f"CASE WHEN {filled} THEN CASE WHEN {_quoted(_shared(place), dialect)} THEN '{Letter.FAIL}'"
            f" ELSE '{Letter.PASS}' END ELSE '{Letter.NOT_APPLICABLE}' END"
        )
    if bound.when is None or bound.check is None:
        return f"'{Letter.NOT_APPLICABLE}'"
    when, check = to_sql(bound.when, dialect=dialect), to_sql(bound.check, dialect=dialect)
    return (
        f"CASE WHEN {when} THEN CASE ({check}) WHEN TRUE THEN '{Letter.PASS}' WHEN FALSE THEN '{Letter.FAIL}'"
        f" ELSE '{Letter.NOT_EVALUATED}' END ELSE '{Letter.NOT_APPLICABLE}' END"
    )


def _twice(place: int, key: tuple[str, ...], dialect: str, examined: str) -> str:
    """Join the values that stand in more than one row."""
    names = ", ".join(_quoted(name, dialect) for name in key)
    filled = " AND ".join(f"{_quoted(name, dialect)} IS NOT NULL" for name in key)
    on = " AND ".join(f"e.{_quoted(name, dialect)} = k{place}.{_quoted(name, dialect)}" for name in key)
    return (
        f"LEFT JOIN (SELECT {names} FROM {examined} WHERE {filled} GROUP BY {names} HAVING COUNT(*) > 1) k{place} "
        f"ON {on}"
    )


def _single(
    fact: _CodeFact, wanted: frozenset[str], number: int, dialect: str, examined: str, names: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """Return the facts about one code as columns, and the joins they need."""
    del examined
    value, day = f"e.{_quoted(fact.column, dialect)}", f"e.{_quoted(RECORD_DAY, dialect)}"
    ways = _ways(fact, value, day, number)
    made = [f"{ways[each]} AS {_quoted(fact.column + each, dialect)}" for each in sorted(wanted)]
    return made, _joins(fact, wanted, value, day, number, names)


def _ways(fact: _CodeFact, value: str, day: str, number: int) -> dict[str, str]:
    there = f"c{number}.code IS NOT NULL"
    if fact.periods is None:
        force, parent = there, f"c{number}.undated_parent"
    else:
        force = (
            f"CASE WHEN c{number}.code IS NULL THEN FALSE WHEN {day} IS NULL THEN c{number}.undated_in_force "
            f"ELSE p{number}.code IS NOT NULL END"
        )
        parent = f"CASE WHEN {day} IS NULL THEN c{number}.undated_parent ELSE p{number}.parent END"
    return {
        LISTED: f"CASE WHEN {value} IS NOT NULL THEN {there} END",
        IN_FORCE: f"CASE WHEN {value} IS NOT NULL THEN {force} END",
        PARENT: parent,
    }


def _joins(
    fact: _CodeFact, wanted: frozenset[str], value: str, day: str, number: int, names: Mapping[str, str]
) -> list[str]:
    joins = []
    if fact.codes is not None:
        joins.append(f"LEFT JOIN {names.get(fact.codes, fact.codes)} c{number} ON {value} = c{number}.code")
    if fact.periods is not None and wanted & {IN_FORCE, PARENT}:
        joins.append(
            f"LEFT JOIN {names.get(fact.periods, fact.periods)} p{number} ON {value} = p{number}.code"
            f" AND {day} >= p{number}.begins AND {day} <= p{number}.last"
        )
    return joins


def _several(
    fact: _CodeFact, wanted: frozenset[str], number: int, dialect: str, examined: str, names: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """Return the facts about a list of codes: each distinct (list, day) is taken apart, judged and put together.

    0 is false, 1 unknown, 2 true: the least of them is what holds of all.
    """
    column, day = _quoted(fact.column, dialect), _quoted(RECORD_DAY, dialect)
    ways = _ways(fact, "s.item", f"s.{day}", number)
    asked = {each: ways[each] for each in wanted & {LISTED, IN_FORCE}}
    asked.update({each: _shape(each, fact.domain, dialect) for each in wanted & {PATTERNED, SIZED}})
    least = []
    for each in sorted(asked):
        truth = f"CASE ({asked[each]}) WHEN FALSE THEN 0 WHEN TRUE THEN 2 ELSE 1 END"
        # A missing item has no place in a list of codes and no shape either.
        if each in {LISTED, IN_FORCE}:
            truth = f"CASE WHEN s.item IS NOT NULL THEN {truth} END"
        least.append(f"MIN({truth}) AS {_quoted('least' + each, dialect)}")
    day_key = f"COALESCE(CAST({day} AS {_TEXT_TYPE[dialect]}), '')"
    unnest = "EXPLODE" if dialect == SPARK else "UNNEST"
    size = {DUCKDB: "LEN", POSTGRES: "CARDINALITY", SPARK: "SIZE"}[dialect]
    lists = (
        f"SELECT {column}, {day}, {day_key} AS day_key, {unnest}({column}) AS item"
        f" FROM (SELECT DISTINCT {column}, {day} FROM {examined} WHERE {size}({column}) > 0) d"
    )
    joined = (
        f"LEFT JOIN (SELECT s.{column}, s.day_key, {', '.join(least)} FROM ({lists}) s"
        f" {' '.join(_joins(fact, wanted, 's.item', f's.{day}', number, names))}"
        f" GROUP BY s.{column}, s.day_key) l{number}"
        f" ON e.{column} = l{number}.{column} AND"
        f" COALESCE(CAST(e.{day} AS {_TEXT_TYPE[dialect]}), '') = l{number}.day_key"
    )
    made = [
        f"CASE l{number}.{_quoted('least' + each, dialect)} WHEN 0 THEN FALSE WHEN 2 THEN TRUE END"
        f" AS {_quoted(fact.column + each, dialect)}"
        for each in sorted(asked)
    ]
    return made, [joined]


def _shape(each: str, domain: ValueDomain, dialect: str) -> str:
    if each == PATTERNED:
        assert domain.pattern is not None, "a fact about a pattern needs one"
        text = f"regexp_like(item, {literal(domain.pattern)})"
    else:
        text = f"length(item) >= {domain.min_length or 0}"
        if domain.max_length is not None:
            text += f" AND length(item) <= {domain.max_length}"
    return to_sql(parse_predicate(text, columns={"item": pl.String()}), dialect=dialect)
