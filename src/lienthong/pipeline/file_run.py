"""Rows of a file → standardised → checked → kept or quarantined; the same function in a command and on a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

import polars as pl

from lienthong.check.columns import OUTCOME
from lienthong.check.engine import Checker
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import JudgedBatch, Letter, RuleSet, Severity
from lienthong.dictionary.model import Dataset, DatasetId, Dictionary
from lienthong.sources.change import Epoch, SourceId, TableName
from lienthong.sources.file_block import FLAWS, FileBlock, Flaw
from lienthong.sources.mapping import Mapping as ColumnDecisions
from lienthong.standardise.batch import ENVELOPE_SCHEMA, Event, RecordBatch
from lienthong.standardise.plan import Standardised, StandardiserPlan, build_plan

ROW: Final = "_row"
JUDGEMENT: Final = "_judgement"
QUARANTINED: Final = "_quarantined"
IMAGE: Final = "_image"
REASONS: Final = "_reasons"
SENTENCES: Final = "_sentences"

FILE_SOURCE: Final = SourceId("file")
FILE_TABLE: Final = TableName(schema="file", table="rows")
FILE_EPOCH: Final = Epoch(system="file", timeline=0, database="file", slot="file")
_NOON: Final = time(5, tzinfo=UTC)  # noon in Vietnam: the day is the same in both time zones

_HELD: Final = [Letter.FAIL, Letter.NOT_EVALUATED]


@dataclass(frozen=True, kw_only=True, slots=True)
class FileWay:
    """How the rows of a file become records of a dataset; built once (kế hoạch chuẩn hoá tệp)."""

    dataset: Dataset
    mapping: ColumnDecisions
    plan: StandardiserPlan
    rules: RuleSet
    checker: Checker
    moment: datetime  # the day on which codes must be valid where the records have no date of their own

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Return name and type of every column of the output."""
        columns = dict(self.plan.schema)
        columns.update({step.name + OUTCOME: pl.Int8() for step in self.plan.steps})
        columns.update({ROW: pl.Int64(), JUDGEMENT: pl.String(), QUARANTINED: pl.Boolean(), IMAGE: pl.String()})
        return columns

    @property
    def quarantine_schema(self) -> dict[str, pl.DataType]:
        """Return name and type of every column of the quarantine: the output's, and why."""
        return {**self.schema, REASONS: pl.List(pl.String()), SENTENCES: pl.List(pl.String())}


@dataclass(frozen=True, kw_only=True, slots=True)
class Processed:
    """What became of a block; ``kept`` and ``quarantined`` have the rows of the block, each once."""

    kept: pl.DataFrame
    quarantined: pl.DataFrame
    standardised: Standardised
    judged: JudgedBatch
    texts: pl.DataFrame  # as the file has them, by technical name


def build_way(dictionary: Dictionary, mapping: ColumnDecisions, *, on: date) -> FileWay:
    """Bind dictionary, mapping and rules for the rows of one file."""
    dataset = dictionary.datasets[DatasetId(mapping.dataset)]
    rules = derive_rules(dictionary, dataset)
    return FileWay(
        dataset=dataset,
        mapping=mapping,
        plan=build_plan(dictionary, dataset, mapping),
        rules=rules,
        checker=Checker(dictionary, rules),
        moment=noon(on),
    )


def process(block: FileBlock, way: FileWay) -> Processed:
    """Standardise and check a block; no row is lost and none is doubled."""
    frame, standardised, judged, texts = _records(block.rows, block.lines, block.damaged, way)
    held = judged.quarantined
    quarantined = frame.filter(held).with_columns(_reasons(judged.judgement.filter(held), way.rules))
    result = Processed(
        kept=frame if not held.any() else frame.filter(~held),
        quarantined=pl.concat([quarantined, _flawed(block.flawed, way)]).sort(ROW),
        standardised=standardised,
        judged=judged,
        texts=texts,
    )
    assert result.kept.height + result.quarantined.height == block.read, "rows read = rows kept + quarantined"
    return result


def standardise_rows(rows: pl.DataFrame, way: FileWay) -> pl.DataFrame:
    """Return all rows in the output's columns, the quarantined ones marked and not taken out.

    ``rows`` has the columns of the file as texts and ``_row``. For engines that distribute the work: a row comes out
    the same whatever rows stand beside it.
    """
    damaged = pl.repeat(None, rows.height, dtype=pl.List(pl.String), eager=True)
    return _records(rows.drop(ROW), rows[ROW], damaged, way)[0]


def to_records(
    rows: pl.DataFrame, lines: pl.Series, damaged: pl.Series, way: FileWay
) -> tuple[RecordBatch, Standardised, pl.DataFrame]:
    """Return rows of a file as records, what the standardisers did, and the texts by technical name."""
    standardised = way.plan.run(rows)
    records = RecordBatch(
        dataset=way.dataset,
        source=FILE_SOURCE,
        epoch=FILE_EPOCH,
        table=FILE_TABLE,
        values=standardised.values,
        outcomes=standardised.outcomes,
        envelope=envelope_of(lines, damaged, way.moment),
    )
    texts = rows.select(pl.col(step.column).alias(step.name) for step in way.plan.steps if step.column is not None)
    return records, standardised, texts


def _records(
    rows: pl.DataFrame, lines: pl.Series, damaged: pl.Series, way: FileWay
) -> tuple[pl.DataFrame, Standardised, JudgedBatch, pl.DataFrame]:
    records, standardised, texts = to_records(rows, lines, damaged, way)
    image = rows.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    judged = way.checker.judge(records, oversized=standardised.oversized, texts=texts)
    outcomes = standardised.outcomes.select(pl.all().cast(pl.Int8).name.suffix(OUTCOME))
    frame = pl.concat(
        [
            standardised.values,
            outcomes,
            pl.DataFrame(
                {
                    ROW: lines.cast(pl.Int64),
                    JUDGEMENT: judged.judgement,
                    QUARANTINED: judged.quarantined,
                    IMAGE: image,
                }
            ),
        ],
        how="horizontal",
    )
    return frame, standardised, judged, texts


def noon(on: date) -> datetime:
    """Return the moment that stands for a day."""
    return datetime.combine(on, _NOON)


def envelope_of(lines: pl.Series, damaged: pl.Series, moment: datetime) -> pl.DataFrame:
    """Return the envelope of rows of a file; a record's id is its line."""
    return pl.DataFrame({"_record_id": lines.cast(pl.String), "_version": lines, "_damaged": damaged}).select(
        "_record_id",
        pl.lit(Event.NEW).alias("_event"),
        "_version",
        pl.lit(0, pl.Int32).alias("_number"),
        pl.lit(moment, dtype=ENVELOPE_SCHEMA["_source_time"]).alias("_source_time"),
        pl.lit(None, pl.String).alias("_image"),
        "_damaged",
        pl.lit(value=False).alias("_superseded"),
        pl.lit(value=True).alias("_counted"),
    )


def _reasons(judgement: pl.Series, rules: RuleSet) -> list[pl.Series]:
    """Return, per quarantined row, the rules that hold it back and their sentences."""
    blocking = [(place, rule) for place, rule in enumerate(rules.rules) if rule.severity is Severity.BLOCKING]
    frame = judgement.to_frame(JUDGEMENT)

    def told(texts: list[str], name: str) -> pl.Series:
        found = [
            pl.when(pl.col(JUDGEMENT).str.slice(place, 1).is_in(_HELD)).then(pl.lit(text))
            for (place, _), text in zip(blocking, texts, strict=True)
        ]
        return frame.select(pl.concat_list(found).list.drop_nulls().alias(name)).to_series()

    if not blocking or frame.is_empty():
        nothing = pl.repeat([], frame.height, dtype=pl.List(pl.String), eager=True)
        return [nothing.alias(REASONS), nothing.alias(SENTENCES)]
    return [
        told([rule.name for _, rule in blocking], REASONS),
        told([rule.sentence.vi for _, rule in blocking], SENTENCES),
    ]


def _flawed(flawed: pl.DataFrame, way: FileWay) -> pl.DataFrame:
    """Return rows that could not be taken apart as rows of the quarantine: no values, the line as it stands."""
    schema = way.quarantine_schema
    sentences: Mapping[str, str] = {flaw.value: FLAWS[flaw].vi for flaw in Flaw}
    known = {
        ROW: pl.col("line"),
        QUARANTINED: pl.lit(value=True),
        IMAGE: pl.struct(pl.col("text").alias("_line")).struct.json_encode(),
        REASONS: pl.concat_list("flaw"),
        SENTENCES: pl.concat_list(pl.col("flaw").replace_strict(sentences, return_dtype=pl.String)),
    }
    return flawed.select(known.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in schema.items())
