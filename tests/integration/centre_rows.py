"""A small dictionary made by hand, and batches of rows made by hand, for the tests of the centre's stores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl

from lienthong.centre.batch import Batch, Truncation
from lienthong.check.verdict import FINDING_SCHEMA, Criterion, JudgedBatch, Rule, RuleSet, Severity
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
TABLE = TableName(schema="public", table="doanh_nghiep")
DATASET = DatasetId("doanh-nghiep")
START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

TYPES = {
    "ma_so": Datatype.TEXT,
    "ten": Datatype.TEXT,
    "von": Datatype.DECIMAL,
    "ngay_cap": Datatype.DATE,
    "ngay_sinh": Datatype.PARTIAL_DATE,
    "nganh": Datatype.CODES,
    "so_lao_dong": Datatype.INTEGER,
    "hoat_dong": Datatype.BOOLEAN,
    "cap_nhat": Datatype.TIMESTAMP,
}
VALUES_SCHEMA = {
    "ma_so": pl.String,
    "ten": pl.String,
    "von": pl.Decimal(38, 2),
    "ngay_cap": pl.Date,
    "ngay_sinh": pl.String,
    "nganh": pl.List(pl.String),
    "so_lao_dong": pl.Int64,
    "hoat_dong": pl.Boolean,
    "cap_nhat": pl.Datetime("us", "UTC"),
}
FULL = {
    "von": Decimal("1500000.50"),
    "ngay_cap": date(2019, 4, 30),
    "ngay_sinh": "1950-03",
    "nganh": ["0111", "46"],
    "so_lao_dong": 12,
    "hoat_dong": True,
    "cap_nhat": datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC),
}
KEY_RULE = "CO01:ma_so"
NAME_RULE = "CL02:ten"
UNIQUE_RULE = "UN01:ma_so"
MONEY_RULE = "CO05:von"
UNIQUE_PLACE = 2


def _identity(name: str) -> Identity:
    return Identity(id=name, version="1.0.0", status=Status.APPROVED, level=Level.NATIONAL, valid_from=None)


def make_dictionary(
    *, types: dict[str, Datatype] | None = None, precision: int = 10, version: str = "1"
) -> Dictionary:
    kinds = TYPES if types is None else types
    domains = {
        DomainId(f"vd-{name}"): ValueDomain(
            identity=_identity(f"vd-{name}"),
            label=Text(vi=name),
            datatype=datatype,
            rdf_type="xsd:string",
            precision=precision if datatype is Datatype.DECIMAL else None,
            scale=2 if datatype is Datatype.DECIMAL else None,
            standardiser="text",
        )
        for name, datatype in kinds.items()
    }
    elements = {
        ElementId(name): Element(
            identity=_identity(name),
            label=Text(vi=f"Nhãn của {name}"),
            definition=Text(vi="Định nghĩa có dấu ' và \\"),
            concept=name,
            value_domain=Ref(id=f"vd-{name}", version="1.0.0"),
            technical_name=name,
            business_attributes={},
            technical_attributes={},
            sensitivity=Sensitivity.BASIC_PERSONAL if name == "ma_so" else Sensitivity.PUBLIC,
        )
        for name in kinds
    }
    dataset = Dataset(
        identity=_identity(DATASET),
        label=Text(vi="Doanh nghiệp"),
        definition=Text(vi="Doanh nghiệp"),
        table="doanh_nghiep",
        domain="enterprise",
        members=tuple(
            Member(element=ElementId(name), key=name == "ma_so", unique=name == "ma_so", required=name == "ma_so")
            for name in kinds
        ),
        allowed_lag_s=60,
    )
    return Dictionary(
        version=version,
        digest=f"d{version}",
        elements=elements,
        domains=domains,
        code_lists={},
        datasets={DATASET: dataset},
    )


def _rule(code: str, element: str, severity: Severity, over: str | None = None) -> Rule:
    return Rule(
        code=code,
        criterion=Criterion.CORRECT,
        severity=severity,
        element=element,
        title=Text(vi=code),
        sentence=Text(vi=f"Quy tắc {code}"),
        when="true",
        check="" if over else "true",
        over=over,
    )


def make_rules(dictionary: Dictionary, *, digest: str = "r1", reverse: bool = False) -> RuleSet:
    rules = (
        _rule("CO01", "ma_so", Severity.BLOCKING),
        _rule("CL02", "ten", Severity.WARNING),
        _rule("UN01", "ma_so", Severity.ERROR, over="unique"),
        _rule("CO05", "von", Severity.ERROR),
    )
    return RuleSet(dataset=dictionary.datasets[DATASET], rules=rules[::-1] if reverse else rules, digest=digest)


DICTIONARY = make_dictionary()
RULES = make_rules(DICTIONARY)


@dataclass(frozen=True, kw_only=True)
class R:
    """One change, as a test writes it down."""

    id: str
    at: int = 0  # commit
    number: int = 0
    event: str = "UPDATE"
    bad: bool = False
    key: str | None = "0101"
    name: str | None = "Công ty A"
    seconds: float | None = None  # of the source's clock after START; by default the commit tells
    failed: tuple[str, ...] = ()  # rules beside the one that makes it bad
    counted: bool = True
    image: str | None = None
    values: dict[str, object] = field(default_factory=dict)

    @property
    def time(self) -> datetime:
        return START + timedelta(seconds=self.at if self.seconds is None else self.seconds)

    @property
    def raw(self) -> str | None:
        if self.event == "CANCEL":
            return None
        return self.image or json.dumps({"ma": self.key, "ten": self.name}, ensure_ascii=False)


def judged(
    rows: Sequence[R],
    *,
    rules: RuleSet = RULES,
    table: TableName = TABLE,
    source: SourceId = SOURCE,
    epoch: Epoch = EPOCH,
) -> JudgedBatch:
    names = [rule.name for rule in rules.rules]
    unique = next(place for place, rule in enumerate(rules.rules) if rule.over == "unique")
    values, envelopes, letters, findings = [], [], [], []
    last = {row.id: place for place, row in enumerate(rows)}
    for place, row in enumerate(rows):
        cancel = row.event == "CANCEL"
        failed = {*row.failed, *([KEY_RULE] if row.bad else [])}
        values.append(
            dict.fromkeys(VALUES_SCHEMA) if cancel else {**FULL, "ma_so": row.key, "ten": row.name, **row.values}
        )
        letters.append(
            None
            if cancel
            else "".join("n" if spot == unique else "f" if name in failed else "p" for spot, name in enumerate(names))
        )
        findings += [] if cancel else [(place, row.id, name, f"{row.name}•") for name in names if name in failed]
        envelopes.append(
            (row.id, row.event, row.at, row.number, row.time, row.raw, [], last[row.id] != place, row.counted)
        )
    frame = pl.DataFrame(values, schema=VALUES_SCHEMA)
    return JudgedBatch(
        records=RecordBatch(
            dataset=rules.dataset,
            source=source,
            epoch=epoch,
            table=table,
            values=frame,
            outcomes=pl.DataFrame(
                dict.fromkeys(frame.columns, pl.repeat(0, frame.height, dtype=pl.UInt8, eager=True))
            ),
            envelope=pl.DataFrame(envelopes, schema=dict(ENVELOPE_SCHEMA), orient="row"),
        ),
        rules=rules,
        judgement=pl.Series("judgement", letters, dtype=pl.String),
        quarantined=pl.Series("quarantined", [row.bad for row in rows], dtype=pl.Boolean),
        findings=pl.DataFrame(findings, schema=dict(FINDING_SCHEMA), orient="row"),
    )


def make_batch(
    *parts: Sequence[R] | JudgedBatch | Truncation,
    end: int,
    snapshot: bool = False,
    filtered: int = 0,
    read: int | None = None,
    source: SourceId = SOURCE,
    epoch: Epoch = EPOCH,
    rules: RuleSet = RULES,
) -> Batch:
    made = tuple(
        part if isinstance(part, JudgedBatch | Truncation) else judged(part, rules=rules, source=source, epoch=epoch)
        for part in parts
    )
    counted = sum(
        1 if isinstance(part, Truncation) else int(part.records.envelope["_counted"].sum()) for part in made
    )
    return Batch(
        source=source,
        epoch=epoch,
        end=Position(commit=end),
        snapshot=snapshot,
        read=counted + filtered if read is None else read,
        filtered=filtered,
        parts=made,
        dictionary_version="1",
    )


def truncation(at: int, *, number: int = 0, table: TableName = TABLE) -> Truncation:
    return Truncation(
        dataset=DICTIONARY.datasets[DATASET],
        table=table,
        version=at,
        number=number,
        source_time=START + timedelta(seconds=at),
    )
