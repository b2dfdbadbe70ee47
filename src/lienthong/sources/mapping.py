"""Which source column means which element (ánh xạ cột nguồn → phần tử từ điển)."""

from __future__ import annotations

from dataclasses import dataclass

from lienthong.dictionary.model import DatasetId, ElementId, Relation
from lienthong.sources.change import SourceId, TableName


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnMapping:
    """One column's decision; ``element`` is None when the decision is *none*, which needs a reason."""

    column: str
    element: ElementId | None
    relation: Relation
    native_type: str | None = None  # as seen when the mapping was decided
    form: str | None = None  # how the source writes it: "excel-serial", "day-first"
    reason: str | None = None
    encoding: str | None = (
        None  # how its text is encoded, where it is not Unicode: "tcvn3", "vni", "mojibake", "mixed"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapping:
    """A source table's way into a dataset."""

    source: SourceId
    table: TableName
    dataset: DatasetId
    owner: str  # the agency that answers for the data, as it writes its name
    columns: tuple[ColumnMapping, ...]
    digest: str  # SHA-256 of the file, hex: a changed mapping asks for a new snapshot
    key: tuple[str, ...] = ()  # columns that identified a row when the mapping was decided; empty: not checked
