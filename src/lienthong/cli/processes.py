"""Child processes of the demo: started in order, stopped in reverse, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lienthong.wiring.parent import STOP_WITH_STDIN

LOG_BYTES_MAX = 10_000_000
STOP_PATIENCE_S = 20.0
RESTARTS_MAX = 5


@dataclass(kw_only=True)
class Child:
    """One process with its log file; it ends by itself when this process is gone."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    started_at: float = field(default=0.0)

    def start(self) -> None:
        """Start the process; its standard input is a pipe that closes when this process dies."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(  # noqa: S603 - our own modules, no shell
                self.arguments,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment, STOP_WITH_STDIN: "1"},
                start_new_session=True,  # Ctrl-C of the terminal must reach us alone: we stop in order
            )
        self.started_at = time.monotonic()

    def ended(self) -> int | None:
        """Return the exit code if the process has ended."""
        return None if self.process is None else self.process.poll()

    def tail(self, lines: int = 5) -> str:
        """Return the last lines of the log; logs hold no values of records."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 4096))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """Ask the process to end, and end it when it does not."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
