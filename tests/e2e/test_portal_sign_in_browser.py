"""Officers sign in and take a term from proposal to approval, in a real browser over the portal as it is started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from lienthong.dictionary.load import load
from lienthong.dictionary.model import ElementId, Status
from portal_office import PASSWORD, Office, make_office

CHROMIUM = Path("/usr/bin/chromium")
START_S_MAX = 60.0
STOP_S_MAX = 15.0
WAIT_MS_MAX = 15_000
NEW_PASSWORD = "gió bấc thổi qua sân"
DEFINITION = "Tên mà cơ quan đăng ký ghi cho một chiếc xe"

pytestmark = pytest.mark.needs_chromium


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Portal:
    """The portal as an operator starts it."""

    def __init__(self, office: Office, folder: Path, *, host: str = "127.0.0.1", scheme: str = "http") -> None:
        port = free_port()
        self.address = f"{scheme}://{'localhost' if host == '127.0.0.1' else host}:{port}"
        self.log = folder / "portal.log"
        environment = {
            **os.environ,
            "LIENTHONG_CONFIG": str(office.settings.path),
            "LIENTHONG_PORTAL_PORT": str(port),
            "LIENTHONG_PORTAL_HOST": host,
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lienthong.portal"], env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + START_S_MAX
        while not _answers(host, port):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def stop(self) -> str:
        """Stop it and return what it wrote to its log."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=STOP_S_MAX)
        return self.log.read_text(encoding="utf-8")


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def office(make_database: Callable[..., Any], tmp_path: Path) -> Office:
    return make_office(make_database("portal"), tmp_path)


@pytest.fixture
def browser(require: Callable[[object, str], None]) -> Iterator[Browser]:
    require(CHROMIUM.exists(), f"there is no {CHROMIUM}: apt-get install chromium fonts-noto-core")
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield running
        running.close()


class Desk:
    """One officer at one browser of their own."""

    def __init__(self, browser: Browser, address: str, *, scripts: bool = True, width: int = 1280) -> None:
        self.address = address
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, locale="vi-VN", java_script_enabled=scripts, base_url=address
        )
        self.context.set_default_timeout(WAIT_MS_MAX)
        self.page: Page = self.context.new_page()
        self.trouble: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))

    def _heard(self, message: Any) -> None:
        # A refusal is an answer with a status of its own; the browser notes every such answer.
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            self.trouble.append(message.text)

    def sign_in(self, name: str, password: str = PASSWORD, *, at: str = "/") -> None:
        self.page.goto(at)
        if not self.page.url.startswith(f"{self.address}/dang-nhap/"):
            self.page.locator(".who").get_by_role("link", name="Đăng nhập").click()
        self.page.get_by_label("Tên đăng nhập").fill(name)
        self.page.get_by_label("Mật khẩu").fill(password)
        self.page.get_by_role("button", name="Đăng nhập").click()

    def shot(self, name: str) -> None:
        folder = os.environ.get("LIENTHONG_LOOK")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def approve(approver: Desk, *, signed: Path) -> None:
    approver.shot("list")
    approver.page.get_by_role("link", name="Lượt 1").click()
    approver.page.get_by_label("Số quyết định").fill("15/QĐ-BCA")
    approver.page.get_by_label("Có hiệu lực từ ngày").fill("2026-01-01")
    signed.write_bytes(b"%PDF-1.7 quyet dinh")
    approver.page.get_by_label("Tệp quyết định đã ký").set_input_files(signed)
    approver.shot("task-approver")
    approver.page.get_by_role("button", name="Phê duyệt & Đăng ký").click()
    expect(approver.page.get_by_role("status")).to_contain_text("Đã phê duyệt")
    approver.shot("task-approved")


def review_and_consult(reviewer: Desk) -> None:
    reviewer.page.locator("#ra-soat textarea").fill("đã đối chiếu với quy định")
    reviewer.page.locator("#ra-soat").get_by_role("button").click()
    reviewer.page.locator("#tham-van textarea").fill("G09, G16 đồng ý")
    reviewer.page.locator("#tham-van").get_by_role("button").click()


def test_a_term_goes_from_proposal_to_approval_by_three_people(
    office: Office, browser: Browser, tmp_path: Path
) -> None:
    portal = Portal(office, tmp_path)
    try:
        proposer = Desk(browser, portal.address)
        proposer.sign_in("de.xuat", at="/tu-dien/phan-tu/TenXe/")
        expect(proposer.page).to_have_url(f"{portal.address}/tu-dien/phan-tu/TenXe/")
        expect(proposer.page.locator(".who")).to_contain_text("Trần An")
        proposer.page.get_by_role("link", name="Đề xuất sửa thuật ngữ này").click()
        proposer.page.get_by_label("Định nghĩa nghiệp vụ").fill(DEFINITION)
        proposer.page.get_by_label("Đồng nghĩa / gần nghĩa").fill("Tên phương tiện\nNhãn xe")
        proposer.page.get_by_label("Lý do đề xuất").fill("làm rõ định nghĩa")
        proposer.shot("form")
        proposer.page.get_by_role("button", name="Gửi đề xuất").click()
        expect(proposer.page.get_by_role("status")).to_contain_text("Đã ghi nhận đề xuất")
        task = proposer.page.url.partition("?")[0].removeprefix(portal.address)
        proposer.shot("task-proposer")

        stranger = Desk(browser, portal.address)
        stranger.page.goto("/tu-dien/phan-tu/TenXe/")
        expect(stranger.page.locator("main")).not_to_contain_text(DEFINITION)
        stranger.page.goto(task)
        expect(stranger.page.get_by_role("heading", level=1)).to_have_text("Đăng nhập")
        stranger.shot("sign-in")

        reviewer = Desk(browser, portal.address, scripts=False)
        reviewer.sign_in("ra.soat", at=task)
        expect(reviewer.page.locator(".changes")).to_contain_text(DEFINITION)
        review_and_consult(reviewer)
        expect(reviewer.page.locator("#phe-duyet")).to_contain_text("Tài khoản chưa có vai trò phê duyệt")
        expect(reviewer.page.locator("#phe-duyet")).to_contain_text("Vũ Chi (G01)")
        reviewer.shot("task-reviewer")

        approver = Desk(browser, portal.address)
        approver.sign_in("phe.duyet", at="/tu-dien/de-xuat/")
        approve(approver, signed=tmp_path / "quyet-dinh.pdf")

        stranger.page.goto("/tu-dien/phan-tu/TenXe/")
        expect(stranger.page.locator("main")).to_contain_text(DEFINITION)
        held = load(office.dictionary).elements[ElementId("TenXe")]
        assert (held.identity.status, held.definition.vi) == (Status.APPROVED, DEFINITION)
        assert held.synonyms == ("Tên phương tiện", "Nhãn xe")

        approver.page.get_by_role("button", name="Đăng xuất").click()
        expect(approver.page.get_by_role("link", name="Đăng nhập")).to_be_visible()
        approver.page.goto("/tu-dien/de-xuat/")
        expect(approver.page.get_by_role("heading", level=1)).to_have_text("Đăng nhập")
        assert [desk.trouble for desk in (proposer, stranger, reviewer, approver)] == [[], [], [], []]
    finally:
        said = portal.stop()
    assert "portal.sign_in.taken" in said
    for word in (PASSWORD, "de.xuat", "phe.duyet", "Trần An", DEFINITION):
        assert word not in said


def test_a_proposer_cannot_approve_their_own_proposal_in_the_browser(
    office: Office, browser: Browser, tmp_path: Path
) -> None:
    portal = Portal(office, tmp_path)
    try:
        desk = Desk(browser, portal.address)
        desk.sign_in("moi.vai", at="/tu-dien/de-xuat/moi/?phan-tu=MauXe")
        desk.page.get_by_label("Lý do đề xuất").fill("đưa ra phê duyệt lần đầu")
        desk.page.get_by_role("button", name="Gửi đề xuất").click()
        expect(desk.page.locator("#ra-soat")).to_contain_text("người đề xuất không tự rà soát, không tự phê duyệt")
        expect(desk.page.locator("#ra-soat form")).to_have_count(0)
        expect(desk.page.locator("#ra-soat")).to_contain_text("Lê Bình (G01)")
        # A form made by hand, with the token of the page, is refused by the rule itself.
        desk.page.evaluate(
            """() => { const form = document.querySelector('#tu-choi form');
                       form.action = form.action.replace('tu-choi', 'ra-soat'); form.submit(); }"""
        )
        expect(desk.page.get_by_role("alert")).to_contain_text("DIC-031")
        expect(desk.page.locator(".road [aria-current]")).to_have_text("Đề xuất")
        desk.shot("own-proposal")
    finally:
        portal.stop()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_wrong_password_one_time_password_and_missing_role_are_said_in_words(
    office: Office, browser: Browser, tmp_path: Path, scripts: bool
) -> None:
    office.accounts.reset("de.xuat", password=PASSWORD)
    portal = Portal(office, tmp_path)
    try:
        desk = Desk(browser, portal.address, scripts=scripts)
        desk.sign_in("de.xuat", "một mật khẩu sai rồi", at="/tu-dien/phat-hanh/")
        expect(desk.page.get_by_role("alert")).to_contain_text("Tên hoặc mật khẩu không đúng")
        expect(desk.page.get_by_label("Tên đăng nhập")).to_have_value("de.xuat")
        expect(desk.page.get_by_label("Mật khẩu")).to_have_value("")
        desk.shot("wrong-password")
        desk.page.get_by_label("Mật khẩu").fill(PASSWORD)
        desk.page.get_by_role("button", name="Đăng nhập").click()
        expect(desk.page.get_by_role("heading", level=1)).to_have_text("Đổi mật khẩu")
        desk.page.get_by_label("Mật khẩu hiện nay").fill(PASSWORD)
        desk.page.get_by_label("Mật khẩu mới", exact=False).first.fill(NEW_PASSWORD)
        desk.page.get_by_label("Gõ lại mật khẩu mới").fill(NEW_PASSWORD)
        desk.shot("change-password")
        desk.page.get_by_role("button", name="Đổi mật khẩu").click()
        expect(desk.page.get_by_role("heading", level=1)).to_have_text("Trần An")
        desk.shot("account")
        desk.page.goto("/tu-dien/de-xuat/ket-thuc/")
        expect(desk.page.get_by_role("heading", level=1)).to_have_text("Tài khoản chưa có vai trò cần thiết")
        expect(desk.page.locator("main")).to_contain_text("phê duyệt")
        desk.shot("role-missing")
        assert desk.trouble == []
    finally:
        portal.stop()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_of_an_officer_is_wider_than_the_screen_or_breaks_the_policy(
    office: Office, browser: Browser, tmp_path: Path, width: int
) -> None:
    portal = Portal(office, tmp_path)
    try:
        desk = Desk(browser, portal.address, width=width)
        desk.sign_in("moi.vai", at="/tu-dien/de-xuat/moi/?phan-tu=TenXe")
        desk.page.get_by_label("Lý do đề xuất").fill("bài kiểm tra")
        desk.page.get_by_role("button", name="Gửi đề xuất").click()
        expect(desk.page.get_by_role("status")).to_be_visible()
        task = desk.page.url
        for path in (
            task,
            "/tu-dien/de-xuat/",
            "/tu-dien/de-xuat/?tinh-trang=tat-ca",
            "/tu-dien/de-xuat/moi/",
            "/tu-dien/de-xuat/tep/",
            "/tu-dien/de-xuat/ket-thuc/?muc=data-element/TenXe",
            "/tu-dien/phat-hanh/",
            "/tu-dien/phat-hanh/ban-toi/",
            "/tai-khoan/",
            "/tai-khoan/mat-khau/",
        ):
            desk.page.goto(path)
            assert desk.page.locator("html").evaluate("root => root.scrollWidth") <= width, path
            assert desk.page.locator("h1").count() == 1
            desk.shot(f"{width}-{path.removeprefix(portal.address).strip('/').replace('/', '-').partition('?')[0]}")
        assert desk.trouble == []
    finally:
        portal.stop()


def test_on_a_network_address_the_portal_speaks_tls_alone_and_asks_everybody_to_sign_in(
    make_database: Callable[..., Any], browser: Browser, tmp_path: Path, require: Callable[[object, str], None]
) -> None:
    own = next((address for address in _own_addresses() if not address.startswith("127.")), None)
    require(own is not None, "this machine has no address but loopback")
    assert own is not None
    certificate, key = tmp_path / "portal.pem", tmp_path / "portal.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=portal"),
            *("-addext", f"subjectAltName=IP:{own}"),
        ],
        check=True,
        capture_output=True,
    )
    key.chmod(0o600)
    office = make_office(
        make_database("portal"), tmp_path, portal='certificate = "portal.pem"\ncertificate_key = "portal.key"'
    )
    portal = Portal(office, tmp_path, host=own, scheme="https")
    try:
        context = browser.new_context(ignore_https_errors=True, locale="vi-VN", base_url=portal.address)
        page = context.new_page()
        page.goto("/tu-dien/phan-tu/TenXe/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Đăng nhập")
        expect(page.locator(".notice-bad")).to_have_count(0)
        page.get_by_label("Tên đăng nhập").fill("lanh.dao")
        page.get_by_label("Mật khẩu").fill(PASSWORD)
        page.get_by_role("button", name="Đăng nhập").click()
        expect(page).to_have_url(f"{portal.address}/tu-dien/phan-tu/TenXe/")
        cookies = {cookie["name"]: cookie for cookie in context.cookies()}
        assert cookies["lienthong_phien"]["secure"]
        assert cookies["lienthong_phien"]["httpOnly"]
        assert cookies["lienthong_bieu_mau"]["secure"]
        context.close()
    finally:
        portal.stop()


def _own_addresses() -> list[str]:
    import psutil

    return [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family is socket.AF_INET
    ]
