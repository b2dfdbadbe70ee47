"""What the pages say, and what they must never carry."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.http import HttpResponse
from django.test import Client

from lienthong.centre.ports import LinkStatus, Phase
from lienthong.centre.reading import FailingRow
from lienthong.centre.refusals import CentreUnreachable, EpochDiffers
from lienthong.dictionary.shipped import shipped_folder
from lienthong.errors import Actor
from lienthong.oversight.plan import load_plan
from lienthong.portal import board as board_module
from lienthong.portal.application import prepare
from lienthong.portal.board import BOARD_KEPT_S, BoardKeeper
from lienthong.portal.serve import ListenRefused, PortInUse, check_listen
from lienthong.portal.services import set_services
from lienthong.testing.fakes import (
    CITIZENS,
    MOMENT,
    FakeReader,
    fake_services,
    lively_reader,
    small_mappings,
    stopped_link,
    streaming_link,
)

prepare()

PLAN = load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml")
RULE = "/bo-du-lieu/nhan-khau/quy-tac/CL02:so_dinh_danh/"
PAGES = ("/", "/?tu-dong=0", "/bo-du-lieu/nhan-khau/", RULE, "/nhiem-vu/", "/nhiem-vu/III.1.a.1/")
EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
POLICY = {
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "object-src 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
}


@pytest.fixture
def reader() -> FakeReader:
    return lively_reader()


@pytest.fixture
def client(reader: FakeReader) -> Iterator[Client]:
    set_services(fake_services(plan=PLAN, reader=reader))
    yield Client(SERVER_NAME="localhost")
    set_services(fake_services(plan=PLAN, reader=FakeReader()))


def text(response: HttpResponse) -> str:
    return response.content.decode()


def words_of(response: HttpResponse) -> str:
    """Return what a reader sees: without tags, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text(response)))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_vietnamese_and_guarded(client: Client, page: str) -> None:
    response = client.get(page)
    assert response.status_code == 200
    assert '<html lang="vi">' in text(response)
    assert set(response.headers["Content-Security-Policy"].split("; ")) == POLICY
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"
    assert not response.cookies


@pytest.mark.parametrize("page", [*PAGES, "/khong-co/"])
def test_no_page_needs_inline_script_or_style_or_another_server(client: Client, page: str) -> None:
    html = text(client.get(page))
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:|hx-on", html)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", html)


@pytest.mark.parametrize("page", PAGES)
def test_every_table_has_a_caption_and_every_page_one_title_and_a_way_to_its_content(
    client: Client, page: str
) -> None:
    html = text(client.get(page))
    assert html.count("<table") == html.count("<caption")
    assert html.count("<h1") == 1
    assert 'href="#noi-dung"' in html
    assert 'id="noi-dung"' in html


@pytest.mark.parametrize("page", PAGES)
def test_no_id_stands_twice_on_a_page(client: Client, page: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', text(client.get(page)))
    assert len(ids) == len(set(ids))


def test_the_overview_shows_databases_scores_batches_and_tasks(client: Client) -> None:
    seen = words_of(client.get("/"))
    for word in ("Sở Tài chính tỉnh Cà Mau", "19.642", "358", "1.204", "Đang nhận thay đổi", "0,4 giây", "vừa xong"):
        assert word in seen
    for word in ("Đúng", "Đủ", "Sạch", "Sống", "Thống nhất", "Dùng chung", "Chỉ số chung", "Thấp nhất"):
        assert word in seen
    assert "đọc = áp dụng + cách ly + thay thế + lọc" in seen
    assert "Số liệu lúc 14:05:09 ngày 23/11/2026" in seen
    assert "Đang hiện 27 trên 27 nhiệm vụ" in seen
    assert "Quyết định 2439/QĐ-TTg" in seen
    assert "muộn 65 ngày" in seen


def test_a_colour_never_stands_without_its_word(client: Client) -> None:
    html = text(client.get("/"))
    bars = re.findall(r'class="bar-(good|attention|bad)"', html)
    spoken = re.findall(r'class="tone-(good|attention|bad)">(Đạt|Cần cải thiện|Không đạt)<', html)
    assert bars
    assert [tone for tone, _ in spoken] == bars


def test_what_cannot_be_measured_is_said_not_shown_as_a_number(client: Client) -> None:
    assert "chưa đo được" in words_of(client.get("/")).lower()


@pytest.mark.parametrize(
    ("link", "seen", "unseen"),
    [
        (streaming_link(quiet_s=7_200, heartbeat_age_s=1), "không trễ", "Mất tín hiệu"),
        (streaming_link(quiet_s=7_200, heartbeat_age_s=1), "Không có thay đổi mới", "Đang nhận thay đổi"),
        (streaming_link(quiet_s=7_200, heartbeat_age_s=190), "Mất tín hiệu từ nguồn", "không trễ"),
        (streaming_link(quiet_s=7_200, heartbeat_age_s=190), "tín hiệu cuối 3 phút 10 giây trước", "không trễ"),
        (replace(streaming_link(), status=LinkStatus.BROKEN), "Đã dừng", "Đang nhận thay đổi"),
        (
            replace(streaming_link(), phase=Phase.SNAPSHOT, rows_done=50, rows_estimated=200),
            "đã chép 25%",
            "không trễ",
        ),
        (None, "Chưa kết nối", "Mất tín hiệu"),
    ],
)
def test_the_state_of_a_link_is_said_in_words(
    client: Client, reader: FakeReader, link: object, seen: str, unseen: str
) -> None:
    reader.link_states = () if link is None else (link,)
    shown = words_of(client.get("/"))
    assert seen in shown
    assert unseen not in shown


def test_a_change_slower_than_promised_is_said(client: Client, reader: FakeReader) -> None:
    reader.journal = (replace(reader.journal[0], source_time=MOMENT.replace(hour=6)),)
    shown = words_of(client.get("/"))
    assert "Chậm hơn cam kết" in shown
    assert "cam kết trong 1 phút" in shown


def test_a_stopped_link_says_why_and_what_to_do_once(client: Client, reader: FakeReader) -> None:
    reader.link_states = (stopped_link(EpochDiffers(source="ca-mau", delivered="a", stored="b")),)
    shown = words_of(client.get("/"))
    assert "Dừng, chờ quyết định" in shown
    assert shown.count("take a new snapshot of link ca-mau") == 1
    assert "1 / 1 nguồn" in shown


def test_an_empty_centre_has_a_page(client: Client) -> None:
    set_services(replace(fake_services(plan=PLAN, reader=FakeReader()), mappings=()))
    shown = words_of(client.get("/"))
    assert "Chưa có cơ sở dữ liệu nào" in shown
    assert "Chưa có lô nào" in shown


def test_hostile_texts_are_shown_as_text(client: Client, reader: FakeReader) -> None:
    reader.link_states = (replace(streaming_link(), status=LinkStatus.BROKEN, reason=EVIL, next_action=EVIL),)
    reader.failing = {
        (CITIZENS, "CL02:so_dinh_danh"): (
            FailingRow(
                record_id=EVIL, label=EVIL, observed=EVIL, quarantined=True, opened_at=MOMENT, batch_id=1, source=EVIL
            ),
        )
    }
    set_services(
        replace(
            fake_services(plan=PLAN, reader=reader),
            mappings=tuple(replace(each, owner=EVIL) for each in small_mappings()),
        )
    )
    for page in ("/", "/bo-du-lieu/nhan-khau/", RULE):
        html = text(client.get(page))
        assert "alert(" in html
        assert EVIL not in html
        assert "<script>" not in html
        assert "<img src=x" not in html


def test_a_filter_value_is_never_written_back(client: Client) -> None:
    html = text(client.get("/nhiem-vu/", {"chu-tri": EVIL, "tinh-trang": EVIL}))
    assert "alert(" not in html
    assert "Đang hiện 27 trên 27 nhiệm vụ" in html


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"chu-tri": "Bộ Khoa học và Công nghệ"}, 4),
        ({"tinh-trang": "done-late"}, 4),
        ({"chu-tri": "Bộ Công an", "tinh-trang": "done-late"}, 2),
        ({"chu-tri": "Bộ Tài chính", "tinh-trang": "done-late"}, 0),
    ],
)
@pytest.mark.parametrize("page", ["/", "/nhiem-vu/"])
def test_tasks_are_filtered_by_lead_and_standing(
    client: Client, page: str, query: dict[str, str], shown: int
) -> None:
    assert f"Đang hiện {shown} trên 27 nhiệm vụ" in words_of(client.get(page, query))


def test_the_plan_page_says_what_is_missing(client: Client) -> None:
    shown = words_of(client.get("/nhiem-vu/"))
    assert "bản lưu chỉ có đến III.3.d" in shown
    assert "Phụ lục II Chưa xác định" in shown
    assert "Mục tiêu" in shown
    assert "II.5" in shown


def test_a_task_page_gives_lead_due_outcome_evidence_and_slip(client: Client) -> None:
    shown = words_of(client.get("/nhiem-vu/III.1.a.1/"))
    for word in (
        "Bộ Công an",
        "tháng 8/2025",
        "31/08/2025",
        "Quyết định 2439/QĐ-TTg",
        "04/11/2025",
        "vietnamplus.vn",
        "muộn 65 ngày",
    ):
        assert word in shown
    assert "III.2.b.2.iv" in words_of(client.get("/nhiem-vu/III.2.b.2/"))
    assert "không phải bằng chứng hoàn thành" in words_of(client.get("/nhiem-vu/III.1.d.3/"))


def test_the_dataset_page_leads_from_each_word_to_its_rules(client: Client) -> None:
    html = text(client.get("/bo-du-lieu/nhan-khau/"))
    assert f'href="{RULE}"' in html
    assert "Giá trị phải đúng mẫu của miền giá trị" in html
    for criterion in ("correct", "complete", "clean", "live", "unified", "shared"):
        assert f'id="{criterion}"' in html


def test_failing_rows_are_masked_capped_and_counted(client: Client) -> None:
    html = text(client.get(RULE))
    assert html.count("09600*******") == 50
    assert "50 bản ghi mới nhất trên 210" in words_of(client.get(RULE))
    assert "ca-mau/public.nhan_khau/1000" in html
    assert "Đang cách ly" in html
    assert not re.search(r"\b\d{12}\b", html)


def test_an_empty_value_reads_as_empty(client: Client, reader: FakeReader) -> None:
    row = FailingRow(
        record_id="r", label="l", observed=None, quarantined=False, opened_at=MOMENT, batch_id=1, source="ca-mau"
    )
    reader.failing = {(CITIZENS, "CL02:so_dinh_danh"): (row,)}
    assert "trống" in words_of(client.get(RULE))


def test_a_rule_about_the_whole_dataset_lists_no_rows(client: Client) -> None:
    shown = words_of(client.get("/bo-du-lieu/nhan-khau/quy-tac/LV01/"))
    assert "đo cả bộ dữ liệu" in shown
    assert "Không có bản ghi nào" not in shown


def test_titles_name_things_never_values(client: Client) -> None:
    title = re.search(r"<title>(.*?)</title>", text(client.get(RULE)))
    assert title is not None
    assert title[1] == "Quy tắc CL02, Nhân khẩu · Liên Thông"


@pytest.mark.parametrize(
    "page",
    [
        "/khong-co/",
        "/bo-du-lieu/khong-co/",
        "/bo-du-lieu/nhan-khau/quy-tac/KHONG:co/",
        "/bo-du-lieu/khong-co/quy-tac/CL02:so_dinh_danh/",
        "/nhiem-vu/IX.9/",
    ],
)
def test_what_is_not_there_gets_a_vietnamese_404(client: Client, page: str) -> None:
    response = client.get(page)
    assert response.status_code == 404
    assert "Không có trang này" in words_of(response)
    assert "khong-co" not in text(response).replace('id="noi-dung"', "")
    assert set(response.headers["Content-Security-Policy"].split("; ")) == POLICY


@pytest.mark.parametrize("page", [*PAGES[:4], "/truc-tiep/", "/nhiem-vu/"])
def test_a_store_that_is_away_gives_503_with_its_code(client: Client, reader: FakeReader, page: str) -> None:
    reader.failure = CentreUnreachable(sqlstate="08006")
    response = client.get(page)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    shown = words_of(response)
    assert "Tạm thời chưa xem được" in shown
    assert "CEN-007" in shown
    assert "Traceback" not in shown


def test_a_fault_of_the_product_gives_500_and_logs_no_value(
    client: Client, reader: FakeReader, caplog: pytest.LogCaptureFixture
) -> None:
    reader.failure = RuntimeError("so_dinh_danh=079123456789")
    with caplog.at_level(logging.DEBUG):
        response = client.get("/")
    assert response.status_code == 500
    mark = re.search(r"mark=([0-9a-f]{8})", caplog.text)
    assert mark is not None
    assert mark[1] in words_of(response)
    assert "RuntimeError" in caplog.text
    assert "079123456789" not in caplog.text
    assert "079123456789" not in text(response)


def test_a_foreign_host_name_is_refused(client: Client) -> None:
    assert client.get("/", SERVER_NAME="evil.example").status_code == 400


@pytest.mark.parametrize("page", [*PAGES, "/truc-tiep/", "/healthz"])
def test_nothing_can_be_written(client: Client, page: str) -> None:
    assert client.post(page).status_code == 405


def test_health_follows_the_store(client: Client, reader: FakeReader) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    reader.failure = CentreUnreachable(sqlstate="08006")
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json() == {"status": "store-unavailable", "code": "CEN-007"}


def live_address(html: str) -> str:
    found = re.search(r'hx-get="([^"]+)"', html)
    assert found is not None
    return found[1].replace("&amp;", "&")


def renewed() -> None:
    """Forget the kept board, as a second of waiting would."""
    from lienthong.portal import views

    views._Kept.keeper = None


def test_a_live_answer_carries_only_what_changed(client: Client, reader: FakeReader) -> None:
    address = live_address(text(client.get("/")))
    assert "hx-swap-oob" not in text(client.get(address))
    counts = dict(reader.dataset_counts)
    counts[CITIZENS] = replace(counts[CITIZENS], rows=19_643)
    reader.dataset_counts = counts
    renewed()
    html = text(client.get(address))
    assert re.findall(r'id="(o-[a-z-]+)" hx-swap-oob', html) == ["o-tong-hop", "o-csdl"]
    assert "19.643" in html
    assert "hx-swap-oob" not in text(client.get(live_address(html)))


def test_a_paused_page_asks_for_nothing(client: Client) -> None:
    html = text(client.get("/?tu-dong=0"))
    assert "hx-get" not in html
    assert "htmx" not in html
    assert "Đã tạm dừng" in html


def test_many_browsers_ask_the_centre_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(board_module, "make_board", lambda given: made.append(given) or object())
    moment = [100.0]
    keeper = BoardKeeper(fake_services(plan=PLAN), monotonic=lambda: moment[0])
    first = keeper.board()
    moment[0] += BOARD_KEPT_S - 0.01
    assert keeper.board() is first
    moment[0] += 0.01
    assert keeper.board() is not first
    assert len(made) == 2


def test_a_store_that_is_away_is_not_asked_by_every_browser(reader: FakeReader) -> None:
    reader.failure = CentreUnreachable(sqlstate="08006")
    moment = [100.0]
    keeper = BoardKeeper(fake_services(plan=PLAN, reader=reader), monotonic=lambda: moment[0])
    for _ in range(3):
        with pytest.raises(CentreUnreachable):
            keeper.board()
    assert reader.asked == 1
    moment[0] += BOARD_KEPT_S
    reader.failure = None
    assert keeper.board().sections


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::", "portal.example", "", "8.8.8.8", "localhost.evil"])
def test_the_portal_never_listens_to_a_network(host: str) -> None:
    with pytest.raises(ListenRefused) as refusal:
        check_listen(host, 0)
    assert refusal.value.code == "PRT-001"
    assert refusal.value.actor is Actor.OPERATOR


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_the_portal_listens_on_its_own_machine(host: str) -> None:
    check_listen(host, 0)


def test_a_taken_port_is_refused_before_starting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse) as refusal:
            check_listen("127.0.0.1", port)
    assert refusal.value.facts["port"] == port
    assert refusal.value.code == "PRT-002"


def test_a_number_that_is_no_port_is_refused() -> None:
    with pytest.raises(PortInUse, match="not a port"):
        check_listen("127.0.0.1", 70_000)
