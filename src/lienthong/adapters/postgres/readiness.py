"""Judge whether a source can be followed; the same findings as a list for people and as refusals at run time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lienthong.adapters.postgres.catalogue import (
    ORDINARY,
    PARTITIONED,
    PublicationFacts,
    ServerFacts,
    SlotFacts,
    TableFacts,
    published_columns,
    quoted,
    quoted_table,
)
from lienthong.sources.change import SourceId, TableName
from lienthong.sources.readiness import Judgement, blocking, fine, warning
from lienthong.sources.refusals import (
    NoFreeSlot,
    NoRowIdentity,
    PublicationUnusable,
    ReadRightMissing,
    ReplicationRightMissing,
    SlotTaken,
    TableNotFound,
    WalLevelTooLow,
)

PLUGIN = "pgoutput"


def judge_server(source: SourceId, server: ServerFacts, slot: SlotFacts | None) -> Iterator[Judgement]:
    """Judge what concerns the server as a whole."""
    yield fine("server", f"PostgreSQL {server.version // 10000}.{server.version % 10000}, {server.encoding}")
    if server.wal_level == "logical":
        yield fine("wal_level", server.wal_level)
    else:
        yield blocking(
            "wal_level",
            server.wal_level,
            WalLevelTooLow(source=source, observed=server.wal_level),
            "ALTER SYSTEM SET wal_level = 'logical'; -- then restart the server once",
        )
    if server.may_replicate:
        yield fine("replication right", f"account {server.account} has it")
    else:
        yield blocking(
            "replication right",
            f"account {server.account} lacks it",
            ReplicationRightMissing(source=source, user=server.account),
            f"ALTER ROLE {quoted(server.account)} REPLICATION;",
        )
    for what, setting, used, allowed in (
        ("replication slots", "max_replication_slots", server.slots_used, server.slots_max),
        ("WAL senders", "max_wal_senders", server.senders_used, server.senders_max),
    ):
        observed = f"{used} of {allowed} used"
        ours = slot is not None and (what == "replication slots" or slot.active_pid is not None)
        if used < allowed or ours:
            yield fine(what, observed)
        else:
            yield blocking(
                what,
                observed,
                NoFreeSlot(source=source, what=what, setting=setting),
                f"ALTER SYSTEM SET {setting} = {allowed + 5}; -- then restart the server once",
            )
    if server.keep_size == "-1":
        yield warning(
            "max_slot_wal_keep_size",
            "no limit: a link that stands still could fill the server's disk",
            "ALTER SYSTEM SET max_slot_wal_keep_size = '20GB'; SELECT pg_reload_conf(); -- fit it to the disk",
        )
    else:
        yield fine("max_slot_wal_keep_size", server.keep_size)
    if server.encoding == "SQL_ASCII":
        yield warning("encoding", "SQL_ASCII: the database does not check its texts, damaged ones are marked", None)
    if server.standby_slots:
        yield warning(
            "synchronized_standby_slots",
            f"{server.standby_slots}: a name in it without a slot stops every stream without an error",
            "-- after a failover: ALTER SYSTEM RESET synchronized_standby_slots; SELECT pg_reload_conf();",
        )


def judge_slot(source: SourceId, name: str, slot: SlotFacts | None, database: str) -> Iterator[Judgement]:
    """Judge whether the name of the slot is free or ours."""
    item = f"slot {name}"
    if slot is None:
        yield fine(item, "free")
        return
    if slot.plugin != PLUGIN:
        reason = "it is a physical slot" if slot.plugin is None else f"it uses the plugin {slot.plugin}"
    elif slot.database != database:
        reason = f"it belongs to database {slot.database}"
    else:
        observed = "ours" if slot.active_pid is None else f"ours, in use by server process {slot.active_pid}"
        yield fine(item, observed)
        return
    yield blocking(item, reason, SlotTaken(source=source, slot=name, reason=reason))


def judge_publication(
    source: SourceId, name: str, publication: PublicationFacts | None, tables: Sequence[TableName]
) -> Iterator[Judgement]:
    """Judge whether the publication carries every operation on every table."""
    item = f"publication {name}"
    every = ", ".join(quoted_table(table) for table in tables)
    if publication is None:
        repair = f"CREATE PUBLICATION {quoted(name)} FOR TABLE {every};"
        refusal = PublicationUnusable(source=source, publication=name, reason="does not exist", repair=repair)
        yield blocking(item, "does not exist", refusal, repair)
        return
    silent = [
        word
        for word, sent in (
            ("insert", publication.inserts),
            ("update", publication.updates),
            ("delete", publication.deletes),
            ("truncate", publication.truncates),
        )
        if not sent
    ]
    if silent:
        repair = f"ALTER PUBLICATION {quoted(name)} SET (publish = 'insert, update, delete, truncate');"
        reason = f"does not publish {', '.join(silent)}"
        yield blocking(
            item, reason, PublicationUnusable(source=source, publication=name, reason=reason, repair=repair), repair
        )
    else:
        yield fine(item, f"{len(publication.tables)} tables, all operations")


def judge_published(
    source: SourceId, publication: PublicationFacts, table: TableFacts, needed: Sequence[str]
) -> Iterator[Judgement]:
    """Judge how the publication carries one table."""
    item = f"{table.name} in publication {publication.name}"
    published = publication.tables.get(table.name)
    name, full = quoted(publication.name), quoted_table(table.name)
    if published is None:
        if table.kind == PARTITIONED and not publication.via_root:
            repair = f"ALTER PUBLICATION {name} SET (publish_via_partition_root = true);"
            reason = f"sends {table.name} partition by partition"
        else:
            repair = f"ALTER PUBLICATION {name} ADD TABLE {full};"
            reason = f"does not contain {table.name}"
        refusal = PublicationUnusable(source=source, publication=publication.name, reason=reason, repair=repair)
        yield blocking(item, reason, refusal, repair)
        return
    carried = {each.column.name for each in published_columns(table, published)}
    present = {each.column.name for each in table.columns}
    missing = sorted((set(needed) | set(table.key)) & present - carried)
    repair = f"ALTER PUBLICATION {name} SET TABLE …; -- name {full} without a column list"
    if missing:
        reason = f"leaves out columns of {table.name}: {', '.join(missing)}"
        refusal = PublicationUnusable(source=source, publication=publication.name, reason=reason, repair=repair)
        yield blocking(item, reason, refusal, repair)
    elif len(carried) < sum(not each.generated for each in table.columns):
        yield warning(item, "a column list leaves columns out; they are not in the raw image", repair)
    elif published.row_filter is not None:
        yield warning(item, "a row filter leaves rows out; the centre will not know them", repair)
    else:
        yield fine(item, "all rows and columns")


def judge_table(source: SourceId, table: TableFacts, account: str) -> Iterator[Judgement]:
    """Judge whether rows of a table can be identified and read."""
    full, item = quoted_table(table.name), f"key of {table.name}"
    reason = repair = None
    if table.kind not in (ORDINARY, PARTITIONED):
        reason, repair = "is a view or a foreign table: only tables can be followed", "-- name the table behind it"
    elif table.persistence != "p":
        reason, repair = "is not logged, so its changes are nowhere", f"ALTER TABLE {full} SET LOGGED;"
    elif table.identity == "n":
        reason = "has REPLICA IDENTITY NOTHING"
        repair = f"ALTER TABLE {full} REPLICA IDENTITY DEFAULT;"
    elif not table.key and table.keys:
        index = table.keys[0].name
        reason = "has no primary key"
        repair = f"ALTER TABLE {full} REPLICA IDENTITY USING INDEX {quoted(index)};"
    elif not table.key:
        reason = "has no primary key"
        repair = f"ALTER TABLE {full} ADD PRIMARY KEY (…); -- the columns that identify a row"
    if reason is not None and repair is not None:
        refusal = NoRowIdentity(source=source, table=table.name, reason=reason, repair=repair)
        yield blocking(item, reason, refusal, repair)
    elif table.identity == "f":
        yield warning(
            item,
            f"REPLICA IDENTITY FULL, about three times the log volume; rows are told apart by {', '.join(table.key)}",
            f"ALTER TABLE {full} REPLICA IDENTITY DEFAULT;",
        )
    else:
        yield fine(item, ", ".join(table.key))
    item = f"read right on {table.name}"
    if table.may_read:
        yield fine(item, f"account {account} has it")
    else:
        repair = (
            f"GRANT USAGE ON SCHEMA {quoted(table.name.schema)} TO {quoted(account)}; "
            f"GRANT SELECT ON {full} TO {quoted(account)};"
        )
        lacking = ReadRightMissing(source=source, user=account, table=table.name, repair=repair)
        yield blocking(item, f"account {account} lacks it", lacking, repair)


def judge_absent(source: SourceId, table: TableName) -> Judgement:
    """Return the line of a table that is not there."""
    return blocking(f"table {table}", "does not exist", TableNotFound(source=source, table=table))
