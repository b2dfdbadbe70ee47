"""The centre's past, opened from the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from lienthong.adapters.postgres.centre_reader import PostgresCentreReader
from lienthong.centre.time_travel import CentreHistoryReader
from lienthong.clock import Clock, SystemClock
from lienthong.dictionary.model import Dictionary
from lienthong.wiring.services import read_dictionary
from lienthong.wiring.settings import Settings, password

COUNTING_LIMIT_S = 300  # a count over a whole table is asked for by the operator, who can wait


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """A reader of the past, what its answers are made of, and the moment up to which one may ask."""

    reader: CentreHistoryReader
    dictionary: Dictionary
    now: datetime


@contextmanager
def open_past(settings: Settings, *, clock: Clock | None = None) -> Iterator[Past]:
    """Open the past with the role that can only read."""
    dictionary = read_dictionary(settings)
    reader = PostgresCentreReader(
        settings.centre_reader.url, dictionary, password=password(settings.centre_reader), connections_max=1
    )
    try:
        yield Past(
            reader=reader.history(limit_s=COUNTING_LIMIT_S),
            dictionary=dictionary,
            now=(clock or SystemClock()).now(),
        )
    finally:
        reader.close()
