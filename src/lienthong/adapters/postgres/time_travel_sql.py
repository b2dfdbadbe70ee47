"""Versions of a dataset's records as SQL: composed once here, for the functions people call and for the reader."""

from __future__ import annotations

import hashlib
from typing import Final

from psycopg import sql

from lienthong.centre.tables import BOOKKEEPING, META_COLUMNS, SCHEMA, ColumnSpec, TableSpec

KNOWN_TO: Final = "_known_to"
# The raw image is left out: it is large, and a look into the past asks for typed values.
VERSION_COLUMNS: Final = tuple(column for column in META_COLUMNS if column.name != "_image")
ENDED_COLUMNS: Final = (("_valid_to", "timestamp with time zone"), ("_ended_by", "text"), ("_ended_batch", "bigint"))
MARK: Final = "lienthong:"  # in a function's comment, before the fingerprint of its text


def as_of_name(spec: TableSpec) -> str:
    """Return the name of the function that gives the records as of a moment."""
    return f"{spec.table}_as_of"


def versions_name(spec: TableSpec) -> str:
    """Return the name of the function that gives all versions of a record."""
    return f"{spec.table}_versions"


def columns_of(spec: TableSpec) -> tuple[ColumnSpec, ...]:
    """Return the stored columns of a version."""
    return (*VERSION_COLUMNS, *spec.columns)


def valid_at(spec: TableSpec, *, moment: sql.Composable, known_at: sql.Composable) -> sql.Composed:
    """Return the versions valid at a moment, as known at another: at most one of each record.

    An end the centre had not heard of yet is no end.
    """
    return sql.SQL(
        "SELECT {current_columns}, NULL::timestamptz AS _valid_to, NULL::text AS _ended_by,"
        " NULL::bigint AS _ended_batch FROM {current} t WHERE t._valid_from <= {moment} AND t._batch <= {known}"
        " UNION ALL SELECT {history_columns}, {endings} FROM {history} h"
        " WHERE h._valid_from <= {moment} AND (h._valid_to > {moment} OR h._ended_batch > {known})"
        " AND h._batch <= {known}"
    ).format(
        current_columns=_names(spec, "t"),
        history_columns=_names(spec, "h"),
        endings=sql.SQL(", ").join(
            sql.SQL("CASE WHEN h._ended_batch <= {known} THEN {column} END").format(
                known=_known(known_at), column=sql.Identifier("h", name)
            )
            for name, _ in ENDED_COLUMNS
        ),
        current=sql.Identifier(SCHEMA, spec.table),
        history=sql.Identifier(SCHEMA, spec.history),
        moment=moment,
        known=_known(known_at),
    )


def all_versions(spec: TableSpec) -> sql.Composed:
    """Return every version of every record, with the moment the centre learned of its end."""
    return sql.SQL(
        "SELECT {current_columns}, NULL::timestamptz AS _valid_to, NULL::text AS _ended_by,"
        " NULL::bigint AS _ended_batch, NULL::timestamptz AS _known_to FROM {current} t"
        " UNION ALL SELECT {history_columns}, h._valid_to, h._ended_by, h._ended_batch,"
        " (SELECT b.applied_at FROM lienthong.batch b WHERE b.id = h._ended_batch) FROM {history} h"
    ).format(
        current_columns=_names(spec, "t"),
        history_columns=_names(spec, "h"),
        current=sql.Identifier(SCHEMA, spec.table),
        history=sql.Identifier(SCHEMA, spec.history),
    )


def in_order(alias: str) -> sql.Composed:
    """Return the order of a record's versions; two snapshots at one position are told apart by their batches."""
    places = [sql.Identifier(alias, name) for name in ("_epoch", "_version", "_number", "_batch")]
    return sql.SQL("{}, {} NULLS LAST").format(sql.SQL(", ").join(places), sql.Identifier(alias, "_valid_to"))


def _names(spec: TableSpec, alias: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(alias, column.name) for column in columns_of(spec))


def _known(known_at: sql.Composable) -> sql.Composed:
    # As a query of its own it is answered once, not for every row.
    return sql.SQL("(SELECT lienthong.batch_known_at({}))").format(known_at)


def as_of_function(spec: TableSpec) -> tuple[sql.Composed, str]:
    """Return the statement that makes the function of a dataset's records as of a moment, and its fingerprint."""
    body = sql.SQL("SELECT v.* FROM ({versions}) v WHERE {schema}.must_be_known({dataset}, $1, $2)").format(
        # Compared with nothing no row would be left, and the refusal never be asked for.
        versions=valid_at(
            spec, moment=sql.SQL("coalesce($1, 'infinity'::timestamptz)"), known_at=sql.SQL("$2::timestamptz")
        ),
        schema=sql.Identifier(BOOKKEEPING),
        dataset=sql.Literal(spec.dataset),
    )
    return _function(
        as_of_name(spec),
        parameters=sql.SQL("_moment timestamptz, _known_at timestamptz DEFAULT NULL"),
        columns=_returned(spec),
        body=body,
    )


def versions_function(spec: TableSpec) -> tuple[sql.Composed, str]:
    """Return the statement that makes the function of all versions of a record, and its fingerprint."""
    body = sql.SQL("SELECT v.* FROM ({versions}) v WHERE v._record_id = $1 ORDER BY {order}").format(
        versions=all_versions(spec), order=in_order("v")
    )
    return _function(
        versions_name(spec),
        parameters=sql.SQL("_id text"),
        columns=sql.SQL("{}, _known_to timestamp with time zone").format(_returned(spec)),
        body=body,
    )


def _returned(spec: TableSpec) -> sql.Composed:
    stored = [(column.name, column.type) for column in columns_of(spec)]
    return sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_)) for name, type_ in (*stored, *ENDED_COLUMNS)
    )


def _function(
    name: str, *, parameters: sql.SQL, columns: sql.Composed, body: sql.Composed
) -> tuple[sql.Composed, str]:
    # No SET clause and not SECURITY DEFINER: it is opened in the plan of its caller, and has the caller's rights.
    made = sql.SQL(
        "CREATE FUNCTION {name}({parameters}) RETURNS TABLE ({columns}) LANGUAGE sql STABLE PARALLEL SAFE AS {body}"
    ).format(
        name=sql.Identifier(SCHEMA, name),
        parameters=parameters,
        columns=columns,
        body=sql.Literal(body.as_string(None)),
    )
    return made, hashlib.sha256(made.as_string(None).encode()).hexdigest()[:16]
