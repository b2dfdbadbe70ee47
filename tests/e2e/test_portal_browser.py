"""A person opens the portal in a real browser; the centre behind it is made up."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
START_S_MAX = 30.0
STOP_S_MAX = 15.0
WAIT_MS_MAX = 15_000

pytestmark = pytest.mark.needs_chromium


@dataclass(kw_only=True)
class Portal:
    """A portal in its own process, and the file that steers what its centre says."""

    process: subprocess.Popen[bytes]
    port: int
    state_file: Path
    state: dict[str, object] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def say(self, **state: object) -> None:
        self.state.update(state)
        fresh = self.state_file.with_suffix(".new")
        fresh.write_text(json.dumps(self.state))
        fresh.replace(self.state_file)

    def answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


def wait_until(condition: Callable[[], bool], *, at_most_s: float) -> bool:
    end = time.monotonic() + at_most_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def start(folder: Path) -> Portal:
    state_file = folder / "state.json"
    state_file.write_text(json.dumps({"rows": 19_642, "away": False}))
    port = free_port()
    script = Path(__file__).with_name("portal_on_fakes.py")
    process = subprocess.Popen([sys.executable, str(script), str(port), str(state_file)])
    portal = Portal(process=process, port=port, state_file=state_file, state={"rows": 19_642, "away": False})
    if not wait_until(portal.answers, at_most_s=START_S_MAX):
        process.kill()
        process.wait()
        pytest.fail("the portal did not start")
    return portal


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    running = start(tmp_path)
    yield running
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(timeout=STOP_S_MAX)


@pytest.fixture(scope="module")
def browser(require: Callable[[object, str], None]) -> Iterator[Browser]:
    require(CHROMIUM.exists(), f"there is no {CHROMIUM}: apt-get install chromium fonts-noto-core")
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="vi-VN")
    context.set_default_timeout(WAIT_MS_MAX)
    yield context.new_page()
    context.close()


def listen_for_trouble(page: Page) -> list[str]:
    """Collect console errors, among them violations of the content security policy, and faults of scripts."""
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("requestfailed", lambda request: trouble.append(f"failed: {request.url}"))
    return trouble


def test_a_number_changes_on_the_open_page_without_a_reload(portal: Portal, page: Page) -> None:
    trouble = listen_for_trouble(page)
    loads: list[str] = []
    page.on("request", lambda request: loads.append(request.url) if request.is_navigation_request() else None)
    page.goto(portal.address)
    rows = page.locator("#ban-ghi-nhan-khau")
    expect(rows).to_have_text("19.642")
    portal.say(rows=19_700)
    expect(rows).to_have_text("19.700", timeout=WAIT_MS_MAX)
    portal.say(rows=20_001)
    expect(rows).to_have_text("20.001", timeout=WAIT_MS_MAX)
    assert len(loads) == 1
    assert trouble == []


def test_the_focus_stays_where_it_is_when_the_page_updates_itself(portal: Portal, page: Page) -> None:
    page.goto(portal.address)
    page.locator("#csdl-2").focus()
    portal.say(rows=19_701)
    expect(page.locator("#ban-ghi-nhan-khau")).to_have_text("19.701", timeout=WAIT_MS_MAX)
    expect(page.locator("#csdl-2")).to_be_focused()


def test_the_page_says_when_updates_stop_and_when_they_come_back(portal: Portal, page: Page) -> None:
    page.goto(portal.address)
    notice = page.locator("#mat-ket-noi")
    expect(notice).to_be_hidden()
    portal.say(away=True)
    expect(notice).to_be_visible(timeout=WAIT_MS_MAX)
    expect(page.locator("#ban-ghi-nhan-khau")).to_have_text("19.642")
    portal.say(away=False, rows=19_702)
    expect(notice).to_be_hidden(timeout=WAIT_MS_MAX)
    expect(page.locator("#ban-ghi-nhan-khau")).to_have_text("19.702", timeout=WAIT_MS_MAX)


def test_a_person_walks_from_a_word_to_the_masked_rows(portal: Portal, page: Page) -> None:
    trouble = listen_for_trouble(page)
    page.goto(portal.address)
    page.locator("#tc-nhan-khau-clean").click()
    page.wait_for_url("**/bo-du-lieu/nhan-khau/#clean")
    page.get_by_role("link", name="Giá trị phải đúng mẫu của miền giá trị").click()
    expect(page.get_by_role("heading", name="Bản ghi không đạt")).to_be_visible()
    assert page.get_by_text("09600*******").count() == 50
    page.get_by_role("link", name="Nhiệm vụ").first.click()
    page.get_by_label("Tình trạng").select_option("done-late")
    page.get_by_role("button", name="Lọc").click()
    expect(page.get_by_text("Đang hiện 4 trên 27 nhiệm vụ")).to_be_visible()
    assert trouble == []


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_no_page_is_wider_than_the_screen(portal: Portal, browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    for path in ("/", "/bo-du-lieu/nhan-khau/", "/bo-du-lieu/nhan-khau/quy-tac/CL02:so_dinh_danh/", "/nhiem-vu/"):
        page.goto(portal.address + path)
        assert page.locator("html").evaluate("root => root.scrollWidth") <= width, path
    context.close()


def test_the_keyboard_comes_first_to_the_way_around_the_menu(portal: Portal, page: Page) -> None:
    page.goto(portal.address)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Đến nội dung chính")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#noi-dung")).to_be_focused()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_port_is_free_again_however_the_portal_ends(tmp_path: Path, how: signal.Signals) -> None:
    portal = start(tmp_path)
    portal.process.send_signal(how)
    portal.process.wait(timeout=STOP_S_MAX)
    assert wait_until(lambda: not portal.answers(), at_most_s=STOP_S_MAX)
