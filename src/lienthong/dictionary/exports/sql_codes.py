"""Code lists as lookup tables of PostgreSQL: a table of codes, and a table of what each meant when (danh mục)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, TypeVar

from lienthong.dictionary.exports.refusals import NameTooLong
from lienthong.dictionary.model import Code, CodeList, CodeListId

CODES_SCHEMA: Final = "danh_muc"
PERIODS: Final = "_hieu_luc"
ON_DAY: Final = "_vao_ngay"
NAME_BYTES_MAX: Final = 63  # PostgreSQL cuts longer names silently
ROWS_A_STATEMENT: Final = 1_000

T = TypeVar("T")

PERIOD_COLUMNS: Final = ("code", "label_vi", "label_en", "valid_from", "valid_to", "parent", "replaced_by", "source")
_COMMENTS: Final = {
    "code": "Mã, luôn là chuỗi",
    "label_vi": "Tên tiếng Việt",
    "label_en": "Tên tiếng Anh",
    "valid_from": "Ngày bắt đầu có hiệu lực; trống: trước mọi nguồn đã đọc",
    "valid_to": "Ngày đầu tiên không còn hiệu lực; trống: còn hiệu lực",
    "parent": "Mã cấp trên",
    "replaced_by": "Các mã thay thế khi hết hiệu lực",
    "source": "Văn bản hoặc nguồn",
}

# Two periods of one code may not share a day. Contributed modules may be missing, so the code is written into the
# bounds of a range of texts: all texts between '00004|0730000' and '00004|0740000' begin with '00004|'.
PRELUDE: Final = f"""\
CREATE SCHEMA IF NOT EXISTS {CODES_SCHEMA};
COMMENT ON SCHEMA {CODES_SCHEMA} IS 'Danh mục mã có thời hạn hiệu lực';
CREATE TYPE {CODES_SCHEMA}.code_span AS RANGE (subtype = text, collation = "C");
CREATE FUNCTION {CODES_SCHEMA}.span(code text, valid_from date, valid_to date) RETURNS {CODES_SCHEMA}.code_span
    LANGUAGE sql IMMUTABLE
    RETURN {CODES_SCHEMA}.code_span(
        code || '|' || lpad(coalesce(valid_from - DATE '0001-01-01', 0)::text, 7, '0'),
        code || '|' || lpad(coalesce(valid_to - DATE '0001-01-01', 9999999)::text, 7, '0'));
CREATE FUNCTION {CODES_SCHEMA}.every_match(given text[], pattern text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN array_position(given, NULL) IS NULL
        AND (SELECT coalesce(bool_and(one ~ pattern), true) FROM unnest(given) AS one);
"""  # noqa: S608 - of constants


def quoted(text: str) -> str:
    """Quote a text so that it stays one whatever the server's settings are."""
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{doubled}'" if "\\" in text else f"'{doubled}'"


def table_of(code_list: CodeList | CodeListId) -> str:
    """Return the name of the lookup table of a list, with its schema."""
    name = code_list.identity.id if isinstance(code_list, CodeList) else code_list
    limit = NAME_BYTES_MAX - len(max(PERIODS, ON_DAY, key=len)) - len("_span")
    table = name.replace("-", "_")
    if len(table.encode()) > limit:
        raise NameTooLong(kind="code list", name=name, format="PostgreSQL", limit=limit)
    return f'{CODES_SCHEMA}."{table}"'


def lookup_tables(code_list: CodeList) -> Iterator[str]:
    """Yield the statements that make and fill the tables of a list; the tables of its parents must be there."""
    codes, periods = table_of(code_list), _with(code_list, PERIODS)
    label = quoted(code_list.label.vi)
    parent = "" if code_list.parent_list is None else f" REFERENCES {table_of(code_list.parent_list)} (code)"
    yield f"""\
CREATE TABLE {codes} (
    code text PRIMARY KEY CHECK (code <> '' AND strpos(code, '|') = 0)
);
CREATE TABLE {periods} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL REFERENCES {codes} (code),
    label_vi text NOT NULL CHECK (label_vi <> ''),
    label_en text,
    valid_from date CHECK (isfinite(valid_from)),
    valid_to date CHECK (isfinite(valid_to)),
    parent text{parent},
    replaced_by text[] NOT NULL DEFAULT '{{}}',
    source text,
    CHECK (valid_from < valid_to),
    EXCLUDE USING gist ({CODES_SCHEMA}.span(code, valid_from, valid_to) WITH &&)
);
CREATE INDEX ON {periods} (code);
CREATE FUNCTION {_with(code_list, ON_DAY)}(on_day date) RETURNS SETOF {periods}
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT * FROM {periods} AS one
        WHERE coalesce(one.valid_from <= on_day, true) AND coalesce(on_day < one.valid_to, true);
    END;
COMMENT ON TABLE {codes} IS {label};
COMMENT ON COLUMN {codes}.code IS {quoted("Mọi mã đã từng có trong danh mục")};
COMMENT ON TABLE {periods} IS {quoted(f"{code_list.label.vi}: mỗi mã nghĩa là gì trong thời gian nào")};"""  # noqa: S608 - names of the dictionary, which lets safe ones in only
    for column, comment in _COMMENTS.items():
        yield f"COMMENT ON COLUMN {periods}.{column} IS {quoted(comment)};"
    yield from _rows(code_list)


def _with(code_list: CodeList, suffix: str) -> str:
    return table_of(code_list).removesuffix('"') + suffix + '"'


def _rows(code_list: CodeList) -> Iterator[str]:
    names = tuple(dict.fromkeys(code.code for code in code_list.codes))
    for some in _portions(names):
        values = ",\n".join(f"({quoted(name)})" for name in some)
        yield f"INSERT INTO {table_of(code_list)} (code) VALUES\n{values};"
    columns = ", ".join(PERIOD_COLUMNS)
    for part in _portions(code_list.codes):
        values = ",\n".join(_row(code) for code in part)
        yield f"INSERT INTO {_with(code_list, PERIODS)} ({columns}) VALUES\n{values};"


def _portions(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        yield rows[start : start + ROWS_A_STATEMENT]


def _row(code: Code) -> str:
    successors = "{" + ",".join('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in code.replaced_by)
    given = (
        quoted(code.code),
        quoted(code.label.vi),
        _or_null(code.label.en),
        _day(code.valid_from),
        _day(code.valid_to),
        _or_null(code.parent),
        quoted(successors + "}"),
        _or_null(code.source),
    )
    return f"({', '.join(given)})"


def _or_null(text: str | None) -> str:
    return "NULL" if text is None else quoted(text)


def _day(day: date | None) -> str:
    return "NULL" if day is None else f"'{day.isoformat()}'"
