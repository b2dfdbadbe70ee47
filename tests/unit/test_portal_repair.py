"""The pages of the repair loop: whose cases one sees, what one may do, and that no form closes a case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.test import Client

from lienthong.centre.reading import CentreReader
from lienthong.clock import FixedClock
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.officers import Officer, OfficerRegister, Role, Session
from lienthong.oversight.plan import load_plan
from lienthong.oversight.repair import CaseKind, CaseState, Counts
from lienthong.oversight.repair_desk import Look
from lienthong.oversight.repair_policy import RepairRules
from lienthong.oversight.repair_refusals import RepairStoreAway
from lienthong.portal.accounts import SESSION_COOKIE
from lienthong.portal.application import prepare
from lienthong.portal.services import set_services
from lienthong.testing.fakes import MOMENT, FakeReader, small_dictionary, small_mappings, small_rule_sets
from lienthong.testing.repair_fakes import FakeRepairDesk, small_case
from lienthong.wiring.repair_desk import repair_rules

prepare()

PLAN = load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml")
RULES = repair_rules()
WHY = "đã đối chiếu với hồ sơ gốc"
OFFICERS = {
    name: Officer(name=name, full_name=full, agency=agency, roles=frozenset({role}))
    for name, full, agency, role in (
        ("lan", "Nguyễn Lan", "H12", Role.STEWARD),
        ("khac", "Trần Khác", "H13", Role.STEWARD),
        ("minh", "Lê Minh", "G01", Role.ASSESSOR),
        ("lanh", "Vũ Lãnh", "G01", Role.LEADER),
        ("xuat", "Đỗ Xuất", "H12", Role.PROPOSER),
    )
}


class Accounts:
    """Sessions whose secret is the officer's name."""

    def session(self, secret: str, *, at: datetime) -> Session | None:
        officer = OFFICERS.get(secret)
        return None if officer is None else Session(officer=officer, began_at=at, ends_at=at + timedelta(hours=1))

    def officers(self) -> Sequence[Officer]:
        return list(OFFICERS.values())


@dataclass(kw_only=True)
class World:
    repairs: FakeRepairDesk | None
    repair_rules: RepairRules = RULES
    officers: OfficerRegister = field(default_factory=Accounts)  # type: ignore[assignment] # what the pages ask of it
    reader: CentreReader = field(default_factory=FakeReader)
    clock: FixedClock = field(default_factory=lambda: FixedClock(MOMENT))
    plan = PLAN
    dictionary = small_dictionary()
    rule_sets = small_rule_sets()
    mappings = small_mappings()


@pytest.fixture
def desk() -> FakeRepairDesk:
    desk = FakeRepairDesk(rules=RULES)
    rule = next(iter(small_rule_sets().values())).rules[0]
    desk.hold(small_case(rule=rule.name, dataset=next(iter(small_rule_sets()))))
    desk.hold(small_case(number=8, agency="H13"))
    desk.hold(small_case(number=9, agency="chưa xác định", rule="CL99:x"))
    set_services(World(repairs=desk))  # type: ignore[arg-type] # a world of fakes
    return desk


def browser(name: str | None) -> Client:
    client = Client(HTTP_HOST="localhost")
    if name is not None:
        client.cookies[SESSION_COOKIE] = name
    return client


def page(address: str, name: str | None = "lan", *, status: int = 200) -> str:
    response = browser(name).get(address)
    assert response.status_code == status, response.content.decode()
    return response.content.decode()


def send(address: str, name: str = "lan", *, status: int = 303, **fields: object) -> str:
    response = browser(name).post(address, fields)
    assert response.status_code == status, response.content.decode()
    return response.content.decode()


def test_a_steward_sees_the_cases_of_the_own_agency_only(desk: FakeRepairDesk) -> None:
    shown = page("/sua-du-lieu/")
    assert "PS-000007" in shown
    assert "PS-000008" not in shown
    assert "PS-000009" not in shown
    # An address that names another agency changes nothing for who does not watch all of them.
    assert "PS-000008" not in page("/sua-du-lieu/?co-quan=H13")
    for address in ("/sua-du-lieu/8/", "/sua-du-lieu/8/bang-ke.xlsx", "/sua-du-lieu/99/"):
        page(address, status=404)


@pytest.mark.parametrize("name", ["minh", "lanh"])
def test_assessors_and_leaders_see_all_and_can_choose(desk: FakeRepairDesk, name: str) -> None:
    shown = page("/sua-du-lieu/", name)
    assert all(number in shown for number in ("PS-000007", "PS-000008", "PS-000009"))
    assert "PS-000008" not in page("/sua-du-lieu/?co-quan=H12", name)


def test_without_an_account_or_a_role_nothing_is_shown(desk: FakeRepairDesk) -> None:
    assert browser(None).get("/sua-du-lieu/").status_code == 303
    page("/sua-du-lieu/", "xuat", status=403)
    page("/sua-du-lieu/7/", "xuat", status=403)
    assert "/sua-du-lieu/" not in page("/", "xuat")
    assert "/sua-du-lieu/" in page("/", "lan")


def test_the_case_says_the_rule_the_deadline_and_how_it_was_reckoned(desk: FakeRepairDesk) -> None:
    shown = page("/sua-du-lieu/7/")
    rule = next(iter(small_rule_sets().values())).rules[0]
    assert rule.sentence.vi in shown
    assert "kiểm tra: 5 ngày làm việc kể từ 23/11/2026" in shown
    assert "24/11/2026 (Ngày Văn hóa Việt Nam)" in shown
    assert "096•••••••12" in shown
    assert "chưa kiểm chứng" in shown


def test_no_page_title_or_address_names_a_record(desk: FakeRepairDesk) -> None:
    shown = page("/sua-du-lieu/7/")
    (title,) = re.findall(r"<title>(.*?)</title>", shown)
    assert "nhan_khau/" not in title
    assert not re.findall(r'href="[^"]*public\.', shown)


def test_a_steward_goes_the_whole_way_and_nothing_closes_the_case(desk: FakeRepairDesk) -> None:
    send("/sua-du-lieu/7/tiep-nhan/")
    send("/sua-du-lieu/7/hen-ngay/", ngay="2026-12-01")
    send("/sua-du-lieu/7/da-sua/")
    shown = page("/sua-du-lieu/7/?xong=da-sua")
    assert "chờ đo lại" in shown
    assert "Đã ghi nhận: Báo đã sửa tại nguồn" in shown
    assert desk.held[7].state is CaseState.AWAITING
    for slug in ("dong", "closed", "close", "measured"):
        send(f"/sua-du-lieu/7/{slug}/", status=404)
    desk.measure(7, Counts(passed=3), at=MOMENT + timedelta(days=1))
    assert "Đã đóng sau khi đo đạt" in page("/sua-du-lieu/7/")
    assert "PS-000007" not in page("/sua-du-lieu/")
    assert "PS-000007" in page("/sua-du-lieu/?trang-thai=closed")


def test_a_refused_step_says_why_and_keeps_what_was_typed(desk: FakeRepairDesk) -> None:
    shown = send("/sua-du-lieu/7/khong-phai-loi/", status=409, **{"ly-do": "ngắn <b>"})
    assert "Cần lý do từ 10" in shown
    assert "ngắn &lt;b&gt;" in shown
    assert "Ngày hẹn phải từ hôm nay" in send("/sua-du-lieu/7/hen-ngay/", status=409, ngay="2026-01-01")
    assert "bản ghi không thuộc" in send(
        "/sua-du-lieu/7/khong-phai-loi/", status=409, **{"ly-do": WHY, "ban-ghi": "ca-mau/public.nhan_khau/1"}
    )
    assert desk.held[7].state is CaseState.OPEN


def test_a_claim_is_decided_by_somebody_of_another_agency(desk: FakeRepairDesk) -> None:
    send("/sua-du-lieu/7/khong-phai-loi/", **{"ly-do": WHY})
    assert "Chấp nhận ngoại lệ</h3>" not in page("/sua-du-lieu/7/")
    send("/sua-du-lieu/7/chap-nhan/", status=409, **{"ly-do": WHY})
    assert "Chấp nhận ngoại lệ</h3>" in page("/sua-du-lieu/7/", "minh")
    send("/sua-du-lieu/7/bac/", "minh", **{"ly-do": WHY})
    shown = page("/sua-du-lieu/7/")
    assert "Bác" in shown
    assert desk.held[7].state is CaseState.ACKNOWLEDGED


def test_more_days_are_given_by_who_watches_not_by_the_owner(desk: FakeRepairDesk) -> None:
    send("/sua-du-lieu/7/kho/", status=409, **{"ly-do": WHY})
    send("/sua-du-lieu/7/kho/", "lanh", **{"ly-do": WHY})
    assert desk.held[7].hard
    assert "trường hợp khó: 15 ngày làm việc" in page("/sua-du-lieu/7/")


def test_several_cases_are_taken_on_at_once_and_the_others_left(desk: FakeRepairDesk) -> None:
    desk.hold(small_case(number=10))
    desk.hold(small_case(number=11, state=CaseState.AWAITING))
    response = browser("lan").post("/sua-du-lieu/tiep-nhan/", {"phieu": ["7", "8", "10", "11", "99", "x", "٣"]})
    assert (response.status_code, response["Location"]) == (303, "/sua-du-lieu/?xong=2&con=3")
    assert desk.held[7].state is desk.held[10].state is CaseState.ACKNOWLEDGED
    assert desk.held[8].state is CaseState.OPEN
    assert "Đã tiếp nhận 2 phiếu. 3 phiếu không tiếp nhận được" in page("/sua-du-lieu/?xong=2&con=3")


def test_filters_narrow_and_nonsense_changes_nothing(desk: FakeRepairDesk) -> None:
    desk.hold(small_case(number=10, colour=replace(small_case()).colour.GREEN))
    assert "PS-000010" not in page("/sua-du-lieu/?muc=red")
    assert "PS-000010" in page("/sua-du-lieu/?muc=green")
    assert "PS-000007" in page("/sua-du-lieu/?trang-thai=xyz&xong=a&con=b")
    assert "Không có phiếu nào khớp" in page("/sua-du-lieu/?bo-du-lieu=khong-co")


def test_overdue_and_recurring_cases_stand_first_and_say_so(desk: FakeRepairDesk) -> None:
    late = MOMENT - timedelta(days=60)
    desk.hold(small_case(number=10, opened_at=late, found_at=late))
    shown = page("/sua-du-lieu/")
    assert shown.index("PS-000010") < shown.index("PS-000007")
    assert "ngày làm việc</span>" in shown


def test_measures_stand_beside_the_queue(desk: FakeRepairDesk) -> None:
    desk.measure(7, Counts(passed=3), at=MOMENT + timedelta(hours=12))
    set_services(World(repairs=desk, clock=FixedClock(MOMENT + timedelta(days=1))))  # type: ignore[arg-type] # fakes
    shown = page("/sua-du-lieu/")
    assert "trung vị 0,5" in shown or "trung vị 0.5" in shown
    assert "0%" in shown.replace(" ", "").replace(",0", "")


def test_a_look_up_shows_who_asked_and_never_the_key(desk: FakeRepairDesk) -> None:
    desk.hold(
        small_case(
            number=12,
            kind=CaseKind.LOOK_UP,
            rule="look-up:not-found",
            element=None,
            source="",
            error_class=None,
            answer_by=MOMENT + timedelta(hours=20),
            counts=Counts(open=1),
        )
    )
    desk.looks[12] = (Look(at=MOMENT, requester="G09", purpose="xác minh", outcome="not-found"),)
    shown = page("/sua-du-lieu/12/")
    assert "tra cứu không thấy bản ghi" in shown
    assert "G09" in shown
    assert "Khóa được tra cứu không được lưu" in shown


def test_the_workbook_holds_the_open_records(desk: FakeRepairDesk) -> None:
    response = browser("lan").get("/sua-du-lieu/7/bang-ke.xlsx")
    assert response["Content-Disposition"] == 'attachment; filename="PS-000007.xlsx"'
    texts = ZipFile(BytesIO(response.content)).read("xl/sharedStrings.xml").decode()
    assert all(member.record_id in texts for member in desk.records[7])


def test_a_store_that_is_away_is_said_to_be_away(desk: FakeRepairDesk) -> None:
    desk.failure = RepairStoreAway(sqlstate="08006")
    assert "OVS-121" in page("/sua-du-lieu/", status=503)


def test_an_installation_without_cases_has_no_such_page() -> None:
    set_services(World(repairs=None))  # type: ignore[arg-type] # a world of fakes
    page("/sua-du-lieu/", status=404)


def test_forms_from_elsewhere_are_not_taken(desk: FakeRepairDesk) -> None:
    client = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    client.cookies[SESSION_COOKIE] = "lan"
    assert client.post("/sua-du-lieu/7/tiep-nhan/").status_code == 403
    assert desk.held[7].state is CaseState.OPEN
