"""A trend as an SVG drawn on the server: lines that break where rules or numbers changed (biểu đồ diễn biến)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lienthong.centre.measuring import ScorePoint
from lienthong.oversight.scores_history import Stretch

WIDTH: Final = 640
HEIGHT: Final = 150
MARGIN: Final = 8
LEFT: Final = 34  # room for the labels of the levels
POINTS_MAX: Final = 200  # of one stretch; more than this cannot be told apart


@dataclass(frozen=True, kw_only=True, slots=True)
class Dot:
    """One measured score on the chart."""

    x: str
    y: str
    known: bool
    baseline: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend:
    """A chart of one word or of the index."""

    lines: tuple[str, ...]  # points of a polyline for each stretch
    dots: tuple[Dot, ...]
    breaks: tuple[str, ...]  # x of every change of rules or numbers
    levels: tuple[tuple[str, str], ...]  # y and label of the lines for green and yellow
    first: ScorePoint
    last: ScorePoint
    points: tuple[ScorePoint, ...]  # newest first, as a table

    @property
    def width(self) -> int:
        """Return the width of the drawing."""
        return WIDTH

    @property
    def height(self) -> int:
        """Return the height of the drawing."""
        return HEIGHT


def draw_trend(stretches: Sequence[Stretch], *, green: float, yellow: float) -> Trend | None:
    """Return the chart of a history; None when nothing was kept yet."""
    kept = [Stretch(rule_set=s.rule_set, scoring=s.scoring, points=_thinned(s.points)) for s in stretches if s.points]
    every = sorted((point for stretch in kept for point in stretch.points), key=lambda point: point.measured_at)
    if not every:
        return None
    began, ended = every[0].measured_at, every[-1].measured_at
    return Trend(
        lines=tuple(
            " ".join(f"{_x(point.measured_at, began, ended)},{_y(point.percent)}" for point in stretch.points)
            for stretch in kept
        ),
        dots=tuple(
            Dot(
                x=_x(point.measured_at, began, ended),
                y=_y(point.percent),
                known=point.known,
                baseline=point.baseline,
            )
            for point in every
        ),
        breaks=tuple(_x(stretch.points[0].measured_at, began, ended) for stretch in kept[1:]),
        levels=((_y(green), f"{green:g}"), (_y(yellow), f"{yellow:g}")),
        first=every[0],
        last=every[-1],
        points=tuple(reversed(every)),
    )


def _thinned(points: tuple[ScorePoint, ...]) -> tuple[ScorePoint, ...]:
    """Keep the first, the last and evenly chosen points between."""
    if len(points) <= POINTS_MAX:
        return points
    step = (len(points) - 1) / (POINTS_MAX - 1)
    return tuple(points[round(place * step)] for place in range(POINTS_MAX))


def _x(moment: datetime, began: datetime, ended: datetime) -> str:
    whole = (ended - began).total_seconds()
    share = 1.0 if whole == 0 else (moment - began).total_seconds() / whole
    return f"{LEFT + share * (WIDTH - LEFT - MARGIN):.1f}"


def _y(percent: float) -> str:
    return f"{MARGIN + (100 - percent) / 100 * (HEIGHT - 2 * MARGIN):.1f}"
