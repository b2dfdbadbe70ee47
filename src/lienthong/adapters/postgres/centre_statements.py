"""The statements that change a dataset's tables, composed once from its specification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from lienthong.centre.staging import STAGE_SCHEMA
from lienthong.centre.tables import ENDING_NAMES, META_NAMES, SCHEMA, TableSpec

FOUND = sql.Identifier("pg_temp", "found")

_OPEN_CASE = sql.SQL("q.dataset = %(dataset)s AND q.state = 'open'")
_FIRST_OF_RECORD = (
    "(SELECT DISTINCT ON (_record_id) _record_id, _from, _kind, _version, _number"
    " FROM {stage} WHERE {kinds} ORDER BY _record_id, _row)"
)
# The order of META_NAMES; f.floor is the end of the record's last stored version.
_NEW_META = sql.SQL(
    "s._record_id, s._event, %(epoch)s, s._version, s._number, %(source)s, %(table)s, s._source_time,"
    " greatest(s._from, f.floor), %(batch)s, %(at)s, s._image::json, s._judgement, %(rule_set)s, %(dictionary)s"
)
_PLACES = sql.SQL(
    "(SELECT id, array_position(names, %(rule)s) AS place FROM lienthong.rule_set WHERE dataset = %(dataset)s)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Statements:
    """What one dataset needs; parameters are named, identifiers are composed."""

    stage: sql.Identifier
    empty_stage: bytes
    create_stage: bytes
    drop_stale: bytes
    drop_stale_snapshot: bytes
    touch_own: bytes
    look: bytes
    look_snapshot: bytes
    tally_peers: bytes
    tally: bytes
    end_current: bytes
    chain_history: bytes
    keep: bytes
    cancel: bytes
    confirm: bytes
    confirm_case: bytes
    settle_cases: bytes
    open_cases: bytes
    close_findings: bytes
    choose_withdrawn: bytes
    withdraw_history: bytes
    withdraw: bytes
    withdraw_cases: bytes
    images: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class UniqueStatements:
    """What one rule about several rows needs."""

    touch_peers: bytes
    touch_withdrawn_peers: bytes
    correct_letters: bytes
    correct_case_letters: bytes
    newly_failed: bytes
    close_findings: bytes


def stage_name(spec: TableSpec) -> sql.Identifier:
    """Return the working table the rows of a batch are copied into."""
    return sql.Identifier("pg_temp", f"stage_{spec.table}")


def _names(names: tuple[str, ...], alias: str = "") -> sql.Composed:
    parts = [sql.Identifier(alias, name) if alias else sql.Identifier(name) for name in names]
    return sql.SQL(", ").join(parts)


def _compose(template: LiteralString, **parts: sql.Composable) -> bytes:
    """Render a template once: everything that varies enters as a composed part here or as a parameter later."""
    standing: dict[str, sql.Composable] = {"open_case": _OPEN_CASE, "new_meta": _NEW_META, "places": _PLACES}
    return sql.SQL(template).format(**(standing | parts)).as_bytes()


def compose(spec: TableSpec) -> Statements:
    """Return the statements of a dataset."""
    tables = {
        "stage": stage_name(spec),
        "current": sql.Identifier(SCHEMA, spec.table),
        "history": sql.Identifier(SCHEMA, spec.history),
    }
    return Statements(
        stage=tables["stage"],
        empty_stage=_compose("DELETE FROM {stage}", **tables),
        create_stage=_create_stage(spec),
        drop_stale=_drop_stale(tables, sql.SQL(">=")),
        drop_stale_snapshot=_drop_stale(tables, sql.SQL(">")),
        touch_own=_compose(
            "INSERT INTO pg_temp.touched SELECT DISTINCT ON (_record_id) _record_id, %(place)s, _version, _number"
            " FROM {stage} ORDER BY _record_id, _row",
            **tables,
        ),
        look=_look(tables, sql.SQL(">=")),
        look_snapshot=_look(tables, sql.SQL(">")),
        tally_peers=_tally(
            tables, sql.SQL("place <> 0 AND record_id NOT IN (SELECT record_id FROM pg_temp.touched WHERE place = 0)")
        ),
        tally=_tally(tables, sql.SQL("true")),
        end_current=_end_current(spec, tables),
        chain_history=_chain_history(spec, tables),
        keep=_keep(spec, tables),
        cancel=_compose(
            "DELETE FROM {current} t USING {stage} s WHERE t._record_id = s._record_id AND s._kind = 'C' AND s._last",
            **tables,
        ),
        confirm=_confirm(spec, tables),
        confirm_case=_confirm_case(tables),
        settle_cases=_settle_cases(tables),
        open_cases=_open_cases(tables),
        close_findings=_compose(
            "UPDATE lienthong.finding f SET closed_batch = %(batch)s, closed_at = %(at)s"
            " FROM (SELECT o.id FROM (SELECT DISTINCT _record_id FROM {stage}) s CROSS JOIN LATERAL"
            "  (SELECT g.id, g.record_id, g.rule FROM lienthong.finding g WHERE g.record_id = s._record_id"
            "   AND g.dataset = %(dataset)s AND g.closed_at IS NULL AND g.rule <> ALL (%(settled)s::text[])"
            "   AND NOT EXISTS (SELECT FROM pg_temp.found n WHERE n.record_id = g.record_id AND n.rule = g.rule)"
            "   OFFSET 0) o) v WHERE f.id = v.id",
            **tables,
        ),
        choose_withdrawn=_choose_withdrawn(tables),
        withdraw_history=_withdraw_history(spec, tables),
        withdraw=_compose(
            "DELETE FROM {current} t USING pg_temp.withdrawn w WHERE t._record_id = w.record_id", **tables
        ),
        withdraw_cases=_compose(
            "UPDATE lienthong.quarantine c SET state = 'gone', closed_batch = %(batch)s, closed_at = %(at)s"
            " FROM (SELECT o.id FROM pg_temp.withdrawn w CROSS JOIN LATERAL (SELECT q.id FROM lienthong.quarantine q"
            "  WHERE {open_case} AND q.record_id = w.record_id OFFSET 0) o) v WHERE c.id = v.id"
        ),
        images=_compose(
            "SELECT q.record_id, q.image FROM lienthong.quarantine q"
            " WHERE {open_case} AND q.record_id = ANY (%(ids)s)"
            " UNION ALL SELECT t._record_id, t._image::text FROM {current} t WHERE t._record_id = ANY (%(ids)s)"
            " AND NOT EXISTS (SELECT FROM lienthong.quarantine q WHERE {open_case} AND q.record_id = t._record_id)",
            **tables,
        ),
    )


def _create_stage(spec: TableSpec) -> bytes:
    columns = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_)) for name, type_ in _stage_types(spec)]
    return _compose(
        "CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DELETE ROWS",
        name=sql.Identifier(f"stage_{spec.table}"),
        columns=sql.SQL(", ").join(columns),
    )


def _stage_types(spec: TableSpec) -> list[tuple[str, str]]:
    return [*STAGE_SCHEMA.items(), *((column.name, column.type) for column in spec.columns)]


def _drop_stale(tables: dict[str, sql.Identifier], stored: sql.SQL) -> bytes:
    """Take away rows that what is stored has overtaken; a snapshot may say again what stands at its position."""
    return _compose(
        "DELETE FROM {stage} s WHERE"
        " EXISTS (SELECT FROM {current} t WHERE t._record_id = s._record_id"
        "  AND (t._epoch, t._version, t._number) {stored} (%(epoch)s, s._version, s._number))"
        " OR EXISTS (SELECT FROM lienthong.quarantine q WHERE {open_case} AND q.record_id = s._record_id"
        "  AND (q.epoch, q.version, q.number) {stored} (%(epoch)s, s._version, s._number))"
        " OR EXISTS (SELECT FROM {history} h WHERE h._record_id = s._record_id"
        "  AND (h._ended_epoch, h._ended_version, h._ended_number) {stored} (%(epoch)s, s._version, s._number))"
        " RETURNING s._row, s._counted",
        stored=stored,
        **tables,
    )


def _stored(tables: dict[str, sql.Identifier]) -> sql.Composed:
    """Return the joins from records x to what is kept (t) and held (q) of each, one look-up by index a record."""
    return sql.SQL(
        "LEFT JOIN LATERAL (SELECT t._record_id, t._rule_set, t._judgement, t._epoch, t._version, t._number"
        "  FROM {current} t WHERE t._record_id = x.record_id OFFSET 0) t ON true"
        " LEFT JOIN LATERAL (SELECT q.record_id, q.rule_set, q.judgement, q.epoch, q.version, q.number"
        "  FROM lienthong.quarantine q WHERE {open_case} AND q.record_id = x.record_id OFFSET 0) q ON true"
    ).format(current=tables["current"], open_case=_OPEN_CASE)


def _look(tables: dict[str, sql.Identifier], stored: sql.SQL) -> bytes:
    """Count the verdicts of the batch's records as they are, and see whether something stored is newer."""
    return _compose(
        "SELECT coalesce(q.rule_set, t._rule_set), coalesce(q.judgement, t._judgement),"
        " count(*), count(t._record_id), count(q.record_id), coalesce(bool_or("
        "  (t._epoch, t._version, t._number) {stored} (%(epoch)s, x.version, x.number)"
        "  OR (q.epoch, q.version, q.number) {stored} (%(epoch)s, x.version, x.number)"
        "  OR (h._ended_epoch, h._ended_version, h._ended_number) {stored} (%(epoch)s, x.version, x.number)), false)"
        # A version in history is never newer than the one that followed it, so it counts where none is kept.
        " FROM pg_temp.touched x {joins}"
        " LEFT JOIN LATERAL (SELECT * FROM {history} h WHERE t._record_id IS NULL AND h._record_id = x.record_id"
        "  ORDER BY h._ended_epoch DESC, h._ended_version DESC, h._ended_number DESC LIMIT 1) h ON true"
        " WHERE x.place = 0 GROUP BY 1, 2",
        stored=stored,
        joins=_stored(tables),
        **tables,
    )


def _tally(tables: dict[str, sql.Identifier], which: sql.SQL) -> bytes:
    return _compose(
        "SELECT coalesce(q.rule_set, t._rule_set), coalesce(q.judgement, t._judgement),"
        " count(*), count(t._record_id), count(q.record_id)"
        " FROM (SELECT DISTINCT record_id FROM pg_temp.touched WHERE {which}) x {joins}"
        " WHERE t._record_id IS NOT NULL OR q.record_id IS NOT NULL GROUP BY 1, 2",
        which=which,
        joins=_stored(tables),
        **tables,
    )


def _end_current(spec: TableSpec, tables: dict[str, sql.Identifier]) -> bytes:
    first = sql.SQL(_FIRST_OF_RECORD).format(stage=tables["stage"], kinds=sql.SQL("_kind IN ('G', 'C')"))
    return _compose(
        "INSERT INTO {history} ({columns}) SELECT {old}, greatest(f._from, t._valid_from),"
        " CASE f._kind WHEN 'C' THEN 'CANCEL' ELSE 'UPDATE' END, %(epoch)s, f._version, f._number, %(batch)s"
        " FROM {first} f CROSS JOIN LATERAL"
        " (SELECT * FROM {current} t WHERE t._record_id = f._record_id OFFSET 0) t",
        columns=_names((*META_NAMES, *spec.column_names, *ENDING_NAMES)),
        old=_names((*META_NAMES, *spec.column_names), "t"),
        first=first,
        **tables,
    )


def _floor(history: sql.Identifier) -> sql.Composed:
    return sql.SQL(
        "LEFT JOIN LATERAL (SELECT h._valid_to AS floor FROM {} h WHERE h._record_id = s._record_id"
        " ORDER BY h._ended_epoch DESC, h._ended_version DESC, h._ended_number DESC LIMIT 1) f ON true"
    ).format(history)


def _chain_history(spec: TableSpec, tables: dict[str, sql.Identifier]) -> bytes:
    return _compose(
        "INSERT INTO {history} ({columns})"
        " SELECT {new_meta}, {values}, greatest(s._until, f.floor), s._ended_by, %(epoch)s,"
        " s._ended_version, s._ended_number, %(batch)s FROM {stage} s {floor}"
        " WHERE s._kind = 'G' AND NOT s._last ORDER BY s._row",
        columns=_names((*META_NAMES, *spec.column_names, *ENDING_NAMES)),
        values=_names(spec.column_names, "s"),
        floor=_floor(tables["history"]),
        **tables,
    )


def _keep(spec: TableSpec, tables: dict[str, sql.Identifier]) -> bytes:
    names = (*META_NAMES, *spec.column_names)
    assignments = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names if name != "_record_id"
    )
    return _compose(
        "INSERT INTO {current} AS t ({columns})"
        " SELECT {new_meta}, {values} FROM {stage} s {floor} WHERE s._kind = 'G' AND s._last"
        " ON CONFLICT (_record_id) DO UPDATE SET {assignments}"
        " WHERE (t._epoch, t._version, t._number) <= (excluded._epoch, excluded._version, excluded._number)",
        columns=_names(names),
        values=_names(spec.column_names, "s"),
        floor=_floor(tables["history"]),
        assignments=assignments,
        **tables,
    )


def _confirm(spec: TableSpec, tables: dict[str, sql.Identifier]) -> bytes:
    """A row read again that says the same is no new version: only its position and verdict move on."""
    return _compose(
        "WITH same AS (UPDATE {current} t SET _epoch = %(epoch)s, _version = s._version, _number = s._number,"
        " _judgement = s._judgement, _rule_set = %(rule_set)s, _dictionary = %(dictionary)s"
        " FROM {stage} s WHERE t._record_id = s._record_id AND s._kind = 'G' AND s._last"
        " AND t._source = %(source)s AND t._table = %(table)s AND t._image::text = s._image"
        " AND ROW({old}) IS NOT DISTINCT FROM ROW({new}) RETURNING s._row),"
        " out AS (DELETE FROM {stage} s USING same WHERE s._row = same._row RETURNING s._counted)"
        " SELECT count(*) FILTER (WHERE _counted) FROM out",
        old=_names(spec.column_names, "t"),
        new=_names(spec.column_names, "s"),
        **tables,
    )


def _confirm_case(tables: dict[str, sql.Identifier]) -> bytes:
    """A bad row read again that says the same keeps its case, and the day the case was opened."""
    return _compose(
        "WITH same AS (UPDATE lienthong.quarantine q SET epoch = %(epoch)s, version = s._version,"
        " number = s._number, judgement = s._judgement, rule_set = %(rule_set)s, rules = s._rules,"
        " detail = s._detail, business_key = s._key"
        " FROM {stage} s WHERE {open_case} AND q.record_id = s._record_id AND s._kind = 'B' AND s._last"
        ' AND q.source = %(source)s AND q."table" = %(table)s AND q.image = s._image RETURNING s._row),'
        " out AS (DELETE FROM {stage} s USING same WHERE s._row = same._row RETURNING s._counted)"
        " SELECT count(*) FILTER (WHERE _counted) FROM out",
        **tables,
    )


def _settle_cases(tables: dict[str, sql.Identifier]) -> bytes:
    first = sql.SQL(_FIRST_OF_RECORD).format(stage=tables["stage"], kinds=sql.SQL("true"))
    return _compose(
        "UPDATE lienthong.quarantine c SET closed_batch = %(batch)s, closed_at = %(at)s,"
        " state = CASE v._kind WHEN 'G' THEN 'closed' WHEN 'C' THEN 'gone' ELSE 'superseded' END"
        " FROM (SELECT o.id, f._kind FROM {first} f CROSS JOIN LATERAL (SELECT q.id FROM lienthong.quarantine q"
        "  WHERE {open_case} AND q.record_id = f._record_id OFFSET 0) o) v WHERE c.id = v.id",
        first=first,
    )


def _open_cases(tables: dict[str, sql.Identifier]) -> bytes:
    return _compose(
        "WITH opened AS (INSERT INTO lienthong.quarantine"
        ' (dataset, record_id, source, "table", epoch, version, number, source_time, image, judgement, rule_set,'
        " rules, detail, business_key, state, opened_batch, opened_at, closed_batch, closed_at)"
        " SELECT %(dataset)s, s._record_id, %(source)s, %(table)s, %(epoch)s, s._version, s._number,"
        " s._source_time, s._image, s._judgement, %(rule_set)s, s._rules, s._detail, s._key,"
        " CASE WHEN s._last THEN 'open' ELSE 'superseded' END, %(batch)s, %(at)s,"
        " CASE WHEN NOT s._last THEN %(batch)s END, CASE WHEN NOT s._last THEN %(at)s::timestamptz END"
        " FROM {stage} s WHERE s._kind = 'B' ORDER BY s._row RETURNING state)"
        " SELECT count(*) FILTER (WHERE state = 'open') FROM opened",
        **tables,
    )


def _choose_withdrawn(tables: dict[str, sql.Identifier]) -> bytes:
    """Choose what a source table no longer has: everything stored from it before a position."""
    return _compose(
        "INSERT INTO pg_temp.withdrawn"
        " SELECT t._record_id FROM {current} t WHERE t._source = %(source)s AND t._table = %(table)s"
        " AND (t._epoch, t._version, t._number) {before}"
        " AND NOT EXISTS (SELECT FROM lienthong.quarantine q WHERE {open_case} AND q.record_id = t._record_id"
        "  AND NOT (q.epoch, q.version, q.number) {before})"
        " UNION SELECT q.record_id FROM lienthong.quarantine q WHERE {open_case} AND q.source = %(source)s"
        ' AND q."table" = %(table)s AND (q.epoch, q.version, q.number) {before}',
        before=sql.SQL("< (%(epoch)s, %(version)s, %(number)s)"),
        **tables,
    )


def _withdraw_history(spec: TableSpec, tables: dict[str, sql.Identifier]) -> bytes:
    return _compose(
        "INSERT INTO {history} ({columns}) SELECT {old}, greatest(%(source_time)s, t._valid_from), 'CANCEL',"
        " %(epoch)s, %(version)s, %(number)s, %(batch)s"
        " FROM pg_temp.withdrawn w JOIN {current} t ON t._record_id = w.record_id",
        columns=_names((*META_NAMES, *spec.column_names, *ENDING_NAMES)),
        old=_names((*META_NAMES, *spec.column_names), "t"),
        **tables,
    )


def _unique_parts(spec: TableSpec, columns: tuple[str, ...]) -> dict[str, sql.Composable]:
    return {
        "stage": stage_name(spec),
        "current": sql.Identifier(SCHEMA, spec.table),
        "old": _names(columns, "o"),
        "new": _names(columns, "s"),
        "mine": _names(columns, "t"),
        "filled": sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier("t", c)) for c in columns),
        "same": sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier("t", c), sql.Identifier("v", c)) for c in columns
        ),
        "shown": sql.SQL("concat_ws(' ', {})").format(_names(columns, "t")),
    }


def compose_unique(spec: TableSpec, columns: tuple[str, ...]) -> UniqueStatements:
    """Return the statements that evaluate a rule of uniqueness over some columns."""
    parts = _unique_parts(spec, columns)
    return UniqueStatements(
        touch_peers=_compose(
            "INSERT INTO pg_temp.touched SELECT DISTINCT t._record_id, %(place)s FROM"
            " (SELECT s._record_id, {new} FROM {stage} s WHERE s._kind = 'G' AND s._last"
            "  UNION ALL SELECT s._record_id, {old} FROM {stage} s CROSS JOIN LATERAL"
            "  (SELECT * FROM {current} o WHERE o._record_id = s._record_id OFFSET 0) o"
            "  WHERE NOT (s._kind = 'G' AND s._last AND ROW({new}) IS NOT DISTINCT FROM ROW({old}))) v"
            " CROSS JOIN LATERAL (SELECT t._record_id FROM {current} t"
            "  WHERE {same} AND t._record_id <> v._record_id OFFSET 0) t",
            **parts,
        ),
        touch_withdrawn_peers=_compose(
            "INSERT INTO pg_temp.touched SELECT t._record_id, %(place)s FROM"
            " (SELECT DISTINCT {old} FROM pg_temp.withdrawn w"
            "  CROSS JOIN LATERAL (SELECT * FROM {current} o WHERE o._record_id = w.record_id OFFSET 0) o) v"
            " CROSS JOIN LATERAL (SELECT t._record_id FROM {current} t WHERE {same} OFFSET 0) t",
            **parts,
        ),
        correct_letters=_compose(
            "UPDATE {current} t SET _judgement = overlay(t._judgement PLACING c.letter FROM c.place FOR 1)"
            " FROM (SELECT t._record_id, p.place, CASE WHEN NOT ({filled}) THEN 'n'"
            "  WHEN count(*) OVER (PARTITION BY {mine}) > 1 THEN 'f' ELSE 'p' END AS letter"
            "  FROM (SELECT DISTINCT record_id FROM pg_temp.touched WHERE place = %(place)s) x CROSS JOIN LATERAL"
            "  (SELECT * FROM {current} t WHERE t._record_id = x.record_id OFFSET 0) t"
            "  LEFT JOIN {places} p ON p.id = t._rule_set) c"
            " WHERE t._record_id = c._record_id AND c.place IS NOT NULL"
            " AND substr(t._judgement, c.place, 1) <> c.letter",
            **parts,
        ),
        correct_case_letters=_compose(
            "UPDATE lienthong.quarantine q SET judgement = overlay(q.judgement PLACING v.letter FROM v.place FOR 1)"
            " FROM (SELECT q.id, pq.place, coalesce(substr(t._judgement, pt.place, 1), 'n') AS letter"
            "  FROM (SELECT record_id FROM pg_temp.touched WHERE place = %(place)s OR %(everybody)s"
            "   UNION SELECT _record_id FROM {stage} WHERE _kind = 'B' AND _last) x"
            "  CROSS JOIN LATERAL (SELECT * FROM lienthong.quarantine q"
            "   WHERE {open_case} AND q.record_id = x.record_id OFFSET 0) q"
            "  JOIN {places} pq ON pq.id = q.rule_set"
            "  LEFT JOIN {current} t ON t._record_id = x.record_id"
            "  LEFT JOIN {places} pt ON pt.id = t._rule_set) v"
            " WHERE q.id = v.id AND v.place IS NOT NULL AND v.letter <> ''"
            " AND substr(q.judgement, v.place, 1) <> v.letter",
            **parts,
        ),
        newly_failed=_compose(
            "SELECT t._record_id, {shown}"
            " FROM (SELECT DISTINCT record_id FROM pg_temp.touched WHERE place = %(place)s) x"
            " CROSS JOIN LATERAL (SELECT * FROM {current} t WHERE t._record_id = x.record_id OFFSET 0) t"
            " JOIN {places} p ON p.id = t._rule_set WHERE substr(t._judgement, p.place, 1) = 'f'"
            " AND NOT EXISTS (SELECT FROM lienthong.finding f"
            "  WHERE f.dataset = %(dataset)s AND f.record_id = t._record_id AND f.rule = %(rule)s"
            "  AND f.closed_at IS NULL)",
            **parts,
        ),
        close_findings=_compose(
            "UPDATE lienthong.finding f SET closed_batch = %(batch)s, closed_at = %(at)s"
            " FROM (SELECT o.id FROM (SELECT DISTINCT record_id FROM pg_temp.touched WHERE place = %(place)s) x"
            "  CROSS JOIN LATERAL (SELECT g.id FROM lienthong.finding g WHERE g.record_id = x.record_id"
            "   AND g.rule = %(rule)s AND g.dataset = %(dataset)s AND g.closed_at IS NULL AND NOT EXISTS"
            "   (SELECT FROM {current} t JOIN {places} p ON p.id = t._rule_set"
            "    WHERE t._record_id = g.record_id AND substr(t._judgement, p.place, 1) = 'f') OFFSET 0) o) v"
            " WHERE f.id = v.id",
            **parts,
        ),
    )
