"""What the command line asks of samples: commit, seed, draw, judge, look at the result (đánh giá mẫu)."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lienthong.adapters.postgres.sampling import PostgresSamples
from lienthong.check.dqi import shipped_scoring
from lienthong.clock import Clock, SystemClock
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.dictionary.refusals import DatasetUnknown
from lienthong.oversight.sampling import (
    RECORDS_MAX,
    Commitment,
    Judgement,
    JudgementNotValid,
    Opinion,
    Sample,
    SampleStanding,
    stand,
)
from lienthong.wiring.services import read_dictionary
from lienthong.wiring.settings import Settings, password

SEED_RANDOM_BYTES = 32
SEED_GENERATED = "sinh ngẫu nhiên tại trung tâm sau khi cam kết"
SHEET_BYTES_MAX = 50_000_000
FILLED_COLUMNS = ("opinion", "wrong", "undecided", "note")  # that an assessor writes beside the values
SAMPLES_SHOWN = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Samples:
    """The samples of a centre, with the clock that dates every step."""

    dictionary: Dictionary
    store: PostgresSamples
    clock: Clock

    def commit(self, dataset: str, *, wanted: int, assessors: int, by: str) -> Commitment:
        """Publish the hash over a dataset as it stands now.

        Raises:
            DatasetUnknown, SampleSizeNotValid: nothing was committed.
        """
        return self.store.commit(self._known(dataset), wanted=wanted, assessors=assessors, by=by, at=self.clock.now())

    def seed(self, number: int, *, seed: str | None, origin: str | None) -> Sample:
        """Publish a seed, or make one; the commitment is in the database before the seed exists."""
        text = secrets.token_hex(SEED_RANDOM_BYTES) if seed is None else seed
        self.store.publish_seed(number, seed=text, origin=origin or SEED_GENERATED, at=self.clock.now())
        return self.store.sample(number)

    def draw(self, number: int) -> Sample:
        """Draw the records of a sample."""
        self.store.draw(number, at=self.clock.now())
        return self.store.sample(number)

    def judge(self, number: int, judgements: Sequence[Judgement]) -> Sample:
        """Keep judgements, each for itself; the first that is refused ends the work."""
        for judgement in judgements:
            self.store.judge(number, judgement)
        return self.store.sample(number)

    def write_sheet(self, number: int, path: Path, *, reader: str) -> int:
        """Write the committed values of the drawn records for an assessor to compare, and return how many.

        The file holds personal values: it is readable by its owner only, and the look is written down.
        """
        names, rows = self.store.sheet(number, reader=reader, at=self.clock.now())
        path.touch(mode=0o600, exist_ok=False)
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow((*names, *FILLED_COLUMNS))
            writer.writerows((*row, "", "", "", "") for row in rows)
        return len(rows)

    def read_sheet(self, path: Path, *, assessor: str) -> tuple[Judgement, ...]:
        """Return the judgements an assessor wrote into a sheet; lines without an opinion are left for later.

        Raises:
            JudgementNotValid: the file cannot be read, or a line says no known opinion.
        """
        return tuple(_judgements(path, assessor=assessor, at=self.clock.now()))

    def standing(self, dataset: str) -> tuple[SampleStanding, Sequence[Sample]]:
        """Return what the samples of a dataset say together, and the samples, newest first."""
        found = self.store.samples(self._known(dataset), limit=SAMPLES_SHOWN)
        return stand(found, scoring=shipped_scoring(), now=self.clock.now()), found

    def _known(self, dataset: str) -> DatasetId:
        if DatasetId(dataset) not in self.dictionary.datasets:
            raise DatasetUnknown(wanted=dataset, known=", ".join(sorted(self.dictionary.datasets)))
        return DatasetId(dataset)


def _judgements(path: Path, *, assessor: str, at: datetime) -> Iterator[Judgement]:
    try:
        if path.stat().st_size > SHEET_BYTES_MAX:
            raise JudgementNotValid(reason=f"the sheet is larger than {SHEET_BYTES_MAX} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as cause:
        raise JudgementNotValid(reason=cause.strerror or "the sheet cannot be read") from cause
    except UnicodeDecodeError as cause:
        raise JudgementNotValid(reason="the sheet is not UTF-8") from cause
    reader = csv.DictReader(text.splitlines())
    if reader.fieldnames is None or not {"record_id", "opinion"} <= set(reader.fieldnames):
        raise JudgementNotValid(reason="the sheet has no columns record_id and opinion")
    for number, line in enumerate(reader, 2):
        if number > RECORDS_MAX + 1:
            raise JudgementNotValid(reason=f"the sheet has more than {RECORDS_MAX} lines")
        opinion = (line.get("opinion") or "").strip().lower()
        if not opinion:
            continue
        if opinion not in {each.value for each in Opinion}:
            raise JudgementNotValid(reason=f"line {number} says neither right, wrong nor undecided")
        yield Judgement(
            record_id=line["record_id"] or "",
            assessor=assessor,
            opinion=Opinion(opinion),
            wrong=_names(line.get("wrong")),
            undecided=_names(line.get("undecided")),
            note=(line.get("note") or "").strip() or None,
            judged_at=at,
        )


def _names(text: str | None) -> frozenset[str]:
    return frozenset(name.strip() for name in (text or "").replace(";", ",").split(",") if name.strip())


def open_samples(settings: Settings, *, clock: Clock | None = None) -> Samples:
    """Open the samples of the centre as the role that may write."""
    dictionary = read_dictionary(settings)
    return Samples(
        dictionary=dictionary,
        store=PostgresSamples(settings.centre.url, dictionary, password=password(settings.centre)),
        clock=clock or SystemClock(),
    )
