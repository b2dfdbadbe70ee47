"""What can be refused about a source: the link, its slot, its tables, its mapping."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class SourceUnreachable(LienthongError, code="SRC-001", actor=Actor.OPERATOR):
    """The database server does not answer."""

    message = "source {source}: no answer from {place}: {reason}"
    hint = "check the address, the network and that the server runs; the link tries again by itself"
    transient = True


class AuthenticationRefused(LienthongError, code="SRC-002", actor=Actor.OPERATOR):
    """The server does not accept the account or its password."""

    message = "source {source}: {place} refuses account {user} (SQLSTATE {sqlstate})"
    hint = "check the account, the password file and the server's pg_hba.conf for this address"


class DatabaseUnknown(LienthongError, code="SRC-003", actor=Actor.OPERATOR):
    """The server has no database of this name."""

    message = "source {source}: {place} has no database {database}"
    hint = "correct the database name in the source's address"


class WalLevelTooLow(LienthongError, code="SRC-004", actor=Actor.AGENCY):
    """The server does not write what logical replication needs."""

    message = "source {source}: wal_level is {observed}, logical replication needs logical"
    hint = "run as superuser: ALTER SYSTEM SET wal_level = 'logical'; then restart the server once"


class ReplicationRightMissing(LienthongError, code="SRC-005", actor=Actor.AGENCY):
    """The account may not replicate."""

    message = "source {source}: account {user} has no replication right"
    hint = 'run as superuser: ALTER ROLE "{user}" REPLICATION; and allow the account in pg_hba.conf'


class NoFreeSlot(LienthongError, code="SRC-006", actor=Actor.AGENCY):
    """All replication slots or senders of the server are taken."""

    message = "source {source}: no free {what} at the server"
    hint = (
        "raise {setting} at the server and restart it, or drop slots nobody uses (SELECT * FROM pg_replication_slots)"
    )
    transient = True


class PublicationUnusable(LienthongError, code="SRC-007", actor=Actor.AGENCY):
    """The publication is missing or does not carry what the link needs."""

    message = "source {source}: publication {publication} {reason}"
    hint = "run as owner of the tables: {repair}"


class TableNotFound(LienthongError, code="SRC-008", actor=Actor.STEWARD):
    """The source has no such table."""

    message = "source {source}: table {table} does not exist or cannot be seen"
    hint = "correct the table name in the mapping, or grant the account USAGE on its schema"


class NoRowIdentity(LienthongError, code="SRC-009", actor=Actor.AGENCY):
    """Nothing identifies a row of the table, so changes cannot be followed."""

    message = "source {source}: table {table} {reason}"
    hint = "run as owner of the table: {repair}"


class ReadRightMissing(LienthongError, code="SRC-010", actor=Actor.AGENCY):
    """The account may not read the table."""

    message = "source {source}: account {user} may not read {table}"
    hint = "run as owner of the table: {repair}"


class SlotMissing(LienthongError, code="SRC-011", actor=Actor.OPERATOR):
    """The replication slot is gone; changes since then may be lost."""

    message = "source {source}: replication slot {slot} does not exist any more"
    hint = "ask the agency who dropped it, then take a new snapshot of the link (docs/reference/errors/SRC-011.md)"


class SlotLost(LienthongError, code="SRC-012", actor=Actor.OPERATOR):
    """The server gave the slot up; the changes it kept are gone."""

    message = "source {source}: replication slot {slot} was invalidated by the server ({reason})"
    hint = (
        "raise max_slot_wal_keep_size at the source or find out why the link stood still, "
        "then take a new snapshot of the link (docs/reference/errors/SRC-011.md)"
    )


class SlotMoved(LienthongError, code="SRC-013", actor=Actor.OPERATOR):
    """The slot stands after our position: somebody made it again or moved it, there is a gap."""

    message = (
        "source {source}: slot {slot} stands at {slot_position}, after the position {position} kept at the centre"
    )
    hint = "the changes in between are gone; take a new snapshot of the link (docs/reference/errors/SRC-011.md)"


class SlotBusy(LienthongError, code="SRC-014", actor=Actor.OPERATOR):
    """Another connection uses the slot."""

    message = "source {source}: slot {slot} is in use by server process {pid}"
    hint = "stop the other instance of this link; after a crash the server frees the slot by itself within a minute"
    transient = True


class SlotTaken(LienthongError, code="SRC-015", actor=Actor.OPERATOR):
    """A slot of this name belongs to something else."""

    message = "source {source}: slot {slot} exists and is not ours ({reason})"
    hint = "choose another slot name in the settings of the source"


class SourceChanged(LienthongError, code="SRC-016", actor=Actor.OPERATOR):
    """The source is not the one the stored position belongs to."""

    message = "source {source}: the stored position belongs to {expected}, the source is now {observed}"
    hint = (
        "after a failover or a restore positions do not compare; "
        "take a new snapshot of the link (docs/reference/errors/SRC-011.md)"
    )


class TransactionTooLarge(LienthongError, code="SRC-017", actor=Actor.AGENCY):
    """One transaction of the source holds more than the link can take whole."""

    message = "source {source}: a transaction at {position} holds more than {limit} {unit}"
    hint = "take a new snapshot after it, or ask the agency to load in smaller transactions"


class StreamInterrupted(LienthongError, code="SRC-018", actor=Actor.OPERATOR):
    """The replication connection broke; nothing is lost, the position stays."""

    message = "source {source}: the stream broke: {reason}"
    hint = "the link connects again by itself; if this repeats, read the source server's log"
    transient = True


class MessageNotUnderstood(LienthongError, code="SRC-019", actor=Actor.DEVELOPER):
    """The server sent a message outside the protocol."""

    message = "replication message not understood: {reason}"
    hint = "report this with the version of the source server; nothing was stored"


class MappedColumnGone(LienthongError, code="SRC-020", actor=Actor.STEWARD):
    """A column of the mapping is not in the table any more."""

    message = "source {source}: table {table} has no column {columns} that the mapping uses"
    hint = "decide with the agency: change the mapping, or let the agency restore the column"


class MappedColumnTypeChanged(LienthongError, code="SRC-021", actor=Actor.STEWARD):
    """A column of the mapping has another type than when the mapping was decided."""

    message = "source {source}: table {table}, type of column changed: {changes}"
    hint = "look at the new values, then write the new type into the mapping"


class KeyChanged(LienthongError, code="SRC-022", actor=Actor.STEWARD):
    """Other columns identify a row than before: stored records would not be found again."""

    message = "source {source}: table {table} is now identified by ({observed}), before by ({expected})"
    hint = "write the new key into the mapping: the link then takes a new snapshot"


class SourceRefused(LienthongError, code="SRC-023", actor=Actor.OPERATOR):
    """The source refused a statement of ours."""

    message = "source {source}: the server refused to {what} (SQLSTATE {sqlstate})"
    hint = "the code is explained in appendix A of the PostgreSQL manual; the server's log has the statement"


class SourceTooBusy(LienthongError, code="SRC-024", actor=Actor.AGENCY):
    """A statement of ours gave way to the agency's own work."""

    message = "source {source}: gave up to {what} after the time allowed: {reason}"
    hint = "the link tries again by itself; long transactions at the source delay the start of a snapshot"
    transient = True


class AddressNotValid(LienthongError, code="SRC-025", actor=Actor.OPERATOR):
    """The address of the source is no URL of a database that is read here."""

    message = "source {source}: its address is not valid"
    hint = (
        "write it as postgresql://account@host:port/database?sslmode=verify-full, or mariadb://… the same way; "
        "the password goes in a file"
    )


class EncryptionRefused(LienthongError, code="SRC-026", actor=Actor.OPERATOR):
    """TLS was asked for and cannot be had."""

    message = "source {source}: no TLS with {place}: {reason}"
    hint = "let the agency switch TLS on, correct sslrootcert, or choose sslmode knowingly in the address"


class MappingNotValid(LienthongError, code="SRC-030", actor=Actor.STEWARD):
    """A mapping file has mistakes; all of them are listed."""

    message = "mapping {path} has {count} mistakes:\n{problems}"
    hint = "correct the lines, then check: lienthong source validate {path}"


class NothingToSurvey(LienthongError, code="SRC-031", actor=Actor.OPERATOR):
    """The survey saw no table."""

    message = "source {source}: no table that account {user} may read"
    hint = "grant the account SELECT on the tables, or name one with --table schema.table"


class ColumnNotFollowed(LienthongError, code="SRC-061", actor=Actor.STEWARD):
    """A column has a type or a character set that is not read here."""

    message = "table {table}: column {column} cannot be followed: {reason}"
    hint = "ask the agency for a column of an ordinary type beside it, or follow a table that lacks this column"


class LogNotFollowed(LienthongError, code="SRC-062", actor=Actor.AGENCY):
    """The log of the source holds something that cannot be followed without losing changes."""

    message = "the source's log cannot be followed: {reason}"
    hint = (
        "let the agency set binlog_format=ROW, binlog_row_image=FULL, binlog_row_metadata=FULL, "
        "then take a new snapshot of the link"
    )


class LogGone(LienthongError, code="SRC-063", actor=Actor.OPERATOR):
    """The source has thrown away the part of its log that the link needs next."""

    message = "source {source}: the log from {position} on is not kept any more ({reason})"
    hint = (
        "the changes in between are gone: let the agency keep its log longer (binlog_expire_logs_seconds), "
        "then take a new snapshot of the link (docs/reference/errors/SRC-011.md)"
    )


class ServerSettingWrong(LienthongError, code="SRC-064", actor=Actor.AGENCY):
    """A setting of the source's server does not let changes be followed."""

    message = "source {source}: {setting} is {observed}, it must be {wanted}"
    hint = "run as administrator of the server: {repair}"


class ServerNotSupported(LienthongError, code="SRC-065", actor=Actor.OPERATOR):
    """The server is of a kind or an age that is not followed."""

    message = "source {source}: {server} is not followed: {reason}"
    hint = "follow a MariaDB from 10.5 on; read other servers through files"
