"""What the page of a dataset says about the comparison of its sources with the centre (đối soát)."""

from __future__ import annotations

from dataclasses import dataclass

from lienthong.centre.reconciling import Reconciliation
from lienthong.errors import LienthongError
from lienthong.portal.services import services
from lienthong.portal.words import Word

EQUAL = Word(text="Bằng nhau", tone="good")
DIFFERS = Word(text="Khác nhau", tone="bad")
NO_RESULT = Word(text="Chưa đối soát được", tone="attention")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """The newest comparison of one source table, and the last that was equal where the newest was not."""

    newest: Reconciliation
    word: Word
    last_equal: Reconciliation | None


def reconciled(dataset: str) -> tuple[Line, ...]:
    """Return the comparisons of a dataset; none where nothing was compared, or nobody can say."""
    reader = getattr(services(), "reconciliations", None)
    if reader is None:
        return ()
    try:
        newest, equal = reader.newest(), reader.newest_equal()
    except LienthongError:
        return ()  # the page stands without it: the rest says that the centre is away
    return tuple(
        Line(newest=each, word=word_of(each), last_equal=None if each.equal else _of_table(equal, each))
        for each in newest
        if each.dataset == dataset
    )


def word_of(result: Reconciliation) -> Word:
    """Return the word for a result."""
    if result.equal is None:
        return NO_RESULT
    return EQUAL if result.equal else DIFFERS


def _of_table(results: tuple[Reconciliation, ...], like: Reconciliation) -> Reconciliation | None:
    return next((each for each in results if (each.link, each.table) == (like.link, like.table)), None)
