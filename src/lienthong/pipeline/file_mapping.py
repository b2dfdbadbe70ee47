"""Which column of a file means which element: proposed from a sample, or checked against a mapping given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

import polars as pl

from lienthong.dictionary.model import UNKNOWN_VI, Dataset, DatasetId, Dictionary, ElementId, Relation
from lienthong.pipeline.file_run import FILE_SOURCE, FILE_TABLE
from lienthong.sources.file_block import FileColumn
from lienthong.sources.file_refusals import MappingOfAnotherFile, RequiredNotFound
from lienthong.sources.mapping import ColumnMapping, Mapping
from lienthong.sources.profile import (
    SAMPLE_CHARACTERS_MAX,
    SAMPLE_ROWS_MAX,
    TableProfile,
    profile_column,
    questions_of,
)
from lienthong.sources.survey import NO_ELEMENT, Survey, TableProposal
from lienthong.standardise.encodings.surveying import read_sample

NOT_MAPPED: Final = "not in the mapping"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What was decided about one column of the file, and why."""

    column: str
    element: ElementId | None
    form: str | None
    encoding: str | None
    reason: str
    score: float | None = None  # of a proposal; None when a mapping file decided


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """A mapping that fits the file, with the decision on every column."""

    mapping: Mapping
    decisions: tuple[Decision, ...]
    proposed: bool


def propose(
    sample: pl.DataFrame, columns: Sequence[FileColumn], *, dictionary: Dictionary, dataset: Dataset
) -> TableProposal:
    """Return which column seems to mean which element of the dataset; nothing is required to be found."""
    only = replace(dictionary, datasets={DatasetId(dataset.identity.id): dataset})
    questions = questions_of(dictionary)
    # Rows from everywhere in the sample: old rows, written before a program was replaced, often stand together.
    some = sample.gather_every(max(1, -(-sample.height // SAMPLE_ROWS_MAX)))
    head = some.select(pl.all().str.head(SAMPLE_CHARACTERS_MAX))
    profile = TableProfile(
        name=FILE_TABLE,
        comment=None,
        rows_estimated=sample.height,
        key=(),
        columns=tuple(
            profile_column(
                head[column.name].to_list(),
                name=column.name,
                type_name=column.type_name,
                comment=None,
                questions=questions,
                read=read_sample,
            )
            for column in columns
        ),
    )
    found = Survey(only).propose(profile, source=FILE_SOURCE)
    return _nothing(profile, dataset) if found is None else found


def _nothing(profile: TableProfile, dataset: Dataset) -> TableProposal:
    columns = tuple(
        ColumnMapping(
            column=each.name, element=None, relation=Relation.NONE, native_type=each.type_name, reason=NO_ELEMENT
        )
        for each in profile.columns
    )
    mapping = Mapping(
        source=FILE_SOURCE,
        table=profile.name,
        dataset=DatasetId(dataset.identity.id),
        owner=UNKNOWN_VI,
        columns=columns,
        digest="",
    )
    missing = tuple(member.element for member in dataset.members if member.required or member.key)
    return TableProposal(mapping=mapping, score=0.0, suggestions={}, missing=missing)


def accept(proposal: TableProposal, *, path: PurePath, dictionary: Dictionary) -> Decided:
    """Take a proposal as it is.

    Raises:
        RequiredNotFound: no column seems to hold an element the dataset requires.
    """
    if proposal.missing:
        missing = ", ".join(f"{each} ({dictionary.elements[each].label.vi})" for each in proposal.missing)
        raise RequiredNotFound(path=path, missing=missing, dataset=proposal.mapping.dataset)
    decisions = []
    for column in proposal.mapping.columns:
        best = {each.element: each for each in proposal.suggestions.get(column.column, ())}
        chosen = best.get(column.element) if column.element is not None else None
        decisions.append(
            Decision(
                column=column.column,
                element=column.element,
                form=column.form,
                encoding=column.encoding,
                reason=column.reason or "" if chosen is None else "; ".join(each for each in chosen.reasons if each),
                score=None if chosen is None else chosen.score,
            )
        )
    return Decided(mapping=proposal.mapping, decisions=tuple(decisions), proposed=True)


def fit(
    mapping: Mapping, columns: Sequence[FileColumn], *, path: PurePath, mapping_path: PurePath, dataset: str | None
) -> Decided:
    """Check that a mapping given speaks of this file and of the dataset asked for; its table name does not matter.

    Raises:
        MappingOfAnotherFile: a column of the mapping is not in the file, or the datasets differ.
    """
    if dataset is not None and dataset != mapping.dataset:
        raise MappingOfAnotherFile(
            mapping=mapping_path, path=path, reason=f"it is for dataset {mapping.dataset}, not for {dataset}"
        )
    present = {column.name for column in columns}
    gone = [each.column for each in mapping.columns if each.element is not None and each.column not in present]
    if gone:
        raise MappingOfAnotherFile(
            mapping=mapping_path, path=path, reason=f"the file has no column {', '.join(gone)}"
        )
    known = {each.column: each for each in mapping.columns}
    decisions = []
    for column in columns:
        decided = known.get(column.name)
        reason = NOT_MAPPED if decided is None else decided.reason or f"mapping: {decided.relation.value}"
        decisions.append(
            Decision(
                column=column.name,
                element=None if decided is None else decided.element,
                form=None if decided is None else decided.form,
                encoding=None if decided is None else decided.encoding,
                reason=reason,
            )
        )
    here = tuple(each for each in mapping.columns if each.column in present)
    return Decided(mapping=replace(mapping, columns=here), decisions=tuple(decisions), proposed=False)
