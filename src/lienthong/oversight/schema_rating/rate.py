"""Rate a schema: every rule looks, remarks take points, and each point lost has its reason (điểm lược đồ)."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.oversight.schema_rating import rules as rules_package
from lienthong.oversight.schema_rating.schema import POINTS, TIMES_MAX, Find, Place, Schema, Weight

WHOLE: Final = 100.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaRule:
    """A rule about schemas (quy tắc đánh giá lược đồ)."""

    code: str
    weight: Weight
    sentence: Text
    find: Find


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """What a rule found at one place."""

    rule: str
    weight: str
    sentence: Text
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """The points one rule took."""

    rule: str
    times: int
    points: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Rating:
    """A schema's rating from 0 to 100 and every reason it is not 100."""

    schema: str
    tables: int
    columns: int
    points: float
    remarks: tuple[Remark, ...]
    lost: tuple[Lost, ...]  # the most first

    def as_json(self) -> dict[str, object]:
        """Return the rating as plain values."""
        return {
            "schema": self.schema,
            "tables": self.tables,
            "columns": self.columns,
            "points": self.points,
            "lost": [{"rule": each.rule, "times": each.times, "points": each.points} for each in self.lost],
            "remarks": [
                {
                    "rule": each.rule,
                    "weight": each.weight,
                    "sentence_vi": each.sentence.vi,
                    "sentence_en": each.sentence.en,
                    "table": each.place.table,
                    "columns": list(each.place.columns),
                    "seen": each.place.seen,
                }
                for each in self.remarks
            ],
        }


@functools.cache
def all_rules() -> Mapping[str, SchemaRule]:
    """Return every rule by code: a module ``rules/<code>_<what>.py`` brings one, and adding it edits nothing."""
    found: dict[str, SchemaRule] = {}
    for entry in pkgutil.iter_modules(rules_package.__path__):
        module = importlib.import_module(f"{rules_package.__name__}.{entry.name}")
        code: str = module.CODE
        assert entry.name.startswith(f"{code.lower()}_"), f"rule {code} lives in module {entry.name}"
        assert code not in found, f"two rules have the code {code}"
        found[code] = SchemaRule(code=code, weight=module.WEIGHT, sentence=module.SENTENCE, find=module.find)
    return MappingProxyType(dict(sorted(found.items())))


def rate(schema: Schema) -> Rating:
    """Return the rating of a schema; a further remark never raises it."""
    remarks = tuple(
        Remark(rule=rule.code, weight=rule.weight.value, sentence=rule.sentence, place=place)
        for rule in all_rules().values()
        for place in rule.find(schema)
    )
    times = Counter(remark.rule for remark in remarks)
    lost = sorted(
        (
            Lost(rule=code, times=count, points=POINTS[all_rules()[code].weight] * min(count, TIMES_MAX))
            for code, count in times.items()
        ),
        key=lambda each: (-each.points, each.rule),
    )
    return Rating(
        schema=schema.name,
        tables=len(schema.tables),
        columns=sum(len(table.columns) for table in schema.tables),
        points=max(0.0, WHOLE - sum(each.points for each in lost)),
        remarks=remarks,
        lost=tuple(lost),
    )
