"""What look-ups of codes refuse (tra cứu mã)."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class CodeNeedsDate(LienthongError, code="DIC-020", actor=Actor.CONSUMER):
    """A code was asked for without a day; the fact ``periods`` says what it meant when."""

    message = "code {code} of {code_list} means nothing without a date; it has been: {periods}"
    hint = "give the day of the record that holds the code, for example --on {day}"


class CodeNotInForce(LienthongError, code="DIC-021", actor=Actor.CONSUMER):
    """The list has no such code on the day."""

    message = "code {code} of {code_list} is not in force on {on}; {known}"
    hint = "check the day, or look for the name: lienthong codes search"


class CodeListUnknown(LienthongError, code="DIC-022", actor=Actor.CONSUMER):
    """No code list has this name."""

    message = "there is no code list {wanted}"
    hint = "the lists are: {known}"


class ConversionUnknown(LienthongError, code="DIC-023", actor=Actor.STEWARD):
    """Nothing here says what became of the code."""

    message = "nothing says what code {code} of {code_list} read on {from_date} is on {to_date}: {reason}"
    hint = "{remedy}"


class CounterpartUndecided(LienthongError, code="DIC-062", actor=Actor.STEWARD):
    """No table between code lists says anything of the code."""

    message = "no table says which code of {other_list} is code {code} of {code_list}"
    hint = "check the code; from {code_list} there are tables to: {known}"


class NotADay(LienthongError, code="DIC-024", actor=Actor.CONSUMER):
    """A date was not written as one."""

    message = "{given} is not a day"
    hint = "write the date as YYYY-MM-DD, for example 2025-07-01"
