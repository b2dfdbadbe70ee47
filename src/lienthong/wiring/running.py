"""Run the links of an installation, each in its own thread, and keep trying where trying can help."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lienthong.centre.ports import LinkStatus
from lienthong.errors import Actor, LienthongError
from lienthong.pipeline.link import Link, LinkEvent
from lienthong.wiring.services import Knowledge, open_link
from lienthong.wiring.settings import Settings, SourceSettings

RETRY_S_FIRST = 0.5
RETRY_S_MAX = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkTrouble:
    """A link could not go on; ``retry_in_s`` is None when it has stopped for good."""

    source: str
    error: LienthongError
    retry_in_s: float | None


class LinkFault(LienthongError, code="SRC-099", actor=Actor.DEVELOPER):
    """The product itself failed while a link was at work."""

    message = "link {source} stopped on a fault of the product: {kind} at {place}"
    hint = (
        "nothing was confirmed that is not kept; report kind and place, then start the link again: lienthong sync run"
    )


Watch = Callable[[str, LinkEvent | LinkTrouble], None]


def standing_after(error: LienthongError) -> LinkStatus:
    """Return the state a link is in after a refusal."""
    if error.transient and error.code.startswith("CEN"):
        return LinkStatus.BROKEN  # the centre is away or full: the source is not to blame, and we keep trying
    if error.transient:
        return LinkStatus.WAITING_FOR_SOURCE
    if error.actor in {Actor.AGENCY, Actor.STEWARD}:
        return LinkStatus.WAITING_FOR_DECISION
    return LinkStatus.BROKEN


@dataclass(kw_only=True)
class LinkThread:
    """One link in its thread."""

    settings: Settings
    knowledge: Knowledge
    source: SourceSettings
    watch: Watch
    stop: threading.Event = field(default_factory=threading.Event)
    failure: LienthongError | None = None

    def run(self) -> None:
        """Follow the source; retry what is transient with a growing pause; end on the rest."""
        pause = RETRY_S_FIRST
        while not self.stop.is_set():
            link: Link | None = None
            try:
                link = open_link(self.settings, self.knowledge, self.source)
                for event in link.run(self.stop.is_set):
                    pause = RETRY_S_FIRST
                    self.watch(self.source.name, event)
            except LienthongError as error:
                self._report(link, error)
                if not error.transient:
                    self.failure = error
                    self.watch(self.source.name, LinkTrouble(source=self.source.name, error=error, retry_in_s=None))
                    return
                self.watch(self.source.name, LinkTrouble(source=self.source.name, error=error, retry_in_s=pause))
                self.stop.wait(pause)
                pause = min(pause * 2, RETRY_S_MAX)
            except Exception as fault:  # noqa: BLE001 - the end of a worker: a fault is said, never swallowed
                self.failure = LinkFault(source=self.source.name, kind=type(fault).__name__, place=_place(fault))
                self._report(link, self.failure)
                self.watch(
                    self.source.name, LinkTrouble(source=self.source.name, error=self.failure, retry_in_s=None)
                )
                return
            finally:
                if link is not None:
                    link.source.close()
                    link.store.close()

    def _report(self, link: Link | None, error: LienthongError) -> None:
        if link is None:
            return
        try:
            link.store.report(
                link.source.source,
                status=standing_after(error),
                reason=f"{error.code} {error}",
                next_action=error.remedy,
                at=link.clock.now(),
            )
        except LienthongError as second:
            # The centre itself is away: what stopped the link is still shown by the caller's log.
            self.watch(self.source.name, LinkTrouble(source=self.source.name, error=second, retry_in_s=None))


def _place(fault: Exception) -> str:
    """Return file and line where a fault arose; its text is left out, it may hold values of records."""
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"


def start_links(
    settings: Settings, knowledge: Knowledge, *, only: str | None, watch: Watch
) -> list[tuple[LinkThread, threading.Thread]]:
    """Start the links of an installation, or one of them, and return them running."""
    running = []
    for source in settings.sources:
        if only is not None and source.name != only:
            continue
        work = LinkThread(settings=settings, knowledge=knowledge, source=source, watch=watch)
        thread = threading.Thread(target=work.run, name=f"link-{source.name}", daemon=True)
        thread.start()
        running.append((work, thread))
    return running
