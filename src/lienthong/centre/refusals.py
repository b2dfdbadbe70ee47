"""What the centre refuses, and who can act."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class NameNotSafe(LienthongError, code="CEN-002", actor=Actor.STEWARD):
    """A name of the dictionary cannot become a name in the database."""

    message = "{kind} {name!r} of dataset {dataset} cannot name a table or column: {reason}"
    hint = "use ASCII snake_case, a letter first, at most {limit} bytes, each name once per dataset"


class EpochDiffers(LienthongError, code="CEN-003", actor=Actor.OPERATOR):
    """Positions of two histories never compare."""

    message = "link {source} delivers from epoch {delivered}, the centre holds epoch {stored}"
    hint = "the source was restored, promoted or its slot made anew: take a new snapshot of link {source}"


class PhaseDiffers(LienthongError, code="CEN-004", actor=Actor.DEVELOPER):
    """A batch came at a moment when the link cannot take it."""

    message = "link {source} is in phase {phase}; this needs {needed}"
    hint = "start the link again; it goes on from what is stored"


class TableDiffers(LienthongError, code="CEN-005", actor=Actor.OPERATOR):
    """A stored table has another shape than the dictionary asks for."""

    message = "column {column} of {table} is {stored}, the dictionary says {wanted}"
    hint = (
        "give the element a new technical name in the dictionary, or move the table aside "
        "(ALTER TABLE {table} RENAME TO …) and take a new snapshot of every link that fills it"
    )


class SchemaTooNew(LienthongError, code="CEN-006", actor=Actor.OPERATOR):
    """The database was made by a later version of the product."""

    message = "the centre's schema has version {stored}, this program knows up to {known}"
    hint = "run the newer version of the product, or restore a backup made before the upgrade"


class CentreUnreachable(LienthongError, code="CEN-007", actor=Actor.OPERATOR):
    """The connection to the centre's database is gone."""

    message = "the centre's database does not answer (SQLSTATE {sqlstate})"
    hint = "check that the database runs and that the settings reach it; nothing was lost, the link resumes by itself"
    transient = True


class CentreDiskFull(LienthongError, code="CEN-008", actor=Actor.OPERATOR):
    """The centre's database has no space left."""

    message = "the disk of the centre's database is full (SQLSTATE {sqlstate})"
    hint = "give space; the batch was rolled back, the position did not move and the link resumes by itself"
    transient = True


class CentreBusy(LienthongError, code="CEN-009", actor=Actor.OPERATOR):
    """Another session holds what the batch needs."""

    message = "the centre's database could not lock a table or row in time (SQLSTATE {sqlstate})"
    hint = "look for a long transaction: SELECT pid, state, xact_start FROM pg_stat_activity ORDER BY xact_start"
    transient = True


class DatasetNotPrepared(LienthongError, code="CEN-010", actor=Actor.DEVELOPER):
    """The store was not told of a dataset."""

    message = "dataset {dataset} has no tables in this store"
    hint = "call prepare() with the dictionary and the rule sets before applying batches"


class RecordNotStorable(LienthongError, code="CEN-011", actor=Actor.OPERATOR):
    """A change cannot be kept, not even in quarantine."""

    message = "a change of dataset {dataset} at position {position} can be neither kept nor quarantined: {sqlstate}"
    hint = "the link stops before this change; report the position and the code"


class RightsMissing(LienthongError, code="CEN-012", actor=Actor.OPERATOR):
    """The role lacks a right in the centre's database."""

    message = "the centre's database refuses the role a right (SQLSTATE {sqlstate})"
    hint = "the writing role must own the centre's database; prepare the centre again with that role"


class CentreFault(LienthongError, code="CEN-013", actor=Actor.DEVELOPER):
    """The centre's database refused a statement for a reason the product does not know."""

    message = "the centre's database refused a statement (SQLSTATE {sqlstate})"
    hint = "nothing was stored; look for this moment in the database's log and report it"


class QuestionTooLong(LienthongError, code="CEN-014", actor=Actor.OPERATOR):
    """A question to the centre took longer than it may."""

    message = "the centre's database needed more than {limit_s} s for an answer"
    hint = "try again; if it stays slow, look for missing vacuum: SELECT * FROM pg_stat_user_tables"


class MeasurementUnderWay(LienthongError, code="CEN-101", actor=Actor.OPERATOR):
    """Another run measures the same dataset."""

    message = "dataset {dataset} is being measured by another run"
    hint = "wait for it: lienthong measure status; one run at a time measures a dataset"
    transient = True


class MeasurementInterrupted(LienthongError, code="CEN-102", actor=Actor.OPERATOR):
    """A run ended without saying how: its process was killed or lost the database."""

    message = "measurement {measurement} of dataset {dataset} never ended"
    hint = "nothing of it was kept; measure again: lienthong measure {dataset}"


class MeasurementVoid(LienthongError, code="CEN-103", actor=Actor.OPERATOR):
    """A run did not examine every record there is."""

    message = "measurement of dataset {dataset} is void: {present} records present, {examined} examined"
    hint = "nothing of it was kept; the next run looks at every record: lienthong measure {dataset} --whole"


class MeasurementTooLong(LienthongError, code="CEN-104", actor=Actor.OPERATOR):
    """A statement of a run took longer than it may."""

    message = "measurement of dataset {dataset} was given up: one statement needed more than {limit_s} s"
    hint = "raise measuring.limit_minutes in the settings, or look for missing vacuum and locks at the centre"


class RuleNotMeasurable(LienthongError, code="CEN-105", actor=Actor.STEWARD):
    """A rule over other records cannot be carried out as it is written."""

    message = "rule {rule} cannot be measured: {reason}"
    hint = "correct the rule's comparison; until then none of its records counts as passed"


class ComparedNothing(LienthongError, code="CEN-107", actor=Actor.OPERATOR):
    """The dataset that a rule compares with has never received a record."""

    message = "rule {rule} compares with dataset {dataset}, which has never received a record"
    hint = "connect a source of {dataset}; until then the rule says nothing, and nothing is not a pass"


class MeasurementFault(LienthongError, code="CEN-106", actor=Actor.DEVELOPER):
    """The product itself failed while it measured."""

    message = "measurement of dataset {dataset} stopped on a fault of the product: {kind} at {place}"
    hint = "nothing of it was kept; report kind and place"
