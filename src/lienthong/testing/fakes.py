"""Stand-ins that keep everything in memory: a centre to read from, and a small dictionary to go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from lienthong.centre.ports import LinkState, LinkStatus, Phase
from lienthong.centre.reading import (
    BatchLine,
    CentreReader,
    DatasetCount,
    FailingRow,
    LookupOutcome,
    LookupResult,
    RuleCount,
)
from lienthong.check.verdict import Criterion, Rule, RuleSet, Severity
from lienthong.clock import Clock, FixedClock
from lienthong.dictionary.model import (
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
    Relation,
    Sensitivity,
    Status,
    Text,
    ValueDomain,
)
from lienthong.errors import LienthongError
from lienthong.oversight.plan import Plan
from lienthong.sources.change import Epoch, Position, SourceId, TableName
from lienthong.sources.mapping import ColumnMapping
from lienthong.sources.mapping import Mapping as ColumnDecisions

ENTERPRISES = DatasetId("doanh-nghiep")
CITIZENS = DatasetId("nhan-khau")
LINK = SourceId("ca-mau")
MOMENT = datetime(2026, 11, 23, 7, 5, 9, tzinfo=UTC)  # 14:05:09 in Vietnam
_EPOCH = Epoch(system="7000000000000000001", timeline=1, database="agency", slot="lienthong_ca_mau")


@dataclass(kw_only=True)
class FakeReader:
    """A ``CentreReader`` over values a test sets; ``failure`` is raised by every question while it is set."""

    link_states: tuple[LinkState, ...] = ()
    dataset_counts: Mapping[DatasetId, DatasetCount] = field(default_factory=dict)
    counts_by_rule: Mapping[DatasetId, tuple[RuleCount, ...]] = field(default_factory=dict)
    lag: tuple[int, int] = (0, 0)
    reading_agencies: int = 0
    granted_agencies: int = 0
    failing: Mapping[tuple[DatasetId, str], tuple[FailingRow, ...]] = field(default_factory=dict)
    journal: tuple[BatchLine, ...] = ()
    failure: Exception | None = None
    asked: int = 0

    def links(self) -> tuple[LinkState, ...]:
        """Return the links that were set."""
        self._answer()
        return self.link_states

    def counts(self) -> Mapping[DatasetId, DatasetCount]:
        """Return the counts that were set."""
        self._answer()
        return self.dataset_counts

    def rule_counts(self, dataset: DatasetId) -> tuple[RuleCount, ...]:
        """Return the rule counts that were set."""
        self._answer()
        return self.counts_by_rule.get(dataset, ())

    def lag_share(self, dataset: DatasetId, *, since: datetime, allowed_lag_s: int) -> tuple[int, int]:
        """Return the share that was set."""
        del dataset, since, allowed_lag_s
        self._answer()
        return self.lag

    def readers(self, dataset: DatasetId, *, since: datetime) -> int:
        """Return the number that was set."""
        del dataset, since
        self._answer()
        return self.reading_agencies

    def grantees(self, dataset: DatasetId, *, on: date) -> int:
        """Return the number that was set."""
        del dataset, on
        self._answer()
        return self.granted_agencies

    def failing_rows(self, dataset: DatasetId, rule: str, *, limit: int) -> tuple[FailingRow, ...]:
        """Return the first of the rows that were set."""
        self._answer()
        return self.failing.get((dataset, rule), ())[:limit]

    def batches(self, *, limit: int) -> tuple[BatchLine, ...]:
        """Return the first of the batches that were set."""
        self._answer()
        return self.journal[:limit]

    def lookup(self, dataset: DatasetId, key: Sequence[str]) -> LookupResult:
        """Find nothing."""
        del dataset, key
        self._answer()
        return LookupResult(outcome=LookupOutcome.NOT_FOUND, records=())

    def close(self) -> None:
        """Give nothing back."""

    def _answer(self) -> None:
        self.asked += 1
        if self.failure is not None:
            raise self.failure


@dataclass(frozen=True, kw_only=True, slots=True)
class FakeServices:
    """What a face works with, without settings, files or a database."""

    dictionary: Dictionary
    rule_sets: Mapping[DatasetId, RuleSet]
    mappings: tuple[ColumnDecisions, ...]
    plan: Plan
    reader: CentreReader
    clock: Clock


def fake_services(*, plan: Plan, reader: CentreReader | None = None, clock: Clock | None = None) -> FakeServices:
    """Return services over the small dictionary and a lively centre, as of ``MOMENT``."""
    return FakeServices(
        dictionary=small_dictionary(),
        rule_sets=small_rule_sets(),
        mappings=small_mappings(),
        plan=plan,
        reader=reader or lively_reader(),
        clock=clock or FixedClock(MOMENT),
    )


def small_dictionary() -> Dictionary:
    """Return a dictionary of two datasets with the few elements that pages and rules need."""
    text = ValueDomain(
        identity=_identity("vd-van-ban"),
        label=Text(vi="Văn bản"),
        datatype=Datatype.TEXT,
        rdf_type="xsd:string",
        standardiser="text",
    )
    elements = (
        _element("MaSoDoanhNghiep", "ma_so_doanh_nghiep", "Mã số doanh nghiệp", Sensitivity.PUBLIC),
        _element("TenToChuc", "ten_to_chuc", "Tên tổ chức", Sensitivity.PUBLIC),
        _element("SoDinhDanh", "so_dinh_danh", "Số định danh cá nhân", Sensitivity.BASIC_PERSONAL),
        _element("HoVaTen", "ho_va_ten", "Họ và tên", Sensitivity.BASIC_PERSONAL),
    )
    datasets = (
        _dataset(
            ENTERPRISES, "Doanh nghiệp", "Doanh nghiệp đã đăng ký tại địa phương.", ("MaSoDoanhNghiep", "TenToChuc")
        ),
        _dataset(CITIZENS, "Nhân khẩu", "Người đăng ký thường trú tại địa phương.", ("SoDinhDanh", "HoVaTen")),
    )
    return Dictionary(
        version="0.0.0-fake",
        digest="0" * 64,
        elements={ElementId(each.identity.id): each for each in elements},
        domains={DomainId(text.identity.id): text},
        code_lists={},
        datasets={DatasetId(each.identity.id): each for each in datasets},
    )


def small_rule_sets() -> Mapping[DatasetId, RuleSet]:
    """Return rules for the datasets of the small dictionary, at least one for each word about content."""
    datasets = small_dictionary().datasets
    return {
        ENTERPRISES: RuleSet(
            dataset=datasets[ENTERPRISES], rules=_rules("ma_so_doanh_nghiep", "ten_to_chuc"), digest="1" * 64
        ),
        CITIZENS: RuleSet(dataset=datasets[CITIZENS], rules=_rules("so_dinh_danh", "ho_va_ten"), digest="2" * 64),
    }


def small_mappings() -> tuple[ColumnDecisions, ...]:
    """Return one mapping for each dataset of the small dictionary, both of the link ``ca-mau``."""
    return (
        _mapping(
            "doanh_nghiep", ENTERPRISES, "Sở Tài chính tỉnh Cà Mau", {"ma_so": "MaSoDoanhNghiep", "ten": "TenToChuc"}
        ),
        _mapping("nhan_khau", CITIZENS, "Công an tỉnh Cà Mau", {"so_cccd": "SoDinhDanh", "ho_ten": "HoVaTen"}),
    )


def lively_reader(*, now: datetime = MOMENT) -> FakeReader:
    """Return a centre that took a snapshot some hours ago and a change a second ago."""
    return FakeReader(
        link_states=(streaming_link(now=now),),
        dataset_counts={
            ENTERPRISES: DatasetCount(dataset=ENTERPRISES, rows=3_921, quarantined=22, history=148, findings=611),
            CITIZENS: DatasetCount(dataset=CITIZENS, rows=19_642, quarantined=358, history=1_204, findings=2_950),
        },
        counts_by_rule={
            ENTERPRISES: _counts("ma_so_doanh_nghiep", "ten_to_chuc", rows=3_943, failed=(22, 4, 585, 7)),
            CITIZENS: _counts("so_dinh_danh", "ho_va_ten", rows=20_000, failed=(210, 148, 2_592, 61)),
        },
        lag=(1_187, 1_190),
        reading_agencies=0,
        failing={
            (CITIZENS, "CL02:so_dinh_danh"): tuple(
                FailingRow(
                    record_id=f"ca-mau/public.nhan_khau/{1_000 + place}",
                    label="T*** V*** A**",
                    observed="09600*******",
                    quarantined=place % 3 != 0,
                    opened_at=now - timedelta(minutes=place),
                    batch_id=420 - place,
                    source=LINK,
                )
                for place in range(120)
            ),
        },
        journal=(
            batch_line(
                batch_id=421, read=3, applied=2, quarantined=1, lag_s=0.38, applied_at=now - timedelta(seconds=1)
            ),
            batch_line(
                batch_id=420, read=5, applied=4, superseded=1, lag_s=0.31, applied_at=now - timedelta(seconds=14)
            ),
            batch_line(
                batch_id=419, read=2, applied=1, filtered=1, lag_s=0.42, applied_at=now - timedelta(minutes=3)
            ),
            batch_line(
                batch_id=24,
                read=1_000,
                applied=982,
                quarantined=18,
                snapshot=True,
                applied_at=now - timedelta(hours=4),
            ),
            batch_line(
                batch_id=23,
                read=1_000,
                applied=991,
                quarantined=9,
                snapshot=True,
                applied_at=now - timedelta(hours=4),
            ),
        ),
    )


def streaming_link(*, now: datetime = MOMENT, quiet_s: float = 1.0, heartbeat_age_s: float = 0.5) -> LinkState:
    """Return a healthy link whose newest change was applied ``quiet_s`` ago."""
    return LinkState(
        source=LINK,
        phase=Phase.STREAM,
        epoch=_EPOCH,
        position=Position(commit=0x1_6B37_4D10),
        plan_digest="3" * 64,
        status=LinkStatus.HEALTHY,
        reason=None,
        next_action=None,
        heartbeat_at=now - timedelta(seconds=heartbeat_age_s),
        source_time=now - timedelta(seconds=quiet_s + 0.38),
        applied_at=now - timedelta(seconds=quiet_s),
        rows_done=23_943,
        rows_estimated=23_943,
    )


def stopped_link(error: LienthongError, *, now: datetime = MOMENT) -> LinkState:
    """Return a link that waits for a decision because of a refusal."""
    return replace(
        streaming_link(now=now),
        status=LinkStatus.WAITING_FOR_DECISION,
        reason=f"{error.code} {error}",
        next_action=error.remedy,
    )


def batch_line(
    *,
    batch_id: int,
    applied_at: datetime,
    read: int = 1,
    applied: int = 1,
    quarantined: int = 0,
    superseded: int = 0,
    filtered: int = 0,
    snapshot: bool = False,
    lag_s: float = 0.0,
    source: str = LINK,
) -> BatchLine:
    """Return a line of the batch journal that balances if its counts do."""
    return BatchLine(
        batch_id=batch_id,
        source=source,
        position="1/6B374D10",
        snapshot=snapshot,
        read=read,
        applied=applied,
        quarantined=quarantined,
        superseded=superseded,
        filtered=filtered,
        source_time=applied_at - timedelta(seconds=lag_s),
        applied_at=applied_at,
    )


def _identity(name: str) -> Identity:
    return Identity(id=name, version="1.0.0", status=Status.APPROVED, level=Level.NATIONAL, valid_from=None)


def _element(code: str, technical_name: str, label: str, sensitivity: Sensitivity) -> Element:
    return Element(
        identity=_identity(code),
        label=Text(vi=label),
        definition=Text(vi=label),
        concept=code,
        value_domain=Ref(id="vd-van-ban", version="1.0.0"),
        technical_name=technical_name,
        business_attributes={},
        technical_attributes={},
        sensitivity=sensitivity,
    )


def _dataset(name: DatasetId, label: str, definition: str, elements: tuple[str, str]) -> Dataset:
    key, other = elements
    return Dataset(
        identity=_identity(name),
        label=Text(vi=label),
        definition=Text(vi=definition),
        table=name.replace("-", "_"),
        domain="Con người",
        members=(
            Member(element=ElementId(key), required=True, key=True, unique=True),
            Member(element=ElementId(other), required=True),
        ),
    )


def _rules(key: str, name: str) -> tuple[Rule, ...]:
    return (
        _rule("CL02", Criterion.CLEAN, Severity.BLOCKING, key, "Đúng mẫu", "Giá trị phải đúng mẫu của miền giá trị"),
        _rule(
            "CP01", Criterion.COMPLETE, Severity.BLOCKING, name, "Không để trống", "Trường bắt buộc phải có giá trị"
        ),
        _rule(
            "CL01", Criterion.CLEAN, Severity.WARNING, name, "Chuẩn chính tả", "Tên viết hoa, viết thường đúng chuẩn"
        ),
        _rule("CR01", Criterion.CORRECT, Severity.ERROR, key, "Đúng số kiểm tra", "Chữ số kiểm tra phải khớp"),
        _rule("UN01", Criterion.UNIFIED, Severity.ERROR, key, "Không trùng khóa", "Mỗi mã chỉ thuộc một bản ghi"),
        _rule_over("LV01", Criterion.LIVE, "lag", "Thấy trong thời gian cam kết"),
        _rule_over("SH01", Criterion.SHARED, "readers", "Cơ quan khác thực sự khai thác"),
    )


def _rule_over(code: str, criterion: Criterion, over: str, title: str) -> Rule:
    return Rule(
        code=code,
        criterion=criterion,
        severity=Severity.WARNING,
        element=None,
        title=Text(vi=title),
        sentence=Text(vi=title),
        when="",
        check="",
        over=over,
    )


def _rule(code: str, criterion: Criterion, severity: Severity, element: str, title: str, sentence: str) -> Rule:
    return Rule(
        code=code,
        criterion=criterion,
        severity=severity,
        element=element,
        title=Text(vi=title),
        sentence=Text(vi=sentence),
        when=f"{element} IS NOT NULL",
        check=f"{element} <> ''",
        basis="Nghị quyết 214/NQ-CP, II.2",
    )


def _counts(key: str, name: str, *, rows: int, failed: tuple[int, int, int, int]) -> tuple[RuleCount, ...]:
    pattern, missing, spelling, digit = failed
    names = (f"CL02:{key}", f"CP01:{name}", f"CL01:{name}", f"CR01:{key}", f"UN01:{key}")
    wrong = (pattern, missing, spelling, digit, 0)
    empty = (0, 0, missing, pattern, 0)
    return tuple(
        RuleCount(rule=rule, passed=rows - bad - none, failed=bad, not_applicable=none, not_evaluated=0)
        for rule, bad, none in zip(names, wrong, empty, strict=True)
    )


def _mapping(table: str, dataset: DatasetId, owner: str, columns: Mapping[str, str]) -> ColumnDecisions:
    return ColumnDecisions(
        source=LINK,
        table=TableName(schema="public", table=table),
        dataset=dataset,
        owner=owner,
        columns=tuple(
            ColumnMapping(column=column, element=ElementId(element), relation=Relation.EXACT)
            for column, element in columns.items()
        ),
        digest="4" * 64,
    )
