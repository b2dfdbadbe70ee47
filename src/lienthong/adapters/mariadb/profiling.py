"""Sample tables of an agency's MariaDB for the survey; values are judged here and go no further."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

from lienthong.adapters.mariadb.catalogue import TableFacts, quoted, read_names, read_table, shown
from lienthong.adapters.mariadb.connection import Session, read_address
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


def _facts(session: Session, source: SourceId, name: TableName) -> TableFacts:
    facts = read_table(session, name)
    if facts is None:
        raise TableNotFound(source=source, table=name)
    return facts


def _sample(session: Session, table: TableFacts) -> list[dict[str, str | None]]:
    """Return the first rows in the order of the key: MariaDB draws no sample without reading the whole table."""
    cut = ", ".join(
        f"LEFT({shown(each)}, {SAMPLE_CHARACTERS_MAX}) AS {quoted(str(place))}"
        for place, each in enumerate(table.columns)
    )
    name = f"{quoted(table.name.schema)}.{quoted(table.name.table)}"
    # The names come from the catalogue and are quoted; a percent sign in one is no placeholder without values.
    statement = f"SELECT {cut} FROM {name} LIMIT {SAMPLE_ROWS_MAX}"  # noqa: S608 - as said
    rows = session.rows(statement, what=f"sample table {table.name}")
    return [
        {
            each.column.name: None if (value := row[str(place)]) is None else _text(value)
            for place, each in enumerate(table.columns)
        }
        for row in rows
    ]


def _text(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def survey_tables(
    *,
    source: SourceId,
    url: str,
    password: str | None,
    tables: Sequence[TableName],
    questions: Questions,
    read: ReadText | None = None,
) -> Iterator[TableProfile]:
    """Yield a profile of each named table, or of every table of the database the account may see.

    ``read`` recognises text of old encodings; without it nothing is said of encodings.

    Raises:
        NothingToSurvey: there is none.
        LienthongError: of the SRC family, when the source cannot be reached or a table is not there.
    """
    with closing(Session(read_address(source, url, password))) as session:
        names = list(tables) or read_names(session)
        if not names:
            raise NothingToSurvey(source=source, user=session.address.user)
        for name in names:
            table = _facts(session, source, name)
            yield profile_table(
                table.table,
                _sample(session, table),
                comment=table.comment,
                rows_estimated=table.rows_estimated,
                questions=questions,
                read=read,
            )


def live_tables(
    *, source: SourceId, url: str, password: str | None, tables: Sequence[TableName]
) -> Mapping[TableName, SourceTable]:
    """Return the named tables as they are now, whether or not they can be followed.

    Raises:
        LienthongError: of the SRC family, when the source cannot be reached or a table is not there.
    """
    with closing(Session(read_address(source, url, password))) as session:
        return {name: _facts(session, source, name).table for name in tables}
