"""Look into the catalogue of an agency's MariaDB, read-only, and return facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from lienthong.adapters.mariadb.connection import Session
from lienthong.adapters.mariadb.table_map import Charsets
from lienthong.adapters.mariadb.texts import BINARY, bits_text, decoder_of, double_text, hexadecimal, single_text
from lienthong.errors import LienthongError
from lienthong.sources.change import SourceColumn, SourceTable, TableName
from lienthong.sources.drift import full_type
from lienthong.sources.refusals import ColumnNotFollowed

_FLOATS: Final = frozenset({"float", "double"})
_BYTES: Final = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_SHAPES: Final = frozenset({
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geometrycollection",
})  # fmt: skip
_TEXTS: Final = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})
_AS_WRITTEN: Final = frozenset({
    "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "date", "datetime", "time", "year",
})  # fmt: skip

_ZERO_MOMENT: Final = b"0000-00-00"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerFacts:
    """What of the server decides whether it can be followed."""

    version: str
    kind: str  # @@version_comment
    identity: str  # the same as long as it is the same server
    log_on: bool
    log_name: str
    settings: Mapping[str, str]
    keep_s: int  # how long logs are kept; 0: for ever
    rights: str  # of the account, as the server writes them


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnFacts:
    """A column as the catalogue has it."""

    column: SourceColumn
    data_type: str
    charset: str
    bits: int
    zerofill: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TableFacts:
    """A table as it is now; ``key`` is its primary key, or a unique index without nulls, or empty."""

    name: TableName
    engine: str
    rows_estimated: int
    comment: str | None
    columns: tuple[ColumnFacts, ...]
    key: tuple[str, ...]

    @property
    def table(self) -> SourceTable:
        """Return it as the stages after this one see it."""
        return SourceTable(name=self.name, columns=tuple(each.column for each in self.columns), key=self.key)


_SETTINGS: Final = (
    "binlog_format", "binlog_row_image", "binlog_row_metadata", "log_bin", "log_bin_basename", "server_uid",
    "server_id", "version", "version_comment", "binlog_expire_logs_seconds", "expire_logs_days", "hostname", "port",
)  # fmt: skip


def quoted(name: str) -> str:
    """Return a name as MariaDB reads it."""
    return "`" + name.replace("`", "``") + "`"


def read_server(session: Session) -> ServerFacts:
    """Ask for everything about the server at once."""
    marks = ", ".join(["%s"] * len(_SETTINGS))
    statement = f"SHOW GLOBAL VARIABLES WHERE variable_name IN ({marks})"  # names of ours only
    found = {
        str(row["Variable_name"]).lower(): str(row["Value"])
        for row in session.rows(statement, _SETTINGS, what="read the server's settings")
    }
    grants = session.rows("SHOW GRANTS", what="read the account's rights")
    keep = int(float(found.get("binlog_expire_logs_seconds") or 0))
    if not keep:
        keep = int(float(found.get("expire_logs_days") or 0) * 86_400)
    identity = found.get("server_uid") or f"{found.get('hostname')}:{found.get('port')}:{found.get('server_id')}"
    return ServerFacts(
        version=found.get("version", ""),
        kind=found.get("version_comment", ""),
        identity=identity,
        log_on=found.get("log_bin", "").upper() == "ON",
        log_name=found.get("log_bin_basename", "").rpartition("/")[2],
        settings=found,
        keep_s=keep,
        rights="; ".join(_without_secret(str(next(iter(row.values())))) for row in grants),
    )


def _without_secret(grant: str) -> str:
    return grant.partition(" IDENTIFIED ")[0].upper()


def read_charsets(session: Session) -> Charsets:
    """Return the character set of each collation."""
    rows = session.rows(
        "SELECT id, character_set_name AS charset FROM information_schema.collations WHERE id IS NOT NULL",
        what="read the collations",
    )
    charsets = {int(row["id"]): str(row["charset"]) for row in rows if row["charset"] is not None}
    try:  # from 10.10 on a collation may serve several character sets, each with a number of its own
        rows = session.rows(
            "SELECT id, character_set_name AS charset FROM information_schema.collation_character_set_applicability",
            what="read the collations",
        )
    except LienthongError:
        return charsets
    return charsets | {int(row["id"]): str(row["charset"]) for row in rows}


def read_logs(session: Session) -> dict[str, int]:
    """Return the log files the server still keeps, with their sizes in bytes, oldest first."""
    rows = session.rows("SHOW BINARY LOGS", what="list the logs")
    return {str(row["Log_name"]): int(row["File_size"]) for row in rows}


_COLUMNS = """
SELECT column_name AS name, column_type AS type, data_type AS kind, is_nullable AS nullable,
       character_set_name AS charset, numeric_precision AS bits, column_comment AS comment
FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
_TABLE = """
SELECT engine, table_rows AS height, table_comment AS comment, table_type AS kind
FROM information_schema.tables WHERE table_schema = %s AND table_name = %s
"""
_KEYS = """
SELECT index_name AS name, column_name AS column_name, nullable AS nullable, sub_part AS part
FROM information_schema.statistics
WHERE table_schema = %s AND table_name = %s AND non_unique = 0
ORDER BY index_name = 'PRIMARY' DESC, index_name, seq_in_index
"""


def read_table(session: Session, name: TableName) -> TableFacts | None:
    """Return a table, or None where the account sees none of that name."""
    place = (name.schema, name.table)
    found = session.rows(_TABLE, place, what="read the catalogue")
    if not found:
        return None
    columns = session.rows(_COLUMNS, place, what="read the catalogue")
    keys: dict[str, list[str] | None] = {}
    for row in session.rows(_KEYS, place, what="read the catalogue"):
        names = keys.setdefault(str(row["name"]), [])
        if str(row["nullable"]).upper() == "YES" or row["part"] is not None:
            keys[str(row["name"])] = None  # two rows may share a null or the beginning of a text
        elif names is not None:
            names.append(str(row["column_name"]))
    key = next((tuple(names) for names in keys.values() if names), ())
    return TableFacts(
        name=name,
        engine=str(found[0]["engine"] or ""),
        rows_estimated=int(found[0]["height"] or 0),
        comment=str(found[0]["comment"]) or None,
        columns=tuple(
            ColumnFacts(
                column=SourceColumn(
                    name=str(row["name"]),
                    type_name=full_type(str(row["type"])),
                    nullable=str(row["nullable"]).upper() == "YES",
                    comment=str(row["comment"]) or None,
                ),
                data_type=str(row["kind"]).lower(),
                charset=str(row["charset"] or BINARY),
                bits=int(row["bits"] or 0),
                zerofill="zerofill" in str(row["type"]).lower(),
            )
            for row in columns
        ),
        key=key,
    )


def read_names(session: Session) -> list[TableName]:
    """Return all tables of the database the account may see."""
    rows = session.rows(
        "SELECT table_schema AS s, table_name AS t FROM information_schema.tables"
        " WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY 2",
        (session.address.database,),
        what="read the catalogue",
    )
    return [TableName(schema=str(row["s"]), table=str(row["t"])) for row in rows]


def selected(column: ColumnFacts) -> str:
    """Return how a column is asked for, so that nothing of its value is lost on the way."""
    name = quoted(column.column.name)
    if column.data_type in _FLOATS:
        return f"CAST({name} AS DOUBLE)"  # a FLOAT is shown with six digits otherwise
    return f"{name} + 0" if column.zerofill else name


_REWRITTEN: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "float": lambda raw: single_text(float(raw)),
    "double": lambda raw: double_text(float(raw)),
    "timestamp": lambda raw: raw if raw.startswith(_ZERO_MOMENT) else raw + b"+00",
}


def shown(column: ColumnFacts) -> str:
    """Return how a column is asked for as text that a person would read; of shapes and bytes their digits."""
    name = quoted(column.column.name)
    return f"HEX({name})" if column.data_type in _BYTES | _SHAPES else f"CAST({name} AS CHAR)"


def finish_of(column: ColumnFacts, *, table: TableName) -> Callable[[bytes], bytes] | None:
    """Return what makes the stream's text of what the server answers; None where they are the same.

    Raises:
        ColumnNotFollowed: the column's type is stored and shown in two ways that nobody here joins.
    """
    kind, name = column.data_type, column.column.name
    if kind in _AS_WRITTEN:
        return None
    if kind in _REWRITTEN:
        return _REWRITTEN[kind]
    if kind == "bit":
        return lambda raw: bits_text(raw, column.bits)
    if kind in _BYTES or kind in _SHAPES:
        return hexadecimal
    if kind in _TEXTS:
        return decoder_of(column.charset, table=str(table), column=name)
    raise ColumnNotFollowed(table=table, column=name, reason=f"type {kind} is not read")
