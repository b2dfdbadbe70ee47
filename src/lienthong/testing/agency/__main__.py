"""``python -m lienthong.testing.agency load | trickle | mappings``.

The database's address comes from ``LIENTHONG_AGENCY_URL``, so that its password stands on no command line.
Progress is written to standard error, one JSON line at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import psycopg

from lienthong.testing.agency.journal import Journal
from lienthong.testing.agency.load import load
from lienthong.testing.agency.trickle import Trickle

URL_VARIABLE = "LIENTHONG_AGENCY_URL"
MAPPINGS = ("doanh_nghiep.yaml", "nhan_khau.yaml")


def _say(**line: object) -> None:
    sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lienthong.testing.agency", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    loading = commands.add_parser("load", help="create and fill the tables; run again, it changes nothing")
    loading.add_argument("--citizens", type=int, default=20_000, metavar="N")
    loading.add_argument("--seed", type=int, default=1, metavar="S")
    loading.add_argument("--reader", metavar="ROLE", help="role that may read the tables")
    loading.add_argument("--truth", type=Path, metavar="FILE", help="Parquet file of what was planted")
    trickle = commands.add_parser("trickle", help="go on working: inserts, updates, deletes")
    trickle.add_argument("--rate", type=float, default=4.0, metavar="N", help="transactions per second")
    trickle.add_argument("--seed", type=int, default=1, metavar="S", help="the seed the tables were filled with")
    trickle.add_argument("--stop-after", type=int, metavar="N", help="end after so many transactions")
    trickle.add_argument("--journal", type=Path, metavar="FILE", help="one JSON line per acknowledged commit")
    trickle.add_argument("--until-stdin-closes", action="store_true", help="end when standard input does")
    mappings = commands.add_parser("mappings", help="write the mapping files of the two tables")
    mappings.add_argument("--to", type=Path, required=True, metavar="DIR")
    return parser


def _write_mappings(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in MAPPINGS:
        content = resources.files(__package__).joinpath("mappings", name).read_bytes()
        path = folder / name
        # An unchanged file is left alone; a steward's change is not: the demo owns these files.
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def _stop_when_told(*, with_stdin: bool) -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if with_stdin:

        def wait() -> None:
            while os.read(sys.stdin.fileno(), 1024):
                pass
            stop.set()

        threading.Thread(target=wait, name="stdin-watch", daemon=True).start()
    return stop


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "mappings":
        _write_mappings(options.to)
        return 0
    url = os.environ.get(URL_VARIABLE)
    if not url:
        parser.error(f"set {URL_VARIABLE} to the agency database's URL")
    if options.command == "load":
        if options.citizens < 0:
            parser.error("--citizens must not be negative")
        try:
            load(
                url,
                citizens_wanted=options.citizens,
                seed=options.seed,
                reader=options.reader,
                truth=options.truth,
                progress=lambda stage, done, total: _say(stage=stage, done=done, total=total),
            )
        except psycopg.Error as error:
            _say(stage="refused", sqlstate=error.sqlstate, reason=type(error).__name__)
            return 1
        return 0
    if options.rate <= 0:
        parser.error("--rate must be positive")
    stop = _stop_when_told(with_stdin=options.until_stdin_closes)
    journal = Journal(options.journal)
    try:
        trickle = Trickle(
            url=url,
            seed=options.seed,
            rate=options.rate,
            journal=journal,
            report=lambda reason: _say(stage="reconnecting", reason=reason),
        )
        done = trickle.run(stop, stop_after=options.stop_after)
    finally:
        journal.close()
    _say(stage="trickle", done=done, total=done)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
