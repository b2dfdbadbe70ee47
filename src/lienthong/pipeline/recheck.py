"""Judge stored records again from their raw images, and say where the centre holds something else.

What comes out must be what is stored: then the counters of the batches are proven. Where it is not, either the rules,
the dictionary or the mapping changed since the record was judged, or what is stored is damaged.
"""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from lienthong.centre.measuring import measured_kind
from lienthong.check.columns import DAMAGED, DAMAGED_NAMES
from lienthong.check.verdict import Rule, RuleSet
from lienthong.pipeline.transfer import Way
from lienthong.sources.change import Epoch, SourceId
from lienthong.standardise.batch import ENVELOPE_SCHEMA, RecordBatch

# Which bytes a source could not write is not in the image; such a letter is proven by nothing that is stored.
_NOT_STORED: Final = re.compile(rf"\b({DAMAGED}|{DAMAGED_NAMES})\b")
STORED_SCHEMA: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "_record_id": pl.String,
    "_event": pl.String,
    "_version": pl.Int64,
    "_number": pl.Int32,
    "_source_time": pl.Datetime("us", "UTC"),
    "_image": pl.String,
    "_judgement": pl.String,
    "_present": pl.Boolean,  # judged with the rules and the dictionary of now
    "_held": pl.Boolean,  # in quarantine: its values are not stored
}


class Standing(enum.Enum):
    """What a recheck came to."""

    EQUAL = "equal"  # everything stored is what comes out again, and the counters say so too
    CHANGED = "changed"  # rules, dictionary or mapping changed since some records were judged
    DAMAGED = "damaged"  # the same rules come to something else than what is stored


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRows:
    """Some records of one source table as the centre keeps them; both frames have the same height."""

    source: str
    table: str
    rows: pl.DataFrame  # STORED_SCHEMA
    values: pl.DataFrame  # one typed column per member; null where the record is held


@dataclass(kw_only=True, slots=True)
class Recheck:
    """What judging everything again came to."""

    rows: int = 0
    earlier: int = 0  # judged with other rules or another dictionary
    without_way: int = 0  # their source table has no mapping any more: they could not be judged
    letters: Counter[str] = field(default_factory=Counter)  # records with another outcome, by rule
    values: Counter[str] = field(default_factory=Counter)  # records with another value, by column
    moved: int = 0  # records that would go to quarantine now, or leave it
    damaged: int = 0  # records that differ though rules and dictionary are the same
    counters_equal: bool = True  # those of the batches against a count of what is stored

    @property
    def standing(self) -> Standing:
        """Return what it means."""
        if self.damaged or not self.counters_equal:
            return Standing.DAMAGED
        different = self.earlier or self.without_way or self.letters or self.values or self.moved
        return Standing.CHANGED if different else Standing.EQUAL


def recheck(stored: Iterable[StoredRows], ways: Mapping[tuple[str, str], Way], rules: RuleSet) -> Recheck:
    """Judge records again, some thousand at a time, by the way their source table takes."""
    found = Recheck()
    for some in stored:
        found.rows += some.rows.height
        way = ways.get((some.source, some.table))
        if way is None:
            found.without_way += some.rows.height
            continue
        found.earlier += int((~some.rows["_present"]).sum())
        _compare(found, some, way, rules)
    return found


def _compare(found: Recheck, some: StoredRows, way: Way, rules: RuleSet) -> None:
    columns = [mapped.column for mapped in way.mapping.columns]
    shape = pl.Struct(dict.fromkeys(columns, pl.String))
    texts = some.rows["_image"].str.json_decode(shape).struct.unnest()
    made = way.plan.run(texts)
    envelope = some.rows.with_columns(
        pl.lit([], dtype=pl.List(pl.String)).alias("_damaged"),
        pl.lit(value=False).alias("_superseded"),
        pl.lit(value=True).alias("_counted"),
    ).select(*ENVELOPE_SCHEMA)
    records = RecordBatch(
        dataset=way.dataset,
        source=SourceId(some.source),
        epoch=Epoch(system="", timeline=0, database="", slot=""),
        table=way.mapping.table,
        values=made.values,
        outcomes=made.outcomes,
        envelope=envelope,
    )
    judged = way.checker.judge(records, oversized=made.oversized)
    present, held = some.rows["_present"], some.rows["_held"]
    differs = pl.repeat(False, some.rows.height, dtype=pl.Boolean, eager=True)
    for place, rule in enumerate(rules.rules):
        if not _is_provable(rule):
            continue
        # Letters of other rule sets stand at other places.
        other = present & (judged.judgement.str.slice(place, 1) != some.rows["_judgement"].str.slice(place, 1))
        if other.any():
            found.letters[rule.name] += int(other.sum())
            differs |= other
    for name in some.values.columns:
        other = ~held & some.values[name].ne_missing(made.values[name])
        if other.any():
            found.values[name] += int(other.sum())
            differs |= other
    # A record whose bytes were broken is held for a reason that is not stored.
    moved = (judged.quarantined != held) & ~_has_unprovable_failure(some, rules)
    found.moved += int(moved.sum())
    found.damaged += int(((differs | moved) & present).sum())


def _is_provable(rule: Rule) -> bool:
    return rule.over is None and measured_kind(rule) is None and not _NOT_STORED.search(f"{rule.when} {rule.check}")


def _has_unprovable_failure(some: StoredRows, rules: RuleSet) -> pl.Series:
    marks = pl.repeat(False, some.rows.height, dtype=pl.Boolean, eager=True)
    for place, rule in enumerate(rules.rules):
        if rule.over is None and not _is_provable(rule):
            marks |= some.rows["_judgement"].str.slice(place, 1).is_in(["f", "e"])
    return marks
