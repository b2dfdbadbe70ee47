"""What the centre's database refuses, in the words of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from lienthong.centre.refusals import (
    CentreBusy,
    CentreDiskFull,
    CentreFault,
    CentreUnreachable,
    QuestionTooLong,
    RightsMissing,
)
from lienthong.errors import LienthongError

_DISK_FULL = "53100"
_BUSY = frozenset({"55P03", "40P01", "40001", "53200", "53300"})
_RIGHTS = frozenset({"42501", "25006"})
_CANCELLED = "57014"
# Data exceptions, broken constraints, and a value too long for an index: one row is to blame, not the database.
_ROW_CLASSES = ("22", "23", "54")


def blames_a_row(error: psycopg.Error) -> bool:
    """Return whether leaving out some rows can make the statement work."""
    return (error.sqlstate or "").startswith(_ROW_CLASSES)


def as_refusal(error: psycopg.Error, *, limit_s: float = 0) -> LienthongError:
    """Return the refusal that says who can act; it names the code only, since the text may quote values."""
    state = error.sqlstate
    if state == _DISK_FULL:
        return CentreDiskFull(sqlstate=state)
    if state in _BUSY:
        return CentreBusy(sqlstate=state)
    if state in _RIGHTS:
        return RightsMissing(sqlstate=state)
    if state == _CANCELLED:
        return QuestionTooLong(limit_s=limit_s)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return CentreUnreachable(sqlstate=state or "none")
    return CentreFault(sqlstate=state or "none")


@contextmanager
def refusals(*, limit_s: float = 0) -> Iterator[None]:
    """Turn errors of the driver inside the block into refusals."""
    try:
        yield
    except psycopg.Error as error:
        # The driver's text can quote a value of a record, so it does not travel on as the cause.
        raise as_refusal(error, limit_s=limit_s) from _cleaned(error)


def _cleaned(error: psycopg.Error) -> psycopg.Error:
    return type(error)(f"SQLSTATE {error.sqlstate}")
