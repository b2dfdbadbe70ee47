"""``lienthong access``: who may read what through the gateway (quyền khai thác)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from lienthong.cli.output import console, print_json, print_table, refusals
from lienthong.exchange.grants import Grant
from lienthong.wiring.access import issue_access, list_access, revoke_keys, withdraw_grants
from lienthong.wiring.settings import settings_from_environment

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Keys and grants of agencies that read data (quyền khai thác).

An agency sees through the gateway only the elements it is granted, for one purpose, on a legal basis, until a day.

[bold]Examples[/]

  lienthong access issue G09 --dataset doanh-nghiep --elements ma_so_doanh_nghiep,ten_to_chuc
      --purpose "xác minh doanh nghiệp" --legal-basis "Nghị quyết 214/NQ-CP" --until 2027-01-01

  lienthong access list

  lienthong access revoke G09
""",
)

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Agency = Annotated[str, typer.Argument(help="Code of the agency, such as G09.")]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise typer.BadParameter("write a day like 2027-01-01") from cause


def _grant(grant: Grant) -> dict[str, object]:
    return {
        "agency": grant.agency,
        "dataset": grant.dataset,
        "elements": sorted(grant.elements),
        "purpose": grant.purpose,
        "legal_basis": grant.legal_basis,
        "valid_from": grant.valid_from.isoformat(),
        "valid_to": grant.valid_to.isoformat(),
    }


@app.command()
def issue(
    agency: Agency,
    *,
    dataset: Annotated[str, typer.Option(help="Dataset, such as doanh-nghiep.")],
    elements: Annotated[str, typer.Option(help="Technical names with ',' between them, or [bold]all[/] of today.")],
    purpose: Annotated[str, typer.Option(help="What the data are for (mục đích).")],
    legal_basis: Annotated[str, typer.Option(help="The document that allows it (căn cứ pháp lý).")],
    until: Annotated[date, typer.Option(parser=_day, metavar="DAY", help="First day it no longer holds.")],
    same_key: Annotated[
        bool, typer.Option("--same-key", help="A further grant for the keys the agency has; no new key.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a grant down and show a new key, this one time.

    The key is kept nowhere: give it to the agency on a safe way. A lost key is revoked and a new one issued.
    """
    with refusals(as_json=as_json):
        issued = issue_access(
            settings_from_environment(),
            agency=agency,
            dataset=dataset,
            elements=[name.strip() for name in elements.split(",") if name.strip()],
            purpose=purpose,
            legal_basis=legal_basis,
            until=until,
            with_key=not same_key,
        )
    if as_json:
        print_json({"key": issued.key, "grant": _grant(issued.grant)})
        return
    print_table("Grant", ["", ""], [[name, value] for name, value in _grant(issued.grant).items()])
    if issued.key is not None:
        console.print("\n[bold]Key[/], shown this once:")
        console.print(issued.key, highlight=False, markup=False, soft_wrap=True)
        console.print("\nThe agency sends it as  Authorization: Bearer <key>", highlight=False)


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """Show all keys, by the first characters of their fingerprints, and all grants."""
    with refusals(as_json=as_json):
        keys, grants = list_access(settings_from_environment())
    if as_json:
        print_json(
            {
                "keys": [
                    {
                        "mark": key.mark,
                        "agency": key.agency,
                        "issued_at": key.issued_at,
                        "expires_at": key.expires_at,
                        "revoked_at": key.revoked_at,
                    }
                    for key in keys
                ],
                "grants": [
                    {"number": held.number, "withdrawn_at": held.withdrawn_at, **_grant(held.grant)}
                    for held in grants
                ],
            }
        )
        return
    print_table(
        "Keys",
        ["mark", "agency", "issued", "expires", "revoked"],
        [[key.mark, key.agency, key.issued_at, key.expires_at, key.revoked_at] for key in keys],
    )
    print_table(
        "Grants",
        ["number", "agency", "dataset", "elements", "purpose", "legal basis", "from", "until", "withdrawn"],
        [
            [
                held.number,
                held.grant.agency,
                held.grant.dataset,
                ", ".join(sorted(held.grant.elements)),
                held.grant.purpose,
                held.grant.legal_basis,
                held.grant.valid_from,
                held.grant.valid_to,
                held.withdrawn_at,
            ]
            for held in grants
        ],
    )


@app.command()
def revoke(
    agency: Agency,
    key: Annotated[str | None, typer.Option(help="Mark of one key, as `list` shows it. Default: all keys.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make keys of an agency worthless, at once; its grants stay for the next key."""
    with refusals(as_json=as_json):
        count = revoke_keys(settings_from_environment(), agency=agency, mark=key)
    if as_json:
        print_json({"agency": agency, "revoked": count})
        return
    console.print(f"{count} key(s) of {agency} revoked", highlight=False, markup=False)


@app.command()
def withdraw(
    agency: Agency,
    dataset: Annotated[str | None, typer.Option(help="Only grants for this dataset. Default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw grants of an agency, at once; its keys stay."""
    with refusals(as_json=as_json):
        count = withdraw_grants(settings_from_environment(), agency=agency, dataset=dataset)
    if as_json:
        print_json({"agency": agency, "withdrawn": count})
        return
    console.print(f"{count} grant(s) of {agency} withdrawn", highlight=False, markup=False)
