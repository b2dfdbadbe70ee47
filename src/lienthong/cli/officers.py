"""``lienthong officer``: accounts of the people who work in the portal (tài khoản cán bộ)."""

from __future__ import annotations

import getpass
import os
import pwd
import sys
from typing import Annotated, Final

import typer

from lienthong.cli.output import console, print_json, print_table, refusals
from lienthong.oversight.officer_refusals import NoSignIn
from lienthong.oversight.officers import Account, Officer, Role
from lienthong.wiring.officers import Accounts, make_password, open_accounts
from lienthong.wiring.settings import settings_from_environment

PASSWORD_LINE_MAX: Final = 1_000

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Accounts and roles of the people who work in the portal (tài khoản cán bộ).

A password given here is for one time: its owner changes it at the first sign-in, within seven days. Passwords are
typed at a prompt or come from standard input, never from the command line, where others could read them.

[bold]Examples[/]

  lienthong officer add tran.an --full-name "Trần An" --agency G01 --role proposer

  lienthong officer roles tran.an --add reviewer --remove proposer

  lienthong officer reset tran.an --generate
""",
)

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Name = Annotated[str, typer.Argument(help="Name to sign in with: lower-case letters, digits, '.', '-', '_'.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
Generate = Annotated[bool, typer.Option("--generate", help="Make a password by chance and show it this once.")]
By = Annotated[
    str | None,
    typer.Option("--as", metavar="PERSON", help="Who acts, for the journal. Default: the account of this machine."),
]


def _accounts(actor: str | None) -> Accounts:
    machine = f"machine account {pwd.getpwuid(os.getuid()).pw_name}"
    return open_accounts(settings_from_environment(), actor=machine if actor is None else f"{actor} ({machine})")


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as cause:
        raise typer.BadParameter("roles are " + ", ".join(role.value for role in Role)) from cause


def _password(*, from_stdin: bool, generate: bool) -> str:
    if from_stdin and generate:
        raise typer.BadParameter("--password-stdin and --generate exclude each other")
    if generate:
        return make_password()
    if from_stdin:
        return sys.stdin.readline(PASSWORD_LINE_MAX).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask at: use --password-stdin or --generate")
    first = getpass.getpass("One-time password: ")
    if getpass.getpass("Again: ") != first:
        raise typer.BadParameter("the two passwords differ")
    return first


def _told(account: Account) -> dict[str, object]:
    officer = account.officer
    return {
        "name": officer.name,
        "full_name": officer.full_name,
        "agency": officer.agency,
        "roles": sorted(role.value for role in officer.roles),
        "must_change_password": account.must_change_password,
        "wrong_passwords": account.failures,
        "waits_until": account.waits_until and account.waits_until.isoformat(),
        "locked_at": account.locked_at and account.locked_at.isoformat(),
        "closed_at": account.closed_at and account.closed_at.isoformat(),
        "signed_in_at": account.signed_in_at and account.signed_in_at.isoformat(),
    }


def _say(name: str, what: str, *, as_json: bool, password: str | None = None) -> None:
    """Say what was done; a generated password is shown here and nowhere again."""
    if as_json:
        shown = {} if password is None else {"one_time_password": password}
        print_json({"name": name, "done": what, **shown})
        return
    console.print(f"{name}: {what}", highlight=False, markup=False)
    if password is not None:
        console.print(f"one-time password, shown this once: {password}", highlight=False, markup=False)


@app.command()
def add(
    name: Name,
    *,
    full_name: Annotated[str, typer.Option(help="Name of the person, as decisions show it.")],
    agency: Annotated[str, typer.Option(help="Code of the agency the person acts for, such as G01.")],
    role: Annotated[list[str], typer.Option(help="What the person may do; may be given several times.")],
    password_stdin: FromStdin = False,
    generate: Generate = False,
    actor: By = None,
    as_json: AsJson = False,
) -> None:
    """Make an account with a one-time password.

    Roles: proposer, reviewer, approver, publisher, steward, assessor, leader, administrator.

    Example: lienthong officer add tran.an --full-name "Trần An" --agency G01 --role proposer --generate
    """
    roles = frozenset(_role(each) for each in role)
    password = _password(from_stdin=password_stdin, generate=generate)
    officer = Officer(name=name, full_name=full_name, agency=agency, roles=roles)
    with refusals(as_json=as_json):
        _accounts(actor).add(officer, password=password)
        if settings_from_environment().sign_in is None:
            # The account is there; it is only of use once the portal may look at it.
            _warn(as_json=as_json)
    _say(name, "account made", as_json=as_json, password=password if generate else None)


def _warn(*, as_json: bool) -> None:
    if not as_json:
        error = NoSignIn(path=settings_from_environment().path)
        console.print(f"{error.code} {error}: {error.remedy}", highlight=False, markup=False)


@app.command(name="list")
def list_accounts(
    every: Annotated[bool, typer.Option("--all", help="Closed accounts too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the accounts with their roles and whether they can sign in.

    Example: lienthong officer list --all
    """
    with refusals(as_json=as_json):
        found = _accounts(None).listed(every=every)
    if as_json:
        print_json([_told(account) for account in found])
        return
    rows = [
        (
            account.officer.name,
            account.officer.full_name,
            account.officer.agency,
            ", ".join(sorted(role.value for role in account.officer.roles)),
            _standing(account),
            account.signed_in_at and account.signed_in_at.isoformat(timespec="minutes"),
        )
        for account in found
    ]
    print_table("Officers", ("Name", "Full name", "Agency", "Roles", "Stands", "Last sign-in"), rows)


def _standing(account: Account) -> str:
    if account.closed_at is not None:
        return "closed"
    if account.locked_at is not None:
        return "locked"
    words = ["one-time password"] if account.must_change_password else []
    if account.failures:
        words.append(f"{account.failures} wrong passwords")
    return ", ".join(words) or "open"


@app.command()
def roles(
    name: Name,
    *,
    add: Annotated[list[str] | None, typer.Option("--add", help="Role to give; may be given several times.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="Role to take away.")] = None,
    actor: By = None,
    as_json: AsJson = False,
) -> None:
    """Give and take roles; the officer signs in anew.

    Example: lienthong officer roles tran.an --add reviewer --remove proposer
    """
    given, taken = [_role(each) for each in add or ()], [_role(each) for each in remove or ()]
    with refusals(as_json=as_json):
        held = _accounts(actor).change_roles(name, add=given, remove=taken)
    words = ", ".join(sorted(role.value for role in held)) or "none"
    _say(name, f"roles are now: {words}", as_json=as_json)


@app.command()
def reset(
    name: Name,
    password_stdin: FromStdin = False,
    generate: Generate = False,
    actor: By = None,
    as_json: AsJson = False,
) -> None:
    """Set a one-time password, lift every lock, and end all sessions of an officer.

    Example: lienthong officer reset tran.an --generate
    """
    password = _password(from_stdin=password_stdin, generate=generate)
    with refusals(as_json=as_json):
        _accounts(actor).reset(name, password=password)
    _say(name, "one-time password set, locks lifted", as_json=as_json, password=password if generate else None)


@app.command()
def lock(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Unlock instead.")] = False,
    actor: By = None,
    as_json: AsJson = False,
) -> None:
    """Lock an account at once, or unlock it; its sessions end.

    Example: lienthong officer lock tran.an
    """
    with refusals(as_json=as_json):
        _accounts(actor).lock(name, undo=undo)
    _say(name, "unlocked" if undo else "locked", as_json=as_json)


@app.command()
def close(name: Name, actor: By = None, as_json: AsJson = False) -> None:
    """Close an account for good; its name is never given again, because decisions bear it.

    Example: lienthong officer close tran.an
    """
    with refusals(as_json=as_json):
        _accounts(actor).close(name)
    _say(name, "closed", as_json=as_json)
