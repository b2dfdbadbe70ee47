"""Read tables to be rated: from SQL, from a survey of a live database, from a dataset of the dictionary."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from lienthong.dictionary.model import Dataset, Datatype, Dictionary, ElementId
from lienthong.errors import Actor, LienthongError
from lienthong.oversight.schema_rating.names import words
from lienthong.oversight.schema_rating.schema import Asked, Column, Kind, Schema, Table
from lienthong.sources.change import SourceId, SourceTable, TableName
from lienthong.sources.profile import ColumnProfile, TableProfile
from lienthong.sources.survey import Survey, TableProposal

DIALECTS: Final = ("postgres", "mysql", "tsql", "oracle")
MEANING_FROM: Final = 0.75  # a name must be so like an element before its schema is held against it
ALIKE_FROM: Final = 0.5  # a table must be so like a dataset before what it lacks of it is held against it

_LENGTH: Final = re.compile(r"\((\d+)(?:\s*(?:char|byte))?\)", re.IGNORECASE)
_TEXT: Final = re.compile(r"char|text|string|clob|enum|uuid", re.IGNORECASE)
_INTEGER: Final = re.compile(r"\b(?:tiny|small|medium|big)?int|serial|integer", re.IGNORECASE)
_NUMBER: Final = re.compile(r"numeric|decimal|float|double|real|money|number", re.IGNORECASE)
_TIMESTAMP: Final = re.compile(r"timestamp|datetime", re.IGNORECASE)
_KINDS: Final[Mapping[Datatype, Kind]] = {
    Datatype.TEXT: Kind.TEXT,
    Datatype.CODE: Kind.TEXT,
    Datatype.CODES: Kind.TEXT,
    Datatype.INTEGER: Kind.INTEGER,
    Datatype.DECIMAL: Kind.NUMBER,
    Datatype.DATE: Kind.DATE,
    Datatype.PARTIAL_DATE: Kind.DATE,
    Datatype.BOOLEAN: Kind.BOOLEAN,
    Datatype.TIMESTAMP: Kind.TIMESTAMP,
}


class SchemaNotReadable(LienthongError, code="OVS-221", actor=Actor.STEWARD):
    """The SQL of a schema cannot be read."""

    message = "the schema in {name} cannot be rated: {reason}"
    hint = "give CREATE TABLE statements and their dialect: --dialect mysql, postgres, tsql or oracle"


def kind_of(type_name: str) -> Kind:
    """Return what a native type can hold."""
    if _TIMESTAMP.search(type_name):
        return Kind.TIMESTAMP
    if _TEXT.search(type_name):
        return Kind.TEXT
    if type_name.lower().startswith("date"):
        return Kind.DATE
    if type_name.lower().startswith(("bool", "bit", "tinyint(1)")):
        return Kind.BOOLEAN
    if _NUMBER.search(type_name):
        return Kind.NUMBER
    return Kind.INTEGER if _INTEGER.search(type_name) else Kind.OTHER


def length_of(type_name: str) -> int | None:
    """Return how many characters a text type lets through; None when it does not say."""
    found = _LENGTH.search(type_name)
    return int(found.group(1)) if found is not None and kind_of(type_name) is Kind.TEXT else None


def from_dataset(dictionary: Dictionary, dataset: Dataset) -> Schema:
    """Return a dataset of the dictionary as a schema; the platform stamps its records itself."""
    columns = []
    for member in dataset.members:
        element, domain = dictionary.elements[member.element], dictionary.domain_of(member.element)
        columns.append(
            Column(
                name=element.technical_name,
                type_name=domain.datatype.value,
                kind=_KINDS[domain.datatype],
                required=member.required,
                max_length=domain.max_length,
                listed=domain.code_list is not None,
                comment=element.definition.vi,
                meaning=_asked(dictionary, member.element),
                other_lengths=tuple(each.value for each in element.conflicts if each.descriptor == "max_length"),
            )
        )
    key = tuple(dictionary.elements[element].technical_name for element in dataset.key)
    table = Table(name=dataset.table, columns=tuple(columns), key=key, stamped=True)
    return Schema(name=dataset.identity.id, tables=(table,))


def from_survey(
    name: str,
    tables: Sequence[tuple[TableProfile, TableProposal | None, SourceTable | None]],
    *,
    dictionary: Dictionary,
) -> Schema:
    """Return surveyed tables as a schema; the third of each says which columns may be empty, where it is known."""
    exact = _exact_names(dictionary)
    return Schema(
        name=name,
        tables=tuple(
            _table(profile, proposal, live, dictionary=dictionary, exact=exact) for profile, proposal, live in tables
        ),
    )


def _exact_names(dictionary: Dictionary) -> Mapping[str, ElementId]:
    """Return elements by every way to write their names, run together; a name of several elements says nothing."""
    found: dict[str, set[ElementId]] = {}
    for name, element in dictionary.elements.items():
        for text in (element.technical_name, element.label.vi, name):
            found.setdefault("".join(words(text)), set()).add(name)
    return {text: next(iter(names)) for text, names in found.items() if len(names) == 1}


def _table(
    profile: TableProfile,
    proposal: TableProposal | None,
    live: SourceTable | None,
    *,
    dictionary: Dictionary,
    exact: Mapping[str, ElementId],
) -> Table:
    alike = proposal is not None and proposal.score >= ALIKE_FROM
    missing = tuple(str(element) for element in proposal.missing) if proposal is not None and alike else ()
    declared = {} if live is None else {column.name: column for column in live.columns}
    columns = []
    for each in profile.columns:
        best = None if proposal is None else next(iter(proposal.suggestions.get(each.name, ())), None)
        element = exact.get("".join(words(each.name)))
        if element is None and best is not None and alike and best.score >= MEANING_FROM:
            element = best.element
        columns.append(
            Column(
                name=each.name,
                type_name=each.type_name,
                kind=kind_of(each.type_name),
                required=each.name in declared and not declared[each.name].nullable,
                max_length=length_of(each.type_name),
                comment=each.comment,
                meaning=None if element is None else _asked(dictionary, element),
                undecided=proposal is not None and alike and not _decided(proposal, each.name),
                sampled=each.sampled,
                shapes=each.shapes,
            )
        )
    return Table(name=profile.name.table, columns=tuple(columns), key=profile.key, missing=missing)


def _decided(proposal: TableProposal, column: str) -> bool:
    return any(each.column == column and each.element is not None for each in proposal.mapping.columns)


def _asked(dictionary: Dictionary, element: ElementId) -> Asked:
    domain, code_list = dictionary.domain_of(element), dictionary.code_list_of(element)
    return Asked(
        element=element,
        code_list=None if code_list is None else code_list.identity.id,
        codes_have_dates=code_list is not None
        and any(code.valid_from is not None or code.valid_to is not None for code in code_list.codes),
        code_length=None if code_list is None else max((len(code.code) for code in code_list.codes), default=None),
        max_length=domain.max_length,
    )


def from_sql(text: str, *, name: str, dictionary: Dictionary | None = None, dialect: str | None = None) -> Schema:
    """Return the tables that CREATE TABLE statements make; with a dictionary, also what their columns may mean.

    Raises:
        SchemaNotReadable: no dialect reads it, or it makes no table.
    """
    made = _tables(text, name=name, dialects=DIALECTS if dialect is None else (dialect,))
    if not made:
        raise SchemaNotReadable(name=name, reason="it has no CREATE TABLE with columns")
    tables = [_from_create(each) for each in made]
    if dictionary is None:
        return Schema(name=name, tables=tuple(tables))
    survey, exact = Survey(dictionary), _exact_names(dictionary)
    return Schema(
        name=name,
        tables=tuple(_with_meaning(table, survey, dictionary=dictionary, exact=exact) for table in tables),
    )


def _tables(text: str, *, name: str, dialects: Sequence[str]) -> list[exp.Create]:
    failure: Exception | None = None
    for dialect in dialects:
        try:
            parsed = sqlglot.parse(text, dialect=dialect)
        except (SqlglotError, ValueError, RecursionError) as error:
            failure = failure or error
            continue
        found = [each for each in parsed if isinstance(each, exp.Create) and isinstance(each.this, exp.Schema)]
        if found:
            return found
    if failure is not None:
        raise SchemaNotReadable(name=name, reason="it is not SQL of a known dialect") from failure
    return []


def _from_create(create: exp.Create) -> Table:
    body = create.this
    definitions = [each for each in body.expressions if isinstance(each, exp.ColumnDef)]
    key = [
        column.name
        for each in create.find_all(exp.PrimaryKey)
        for column in each.expressions
        for column in column.find_all(exp.Identifier)
    ]
    listed = {column.name for each in create.find_all(exp.ForeignKey) for column in each.expressions}
    columns = []
    for each in definitions:
        constraints = [constraint.kind for constraint in each.constraints]
        type_name = "" if each.kind is None else each.kind.sql()
        own_key = any(isinstance(kind, exp.PrimaryKeyColumnConstraint) for kind in constraints)
        if own_key:
            key.append(each.name)
        required = any(
            isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null") for kind in constraints
        )
        comment = next(
            (str(kind.this.name) for kind in constraints if isinstance(kind, exp.CommentColumnConstraint)), None
        )
        columns.append(
            Column(
                name=each.name,
                type_name=type_name,
                kind=kind_of(type_name),
                required=required or own_key,
                max_length=length_of(type_name),
                listed=each.name in listed
                or type_name.upper().startswith("ENUM")
                or any(isinstance(kind, exp.Reference) for kind in constraints),
                comment=comment,
            )
        )
    return Table(name=body.this.name, columns=tuple(columns), key=tuple(dict.fromkeys(key)))


def _with_meaning(table: Table, survey: Survey, *, dictionary: Dictionary, exact: Mapping[str, ElementId]) -> Table:
    profile = TableProfile(
        name=TableName(schema="-", table=table.name),
        comment=None,
        rows_estimated=0,
        key=table.key,
        columns=tuple(
            ColumnProfile(
                name=column.name,
                type_name=column.type_name,
                comment=column.comment,
                sampled=0,
                null_share=0.0,
                distinct=0,
                length_min=0,
                length_max=0,
                shapes={},
                patterns={},
                codes={},
            )
            for column in table.columns
        ),
    )
    proposal = survey.propose(profile, source=SourceId("sql"))
    read = _table(profile, proposal, None, dictionary=dictionary, exact=exact)
    columns = tuple(
        replace(own, meaning=other.meaning, undecided=other.undecided)
        for own, other in zip(table.columns, read.columns, strict=True)
    )
    return Table(name=table.name, columns=columns, key=table.key, missing=read.missing)
