"""The centre's tables: bookkeeping by numbered files, typed tables from the dictionary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from typing import LiteralString, cast

import psycopg
from psycopg import sql

from lienthong.centre.refusals import SchemaTooNew, TableDiffers
from lienthong.centre.tables import (
    BOOKKEEPING,
    ENDING_COLUMNS,
    HISTORY_ID,
    META_COLUMNS,
    SCHEMA,
    ColumnSpec,
    IndexSpec,
    TableSpec,
    history_comment,
)
from lienthong.check.verdict import RuleSet

SCHEMA_VERSION = 2  # one file sql/centre_NNNN.sql each
_PREPARE_LOCK = 0x6C69_656E  # one process prepares at a time, whoever else waits

Connection = psycopg.Connection[tuple[object, ...]]
READER_TABLES = (
    "link",
    "batch",
    "batch_dataset",
    "quarantine",
    "finding",
    "rule_set",
    "rule_counter",
    "dataset_state",
    "schema_version",
    "measurement",
    "measurement_rule",
    "score_history",
)


def statements_of(name: str) -> bytes:
    """Return a file of SQL that ships with this package."""
    return resources.files(__package__).joinpath("sql", name).read_bytes()


def prepare_bookkeeping(connection: Connection) -> None:
    """Bring the bookkeeping schema to the version this program knows.

    Raises:
        SchemaTooNew: a later program made it.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_PREPARE_LOCK])
    for name in (BOOKKEEPING, SCHEMA):
        if not _exists(connection, "SELECT FROM pg_namespace WHERE nspname = %s", name):
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    connection.execute("CREATE TABLE IF NOT EXISTS lienthong.schema_version (version integer NOT NULL)")
    row = connection.execute("SELECT max(version) FROM lienthong.schema_version").fetchone()
    stored = cast("int", row[0]) if row is not None and row[0] is not None else 0
    if stored > SCHEMA_VERSION:
        raise SchemaTooNew(stored=stored, known=SCHEMA_VERSION)
    for version in range(stored + 1, SCHEMA_VERSION + 1):
        connection.execute(statements_of(f"centre_{version:04}.sql"))
        connection.execute("INSERT INTO lienthong.schema_version VALUES (%s)", [version])


def _exists(connection: Connection, question: LiteralString, name: str) -> bool:
    return connection.execute(question, [name]).fetchone() is not None


def prepare_dataset(connection: Connection, spec: TableSpec, rules: RuleSet) -> int:
    """Create or extend the tables of a dataset and return the number of its rule set.

    Raises:
        TableDiffers: a stored column has another type than the dictionary asks for.
    """
    current = [*META_COLUMNS, *spec.columns]
    history = [HISTORY_ID, *META_COLUMNS, *ENDING_COLUMNS, *spec.columns]
    _prepare_table(connection, spec.table, current, comment=spec.comment)
    _prepare_table(connection, spec.history, history, comment=history_comment(spec))
    _prepare_indexes(connection, spec.table, spec.indexes)
    _prepare_indexes(connection, spec.history, spec.history_indexes)
    connection.execute(
        'INSERT INTO lienthong.dataset_state (dataset, "table") VALUES (%s, %s) ON CONFLICT DO NOTHING',
        [spec.dataset, spec.table],
    )
    return register_rules(connection, spec.dataset, rules)


def register_rules(connection: Connection, dataset: str, rules: RuleSet) -> int:
    """Keep a rule set with its counters, once, and return its number."""
    found = connection.execute(
        "SELECT id FROM lienthong.rule_set WHERE dataset = %s AND digest = %s", [dataset, rules.digest]
    ).fetchone()
    if found is not None:
        return cast("int", found[0])
    names = [rule.name for rule in rules.rules]
    texts = [
        {
            "name": rule.name,
            "criterion": rule.criterion.value,
            "severity": rule.severity.value,
            "element": rule.element,
            "sentence": rule.sentence.vi,
            "when": rule.when,
            "check": rule.check,
            "over": rule.over,
        }
        for rule in rules.rules
    ]
    row = connection.execute(
        "INSERT INTO lienthong.rule_set (dataset, digest, names, rules) VALUES (%s, %s, %s, %s) RETURNING id",
        [dataset, rules.digest, names, json.dumps(texts, ensure_ascii=False)],
    ).fetchone()
    assert row is not None, "RETURNING gives the inserted row"
    connection.execute(
        "INSERT INTO lienthong.rule_counter (dataset, rule_set, place, rule)"
        " SELECT %s, %s, place, name FROM unnest(%s::text[]) WITH ORDINALITY AS n (name, place)",
        [dataset, row[0], names],
    )
    return cast("int", row[0])


def _prepare_table(connection: Connection, name: str, columns: Sequence[ColumnSpec], *, comment: str) -> None:
    table = sql.Identifier(SCHEMA, name)
    if not _stored_columns(connection, name):
        _create_table(connection, table, columns)
    stored = _stored_columns(connection, name)
    for column in columns:
        type_, explained = stored.get(column.name, (None, None))
        if type_ is None:
            connection.execute(
                sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(table, sql.Identifier(column.name), _type(column))
            )
        elif type_ != column.type:
            raise TableDiffers(table=f"{SCHEMA}.{name}", column=column.name, stored=type_, wanted=column.type)
        if explained != column.comment:
            connection.execute(
                sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(
                    table, sql.Identifier(column.name), sql.Literal(column.comment)
                )
            )
    connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(table, sql.Literal(comment)))


def _stored_columns(connection: Connection, name: str) -> dict[str, tuple[str, str | None]]:
    """Return type and comment of every column of a table; nothing when there is no such table."""
    rows = connection.execute(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum)"
        " FROM pg_attribute a WHERE a.attrelid = to_regclass(format('%%I.%%I', %s::text, %s::text))"
        " AND a.attnum > 0 AND NOT a.attisdropped",
        [SCHEMA, name],
    ).fetchall()
    return {cast("str", column): (cast("str", type_), cast("str | None", text)) for column, type_, text in rows}


def _type(column: ColumnSpec) -> sql.SQL:
    # Types come from the closed table of lienthong.centre.tables; they cannot be quoted as identifiers.
    return sql.SQL(column.type)


def _create_table(connection: Connection, table: sql.Identifier, columns: Sequence[ColumnSpec]) -> None:
    lines = [
        sql.SQL("{} {} {}").format(
            sql.Identifier(column.name), _type(column), sql.SQL("NOT NULL" if column.required else "")
        )
        for column in columns
        if column is not HISTORY_ID
    ]
    if HISTORY_ID in columns:
        options = sql.SQL("")
        lines.insert(
            0,
            sql.SQL("{} {} GENERATED ALWAYS AS IDENTITY PRIMARY KEY").format(
                sql.Identifier(HISTORY_ID.name), _type(HISTORY_ID)
            ),
        )
    else:
        options = sql.SQL("WITH (fillfactor = 90)")  # room for an update beside the row it replaces
        lines.append(sql.SQL("PRIMARY KEY ({})").format(sql.Identifier("_record_id")))
    connection.execute(sql.SQL("CREATE TABLE {} ({}) {}").format(table, sql.SQL(", ").join(lines), options))


def _prepare_indexes(connection: Connection, name: str, indexes: Sequence[IndexSpec]) -> None:
    stored = connection.execute(
        "SELECT indexname FROM pg_indexes WHERE schemaname = %s AND tablename = %s", [SCHEMA, name]
    ).fetchall()
    for index in indexes:
        if (index.name,) in stored:
            continue  # asking again would wait for every batch under way
        columns = sql.SQL(", ").join(sql.Identifier(column) for column in index.columns)
        connection.execute(
            sql.SQL("CREATE INDEX {} ON {} ({})").format(
                sql.Identifier(index.name), sql.Identifier(SCHEMA, name), columns
            )
        )


def grant_reader(connection: Connection, role: str) -> None:
    """Let a role read exactly what ``PostgresCentreReader`` asks for, and nothing be written by it."""
    who = sql.Identifier(role)
    with connection.transaction():
        for schema in (BOOKKEEPING, SCHEMA):
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), who))
        for table in READER_TABLES:
            connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier(BOOKKEEPING, table), who))
        connection.execute(
            sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(sql.Identifier(SCHEMA), who)
        )
        # Tables of datasets that come later, made by the same role that makes these.
        connection.execute(
            sql.SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA {} GRANT SELECT ON TABLES TO {}").format(
                sql.Identifier(SCHEMA), who
            )
        )
