"""Judge whether a MariaDB can be followed: every line says what was found and the statement that repairs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lienthong.adapters.mariadb.catalogue import ServerFacts, TableFacts, finish_of, quoted
from lienthong.errors import LienthongError
from lienthong.sources.change import SourceId, TableName
from lienthong.sources.readiness import Judgement, blocking, fine, warning
from lienthong.sources.refusals import (
    NoRowIdentity,
    ReadRightMissing,
    ReplicationRightMissing,
    ServerNotSupported,
    ServerSettingWrong,
    TableNotFound,
)

VERSION_MIN: Final = (10, 5)  # the first that writes names of columns into its log
KEEP_DAYS_MIN: Final = 3  # a long weekend

_WANTED: Final = {"binlog_format": "ROW", "binlog_row_image": "FULL", "binlog_row_metadata": "FULL"}
_REPLICATES: Final = re.compile(r"ALL PRIVILEGES ON \*\.\*|REPLICATION SLAVE|REPLICATION REPLICA")
_MONITORS: Final = re.compile(r"ALL PRIVILEGES ON \*\.\*|BINLOG MONITOR|REPLICATION CLIENT|SUPER\b")
_WRITES: Final = re.compile(r"ALL PRIVILEGES|INSERT|UPDATE|DELETE|DROP|ALTER|SUPER\b")


def judge_server(source: SourceId, server: ServerFacts, *, account: str) -> Iterator[Judgement]:
    """Look at version, log and rights."""
    found = re.match(r"(\d+)\.(\d+)", server.version)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if "mariadb" not in f"{server.version} {server.kind}".lower():
        error: LienthongError = ServerNotSupported(source=source, server=server.version, reason="it is no MariaDB")
        yield blocking("server", server.version, error)
    elif version < VERSION_MIN:
        error = ServerNotSupported(
            source=source, server=f"MariaDB {server.version}", reason="its log has no names of columns"
        )
        yield blocking("server", server.version, error)
    else:
        yield fine("server", server.version)
    if server.log_on:
        yield fine("log_bin", "ON")
    else:
        yield blocking("log_bin", "OFF", _setting(source, "log_bin", "OFF", "ON", "[mariadbd] log_bin = mariadb-bin"))
    for name, wanted in _WANTED.items():
        observed = server.settings.get(name, "unknown").upper()
        if observed in {wanted, f"{wanted}_LOG"}:
            yield fine(name, observed)
        else:
            repair = f"SET GLOBAL {name} = '{wanted}'; and in the server's configuration; then new connections"
            yield blocking(name, observed, _setting(source, name, observed, wanted, repair))
    days = server.keep_s / 86_400
    if server.keep_s and days < KEEP_DAYS_MIN:
        yield warning(
            "log retention",
            f"{days:g} days",
            f"SET GLOBAL binlog_expire_logs_seconds = {KEEP_DAYS_MIN * 86_400}: a link that stands still longer "
            "than the log is kept needs a new snapshot",
        )
    else:
        yield fine("log retention", f"{days:g} days" if server.keep_s else "for ever")
    yield from _judge_rights(source, server, account=account)


def _setting(source: SourceId, name: str, observed: str, wanted: str, repair: str) -> LienthongError:
    return ServerSettingWrong(source=source, setting=name, observed=observed, wanted=wanted, repair=repair)


def _judge_rights(source: SourceId, server: ServerFacts, *, account: str) -> Iterator[Judgement]:
    if _REPLICATES.search(server.rights) and _MONITORS.search(server.rights):
        yield fine("replication right", "granted")
    else:
        yield blocking(
            "replication right",
            "missing",
            ReplicationRightMissing(source=source, user=account),
            f"GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO '{account}'@'…';",
        )
    if _WRITES.search(server.rights):
        yield warning(
            "rights",
            "the account may write",
            "REVOKE what it does not need: SELECT, REPLICATION SLAVE, BINLOG MONITOR",
        )


def judge_table(source: SourceId, name: TableName, table: TableFacts | None) -> Iterator[Judgement]:
    """Look at one table of the link."""
    if table is None:
        yield blocking(f"table {name}", "not found", TableNotFound(source=source, table=name))
        return
    if not table.columns:
        right = f"GRANT SELECT ON {quoted(name.schema)}.{quoted(name.table)} TO the account;"
        yield blocking(f"table {name}", "may not be read", ReadRightMissing(
            source=source, user="of the link", table=name, repair=right
        ))  # fmt: skip
        return
    if table.key:
        yield fine(f"key of {name}", ", ".join(table.key))
    else:
        repair = f"ALTER TABLE {quoted(name.schema)}.{quoted(name.table)} ADD PRIMARY KEY (…);"
        refused = NoRowIdentity(source=source, table=name, reason="has no primary key", repair=repair)
        yield blocking(f"key of {name}", "none", refused)
    if table.engine.lower() != "innodb":
        yield warning(
            f"engine of {name}",
            table.engine,
            f"ALTER TABLE {quoted(name.schema)}.{quoted(name.table)} ENGINE = InnoDB: without transactions a "
            "snapshot may be torn",
        )
    for column in table.columns:
        try:
            finish_of(column, table=name)
        except LienthongError as error:
            # The log carries whole rows: a column that cannot be read makes every row unreadable.
            yield blocking(f"column {column.column.name} of {name}", column.column.type_name, error)
