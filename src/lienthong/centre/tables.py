"""Tables of the centre, derived from the dictionary; nobody writes a column twice (bảng dữ liệu của Trung tâm)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lienthong.centre.refusals import NameNotSafe
from lienthong.dictionary.model import Dataset, Datatype, Dictionary, ElementId, Member, ValueDomain

SCHEMA = "dataset"  # typed tables
BOOKKEEPING = "lienthong"  # links, batches, quarantine, findings, counters
PARTIAL_DATE = f"{BOOKKEEPING}.partial_date"
COLUMN_BYTES_MAX = 48
TABLE_BYTES_MAX = 40
PRECISION_MAX = 38  # what a Decimal column can hold on its way here

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# PostgreSQL reports types by their long names; those are what a stored table is compared with.
_TYPES = {
    Datatype.TEXT: "text",
    Datatype.CODE: "text",
    Datatype.CODES: "text[]",
    Datatype.INTEGER: "bigint",
    Datatype.DATE: "date",
    Datatype.PARTIAL_DATE: PARTIAL_DATE,
    Datatype.BOOLEAN: "boolean",
    Datatype.TIMESTAMP: "timestamp with time zone",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnSpec:
    """A column: its name, its PostgreSQL type as the server reports it, and what it means in Vietnamese."""

    name: str
    type: str
    comment: str
    required: bool = False  # NOT NULL


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSpec:
    """An index on some columns; never unique, since two records may claim one key."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TableSpec:
    """The current table of a dataset and its history."""

    dataset: str
    table: str
    comment: str
    columns: tuple[ColumnSpec, ...]  # one per member of the dataset
    key: tuple[str, ...]  # columns of the business key
    indexes: tuple[IndexSpec, ...]  # on the current table
    history_indexes: tuple[IndexSpec, ...]

    @property
    def history(self) -> str:
        """Return the name of the history table."""
        return f"{self.table}_history"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the names of the data columns."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> ColumnSpec:
        """Return a data column by name."""
        return next(column for column in self.columns if column.name == name)


def _meta(name: str, type_: str, comment: str, *, required: bool = True) -> ColumnSpec:
    return ColumnSpec(name=name, type=type_, comment=comment, required=required)


META_COLUMNS: tuple[ColumnSpec, ...] = (
    _meta("_record_id", "text", "Mã định danh bản ghi (IdBanGhi)"),
    _meta("_event", "text", "Sự kiện (SuKien): NEW, UPDATE"),
    _meta("_epoch", "integer", "Số thứ tự lịch sử nguồn mà vị trí thuộc về"),
    _meta("_version", "bigint", "Phiên bản (PhienBan): vị trí giao dịch tại nguồn"),
    _meta("_number", "integer", "Thứ tự trong giao dịch; -1 khi đọc toàn bộ bảng nguồn"),
    _meta("_source", "text", "Liên kết nguồn"),
    _meta("_table", "text", "Bảng nguồn"),
    _meta("_source_time", "timestamp with time zone", "Thời gian cập nhật tại nguồn (ThoiGianCapNhat)"),
    _meta("_valid_from", "timestamp with time zone", "Có giá trị từ"),
    _meta("_batch", "bigint", "Lô đồng bộ"),
    _meta("_applied_at", "timestamp with time zone", "Thời điểm ghi nhận tại Trung tâm"),
    _meta("_image", "json", "Dữ liệu gốc từ nguồn"),
    _meta("_judgement", "text", "Kết quả kiểm tra, mỗi quy tắc một chữ"),
    _meta("_rule_set", "integer", "Bộ quy tắc đã kiểm tra"),
    _meta("_dictionary", "text", "Phiên bản từ điển"),
)
ENDING_COLUMNS: tuple[ColumnSpec, ...] = (
    _meta("_valid_to", "timestamp with time zone", "Có giá trị đến (không bao gồm)"),
    _meta("_ended_by", "text", "Kết thúc bởi: UPDATE, CANCEL"),
    _meta("_ended_epoch", "integer", "Lịch sử nguồn của thay đổi kết thúc"),
    _meta("_ended_version", "bigint", "Vị trí của thay đổi kết thúc"),
    _meta("_ended_number", "integer", "Thứ tự của thay đổi kết thúc"),
    _meta("_ended_batch", "bigint", "Lô đồng bộ kết thúc"),
)
META_NAMES = tuple(column.name for column in META_COLUMNS)
ENDING_NAMES = tuple(column.name for column in ENDING_COLUMNS)
HISTORY_ID = _meta("_history_id", "bigint", "Số thứ tự trong lịch sử")


def derive_table(dictionary: Dictionary, dataset: Dataset) -> TableSpec:
    """Return the tables a dataset is kept in.

    Raises:
        NameNotSafe: a table or technical name would be cut, quoted or doubled in the database.
    """
    _require_safe("table", dataset.table, dataset=dataset.identity.id, limit=TABLE_BYTES_MAX)
    columns = tuple(_column(dictionary, dataset, member) for member in dataset.members)
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise NameNotSafe(
                kind="technical name",
                name=name,
                dataset=dataset.identity.id,
                reason="two elements share it",
                limit=COLUMN_BYTES_MAX,
            )
    key = tuple(_technical_name(dictionary, element) for element in dataset.key)
    alone = [(_technical_name(dictionary, m.element),) for m in dataset.members if m.unique]
    wanted = list(dict.fromkeys([*([key] if key else []), *alone]))
    return TableSpec(
        dataset=dataset.identity.id,
        table=dataset.table,
        comment=dataset.label.vi,
        columns=columns,
        key=key,
        indexes=(
            *(IndexSpec(name=f"{dataset.table}_key_{place}", columns=each) for place, each in enumerate(wanted)),
            # What changed since a measurement is found without reading the whole table.
            IndexSpec(name=f"{dataset.table}_batch", columns=("_batch",)),
            # How many records there were at a moment is counted in the index alone.
            IndexSpec(name=f"{dataset.table}_from", columns=("_valid_from",)),
        ),
        history_indexes=(
            IndexSpec(
                name=f"{dataset.table}_history_record",
                columns=("_record_id", "_ended_epoch", "_ended_version", "_ended_number"),
            ),
            *((IndexSpec(name=f"{dataset.table}_history_key", columns=key),) if key else ()),
            IndexSpec(name=f"{dataset.table}_history_ended", columns=("_ended_batch",)),
            IndexSpec(name=f"{dataset.table}_history_to", columns=("_valid_to", "_valid_from")),
        ),
    )


def _require_safe(kind: str, name: str, *, dataset: str, limit: int) -> None:
    reason = None
    if not _NAME.fullmatch(name):
        reason = "not ASCII snake_case"
    elif len(name) > limit:
        reason = f"longer than {limit} bytes"
    if reason is not None:
        raise NameNotSafe(kind=kind, name=name, dataset=dataset, reason=reason, limit=limit)


def _technical_name(dictionary: Dictionary, element: ElementId) -> str:
    return dictionary.elements[element].technical_name


def _column(dictionary: Dictionary, dataset: Dataset, member: Member) -> ColumnSpec:
    element = dictionary.elements[member.element]
    _require_safe("technical name", element.technical_name, dataset=dataset.identity.id, limit=COLUMN_BYTES_MAX)
    return ColumnSpec(
        name=element.technical_name,
        type=column_type(dictionary.domain_of(member.element), many=member.many),
        comment=f"{element.label.vi} ({member.element}): {element.definition.vi}",
    )


def column_type(domain: ValueDomain, *, many: bool = False) -> str:
    """Return the PostgreSQL type of a value domain; never one that cuts or rounds what it is given."""
    if domain.datatype is Datatype.DECIMAL:
        if domain.scale is None:
            return "numeric"
        return f"numeric({domain.precision or PRECISION_MAX},{domain.scale})"
    if many and domain.datatype in {Datatype.TEXT, Datatype.CODE}:
        return "text[]"
    return _TYPES[domain.datatype]


def render_ddl(spec: TableSpec) -> str:
    """Return the tables as SQL for people to read; the store builds the same from the same specification."""
    current = f"{SCHEMA}.{spec.table}"
    history = f"{SCHEMA}.{spec.history}"
    parts = [
        _create(current, [*META_COLUMNS, *spec.columns], primary="_record_id", options=" WITH (fillfactor = 90)"),
        _create(history, [*META_COLUMNS, *ENDING_COLUMNS, *spec.columns], identity=HISTORY_ID),
        *(_index(index, current) for index in spec.indexes),
        *(_index(index, history) for index in spec.history_indexes),
        f"COMMENT ON TABLE {current} IS {_literal(spec.comment)};",
        f"COMMENT ON TABLE {history} IS {_literal(history_comment(spec))};",
        *(
            f'COMMENT ON COLUMN {current}."{column.name}" IS {_literal(column.comment)};'
            for column in (*META_COLUMNS, *spec.columns)
        ),
        *(
            f'COMMENT ON COLUMN {history}."{column.name}" IS {_literal(column.comment)};'
            for column in (HISTORY_ID, *META_COLUMNS, *ENDING_COLUMNS, *spec.columns)
        ),
    ]
    return "\n".join(parts) + "\n"


def history_comment(spec: TableSpec) -> str:
    """Return what the history table is, in Vietnamese."""
    return f"{spec.comment}: các phiên bản trước"


def _create(
    name: str,
    columns: list[ColumnSpec],
    *,
    primary: str | None = None,
    identity: ColumnSpec | None = None,
    options: str = "",
) -> str:
    lines = [f'    "{column.name}" {column.type}{" NOT NULL" if column.required else ""}' for column in columns]
    if identity is not None:
        lines.insert(0, f'    "{identity.name}" {identity.type} GENERATED ALWAYS AS IDENTITY PRIMARY KEY')
    if primary is not None:
        lines.append(f'    PRIMARY KEY ("{primary}")')
    return f"CREATE TABLE {name} (\n" + ",\n".join(lines) + f"\n){options};"


def _index(index: IndexSpec, table: str) -> str:
    columns = ", ".join(f'"{column}"' for column in index.columns)
    return f"CREATE INDEX {index.name} ON {table} ({columns});"


def _literal(text: str) -> str:
    """Quote a text so that it stays one whatever the server's settings are."""
    quoted = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{quoted}'" if "\\" in text else f"'{quoted}'"
