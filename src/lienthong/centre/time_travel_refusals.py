"""What is refused when the past is asked for, and who can act."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class MomentWithoutZone(LienthongError, code="CEN-301", actor=Actor.CONSUMER):
    """A time of day means another moment in every time zone."""

    message = "moment {moment} has no time zone"
    hint = "write the time zone: {vietnam} is that time in Vietnam; in the query of a URL the + is written %2B"


class MomentNotValid(LienthongError, code="CEN-302", actor=Actor.CONSUMER):
    """What was given is no moment; it is not repeated, it may be anything."""

    message = "{name} is not a moment of the form 2026-11-23T09:00:00+07:00"
    hint = "write date, time and time zone as ISO 8601 has them; in the query of a URL the + is written %2B"


class MomentInFuture(LienthongError, code="CEN-303", actor=Actor.CONSUMER):
    """Nobody knows yet what will be valid."""

    message = "moment {moment} has not come yet"
    hint = "ask for a moment up to now, {now}"


class ElementWithoutCodes(LienthongError, code="CEN-304", actor=Actor.OPERATOR):
    """Only values of a code list are in force or not."""

    message = "element {element} of dataset {dataset} has no list of codes; those with one are {known}"
    hint = "name one of these elements by its code or its technical name: lienthong dictionary show {dataset}"


class PastInUse(LienthongError, code="CEN-305", actor=Actor.OPERATOR):
    """An object of the operator's own stands on a function that has to change."""

    message = "function {function} has to change and cannot: other objects of the database depend on it"
    hint = "drop the views that use it, run lienthong centre prepare, and make them again"


class PastNotPrepared(LienthongError, code="CEN-306", actor=Actor.OPERATOR):
    """The centre's database was made before the past could be asked for."""

    message = "the centre's database has no functions for moments of the past"
    hint = "run lienthong centre prepare once, with the role that owns the centre's database"
