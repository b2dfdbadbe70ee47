"""Scores as measurements of the Data Quality Vocabulary, for a catalogue of DCAT (số đo chất lượng dạng DQV)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lienthong.check.verdict import Criterion
from lienthong.dictionary.exports.addresses import Addresses
from lienthong.dictionary.exports.turtle import address, subject, translated, typed, words
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.oversight.overview import CriterionScore, DatasetScore
from lienthong.oversight.scores_history import TOTAL
from lienthong.oversight.scores_words import TITLES, number

_PREFIXES: Final[Mapping[str, str]] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_ENGLISH: Final[Mapping[Criterion, str]] = {
    Criterion.CORRECT: "Correct",
    Criterion.COMPLETE: "Complete",
    Criterion.CLEAN: "Clean",
    Criterion.LIVE: "Live",
    Criterion.UNIFIED: "Unified",
    Criterion.SHARED: "Shared",
}
UNKNOWN_COMMENT: Final = "chưa đo được, tính 0"


def dqv_turtle(dictionary: Dictionary, scores: Sequence[DatasetScore], *, addresses: Addresses) -> str:
    """Return the six words and the index of datasets as Turtle, each with how many judgements it rests on."""
    base = f"{addresses.base}id/quality"
    category = f"{base}/category/nq214"
    parts = [
        "".join(f"@prefix {name}: <{full}> .\n" for name, full in _PREFIXES.items()) + "\n",
        subject(
            address(category),
            [
                ("a", ["dqv:Category"]),
                (
                    "skos:prefLabel",
                    translated("Sáu tiêu chí của Nghị quyết 214/NQ-CP", "The six words of Resolution 214/NQ-CP"),
                ),
            ],
        ),
    ]
    for criterion in Criterion:
        parts += [
            subject(
                address(f"{base}/dimension/{criterion.value}"),
                [
                    ("a", ["dqv:Dimension"]),
                    ("skos:prefLabel", translated(TITLES[criterion], _ENGLISH[criterion])),
                    ("dqv:inCategory", [address(category)]),
                ],
            ),
            _metric(base, criterion.value, f"Điểm {TITLES[criterion]}", dimension=criterion.value),
        ]
    parts.append(_metric(base, TOTAL, "Chỉ số chung: trung bình có trọng số của sáu tiêu chí", dimension=None))
    for score in scores:
        parts += _measurements(dictionary, score, base=base, addresses=addresses)
    return "".join(parts)


def _metric(base: str, name: str, definition: str, *, dimension: str | None) -> str:
    return subject(
        address(f"{base}/metric/{name}"),
        [
            ("a", ["dqv:Metric"]),
            ("skos:definition", [words(definition, "vi")]),
            ("dqv:expectedDataType", ["xsd:double"]),
            ("dqv:inDimension", [] if dimension is None else [address(f"{base}/dimension/{dimension}")]),
        ],
    )


def _measurements(dictionary: Dictionary, score: DatasetScore, *, base: str, addresses: Addresses) -> list[str]:
    dataset = dictionary.datasets[DatasetId(score.dataset)]
    place = addresses.item(dataset)
    when = score.measured_at.strftime("%Y%m%dT%H%M%SZ")
    own = f"{base}/measurement/{score.dataset}/{when}"
    names = [TOTAL, *(word.criterion for word in score.criteria)]
    activity = f"{own}/activity"
    parts = [
        subject(
            address(place),
            [
                ("a", ["dcat:Dataset"]),
                ("dct:title", translated(dataset.label.vi, dataset.label.en)),
                ("dqv:hasQualityMeasurement", [address(f"{own}/{name}") for name in names]),
            ],
        ),
        subject(
            address(activity),
            [
                ("a", ["prov:Activity"]),
                ("dct:identifier", [words(f"rule-set:{score.rule_set}"), words(f"scoring:{score.scoring}")]),
                ("prov:endedAtTime", [typed(score.measured_at.isoformat(), "xsd:dateTime")]),
            ],
        ),
        _measurement(
            f"{own}/{TOTAL}", TOTAL, score.total, None, score=score, base=base, place=place, activity=activity
        ),
    ]
    parts += [
        _measurement(
            f"{own}/{word.criterion}",
            word.criterion,
            word.percent,
            word,
            score=score,
            base=base,
            place=place,
            activity=activity,
        )
        for word in score.criteria
    ]
    return parts


def _measurement(
    name: str,
    metric: str,
    value: float,
    word: CriterionScore | None,
    *,
    score: DatasetScore,
    base: str,
    place: str,
    activity: str,
) -> str:
    comments: list[str] = []
    if word is not None:
        known = f"{number(word.passed)} trên {number(word.applicable)} lượt xét đạt"
        comments = [words(f"{known if word.known else UNKNOWN_COMMENT}. Căn cứ: {word.rests_on_vi}", "vi")]
    return subject(
        address(name),
        [
            ("a", ["dqv:QualityMeasurement"]),
            ("dqv:computedOn", [address(place)]),
            ("dqv:isMeasurementOf", [address(f"{base}/metric/{metric}")]),
            ("dqv:value", [typed(repr(float(value)), "xsd:double")]),
            ("prov:generatedAtTime", [typed(score.measured_at.isoformat(), "xsd:dateTime")]),
            ("prov:wasGeneratedBy", [address(activity)]),
            ("rdfs:comment", comments),
        ],
    )
