"""Two small datasets that speak of each other, and changes to both, for the tests of measurements."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.centre.batch import Batch, Truncation
from lienthong.check.verdict import FINDING_SCHEMA, Comparison, Criterion, JudgedBatch, Rule, RuleSet, Severity
from lienthong.dictionary.model import (
    Dataset,
    DatasetId,
    Datatype,
    Dictionary,
    DomainId,
    Element,
    ElementId,
    Identity,
    Level,
    Member,
    Ref,
    Sensitivity,
    Status,
    Text,
    ValueDomain,
)
from lienthong.sources.change import Epoch, Position, SourceId, TableName
from lienthong.standardise.batch import ENVELOPE_SCHEMA, RecordBatch

SOURCE = SourceId("ca-mau")
EPOCH = Epoch(system="7001", timeline=1, database="agency", slot="lienthong")
CARD = DatasetId("the")
PERSON = DatasetId("nguoi")
START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
TYPES = {
    "ma": Datatype.TEXT,
    "so": Datatype.TEXT,
    "ten": Datatype.TEXT,
    "ngay_sinh": Datatype.PARTIAL_DATE,
    "gioi": Datatype.TEXT,
    "diem": Datatype.INTEGER,
}
MEMBERS = {CARD: ("ma", "so", "ten", "ngay_sinh", "gioi", "diem"), PERSON: ("so", "ten", "ngay_sinh", "gioi", "diem")}
TABLES = {name: TableName(schema="public", table=str(name)) for name in (CARD, PERSON)}
DTYPES = {name: pl.Int64 if kind is Datatype.INTEGER else pl.String for name, kind in TYPES.items()}

REFERENCE_RULE = "UN11:so"
WHEN_RULE = "UN12:so"
AGREEMENT_RULE = "UN13:ngay_sinh"
SEVERAL_RULE = "UN14:ten"
SELF_RULE = "UN15:so"
NEAR_RULE = "CL12:ten"
SHARED_RULE = "CL13:ma"
AGE_RULE = "LV02:ma"


def _identity(name: str) -> Identity:
    return Identity(id=name, version="1.0.0", status=Status.APPROVED, level=Level.NATIONAL, valid_from=None)


def _dataset(name: DatasetId) -> Dataset:
    key = MEMBERS[name][0]
    return Dataset(
        identity=_identity(name),
        label=Text(vi=str(name)),
        definition=Text(vi=str(name)),
        table=str(name),
        domain="person",
        members=tuple(
            Member(element=ElementId(each), key=each == key, required=each == key) for each in MEMBERS[name]
        ),
        allowed_lag_s=60,
    )


DICTIONARY = Dictionary(
    version="1",
    digest="d1",
    elements={
        ElementId(name): Element(
            identity=_identity(name),
            label=Text(vi=name),
            definition=Text(vi=name),
            concept=name,
            value_domain=Ref(id=f"vd-{name}", version="1.0.0"),
            technical_name=name,
            business_attributes={},
            technical_attributes={},
            sensitivity=Sensitivity.BASIC_PERSONAL if name in {"so", "ten"} else Sensitivity.PUBLIC,
        )
        for name in TYPES
    },
    domains={
        DomainId(f"vd-{name}"): ValueDomain(
            identity=_identity(f"vd-{name}"),
            label=Text(vi=name),
            datatype=kind,
            rdf_type="xsd:string",
            standardiser="text",
        )
        for name, kind in TYPES.items()
    },
    code_lists={},
    datasets={name: _dataset(name) for name in (CARD, PERSON)},
)


def rule(
    name: str, over: str | None, comparison: Comparison | None = None, *, when: str = "true", check: str = ""
) -> Rule:
    code, _, element = name.partition(":")
    return Rule(
        code=code,
        criterion=Criterion.UNIFIED,
        severity=Severity.ERROR,
        element=element,
        title=Text(vi=code),
        sentence=Text(vi=f"Quy tắc {code}"),
        when=when,
        check=check,
        over=over,
        comparison=comparison,
    )


AGED = rule(AGE_RULE, None, when="age_days IS NOT NULL", check="age_days <= 10")
TO_PERSON = (("so", "so"),)
MEASURED_RULES = (
    rule(REFERENCE_RULE, "reference", Comparison(dataset=PERSON, on=TO_PERSON)),
    rule(WHEN_RULE, "reference", Comparison(dataset=PERSON, on=TO_PERSON), when="gioi = '1' AND ten LIKE '%a%'"),
    rule(AGREEMENT_RULE, "agreement", Comparison(dataset=PERSON, on=TO_PERSON, equal=(("ngay_sinh", "ngay_sinh"),))),
    rule(
        SEVERAL_RULE,
        "agreement",
        Comparison(dataset=PERSON, on=TO_PERSON, equal=(("ten", "ten"), ("gioi", "gioi"), ("diem", "diem"))),
    ),
    rule(SELF_RULE, "reference", Comparison(dataset=CARD, on=(("so", "ma"),))),
    rule(SHARED_RULE, "near-duplicate", Comparison(dataset=CARD, on=(("so", "so"), ("diem", "diem")))),
    rule(NEAR_RULE, "near-duplicate", Comparison(dataset=CARD, on=(("gioi", "gioi"),), similar=("ten",))),
)


def rule_set(name: DatasetId, rules: Sequence[Rule] = (), *, digest: str = "r1") -> RuleSet:
    return RuleSet(dataset=DICTIONARY.datasets[name], rules=tuple(rules), digest=f"{digest}-{name}")


ROW_RULE = rule("CP01:ten", None, check="ten IS NOT NULL")
CARD_RULES = rule_set(CARD, [ROW_RULE, *MEASURED_RULES])
PERSON_RULES = rule_set(PERSON, [ROW_RULE])
RULE_SETS = {CARD: CARD_RULES, PERSON: PERSON_RULES}


def judged(
    dataset: DatasetId, rows: Sequence[tuple[str, Mapping[str, object] | None]], *, at: int, rules: RuleSet
) -> JudgedBatch:
    """Return (id, values) as a judged batch; None cancels the record."""
    names = MEMBERS[dataset]
    values = pl.DataFrame(
        [[None if each is None else each.get(name) for name in names] for _, each in rows],
        schema={name: DTYPES[name] for name in names},
        orient="row",
    )
    last = {record: place for place, (record, _) in enumerate(rows)}
    envelope = [
        (
            f"{dataset}/{record}", "CANCEL" if each is None else "UPDATE", at, place, START + timedelta(seconds=at),
            None if each is None else json.dumps(dict(each)), [], last[record] != place, True,
        )
        for place, (record, each) in enumerate(rows)
    ]  # fmt: skip
    letters = "".join("p" if each.over is None else "n" for each in rules.rules)
    return JudgedBatch(
        records=RecordBatch(
            dataset=DICTIONARY.datasets[dataset],
            source=SOURCE,
            epoch=EPOCH,
            table=TABLES[dataset],
            values=values,
            outcomes=pl.DataFrame({name: pl.repeat(0, values.height, dtype=pl.UInt8, eager=True) for name in names}),
            envelope=pl.DataFrame(envelope, schema=dict(ENVELOPE_SCHEMA), orient="row"),
        ),
        rules=rules,
        judgement=pl.Series("judgement", [None if each is None else letters for _, each in rows], dtype=pl.String),
        quarantined=pl.Series("quarantined", [False] * len(rows), dtype=pl.Boolean),
        findings=pl.DataFrame(schema=dict(FINDING_SCHEMA)),
    )


@dataclass
class Two:
    """A centre with both datasets, changed by batches; ``kept`` is what it should hold."""

    url: str
    rule_sets: Mapping[DatasetId, RuleSet] = field(default_factory=lambda: RULE_SETS)
    at: int = 10
    met: bool = True  # the other dataset has received a record once
    kept: dict[DatasetId, dict[str, dict[str, object]]] = field(default_factory=lambda: {CARD: {}, PERSON: {}})

    def __post_init__(self) -> None:
        self.store = PostgresCentreStore(self.url)
        self.store.prepare(DICTIONARY, self.rule_sets)
        position = Position(commit=self.at)
        self.store.begin_snapshot(SOURCE, epoch=EPOCH, position=position, plan_digest="p", rows_estimated=1, at=START)
        self.store.finish_snapshot(
            SOURCE, tables=[(TABLES[name], name) for name in TABLES], position=position, at=START
        )
        if self.met:
            self.change((PERSON, [("first", {"so": "first"})]))

    def change(self, *parts: tuple[DatasetId, Sequence[tuple[str, Mapping[str, object] | None]]]) -> None:
        """Apply one batch with a part for each (dataset, rows)."""
        made: list[JudgedBatch | Truncation] = []
        for dataset, rows in parts:
            self.at += 1
            made.append(judged(dataset, rows, at=self.at, rules=self.rule_sets[dataset]))
            for record, values in rows:
                if values is None:
                    self.kept[dataset].pop(f"{dataset}/{record}", None)
                else:
                    full = {name: values.get(name) for name in MEMBERS[dataset]}
                    self.kept[dataset][f"{dataset}/{record}"] = full
        self.at += 1
        self._apply(made, read=sum(len(rows) for _, rows in parts))

    def empty(self, dataset: DatasetId) -> None:
        """Have the source table emptied."""
        self.at += 1
        gone = Truncation(
            dataset=DICTIONARY.datasets[dataset],
            table=TABLES[dataset],
            version=self.at,
            number=0,
            source_time=START + timedelta(seconds=self.at),
        )
        self.kept[dataset].clear()
        self.at += 1
        self._apply([gone], read=1)

    def _apply(self, parts: Sequence[JudgedBatch | Truncation], *, read: int) -> None:
        batch = Batch(
            source=SOURCE, epoch=EPOCH, end=Position(commit=self.at), snapshot=False, read=read, filtered=0,
            parts=tuple(parts), dictionary_version="1",
        )  # fmt: skip
        self.store.apply(batch, at=START + timedelta(seconds=self.at))
