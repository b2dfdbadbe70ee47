"""``lienthong centre at``: what the centre held at a moment, by the source's clock and by its own."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from lienthong.centre.reading import LookupOutcome
from lienthong.centre.time_travel import (
    ConformanceAsOf,
    CountAsOf,
    Knowledge,
    RecordAsOf,
    RecordVersion,
    SourceKnown,
    parse_moment,
    require_past,
)
from lienthong.cli.output import EXIT_OK, EXIT_USAGE, console, print_json, print_table, refusals, stderr
from lienthong.dictionary.model import DatasetId, ElementId
from lienthong.dictionary.refusals import DatasetUnknown
from lienthong.wiring.past import open_past
from lienthong.wiring.settings import settings_from_environment

KEY_SEPARATOR = ","
FROM_INPUT = "-"
NOT_KNOWN = "not known (chưa xác định)"

Asked = RecordAsOf | CountAsOf | ConformanceAsOf


def at(
    moment: Annotated[str, typer.Argument(help="Moment with its time zone, like 2026-11-23T09:00:00+07:00.")],
    dataset: Annotated[str, typer.Argument(help="Dataset of the dictionary, for example doanh-nghiep.")],
    key: Annotated[
        str | None,
        typer.Option(help="Business key of one record, its parts divided by ','; - reads it from standard input."),
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option(help="As the centre knew it at this moment. Default: with everything it learned since."),
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="How many records there were. The default.")] = False,
    conformance: Annotated[
        str | None, typer.Option(help="How many values of this coded element were in force in their list that day.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Say what was valid at a moment (tra cứu theo thời điểm): one record, a count, or conformance with a code list.

    MOMENT is a moment of the source: what its database held then. --known-at is a moment of the centre: only what it
    had stored by then counts. A moment before the first snapshot is answered with not known, never with nothing.

    [bold]Examples[/]
      lienthong centre at 2026-11-23T09:00:00+07:00 doanh-nghiep
      lienthong centre at 2026-11-23T09:00:00+07:00 doanh-nghiep --key 2000123456
      lienthong centre at 2026-11-23T09:00:00+07:00 nhan-khau --conformance ma_xa_thuong_tru
    """
    if sum((key is not None, count, conformance is not None)) > 1:
        stderr.print("choose one of --key, --count and --conformance")
        raise SystemExit(EXIT_USAGE)
    with refusals(as_json=as_json):
        asked_for = parse_moment(moment, name="MOMENT")
        learned_by = None if known_at is None else parse_moment(known_at, name="--known-at")
        with open_past(settings_from_environment()) as past:
            for each in (asked_for, *(() if learned_by is None else (learned_by,))):
                require_past(each, now=past.now)
            name = DatasetId(dataset)
            if name not in past.dictionary.datasets:
                raise DatasetUnknown(wanted=dataset, known=", ".join(sorted(past.dictionary.datasets)))
            answer: Asked
            if key is not None:
                answer = past.reader.record_as_of(name, _parts(key), asked_for, learned_by)
            elif conformance is not None:
                answer = past.reader.conformance_as_of(name, ElementId(conformance), asked_for, learned_by)
            else:
                answer = past.reader.count_as_of(name, asked_for, learned_by)
    if as_json:
        print_json(_as_json(answer))
    else:
        _tell(answer)
    raise SystemExit(EXIT_OK)


def _parts(key: str) -> list[str]:
    text = sys.stdin.readline() if key == FROM_INPUT else key
    return [unicodedata.normalize("NFC", part).strip() for part in text.split(KEY_SEPARATOR)]


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _as_json(answer: Asked) -> dict[str, object]:
    told: dict[str, object] = {
        "dataset": answer.dataset,
        "moment": _moment(answer.moment),
        "known_at": _moment(answer.known_at),
        "knowledge": answer.knowledge.value,
        "sources": [
            {
                "source": each.source,
                "known_from": _moment(each.known_from),
                "read_until": _moment(each.read_until),
            }
            for each in answer.sources
        ],
    }
    if isinstance(answer, CountAsOf):
        return told | {"rows": answer.rows}
    if isinstance(answer, ConformanceAsOf):
        tally = answer.tally
        return told | {
            "element": answer.element,
            "code_list": answer.code_list,
            "list_version": answer.list_version,
            "day": answer.day.isoformat(),
            "in_force": None if tally is None else tally.in_force,
            "not_in_force": None if tally is None else tally.not_in_force,
            "not_listed": None if tally is None else tally.not_listed,
            "missing": None if tally is None else tally.missing,
        }
    return told | {
        "outcome": None if answer.outcome is None else answer.outcome.value,
        "versions": [_version(each) for each in answer.versions],
        "reasons": [{"rule": each.rule, "element": each.element} for each in answer.reasons],
    }


def _version(version: RecordVersion) -> dict[str, object]:
    origin = version.record.provenance
    return {
        "record": dict(version.record.values),
        "record_id": origin.record_id,
        "source": origin.source,
        "position": origin.position,
        "batch": origin.batch_id,
        "dictionary": origin.dictionary_version,
        "valid_from": _moment(version.valid_from),
        "valid_to": _moment(version.valid_to),
        "ended_by": version.ended_by,
        "known_from": _moment(origin.applied_at),
        "known_to": _moment(version.ended_at),
        "failed_rules": [finding.rule for finding in version.record.findings],
    }


def _tell(answer: Asked) -> None:
    if isinstance(answer, CountAsOf):
        console.print(f"{answer.dataset}: {NOT_KNOWN if answer.rows is None else f'{answer.rows} records'}")
    elif isinstance(answer, ConformanceAsOf):
        _tell_conformance(answer)
    else:
        outcome = NOT_KNOWN if answer.outcome is None else answer.outcome.value
        console.print(f"{answer.dataset}: {outcome}")
        for version in answer.versions:
            print_table(
                f"version of batch {version.record.provenance.batch_id}, valid from {version.valid_from.isoformat()}"
                f" to {_moment(version.valid_to) or 'now, as far as is known'}",
                ["element", "value"],
                list(version.record.values.items()),
            )
        if answer.outcome is LookupOutcome.INCOMPLETE:
            console.print("held back by: " + ", ".join(each.rule for each in answer.reasons), markup=False)
    _tell_knowledge(answer.knowledge, answer.sources)


def _tell_conformance(answer: ConformanceAsOf) -> None:
    title = f"{answer.dataset}, {answer.element} against {answer.code_list} {answer.list_version} on {answer.day}"
    if answer.tally is None:
        console.print(f"{title}: {NOT_KNOWN}", highlight=False)
        return
    print_table(
        title,
        ["in force", "not in force", "not listed", "missing"],
        [[answer.tally.in_force, answer.tally.not_in_force, answer.tally.not_listed, answer.tally.missing]],
    )


def _tell_knowledge(knowledge: Knowledge, sources: Sequence[SourceKnown]) -> None:
    """Say what the answer cannot speak of."""
    if knowledge is Knowledge.PARTLY:
        console.print("of some sources nothing is known at that moment: they were connected later")
    print_table(
        "Sources",
        ["source", "known from", "read until"],
        [[each.source, _moment(each.known_from) or NOT_KNOWN, _moment(each.read_until) or ""] for each in sources],
    )
