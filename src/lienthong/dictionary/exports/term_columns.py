"""The 25 columns of a term: how an element stands in them, and how it is read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from lienthong.dictionary.canonical import plain
from lienthong.dictionary.descriptors import STATUS_VI, TITLES, descriptors
from lienthong.dictionary.exports import cells
from lienthong.dictionary.exports.cells import CellNotRead, escaped, joined, lines_of, tagged, unescaped
from lienthong.dictionary.model import UNKNOWN_VI, Dictionary, Element, ElementId, Level, Sensitivity

COLUMNS: Final = tuple(f"{number}. {title}" for number, (_, title) in enumerate(TITLES, start=1))
# What follows from the value domain or the datasets: shown for people, compared and not read.
DERIVED: Final = frozenset({17, 18, 21, 22, 23, 25})

CONCEPT: Final = "khái niệm"
DOMAIN: Final = "miền giá trị"
BASIS: Final = "căn cứ"
SOURCE: Final = "nguồn"
CONFLICT: Final = "mâu thuẫn"
ABBREVIATION: Final = "viết tắt"
SENSITIVITY: Final = "mức nhạy cảm"
IDENTIFIER: Final = "trường định danh"
YES: Final = "có"

SENSITIVITY_VI: Final[Mapping[Sensitivity, str]] = {
    Sensitivity.PUBLIC: "công khai",
    Sensitivity.INTERNAL: "nội bộ",
    Sensitivity.BASIC_PERSONAL: "dữ liệu cá nhân cơ bản",
    Sensitivity.SENSITIVE_PERSONAL: "dữ liệu cá nhân nhạy cảm",
}
LEVEL_VI: Final[Mapping[Level, str]] = {Level.NATIONAL: "quốc gia", Level.SECTOR: "chuyên ngành"}
_VERSION_WORDS: Final[Mapping[str, str]] = {
    "phiên bản": "version",
    "trạng thái": "status",
    "cấp": "level",
    "hiệu lực từ": "valid_from",
    "hết hiệu lực từ": "valid_to",
    "thay bằng": "superseded_by",
}

Read = Callable[[str], dict[str, Any]]  # cell → fields of the element, as its file would hold them


def term_row(dictionary: Dictionary, element: Element) -> tuple[str, ...]:
    """Return an element as its 25 cells, in the official order."""
    shown = {one.n: one.value for one in descriptors(dictionary, ElementId(element.identity.id))}
    value = plain(element)
    domain = [shown[16], tagged(DOMAIN, str(element.value_domain))]
    written: dict[int, str] = {
        1: escaped(element.identity.id),
        2: cells.text_cell(element.label),
        3: cells.text_cell(element.definition),
        4: cells.text_cell(element.usage),
        5: cells.text_cell(element.group),
        6: joined([*_given(element.entity_relation), tagged(CONCEPT, escaped(element.concept))]),
        7: joined(_given(element.creator)),
        8: joined(_given(element.owner)),
        9: joined(escaped(one) for one in element.languages),
        10: joined(_version_lines(element)),
        11: joined(_source_lines(value)),
        12: joined(
            [escaped(one) for one in element.synonyms]
            + [tagged(ABBREVIATION, escaped(one)) for one in element.abbreviations]
        ),
        13: joined(escaped(one) for one in element.related),
        14: joined(_business_lines(element)),
        15: escaped(element.technical_name),
        16: joined(domain),
        19: joined(escaped(one) for one in element.related),
        20: joined(cells.pairs_lines(element.technical_attributes)),
        24: joined(f"{escaped(one.to)} ({one.relation.value})" for one in element.mappings),
    }
    row = [shown[number] if number in DERIVED else written[number] for number in range(1, len(TITLES) + 1)]
    return tuple(cell or UNKNOWN_VI for cell in row)


def _given(text: str | None) -> list[str]:
    return [] if text is None else [escaped(text)]


def _version_lines(element: Element) -> list[str]:
    identity = element.identity
    lines = [
        f"phiên bản: {identity.version}",
        f"trạng thái: {STATUS_VI[identity.status]}",
        f"cấp: {LEVEL_VI[identity.level]}",
    ]
    lines += [] if identity.valid_from is None else [f"hiệu lực từ: {identity.valid_from.isoformat()}"]
    lines += [] if identity.valid_to is None else [f"hết hiệu lực từ: {identity.valid_to.isoformat()}"]
    return lines + ([] if identity.superseded_by is None else [f"thay bằng: {identity.superseded_by}"])


def _source_lines(value: Mapping[str, Any]) -> list[str]:
    """Write legal bases, sources and what other sources say, each source as one line."""
    lines = [tagged(BASIS, cells.source_line(one)) for one in value.get("legal_basis", ())]
    lines += [tagged(SOURCE, cells.source_line(one)) for one in value.get("sources", ())]
    for one in value.get("conflicts", ()):
        what, said = escaped(one["descriptor"], also="|"), escaped(one["value"], also="|")
        lines.append(tagged(CONFLICT, cells.BETWEEN_PARTS.join([what, said, cells.source_line(one["source"])])))
    return lines


def _business_lines(element: Element) -> list[str]:
    lines = [tagged(SENSITIVITY, SENSITIVITY_VI[element.sensitivity])]
    lines += [tagged(IDENTIFIER, YES)] if element.identifier else []
    return lines + cells.pairs_lines(element.business_attributes)


def _one(key: str) -> Read:
    def read(cell: str) -> dict[str, Any]:
        found = list(lines_of(cell))
        if len(found) > 1 or any(tag for tag, _ in found):
            raise CellNotRead("one value is expected, on one line")
        return {key: unescaped(found[0][1])} if found else {}

    return read


def _text(key: str) -> Read:
    def read(cell: str) -> dict[str, Any]:
        text = cells.read_text(cell)
        return {key: text} if text else {}

    return read


def _list(key: str) -> Read:
    def read(cell: str) -> dict[str, Any]:
        found = _by_tag(cell, {"": key})
        return {key: [unescaped(one) for one in found[key]]} if found[key] else {}

    return read


def _by_tag(cell: str, keys: Mapping[str, str]) -> dict[str, list[str]]:
    """Collect the lines of a cell by what their tags mean; escaped still."""
    found: dict[str, list[str]] = {key: [] for key in keys.values()}
    for tag, rest in lines_of(cell):
        if tag not in keys:
            known = ", ".join(f"[{one}]" for one in keys if one)
            raise CellNotRead(f"[{tag}] is not known here" + (f"; known are {known}" if known else ""))
        found[keys[tag]].append(rest)
    return found


def _relation(cell: str) -> dict[str, Any]:
    found = _by_tag(cell, {"": "entity_relation", CONCEPT: "concept"})
    if any(len(some) > 1 for some in found.values()):
        raise CellNotRead(f"one line is expected, and one with [{CONCEPT}]")
    return {key: unescaped(some[0]) for key, some in found.items() if some}


def _version(cell: str) -> dict[str, Any]:
    statuses = {word: status.value for status, word in STATUS_VI.items()}
    levels = {word: level.value for level, word in LEVEL_VI.items()}
    found: dict[str, Any] = {}
    for tag, rest in lines_of(cell):
        word, sign, value = rest.partition(":")
        key = _VERSION_WORDS.get(word.strip())
        value = value.strip()
        if tag or key is None or not sign or key in found:
            raise CellNotRead(f"each line must be one of: {', '.join(f'{one}: …' for one in _VERSION_WORDS)}")
        if key in {"valid_from", "valid_to"}:
            found[key] = _day(value)
        else:
            found[key] = {"status": statuses, "level": levels}.get(key, {}).get(value, value)
    return found


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise CellNotRead("a day must be written YYYY-MM-DD")
    return day


def _sources(cell: str) -> dict[str, Any]:
    found = _by_tag(cell, {"": "legal_basis", BASIS: "legal_basis", SOURCE: "sources", CONFLICT: "conflicts"})
    read: dict[str, Any] = {
        key: [cells.read_source(line) for line in found[key]] for key in ("legal_basis", "sources") if found[key]
    }
    conflicts = []
    for line in found["conflicts"]:
        what, said, *source = cells.split(line, cells.BETWEEN_PARTS)
        if not source:
            raise CellNotRead(f"write [{CONFLICT}] what differs | what it says | document | …")
        read_source = cells.read_source(cells.BETWEEN_PARTS.join(source))
        conflicts.append({"descriptor": unescaped(what), "value": unescaped(said), "source": read_source})
    return read | ({"conflicts": conflicts} if conflicts else {})


def _names(cell: str) -> dict[str, Any]:
    found = _by_tag(cell, {"": "synonyms", ABBREVIATION: "abbreviations"})
    return {key: [unescaped(one) for one in some] for key, some in found.items() if some}


def _business(cell: str) -> dict[str, Any]:
    found = _by_tag(cell, {"": "pairs", SENSITIVITY: "sensitivity", IDENTIFIER: "identifier"})
    words = {word: sensitivity.value for sensitivity, word in SENSITIVITY_VI.items()}
    read: dict[str, Any] = _pairs("business_attributes", found["pairs"])
    if len(found["sensitivity"]) > 1 or found["identifier"] not in ([], [YES]):
        raise CellNotRead(f"write [{SENSITIVITY}] once, and [{IDENTIFIER}] {YES} or nothing")
    if found["sensitivity"]:
        read["sensitivity"] = words.get(found["sensitivity"][0], found["sensitivity"][0])
    return read | ({"identifier": True} if found["identifier"] else {})


def _pairs(key: str, lines: Sequence[str]) -> dict[str, Any]:
    pairs = [cells.read_pair(line) for line in lines]
    if len({name for name, _ in pairs}) != len(pairs):
        raise CellNotRead("a name stands twice")
    return {key: dict(pairs)} if pairs else {}


def _technical(cell: str) -> dict[str, Any]:
    return _pairs("technical_attributes", _by_tag(cell, {"": "pairs"})["pairs"])


def _type(cell: str) -> dict[str, Any]:
    found = _by_tag(cell, {"": "type", DOMAIN: "value_domain"})
    if len(found["value_domain"]) != 1:
        raise CellNotRead(f"name one value domain: [{DOMAIN}] vd-ho-ten@1.0.0")
    return {"value_domain": found["value_domain"][0].strip(), "": joined(found["type"])}


def _mappings(cell: str) -> dict[str, Any]:
    mappings = []
    for line in _by_tag(cell, {"": "mappings"})["mappings"]:
        to, sign, relation = line.rpartition(" (")
        if not sign or not relation.endswith(")"):
            raise CellNotRead("write the term and how it relates: schema:name (close)")
        mappings.append({"to": unescaped(to), "relation": relation.removesuffix(")")})
    return {"mappings": mappings} if mappings else {}


READERS: Final[Mapping[int, Read]] = {
    1: _one("id"),
    2: _text("label"),
    3: _text("definition"),
    4: _text("usage"),
    5: _text("group"),
    6: _relation,
    7: _one("creator"),
    8: _one("owner"),
    9: _list("languages"),
    10: _version,
    11: _sources,
    12: _names,
    13: _list("related"),
    14: _business,
    15: _one("technical_name"),
    16: _type,
    19: _list("related"),
    20: _technical,
    24: _mappings,
}

# In which column a field of the element is mended.
COLUMN_OF: Final[Mapping[str, int]] = {
    "id": 1, "label": 2, "definition": 3, "usage": 4, "group": 5, "entity_relation": 6, "concept": 6, "creator": 7,
    "owner": 8, "languages": 9, "version": 10, "status": 10, "level": 10, "valid_from": 10, "valid_to": 10,
    "superseded_by": 10, "legal_basis": 11, "sources": 11, "conflicts": 11, "synonyms": 12, "abbreviations": 12,
    "related": 13, "business_attributes": 14, "sensitivity": 14, "identifier": 14, "technical_name": 15,
    "value_domain": 16, "technical_attributes": 20, "mappings": 24,
}  # fmt: skip
