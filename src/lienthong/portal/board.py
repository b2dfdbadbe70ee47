"""The overview as it is shown, made at most once a second however many browsers ask."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from lienthong.errors import LienthongError
from lienthong.oversight.assemble import assemble_overview
from lienthong.oversight.overview import CriterionScore, DatabaseLine, DatasetScore, Overview
from lienthong.oversight.plan import StandingKind
from lienthong.portal import words
from lienthong.portal.services import PortalServices

BOARD_KEPT_S = 1.0
DIGEST_LETTERS = 12
LIVE_SECTIONS = ("tong-hop", "csdl", "diem", "lo")  # parts of the page that follow the centre
_TEMPLATES: Mapping[str, str] = {
    "tong-hop": "portal/sections/figures.html",
    "csdl": "portal/sections/databases.html",
    "diem": "portal/sections/scores.html",
    "lo": "portal/sections/batches.html",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One live part of the page; the digest tells a browser whether it changed."""

    name: str
    html: SafeString
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The few numbers at the top."""

    rows: int
    history: int
    quarantined: int
    links: int
    links_in_trouble: tuple[DatabaseLine, ...]  # one line for each link
    links_with_reason: tuple[DatabaseLine, ...]  # one line for each link that has something to say
    copying: int  # databases whose first copy runs
    copying_progress: float | None  # of the one that is least far; None when no total is known
    slowest: DatabaseLine | None  # of the links that move or are idle, the one whose newest change took longest
    lowest: CriterionScore | None
    lowest_in: DatasetScore | None
    tasks: int
    tasks_overdue: int
    tasks_done: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """The overview and its live parts, rendered."""

    overview: Overview
    sections: tuple[Section, ...]


class BoardKeeper:
    """Keep the newest board of one set of services for ``BOARD_KEPT_S``, and a failure as long."""

    def __init__(self, services: PortalServices, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.services = services
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: Board | LienthongError | None = None
        self._made_at = 0.0

    def board(self) -> Board:
        """Return the board, made anew when it is too old; one thread makes it, the others wait."""
        with self._lock:
            if self._kept is None or self._monotonic() - self._made_at >= BOARD_KEPT_S:
                try:
                    self._kept = make_board(self.services)
                except LienthongError as error:
                    self._kept = error
                self._made_at = self._monotonic()
            if isinstance(self._kept, LienthongError):
                raise self._kept.with_traceback(None)
            return self._kept


def make_board(services: PortalServices) -> Board:
    """Ask the centre and render the live parts."""
    overview = assemble_overview(
        dictionary=services.dictionary,
        mappings=services.mappings,
        rule_sets=services.rule_sets,
        reader=services.reader,
        plan=services.plan,
        now=services.clock.now(),
        measurements=getattr(services, "measurements", None),
        samples=getattr(services, "samples", None),
    )
    context = {"overview": overview, "figures": make_figures(overview)}
    return Board(
        overview=overview, sections=tuple(_section(name, template, context) for name, template in _TEMPLATES.items())
    )


def make_figures(overview: Overview) -> Figures:
    """Reduce the overview to the numbers at the top."""
    by_source = {line.source: line for line in reversed(overview.databases)}  # a link may carry two datasets
    by_dataset = {line.dataset: line for line in overview.databases}  # a dataset fed by two sources counts once
    measured = [line for line in overview.databases if line.lag.state in {"moving", "idle"} and _lag_known(line)]
    copying = [line.lag.progress for line in overview.databases if line.lag.state == "snapshot"]
    lowest = min(
        ((criterion, score) for score in overview.scores for criterion in score.criteria),
        key=lambda pair: pair[0].percent,
        default=(None, None),
    )
    done = {StandingKind.DONE_ON_TIME.value, StandingKind.DONE_LATE.value, StandingKind.DONE_NO_DATE.value}
    return Figures(
        rows=sum(line.rows for line in by_dataset.values()),
        history=sum(line.history for line in by_dataset.values()),
        quarantined=sum(line.quarantined for line in by_dataset.values()),
        links=len(by_source),
        links_in_trouble=tuple(line for line in by_source.values() if words.needs_action(line)),
        links_with_reason=tuple(line for line in by_source.values() if line.reason),
        copying=len(copying),
        copying_progress=min((share for share in copying if share is not None), default=None),
        slowest=max(measured, key=lambda line: line.lag.seconds or 0.0, default=None),
        lowest=lowest[0],
        lowest_in=lowest[1],
        tasks=len(overview.tasks),
        tasks_overdue=sum(task.standing == StandingKind.OVERDUE_NO_EVIDENCE.value for task in overview.tasks),
        tasks_done=sum(task.standing in done for task in overview.tasks),
    )


def _lag_known(line: DatabaseLine) -> bool:
    return line.lag.seconds is not None


def _section(name: str, template: str, context: Mapping[str, object]) -> Section:
    html = render_to_string(template, dict(context))
    return Section(name=name, html=html, digest=hashlib.sha256(html.encode()).hexdigest()[:DIGEST_LETTERS])
