"""Compare source and centre at one position, and put right what differs when that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from lienthong.centre.ports import LinkState, Phase
from lienthong.centre.reconciling import (
    DIFFERENCES_KEPT_MAX,
    OPENED_ROWS_MAX,
    SALT_BYTES,
    Buckets,
    Compared,
    Difference,
    DifferenceKind,
    KeptThen,
    Opened,
    Reconciliation,
    ReconcilingCentre,
    compare_rows,
    digested,
    only,
    values_of,
)
from lienthong.centre.reconciling_refusals import LinkBehind, LinkNotStreaming, ReconciliationInterrupted
from lienthong.centre.refusals import CentreDiskFull, CentreUnreachable, EpochDiffers
from lienthong.clock import Clock
from lienthong.errors import LienthongError
from lienthong.pipeline.envelope import wrap
from lienthong.sources.change import SourceTable, TableName
from lienthong.sources.reconcilable import Moment, Reconcilable

WAIT_STEP_S = 0.2

Pause = Callable[[float], bool]
"""Wait so many seconds; return whether somebody asked to stop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A result with what is needed to put right what differs; the differences are complete unless buckets stayed."""

    result: Reconciliation
    differences: pl.DataFrame  # record_id, kind


PutRight = Callable[[Moment, Sequence[Found]], None]
"""Repair what differs, while the source still stands at the moment it was compared at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciler:
    """Compare the tables of one link."""

    source: Reconcilable
    centre: ReconcilingCentre
    clock: Clock
    pause: Pause
    draw_salt: Callable[[int], bytes]  # called after the rows are fixed
    compared: Mapping[TableName, Compared]
    wait_s_max: float
    opened_rows_max: int = OPENED_ROWS_MAX

    def run(self, put_right: PutRight | None = None) -> tuple[Reconciliation, ...]:
        """Compare all tables at one position and keep the results.

        ``put_right`` gets what differs while the source still stands at the position; a second comparison then says
        what became of it.

        Raises:
            LienthongError: the comparison came to no result; that is kept too.
        """
        name = self.source.source
        with self.centre.alone(name):
            began_at = self.clock.now()
            try:
                self._state()  # before the source is troubled
                moment = self.source.fix()
                found = tuple(self._compare(moment, began_at))
            except LienthongError as error:
                self._keep_failure(error, began_at)
                raise
            kept = tuple(replace(each, result=self.centre.keep(each.result)) for each in found)
            unlike = [each for each in kept if not each.result.equal]
            if put_right is not None and unlike:
                put_right(moment, unlike)
        return tuple(each.result for each in kept)

    def _keep_failure(self, error: LienthongError, began_at: datetime) -> None:
        if isinstance(error, CentreUnreachable | CentreDiskFull | ReconciliationInterrupted):
            return  # there is nowhere to keep it, or nothing failed
        for each in self.compared.values():
            self.centre.keep(
                Reconciliation(
                    link=self.source.source, table=each.table, dataset=each.dataset, began_at=began_at,
                    ended_at=self.clock.now(), error=f"{error.code} {error}",
                )
            )  # fmt: skip

    # ── comparing ───────────────────────────────────────────────────────────────────────────────────────────────

    def _compare(self, moment: Moment, began_at: datetime) -> Iterator[Found]:
        self._require_same_history(moment)
        salt = self.draw_salt(SALT_BYTES)
        columns = {table.name: self._columns(table) for table in moment.tables}
        # The whole source first: while it is read the link goes on towards the position.
        sides = {name: self._source_side(name, shown, salt) for name, shown in columns.items()}
        self._wait_until_passed(moment)
        with self.centre.then(self.source.source, epoch=moment.epoch, position=moment.position) as kept:
            for name, shown in columns.items():
                look = _Look(
                    reconciler=self, compared=replace(self.compared[name], columns=shown), kept=kept, salt=salt
                )
                yield look.found(sides[name], moment, began_at)

    def _columns(self, table: SourceTable) -> tuple[str, ...]:
        """Return the columns to compare: those the mapping names, as far as the source has them."""
        return tuple(sorted(set(self.compared[table.name].columns) & set(table.column_names)))

    def _state(self) -> LinkState:
        state = self.centre.link(self.source.source)
        if state is None or state.phase is not Phase.STREAM or state.position is None:
            phase = Phase.NEW if state is None else state.phase
            raise LinkNotStreaming(source=self.source.source, phase=phase.value)
        return state

    def _require_same_history(self, moment: Moment) -> None:
        state = self._state()
        if state.epoch != moment.epoch:
            raise EpochDiffers(source=self.source.source, delivered=moment.epoch, stored=state.epoch)

    def _wait_until_passed(self, moment: Moment) -> None:
        waited_s = 0.0
        while True:
            state = self._state()
            assert state.position is not None, "a streaming link has a position"
            if state.position >= moment.position:
                return
            if waited_s >= self.wait_s_max:
                raise LinkBehind(
                    source=self.source.source,
                    position=state.position,
                    needed=moment.position,
                    waited_s=round(waited_s),
                )
            if self.pause(WAIT_STEP_S):
                raise ReconciliationInterrupted(source=self.source.source)
            waited_s += WAIT_STEP_S

    def source_rows(self, table: TableName, columns: Sequence[str], salt: bytes) -> Iterator[pl.DataFrame]:
        """Yield the digested rows of a source table."""
        for delivery in self.source.rows(table):
            for batch in delivery.batches:
                rows, envelope = wrap(batch, lambda _: {})
                values = rows.select(pl.struct(columns).alias("values")).to_series()
                yield digested(envelope["_record_id"], values, salt=salt)

    def _source_side(self, table: TableName, columns: Sequence[str], salt: bytes) -> Buckets:
        side = Buckets()
        for rows in self.source_rows(table, columns, salt):
            side.add(rows)
        return side


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """One table at one position."""

    reconciler: Reconciler
    compared: Compared
    kept: KeptThen
    salt: bytes

    def found(self, source: Buckets, moment: Moment, began_at: datetime) -> Found:
        """Compare, open what differs, and say what came of it."""
        centre, doubted = self._centre_side()
        # A doubtful row is in no sum yet: its bucket has to be opened to see which it was.
        unlike = source.differing(centre) | doubted
        opened_buckets = source.within(unlike, centre, rows_max=self.reconciler.opened_rows_max)
        opened = self._open(opened_buckets)
        centre.add(opened.present)
        remaining = source.differing(centre)
        counts = dict(opened.differences.group_by("kind").len().iter_rows())
        unopened = len(unlike - opened_buckets)
        assert unopened or bool(remaining) == bool(opened.differences.height), "sums and records say the same"
        result = Reconciliation(
            link=self.reconciler.source.source,
            table=self.compared.table,
            dataset=self.compared.dataset,
            began_at=began_at,
            ended_at=self.reconciler.clock.now(),
            position=moment.position,
            moment=moment.time,
            equal=not opened.differences.height and not unopened,
            rows_source=source.rows,
            rows_centre=centre.rows,
            buckets_differing=len(remaining | (unlike - opened_buckets)),
            buckets_unopened=unopened,
            missing=counts.get(DifferenceKind.MISSING.value, 0),
            surplus=counts.get(DifferenceKind.SURPLUS.value, 0),
            differing=counts.get(DifferenceKind.DIFFERING.value, 0),
            columns=self.compared.columns,
            salt=self.salt.hex(),
            digest_source=source.digest(salt=self.salt),
            digest_centre=centre.digest(salt=self.salt),
            differences=tuple(
                Difference(record_id=record_id, kind=DifferenceKind(kind))
                for record_id, kind in opened.differences.head(DIFFERENCES_KEPT_MAX).iter_rows()
            ),
        )
        return Found(result=result, differences=opened.differences)

    def _centre_rows(self) -> Iterator[pl.DataFrame]:
        for rows in self.kept.rows(self.compared.table, self.compared.dataset):
            values = values_of(rows["image"], self.compared.columns)
            yield digested(rows["record_id"], values, salt=self.salt).with_columns(rows["doubtful"])

    def _centre_side(self) -> tuple[Buckets, frozenset[int]]:
        side, doubted = Buckets(), frozenset[int]()
        for rows in self._centre_rows():
            side.add(rows.filter(~pl.col("doubtful")))
            doubted |= frozenset(rows.filter("doubtful")["bucket"].to_list())
        return side, doubted

    def _open(self, buckets: frozenset[int]) -> Opened:
        nothing = digested(
            pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.Struct({"-": pl.String})), salt=self.salt
        )
        source, centre = [nothing], [nothing.with_columns(pl.lit(value=False).alias("doubtful"))]
        if buckets:
            rows = self.reconciler.source_rows(self.compared.table, self.compared.columns, self.salt)
            source += [only(each, buckets) for each in rows]
            centre += [only(each, buckets) for each in self._centre_rows()]
        return compare_rows(pl.concat(source), pl.concat(centre))
