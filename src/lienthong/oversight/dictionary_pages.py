"""One element, value domain or dataset of the dictionary as a page shows it (trang phần tử của từ điển).

Plain values for the faces: no item of the metamodel leaves here but words and numbers. What no source says stays
"chưa xác định".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lienthong.centre.tables import derive_table, render_ddl
from lienthong.check.verdict import RuleSet
from lienthong.dictionary.canonical import item_hash
from lienthong.dictionary.concepts import object_of, same_concept, same_object
from lienthong.dictionary.descriptors import (
    DATATYPE_VI,
    FORMAT_VI,
    TITLES,
    Descriptor,
    cited,
    datasets_with,
    descriptors,
)
from lienthong.dictionary.model import (
    UNKNOWN_VI,
    CodeList,
    Dataset,
    DatasetId,
    Dictionary,
    DomainId,
    Element,
    ElementId,
    Identity,
    Source,
    ValueDomain,
)
from lienthong.dictionary.pattern_words import pattern_in_words
from lienthong.sources.mapping import Mapping as ColumnDecisions

TODAY: Final = "today"

CHECK_DIGIT_VI: Final[Mapping[str, str]] = {"mst": "chữ số kiểm tra của mã số thuế"}
_DESCRIPTOR_VI: Final[Mapping[str, str]] = {
    **dict(TITLES),
    "max_length": "Độ dài tối đa",
    "min_length": "Độ dài tối thiểu",
    "required": "Tính bắt buộc",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Which item, in which version, standing where."""

    id: str
    version: str
    status: str
    level: str
    valid_from: str | None
    valid_to: str | None
    superseded_by: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceLine:
    """Where a fact comes from."""

    text: str
    trust: str
    address: str | None
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One line of a representation; ``code`` is shown as it is to be typed."""

    title: str
    text: str
    code: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What one source says of a disputed descriptor."""

    value: str
    source: SourceLine
    agrees: bool  # with what the dictionary uses


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispute:
    """One descriptor on which sources differ, side by side."""

    title: str
    ours: str | None  # None: not comparable by machine
    claims: tuple[Claim, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionColumn:
    """One version, its descriptors in official order, and which of them differ from the version before."""

    standing: Standing
    values: tuple[str, ...]
    changed: frozenset[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnLine:
    """One source column that was decided to mean an element."""

    source: str
    owner: str
    table: str
    column: str
    native_type: str | None
    relation: str
    form: str | None
    reason: str | None
    dataset: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UseLine:
    """A dataset that holds an element, and which part it plays there."""

    dataset: str
    label: str
    domain: str
    table: str
    key: bool
    required: bool
    unique: bool
    many: bool
    fed_by: tuple[str, ...]  # links that bring records in


@dataclass(frozen=True, kw_only=True, slots=True)
class ListBrief:
    """The code list behind a value domain."""

    id: str
    label: str
    complete: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementPage:
    """Everything known of an element that does not depend on a day or on the centre."""

    standing: Standing
    label: str
    label_en: str | None
    definition: str
    definition_en: str | None
    technical_name: str
    concept: str  # object and property: "con-nguoi.ho-ten"
    object: str
    same_concept: tuple[tuple[str, str], ...]  # code, label: the same written otherwise
    same_object: tuple[tuple[str, str], ...]  # code, label: something else of the same object
    group: str | None
    sensitivity: str
    identifier: bool
    domain_id: str
    domain_label: str
    facts: tuple[Fact, ...]
    code_list: ListBrief | None
    descriptors: tuple[Descriptor, ...]
    sources: tuple[SourceLine, ...]
    legal_basis: tuple[SourceLine, ...]
    disputes: tuple[Dispute, ...]
    versions: tuple[VersionColumn, ...]
    columns: tuple[ColumnLine, ...]
    uses: tuple[UseLine, ...]
    related: tuple[tuple[str, str | None], ...]  # code, label when it is an element here
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DomainPage:
    """A value domain and who uses it."""

    standing: Standing
    label: str
    facts: tuple[Fact, ...]
    code_list: ListBrief | None
    sources: tuple[SourceLine, ...]
    elements: tuple[tuple[str, str], ...]
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberLine:
    """A place in a dataset."""

    code: str
    label: str
    technical_name: str
    datatype: str
    length: str | None
    code_list: ListBrief | None
    key: bool
    required: bool
    unique: bool
    many: bool
    sensitivity: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetPage:
    """A dataset as the dictionary defines it."""

    standing: Standing
    label: str
    definition: str
    domain: str
    table: str
    members: tuple[MemberLine, ...]
    key: tuple[str, ...]
    record_date: str | None
    allowed_lag_s: int
    rules: int
    ddl: str
    databases: tuple[tuple[str, str, str], ...]  # link, owner, table
    sources: tuple[SourceLine, ...]
    hash: str


def standing_of(identity: Identity) -> Standing:
    """Return identity as plain words."""
    return Standing(
        id=identity.id,
        version=identity.version,
        status=identity.status.value,
        level=identity.level.value,
        valid_from=None if identity.valid_from is None else f"{identity.valid_from:%d/%m/%Y}",
        valid_to=None if identity.valid_to is None else f"{identity.valid_to:%d/%m/%Y}",
        superseded_by=None if identity.superseded_by is None else str(identity.superseded_by),
    )


def source_lines(sources: Sequence[Source]) -> tuple[SourceLine, ...]:
    """Return sources as plain words, in the order given."""
    return tuple(
        SourceLine(text=cited(source), trust=source.trust.value, address=source.address, note=source.note)
        for source in sources
    )


def element_page(
    dictionary: Dictionary,
    name: ElementId,
    *,
    mappings: Sequence[ColumnDecisions],
    earlier: Sequence[Dictionary] = (),
) -> ElementPage:
    """Return an element with its 25 descriptors, disputes, versions, columns and uses.

    ``earlier`` are released dictionaries, oldest first; their versions of the element stand beside the current one.
    """
    one = dictionary.elements[name]
    domain = dictionary.domain_of(name)
    return ElementPage(
        standing=standing_of(one.identity),
        label=one.label.vi,
        label_en=one.label.en,
        definition=one.definition.vi,
        definition_en=one.definition.en,
        technical_name=one.technical_name,
        concept=one.concept,
        object=object_of(one),
        same_concept=_labels(same_concept(dictionary, name)),
        same_object=_labels(same_object(dictionary, name)),
        group=None if one.group is None else one.group.vi,
        sensitivity=one.sensitivity.value,
        identifier=one.identifier,
        domain_id=domain.identity.id,
        domain_label=domain.label.vi,
        facts=representation(domain),
        code_list=_brief(dictionary.code_list_of(name)),
        descriptors=descriptors(dictionary, name),
        sources=source_lines(one.sources),
        legal_basis=source_lines(one.legal_basis),
        disputes=_disputes(dictionary, one, domain),
        versions=_versions((*earlier, dictionary), name),
        columns=_columns(mappings, name),
        uses=_uses(dictionary, name, mappings),
        related=tuple(
            (code, dictionary.elements[ElementId(code)].label.vi if code in dictionary.elements else None)
            for code in one.related
        ),
        hash=item_hash(one),
    )


def _labels(elements: Sequence[Element]) -> tuple[tuple[str, str], ...]:
    return tuple((one.identity.id, one.label.vi) for one in elements)


def domain_page(dictionary: Dictionary, name: DomainId) -> DomainPage:
    """Return a value domain and the elements that point to it."""
    domain = dictionary.domains[name]
    code_list = None if domain.code_list is None else dictionary.code_lists[domain.code_list]
    return DomainPage(
        standing=standing_of(domain.identity),
        label=domain.label.vi,
        facts=representation(domain),
        code_list=_brief(code_list),
        sources=source_lines(domain.sources),
        elements=tuple(
            (element, one.label.vi) for element, one in dictionary.elements.items() if one.value_domain.id == name
        ),
        hash=item_hash(domain),
    )


def dataset_page(
    dictionary: Dictionary, name: DatasetId, *, mappings: Sequence[ColumnDecisions], rule_set: RuleSet | None
) -> DatasetPage:
    """Return the definition of a dataset and the table that follows from it."""
    dataset = dictionary.datasets[name]
    record_date = None if dataset.record_date is None else dictionary.elements[dataset.record_date].label.vi
    return DatasetPage(
        standing=standing_of(dataset.identity),
        label=dataset.label.vi,
        definition=dataset.definition.vi,
        domain=dataset.domain,
        table=dataset.table,
        members=_members(dictionary, dataset),
        key=tuple(dictionary.elements[element].label.vi for element in dataset.key),
        record_date=record_date,
        allowed_lag_s=dataset.allowed_lag_s,
        rules=0 if rule_set is None else len(rule_set.rules),
        ddl=render_ddl(derive_table(dictionary, dataset)),
        databases=tuple(
            (mapping.source, mapping.owner, str(mapping.table)) for mapping in mappings if mapping.dataset == name
        ),
        sources=source_lines(dataset.sources),
        hash=item_hash(dataset),
    )


def representation(domain: ValueDomain) -> tuple[Fact, ...]:
    """Return what values of a domain look like, in words, with the pattern as it is written."""
    facts = [Fact(title="Loại dữ liệu", text=DATATYPE_VI[domain.datatype])]
    if domain.datatype in FORMAT_VI:
        facts.append(Fact(title="Cách viết", text=FORMAT_VI[domain.datatype]))
    if length := length_in_words(domain):
        facts.append(Fact(title="Độ dài", text=length))
    if domain.pattern is not None:
        words = pattern_in_words(domain.pattern)
        facts.append(Fact(title="Mẫu", text=words or "theo biểu thức", code=domain.pattern))
    if limits := _limits_in_words(domain):
        facts.append(Fact(title="Khoảng giá trị", text=limits))
    if domain.unit is not None:
        facts.append(Fact(title="Đơn vị", text=domain.unit))
    if domain.check_digit is not None:
        facts.append(Fact(title="Kiểm tra thêm", text=CHECK_DIGIT_VI.get(domain.check_digit, domain.check_digit)))
    normalisation = UNKNOWN_VI if domain.normalisation is None else domain.normalisation.vi
    facts.append(Fact(title="Quy tắc chuẩn hóa", text=normalisation))
    facts.append(Fact(title="Bộ chuẩn hóa", text="thực hiện bởi", code=domain.standardiser))
    facts.append(Fact(title="Kiểu RDF/OWL", text="", code=domain.rdf_type))
    return tuple(facts)


def length_in_words(domain: ValueDomain) -> str | None:
    """Return how long values are, or None where no source limits them."""
    if domain.precision is not None:
        return f"{domain.precision} chữ số, trong đó {domain.scale or 0} chữ số lẻ"
    least, most = domain.min_length, domain.max_length
    if most is None:
        return None if least is None else f"ít nhất {least} ký tự"
    if least == most:
        return f"đúng {most} ký tự"
    return f"nhiều nhất {most} ký tự" if least in {None, 0, 1} else f"từ {least} đến {most} ký tự"


def _limits_in_words(domain: ValueDomain) -> str:
    def said(bound: str) -> str:
        return "ngày của bản ghi" if bound == TODAY else bound

    parts = []
    if domain.minimum is not None:
        parts.append(f"từ {said(domain.minimum)}")
    if domain.maximum is not None:
        parts.append(f"đến {said(domain.maximum)}")
    return " ".join(parts)


def _brief(code_list: CodeList | None) -> ListBrief | None:
    if code_list is None:
        return None
    return ListBrief(id=code_list.identity.id, label=code_list.label.vi, complete=code_list.complete)


def _disputes(dictionary: Dictionary, one: Element, domain: ValueDomain) -> tuple[Dispute, ...]:
    ours = _ours(dictionary, one, domain)
    by_descriptor: dict[str, list[Claim]] = {}
    for conflict in one.conflicts:
        held = ours.get(conflict.descriptor)
        by_descriptor.setdefault(conflict.descriptor, []).append(
            Claim(
                value=conflict.value,
                source=source_lines([conflict.source])[0],
                agrees=held is not None and conflict.value == held,
            )
        )
    return tuple(
        Dispute(title=_DESCRIPTOR_VI.get(key, key), ours=ours.get(key), claims=tuple(claims))
        for key, claims in by_descriptor.items()
    )


def _ours(dictionary: Dictionary, one: Element, domain: ValueDomain) -> dict[str, str | None]:
    """Return what the dictionary itself uses, by the names that conflicts give descriptors."""
    held = {each.key: each.value for each in descriptors(dictionary, ElementId(one.identity.id))}
    return {
        **held,
        "max_length": None if domain.max_length is None else str(domain.max_length),
        "min_length": None if domain.min_length is None else str(domain.min_length),
        "normalisation": None if domain.normalisation is None else domain.normalisation.vi,
    }


def _versions(dictionaries: Sequence[Dictionary], name: ElementId) -> tuple[VersionColumn, ...]:
    """Return each version once, newest first; a version is compared with the one before it."""
    columns: list[VersionColumn] = []
    seen: set[str] = set()
    before: tuple[str, ...] | None = None
    for dictionary in dictionaries:
        one = dictionary.elements.get(name)
        if one is None or one.identity.version in seen:
            continue
        seen.add(one.identity.version)
        values = tuple(each.value for each in descriptors(dictionary, name))
        changed = frozenset(
            number
            for number, value in enumerate(values, start=1)
            if before is not None and value != before[number - 1]
        )
        columns.append(VersionColumn(standing=standing_of(one.identity), values=values, changed=changed))
        before = values
    return tuple(reversed(columns))


def _columns(mappings: Sequence[ColumnDecisions], name: ElementId) -> tuple[ColumnLine, ...]:
    return tuple(
        ColumnLine(
            source=mapping.source,
            owner=mapping.owner,
            table=str(mapping.table),
            column=column.column,
            native_type=column.native_type,
            relation=column.relation.value,
            form=column.form,
            reason=column.reason,
            dataset=mapping.dataset,
        )
        for mapping in mappings
        for column in mapping.columns
        if column.element == name
    )


def _uses(dictionary: Dictionary, name: ElementId, mappings: Sequence[ColumnDecisions]) -> tuple[UseLine, ...]:
    lines = []
    for dataset in datasets_with(dictionary, name):
        member = next(member for member in dataset.members if member.element == name)
        fed_by = [mapping.source for mapping in mappings if mapping.dataset == dataset.identity.id]
        lines.append(
            UseLine(
                dataset=dataset.identity.id,
                label=dataset.label.vi,
                domain=dataset.domain,
                table=dataset.table,
                key=member.key,
                required=member.required,
                unique=member.unique,
                many=member.many,
                fed_by=tuple(dict.fromkeys(fed_by)),
            )
        )
    return tuple(lines)


def _members(dictionary: Dictionary, dataset: Dataset) -> tuple[MemberLine, ...]:
    lines = []
    for member in dataset.members:
        element = dictionary.elements[member.element]
        domain = dictionary.domain_of(member.element)
        lines.append(
            MemberLine(
                code=element.identity.id,
                label=element.label.vi,
                technical_name=element.technical_name,
                datatype=DATATYPE_VI[domain.datatype],
                length=length_in_words(domain),
                code_list=_brief(dictionary.code_list_of(member.element)),
                key=member.key,
                required=member.required,
                unique=member.unique,
                many=member.many,
                sensitivity=element.sensitivity.value,
            )
        )
    return tuple(lines)
