"""End together: a process started by another one ends when that one is gone, however it went."""

from __future__ import annotations

import os
import signal
import sys
import threading

STOP_WITH_STDIN = "LIENTHONG_STOP_WITH_STDIN"


def stop_with_parent() -> None:
    """Send this process SIGTERM when its standard input closes, if the parent asked for that.

    A pipe is closed by the system even when the parent is killed with SIGKILL, so no child is left behind.
    """
    if os.environ.get(STOP_WITH_STDIN) != "1":
        return

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
