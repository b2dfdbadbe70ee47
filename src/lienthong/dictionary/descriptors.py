"""The 25 descriptors of a term, in the order of Quyết định 2439/QĐ-TTg."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lienthong.dictionary.model import (
    UNKNOWN_VI,
    Dataset,
    Datatype,
    Dictionary,
    Element,
    ElementId,
    Identity,
    Source,
    Status,
    Text,
    ValueDomain,
)

CODES_SHOWN_MAX: Final = 10

TITLES: Final = (  # key, official title
    ("id", "Mã định danh duy nhất"),
    ("business_name", "Tên nghiệp vụ"),
    ("definition", "Định nghĩa nghiệp vụ"),
    ("usage_context", "Ngữ cảnh sử dụng"),
    ("group", "Nhóm dữ liệu / phân loại"),
    ("entity_relation", "Quan hệ với thực thể"),
    ("creator", "Đơn vị tạo ra dữ liệu"),
    ("owner", "Đơn vị sở hữu dữ liệu"),
    ("language", "Ngôn ngữ"),
    ("version_status", "Phiên bản / trạng thái"),
    ("references", "Tài liệu liên quan"),
    ("synonyms", "Đồng nghĩa / gần nghĩa"),
    ("related_terms", "Thuật ngữ liên quan"),
    ("business_attributes", "Thuộc tính nghiệp vụ"),
    ("technical_name", "Tên trường kỹ thuật"),
    ("data_type", "Loại dữ liệu"),
    ("length_format", "Độ dài / định dạng"),
    ("rdf_type", "Kiểu RDF/OWL"),
    ("field_relations", "Quan hệ với trường khác"),
    ("technical_attributes", "Thuộc tính kỹ thuật"),
    ("allowed_values", "Danh sách giá trị"),
    ("normalisation", "Quy tắc chuẩn hóa"),
    ("api", "API truy cập"),
    ("international_mapping", "Ánh xạ chuẩn quốc tế"),
    ("validation", "Miền giá trị hợp lệ"),
)

STATUS_VI: Final[Mapping[Status, str]] = {
    Status.PROPOSED: "Đề xuất",
    Status.REVIEW: "Rà soát",
    Status.CONSULTATION: "Tham vấn",
    Status.APPROVED: "Phê duyệt & Đăng ký",
    Status.SUPERSEDED: "Đã thay thế",
    Status.RETIRED: "Đã thôi dùng",
    Status.REJECTED: "Bị từ chối",
}

DATATYPE_VI: Final[Mapping[Datatype, str]] = {
    Datatype.TEXT: "Chuỗi",
    Datatype.CODE: "Mã",
    Datatype.CODES: "Danh sách mã",
    Datatype.INTEGER: "Số nguyên",
    Datatype.DECIMAL: "Số thập phân",
    Datatype.DATE: "Ngày",
    Datatype.PARTIAL_DATE: "Ngày có thể khuyết",
    Datatype.BOOLEAN: "Đúng/sai",
    Datatype.TIMESTAMP: "Thời điểm",
}

FORMAT_VI: Final[Mapping[Datatype, str]] = {
    Datatype.DATE: "YYYY-MM-DD",
    Datatype.PARTIAL_DATE: "YYYY, YYYY-MM hoặc YYYY-MM-DD",
    Datatype.TIMESTAMP: "YYYY-MM-DDTHH:mm:ss",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Descriptor:
    """One of the 25 descriptors of a term (thuộc tính mô tả thuật ngữ)."""

    n: int  # official number, 1 to 25
    key: str
    title: str
    value: str  # "chưa xác định" where no source says


def descriptors(dictionary: Dictionary, element: ElementId) -> tuple[Descriptor, ...]:
    """Return the 25 descriptors of an element in the official order."""
    one = dictionary.elements[element]
    domain = dictionary.domain_of(element)
    values = (*_business(one), *_technical(dictionary, one, domain))
    return tuple(
        Descriptor(n=number, key=key, title=title, value=value or UNKNOWN_VI)
        for number, ((key, title), value) in enumerate(zip(TITLES, values, strict=True), start=1)
    )


def datasets_with(dictionary: Dictionary, element: ElementId) -> tuple[Dataset, ...]:
    """Return the datasets an element is a member of (nơi dùng)."""
    return tuple(
        dataset
        for dataset in dictionary.datasets.values()
        if any(member.element == element for member in dataset.members)
    )


def _business(one: Element) -> tuple[str, ...]:
    return (
        one.identity.id,
        _both(one.label),
        _both(one.definition),
        _both(one.usage),
        _both(one.group),
        one.entity_relation or "",
        one.creator or "",
        one.owner or "",
        ", ".join(one.languages),
        _version(one.identity),
        "; ".join(cited(source) for source in one.legal_basis),
        "; ".join((*one.synonyms, *one.abbreviations)),
        ", ".join(one.related),
        _pairs(one.business_attributes),
    )


def _technical(dictionary: Dictionary, one: Element, domain: ValueDomain) -> tuple[str, ...]:
    name = one.technical_name
    used = datasets_with(dictionary, ElementId(one.identity.id))
    return (
        ", ".join([name, *(f"{dataset.table}.{name}" for dataset in used)]),
        DATATYPE_VI[domain.datatype],
        _length(domain),
        domain.rdf_type,
        ", ".join(one.related),
        _pairs(one.technical_attributes),
        _values(dictionary, one),
        _both(domain.normalisation),
        "; ".join(f"GET /api/v1/datasets/{dataset.identity.id}/records/{{khóa}}" for dataset in used),
        "; ".join(f"{mapping.to} ({mapping.relation.value})" for mapping in one.mappings),
        _validation(domain),
    )


def _both(text: Text | None) -> str:
    if text is None:
        return ""
    return text.vi if text.en is None else f"{text.vi} / {text.en}"


def _version(identity: Identity) -> str:
    since = UNKNOWN_VI if identity.valid_from is None else identity.valid_from.isoformat()
    until = "" if identity.valid_to is None else f" đến trước {identity.valid_to.isoformat()}"
    return f"{identity.version}; {STATUS_VI[identity.status]}; hiệu lực từ: {since}{until}"


def cited(source: Source) -> str:
    """Return a source as one line."""
    return source.document if source.article is None else f"{source.document}, {source.article}"


def _pairs(pairs: Mapping[str, str]) -> str:
    return "; ".join(f"{key}: {value}" for key, value in sorted(pairs.items()))


def _length(domain: ValueDomain) -> str:
    parts = []
    if domain.precision is not None:
        parts.append(f"{domain.precision} chữ số, {domain.scale} số lẻ")
    elif domain.max_length is not None and domain.max_length == domain.min_length:
        parts.append(f"đúng {domain.max_length} ký tự")
    elif domain.max_length is not None:
        parts.append(f"tối đa {domain.max_length} ký tự")
    if domain.datatype in FORMAT_VI:
        parts.append(FORMAT_VI[domain.datatype])
    return "; ".join(parts)


def _values(dictionary: Dictionary, one: Element) -> str:
    code_list = dictionary.code_list_of(ElementId(one.identity.id))
    if code_list is None:
        return ""
    standing = [code for code in code_list.codes if code.valid_to is None]
    shown = "; ".join(
        code.label.vi if code.code == code.label.vi else f"{code.code} {code.label.vi}"
        for code in standing[:CODES_SHOWN_MAX]
    )
    more = len(standing) - CODES_SHOWN_MAX
    return f"{code_list.identity.id}: {shown}" + (f"; và {more} mã nữa" if more > 0 else "")


def _validation(domain: ValueDomain) -> str:
    parts = []
    if domain.pattern is not None:
        parts.append(domain.pattern)
    if domain.check_digit is not None:
        parts.append(f"chữ số kiểm tra: {domain.check_digit}")
    if domain.minimum is not None:
        parts.append(f"từ {domain.minimum}")
    if domain.maximum is not None:
        parts.append("đến " + ("ngày của bản ghi" if domain.maximum == "today" else domain.maximum))
    if domain.unit is not None:
        parts.append(f"đơn vị: {domain.unit}")
    if domain.code_list is not None:
        parts.append(f"mã có hiệu lực vào ngày của bản ghi trong {domain.code_list}")
    return "; ".join(parts)
