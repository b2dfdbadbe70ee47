"""Measurements of an installation: asked for, or by themselves beside the links."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from lienthong.adapters.postgres.centre_reader import PostgresCentreReader
from lienthong.adapters.postgres.measuring import PostgresMeasuring
from lienthong.adapters.postgres.score_history import PostgresScoreKeeper
from lienthong.adapters.resemblance import JaroWinkler
from lienthong.centre.measuring import Extent, Measurement, ScoreKeeper, measured_kind
from lienthong.centre.ports import Phase
from lienthong.centre.refusals import MeasurementFault
from lienthong.clock import Clock, SystemClock
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.refusals import DatasetUnknown
from lienthong.errors import LienthongError
from lienthong.wiring.quality import keep_scores, opened
from lienthong.wiring.services import Knowledge
from lienthong.wiring.settings import MeasuringSettings, Settings, password

POLL_S = 0.5
SETTLE_S = 2.0  # between two looks at whether a snapshot has ended
SCORES_EVERY = timedelta(hours=1)  # a line of a year needs no more, and a page has to read it
SCORES = DatasetId("(scores)")  # what a failure to keep scores is said of
VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")  # the night is the night there

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What became of one dataset: a run, or why there was none."""

    dataset: DatasetId
    run: Measurement | None
    error: LienthongError | None = None


Watch = Callable[[Measured], None]


def measured_datasets(knowledge: Knowledge) -> tuple[DatasetId, ...]:
    """Return the datasets that some source fills and that have rules for a measurement."""
    filled = dict.fromkeys(mapping.dataset for mapping in knowledge.mappings)
    return tuple(
        name for name in filled if any(measured_kind(rule) is not None for rule in knowledge.rule_sets[name].rules)
    )


def measure(
    settings: Settings,
    knowledge: Knowledge,
    datasets: Sequence[DatasetId] | None = None,
    *,
    extent: Extent,
    progress: Progress = lambda _: None,
    clock: Clock | None = None,
) -> Iterator[Measured]:
    """Measure datasets one after another; what goes wrong with one costs no other.

    Without ``datasets`` all that ``measured_datasets`` names are measured. The centre's tables must be there:
    ``lienthong centre prepare`` or a link makes them.

    Raises:
        DatasetUnknown: a dataset is not in the dictionary.
    """
    wanted = measured_datasets(knowledge) if datasets is None else datasets
    for name in wanted:
        if name not in knowledge.rule_sets:
            raise DatasetUnknown(wanted=name, known=", ".join(sorted(knowledge.rule_sets)))
    with closing(JaroWinkler()) as resembles:
        measuring = PostgresMeasuring(
            settings.centre.url,
            knowledge.dictionary,
            password=password(settings.centre),
            resembles=resembles,
            clock=clock or SystemClock(),
            statement_limit_s=settings.measuring.limit_minutes * 60,
        )
        for name in wanted:
            yield _one(measuring, knowledge, name, extent, progress)


def _one(
    measuring: PostgresMeasuring, knowledge: Knowledge, name: DatasetId, extent: Extent, progress: Progress
) -> Measured:
    def say(what: str) -> None:
        progress(f"{name}: {what}")

    try:
        return Measured(dataset=name, run=measuring.run(knowledge.rule_sets[name], extent=extent, progress=say))
    except LienthongError as error:
        return Measured(dataset=name, run=None, error=error)


def open_score_keeper(settings: Settings) -> ScoreKeeper:
    """Open what keeps scores over time."""
    return PostgresScoreKeeper(settings.centre.url, password=password(settings.centre))


@dataclass(kw_only=True)
class MeasuringThread:
    """Measure by the settings' timetable: what changed every few minutes, everything at night; keep the scores."""

    settings: Settings
    knowledge: Knowledge
    watch: Watch
    clock: Clock = field(default_factory=SystemClock)
    stop: threading.Event = field(default_factory=threading.Event)
    _kept_at: datetime | None = None  # scores, by this process

    def run(self) -> None:
        """Measure when it is time; whatever goes wrong is said, and tried again the next time.

        A dataset whose snapshot is under way waits for its end: half a register says nothing about the whole, and its
        first score, which is kept for ever, would be of that half.
        """
        times = Timetable(self.settings.measuring)
        waiting: frozenset[DatasetId] = frozenset()
        while not self.stop.is_set():
            extent = times.due(self.clock.now())
            if extent is None and (not waiting or self.stop.wait(SETTLE_S)):
                self.stop.wait(POLL_S)
                continue
            asked = waiting if extent is None else _asked(self.knowledge)
            taken = self._in_snapshot()
            names, waiting = asked - taken, asked & taken
            if names:
                self._measure(names, extent or Extent.CHANGED, first=extent is not Extent.CHANGED)

    def _measure(self, names: frozenset[DatasetId], extent: Extent, *, first: bool) -> None:
        """Measure datasets, then keep their scores: always after a night or a snapshot, else once an hour."""
        wanted = tuple(name for name in measured_datasets(self.knowledge) if name in names)
        for result in self._results(wanted, extent):
            self.watch(result)
            if self.stop.is_set():
                return
        now = self.clock.now()
        since = None if self._kept_at is None else now - self._kept_at
        if first or since is None or not timedelta(0) <= since < SCORES_EVERY:
            self._keep(names, now)

    def _results(self, names: Sequence[DatasetId], extent: Extent) -> Iterable[Measured]:
        try:
            yield from measure(self.settings, self.knowledge, names, extent=extent, clock=self.clock)
        except LienthongError as error:
            yield Measured(dataset=DatasetId("(all)"), run=None, error=error)
        except Exception as fault:  # noqa: BLE001 - the end of a worker: a fault is said, never swallowed
            said = MeasurementFault(dataset="(all)", kind=type(fault).__name__, place="wiring/measuring.py")
            yield Measured(dataset=DatasetId("(all)"), run=None, error=said)

    def _keep(self, names: frozenset[DatasetId], now: datetime) -> None:
        scored = sorted(_fed(self.knowledge) & names)
        if not scored:
            return
        try:
            with opened(self.settings) as services:
                keep_scores(services, open_score_keeper(self.settings), scored)
            self._kept_at = now
        except LienthongError as error:
            self.watch(Measured(dataset=SCORES, run=None, error=error))
        except Exception as fault:  # noqa: BLE001 - the end of a worker: a fault is said, never swallowed
            said = MeasurementFault(dataset=SCORES, kind=type(fault).__name__, place="wiring/measuring.py")
            self.watch(Measured(dataset=SCORES, run=None, error=said))

    def _in_snapshot(self) -> frozenset[DatasetId]:
        """Return the datasets that a link of this installation has not read whole yet."""
        linked, role = {source.name for source in self.settings.sources}, self.settings.centre_reader
        reader = PostgresCentreReader(role.url, self.knowledge.dictionary, password=password(role))
        try:
            with closing(reader):
                whole = {link.source for link in reader.links() if link.phase is Phase.STREAM}
        except LienthongError:
            return frozenset()  # the centre is away: the run itself meets that, and says it
        return frozenset(
            mapping.dataset
            for mapping in self.knowledge.mappings
            if mapping.source in linked and mapping.source not in whole
        )


def _fed(knowledge: Knowledge) -> frozenset[DatasetId]:
    """Return the datasets that some source fills: those have a score."""
    return frozenset(each.dataset for each in knowledge.mappings if each.dataset in knowledge.rule_sets)


def _asked(knowledge: Knowledge) -> frozenset[DatasetId]:
    """Return the datasets that are measured or scored."""
    return _fed(knowledge) | frozenset(measured_datasets(knowledge))


class Timetable:
    """Say what is due at a moment; a clock that was set back or forward makes no run come twice or never."""

    def __init__(self, settings: MeasuringSettings) -> None:
        self._settings = settings
        self._last: datetime | None = None
        self._night: date | None = None  # of the newest run over everything that was due

    def due(self, now: datetime) -> Extent | None:
        """Return what is to be measured now, and take it as measured."""
        if self._settings.every_minutes == 0:
            return None
        night = (now.astimezone(VIETNAM) - timedelta(hours=self._settings.whole_at_hour)).date()
        if self._last is None:
            # The first run builds on what an earlier process left; where there is nothing, it looks at everything.
            self._last, self._night = now, night
            return Extent.CHANGED
        assert self._night is not None, "both are set together"
        if night > self._night:
            self._last, self._night = now, night
            return Extent.WHOLE
        elapsed = now - self._last
        if elapsed >= timedelta(minutes=self._settings.every_minutes) or elapsed < timedelta(0):
            self._last = now
            return Extent.CHANGED
        return None


def start_measuring(
    settings: Settings, knowledge: Knowledge, *, watch: Watch
) -> tuple[MeasuringThread, threading.Thread] | None:
    """Start measuring in the background; None where the settings ask for none or no source fills a dataset."""
    if settings.measuring.every_minutes == 0 or not _asked(knowledge):
        return None
    work = MeasuringThread(settings=settings, knowledge=knowledge, watch=watch)
    thread = threading.Thread(target=work.run, name="measuring", daemon=True)
    thread.start()
    return work, thread
