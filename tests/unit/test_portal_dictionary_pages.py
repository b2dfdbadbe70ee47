"""What the dictionary's pages say, refuse, and must never carry."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from jsonschema import Draft202012Validator

from lienthong.centre.refusals import CentreUnreachable
from lienthong.check.rule_set import derive_rules
from lienthong.clock import FixedClock
from lienthong.dictionary.canonical import item_hash
from lienthong.dictionary.load import load
from lienthong.dictionary.model import Conflict, Dictionary, ElementId, Source, Text, Trust
from lienthong.dictionary.release import Entry, Release, as_bytes
from lienthong.dictionary.search import QUERY_LETTERS_MAX
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.plan import load_plan
from lienthong.portal.application import prepare
from lienthong.portal.days import read_day
from lienthong.portal.services import set_services
from lienthong.testing.fakes import CITIZENS, FakeReader, FakeServices, fake_services, lively_reader, small_dictionary

prepare()

PLAN = load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml")
NOON = datetime(2026, 3, 1, 5, 0, tzinfo=UTC)
COMMUNES = "/tu-dien/danh-muc/don-vi-hanh-chinh-xa"
PAGES = (
    "/tu-dien/",
    "/tu-dien/?q=ho+va+ten",
    "/tu-dien/?nhom=-&trang=2",
    "/tu-dien/phan-tu/HoVaTen/",
    "/tu-dien/phan-tu/MaXaThuongTru/?ngay=2024-01-01",
    "/tu-dien/mien-gia-tri/vd-ma-xa/",
    "/tu-dien/bo-du-lieu/nhan-khau/",
    f"{COMMUNES}/",
    f"{COMMUNES}/?ngay=2024-01-01&q=ng%E1%BB%8Dc+h%C3%A0&cha=01",
    f"{COMMUNES}/00008/",
    "/tu-dien/phat-hanh/",
)
FILES = (
    "/tu-dien/tep/data-element/HoVaTen.yaml",
    "/tu-dien/bo-du-lieu/nhan-khau/schema.json",
    "/tu-dien/bo-du-lieu/nhan-khau/bang.sql",
    f"{COMMUNES}.csv",
)
EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
HOSTILE = (
    EVIL,
    "{{ 7*7 }}{% debug %}",
    "' OR 1=1 --",
    "../../etc/passwd",
    "%00\x00\r\nSet-Cookie: a=b",
    "\u202egnirts\u202c\ufeff",
    "a" * 10_000,
    "(" * 500,
    "🙂" * 200,
)


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


@pytest.fixture(scope="module")
def services(dictionary: Dictionary) -> FakeServices:
    made = fake_services(plan=PLAN, reader=lively_reader(now=NOON), clock=FixedClock(NOON))
    rules = {name: derive_rules(dictionary, each) for name, each in dictionary.datasets.items()}
    return replace(made, dictionary=dictionary, rule_sets=rules)


@pytest.fixture
def client(services: FakeServices) -> Iterator[Client]:
    set_services(services)
    yield Client(SERVER_NAME="localhost")
    set_services(fake_services(plan=PLAN, reader=FakeReader()))


def text(response: HttpResponse) -> str:
    return response.content.decode()


def words_of(response: HttpResponse) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text(response)))


@pytest.mark.parametrize("page", PAGES)
def test_dictionary_pages_are_vietnamese_guarded_and_need_nobody_else(client: Client, page: str) -> None:
    response = client.get(page)
    html = text(response)
    assert response.status_code == 200
    assert '<html lang="vi">' in html
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"
    assert not response.cookies
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:|hx-on", html)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", html)
    assert "None" not in words_of(response)


@pytest.mark.parametrize("page", PAGES)
def test_dictionary_pages_can_be_found_around_in(client: Client, page: str) -> None:
    html = text(client.get(page))
    assert html.count("<h1") == 1
    assert html.count("<table") == html.count("<caption")
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)
    assert set(re.findall(r'(?:aria-labelledby|for)="([^"]+)"', html)) <= set(ids)
    assert '<a href="/tu-dien/" aria-current="page">Từ điển</a>' in html


def test_every_link_of_the_dictionary_leads_somewhere(client: Client) -> None:
    seen: set[str] = set()
    waiting = ["/tu-dien/", "/tu-dien/phan-tu/MaXaThuongTru/", "/tu-dien/phan-tu/HoVaTen/", f"{COMMUNES}/00008/"]
    for page in waiting:
        html = text(client.get(page))
        for link in re.findall(r'href="([^"#]+)', html):
            shape = re.sub(r"[0-9]+|(?<=/)[A-Z]\w+", "*", link)
            if link.startswith(("?", "/static/")) or shape in seen:
                continue
            seen.add(shape)
            assert client.get(link.replace("&amp;", "&")).status_code == 200, (page, link)
    assert len(seen) > 20


@pytest.mark.parametrize("page", [*PAGES, *FILES, "/id/data-element/HoVaTen/1.0.0"])
def test_nothing_of_the_dictionary_can_be_written(client: Client, page: str) -> None:
    assert client.post(page).status_code == 405


@pytest.mark.parametrize("query", HOSTILE)
@pytest.mark.parametrize("page", ["/tu-dien/", f"{COMMUNES}/"])
@pytest.mark.parametrize("parameter", ["q", "nhom", "cha", "trang", "mien"])
def test_hostile_parameters_are_text_or_nothing(client: Client, page: str, parameter: str, query: str) -> None:
    response = client.get(page, {parameter: query})
    html = text(response)
    assert response.status_code == 200
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "49" not in re.findall(r'name="q" value="([^"]*)"', html)[0]
    assert "Set-Cookie" not in response.headers
    assert len(re.findall(r'name="q" value="([^"]*)"', html)[0]) < QUERY_LETTERS_MAX * 6


@pytest.mark.parametrize("query", HOSTILE)
def test_hostile_days_are_refused_without_being_repeated(client: Client, query: str) -> None:
    for page in (
        "/tu-dien/phan-tu/MaXaThuongTru/",
        f"{COMMUNES}/",
        f"{COMMUNES}/00008/",
        f"{COMMUNES}.csv",
        FILES[1],
    ):
        response = client.get(page, {"ngay": query})
        assert response.status_code == 400, page
        assert "alert(" not in text(response)
        assert "passwd" not in text(response)


def test_a_query_is_shown_again_as_text_only_in_its_field(client: Client) -> None:
    html = text(client.get("/tu-dien/", {"q": 'họ "<b>'}))
    assert 'value="họ &quot;&lt;b&gt;"' in html
    assert "<b>" not in html
    title = re.search(r"<title>(.*?)</title>", html)
    assert title is not None
    assert "họ" not in title[1]


def test_a_long_query_is_cut_and_says_so(client: Client) -> None:
    shown = words_of(client.get("/tu-dien/", {"q": "họ và tên " + "x" * 500}))
    assert f"Chỉ {QUERY_LETTERS_MAX} ký tự đầu được dùng" in shown


@pytest.mark.parametrize(
    "number", ["079123456789", "079 123 456 789", "0791.2345.6789", "cccd 079123456789", "0912345678"]
)
def test_a_personal_number_is_neither_searched_for_nor_repeated(
    client: Client, caplog: pytest.LogCaptureFixture, number: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        for page in ("/tu-dien/", f"{COMMUNES}/"):
            response = client.get(page, {"q": number})
            assert "Không tìm theo dãy số này" in words_of(response)
            assert number not in text(response)
    assert client.get("/tu-dien/", {"q": number}).headers["HX-Replace-Url"] == "false"
    assert number not in caplog.text


def test_the_search_finds_with_and_without_marks_and_says_how_well(client: Client) -> None:
    for query in ("Họ và tên", "ho va ten"):
        html = text(client.get("/tu-dien/", {"q": query}))
        assert re.findall(r'href="/tu-dien/phan-tu/(\w+)/"', html)[0] == "HoVaTen"
        assert "Đúng như đã gõ" in html
    assert "khác thứ tự" in words_of(client.get("/tu-dien/", {"q": "danh định số"}))
    nothing = client.get("/tu-dien/", {"q": "zzzzqqqq"})
    assert "Không có thuật ngữ nào khớp" in words_of(nothing)
    assert 'href="/tu-dien/#h-danh-muc"' in nothing.content.decode()
    assert 'id="h-danh-muc"' in client.get("/tu-dien/").content.decode()


def test_pages_of_a_search_keep_the_search(client: Client) -> None:
    html = text(client.get("/tu-dien/", {"do-nhay-cam": "public"}))
    following = re.search(r'href="(\?[^"#]+)#ket-qua" rel="next"', html)
    assert following is not None
    assert "do-nhay-cam=public" in following[1]
    assert "trang=2" in following[1]


def test_the_home_says_that_nobody_approved_it_yet(client: Client, dictionary: Dictionary) -> None:
    shown = words_of(client.get("/tu-dien/"))
    assert f"Phiên bản {dictionary.version}" in shown
    assert "chưa cơ quan nào phê duyệt" in shown
    assert "chưa có bản được ký" in shown
    assert "01/07/2025" in shown


def test_the_element_page_shows_all_that_is_known_and_says_what_is_not(client: Client) -> None:
    shown = words_of(client.get("/tu-dien/phan-tu/HoVaTen/"))
    for each in (
        "Họ, chữ đệm và tên khai sinh",
        "nhiều nhất 150 ký tự",
        "Từ điển đang dùng",
        "Trùng với từ điển",
        "Chưa kiểm chứng",
        "25 mô tả theo Quyết định 2439/QĐ-TTg",
        "chưa xác định",
        "public.nhan_khau.ho_ten",
        "đúng nghĩa",
        "Mới có một phiên bản: 1.0.0",
        "/id/data-element/HoVaTen/1.0.0",
    ):
        assert each in shown, each
    html = text(client.get("/tu-dien/phan-tu/HoVaTen/"))
    assert re.findall(r'class="claim-value">(\d+)<', html) == ["150", "50", "150", "100"]


def test_conformance_is_bounded_and_unknown_where_nothing_was_measured(client: Client) -> None:
    shown = words_of(client.get("/tu-dien/phan-tu/SoDinhDanh/"))
    assert "bản ghi đạt mọi quy tắc của trường này" in shown
    assert "chưa có cơ sở dữ liệu nào nối vào" in shown
    html = text(client.get("/tu-dien/phan-tu/SoDinhDanh/"))
    assert '/bo-du-lieu/nhan-khau/quy-tac/CL02:so_dinh_danh/"' in html


def test_the_element_page_stands_while_the_centre_is_away(services: FakeServices) -> None:
    reader = FakeReader(failure=CentreUnreachable(sqlstate="08006"))
    set_services(replace(services, reader=reader))
    response = Client(SERVER_NAME="localhost").get("/tu-dien/phan-tu/HoVaTen/")
    assert response.status_code == 200
    assert "CEN-007" in words_of(response)
    assert "chưa đo được" in words_of(response).lower()
    assert reader.asked == 1
    assert Client(SERVER_NAME="localhost").get("/tu-dien/").status_code == 200


def test_an_element_shows_its_concept_and_the_other_terms_of_the_object(client: Client) -> None:
    shown = words_of(client.get("/tu-dien/phan-tu/HoVaTen/"))
    assert "Khái niệm con-nguoi.ho-ten" in shown
    assert "Chưa có cách viết nào khác của khái niệm này." in shown
    assert "thuật ngữ khác về con-nguoi" in shown


def test_a_list_without_anything_to_remark_has_no_empty_remark(client: Client) -> None:
    assert 'class="remarks"' not in client.get("/tu-dien/danh-muc/gioi-tinh/").content.decode()
    assert 'class="remarks"' in client.get(f"{COMMUNES}/").content.decode()


def test_permitted_values_follow_the_day(client: Client) -> None:
    for day, label in (("2024-01-01", "Phường Liễu Giai"), ("2026-01-01", "Phường Ngọc Hà")):
        shown = words_of(client.get(f"/tu-dien/phan-tu/MaXaThuongTru/?ngay={day}"))
        assert f"00008 {label}" in shown
    assert "Ngày 01/03/2026 có 3.321 mã" in words_of(client.get("/tu-dien/phan-tu/MaXaThuongTru/"))


@pytest.mark.parametrize(
    "day", ["2024-02-30", "2024-13-01", "20240101", "1/13/2024", "hôm nay", "1899-12-31", "2101-01-01", "0001-01-01"]
)
def test_a_bad_day_is_refused_and_no_code_is_shown(client: Client, day: str) -> None:
    for page in ("/tu-dien/phan-tu/MaXaThuongTru/", f"{COMMUNES}/", f"{COMMUNES}/00008/"):
        response = client.get(page, {"ngay": day})
        assert response.status_code == 400
        assert "Ngày không hợp lệ" in words_of(response)
    assert "00004" not in words_of(client.get(f"{COMMUNES}/", {"ngay": day}))
    assert client.get(f"{COMMUNES}/", {"ngay": day}, headers={"HX-Request": "true"}).status_code == 200


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2024-01-02", date(2024, 1, 2)),
        ("2/1/2024", date(2024, 1, 2)),
        ("02.01.2024", date(2024, 1, 2)),
        (" ", None),
        (None, None),
    ],
)
def test_a_day_is_read_as_people_write_it(written: str | None, day: date | None) -> None:
    asked = read_day(written, today=date(2026, 3, 1))
    assert (asked.day, asked.given, asked.refused) == (day or date(2026, 3, 1), day is not None, False)


def test_the_list_page_warns_of_codes_that_were_something_else(client: Client) -> None:
    shown = words_of(client.get(f"{COMMUNES}/?ngay=2026-01-01&q=00008"))
    assert "Phường Ngọc Hà" in shown
    assert "Trước 01/07/2025 Phường Liễu Giai" in shown
    assert "trước đây là đơn vị khác" in shown
    then = words_of(client.get(f"{COMMUNES}/?ngay=2024-01-01&q=00008"))
    assert "Từ 01/07/2025 Phường Ngọc Hà" in then


def test_a_list_without_days_has_no_warnings(client: Client) -> None:
    shown = words_of(client.get("/tu-dien/danh-muc/gioi-tinh/"))
    assert "không có ngày bắt đầu" not in shown
    assert "Nữ" in shown


def test_the_code_page_names_the_meaning_of_the_day(client: Client) -> None:
    assert "Ngày 01/01/2024: Phường Liễu Giai" in words_of(client.get(f"{COMMUNES}/00008/?ngay=2024-01-01"))
    assert "Ngày 01/03/2026: Phường Ngọc Hà" in words_of(client.get(f"{COMMUNES}/00008/"))
    assert "Không có hiệu lực" in words_of(client.get(f"{COMMUNES}/00001/"))


def test_a_code_that_is_a_text_has_its_page(client: Client) -> None:
    html = text(client.get("/tu-dien/danh-muc/loai-hinh-doanh-nghiep/"))
    link = re.search(r'href="(/tu-dien/danh-muc/loai-hinh-doanh-nghiep/[^"]*%20[^"]*)"', html)
    assert link is not None
    assert client.get(link[1].partition("?")[0]).status_code == 200


def test_the_csv_of_a_day_is_an_attachment_with_a_byte_order_mark(client: Client) -> None:
    response = client.get(f"{COMMUNES}.csv?ngay=2024-01-01&cha=01")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="don-vi-hanh-chinh-xa-2024-01-01.csv"'
    assert response.content.startswith(b"\xef\xbb\xbf")
    assert '"00008","Phường Liễu Giai"' in text(response)
    assert "Cà Mau" not in text(response)


def test_the_schema_is_valid_and_carries_the_codes_of_the_day(client: Client) -> None:
    for day, present in (("2024-01-01", True), ("2026-01-01", False)):
        response = client.get(f"/tu-dien/bo-du-lieu/nhan-khau/schema.json?ngay={day}")
        schema = json.loads(response.content)
        Draft202012Validator.check_schema(schema)
        assert ("00001" in text(response)) is present


def test_the_yaml_of_an_item_is_the_item(client: Client) -> None:
    written = text(client.get("/tu-dien/tep/data-element/HoVaTen.yaml"))
    assert "id: HoVaTen" in written
    assert "technical_name: ho_va_ten" in written
    assert "CREATE TABLE dataset.nhan_khau" in text(client.get("/tu-dien/bo-du-lieu/nhan-khau/bang.sql"))


@pytest.mark.parametrize(
    ("kind", "name", "page"),
    [
        ("data-element", "HoVaTen", "/tu-dien/phan-tu/HoVaTen/"),
        ("value-domain", "vd-ho-ten", "/tu-dien/mien-gia-tri/vd-ho-ten/"),
        ("code-list", "gioi-tinh", "/tu-dien/danh-muc/gioi-tinh/"),
        ("dataset", "nhan-khau", "/tu-dien/bo-du-lieu/nhan-khau/"),
    ],
)
def test_a_stable_address_answers_people_and_programs(
    client: Client, dictionary: Dictionary, kind: str, name: str, page: str
) -> None:
    held: Any = {
        "data-element": dictionary.elements,
        "value-domain": dictionary.domains,
        "code-list": dictionary.code_lists,
        "dataset": dictionary.datasets,
    }[kind]
    address = f"/id/{kind}/{name}/{held[name].identity.version}"
    for accept in ("text/html,application/xhtml+xml,*/*;q=0.8", "*/*"):
        response = client.get(address, headers={"Accept": accept})
        assert (response.status_code, response.headers["Location"]) == (303, page)
        assert response.headers["Vary"] == "Accept"
    answer = client.get(address, headers={"Accept": "application/json"}).json()
    assert (answer["kind"], answer["id"], answer["hash"]) == (kind, name, item_hash(held[name]))
    assert answer["item"]["identity"]["id"] == name
    assert client.get(address, headers={"Accept": "text/turtle"}).status_code == 406
    assert client.get(f"/id/{kind}/{name}/9.9.9").status_code == 404
    assert client.get(f"/id/{kind}/khong-co/1.0.0").status_code == 404


def test_addresses_of_codes_lead_to_the_day_they_speak_of(client: Client) -> None:
    for since, day in (("-", "2025-06-30"), ("2025-07-01", "2025-07-01")):
        response = client.get(f"/id/code/don-vi-hanh-chinh-xa/00008/{since}")
        assert response.headers["Location"] == f"{COMMUNES}/00008/?ngay={day}"
    assert client.get("/id/code-list/gioi-tinh").headers["Location"] == "/tu-dien/danh-muc/gioi-tinh/"
    for page in ("/id/code/don-vi-hanh-chinh-xa/00008/2020-01-01", "/id/code/khong-co/1/-", "/id/code-list/khong-co"):
        assert client.get(page).status_code == 404


@pytest.mark.parametrize(
    "page",
    [
        "/tu-dien/khong-co/",
        "/tu-dien/phan-tu/KhongCo/",
        "/tu-dien/mien-gia-tri/khong-co/",
        "/tu-dien/bo-du-lieu/khong-co/",
        "/tu-dien/bo-du-lieu/khong-co/schema.json",
        "/tu-dien/bo-du-lieu/khong-co/bang.sql",
        "/tu-dien/danh-muc/khong-co/",
        "/tu-dien/danh-muc/khong-co.csv",
        "/tu-dien/danh-muc/khong-co/1/",
        f"{COMMUNES}/khong-co/",
        "/tu-dien/tep/data-element/khong-co.yaml",
        "/tu-dien/tep/khong-co/HoVaTen.yaml",
        "/id/khong-co/HoVaTen/1.0.0",
    ],
)
def test_what_the_dictionary_has_not_gets_a_vietnamese_404(client: Client, page: str) -> None:
    response = client.get(page)
    assert response.status_code == 404
    assert "Không có trang này" in words_of(response)


def test_a_hostile_dictionary_is_shown_as_text(services: FakeServices) -> None:
    small = small_dictionary()
    name = ElementId("HoVaTen")
    source = Source(document=EVIL, trust=Trust.OWN, address=f"javascript:alert(1){EVIL}", note=EVIL)
    hostile = replace(
        small.elements[name],
        label=Text(vi=EVIL, en=EVIL),
        definition=Text(vi=EVIL, en=EVIL),
        group=Text(vi=EVIL),
        synonyms=(EVIL,),
        sources=(source,),
        legal_basis=(source,),
        conflicts=(Conflict(descriptor=EVIL, value=EVIL, source=source),),
        related=(EVIL,),
    )
    dataset = replace(small.datasets[CITIZENS], label=Text(vi=EVIL), definition=Text(vi=EVIL), domain=EVIL)
    dictionary = replace(
        small, elements={**small.elements, name: hostile}, datasets={**small.datasets, CITIZENS: dataset}
    )
    set_services(replace(fake_services(plan=PLAN, clock=FixedClock(NOON)), dictionary=dictionary))
    client = Client(SERVER_NAME="localhost")
    for page in ("/tu-dien/", "/tu-dien/?q=script", "/tu-dien/phan-tu/HoVaTen/", "/tu-dien/bo-du-lieu/nhan-khau/"):
        html = text(client.get(page))
        assert "alert(" in html
        assert "<script>" not in html
        assert "<img src=x" not in html
        assert 'href="javascript' not in html


def test_the_small_dictionary_has_all_its_pages(services: FakeServices) -> None:
    set_services(fake_services(plan=PLAN, clock=FixedClock(NOON)))
    client = Client(SERVER_NAME="localhost")
    for page in ("/tu-dien/", "/tu-dien/phan-tu/HoVaTen/", "/tu-dien/bo-du-lieu/nhan-khau/", "/tu-dien/phat-hanh/"):
        assert client.get(page).status_code == 200
    assert "Phê duyệt" in words_of(client.get("/tu-dien/"))


@dataclass(frozen=True)
class Place:
    dictionary: Path | None


@dataclass(frozen=True)
class ServicesOnFolder:
    """The part of the services the portal uses, with settings that name a folder."""

    dictionary: Dictionary
    rule_sets: Any
    mappings: Any
    plan: Any
    reader: Any
    clock: Any
    settings: Place


def on_folder(folder: Path, dictionary: Dictionary) -> Client:
    made = fake_services(plan=PLAN, clock=FixedClock(NOON))
    set_services(
        ServicesOnFolder(  # type: ignore[arg-type] # settings are only asked for the folder
            dictionary=dictionary,
            rule_sets=made.rule_sets,
            mappings=made.mappings,
            plan=made.plan,
            reader=made.reader,
            clock=made.clock,
            settings=Place(dictionary=folder),
        )
    )
    return Client(SERVER_NAME="localhost")


def written(version: str, dictionary: Dictionary, *, digest: str | None = None) -> bytes:
    return as_bytes(
        Release(
            version=version,
            released_at=NOON,
            agency="G01",
            actor="Nguyễn Văn Thử",
            digest=digest or dictionary.digest,
            entries=tuple(
                Entry(kind="data-element", id=name, version="1.0.0", status="proposed", hash=item_hash(one), files=())
                for name, one in dictionary.elements.items()
            ),
        )
    )


def test_a_folder_without_releases_says_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "release.yaml").write_text("status: proposed\nversion: 0.1.0\n", encoding="utf-8")
    client = on_folder(tmp_path, small_dictionary())
    shown = words_of(client.get("/tu-dien/phat-hanh/"))
    assert "Chưa có bản phát hành được ký" in shown
    assert "Đề xuất" in shown
    assert "Đề xuất" in words_of(client.get("/tu-dien/"))


def test_releases_are_shown_with_their_seal_and_damage_is_shown_too(tmp_path: Path) -> None:
    dictionary = small_dictionary()
    folder = tmp_path / "releases"
    folder.mkdir()
    (folder / "0.2.0.json").write_bytes(written("0.2.0", dictionary))
    (folder / "0.2.0.jws").write_text("a..b\n", encoding="ascii")
    (folder / "0.1.0.json").write_bytes(written("0.1.0", dictionary, digest="1" * 64))
    (folder / "0.0.9.json").write_text("{", encoding="utf-8")
    (folder / "../evil.json").write_text("{", encoding="utf-8")
    (folder / "x.json").write_text("{", encoding="utf-8")
    (tmp_path / "release.yaml").write_text("status: [", encoding="utf-8")
    client = on_folder(tmp_path, dictionary)
    shown = words_of(client.get("/tu-dien/phat-hanh/"))
    assert shown.count("đang dùng") == 1
    assert "có chữ ký, chưa kiểm tra" in shown
    assert "không có chữ ký" in shown
    assert "tệp không đọc được" in shown
    assert shown.index("0.2.0") < shown.index("0.1.0 ") < shown.index("0.0.9")
    assert "Nguyễn Văn Thử" not in shown
    assert client.get("/tu-dien/phan-tu/HoVaTen/").status_code == 200


def test_no_release_is_worse_than_the_folder_being_away(tmp_path: Path) -> None:
    client = on_folder(tmp_path / "nowhere", small_dictionary())
    assert client.get("/tu-dien/phat-hanh/").status_code == 200
    assert client.get("/tu-dien/").status_code == 200
