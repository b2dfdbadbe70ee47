"""Lines of a readiness check and the refusals behind them; what every way to read a database judges with."""

from __future__ import annotations

from dataclasses import dataclass

from lienthong.errors import LienthongError
from lienthong.sources.ports import Grade, Readiness


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """One line of the readiness check, with the refusal it stands for when it blocks."""

    line: Readiness
    refusal: LienthongError | None = None


def fine(item: str, observed: object) -> Judgement:
    """Return a line that stops nothing."""
    return Judgement(line=Readiness(item=item, grade=Grade.OK, observed=str(observed)))


def warning(item: str, observed: object, repair: str | None) -> Judgement:
    """Return a line that deserves attention."""
    return Judgement(line=Readiness(item=item, grade=Grade.WARNING, observed=str(observed), repair=repair))


def blocking(item: str, observed: object, refusal: LienthongError, repair: str | None = None) -> Judgement:
    """Return a line that stops the link."""
    line = Readiness(
        item=item, grade=Grade.BLOCKING, observed=str(observed), code=refusal.code, repair=repair or refusal.remedy
    )
    return Judgement(line=line, refusal=refusal)
