"""The form of a term: its 25 descriptors as fields, and the YAML file that follows from them (biểu mẫu thuật ngữ)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import yaml

from lienthong.dictionary.model import Dictionary, Element, Level, Sensitivity, Source, Trust
from lienthong.dictionary.refusals import Problem
from lienthong.dictionary.writing import as_yaml
from lienthong.portal import dictionary_words

SEPARATOR: Final = "|"
SOURCE_PARTS: Final = ("document", "article", "trust", "address", "note")
SOURCE_HELP: Final = (
    "mỗi dòng một nguồn: văn bản | điều khoản | mức tin cậy | địa chỉ | ghi chú; mức tin cậy là "
    + ", ".join(trust.value for trust in Trust)
)
_TOP_KEY: Final = re.compile(r"([a-z_]+):")
_TRUSTS: Final = frozenset(trust.value for trust in Trust)


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field of the form."""

    name: str  # "definition.vi"
    label: str
    numbers: str  # of the official descriptors: "3", "16, 17, 18"
    kind: str = "line"  # line, text, lines, pairs, sources, mappings, choice, truth, day
    needed: bool = False
    note: str = ""

    @property
    def key(self) -> str:
        """Return the key of the YAML file it goes to."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A field with what stands in it and what is wrong with it."""

    field: Field
    value: str
    problems: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()


FIELDS: Final = (
    Field(name="id", label="Mã định danh duy nhất", numbers="1", needed=True, note="viết liền, ví dụ HoVaTen"),
    Field(name="label.vi", label="Tên nghiệp vụ", numbers="2", needed=True),
    Field(name="label.en", label="Tên tiếng Anh", numbers="2"),
    Field(name="definition.vi", label="Định nghĩa nghiệp vụ", numbers="3", kind="text", needed=True),
    Field(name="definition.en", label="Định nghĩa tiếng Anh", numbers="3", kind="text"),
    Field(name="usage.vi", label="Ngữ cảnh sử dụng", numbers="4", kind="text"),
    Field(name="group.vi", label="Nhóm dữ liệu / phân loại", numbers="5"),
    Field(name="entity_relation", label="Quan hệ với thực thể", numbers="6"),
    Field(name="creator", label="Đơn vị tạo ra dữ liệu", numbers="7"),
    Field(name="owner", label="Đơn vị sở hữu dữ liệu", numbers="8"),
    Field(name="languages", label="Ngôn ngữ", numbers="9", kind="lines", note="mã ngôn ngữ, mỗi dòng một mã"),
    Field(name="version", label="Phiên bản", numbers="10", needed=True, note="ba số, ví dụ 1.1.0"),
    Field(name="valid_from", label="Hiệu lực từ", numbers="10", kind="day", note="để trống nếu chưa xác định"),
    Field(name="level", label="Cấp từ điển", numbers="10", kind="choice", needed=True),
    Field(name="legal_basis", label="Tài liệu liên quan", numbers="11", kind="sources", note=SOURCE_HELP),
    Field(name="synonyms", label="Đồng nghĩa / gần nghĩa", numbers="12", kind="lines", note="mỗi dòng một từ"),
    Field(name="abbreviations", label="Tên viết tắt, tên cột", numbers="12", kind="lines", note="mỗi dòng một tên"),
    Field(
        name="related",
        label="Thuật ngữ liên quan, quan hệ với trường khác",
        numbers="13, 19",
        kind="lines",
        note="mã thuật ngữ, mỗi dòng một mã",
    ),
    Field(
        name="business_attributes",
        label="Thuộc tính nghiệp vụ",
        numbers="14",
        kind="pairs",
        note="mỗi dòng: tên: giá trị",
    ),
    Field(
        name="technical_name",
        label="Tên trường kỹ thuật",
        numbers="15",
        needed=True,
        note="chữ thường không dấu, ví dụ ho_va_ten",
    ),
    Field(
        name="value_domain",
        label="Miền giá trị",
        numbers="16, 17, 18, 21, 22, 25",
        kind="choice",
        needed=True,
        note="loại dữ liệu, độ dài, kiểu RDF, danh sách giá trị, quy tắc chuẩn hóa và miền hợp lệ theo miền giá trị",
    ),
    Field(
        name="technical_attributes",
        label="Thuộc tính kỹ thuật",
        numbers="20",
        kind="pairs",
        note="mỗi dòng: tên: giá trị",
    ),
    Field(
        name="mappings",
        label="Ánh xạ chuẩn quốc tế",
        numbers="24",
        kind="mappings",
        note="mỗi dòng: thuật ngữ | quan hệ (exact, close, broader, narrower), ví dụ schema:name | close",
    ),
    Field(
        name="concept",
        label="Khái niệm",
        numbers="",
        needed=True,
        note="đối tượng.thuộc-tính, ví dụ con-nguoi.ho-ten",
    ),
    Field(name="sensitivity", label="Độ nhạy cảm", numbers="", kind="choice", needed=True),
    Field(name="identifier", label="Là trường định danh (phải đúng 100%)", numbers="", kind="truth"),
    Field(name="sources", label="Nguồn của định nghĩa", numbers="", kind="sources", needed=True, note=SOURCE_HELP),
)


def blank() -> dict[str, str]:
    """Return what stands in the form of a new term."""
    return {"version": "1.0.0", "level": Level.NATIONAL.value, "languages": "vi"}


def filled(element: Element, *, version: str) -> dict[str, str]:
    """Return what stands in the form for a new version of a term."""
    one = element
    values: dict[str, str | None] = {
        "id": one.identity.id,
        "label.vi": one.label.vi,
        "label.en": one.label.en,
        "definition.vi": one.definition.vi,
        "definition.en": one.definition.en,
        "usage.vi": None if one.usage is None else one.usage.vi,
        "group.vi": None if one.group is None else one.group.vi,
        "entity_relation": one.entity_relation,
        "creator": one.creator,
        "owner": one.owner,
        "languages": "\n".join(one.languages),
        "version": version,
        "valid_from": None if one.identity.valid_from is None else one.identity.valid_from.isoformat(),
        "level": one.identity.level.value,
        "legal_basis": _source_lines(one.legal_basis),
        "synonyms": "\n".join(one.synonyms),
        "abbreviations": "\n".join(one.abbreviations),
        "related": "\n".join(one.related),
        "business_attributes": _pair_lines(one.business_attributes),
        "technical_name": one.technical_name,
        "value_domain": str(one.value_domain),
        "technical_attributes": _pair_lines(one.technical_attributes),
        "mappings": "\n".join(f"{each.to} {SEPARATOR} {each.relation.value}" for each in one.mappings),
        "concept": one.concept,
        "sensitivity": one.sensitivity.value,
        "identifier": "on" if one.identifier else "",
        "sources": _source_lines(one.sources),
    }
    return {name: value for name, value in values.items() if value}


def _source_lines(sources: Iterable[Source]) -> str:
    lines = []
    for source in sources:
        parts = [source.document, source.article, source.trust.value, source.address, source.note]
        while parts[-1] is None:
            parts.pop()
        lines.append(f" {SEPARATOR} ".join(part or "" for part in parts))
    return "\n".join(lines)


def _pair_lines(pairs: Mapping[str, str]) -> str:
    return "\n".join(f"{key}: {value}" for key, value in sorted(pairs.items()))


def as_file(values: Mapping[str, str], before: Element | None) -> tuple[str, dict[str, list[str]]]:
    """Return the YAML file that the fields make, and what is wrong with single fields.

    What the form does not show, such as the words of other sources, is taken over from the version before.
    """
    content: dict[str, Any] = {} if before is None else yaml.safe_load(as_yaml(before))
    content.pop("superseded_by", None)
    content["status"] = "proposed"
    problems: dict[str, list[str]] = {}
    for field in FIELDS:
        typed = _clean(values.get(field.name, ""))
        try:
            value = _READERS[field.kind](typed)
        except ValueError as error:
            problems.setdefault(field.name, []).append(str(error))
            continue
        if field.needed and not value:
            problems.setdefault(field.name, []).append("không được để trống")
        _put(content, field.name, value)
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=True, width=110, default_flow_style=False)
    return text, problems


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _put(content: dict[str, Any], name: str, value: object) -> None:
    """Put a value at its key; an empty one takes the key away."""
    key, _, inside = name.partition(".")
    if not inside:
        if value:
            content[key] = value
        else:
            content.pop(key, None)
        return
    held = dict(content.get(key) or {})
    if value:
        held[inside] = value
    else:
        held.pop(inside, None)
    if held:
        content[key] = held
    else:
        content.pop(key, None)


def _line(text: str) -> str:
    return " ".join(text.split())


def _lines(text: str) -> list[str]:
    return [_line(line) for line in text.split("\n") if line.strip()]


def _pairs(text: str) -> dict[str, str]:
    pairs = {}
    for line in _lines(text):
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not value.strip():
            raise ValueError(f"dòng “{line}” phải viết tên: giá trị")
        pairs[name.strip()] = value.strip()
    return pairs


def _sources(text: str) -> list[dict[str, str]]:
    sources = []
    for line in _lines(text):
        parts = [part.strip() for part in line.split(SEPARATOR)]
        source = {name: part for name, part in zip(SOURCE_PARTS, parts, strict=False) if part}
        if len(parts) > len(SOURCE_PARTS) or source.get("trust") not in _TRUSTS:
            raise ValueError(f"dòng “{line}” phải viết văn bản | điều khoản | mức tin cậy | địa chỉ | ghi chú")
        sources.append(source)
    return sources


def _mappings(text: str) -> list[dict[str, str]]:
    mappings = []
    for line in _lines(text):
        to, bar, relation = (part.strip() for part in line.partition(SEPARATOR))
        if not bar or not to or not relation:
            raise ValueError(f"dòng “{line}” phải viết thuật ngữ | quan hệ")
        mappings.append({"to": to, "relation": relation})
    return mappings


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("phải là một ngày, viết 2027-01-01") from None


_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "line": _line,
    "text": _line,
    "choice": _line,
    "lines": _lines,
    "pairs": _pairs,
    "sources": _sources,
    "mappings": _mappings,
    "truth": bool,
    "day": _day,
}


def beside_fields(text: str, problems: Sequence[Problem]) -> tuple[dict[str, list[str]], list[str]]:
    """Return problems of the file by the key they lie in, and those that lie in no field."""
    keys: list[str] = []
    for line in text.split("\n"):
        match = _TOP_KEY.match(line)
        keys.append(match.group(1) if match else (keys[-1] if keys else ""))
    known = {field.key for field in FIELDS}
    placed: dict[str, list[str]] = {}
    rest: list[str] = []
    for problem in problems:
        key = keys[problem.line - 1] if 0 < problem.line <= len(keys) else ""
        own = problem.file.endswith(".yaml") and key in known
        (placed.setdefault(key, []) if own else rest).append(problem.text if own else str(problem))
    return placed, rest


def shown(
    dictionary: Dictionary, values: Mapping[str, str], problems: Mapping[str, Sequence[str]]
) -> tuple[Shown, ...]:
    """Return the fields with their values; a problem of a key stands at its first field."""
    seen: set[str] = set()
    found = []
    for field in FIELDS:
        own = [*problems.get(field.name, ())]
        if field.key not in seen and field.key != field.name:
            own += problems.get(field.key, ())
        seen.add(field.key)
        found.append(
            Shown(
                field=field,
                value=values.get(field.name, ""),
                problems=tuple(own),
                choices=_choices(dictionary, field.name, values.get(field.name, "")),
            )
        )
    return tuple(found)


def _choices(dictionary: Dictionary, name: str, value: str) -> tuple[tuple[str, str], ...]:
    if name == "level":
        return tuple(dictionary_words.LEVEL.items())
    if name == "sensitivity":
        return tuple((each.value, dictionary_words.SENSITIVITY[each.value].text) for each in Sensitivity)
    if name != "value_domain":
        return ()
    domains = sorted(dictionary.domains.values(), key=lambda domain: domain.label.vi.casefold())
    listed = [(f"{one.identity.id}@{one.identity.version}", one.label.vi) for one in domains]
    if value and value not in {choice for choice, _ in listed}:
        listed.append((value, "phiên bản khác"))
    return tuple((choice, f"{label} ({choice})") for choice, label in listed)
