"""``kill -9`` at any moment loses nothing and doubles nothing.

Writers change the agency's tables all the time and keep journals. The follower is killed at random moments and on
either side of its commits, PostgreSQL itself is killed too. At the end the centre holds exactly what the source holds.
``LIENTHONG_SEED`` repeats a run; ``just campaign kill`` makes a long one.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lienthong.testing.writers import Writer, source_images
from lienthong.wiring.installation import (
    SOURCE_READER,
    Installation,
    prepare_centre,
    remove_installation,
    start_installation,
)
from lienthong.wiring.settings import load_settings, password

CAMPAIGN = os.environ.get("LIENTHONG_CAMPAIGN") == "1"
CITIZENS = 4_000
WRITERS = 3
PATIENCE_S = 180.0
CHILD = Path(__file__).with_name("killing_sync.py")
TABLES = {"doanh_nghiep": "dataset.doanh_nghiep", "nhan_khau": "dataset.nhan_khau"}


@dataclass
class Stage:
    """An installation under attack."""

    folder: Path
    seed: str
    installation: Installation
    errors: list[str] = field(default_factory=list)

    def centre(self) -> psycopg.Connection[Any]:
        settings = load_settings(self.installation.settings_path, {})
        return psycopg.connect(settings.centre.url, password=password(settings.centre), autocommit=True)

    def agency(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.installation.agency_url(), autocommit=True)

    def follower(self, *, share: float = 0.0, round_: int = 0) -> subprocess.Popen[bytes]:
        """Start a follower; with a share it also kills itself around its commits."""
        log = (self.folder / "follower.log").open("ab")
        arguments = (
            [sys.executable, str(CHILD), str(self.installation.settings_path), f"{self.seed}/{round_}", str(share)]
            if share
            else [sys.executable, "-m", "lienthong.cli", "sync", "run"]
        )
        with log:
            return subprocess.Popen(
                arguments,
                env={**os.environ, "LIENTHONG_CONFIG": str(self.installation.settings_path)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill_server(self) -> None:
        """Kill PostgreSQL itself, source and centre at once, and start it again."""
        server = self.installation.server
        os.kill(server.pid, signal.SIGKILL)
        server.stop("immediate")
        self.installation = start_installation(
            self.folder, gateway_port=8215, portal_port=8214, progress=lambda _: None
        )

    def log_tail(self) -> str:
        return (self.folder / "follower.log").read_text(errors="replace")[-3000:]


@pytest.fixture
def stage() -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="lienthong-kill-"))
    folder.chmod(0o711)  # as root the server runs as another account and has to pass through
    installation = start_installation(folder, gateway_port=8215, portal_port=8214, progress=lambda _: None)
    seed = os.environ.get("LIENTHONG_SEED", secrets.token_hex(4))
    stage = Stage(folder=folder, seed=seed, installation=installation)
    try:
        for arguments in (
            ["load", "--citizens", str(CITIZENS), "--seed", "7", "--reader", SOURCE_READER],
            ["mappings", "--to", str(installation.mappings_folder())],
        ):
            subprocess.run(
                [sys.executable, "-m", "lienthong.testing.agency", *arguments],
                env={**os.environ, "LIENTHONG_AGENCY_URL": installation.agency_url()},
                check=True,
                capture_output=True,
            )
        prepare_centre(installation, today=datetime.now(UTC).date())
        yield stage
    finally:
        stage.installation.server.stop("immediate")
        remove_installation(folder)
        for left in folder.glob("*"):
            left.unlink()
        folder.rmdir()


def images_at_centre(stage: Stage, table: str) -> dict[int, dict[str, str | None]]:
    """Return the newest raw image of every record, kept or in quarantine, by the source's id."""
    dataset = table.replace("_", "-")
    held: dict[int, dict[str, str | None]] = {}
    with stage.centre() as centre:
        kept = centre.execute(f"SELECT _record_id, _image FROM {TABLES[table]}")
        waiting = centre.execute(
            "SELECT record_id, image FROM lienthong.quarantine WHERE state = 'open' AND dataset = %s", [dataset]
        )
        for record_id, image in [*kept, *waiting]:
            value = json.loads(image) if isinstance(image, str) else image
            held[int(record_id.rsplit("/", 1)[1])] = value
    return held


def wait_until_equal_position(stage: Stage, follower: subprocess.Popen[bytes]) -> None:
    """Wait until the centre has taken everything the source committed: by position, never by time."""
    with stage.agency() as agency:
        row = agency.execute("SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn").fetchone()
    assert row is not None
    end = int(row[0])
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        assert follower.poll() is None, f"the follower ended: {stage.log_tail()}"
        with stage.centre() as centre:
            state = centre.execute("SELECT phase, position FROM lienthong.link WHERE source = 'ca-mau'").fetchone()
        if state is not None and state[0] == "stream" and state[1] >= end:
            return
        time.sleep(0.1)
    pytest.fail(f"not drained within {PATIENCE_S} s (seed {stage.seed}): {stage.log_tail()}")


def attack(stage: Stage, rounds: int, chance: random.Random) -> None:
    """Kill the follower again and again; every fifth time the server as well."""
    for round_ in range(rounds):
        share = chance.choice([0.0, 0.05, 0.3])
        follower = stage.follower(share=share, round_=round_)
        try:
            # Long enough to get to work (imports take a second or two), short enough to hit every phase.
            follower.wait(chance.uniform(0.8, 4.0))
        except subprocess.TimeoutExpired:
            if round_ % 5 == 4:
                stage.kill_server()
            os.killpg(follower.pid, signal.SIGKILL)
            follower.wait()


def expect_equal(stage: Stage) -> None:
    for table in TABLES:
        with stage.agency() as agency:
            source = source_images(agency, "public", table)
        centre = images_at_centre(stage, table)
        missing, doubled = source.keys() - centre.keys(), centre.keys() - source.keys()
        assert not missing, f"{table}: {len(missing)} rows lost (seed {stage.seed}), e.g. {sorted(missing)[:5]}"
        assert not doubled, f"{table}: {len(doubled)} rows too many (seed {stage.seed}), e.g. {sorted(doubled)[:5]}"
        different = [each for each in source if source[each] != centre[each]]
        assert not different, f"{table}: {len(different)} rows differ (seed {stage.seed}), e.g. {different[:5]}"


def expect_sound_books(stage: Stage) -> None:
    with stage.centre() as centre:

        def count(statement: str) -> int:
            row = centre.execute(statement).fetchone()
            assert row is not None
            return int(row[0])

        assert not count(
            "SELECT count(*) FROM lienthong.batch WHERE read <> applied + quarantined + superseded + filtered"
        )
        assert not count(
            "SELECT count(*) FROM (SELECT source, epoch_number, position FROM lienthong.batch WHERE NOT snapshot"
            " GROUP BY 1, 2, 3 HAVING count(*) > 1) AS twice"
        )
        for table in TABLES.values():
            # No version of a record is kept twice, and a record's versions follow each other without overlap.
            assert not count(
                f"SELECT count(*) FROM (SELECT _record_id, _version, _number FROM {table}_history GROUP BY 1, 2, 3"
                " HAVING count(*) > 1) AS twice"
            )
            assert not count(
                f"SELECT count(*) FROM {table}_history AS h JOIN {table} AS c USING (_record_id)"
                " WHERE (c._version, c._number) <= (h._version, h._number)"
            )


@pytest.mark.timeout(0 if CAMPAIGN else 900)
def test_killed_again_and_again_the_centre_ends_equal_to_the_source(stage: Stage) -> None:
    rounds = int(os.environ.get("LIENTHONG_ROUNDS", "200" if CAMPAIGN else "12"))
    chance = random.Random(stage.seed)
    stop = threading.Event()
    writers = [
        Writer(
            url=stage.installation.agency_url(),
            seed=int(stage.seed, 16) if stage.seed.isalnum() else 1,
            number=number,
            journal=stage.folder / f"writer-{number}.jsonl",
        )
        for number in range(1, WRITERS + 1)
    ]
    threads = [threading.Thread(target=writer.run, args=(stop,), daemon=True) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        attack(stage, rounds, chance)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert sum(writer.transactions for writer in writers) > rounds, "the writers must have written during the attack"
    follower = stage.follower()
    try:
        wait_until_equal_position(stage, follower)
        expect_equal(stage)
        expect_sound_books(stage)
    finally:
        follower.terminate()
        follower.wait(60)
    assert follower.returncode == 0, f"a follower that is asked to stop ends cleanly: {stage.log_tail()}"
