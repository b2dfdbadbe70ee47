"""Signing in and governing the dictionary through the portal's pages, on a real register and a real folder."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from governance_dictionary import CONFLICT, domain, element
from lienthong.adapters.postgres import access
from lienthong.clock import SystemClock
from lienthong.dictionary.load import load
from lienthong.dictionary.model import AgencyId, DatasetId, ElementId, Status
from lienthong.dictionary.shipped import shipped_folder
from lienthong.exchange.grants import Grant
from lienthong.oversight import passwords
from lienthong.oversight.officers import FAILURES_FREE, Role
from lienthong.oversight.plan import load_plan
from lienthong.portal.accounts import SESSION_COOKIE
from lienthong.portal.application import prepare
from lienthong.portal.services import services, set_services
from lienthong.testing.fakes import FakeReader, fake_services
from lienthong.wiring.governance import Who
from lienthong.wiring.releases import release
from lienthong.wiring.services import build_services
from portal_office import PASSWORD, Office, make_office

prepare()

NEW = "thuyền giấy qua cầu tre"
TASKS = "/tu-dien/de-xuat/"
GUARDED = (
    TASKS,
    f"{TASKS}moi/",
    f"{TASKS}tep/",
    f"{TASKS}ket-thuc/",
    f"{TASKS}1/",
    "/tu-dien/phat-hanh/ban-toi/",
    "/tai-khoan/",
    "/tai-khoan/mat-khau/",
)


@pytest.fixture
def office(make_database: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    # The least that the table takes: what a password costs is the business of other tests.
    monkeypatch.setattr(passwords, "COST", 2**14)
    monkeypatch.setattr(passwords, "LANES", 1)
    made = make_office(make_database("portal"), tmp_path)
    given = build_services(made.settings)
    set_services(given)
    yield made
    given.reader.close()
    given.officers.close()  # type: ignore[union-attr] # the office has sign-in
    set_services(
        fake_services(plan=load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml"), reader=FakeReader())
    )


class Browser:
    """What a browser does with forms: it sends the token of the page."""

    def __init__(self) -> None:
        self.client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, **more)

    def token(self, path: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(path).content.decode())
        assert found is not None, f"no form on {path}"
        return found.group(1)

    def post(self, path: str, values: dict[str, Any] | None = None, *, page: str | None = None) -> Any:
        token = self.token(page or path)
        return self.client.post(path, {**(values or {}), "csrfmiddlewaretoken": token})

    def sign_in(self, name: str, password: str = PASSWORD, *, to: str = "") -> Any:
        return self.post("/dang-nhap/", {"name": name, "password": password, "next": to})

    @property
    def secret(self) -> str:
        return self.client.cookies[SESSION_COOKIE].value


@pytest.fixture
def browser(office: Office) -> Browser:
    del office
    return Browser()


def signed_in(name: str) -> Browser:
    browser = Browser()
    assert browser.sign_in(name).status_code == 303
    return browser


def seen(response: Any) -> str:
    """Return what a reader sees: without tags, with single spaces."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


# signing in


def test_signing_in_leads_back_and_every_page_says_who_one_is(browser: Browser) -> None:
    response = browser.sign_in("de.xuat", to=f"{TASKS}?tinh-trang=tat-ca")
    assert (response.status_code, response.headers["Location"]) == (303, f"{TASKS}?tinh-trang=tat-ca")
    page = seen(browser.get("/tu-dien/"))
    assert "Trần An" in page
    assert "G12" in page
    assert "Đăng xuất" in page


def test_the_cookie_of_a_session_is_kept_from_scripts_and_other_sites(browser: Browser) -> None:
    cookie = browser.sign_in("de.xuat").cookies[SESSION_COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert not cookie["secure"], "on this machine there is no TLS"
    other = Client(SERVER_NAME="localhost")
    page = other.post("/dang-nhap/", {"name": "de.xuat", "password": PASSWORD}, secure=True)
    assert page.cookies[SESSION_COOKIE]["secure"]


def test_every_wrong_try_reads_the_same(browser: Browser) -> None:
    pages = set()
    for name in ("de.xuat", "khong.ai", "", "' OR true --", "DE.XUAT"):
        response = browser.sign_in(name, "một mật khẩu sai rồi")
        assert response.status_code == 403
        assert SESSION_COOKIE not in response.cookies
        pages.add(seen(response))
    assert len(pages) == 1, "what was typed stands in the field alone"
    page = pages.pop()
    assert "Tên hoặc mật khẩu không đúng, hoặc tài khoản đang bị khóa hay đã đóng." in page
    assert "một mật khẩu sai rồi" not in page


def test_after_five_wrong_passwords_the_right_one_has_to_wait_too(browser: Browser) -> None:
    pages = {seen(browser.sign_in("de.xuat", "một mật khẩu sai rồi")) for _ in range(FAILURES_FREE)}
    pages.add(seen(browser.sign_in("de.xuat")))
    assert len(pages) == 1
    assert browser.sign_in("ra.soat").status_code == 303, "others are not touched"


def test_a_session_brought_along_is_never_taken_over(browser: Browser) -> None:
    browser.client.cookies[SESSION_COOKIE] = "x" * 43
    browser.sign_in("de.xuat")
    assert browser.secret != "x" * 43
    first = browser.secret
    browser.client.cookies.pop(SESSION_COOKIE)
    browser.sign_in("ra.soat")
    second = browser.secret
    assert second != first
    again = Browser()
    again.client.cookies[SESSION_COOKIE] = second
    token = again.token("/tai-khoan/")
    # Whoever signs in over a session that holds ends it.
    again.client.post("/dang-nhap/", {"name": "de.xuat", "password": PASSWORD, "csrfmiddlewaretoken": token})
    assert again.secret not in {first, second}
    late = Browser()
    late.client.cookies[SESSION_COOKIE] = second
    assert late.get("/tai-khoan/").status_code == 303


def test_a_form_without_the_token_of_a_page_is_refused_in_words(browser: Browser) -> None:
    browser.sign_in("moi.vai")
    for path in ("/dang-nhap/", "/dang-xuat/", "/tai-khoan/mat-khau/", f"{TASKS}1/phe-duyet/", f"{TASKS}moi/"):
        response = browser.client.post(path, {"name": "de.xuat", "password": PASSWORD})
        assert response.status_code == 403
        assert "Biểu mẫu không được nhận" in seen(response)
        assert browser.get("/tai-khoan/").status_code == 200, "nothing happened"


def test_a_token_from_another_origin_is_refused(browser: Browser) -> None:
    token = browser.token("/dang-nhap/")
    values = {"name": "de.xuat", "password": PASSWORD, "csrfmiddlewaretoken": token}
    response = browser.client.post("/dang-nhap/", values, headers={"Origin": "http://evil.example"})
    assert response.status_code == 403
    assert SESSION_COOKIE not in response.cookies


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "///evil.example",
    "evil.example",
    "/x\r\nSet-Cookie: a=b",
    "/" + "x" * 3_000,
]


def test_signing_in_never_leads_to_another_site(browser: Browser) -> None:
    for target in ELSEWHERE:
        browser.client.cookies.clear()
        assert browser.sign_in("de.xuat", to=target).headers["Location"] == "/", target


def test_signing_out_ends_the_session_at_the_server(browser: Browser) -> None:
    browser.sign_in("de.xuat")
    secret = browser.secret
    response = browser.post("/dang-xuat/", page="/tai-khoan/")
    assert response.status_code == 303
    browser.client.cookies[SESSION_COOKIE] = secret
    assert browser.get("/tai-khoan/").status_code == 303
    assert browser.get("/dang-xuat/").status_code == 405, "a link cannot sign anybody out"


def test_a_password_set_by_an_administrator_opens_nothing_but_its_change(office: Office, browser: Browser) -> None:
    office.accounts.reset("de.xuat", password=NEW)
    browser.sign_in("de.xuat", NEW, to=TASKS)
    for path in (TASKS, "/", "/tai-khoan/"):
        assert browser.get(path).headers["Location"] == "/tai-khoan/mat-khau/"
    change = "/tai-khoan/mat-khau/"
    own = "gió bấc thổi qua sân"
    assert "giống nhau" in seen(browser.post(change, {"password": NEW, "new": own, "again": own + "x"}))
    assert "12 ký tự" in seen(browser.post(change, {"password": NEW, "new": "ngắn", "again": "ngắn"}))
    assert "không đúng" in seen(browser.post(change, {"password": PASSWORD, "new": own, "again": own}))
    former = browser.secret
    assert browser.post(change, {"password": NEW, "new": own, "again": own}).headers["Location"] == "/tai-khoan/"
    assert browser.secret != former
    assert browser.get(TASKS).status_code == 200


def test_taking_a_role_away_ends_what_it_allowed_at_once(office: Office, browser: Browser) -> None:
    browser.sign_in("de.xuat")
    assert browser.get(f"{TASKS}moi/").status_code == 200
    office.accounts.change_roles("de.xuat", remove=[Role.PROPOSER], add=[Role.LEADER])
    assert browser.get(f"{TASKS}moi/").status_code == 303
    browser.sign_in("de.xuat")
    assert browser.get(f"{TASKS}moi/").status_code == 403


def test_neither_passwords_nor_secrets_nor_names_get_into_the_log(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser.sign_in("de.xuat", "một mật khẩu sai rồi")
    browser.sign_in("mật khẩu gõ nhầm chỗ", PASSWORD)
    browser.sign_in("de.xuat")
    browser.get(TASKS)
    browser.client.post("/dang-xuat/", {})
    assert "portal.sign_in.taken" in caplog.text
    assert "portal.sign_in.refused code=PRT-101" in caplog.text
    for word in (PASSWORD, "sai rồi", "nhầm chỗ", browser.secret, "de.xuat", "Trần An"):
        assert word not in caplog.text


def test_pages_for_everybody_stay_open_and_set_no_cookie(browser: Browser) -> None:
    for path in ("/tu-dien/", "/tu-dien/phan-tu/TenXe/", "/tu-dien/phat-hanh/", "/dang-nhap/"):
        response = browser.get(path)
        assert response.status_code == 200
        assert SESSION_COOKIE not in response.cookies
    assert not browser.get("/tu-dien/").cookies


def test_a_stranger_is_sent_to_sign_in_and_sees_nothing_of_proposals(browser: Browser) -> None:
    for path in GUARDED:
        response = browser.get(path)
        assert response.status_code == 303
        assert response.headers["Location"].startswith("/dang-nhap/?next=%2F")
        assert response.content == b""


def test_an_officer_without_the_role_reads_which_one_it_takes_and_who_gives_it(browser: Browser) -> None:
    browser.sign_in("lanh.dao")
    for path in GUARDED:
        if path.startswith("/tai-khoan"):
            continue
        response = browser.get(path)
        assert response.status_code == 403
        page = seen(response)
        assert "Tài khoản chưa có vai trò cần thiết" in page
        assert "lienthong officer roles lanh.dao --add" in page


def test_a_portal_without_accounts_says_so(make_database: Callable[..., Any], tmp_path: Path) -> None:
    office = make_office(make_database("portal"), tmp_path, with_sign_in=False)
    given = build_services(office.settings)
    set_services(given)
    client = Client(SERVER_NAME="localhost")
    assert "Đăng nhập" not in seen(client.get("/tu-dien/"))
    for path in ("/dang-nhap/", TASKS):
        response = client.get(path)
        assert response.status_code == 403
        assert "[centre.portal]" in seen(response)
    given.reader.close()


def test_when_the_accounts_are_away_public_pages_stand_and_others_say_so(office: Office, browser: Browser) -> None:
    browser.sign_in("de.xuat")
    with psycopg.connect(office.owner_url) as connection:
        connection.execute("ALTER TABLE lienthong.officer_session RENAME TO away")
    assert browser.get("/tu-dien/").status_code == 200
    response = browser.get(TASKS)
    assert response.status_code == 503
    assert "PRT-107" in seen(response)


def test_on_a_network_every_page_asks_for_sign_in(browser: Browser) -> None:
    prepare(closed=True, encrypted=True)
    try:
        assert browser.get("/").status_code == 303
        assert browser.get("/tu-dien/phan-tu/TenXe/").status_code == 303
        form = browser.get("/dang-nhap/", secure=True)
        assert form.status_code == 200
        assert form.cookies["lienthong_bieu_mau"]["secure"]
    finally:
        prepare()


def test_behind_a_tls_proxy_forms_of_its_name_are_taken_and_cookies_travel_encrypted(office: Office) -> None:
    del office
    prepare(hosts=("cong.example",), closed=True, encrypted=True)
    try:
        browser = Browser()
        browser.client.defaults["SERVER_NAME"] = "cong.example"
        values = {"name": "de.xuat", "password": PASSWORD, "csrfmiddlewaretoken": browser.token("/dang-nhap/")}
        evil = browser.client.post("/dang-nhap/", values, headers={"Origin": "https://evil.example"})
        assert evil.status_code == 403
        answer = browser.client.post("/dang-nhap/", values, headers={"Origin": "https://cong.example"})
        assert answer.status_code == 303
        assert answer.cookies[SESSION_COOKIE]["secure"]
    finally:
        prepare()


# governing


def upload(browser: Browser, files: dict[str, str], *, reason: str = "bài kiểm tra", related: bool = True) -> Any:
    given = [SimpleUploadedFile(name, text.encode()) for name, text in files.items()]
    values: dict[str, Any] = {"tep": given, "ly-do": reason}
    return browser.post(f"{TASKS}tep/", values | ({"kem": "on"} if related else {}))


def propose(browser: Browser, files: dict[str, str] | None = None) -> str:
    response = upload(browser, files or {"TenXe.yaml": element("TenXe", definition="Tên gọi mới của một chiếc xe")})
    assert response.status_code == 303, seen(response)
    return str(response.headers["Location"]).partition("?")[0]


def act(browser: Browser, task: str, name: str, **values: str) -> Any:
    return browser.post(f"{task}{name}/", {key.replace("_", "-"): value for key, value in values.items()}, page=task)


DECISION = {"so_quyet_dinh": "1/QĐ-TEST", "hieu_luc": "2026-01-01"}


def test_the_whole_way_from_proposal_to_the_dictionary(office: Office) -> None:
    task = propose(signed_in("de.xuat"))
    assert task == f"{TASKS}1/"
    reviewer, approver = signed_in("ra.soat"), signed_in("phe.duyet")
    page = seen(reviewer.get(task))
    assert "Điều mà TenXe nói về một chiếc xe" in page
    assert "Tên gọi mới của một chiếc xe" in page
    assert act(reviewer, task, "ra-soat", ghi_chu="đã đọc").status_code == 303
    assert act(reviewer, task, "tham-van", ghi_chu="G09, G16 đồng ý").status_code == 303
    done = act(approver, task, "phe-duyet", **DECISION)
    assert done.status_code == 303, seen(done)
    held = load(office.dictionary).elements[ElementId("TenXe")]
    assert held.identity.status is Status.APPROVED
    assert held.definition.vi == "Tên gọi mới của một chiếc xe"
    shown = seen(approver.get(task))
    for word in ("Trần An (de.xuat)", "Lê Bình (ra.soat)", "Vũ Chi (phe.duyet)", "G09, G16 đồng ý", "1/QĐ-TEST"):
        assert word in shown
    assert "Tên gọi mới của một chiếc xe" in seen(Client(SERVER_NAME="localhost").get("/tu-dien/phan-tu/TenXe/"))
    events = office.ask("SELECT DISTINCT status_after, actor, agency FROM lienthong.dictionary_event ORDER BY 1")
    assert events == [
        ("approved", "phe.duyet", "G01"),
        ("consultation", "ra.soat", "G01"),
        ("proposed", "de.xuat", "G12"),
        ("review", "ra.soat", "G01"),
    ]


def test_a_proposer_with_every_role_neither_reviews_nor_approves_their_own(office: Office) -> None:
    own, reviewer = signed_in("moi.vai"), signed_in("ra.soat")
    task = propose(own)
    page = own.get(task)
    assert "người đề xuất không tự rà soát" in seen(page)
    assert f'action="{task}ra-soat/"' not in page.content.decode()
    refused = act(own, task, "ra-soat")
    assert refused.status_code == 409
    assert "DIC-031" in seen(refused)
    act(reviewer, task, "ra-soat")
    act(reviewer, task, "tham-van", ghi_chu="đồng ý")
    refused = act(own, task, "phe-duyet", **DECISION)
    assert refused.status_code == 409
    assert "DIC-031" in seen(refused)
    assert load(office.dictionary).elements[ElementId("TenXe")].identity.status is Status.PROPOSED


def test_a_step_needs_its_role_however_it_is_sent(office: Office) -> None:
    task = propose(signed_in("de.xuat"), {"MauXe.yaml": element("MauXe", definition="Màu sơn của một chiếc xe")})
    steps = (("de.xuat", "ra-soat"), ("phe.duyet", "ra-soat"), ("ra.soat", "phe-duyet"), ("phat.hanh", "tu-choi"))
    for name, step in steps:
        response = act(signed_in(name), task, step, ghi_chu="x", **DECISION)
        assert response.status_code == 403
        assert "chưa có vai trò" in seen(response)
    assert office.ask("SELECT count(*) FROM lienthong.dictionary_event WHERE status_after <> 'proposed'") == [(0,)]


def test_steps_out_of_order_are_refused_in_words_and_keep_what_was_typed(office: Office) -> None:
    del office
    task = propose(signed_in("de.xuat"))
    response = act(signed_in("phe.duyet"), task, "phe-duyet", **DECISION)
    assert response.status_code == 409
    assert "không còn ở bước này" in seen(response)
    assert "DIC-030" in seen(response)


def test_a_rejection_needs_a_reason_and_frees_the_item(office: Office) -> None:
    del office
    proposer, reviewer = signed_in("de.xuat"), signed_in("ra.soat")
    task = propose(proposer)
    refused = act(reviewer, task, "tu-choi", ghi_chu="   ")
    assert refused.status_code == 409
    assert "DIC-032" in seen(refused)
    again = upload(proposer, {"TenXe.yaml": element("TenXe", definition="Một định nghĩa khác nữa")})
    assert again.status_code == 409
    assert "DIC-034" in seen(again)
    assert act(reviewer, task, "tu-choi", ghi_chu="định nghĩa chưa rõ").status_code == 303
    assert "định nghĩa chưa rõ" in seen(proposer.get(task))
    assert propose(proposer) == f"{TASKS}2/"


def test_the_proposer_may_take_a_proposal_back(office: Office) -> None:
    del office
    proposer = signed_in("de.xuat")
    task = propose(proposer)
    assert "Rút lại đề xuất" in seen(proposer.get(task))
    assert act(proposer, task, "tu-choi", ghi_chu="gửi nhầm").status_code == 303
    listed = seen(proposer.get(f"{TASKS}?tinh-trang=rejected"))
    assert "Lượt 1" in listed
    assert "Lượt 1" not in seen(proposer.get(TASKS))


def test_open_drafts_are_shown_to_those_who_work_on_them_alone(office: Office) -> None:
    del office
    propose(signed_in("de.xuat"))
    path = "/tu-dien/phan-tu/TenXe/"
    for name in ("de.xuat", "ra.soat", "phe.duyet"):
        assert "lượt đề xuất 1" in seen(signed_in(name).get(path))
    for name in ("lanh.dao", "phat.hanh"):
        assert "lượt đề xuất 1" not in seen(signed_in(name).get(path))
    assert "Tên gọi mới" not in seen(Client(SERVER_NAME="localhost").get(path))


def test_problems_of_a_file_name_its_line_and_no_folder_of_this_machine(office: Office) -> None:
    proposer = signed_in("de.xuat")
    text = element("TenXe").replace("sensitivity: public", "sensitivity: xanh")
    response = upload(proposer, {"TenXe.yaml": text})
    assert response.status_code == 409
    assert re.search(r"TenXe\.yaml:\d+: ", seen(response))
    assert "lienthong-proposal" not in response.content.decode()
    assert office.ask("SELECT count(*) FROM lienthong.dictionary_task") == [(0,)]


def test_only_plain_names_of_yaml_and_csv_files_are_taken(office: Office) -> None:
    del office
    proposer = signed_in("de.xuat")
    for name in ("TenXe.exe", ".TenXe.yaml", "Tên Xe.yaml", "TenXe.yaml.sh", "TenXe"):
        response = upload(proposer, {name: element("TenXe", definition="Định nghĩa khác hẳn")})
        assert response.status_code == 400, name
        assert "cần sửa" in seen(response)


def form_of(browser: Browser, path: str) -> dict[str, str]:
    """Return what stands in the form of a page, as a browser would send it."""
    html = browser.get(path).content.decode()
    values: dict[str, str] = {}
    for name, value in re.findall(
        r'<input(?=[^>]*type="(?:text|date|hidden)")[^>]*name="([^"]+)" value="([^"]*)"', html
    ):
        values[name] = unescape(value)
    for name, value in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', html, re.DOTALL):
        values[name] = unescape(value)
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        values[name] = unescape(chosen.group(1)) if chosen else ""
    values.pop("csrfmiddlewaretoken", None)
    return values


def test_the_form_of_a_term_proposes_it_with_the_words_of_other_sources_kept(office: Office) -> None:
    proposer = signed_in("de.xuat")
    path = f"{TASKS}moi/?phan-tu=TenXe"
    values = form_of(proposer, path) | {
        "definition.vi": "Tên gọi đầy đủ của một chiếc xe",
        "synonyms": "Tên phương tiện\r\nTên xe cơ giới",
        "ly-do": "thêm từ đồng nghĩa",
        "kem": "on",
    }
    response = proposer.post(f"{TASKS}moi/", values, page=path)
    assert response.status_code == 303, seen(response)
    files = office.ask("SELECT files->>'.yaml' FROM lienthong.dictionary_draft WHERE item = 'TenXe'")
    text = files[0][0]
    assert "Tên gọi đầy đủ của một chiếc xe" in text
    assert "- Tên xe cơ giới" in text
    assert "Một nguồn khác" in text
    assert "Một nguồn khác" in CONFLICT


def test_the_form_shows_what_is_wrong_beside_its_field_and_keeps_what_was_typed(office: Office) -> None:
    proposer = signed_in("de.xuat")
    values = {
        "id": "BienSo",
        "label.vi": "Biển số",
        "definition.vi": "",
        "version": "1.0.0",
        "level": "national",
        "technical_name": "Biển Số",
        "value_domain": "vd-ten-xe@1.0.0",
        "concept": "xe.bien-so",
        "sensitivity": "public",
        "sources": "Bài kiểm tra",
        "ly-do": "mới",
    }
    first = proposer.post(f"{TASKS}moi/", values)
    assert first.status_code == 400
    page = seen(first)
    assert "phải viết văn bản | điều khoản" in page
    assert "không được để trống" in page
    values |= {"definition.vi": "Biển đăng ký của một chiếc xe", "sources": "Bài kiểm tra | | own"}
    second = proposer.post(f"{TASKS}moi/", values)
    assert second.status_code == 409
    html = second.content.decode()
    beside = re.search(r'name="technical_name" value="Biển Số"[^>]*aria-invalid="true"', html)
    assert beside is not None
    assert "technical_name Biển Số" in seen(second)
    values |= {"technical_name": "bien_so", "kem": "on"}
    third = proposer.post(f"{TASKS}moi/", values)
    assert third.status_code == 303, seen(third)
    assert office.ask("SELECT place FROM lienthong.dictionary_draft WHERE item = 'BienSo'") == [("elements/BienSo",)]


def approve_all(*files: tuple[str, str]) -> None:
    task = propose(signed_in("de.xuat"), dict(files))
    reviewer = signed_in("ra.soat")
    act(reviewer, task, "ra-soat")
    act(reviewer, task, "tham-van", ghi_chu="đồng ý")
    done = act(signed_in("phe.duyet"), task, "phe-duyet", **DECISION)
    assert done.status_code == 303, seen(done)


def test_a_version_that_says_too_little_is_told_the_least_one_beside_its_field(office: Office) -> None:
    del office
    approve_all(("TenXe.yaml", element("TenXe")))
    proposer = signed_in("de.xuat")
    path = f"{TASKS}moi/?phan-tu=TenXe"
    values = form_of(proposer, path)
    assert values["version"] == "1.0.1"
    values |= {"technical_name": "ten_goi_xe", "ly-do": "đổi tên", "kem": "on"}
    response = proposer.post(f"{TASKS}moi/", values, page=path)
    assert response.status_code == 409
    assert "số nhỏ nhất được nhận là 2.0.0" in seen(response)


def test_an_approved_item_is_retired_or_superseded_by_an_approver_alone(office: Office) -> None:
    approve_all(
        ("TenXe.yaml", element("TenXe")), ("MauXe.yaml", element("MauXe")), ("xe.yaml", _without_colour(office))
    )
    approver, path = signed_in("phe.duyet"), f"{TASKS}ket-thuc/"
    wanted = {"muc": "data-element/MauXe", "viec": "thoi-dung", "so-quyet-dinh": "2/QĐ", "hieu-luc": "2026-02-01"}
    assert "DIC-032" in seen(approver.post(path, wanted))
    assert signed_in("de.xuat").client.get(path).status_code == 403
    refused = approver.post(path, wanted | {"muc": "data-element/KhongCo", "ghi-chu": "không còn dùng"})
    assert "DIC-040" in seen(refused)
    assert "mã@phiên bản" in seen(approver.post(path, wanted | {"viec": "thay-the", "thay-bang": "TenXe"}))
    in_use = approver.post(path, wanted | {"ghi-chu": "không còn dùng"})
    assert "DIC-039" in seen(in_use)
    taken = {"muc": "data-element/MauXe", "viec": "thay-the", "thay-bang": "TenXe@1.0.0"}
    done = approver.post(path, wanted | taken)
    assert done.status_code == 303, seen(done)
    assert load(office.dictionary).elements[ElementId("MauXe")].identity.status is Status.SUPERSEDED


def _without_colour(office: Office) -> str:
    return (office.dictionary / "datasets" / "xe.yaml").read_text(encoding="utf-8")


def test_the_page_of_the_next_release_says_what_it_holds_and_where_it_is_signed(office: Office) -> None:
    del office
    approve_all(("TenXe.yaml", element("TenXe")))
    page = seen(signed_in("phat.hanh").get("/tu-dien/phat-hanh/ban-toi/"))
    assert "Chưa có bản nào được phát hành" in page
    assert "lienthong dictionary release --version 0.1.0" in page
    assert "Tài khoản này có vai trò phát hành" in page
    assert "Phạm Dung (G01)" in page
    assert "chưa có vai trò phát hành" in seen(signed_in("de.xuat").get("/tu-dien/phat-hanh/ban-toi/"))


def test_what_breaks_for_whom_stands_on_the_page_of_the_next_release(office: Office, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key.write_bytes(pem)
    key.chmod(0o600)
    clock = SystemClock()
    who = Who(actor="phat.hanh", agency=AgencyId("G01"))
    release(office.dictionary, version="0.2.0", key=key, who=who, desk=None, clock=clock)
    today = clock.now().date()
    access.issue(
        office.owner_url,
        password=None,
        random=bytes(32),
        grant=Grant(
            agency="G09",
            dataset=DatasetId("xe"),
            elements=frozenset({"ten_xe"}),
            purpose="tra cứu",
            legal_basis="bài kiểm tra",
            valid_from=today,
            valid_to=today.replace(year=today.year + 1),
        ),
    )
    approve_all(("vd-ten-xe.yaml", domain(version="2.0.0", length=10)))
    page = seen(signed_in("phat.hanh").get("/tu-dien/phat-hanh/ban-toi/"))
    assert "So thư mục từ điển hôm nay với bản 0.2.0" in page
    assert "Quyền khai thác" in page
    assert "G09" in page
    assert "Độ dài lớn nhất: 50 → 10" in page


def test_a_portal_over_the_shipped_dictionary_says_that_nobody_may_change_it(office: Office) -> None:
    given: Any = services()
    proposer = signed_in("de.xuat")
    set_services(replace(given, settings=replace(office.settings, dictionary=None)))
    response = proposer.get(TASKS)
    assert response.status_code == 409
    assert "bản đi kèm sản phẩm" in seen(response)
