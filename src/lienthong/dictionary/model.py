"""The metamodel of the Common Data Dictionary, after ISO/IEC 11179 (TCVN 7789).

A term has the 25 descriptors of Quyết định 2439/QĐ-TTg (``dictionary/README.md`` says where each one
lands). Every item is immutable; every reference between items names a version (``Ref``).
Periods are half-open: ``valid_from <= day < valid_to``.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NewType

ElementId = NewType("ElementId", str)  # official code, PascalCase: "HoVaTen"
DomainId = NewType("DomainId", str)  # "vd-ho-ten"
CodeListId = NewType("CodeListId", str)  # "gioi-tinh-qcvn109"
DatasetId = NewType("DatasetId", str)  # "doanh-nghiep"
AgencyId = NewType("AgencyId", str)  # "G01"

Vi = NewType("Vi", str)  # a text in Vietnamese, NFC

UNKNOWN_VI = "chưa xác định"


class Status(enum.Enum):
    """Where an item stands in its life (vòng đời thuật ngữ, QĐ 2439/QĐ-TTg)."""

    PROPOSED = "proposed"  # Đề xuất
    REVIEW = "review"  # Rà soát
    CONSULTATION = "consultation"  # Tham vấn
    APPROVED = "approved"  # Phê duyệt & Đăng ký
    SUPERSEDED = "superseded"
    RETIRED = "retired"
    REJECTED = "rejected"


class Level(enum.Enum):
    """Tier of the dictionary: từ điển quốc gia / từ điển chuyên ngành."""

    NATIONAL = "national"
    SECTOR = "sector"


class Trust(enum.Enum):
    """How far the source of a fact can be trusted."""

    OFFICIAL = "official"  # text of a legal document
    SUMMARY = "summary"  # a summary of the legal document
    VENDOR = "vendor"  # source code of systems that exchange with the National Data Centre
    SECONDARY = "secondary"  # unverified
    OWN = "own"  # decided by this product, no outside source


class Sensitivity(enum.Enum):
    """How a value may be shown (mức độ nhạy cảm)."""

    PUBLIC = "public"
    INTERNAL = "internal"
    BASIC_PERSONAL = "basic-personal"  # dữ liệu cá nhân cơ bản
    SENSITIVE_PERSONAL = "sensitive-personal"  # dữ liệu cá nhân nhạy cảm


class Datatype(enum.Enum):
    """Logical type of a value domain."""

    TEXT = "text"
    CODE = "code"  # always a string, with a code list that has dates
    CODES = "codes"  # several codes in one field
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    PARTIAL_DATE = "partial-date"  # "1950", "1950-03" or "1950-03-07"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"


class Relation(enum.Enum):
    """How a source column or an outside term relates to an element (SKOS)."""

    EXACT = "exact"
    CLOSE = "close"
    BROADER = "broader"
    NARROWER = "narrower"
    DERIVED = "derived"
    NONE = "none"  # a decision too: it needs a reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Ref:
    """Name an item and its version: ``vd-ho-ten@1.0.0``."""

    id: str
    version: str

    def __str__(self) -> str:
        return f"{self.id}@{self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """Hold a text in Vietnamese and, where there is one, in English."""

    vi: str
    en: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Say where a fact comes from."""

    document: str
    trust: Trust
    article: str | None = None
    address: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """Keep what another source says of the same field, side by side."""

    descriptor: str  # which descriptor differs: "max_length"
    value: str
    source: Source


@dataclass(frozen=True, kw_only=True, slots=True)
class OutsideMapping:
    """Map an item to a term of another vocabulary (descriptor 24)."""

    to: str  # "schema:name"
    relation: Relation


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Say which item this is, in which version, standing where, valid when."""

    id: str
    version: str  # business version, changes only by approval
    status: Status
    level: Level
    valid_from: date | None
    valid_to: date | None = None
    superseded_by: Ref | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """One code of a list, for one period (mã)."""

    code: str
    label: Text
    valid_from: date | None  # None: in force before every date we have a source for
    valid_to: date | None = None
    parent: str | None = None
    replaced_by: tuple[str, ...] = ()
    source: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Succession:
    """One line of a conversion table: what became of a code on a day (bảng chuyển đổi mã)."""

    old: str  # read on the day before ``on``
    new: str  # read on the day ``on``
    on: date
    kind: str  # lienthong.dictionary.conversion says which kinds there are
    within: str | None = None  # the unit of ``within_list`` it lay in until then
    source: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """What a code meant in dated copies of the list, where no document gives the exact days."""

    code: str
    label: str
    within: str | None
    seen_from: date  # the first list that shows it
    seen_to: date  # the last list that shows it
    gone_by: date  # the next list, which does not: the change fell after ``seen_to`` and up to this day
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeList:
    """A shared list of codes with dates (danh mục dùng chung)."""

    identity: Identity
    label: Text
    codes: tuple[Code, ...]
    aliases: tuple[tuple[str, str], ...] = ()  # (spelling, code): what sources really write
    sources: tuple[Source, ...] = ()
    complete: bool = False  # False: more codes may exist, an unknown code is a warning only
    parent_list: CodeListId | None = None  # the list that the codes' parents belong to
    within_list: CodeListId | None = None  # the list of the level between: districts, until 2025-07-01
    successions: tuple[Succession, ...] = ()  # from <id>.conversion.csv
    sightings: tuple[Sighting, ...] = ()  # from <id>.history.csv


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueDomain:
    """What values look like (miền giá trị): descriptors 16, 17, 18, 21, 22, 25."""

    identity: Identity
    label: Text
    datatype: Datatype
    rdf_type: str
    max_length: int | None = None  # characters
    min_length: int | None = None
    pattern: str | None = None  # closed subset of regular expressions, anchored
    precision: int | None = None  # decimal digits in all
    scale: int | None = None  # decimal digits after the point
    minimum: str | None = None
    maximum: str | None = None  # "today" stands for the day of the record
    unit: str | None = None
    code_list: CodeListId | None = None
    check_digit: str | None = None  # name of the algorithm: "mst"
    tone_style: str | None = None  # "old" (hòa), "new" (hoà); "keep" or none: as the source writes
    standardiser: str  # name of a kernel in lienthong.standardise.kernels
    normalisation: Text | None = None  # descriptor 22, for people
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """A data element: one term of the dictionary (thuật ngữ), 25 descriptors."""

    identity: Identity  # 1, 10
    label: Text  # 2
    definition: Text  # 3
    concept: str  # object class + property (11179 DEC)
    value_domain: Ref  # 16–18, 21, 22, 25
    technical_name: str  # 15: ASCII snake_case, at most 48 bytes; column, API and grant name
    usage: Text | None = None  # 4
    group: Text | None = None  # 5
    entity_relation: str | None = None  # 6
    creator: str | None = None  # 7
    owner: str | None = None  # 8
    languages: tuple[str, ...] = ("vi",)  # 9
    legal_basis: tuple[Source, ...] = ()  # 11
    synonyms: tuple[str, ...] = ()  # 12
    abbreviations: tuple[str, ...] = ()  # 12: column names agencies really use
    related: tuple[str, ...] = ()  # 13, 19
    business_attributes: Mapping[str, str]  # 14
    technical_attributes: Mapping[str, str]  # 20
    mappings: tuple[OutsideMapping, ...] = ()  # 24
    sensitivity: Sensitivity
    identifier: bool = False  # identifier fields need 100 % (law.md 2.3)
    sources: tuple[Source, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A place of an element in a dataset."""

    element: ElementId
    required: bool = False
    key: bool = False  # part of the business key
    unique: bool = False
    many: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """An entity whose records agencies exchange (bộ dữ liệu, thực thể)."""

    identity: Identity
    label: Text
    definition: Text
    table: str  # physical name, ASCII, at most 40 bytes
    domain: str  # one of the six core domains of QĐ 2439/QĐ-TTg
    members: tuple[Member, ...]
    record_date: ElementId | None = None  # on which day codes must be valid; None: the source's commit day
    allowed_lag_s: int = 60  # promised time from commit at the source to visible at the centre
    rules: tuple[str, ...] = ()  # dataset rules by code, beside the derived ones
    sources: tuple[Source, ...] = ()

    @property
    def key(self) -> tuple[ElementId, ...]:
        """Return the elements of the business key."""
        return tuple(m.element for m in self.members if m.key)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredComparison:
    """The other records a declared rule looks at; pairs are (own column, column of the other dataset)."""

    dataset: DatasetId | None  # None: the rule's own
    match: tuple[tuple[str, str], ...]  # records that agree in all of them are compared
    equal: tuple[tuple[str, str], ...] = ()  # these must then agree
    similar: tuple[str, ...] = ()  # own columns that must resemble each other
    similarity_percent: int = 92


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleExample:
    """A row with the outcome a declared rule must give it: the rule's own test (ví dụ)."""

    name: str
    outcome: str  # "pass", "fail", "not-applicable" or "not-evaluated"
    values: Mapping[str, object]  # by technical name; what is left out is empty
    others: tuple[Mapping[str, object], ...] = ()  # records of the compared dataset
    dataset: DatasetId | None = None  # None: the first dataset the rule is for
    source_day: date | None = None  # None: a day of the test's own
    measured_day: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredRule:
    """A rule written down beside the dictionary: one file, one code (quy tắc khai báo).

    The dictionary holds it as plain data; ``lienthong.check.declared`` reads its texts and binds it to datasets.
    """

    code: str  # "CR30"
    criterion: str  # one of the six words, the name of its folder
    severity: str
    error_class: str
    local: bool  # a local rule only shows; national ones score
    datasets: tuple[DatasetId, ...]  # it is for, in order of name
    element: ElementId | None
    title: Text
    sentence: Text
    remedy: Text  # what the owner of a failing record does
    when: str
    check: str  # empty where ``over`` says what is compared
    over: str | None
    comparison: DeclaredComparison | None
    weight: str  # decimal digits: "1", "0.5"
    identifier: bool
    basis: str  # law or source; "chưa xác định" where none is known
    owner: str  # who answers for the rule
    version: int
    examples: tuple[RuleExample, ...]
    file: str  # for messages; not part of what the rule says
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Dictionary:
    """The whole dictionary, validated: every reference resolves."""

    version: str
    digest: str  # SHA-256 over (kind, id, version, hash) of all items, hex
    elements: Mapping[ElementId, Element]
    domains: Mapping[DomainId, ValueDomain]
    code_lists: Mapping[CodeListId, CodeList]
    datasets: Mapping[DatasetId, Dataset]
    rules: tuple[DeclaredRule, ...] = ()  # in order of code

    def domain_of(self, element: ElementId) -> ValueDomain:
        """Return the value domain an element points to."""
        return self.domains[DomainId(self.elements[element].value_domain.id)]

    def code_list_of(self, element: ElementId) -> CodeList | None:
        """Return the code list behind an element, if its domain is enumerated."""
        wanted = self.domain_of(element).code_list
        return None if wanted is None else self.code_lists[wanted]
