"""Follow the sources like ``lienthong sync run``, but die by SIGKILL right before or right after a commit.

Run by the kill test: ``python killing_sync.py SETTINGS SEED SHARE``.
"""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from lienthong.centre.batch import Batch, BatchReceipt
from lienthong.wiring.services import open_link, read_knowledge
from lienthong.wiring.settings import load_settings


class DyingStore:
    """Pass everything on; at a share of the commits end the process without a word, on either side of it."""

    def __init__(self, inner: Any, chance: random.Random, share: float) -> None:
        self.inner, self.chance, self.share = inner, chance, share

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def _perhaps_die(self) -> None:
        if self.chance.random() < self.share:
            os.kill(os.getpid(), signal.SIGKILL)

    def apply(self, batch: Batch, *, at: datetime) -> BatchReceipt:
        self._perhaps_die()
        receipt: BatchReceipt = self.inner.apply(batch, at=at)
        self._perhaps_die()
        return receipt

    def finish_snapshot(self, *arguments: Any, **named: Any) -> Any:
        self._perhaps_die()
        done = self.inner.finish_snapshot(*arguments, **named)
        self._perhaps_die()
        return done


def main() -> None:
    settings = load_settings(Path(sys.argv[1]), {})
    link = open_link(settings, read_knowledge(settings), settings.sources[0])
    store: Any = DyingStore(link.store, random.Random(sys.argv[2]), float(sys.argv[3]))
    link = dataclasses.replace(link, store=store, transfer=dataclasses.replace(link.transfer, store=store))
    for _ in link.run(lambda: False):
        pass


if __name__ == "__main__":
    main()
