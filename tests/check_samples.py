"""A small dictionary by hand, batches made of plain rows, and a slow plain reading of rules to compare with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import polars as pl
from sqlglot import exp

from lienthong.dictionary.model import (
    Code,
    CodeList,
    CodeListId,
    Dataset,
    DatasetId,
    Datatype,
    Dictionary,
    DomainId,
    Element,
    ElementId,
    Identity,
    Level,
    Member,
    Ref,
    Sensitivity,
    Status,
    Text,
    ValueDomain,
)
from lienthong.sources.change import Epoch, SourceId, TableName
from lienthong.standardise.batch import ENVELOPE_SCHEMA, Event, Outcome, RecordBatch
from lienthong.standardise.plan import schema_of

VIETNAM = timezone(timedelta(hours=7))
SOURCE_TIME = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)  # 10 March 2026 in Vietnam


def identity(name: str) -> Identity:
    return Identity(id=name, version="1.0.0", status=Status.PROPOSED, level=Level.NATIONAL, valid_from=None)


def code(value: str, begins: str | None = None, ends: str | None = None, parent: str | None = None) -> Code:
    return Code(
        code=value,
        label=Text(vi=f"Mã {value}"),
        valid_from=None if begins is None else date.fromisoformat(begins),
        valid_to=None if ends is None else date.fromisoformat(ends),
        parent=parent,
    )


def code_list(name: str, *codes: Code, complete: bool = True, above: str | None = None) -> CodeList:
    return CodeList(
        identity=identity(name),
        label=Text(vi=name),
        codes=codes,
        complete=complete,
        parent_list=None if above is None else CodeListId(above),
    )


CODE_LISTS = (
    code_list("gioi-tinh", code("0"), code("1"), code("2")),
    code_list("nuoc", code("VN"), code("LA"), complete=False),
    code_list(
        "don-vi-hanh-chinh-tinh",
        code("01"),
        code("79", None, "2025-07-01"),
        code("79", "2025-07-01"),
        code("74", None, "2025-07-01"),
    ),
    code_list(
        "xa",
        code("00001", None, "2025-07-01", "01"),
        code("26734", "2025-07-01", None, "79"),
        code("25741", None, "2025-07-01", "74"),
        code("25741", "2025-07-01", None, "79"),
        code("99999", "2027-01-01", None, "01"),
        above="don-vi-hanh-chinh-tinh",
    ),
    code_list("doi-tuong-bhyt", code("DN"), code("GD"), complete=False),
    code_list("nganh", code("0111"), code("46610", None, "2026-01-01"), code("5022", "2026-01-01")),
)

DOMAINS: Mapping[str, dict[str, Any]] = {
    "SoDinhDanh": {
        "datatype": Datatype.TEXT,
        "standardiser": "personal-number",
        "pattern": "^[0-9]{12}$",
        "min_length": 12,
        "max_length": 12,
    },
    "HoVaTen": {"datatype": Datatype.TEXT, "standardiser": "person-name", "max_length": 20, "min_length": 1},
    "NgaySinh": {"datatype": Datatype.PARTIAL_DATE, "standardiser": "partial-date", "maximum": "today"},
    "GioiTinh": {"datatype": Datatype.CODE, "standardiser": "code", "code_list": CodeListId("gioi-tinh")},
    "MaXaThuongTru": {
        "datatype": Datatype.CODE,
        "standardiser": "code",
        "code_list": CodeListId("xa"),
        "pattern": "^[0-9]{5}$",
    },
    "MaTinhThuongTru": {
        "datatype": Datatype.CODE,
        "standardiser": "code",
        "code_list": CodeListId("don-vi-hanh-chinh-tinh"),
    },
    "QuocTich": {"datatype": Datatype.CODE, "standardiser": "code", "code_list": CodeListId("nuoc")},
    "MaSoThue": {
        "datatype": Datatype.TEXT,
        "standardiser": "tax-code",
        "pattern": "^[0-9]{10}(-[0-9]{3})?$",
        "min_length": 10,
        "max_length": 14,
        "check_digit": "mst",
    },
    "NganhNghe": {
        "datatype": Datatype.CODES,
        "standardiser": "codes",
        "pattern": "^[0-9]{4,5}$",
        "min_length": 4,
        "max_length": 5,
        "code_list": CodeListId("nganh"),
    },
    "TuKhoa": {"datatype": Datatype.CODES, "standardiser": "codes", "max_length": 3},
    "VonDieuLe": {
        "datatype": Datatype.DECIMAL,
        "standardiser": "decimal",
        "precision": 20,
        "scale": 2,
        "minimum": "0",
        "maximum": "1000.5",
    },
    "SoNguoi": {"datatype": Datatype.INTEGER, "standardiser": "integer", "minimum": "1", "maximum": "100"},
    "NgayLap": {"datatype": Datatype.DATE, "standardiser": "date", "minimum": "1900-01-01", "maximum": "today"},
    "GhiChu": {"datatype": Datatype.TEXT, "standardiser": "text", "max_length": 10},
    "MaHoSo": {
        "datatype": Datatype.TEXT,
        "standardiser": "identifier",
        "pattern": "^[A-Z]{1,9}(-[0-9]{1,9})?$",
        "min_length": 3,
        "max_length": 12,
    },
    "TheBHYT": {
        "datatype": Datatype.TEXT,
        "standardiser": "health-card",
        "pattern": "^[A-Z]{2}[1-5][0-9]{12}$",
        "min_length": 15,
        "max_length": 15,
    },
    "MaSoBHXH": {
        "datatype": Datatype.TEXT,
        "standardiser": "social-insurance",
        "pattern": "^[0-9]{10}$",
        "min_length": 10,
        "max_length": 10,
    },
    "BienSo": {"datatype": Datatype.TEXT, "standardiser": "plate", "min_length": 4, "max_length": 20},
}
TECHNICAL = {
    "SoDinhDanh": "so_dinh_danh",
    "HoVaTen": "ho_va_ten",
    "NgaySinh": "ngay_sinh",
    "GioiTinh": "gioi_tinh",
    "MaXaThuongTru": "ma_xa_thuong_tru",
    "MaTinhThuongTru": "ma_tinh_thuong_tru",
    "QuocTich": "quoc_tich",
    "MaSoThue": "ma_so_thue",
    "NganhNghe": "nganh_nghe",
    "TuKhoa": "tu_khoa",
    "VonDieuLe": "von_dieu_le",
    "SoNguoi": "so_nguoi",
    "NgayLap": "ngay_lap",
    "GhiChu": "ghi_chu",
    "MaHoSo": "ma_ho_so",
    "TheBHYT": "the_bhyt",
    "MaSoBHXH": "ma_so_bhxh",
    "BienSo": "bien_so",
}
PERSONAL = {"SoDinhDanh", "HoVaTen", "NgaySinh"}

GOOD_ROW: Mapping[str, Any] = {
    "so_dinh_danh": "079190012345",
    "ho_va_ten": "Nguyễn Thị An",
    "ngay_sinh": "1990-07-03",
    "gioi_tinh": "2",
    "ma_xa_thuong_tru": "26734",
    "ma_tinh_thuong_tru": "79",
    "quoc_tich": "VN",
    "ma_so_thue": "0100109106",
    "nganh_nghe": ["0111", "5022"],
    "tu_khoa": ["abc"],
    "von_dieu_le": "12.50",
    "so_nguoi": 7,
    "ngay_lap": None,
    "ghi_chu": "tốt",
    "ma_ho_so": "AB-123",
    "the_bhyt": "DN4010120860538",
    "ma_so_bhxh": "0120860538",
    "bien_so": "29A-12345",
}


def element(name: str, *, sensitivity: Sensitivity, identifier: bool) -> Element:
    return Element(
        identity=identity(name),
        label=Text(vi=f"Trường {name}", en=f"Field {name}"),
        definition=Text(vi=name),
        concept=name,
        value_domain=Ref(id=f"vd-{name}", version="1.0.0"),
        technical_name=TECHNICAL[name],
        business_attributes={},
        technical_attributes={},
        sensitivity=sensitivity,
        identifier=identifier,
    )


def sample_dataset(**changes: Any) -> Dataset:
    facts: dict[str, Any] = {
        "identity": identity("mau"),
        "label": Text(vi="Mẫu"),
        "definition": Text(vi="Mẫu để kiểm thử"),
        "table": "mau",
        "domain": "Con người",
        "members": tuple(
            Member(
                element=ElementId(name),
                required=name in {"SoDinhDanh", "HoVaTen", "NgaySinh"},
                key=name == "SoDinhDanh",
                unique=name in {"SoDinhDanh", "MaHoSo"},
            )
            for name in DOMAINS
        ),
        "record_date": ElementId("NgayLap"),
    }
    return Dataset(**{**facts, **changes})


def sample_dictionary(dataset: Dataset | None = None) -> Dictionary:
    dataset = sample_dataset() if dataset is None else dataset
    return Dictionary(
        version="1.0.0",
        digest="0" * 64,
        elements={
            ElementId(name): element(
                name,
                sensitivity=(
                    Sensitivity.BASIC_PERSONAL
                    if name in PERSONAL
                    else Sensitivity.SENSITIVE_PERSONAL
                    if name == "GhiChu"
                    else Sensitivity.INTERNAL
                ),
                identifier=name == "SoDinhDanh",
            )
            for name in DOMAINS
        },
        domains={
            DomainId(f"vd-{name}"): ValueDomain(
                identity=identity(f"vd-{name}"), label=Text(vi=name), rdf_type="xsd:string", **facts
            )
            for name, facts in DOMAINS.items()
        },
        code_lists={CodeListId(each.identity.id): each for each in CODE_LISTS},
        datasets={DatasetId(dataset.identity.id): dataset},
    )


def batch(
    dictionary: Dictionary,
    dataset: Dataset,
    rows: Sequence[Mapping[str, Any]],
    *,
    outcomes: Sequence[Mapping[str, Outcome]] | None = None,
    events: Sequence[str] | None = None,
    damaged: Sequence[list[str] | None] | None = None,
    times: Sequence[datetime | None] | None = None,
) -> RecordBatch:
    """Make records of plain rows; a value is unchanged and a missing one empty unless said otherwise."""
    schema = schema_of(dictionary, dataset)
    said = outcomes or [{} for _ in rows]
    height = len(rows)
    values = {
        name: pl.Series(name, [_plain(row.get(name), dtype) for row in rows], dtype=dtype, strict=True)
        for name, dtype in schema.items()
    }
    letters = {
        name: pl.Series(
            name,
            [
                each.get(name, Outcome.EMPTY if row.get(name) is None else Outcome.UNCHANGED).value
                for row, each in zip(rows, said, strict=True)
            ],
            dtype=pl.UInt8,
        )
        for name in schema
    }
    envelope = {
        "_record_id": [f"nguon/public.mau/{place}" for place in range(height)],
        "_event": list(events or [Event.NEW] * height),
        "_version": [1] * height,
        "_number": list(range(height)),
        "_source_time": list(times or [SOURCE_TIME] * height),
        "_image": ["{}"] * height,
        "_damaged": list(damaged or [[] for _ in range(height)]),
        "_superseded": [False] * height,
        "_counted": [True] * height,
    }
    return RecordBatch(
        dataset=dataset,
        source=SourceId("nguon"),
        epoch=Epoch(system="1", timeline=1, database="nguon", slot="s"),
        table=TableName(schema="public", table="mau"),
        values=pl.DataFrame(values),
        outcomes=pl.DataFrame(letters),
        envelope=pl.DataFrame(envelope, schema=dict(ENVELOPE_SCHEMA)),
    )


def _plain(value: Any, dtype: pl.DataType) -> Any:
    if value is None:
        return None
    if isinstance(dtype, pl.Decimal):
        return Decimal(value)
    if isinstance(dtype, pl.Date) and isinstance(value, str):
        return date.fromisoformat(value)
    return value


def evaluate(tree: exp.Expr, row: Mapping[str, Any]) -> Any:  # noqa: C901, PLR0911, PLR0912 - one branch per node
    """Read a predicate the slow and obvious way; None is unknown, as in SQL."""
    match tree:
        case exp.Column():
            return row[tree.name]
        case exp.Literal():
            return tree.name if tree.args["is_string"] else int(tree.name)
        case exp.Boolean():
            return tree.this
        case exp.Paren():
            return evaluate(tree.this, row)
        case exp.Is():
            return evaluate(tree.this, row) is None
        case exp.Not():
            value = evaluate(tree.this, row)
            return None if value is None else not value
        case exp.And():
            both = [evaluate(tree.this, row), evaluate(tree.expression, row)]
            return False if False in both else None if None in both else True
        case exp.Or():
            both = [evaluate(tree.this, row), evaluate(tree.expression, row)]
            return True if True in both else None if None in both else False
        case exp.In():
            value = evaluate(tree.this, row)
            return None if value is None else value in [evaluate(each, row) for each in tree.expressions]
        case exp.Between():
            return evaluate(
                exp.and_(
                    exp.GTE(this=tree.this.copy(), expression=tree.args["low"].copy()),
                    exp.LTE(this=tree.this.copy(), expression=tree.args["high"].copy()),
                ),
                row,
            )
        case exp.Case():
            for branch in tree.args["ifs"]:
                if evaluate(branch.this, row) is True:
                    return evaluate(branch.args["true"], row)
            default = tree.args.get("default")
            return None if default is None else evaluate(default, row)
    parts = [evaluate(part, row) for part in _operands(tree)]
    return None if None in parts else _strict(tree, parts)


def _operands(tree: exp.Expr) -> list[exp.Expr]:
    match tree:
        case exp.Substring():
            return [tree.this, tree.args["start"], tree.args["length"]]
        case exp.Cast() | exp.TryCast() | exp.Length() | exp.Neg():
            return [tree.this]
        case exp.Extract():
            return [tree.expression]
    return [tree.this, tree.expression]


def _strict(tree: exp.Expr, parts: list[Any]) -> Any:  # noqa: C901, PLR0911 - one branch per node
    """Everything that is unknown as soon as one of its parts is."""
    match tree:
        case exp.TryCast():
            return int(parts[0]) if re.fullmatch("-?[0-9]{1,18}", parts[0]) else None
        case exp.Cast() if tree.to.this == exp.DataType.Type.DATE:
            return date.fromisoformat(parts[0])
        case exp.Cast() if tree.to.this == exp.DataType.Type.DECIMAL:
            return Decimal(parts[0])
        case exp.Cast():
            return parts[0].isoformat()
        case exp.RegexpLike():
            return re.fullmatch(parts[1][1:-1], parts[0]) is not None
        case exp.Like():
            text, pattern = parts
            inner = re.escape(pattern.strip("%"))
            before = ".*" if pattern.startswith("%") else ""
            after = ".*" if pattern.endswith("%") else ""
            found = re.fullmatch(before + inner + after, text, re.DOTALL) is not None
            return found is not bool(tree.args.get("negate"))
        case exp.Substring():
            return parts[0][parts[1] - 1 : parts[1] - 1 + parts[2]]
        case exp.StartsWith():
            return parts[0].startswith(parts[1])
        case exp.Length():
            return len(parts[0])
        case exp.Neg():
            return -parts[0]
        case exp.Extract():
            return parts[0].year
        case exp.Mod():
            rest = abs(parts[0]) % abs(parts[1])
            return rest if parts[0] >= 0 else -rest
    return _WITH_TWO[type(tree)](*parts)


_WITH_TWO: Mapping[type, Any] = {
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
    exp.Add: lambda a, b: a + b,
    exp.Sub: lambda a, b: a - b,
    exp.Mul: lambda a, b: a * b,
}
