"""Sample tables of an agency's PostgreSQL for the survey; values are judged here and go no further."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import psycopg
from psycopg import sql

from lienthong.adapters.postgres.catalogue import Connection, TableFacts, read_table
from lienthong.adapters.postgres.connection import Address, connect, read_address, refused_statement, statement
from lienthong.sources.change import SourceId, SourceTable, TableName
from lienthong.sources.profile import (
    SAMPLE_CHARACTERS_MAX,
    SAMPLE_ROWS_MAX,
    Questions,
    ReadText,
    TableProfile,
    profile_table,
)
from lienthong.sources.refusals import NothingToSurvey, TableNotFound

BLOCK_SAMPLE_FROM_ROWS = 50_000  # a larger table is sampled by blocks, so that it is not read from one end
SAMPLE_SURPLUS = 3  # blocks are drawn for more rows than wanted: estimates of large tables are rough


def _facts(connection: Connection, source: SourceId, name: TableName) -> TableFacts:
    facts = read_table(connection, name)
    if facts is None:
        raise TableNotFound(source=source, table=name)
    return facts


def _sample(connection: Connection, table: TableFacts) -> list[dict[str, str | None]]:
    columns = [each.column.name for each in table.columns if each.may_read]
    if not columns:
        return []
    cut = sql.SQL(", ").join(
        sql.SQL("left({}::text, {}) AS {}").format(
            sql.Identifier(name), sql.Literal(SAMPLE_CHARACTERS_MAX), sql.Identifier(str(place))
        )
        for place, name in enumerate(columns)
    )
    draw: sql.Composable = sql.SQL("")
    if table.rows_estimated > BLOCK_SAMPLE_FROM_ROWS and table.kind == "r":
        percent = min(100.0, 100.0 * SAMPLE_SURPLUS * SAMPLE_ROWS_MAX / table.rows_estimated)
        draw = sql.SQL("TABLESAMPLE SYSTEM ({})").format(sql.Literal(percent))
    rows = connection.execute(
        sql.SQL("SELECT {} FROM {} {} LIMIT {}").format(
            cut, sql.Identifier(table.name.schema, table.name.table), draw, sql.Literal(SAMPLE_ROWS_MAX)
        )
    )
    return [{name: row[str(place)] for place, name in enumerate(columns)} for row in rows]


def _profile(connection: Connection, table: TableFacts, questions: Questions, read: ReadText | None) -> TableProfile:
    declared = SourceTable(name=table.name, columns=tuple(each.column for each in table.columns), key=table.key)
    return profile_table(
        declared,
        _sample(connection, table),
        comment=table.comment,
        rows_estimated=table.rows_estimated,
        questions=questions,
        read=read,
    )


def survey_tables(
    *,
    source: SourceId,
    url: str,
    password: str | None,
    tables: Sequence[TableName],
    questions: Questions,
    read: ReadText | None = None,
) -> Iterator[TableProfile]:
    """Yield a profile of each named table, or of every table the account may read.

    ``read`` recognises text of old encodings; without it nothing is said of encodings.

    Raises:
        NothingToSurvey: there is none.
        LienthongError: of the SRC family, when the source cannot be reached or a table is not there.
    """
    address = read_address(source, url, password)
    with closing(connect(address)) as connection:
        names = list(tables) or _readable(address, connection)
        if not names:
            raise NothingToSurvey(source=source, user=connection.info.user)
        for name in names:
            try:
                yield _profile(connection, _facts(connection, source, name), questions, read)
            except psycopg.Error as cause:
                raise refused_statement(address, cause, what=f"sample table {name}") from cause


def _readable(address: Address, connection: Connection) -> list[TableName]:
    try:
        rows = connection.execute(statement("source_tables")).fetchall()
    except psycopg.Error as cause:
        raise refused_statement(address, cause, what="list the tables") from cause
    return [TableName(schema=row["schema"], table=row["table"]) for row in rows]


def live_tables(
    *, source: SourceId, url: str, password: str | None, tables: Sequence[TableName]
) -> Mapping[TableName, SourceTable]:
    """Return the named tables as they are now, whether or not they can be followed.

    Raises:
        LienthongError: of the SRC family, when the source cannot be reached or a table is not there.
    """
    address = read_address(source, url, password)
    with closing(connect(address)) as connection:
        try:
            found = {name: _facts(connection, source, name) for name in tables}
        except psycopg.Error as cause:
            raise refused_statement(address, cause, what="read the catalogue") from cause
    return {
        name: SourceTable(
            name=name, columns=tuple(each.column for each in facts.columns if not each.generated), key=facts.key
        )
        for name, facts in found.items()
    }
