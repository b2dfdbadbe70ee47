"""Run the links of an installation, each in its own thread, and keep trying where trying can help."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

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


Watch = Callable[[str, LinkEvent | LinkTrouble], None]


def standing_after(error: LienthongError) -> LinkStatus:
    """Return the state a link is in after a refusal."""
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
