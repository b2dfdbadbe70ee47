"""One link at work: snapshot when needed, then every change after it, each batch confirmed once it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from lienthong.centre.batch import BatchReceipt
from lienthong.centre.ports import CentreStore, LinkState, LinkStatus, Phase
from lienthong.clock import Clock
from lienthong.dictionary.model import DatasetId
from lienthong.pipeline.transfer import Transfer
from lienthong.sources.change import Delivery, Epoch, Idle, Position
from lienthong.sources.ports import ChangeSource

CATCHING_UP_AFTER = timedelta(seconds=10)  # a link this far behind its source is shown as catching up


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotStarted:
    """A snapshot begins."""

    rows_estimated: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotFinished:
    """A snapshot is complete; ``cancelled`` records of an earlier one were not seen again."""

    cancelled: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A batch is kept."""

    receipt: BatchReceipt
    snapshot: bool


LinkEvent = SnapshotStarted | SnapshotFinished | Stored


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A source, the store, and the way between them."""

    source: ChangeSource
    store: CentreStore
    transfer: Transfer
    clock: Clock
    plan_digest: str

    def needs_snapshot(self, state: LinkState | None) -> bool:
        """Return whether what is stored was made another way, or was never finished."""
        return (
            state is None
            or state.phase is not Phase.STREAM
            or state.epoch is None
            or state.position is None
            or state.plan_digest != self.plan_digest
        )

    def run(self, stopped: Callable[[], bool]) -> Iterator[LinkEvent]:
        """Follow the source until told to stop; yields what happened, raises what it cannot go on with."""
        state = self.store.link(self.source.source)
        if self.needs_snapshot(state):
            yield from self._snapshot(stopped)
            state = self.store.link(self.source.source)
        if stopped():
            return
        assert state is not None, "a finished snapshot leaves a state"
        assert state.epoch is not None, "a finished snapshot leaves an epoch"
        assert state.position is not None, "a finished snapshot leaves a position"
        yield from self._stream(state.epoch, state.position, stopped)

    def _snapshot(self, stopped: Callable[[], bool]) -> Iterator[LinkEvent]:
        start = self.source.begin_snapshot()
        name = self.source.source
        self.store.begin_snapshot(
            name,
            epoch=start.epoch,
            position=start.position,
            plan_digest=self.plan_digest,
            rows_estimated=start.rows_estimated,
            at=self.clock.now(),
        )
        self._report(LinkStatus.CATCHING_UP)
        yield SnapshotStarted(rows_estimated=start.rows_estimated)
        for delivery in self.source.snapshot():
            if stopped():
                return
            batch = self.transfer.batch(delivery, epoch=start.epoch, snapshot=True)
            yield Stored(receipt=self.store.apply(batch, at=self.clock.now()), snapshot=True)
        cancelled = self.store.finish_snapshot(
            name,
            tables=[(table, DatasetId(way.dataset.identity.id)) for table, way in self.transfer.ways.items()],
            position=start.position,
            at=self.clock.now(),
        )
        yield SnapshotFinished(cancelled=cancelled)

    def _stream(self, epoch: Epoch, after: Position, stopped: Callable[[], bool]) -> Iterator[LinkEvent]:
        status: LinkStatus | None = None
        for arrived in self.source.stream(epoch=epoch, after=after):
            if isinstance(arrived, Idle):
                self.store.heartbeat(arrived.source, position=arrived.end, at=self.clock.now())
                now_status = LinkStatus.HEALTHY
            else:
                batch = self.transfer.batch(arrived, epoch=epoch, snapshot=False)
                receipt = self.store.apply(batch, at=self.clock.now())
                yield Stored(receipt=receipt, snapshot=False)
                now_status = self._standing(arrived)
            # Only now may the source forget: rows and position are kept in one transaction.
            self.source.confirm(arrived.end)
            if now_status is not status:
                status = now_status
                self._report(status)
            if stopped():
                return

    def _standing(self, delivery: Delivery) -> LinkStatus:
        newest: datetime | None = None
        for changes in delivery.batches:
            moment = changes.meta["time"].max()
            if isinstance(moment, datetime) and (newest is None or moment > newest):
                newest = moment
        behind = newest is not None and self.clock.now() - newest > CATCHING_UP_AFTER
        return LinkStatus.CATCHING_UP if behind else LinkStatus.HEALTHY

    def _report(self, status: LinkStatus) -> None:
        self.store.report(self.source.source, status=status, reason=None, next_action=None, at=self.clock.now())
