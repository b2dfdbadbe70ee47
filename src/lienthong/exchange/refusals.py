"""What the exchange refuses beside ``exchange.grants``, and who can act."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class GrantNotValid(LienthongError, code="EX-003", actor=Actor.OPERATOR):
    """A grant cannot be written down as asked for."""

    message = "grant for dataset {dataset} is not valid: {reason}"
    hint = "name agency, dataset, elements, purpose, legal basis and last day: lienthong access issue --help"


class RegisterUnreachable(LienthongError, code="EX-004", actor=Actor.OPERATOR):
    """The access register does not answer, so nothing is shown to anybody."""

    message = "the access register does not answer (SQLSTATE {sqlstate})"
    hint = "check that the centre's database runs; nothing is shown while a look cannot be noted"
    transient = True


class RegisterFault(LienthongError, code="EX-005", actor=Actor.OPERATOR):
    """The access register refused a statement."""

    message = "the access register refused a statement (SQLSTATE {sqlstate})"
    hint = "its tables or rights are missing or were changed; start the installation again, it makes them anew"


class AgencyUnknown(LienthongError, code="EX-006", actor=Actor.OPERATOR):
    """There is nothing of this agency to take back."""

    message = "agency {agency} has {what} in force"
    hint = "see who has what: lienthong access list"
