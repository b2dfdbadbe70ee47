"""A person looks a term up in a real browser, with and without scripts."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
START_S_MAX = 60.0
STOP_S_MAX = 15.0
WAIT_MS_MAX = 15_000
COMMUNES = "/tu-dien/danh-muc/don-vi-hanh-chinh-xa/"
PAGES = (
    "/tu-dien/",
    "/tu-dien/?q=ho+va+ten",
    "/tu-dien/phan-tu/HoVaTen/",
    "/tu-dien/phan-tu/MaXaThuongTru/?ngay=2024-01-01",
    "/tu-dien/mien-gia-tri/vd-ma-xa/",
    "/tu-dien/bo-du-lieu/nhan-khau/",
    COMMUNES,
    f"{COMMUNES}00008/",
    "/tu-dien/danh-muc/loai-hinh-doanh-nghiep/",
    "/tu-dien/phat-hanh/",
)

pytestmark = pytest.mark.needs_chromium


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    script = Path(__file__).with_name("portal_on_dictionary.py")
    process = subprocess.Popen([sys.executable, str(script), str(port)])
    end = time.monotonic() + START_S_MAX
    while not answers(port) and time.monotonic() < end:
        time.sleep(0.05)
    yield f"http://localhost:{port}"
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=STOP_S_MAX)


@pytest.fixture(scope="module")
def browser(require: Callable[[object, str], None]) -> Iterator[Browser]:
    require(CHROMIUM.exists(), f"there is no {CHROMIUM}: apt-get install chromium fonts-noto-core")
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="vi-VN", java_script_enabled=request.param
    )
    context.set_default_timeout(WAIT_MS_MAX)
    yield context.new_page()
    context.close()


def listen_for_trouble(page: Page) -> list[str]:
    """Collect console errors, among them violations of the content security policy, and faults of scripts."""
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    return trouble


@pytest.mark.parametrize("query", ["ho va ten", "Họ và tên"])
def test_a_person_finds_a_term_with_and_without_marks_and_opens_it(address: str, page: Page, query: str) -> None:
    trouble = listen_for_trouble(page)
    page.goto(f"{address}/tu-dien/")
    page.get_by_role("searchbox").fill(query)
    page.get_by_role("button", name="Tìm").click()
    expect(page.get_by_role("heading", name=re.compile(r"^\d+ thuật ngữ khớp$"))).to_be_visible()
    page.locator(".terms tbody a").first.click()
    page.wait_for_url("**/tu-dien/phan-tu/HoVaTen/")
    expect(page.get_by_role("heading", name="Họ và tên", exact=True)).to_be_visible()
    assert page.locator(".claim-value").all_inner_texts()[:4] == ["150", "50", "150", "100"]
    assert trouble == []


def test_a_person_changes_the_day_and_sees_a_code_change_its_name(address: str, page: Page) -> None:
    trouble = listen_for_trouble(page)
    page.goto(f"{address}{COMMUNES}?ngay=2026-01-01&q=00008")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="00008"))
    expect(row).to_contain_text("Phường Ngọc Hà")
    expect(row).to_contain_text("Trước 01/07/2025")
    page.get_by_label("Vào ngày").fill("2024-01-01")
    page.get_by_role("button", name="Xem", exact=True).click()
    expect(page.get_by_role("heading", name="có hiệu lực ngày 01/01/2024")).to_be_visible()
    expect(row).to_contain_text("Phường Liễu Giai")
    row.get_by_role("link").click()
    page.wait_for_url("**/00008/?ngay=2024-01-01")
    expect(page.get_by_text("Ngày 01/01/2024: Phường Liễu Giai")).to_be_visible()
    assert trouble == []


def test_typing_refines_the_list_and_the_address_without_a_reload(address: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="vi-VN")
    page = context.new_page()
    trouble = listen_for_trouble(page)
    loads: list[str] = []
    page.on("request", lambda request: loads.append(request.url) if request.is_navigation_request() else None)
    page.goto(f"{address}/tu-dien/")
    box = page.get_by_role("searchbox")
    box.press_sequentially("giới tính")
    expect(page.locator(".terms tbody a").first).to_have_text("Giới tính", timeout=WAIT_MS_MAX)
    expect(box).to_be_focused()
    expect(page.locator("#dem")).to_contain_text("thuật ngữ")
    page.wait_for_url(lambda url: "q=giới tính" in unquote_plus(url), timeout=WAIT_MS_MAX)
    page.get_by_label("Mức nhạy cảm").select_option("basic-personal")
    page.wait_for_url("**do-nhay-cam=basic-personal**", timeout=WAIT_MS_MAX)
    expect(page.locator(".terms tbody a").first).to_have_text("Giới tính")
    expect(page.get_by_label("Mức nhạy cảm")).to_have_value("basic-personal")
    assert len(loads) == 1
    assert trouble == []
    context.close()


def test_a_personal_number_typed_by_mistake_does_not_stay_in_the_address(address: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="vi-VN")
    page = context.new_page()
    page.goto(f"{address}/tu-dien/")
    page.get_by_role("searchbox").fill("079123456789")
    expect(page.get_by_text("Không tìm theo dãy số này")).to_be_visible(timeout=WAIT_MS_MAX)
    assert "079123456789" not in page.url
    context.close()


def test_a_person_without_a_mouse_reaches_the_search(address: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="vi-VN")
    page = context.new_page()
    page.goto(f"{address}/tu-dien/")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("ho va ten")
    page.keyboard.press("Enter")
    expect(page.locator(".terms tbody a").first).to_have_text("Họ và tên", timeout=WAIT_MS_MAX)
    context.close()


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_no_page_of_the_dictionary_is_wider_than_the_screen_or_breaks_the_policy(
    address: str, browser: Browser, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    trouble = listen_for_trouble(page)
    for path in PAGES:
        page.goto(address + path)
        assert page.locator("html").evaluate("root => root.scrollWidth") <= width, path
    assert trouble == []
    context.close()
