"""What officers are refused at the door of the portal, and administrators at the register of accounts."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class SignInRefused(LienthongError, code="PRT-101", actor=Actor.STEWARD):
    """Name or password is wrong, or the account is locked or closed; which of them is never said."""

    message = "sign-in refused: the name or the password is wrong, or the account is locked or closed"
    hint = (
        "wait before trying again: each wrong password after the fifth makes the wait longer;"
        " an administrator gives a new one-time password with `lienthong officer reset NAME`"
    )


class SignInTooOften(LienthongError, code="PRT-102", actor=Actor.STEWARD):
    """So many people fail to sign in that the portal takes no more attempts for a moment."""

    message = "sign-in refused: too many wrong attempts at this portal within the last minute"
    hint = "wait a minute and try again; those who are signed in already are not touched"
    transient = True


class PasswordRefused(LienthongError, code="PRT-103", actor=Actor.STEWARD):
    """A password breaks a rule; the password itself is never repeated."""

    message = "password refused: {reason}"
    hint = "choose at least {least} characters that nobody guesses, such as four words that do not go together"


class OfficerUnknown(LienthongError, code="PRT-104", actor=Actor.OPERATOR):
    """There is no open account of that name."""

    message = "there is no account {name} that is not closed"
    hint = "look at the names with `lienthong officer list --all`"


class OfficerFactRefused(LienthongError, code="PRT-105", actor=Actor.OPERATOR):
    """A fact about an account cannot be kept as given, or the name is taken."""

    message = "account {name} refused: {fact} {reason}"
    hint = "correct {fact}; `lienthong officer add --help` shows the form of each"


class OfficersUnreachable(LienthongError, code="PRT-106", actor=Actor.OPERATOR):
    """The database with the accounts does not answer."""

    message = "the register of accounts does not answer (SQLSTATE {sqlstate})"
    hint = "check that the centre's database runs and that the role of [centre.portal] may connect"
    transient = True


class OfficersFault(LienthongError, code="PRT-107", actor=Actor.OPERATOR):
    """The database refused what the register of accounts asked."""

    message = "the register of accounts was refused by its database (SQLSTATE {sqlstate})"
    hint = "run `lienthong centre prepare` as the owner: it creates missing tables and gives the roles their rights"


class NoSignIn(LienthongError, code="PRT-108", actor=Actor.OPERATOR):
    """The settings name no role for the portal, so nobody can sign in."""

    message = "the portal has no sign-in: {path} has no table [centre.portal]"
    hint = "add [centre.portal] with url and password_file, then run `lienthong centre prepare`"
