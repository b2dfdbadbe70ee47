"""Why a comparison of source and centre comes to no result, and who can act."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class LinkBehind(LienthongError, code="CEN-201", actor=Actor.OPERATOR):
    """The link did not reach the position the source was read at."""

    message = "link {source} stands at {position} and did not reach {needed} within {waited_s} s"
    hint = "is the link running and catching up? lienthong sync status; then compare again: lienthong sync reconcile"
    transient = True


class ReconciliationUnderWay(LienthongError, code="CEN-202", actor=Actor.OPERATOR):
    """Another run compares the same link."""

    message = "link {source} is being reconciled by another run"
    hint = "wait for it; its result is shown by: lienthong sync status"
    transient = True


class SnapshotMeanwhile(LienthongError, code="CEN-203", actor=Actor.OPERATOR):
    """A snapshot taken meanwhile has moved the versions of what is kept."""

    message = "link {source} took a snapshot after position {position}: the centre cannot say what it kept there"
    hint = "nothing is wrong with the data; compare again: lienthong sync reconcile {source}"
    transient = True


class LinkNotStreaming(LienthongError, code="CEN-204", actor=Actor.OPERATOR):
    """The link has no complete copy yet that could be compared."""

    message = "link {source} is in phase {phase}: there is no complete copy to compare"
    hint = "start the link and let its first snapshot end: lienthong sync run, lienthong sync status"
    transient = True


class SourceNotReconcilable(LienthongError, code="CEN-205", actor=Actor.OPERATOR):
    """A kind of source that has no state at a position."""

    message = "link {source} reads a kind of source that cannot be asked for its state at a position"
    hint = "PostgreSQL and MariaDB can; for others compare counts with the agency"


class ReconciliationFault(LienthongError, code="CEN-206", actor=Actor.DEVELOPER):
    """The product itself failed while it compared."""

    message = "reconciliation of link {source} stopped on a fault of the product: {kind} at {place}"
    hint = "no result was kept; report kind and place"


class TooManyToRepair(LienthongError, code="CEN-207", actor=Actor.OPERATOR):
    """So much differs that reading the table again is the better repair."""

    message = (
        "{table} of link {source}: at least {count} records differ, more than {limit} are not repaired one by one"
    )
    hint = "have the link read everything again: lienthong sync snapshot {source}"


class ReconciliationInterrupted(LienthongError, code="CEN-208", actor=Actor.OPERATOR):
    """Somebody asked to stop while the link was waited for."""

    message = "reconciliation of link {source} was interrupted"
    hint = "nothing is wrong; compare again: lienthong sync reconcile {source}"
    transient = True
