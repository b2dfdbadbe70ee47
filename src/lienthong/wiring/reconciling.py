"""Comparisons of source and centre: asked for, or every night beside the links."""

from __future__ import annotations

import secrets
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from lienthong.adapters.mariadb.reconciling import MariaDBReconcilable
from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.adapters.postgres.reconciling import PostgresReconciliationReader, PostgresReconciling
from lienthong.adapters.postgres.reconciling_source import PostgresReconcilable
from lienthong.centre.reconciling import Compared, Reconciliation, ReconciliationReader
from lienthong.centre.reconciling_refusals import ReconciliationFault, SourceNotReconcilable
from lienthong.clock import Clock, SystemClock
from lienthong.errors import LienthongError
from lienthong.pipeline.reconcile import Found, Pause, PutRight, Reconciler
from lienthong.pipeline.reconcile_repair import Repair
from lienthong.sources.change import SourceId
from lienthong.sources.mapping import Mapping as ColumnDecisions
from lienthong.sources.reconcilable import Moment, Reconcilable
from lienthong.wiring.services import Knowledge, open_link
from lienthong.wiring.settings import ReconcilingSettings, Settings, SourceSettings, password

POLL_S = 0.5
RETRY = timedelta(minutes=30)  # after a comparison that came to no result
VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")  # the night is the night there

_MARIADB = ("mariadb://", "mysql://")
_POSTGRES = ("postgresql://", "postgres://")


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkReconciled:
    """What became of one link: its results, or why there are none."""

    link: str
    results: tuple[Reconciliation, ...] = ()
    before: tuple[Reconciliation, ...] = ()  # what was found before a repair
    error: LienthongError | None = None

    @property
    def equal(self) -> bool:
        """Return whether every table of the link was compared and is equal."""
        return self.error is None and all(each.equal for each in self.results)


Watch = Callable[[LinkReconciled], None]


def open_reconcilable(link: SourceSettings, mappings: Sequence[ColumnDecisions]) -> Reconcilable:
    """Return the reader of states at a position for an address; nothing connects yet.

    Raises:
        SourceNotReconcilable: the kind of source has no such states.
    """
    tables = [mapping.table for mapping in mappings]
    if link.url.startswith(_MARIADB):
        return MariaDBReconcilable(source=SourceId(link.name), url=link.url, password=password(link), tables=tables)
    if "://" in link.url and not link.url.startswith(_POSTGRES):
        raise SourceNotReconcilable(source=link.name)
    return PostgresReconcilable(
        source=SourceId(link.name), url=link.url, password=password(link), publication=link.publication,
        slot=link.slot, tables=tables,
    )  # fmt: skip


def reconcile(
    settings: Settings,
    knowledge: Knowledge,
    *,
    only: str | None = None,
    repair: bool = False,
    pause: Pause | None = None,
    clock: Clock | None = None,
) -> Iterator[LinkReconciled]:
    """Compare links one after another; what goes wrong with one costs no other.

    With ``repair`` the records that differ are read again and applied, and the link is compared once more.
    """
    for link in settings.sources:
        if only is None or link.name == only:
            yield _one(settings, knowledge, link, repair=repair, pause=pause or _sleep, clock=clock or SystemClock())


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def _one(
    settings: Settings, knowledge: Knowledge, link: SourceSettings, *, repair: bool, pause: Pause, clock: Clock
) -> LinkReconciled:
    mappings = tuple(each for each in knowledge.mappings if each.source == link.name)
    try:
        centre = PostgresReconciling(settings.centre.url, knowledge.dictionary, password=password(settings.centre))
        with closing(centre), closing(open_reconcilable(link, mappings)) as source:
            reconciler = Reconciler(
                source=source,
                centre=centre,
                clock=clock,
                pause=pause,
                draw_salt=secrets.token_bytes,
                compared={each.table: _compared(each) for each in mappings},
                wait_s_max=settings.reconciling.wait_minutes * 60.0,
            )
            results = reconciler.run(_repair(settings, knowledge, link, source, clock) if repair else None)
            if not repair or all(each.equal for each in results):
                return LinkReconciled(link=link.name, results=results)
            return LinkReconciled(link=link.name, results=reconciler.run(), before=results)
    except LienthongError as error:
        return LinkReconciled(link=link.name, error=error)


def _repair(
    settings: Settings, knowledge: Knowledge, link: SourceSettings, source: Reconcilable, clock: Clock
) -> PutRight:
    def put_right(moment: Moment, found: Sequence[Found]) -> None:
        opened = open_link(settings, knowledge, link)  # its source stays closed: the rows come from the moment
        store = opened.store
        assert isinstance(store, PostgresCentreStore), "the store of an installation"
        with closing(store):
            Repair(source=source, store=store, transfer=opened.transfer, clock=clock).put_right(moment, found)

    return put_right


def _compared(mapping: ColumnDecisions) -> Compared:
    return Compared(
        table=mapping.table,
        dataset=mapping.dataset,
        columns=tuple(sorted(column.column for column in mapping.columns)),
    )


def open_reconciliations(settings: Settings) -> ReconciliationReader:
    """Open what shows results, in the role that only reads."""
    return PostgresReconciliationReader(settings.centre_reader.url, password=password(settings.centre_reader))


@dataclass(kw_only=True)
class ReconcilingThread:
    """Compare every link once a night; what came to no result is tried again."""

    settings: Settings
    knowledge: Knowledge
    links: tuple[str, ...]
    watch: Watch
    clock: Clock = field(default_factory=SystemClock)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Compare when it is time; whatever goes wrong is said, and tried again."""
        since = self.clock.now()
        nights = {name: Nights(self.settings.reconciling, since=since) for name in self.links}
        while not self.stop.wait(POLL_S):
            for name, night in nights.items():
                if self.stop.is_set():
                    return
                if night.due(self.clock.now()):
                    found = self._compare(name)
                    if self.stop.is_set():
                        return  # interrupted, not failed
                    night.tried(self.clock.now(), done=found.error is None)
                    self.watch(found)

    def _compare(self, name: str) -> LinkReconciled:
        try:
            found = reconcile(self.settings, self.knowledge, only=name, pause=self.stop.wait, clock=self.clock)
            return next(found)
        except Exception as fault:  # noqa: BLE001 - the end of a worker: a fault is said, never swallowed
            frames = traceback.extract_tb(fault.__traceback__)
            place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
            said = ReconciliationFault(source=name, kind=type(fault).__name__, place=place)
            return LinkReconciled(link=name, error=said)


class Nights:
    """Say whether tonight's comparison of a link is still to be made; a clock that jumps makes none come twice."""

    def __init__(self, settings: ReconcilingSettings, *, since: datetime) -> None:
        self._hour = settings.at_hour
        self._done = self._night(since)  # the night a process starts in belongs to the one before it
        self._tried: datetime | None = None

    def _night(self, now: datetime) -> int:
        return (now.astimezone(VIETNAM) - timedelta(hours=self._hour)).date().toordinal()

    def due(self, now: datetime) -> bool:
        """Return whether it is time."""
        if self._night(now) <= self._done:
            return False
        return self._tried is None or not timedelta(0) <= now - self._tried < RETRY

    def tried(self, now: datetime, *, done: bool) -> None:
        """Note a comparison that came to a result, or to none."""
        self._tried = None if done else now
        if done:
            self._done = max(self._done, self._night(now))


def start_reconciling(
    settings: Settings, knowledge: Knowledge, *, watch: Watch, only: str | None = None
) -> tuple[ReconcilingThread, threading.Thread] | None:
    """Start comparing in the background, all links or one; None where the settings ask for none."""
    links = tuple(link.name for link in settings.sources if only is None or link.name == only)
    if not settings.reconciling.nightly or not links:
        return None
    work = ReconcilingThread(settings=settings, knowledge=knowledge, links=links, watch=watch)
    thread = threading.Thread(target=work.run, name="reconciling", daemon=True)
    thread.start()
    return work, thread
