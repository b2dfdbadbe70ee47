"""Datasets as tables of PostgreSQL, with lookup tables for their codes; never an ENUM, which could not end a code.

This is the contract an agency may build its own tables by. The tables the centre keeps are others: they take every
record, hold its provenance, and leave judging to the checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lienthong.dictionary.exports.selection import lists_of
from lienthong.dictionary.exports.sql_codes import CODES_SCHEMA, PRELUDE, lookup_tables, quoted, table_of
from lienthong.dictionary.json_schema import PARTIAL_DATE_PATTERN
from lienthong.dictionary.model import CodeList, Dataset, Datatype, Dictionary, Element, Member, ValueDomain

DATA_SCHEMA: Final = "du_lieu"
TODAY: Final = "today"

TYPES: Final = {
    Datatype.TEXT: "text",
    Datatype.CODE: "text",
    Datatype.CODES: "text[]",
    Datatype.INTEGER: "bigint",
    # With a scale PostgreSQL would round what it is given; a CHECK refuses it instead.
    Datatype.DECIMAL: "numeric",
    Datatype.DATE: "date",
    Datatype.PARTIAL_DATE: "text",
    Datatype.BOOLEAN: "boolean",
    Datatype.TIMESTAMP: "timestamp with time zone",
}
_WRITTEN: Final = frozenset({Datatype.TEXT, Datatype.CODE, Datatype.PARTIAL_DATE})
_MEASURED: Final = frozenset({Datatype.INTEGER, Datatype.DECIMAL, Datatype.DATE, Datatype.PARTIAL_DATE})

# Vietnam has had one offset since 1975; by its name the server would need a time zone database.
_DAY_IN_VIETNAM: Final = "(now() AT TIME ZONE INTERVAL '+07:00')::date"
_WEIGHTS: Final = (31, 29, 23, 19, 17, 13, 7, 5, 3)  # of the check digit "mst"
_MST_SHAPE: Final = "^[0-9]{10}(-[0-9]{3})?$"


def sql_ddl(dictionary: Dictionary, datasets: Sequence[Dataset]) -> str:
    """Return a script that makes the tables of some datasets and fills the lookup tables of their codes.

    Vietnamese: kịch bản tạo bảng dữ liệu và danh mục.

    Raises:
        NameTooLong: a name would be cut by PostgreSQL.
    """
    parts = [
        f"-- Từ điển dữ liệu dùng chung {dictionary.version} ({dictionary.digest})",
        f"-- {', '.join(f'{one.identity.id}@{one.identity.version}' for one in datasets)}",
        "BEGIN;",
        PRELUDE,
        f"CREATE SCHEMA IF NOT EXISTS {DATA_SCHEMA};",
        f"COMMENT ON SCHEMA {DATA_SCHEMA} IS {quoted('Bảng dữ liệu theo từ điển dữ liệu dùng chung')};",
    ]
    for name in lists_of(dictionary, datasets):
        parts += lookup_tables(dictionary.code_lists[name])
    for dataset in datasets:
        parts += _table(dictionary, dataset)
    return "\n".join([*parts, "COMMIT;"]) + "\n"


def column_type(domain: ValueDomain, *, many: bool) -> str:
    """Return the type of a column, which takes every value of the domain unaltered."""
    plain = TYPES[domain.datatype]
    return plain if not many or plain.endswith("[]") else f"{plain}[]"


def _table(dictionary: Dictionary, dataset: Dataset) -> Iterator[str]:
    name = f'{DATA_SCHEMA}."{dataset.table}"'
    lines = [
        *(_column(dictionary, member) for member in dataset.members),
        *_keys(dictionary, dataset),
        *(line for member in dataset.members for line in _constraints(dictionary, dataset, member)),
    ]
    yield f"CREATE TABLE {name} (\n    " + ",\n    ".join(lines) + "\n);"
    yield f"COMMENT ON TABLE {name} IS {quoted(f'{dataset.label.vi}: {dataset.definition.vi}')};"
    for member in dataset.members:
        element = dictionary.elements[member.element]
        column = f'{name}."{element.technical_name}"'
        yield f"COMMENT ON COLUMN {column} IS {quoted(_comment(dictionary, member))};"


def _column(dictionary: Dictionary, member: Member) -> str:
    element = dictionary.elements[member.element]
    kind = column_type(dictionary.domain_of(member.element), many=member.many)
    return f'"{element.technical_name}" {kind}{" NOT NULL" if member.required else ""}'


def _comment(dictionary: Dictionary, member: Member) -> str:
    element = dictionary.elements[member.element]
    code_list = dictionary.code_list_of(member.element)
    text = f"{element.label.vi} ({element.identity.id}@{element.identity.version}): {element.definition.vi}"
    if code_list is None:
        return text
    open_ended = "" if code_list.complete else "; danh mục chưa đầy đủ, mã ngoài danh mục vẫn được nhận"
    return f"{text} Mã theo {CODES_SCHEMA}.{code_list.identity.id.replace('-', '_')}{open_ended}"


def _keys(dictionary: Dictionary, dataset: Dataset) -> Iterator[str]:
    def names(members: Sequence[Member]) -> str:
        return ", ".join(f'"{dictionary.elements[member.element].technical_name}"' for member in members)

    key = [member for member in dataset.members if member.key]
    if key:
        yield f"PRIMARY KEY ({names(key)})"
    for member in dataset.members:
        if member.unique and key != [member]:
            yield f"UNIQUE ({names([member])})"


def _constraints(dictionary: Dictionary, dataset: Dataset, member: Member) -> Iterator[str]:
    """Yield what PostgreSQL can hold by itself; whether a code is in force on a day is asked of the lookup table."""
    element, domain = dictionary.elements[member.element], dictionary.domain_of(member.element)
    name = f'"{element.technical_name}"'
    if member.many and domain.datatype is not Datatype.CODES:
        return
    for kind, condition in _conditions(dictionary, dataset, element, domain):
        yield f'CONSTRAINT "{element.technical_name}_{kind}" CHECK ({condition})'
    code_list = dictionary.code_list_of(member.element)
    if domain.datatype is Datatype.CODE and code_list is not None and _is_sound(code_list):
        constraint = f'"{element.technical_name}_danh_muc"'
        yield f"CONSTRAINT {constraint} FOREIGN KEY ({name}) REFERENCES {table_of(code_list)} (code)"


def _is_sound(code_list: CodeList) -> bool:
    """Say whether a code outside the list is wrong for certain; an incomplete list may lack a right one."""
    return code_list.complete and bool(code_list.codes)


def _conditions(
    dictionary: Dictionary, dataset: Dataset, element: Element, domain: ValueDomain
) -> Iterator[tuple[str, str]]:
    name = f'"{element.technical_name}"'
    kind = domain.datatype
    if kind is Datatype.TEXT:
        yield "nfc", f"{name} IS NFC NORMALIZED"
    if kind is Datatype.CODES and domain.pattern is not None:
        yield "mau", f"{CODES_SCHEMA}.every_match({name}, {quoted(domain.pattern)})"
    if kind in _WRITTEN and domain.pattern is not None:
        yield "mau", f"{name} ~ {quoted(domain.pattern)}"
    if kind in _WRITTEN and (length := _length(name, domain)):
        yield "dai", length
    if kind is Datatype.PARTIAL_DATE:
        yield "ngay", _calendar(name)
    if kind is Datatype.DECIMAL:
        whole = (domain.precision or 0) - (domain.scale or 0)
        yield "so_le", f"scale(trim_scale({name})) <= {domain.scale or 0} AND abs({name}) < 10::numeric ^ {whole}"
    if kind in _MEASURED and (limits := _limits(dictionary, dataset, name, domain)):
        yield "khoang", limits
    if domain.check_digit == "mst":
        yield "so_kiem_tra", _mst(name)


def _length(name: str, domain: ValueDomain) -> str:
    least = [] if domain.min_length is None else [f"char_length({name}) >= {domain.min_length}"]
    most = [] if domain.max_length is None else [f"char_length({name}) <= {domain.max_length}"]
    return " AND ".join([*least, *most])


def _calendar(name: str) -> str:
    """Ask for a day that exists; CASE keeps the parts away from casts until their shape is known."""
    month = f"make_date(substr({name}, 1, 4)::integer, substr({name}, 6, 2)::integer, 1)"
    days = f"extract(day FROM {month} + INTERVAL '1 month' - INTERVAL '1 day')"
    return (
        f"CASE WHEN {name} ~ {quoted(PARTIAL_DATE_PATTERN)} AND substr({name}, 1, 4) <> '0000' "
        f"THEN char_length({name}) < 10 OR substr({name}, 9, 2)::integer <= {days} ELSE {name} IS NULL END"
    )


def _limits(dictionary: Dictionary, dataset: Dataset, name: str, domain: ValueDomain) -> str:
    parts = []
    for sign, bound in ((">=", domain.minimum), ("<=", domain.maximum)):
        if bound is not None:
            parts.append(f"{name} {sign} {_bound(dictionary, dataset, name, domain, bound)}")
    return " AND ".join(parts)


def _bound(dictionary: Dictionary, dataset: Dataset, name: str, domain: ValueDomain, bound: str) -> str:
    if bound != TODAY:
        return bound if domain.datatype in {Datatype.INTEGER, Datatype.DECIMAL} else quoted(bound)
    day = _DAY_IN_VIETNAM
    if dataset.record_date is not None:
        record_day = dictionary.elements[dataset.record_date]
        if dictionary.domain_of(dataset.record_date).datatype is Datatype.DATE:
            # LEAST ignores nulls: without a record date the day itself is the limit.
            day = f'least("{record_day.technical_name}", {day})'
    # A partial date is compared as far as it goes: 2025-11 is not after 2025-11-05.
    if domain.datatype is not Datatype.PARTIAL_DATE:
        return day
    return f"left(to_char({day}, 'YYYY-MM-DD'), char_length({name})) COLLATE \"C\""


def _mst(name: str) -> str:
    terms = " + ".join(f"{weight} * substr({name}, {n}, 1)::integer" for n, weight in enumerate(_WEIGHTS, start=1))
    return (
        f"CASE WHEN {name} ~ {quoted(_MST_SHAPE)} "
        f"THEN 10 - ({terms}) % 11 = substr({name}, 10, 1)::integer ELSE {name} IS NULL END"
    )
