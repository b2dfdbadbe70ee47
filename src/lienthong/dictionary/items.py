"""From one document to one item of the dictionary."""

from __future__ import annotations

import re
from typing import Final

from lienthong.dictionary.concepts import CONCEPT
from lienthong.dictionary.documents import Document
from lienthong.dictionary.fields import Fields
from lienthong.dictionary.model import (
    Code,
    CodeList,
    CodeListId,
    Conflict,
    Dataset,
    Datatype,
    Element,
    ElementId,
    Identity,
    Level,
    Member,
    OutsideMapping,
    Ref,
    Relation,
    Sensitivity,
    Status,
    ValueDomain,
)
from lienthong.dictionary.names import TABLE_NAME_BYTES_MAX, TECHNICAL_NAME_BYTES_MAX, name_fault
from lienthong.dictionary.patterns import pattern_fault

ELEMENT_ID: Final = re.compile(r"[A-Z][A-Za-z0-9]*(_[A-Z][A-Za-z0-9]*)*")
OTHER_ID: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
VERSION: Final = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}")
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,38}(\.[0-9]{1,38})?")
_DAY: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")

CORE_DOMAINS: Final = ("Con người", "Pháp nhân/Tổ chức", "Tài sản", "Địa chính", "Địa chỉ", "Nền địa lý")
CHECK_DIGITS: Final = frozenset({"mst"})
TONE_STYLES: Final = ("keep", "new", "old")
TONED: Final = frozenset({"address", "organisation-name", "person-name", "text"})  # kernels that place tone marks
PRECISION_MAX: Final = 38  # Decimal(38) is what Polars, Arrow and DuckDB hold

STANDARDISERS: Final = {  # kernel → the datatype it gives; tests hold it to the kernels that exist
    "address": Datatype.TEXT,
    "agency-code": Datatype.TEXT,
    "boolean": Datatype.BOOLEAN,
    "citizen-card-old": Datatype.TEXT,
    "code": Datatype.CODE,
    "codes": Datatype.CODES,
    "date": Datatype.DATE,
    "decimal": Datatype.DECIMAL,
    "health-card": Datatype.TEXT,
    "identifier": Datatype.TEXT,
    "integer": Datatype.INTEGER,
    "organisation-name": Datatype.TEXT,
    "parcel-hash": Datatype.TEXT,
    "partial-date": Datatype.PARTIAL_DATE,
    "passport": Datatype.TEXT,
    "person-name": Datatype.TEXT,
    "personal-number": Datatype.TEXT,
    "phone": Datatype.TEXT,
    "plate": Datatype.TEXT,
    "procedure-code": Datatype.TEXT,
    "social-insurance": Datatype.TEXT,
    "tax-code": Datatype.TEXT,
    "text": Datatype.TEXT,
    "timestamp": Datatype.TIMESTAMP,
}

_IDENTITY: Final = frozenset({"id", "version", "status", "level", "valid_from", "valid_to", "superseded_by"})
_IDENTITY_NEEDED: Final = frozenset({"id", "version", "status", "level"})

_ELEMENT_NEEDED: Final = _IDENTITY_NEEDED | {
    "label", "definition", "concept", "value_domain", "technical_name", "sensitivity", "sources",
}  # fmt: skip
_ELEMENT: Final = _IDENTITY | _ELEMENT_NEEDED | {
    "usage", "group", "entity_relation", "creator", "owner", "languages", "legal_basis", "synonyms", "abbreviations",
    "related", "business_attributes", "technical_attributes", "mappings", "identifier", "conflicts",
}  # fmt: skip
_DOMAIN_NEEDED: Final = _IDENTITY_NEEDED | {"label", "datatype", "rdf_type", "standardiser", "sources"}
_DOMAIN: Final = _IDENTITY | _DOMAIN_NEEDED | {
    "max_length", "min_length", "pattern", "precision", "scale", "minimum", "maximum", "unit", "code_list",
    "check_digit", "tone_style", "normalisation",
}  # fmt: skip
_CODE_LIST_NEEDED: Final = _IDENTITY_NEEDED | {"label", "sources"}
_CODE_LIST: Final = _IDENTITY | _CODE_LIST_NEEDED | {"complete", "parent_list", "within_list"}
_DATASET_NEEDED: Final = _IDENTITY_NEEDED | {"label", "definition", "table", "domain", "members", "sources"}
_DATASET: Final = _IDENTITY | _DATASET_NEEDED | {"record_date", "allowed_lag_s", "rules"}
_MEMBER: Final = frozenset({"element", "required", "key", "unique", "many"})


def identity(fields: Fields, *, name: re.Pattern[str], stem: str) -> Identity:
    """Read the identity of an item whose file is called ``stem``."""
    given = fields.needed("id")
    if given and not name.fullmatch(given):
        fields.refuse("id", "not-an-id", f"id {given} is not written as ids of this kind are")
    elif given and given != stem:
        fields.refuse("id", "file-name", f"id {given} must be the name of the file, {stem}")
    version = fields.needed("version")
    if version and not VERSION.fullmatch(version):
        fields.refuse("version", "not-a-version", "version must be written 1.0.0")
    status = fields.choice("status", Status)
    valid_from, valid_to = fields.day("valid_from"), fields.day("valid_to")
    if valid_from is not None and valid_to is not None and valid_to <= valid_from:
        fields.refuse("valid_to", "empty-period", "valid_to must be later than valid_from")
    successor = fields.ref("superseded_by")
    if status is Status.SUPERSEDED and (successor is None or valid_to is None):
        fields.refuse("status", "superseded-without-successor", "a superseded item names superseded_by and valid_to")
    if status is not Status.SUPERSEDED and successor is not None:
        fields.refuse("superseded_by", "successor-without-status", "only a superseded item has a successor")
    return Identity(
        id=given,
        version=version,
        status=status,
        level=fields.choice("level", Level),
        valid_from=valid_from,
        valid_to=valid_to,
        superseded_by=successor,
    )


def element(document: Document, stem: str) -> Element:
    """Read one element (thuật ngữ)."""
    fields = Fields(document, document.value)
    fields.only(_ELEMENT, _ELEMENT_NEEDED)
    technical_name = fields.needed("technical_name")
    fault = name_fault(technical_name, bytes_max=TECHNICAL_NAME_BYTES_MAX) if technical_name else None
    if fault:
        fields.refuse("technical_name", "technical-name", f"technical_name {technical_name} {fault}")
    concept = fields.needed("concept")
    if concept and not CONCEPT.fullmatch(concept):
        fields.refuse("concept", "not-a-concept", f"concept {concept} must name an object and a property of it")
    return Element(
        identity=identity(fields, name=ELEMENT_ID, stem=stem),
        label=fields.named("label"),
        definition=fields.named("definition"),
        concept=concept,
        value_domain=fields.ref("value_domain") or Ref(id="", version=""),
        technical_name=technical_name,
        usage=fields.translated("usage"),
        group=fields.translated("group"),
        entity_relation=fields.text("entity_relation"),
        creator=fields.text("creator"),
        owner=fields.text("owner"),
        languages=fields.texts("languages") or ("vi",),
        legal_basis=fields.sources("legal_basis"),
        synonyms=fields.texts("synonyms"),
        abbreviations=fields.texts("abbreviations"),
        related=fields.texts("related"),
        business_attributes=fields.pairs("business_attributes"),
        technical_attributes=fields.pairs("technical_attributes"),
        mappings=tuple(_outside(inside) for inside in fields.mappings("mappings")),
        sensitivity=fields.choice("sensitivity", Sensitivity),
        identifier=fields.truth("identifier"),
        sources=fields.sources(),
        conflicts=tuple(_conflict(inside) for inside in fields.mappings("conflicts")),
    )


def _outside(fields: Fields) -> OutsideMapping:
    fields.only(frozenset({"to", "relation"}), frozenset({"to", "relation"}))
    return OutsideMapping(to=fields.needed("to"), relation=fields.choice("relation", Relation))


def _conflict(fields: Fields) -> Conflict:
    keys = frozenset({"descriptor", "value", "source"})
    fields.only(keys, keys)
    inside = fields.mapping("source") or Fields(fields.document, {}, (*fields.path, "source"))
    return Conflict(descriptor=fields.needed("descriptor"), value=fields.needed("value"), source=inside.source())


def value_domain(document: Document, stem: str) -> ValueDomain:
    """Read one value domain (miền giá trị)."""
    fields = Fields(document, document.value)
    fields.only(_DOMAIN, _DOMAIN_NEEDED)
    code_list = fields.text("code_list")
    domain = ValueDomain(
        identity=identity(fields, name=OTHER_ID, stem=stem),
        label=fields.named("label"),
        datatype=fields.choice("datatype", Datatype),
        rdf_type=fields.needed("rdf_type"),
        max_length=fields.integer("max_length"),
        min_length=fields.integer("min_length"),
        pattern=fields.text("pattern"),
        precision=fields.integer("precision"),
        scale=fields.integer("scale"),
        minimum=fields.text("minimum"),
        maximum=fields.text("maximum"),
        unit=fields.text("unit"),
        code_list=None if code_list is None else CodeListId(code_list),
        check_digit=fields.text("check_digit"),
        tone_style=fields.text("tone_style"),
        standardiser=fields.needed("standardiser"),
        normalisation=fields.translated("normalisation"),
        sources=fields.sources(),
    )
    _check_shape(fields, domain)
    return domain


def _check_shape(fields: Fields, domain: ValueDomain) -> None:
    """Note what does not fit together inside one value domain."""
    _check_kernel(fields, domain)
    _check_codes(fields, domain)
    _check_size(fields, domain)
    for key, bound in (("minimum", domain.minimum), ("maximum", domain.maximum)):
        if bound is not None and not _is_bound(bound, domain.datatype):
            fields.refuse(key, "bound", f"{key} {bound} is no limit for {domain.datatype.value}")
    if domain.pattern is not None and (fault := pattern_fault(domain.pattern)):
        fields.refuse("pattern", "pattern", f"pattern {fault}")
    if domain.check_digit is not None and domain.check_digit not in CHECK_DIGITS:
        fields.refuse("check_digit", "unknown-check-digit", f"check_digit must be one of: {', '.join(CHECK_DIGITS)}")
    if domain.tone_style is not None and domain.tone_style not in TONE_STYLES:
        fields.refuse("tone_style", "unknown-value", f"tone_style must be one of: {', '.join(TONE_STYLES)}")
    elif domain.tone_style is not None and domain.standardiser not in TONED:
        fields.refuse("tone_style", "tone-style", f"{domain.standardiser} places no tone marks")


def _is_bound(bound: str, kind: Datatype) -> bool:
    if kind in {Datatype.DATE, Datatype.PARTIAL_DATE}:
        return bound == "today" or _DAY.fullmatch(bound) is not None
    if kind is Datatype.INTEGER:
        return _WHOLE.fullmatch(bound) is not None
    return kind is Datatype.DECIMAL and _DECIMAL.fullmatch(bound) is not None


def _check_kernel(fields: Fields, domain: ValueDomain) -> None:
    if not domain.standardiser:
        return
    gives = STANDARDISERS.get(domain.standardiser)
    if gives is None:
        known = ", ".join(sorted(STANDARDISERS))
        fields.refuse("standardiser", "unknown-kernel", f"standardiser must be one of: {known}")
    elif domain.datatype is not gives:
        text = f"{domain.standardiser} gives {gives.value}, not {domain.datatype.value}"
        fields.refuse("standardiser", "kernel-datatype", text)


def _check_codes(fields: Fields, domain: ValueDomain) -> None:
    coded = domain.datatype in {Datatype.CODE, Datatype.CODES}
    if coded and domain.code_list is None and domain.pattern is None:
        fields.refuse("datatype", "code-without-list", "codes need a code_list or, without a sourced list, a pattern")
    if domain.code_list is not None and not coded:
        fields.refuse("code_list", "list-without-code", f"{domain.datatype.value} has no code list")


def _check_size(fields: Fields, domain: ValueDomain) -> None:
    kind, longest = domain.datatype, domain.max_length
    if kind is Datatype.TEXT and longest is None:
        fields.refuse("max_length", "no-limit", "a text needs max_length")
    if longest is not None and longest < max(1, domain.min_length or 0):
        fields.refuse("max_length", "empty-range", "max_length must be positive and not below min_length")
    given = {domain.precision is not None, domain.scale is not None}
    if given != {kind is Datatype.DECIMAL}:
        fields.refuse("datatype", "precision", "decimals need precision and scale, other types have neither")
    elif domain.precision is not None and not (domain.scale or 0) <= domain.precision <= PRECISION_MAX:
        fields.refuse("precision", "precision", f"scale <= precision <= {PRECISION_MAX} does not hold")


def code_list(
    document: Document, stem: str, codes: tuple[Code, ...], aliases: tuple[tuple[str, str], ...]
) -> CodeList:
    """Read the head of a code list (danh mục); codes and aliases come from the CSV files beside it."""
    fields = Fields(document, document.value)
    fields.only(_CODE_LIST, _CODE_LIST_NEEDED)
    parent, within = fields.text("parent_list"), fields.text("within_list")
    return CodeList(
        identity=identity(fields, name=OTHER_ID, stem=stem),
        label=fields.named("label"),
        codes=codes,
        aliases=aliases,
        sources=fields.sources(),
        complete=fields.truth("complete"),
        parent_list=None if parent is None else CodeListId(parent),
        within_list=None if within is None else CodeListId(within),
    )


def dataset(document: Document, stem: str) -> Dataset:
    """Read one dataset (bộ dữ liệu)."""
    fields = Fields(document, document.value)
    fields.only(_DATASET, _DATASET_NEEDED)
    table, domain = fields.needed("table"), fields.needed("domain")
    if table and (fault := name_fault(table, bytes_max=TABLE_NAME_BYTES_MAX)):
        fields.refuse("table", "technical-name", f"table {table} {fault}")
    if domain and domain not in CORE_DOMAINS:
        fields.refuse("domain", "unknown-value", f"domain must be one of: {', '.join(CORE_DOMAINS)}")
    record_date, lag = fields.text("record_date"), fields.integer("allowed_lag_s")
    return Dataset(
        identity=identity(fields, name=OTHER_ID, stem=stem),
        label=fields.named("label"),
        definition=fields.named("definition"),
        table=table,
        domain=domain,
        members=tuple(_member(inside) for inside in fields.mappings("members")),
        record_date=None if record_date is None else ElementId(record_date),
        **({} if lag is None else {"allowed_lag_s": lag}),
        rules=fields.texts("rules"),
        sources=fields.sources(),
    )


def _member(fields: Fields) -> Member:
    fields.only(_MEMBER, frozenset({"element"}))
    member = Member(
        element=ElementId(fields.needed("element")),
        required=fields.truth("required"),
        key=fields.truth("key"),
        unique=fields.truth("unique"),
        many=fields.truth("many"),
    )
    if member.key and not member.required:
        fields.refuse("key", "key-not-required", "a part of the key must be required")
    return member
