"""``lienthong standardise``: a file, a mapping, the stages, and the files that come out of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta, timezone
from itertools import chain
from pathlib import Path
from typing import Final

import polars as pl

import lienthong
from lienthong.adapters.files.opening import FileTable, Fingerprint, Reading, open_table
from lienthong.adapters.files.output import Outputs, must_be_free
from lienthong.clock import SystemClock
from lienthong.dictionary.model import Dataset, DatasetId, Dictionary
from lienthong.dictionary.refusals import DatasetUnknown
from lienthong.pipeline.file_mapping import Decided, accept, fit, propose
from lienthong.pipeline.file_run import FileWay, build_way, process
from lienthong.pipeline.file_summary import FileSummary, Tally
from lienthong.pipeline.file_unique import Uniqueness
from lienthong.sources.file_block import FileBlock
from lienthong.sources.file_refusals import DatasetNotNamed, FileEmpty, OptionNotValid
from lienthong.sources.mapping_file import render_mapping
from lienthong.sources.survey import TableProposal, notes
from lienthong.wiring.services import read_mapping
from lienthong.wiring.sources import working_dictionary

MEMORY_BYTES_MIN: Final = 256_000_000
OUTPUT_SUFFIX: Final = ".standard.parquet"
VIETNAM: Final = timezone(timedelta(hours=7))

Progress = Callable[[int, int, int], None]  # position, total, rows
Render = Callable[[FileSummary], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What somebody wants to be done with a file."""

    path: Path
    dataset: str | None = None
    mapping: Path | None = None
    output: Path | None = None  # None: beside the file
    quarantine: Path | None = None  # None: beside the output
    report: Path | None = None
    on: date | None = None  # None: today in Vietnam
    force: bool = False
    reading: Reading = field(default_factory=Reading)

    @property
    def kept_path(self) -> Path:
        """Return where the standardised rows go."""
        return self.output if self.output is not None else self.path.with_name(self.path.stem + OUTPUT_SUFFIX)

    @property
    def quarantine_path(self) -> Path:
        """Return where the rows go that cannot be used."""
        if self.quarantine is not None:
            return self.quarantine
        return self.kept_path.with_name(self.kept_path.stem + ".quarantine.parquet")


def read_options(
    *, sheet: str | None, encoding: str | None, delimiter: str | None, header_row: int | None, memory_bytes: int
) -> Reading:
    """Return how to read a file, refusing what cannot be."""
    if memory_bytes < MEMORY_BYTES_MIN:
        raise OptionNotValid(
            option="--limit-memory",
            reason=f"less than {MEMORY_BYTES_MIN // 1_000_000} MB is not enough to work with",
            fix="allow more",
        )
    return Reading(
        sheet=sheet, encoding=encoding, delimiter=delimiter, header_row=header_row, memory_bytes=memory_bytes
    )


def standardise_file(request: Request, *, progress: Progress, render: Render | None = None) -> FileSummary:
    """Standardise and check a file of any size, block after block; all outputs appear together or not at all.

    Raises:
        LienthongError: the file, the mapping or the place for the output cannot be used; nothing is written.
    """
    targets = [request.kept_path, request.quarantine_path, *([request.report] if request.report else [])]
    if len({path.resolve() for path in targets}) != len(targets):
        raise OptionNotValid(option="-o", reason="two outputs have the same name", fix="choose different names")
    inputs = (request.path, *([request.mapping] if request.mapping else []))
    for path in targets:
        must_be_free(path, force=request.force, inputs=inputs)
    with opened(request) as file, Outputs() as outputs:
        summary = _run(request, file, outputs, progress=progress)
        file.must_be_unchanged()
        if request.report is not None and render is not None:
            outputs.text(request.report, render(summary))
        outputs.commit()
    return summary


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedFile:
    """A file whose columns are understood: what they mean, how its rows become records, and the rows."""

    dictionary: Dictionary
    table: FileTable
    way: FileWay
    decided: Decided
    blocks: Iterator[FileBlock]
    path: Path
    before: Fingerprint | None

    def must_be_unchanged(self) -> None:
        """Refuse what was read from a file that somebody wrote to meanwhile."""
        if self.before is not None:
            self.before.must_be(self.path)


@contextmanager
def opened(request: Request) -> Iterator[OpenedFile]:
    """Open a file and decide what its columns mean; it is closed afterwards.

    Raises:
        LienthongError: the file or the mapping cannot be used.
    """
    before = Fingerprint.of(request.path) if request.path.is_file() else None
    dictionary = working_dictionary()
    dataset = _dataset(request, dictionary)
    table = open_table(request.path, request.reading)
    try:
        blocks, sample = _with_sample(table)
        decided = _decide(request, table, sample, dictionary=dictionary, dataset=dataset)
        way = build_way(dictionary, decided.mapping, on=request.on or today())
        yield OpenedFile(
            dictionary=dictionary,
            table=table,
            way=way,
            decided=decided,
            blocks=blocks,
            path=request.path,
            before=before,
        )
    finally:
        table.close()


def propose_mapping(request: Request, target: Path) -> TableProposal:
    """Write what each column seems to mean, for a person to decide on."""
    must_be_free(target, force=request.force, inputs=(request.path,))
    dictionary = working_dictionary()
    dataset = _dataset(request, dictionary)
    if dataset is None:
        raise _not_named(request, dictionary)
    table = open_table(request.path, request.reading)
    try:
        _, sample = _with_sample(table)
        proposal = propose(sample, table.columns, dictionary=dictionary, dataset=dataset)
    finally:
        table.close()
    head = f"proposed from the first rows of {request.path.name}; decide on every line, then run with --mapping"
    with Outputs() as outputs:
        outputs.text(target, render_mapping(proposal.mapping, notes=notes(proposal), head=head))
        outputs.commit()
    return proposal


def today() -> date:
    """Return the day it is in Vietnam."""
    return SystemClock().now().astimezone(VIETNAM).date()


def _dataset(request: Request, dictionary: Dictionary) -> Dataset | None:
    if request.dataset is None:
        return None
    found = dictionary.datasets.get(DatasetId(request.dataset))
    if found is None:
        raise DatasetUnknown(wanted=request.dataset, known=", ".join(dictionary.datasets))
    return found


def _not_named(request: Request, dictionary: Dictionary) -> DatasetNotNamed:
    return DatasetNotNamed(path=request.path, known=", ".join(dictionary.datasets))


def _with_sample(table: FileTable) -> tuple[Iterator[FileBlock], pl.DataFrame]:
    """Return all blocks and the first rows; the file is read once."""
    blocks = (block for block in table.blocks() if block.read or block.blank)
    first: list[FileBlock] = []
    for block in blocks:
        first.append(block)
        if block.rows.height:
            break
    names = [column.name for column in table.columns]
    sample = first[-1].rows if first else pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    return chain(first, blocks), sample


def _decide(
    request: Request, table: FileTable, sample: pl.DataFrame, *, dictionary: Dictionary, dataset: Dataset | None
) -> Decided:
    if request.mapping is not None:
        mapping = read_mapping(request.mapping, dictionary)
        return fit(mapping, table.columns, path=request.path, mapping_path=request.mapping, dataset=request.dataset)
    if dataset is None:
        raise _not_named(request, dictionary)
    proposal = propose(sample, table.columns, dictionary=dictionary, dataset=dataset)
    return accept(proposal, path=request.path, dictionary=dictionary)


def _run(request: Request, file: OpenedFile, outputs: Outputs, *, progress: Progress) -> FileSummary:
    dictionary, table, way, decided = file.dictionary, file.table, file.way, file.decided
    facts = _facts(request, way, dictionary)
    keep = outputs.table(request.kept_path, way.schema, facts)
    quarantine = outputs.table(request.quarantine_path, way.quarantine_schema, facts)
    tally = Tally(dictionary=dictionary, way=way)
    unique = Uniqueness.of(dictionary, way.rules)
    for block in file.blocks:
        done = process(block, way)
        keep(done.kept)
        quarantine(done.quarantined)
        tally.add(block, done)
        unique.add(done.standardised.values)
        progress(block.position, table.total, tally.read)
    if not tally.read:
        raise FileEmpty(path=request.path, reason="has a header and no rows")
    shared = dict.fromkeys(unique.places, 0)
    if unique.finish():
        outputs.rewrite(unique.columns, lambda frame: _corrected(frame, unique, shared))
    return tally.summary(
        file=request.path.name,
        kind=table.kind.value,
        on=way.moment.date(),
        decisions=decided.decisions,
        proposed=decided.proposed,
        notes=table.notes,
        shared_keys=shared,
        unique_measured=unique.measured,
    )


def _corrected(frame: pl.DataFrame, unique: Uniqueness, shared: dict[int, int]) -> pl.DataFrame:
    for place, count in zip(unique.places, unique.failed(frame), strict=True):
        shared[place] += count
    return unique.corrected(frame)


def _facts(request: Request, way: FileWay, dictionary: Dictionary) -> dict[str, str]:
    """Return what a reader of the output has to know to read its judgements; the same input gives the same text."""
    return {
        "lienthong.version": lienthong.__version__,
        "lienthong.file": request.path.name,
        "lienthong.dataset": way.dataset.identity.id,
        "lienthong.dictionary": f"{dictionary.version} {dictionary.digest}",
        "lienthong.rules": json.dumps([rule.name for rule in way.rules.rules], ensure_ascii=False),
        "lienthong.standardisers": json.dumps(way.plan.versions, ensure_ascii=False, sort_keys=True),
        "lienthong.on": way.moment.date().isoformat(),
    }
