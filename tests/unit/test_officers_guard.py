"""Who may open a page, where sign-in may lead, when the portal may listen on a network, what the settings say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from lienthong.dictionary.shipped import shipped_folder
from lienthong.errors import LienthongError
from lienthong.oversight.officer_refusals import OfficersUnreachable
from lienthong.oversight.officers import Officer, Role
from lienthong.oversight.plan import load_plan
from lienthong.portal.application import prepare
from lienthong.portal.governance_form import FIELDS, as_file, beside_fields, blank, filled, shown
from lienthong.portal.governance_words import DESCRIPTOR, in_lines
from lienthong.portal.guard import ROLE_VI, asks, may, own_path
from lienthong.portal.serve import ListenRefused, check_listen, is_loopback
from lienthong.portal.services import set_services
from lienthong.testing.fakes import FakeReader, FakeServices, fake_services, lively_reader, small_dictionary
from lienthong.wiring.settings import DatabaseSettings, SettingNotValid, SignIn, load_settings

prepare()

PLAN = load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml")
AN = Officer(name="tran.an", full_name="Trần An", agency="G01", roles=frozenset({Role.PROPOSER}))
ROLE = DatabaseSettings(url="postgresql://lienthong_portal@/centre", password_file=None)


class NoAccounts:
    """A register nobody has an account in, so that the portal has a sign-in."""

    def session(self, secret: str, *, at: datetime) -> None:
        del secret, at


@dataclass(frozen=True, kw_only=True)
class WithSignIn(FakeServices):
    officers: Any = field(default_factory=NoAccounts)


@pytest.fixture(autouse=True)
def given() -> Iterator[None]:
    made = fake_services(plan=PLAN, reader=lively_reader())
    set_services(WithSignIn(**{name: getattr(made, name) for name in FakeServices.__dataclass_fields__}))
    yield
    set_services(fake_services(plan=PLAN, reader=FakeReader()))


def ask(officer: Officer | None, *roles: Role, trouble: LienthongError | None = None, **headers: Any) -> HttpResponse:
    """Ask a guarded view as somebody."""

    @asks(*roles)
    def view(request: HttpRequest) -> HttpResponse:
        del request
        return HttpResponse("bên trong")

    request = RequestFactory(SERVER_NAME="localhost").generic(
        headers.pop("method", "GET"), "/a/?b=c", headers=headers
    )
    request.officer = officer  # type: ignore[attr-defined] # as the middleware does
    request.sign_in_trouble = trouble  # type: ignore[attr-defined] # as the middleware does
    return view(request)


@pytest.mark.parametrize("roles", [(), (Role.PROPOSER,), (Role.LEADER, Role.PROPOSER)])
def test_who_has_one_of_the_roles_gets_in(roles: tuple[Role, ...]) -> None:
    assert ask(AN, *roles).content.decode() == "bên trong"


def test_who_has_no_such_role_reads_which_one_it_takes() -> None:
    answer = ask(AN, Role.APPROVER, Role.LEADER)
    assert answer.status_code == 403
    for word in (ROLE_VI[Role.APPROVER], ROLE_VI[Role.LEADER], ROLE_VI[Role.PROPOSER], "--add approver"):
        assert word in answer.content.decode()


def test_an_officer_without_any_role_gets_in_nowhere_a_role_is_asked_for() -> None:
    nobody = replace(AN, roles=frozenset())
    assert all(ask(nobody, role).status_code == 403 for role in Role)
    assert ask(nobody).status_code == 200


def test_a_stranger_is_sent_to_sign_in_and_back() -> None:
    answer = ask(None, Role.PROPOSER)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/dang-nhap/?next=%2Fa%2F%3Fb%3Dc"


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://localhost/tu-dien/de-xuat/1/", "%2Ftu-dien%2Fde-xuat%2F1%2F"),
        ("http://evil.example/tu-dien/", "%2F"),
        ("", "%2F"),
        ("nonsense", "%2F"),
    ],
)
def test_a_form_sent_too_late_leads_back_to_the_page_it_stood_on(referer: str, back: str) -> None:
    answer = ask(None, Role.PROPOSER, method="POST", Referer=referer)
    assert answer.headers["Location"] == f"/dang-nhap/?next={back}"


def test_while_accounts_are_away_nobody_is_taken_for_a_stranger() -> None:
    with pytest.raises(OfficersUnreachable):
        ask(None, Role.PROPOSER, trouble=OfficersUnreachable(sqlstate="08006"))


def test_without_sign_in_a_guarded_page_says_so() -> None:
    set_services(fake_services(plan=PLAN, reader=FakeReader()))
    answer = ask(None, Role.PROPOSER)
    assert answer.status_code == 403
    assert "chưa có đăng nhập" in answer.content.decode()


def test_a_request_the_middleware_never_saw_is_a_strangers() -> None:
    assert not may(RequestFactory().get("/"), Role.PROPOSER)
    assert not may(RequestFactory().get("/"))


def test_a_stranger_at_a_portal_with_sign_in_gets_no_cookie_and_a_link_back() -> None:
    answer = Client(SERVER_NAME="localhost").get("/nhiem-vu/?tinh-trang=x")
    assert not answer.cookies
    assert 'href="/dang-nhap/?next=/nhiem-vu/"' in answer.content.decode()


def test_a_cookie_that_opens_nothing_is_taken_back() -> None:
    client = Client(SERVER_NAME="localhost")
    client.cookies["lienthong_phien"] = "x" * 43
    answer = client.get("/nhiem-vu/")
    assert answer.status_code == 200
    assert answer.cookies["lienthong_phien"]["max-age"] == 0


def test_a_request_larger_than_any_form_is_refused_unread() -> None:
    answer = Client(SERVER_NAME="localhost").generic("POST", "/dang-nhap/", CONTENT_LENGTH="99999999999")
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/", "/tu-dien/?q=%C4%91%C6%B0%E1%BB%9Dng", "/tu-dien/de-xuat/1/#x"])
def test_pages_of_the_portal_are_ways_to_go_on(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path", [None, "", "tu-dien/", "//x", "/\\x", "/\n/x", "https://x/", "\t//x", "/" + "x" * 9_999]
)
def test_everything_else_leads_to_the_overview(path: str | None) -> None:
    assert own_path(path) == "/"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"certificate": None}, "no certificate"),
        ({"certificate_key": None}, "no certificate"),
        ({"certificate": Path("/khong/co.pem")}, "cannot be read"),
        ({}, "others can read"),
    ],
)
def test_a_network_is_refused_until_everything_is_safe(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    certificate, key = tmp_path / "portal.pem", tmp_path / "portal.key"
    for path in (certificate, key):
        path.write_text("x")
    key.chmod(0o640)
    sign_in = SignIn(role=ROLE, certificate=certificate, certificate_key=key)
    with pytest.raises(ListenRefused, match=reason):
        check_listen("0.0.0.0", 0, sign_in=replace(sign_in, **change))
    key.chmod(0o600)
    check_listen("0.0.0.0", 0, sign_in=sign_in)
    with pytest.raises(ListenRefused, match="not names"):
        check_listen("portal.example", 0, sign_in=sign_in)
    assert not is_loopback("0.0.0.0")


SETTINGS = """
[centre.writer]
url = "postgresql://w@/c"
[centre.reader]
url = "postgresql://r@/c"
[centre.gateway]
url = "postgresql://g@/c"
"""
PORTAL_ROLE = '[centre.portal]\nurl = "postgresql://p@/c"\n'


def settings_of(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "lienthong.toml"
    path.write_text(SETTINGS + text)
    return load_settings(path, {})


def test_settings_from_before_sign_in_still_work(tmp_path: Path) -> None:
    assert settings_of(tmp_path, "").sign_in is None


def test_sessions_have_limits_unless_others_are_set(tmp_path: Path) -> None:
    sign_in = settings_of(tmp_path, PORTAL_ROLE).sign_in
    assert (sign_in.session_max, sign_in.session_idle_max) == (timedelta(hours=8), timedelta(minutes=30))
    text = PORTAL_ROLE + '[portal]\nsession_hours = 4\nsession_idle_minutes = 10\nnames = ["cong.example"]\n'
    sign_in = settings_of(tmp_path, text).sign_in
    assert (sign_in.session_max, sign_in.session_idle_max) == (timedelta(hours=4), timedelta(minutes=10))
    assert sign_in.names == ("cong.example",)


@pytest.mark.parametrize(
    "text",
    [
        "session_hours = 0",
        "session_hours = 25",
        "session_hours = true",
        'session_hours = "8"',
        "session_idle_minutes = -1",
        'certificate = "x.pem"',
        'certificate_key = "x.key"',
        'password = "x"',
        'names = "cong.example"',
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingNotValid):
        settings_of(tmp_path, f"{PORTAL_ROLE}[portal]\n{text}\n")


def test_the_form_names_every_official_descriptor_that_is_not_derived() -> None:
    numbers = {int(number) for field in FIELDS if field.numbers for number in field.numbers.split(", ")}
    assert numbers == set(range(1, 26)) - {23}, "the address of the API follows from the datasets"


def test_a_form_left_as_it_is_makes_the_same_file_for_every_term() -> None:
    from lienthong.dictionary.canonical import plain
    from lienthong.dictionary.load import load
    from lienthong.dictionary.proposals import Given, read_item

    elements = load(shipped_folder("dictionary")).elements
    differing = []
    for name, one in elements.items():
        text, problems = as_file(filled(one, version=one.identity.version), one)
        again = read_item(Given(file=f"{name}.yaml", place=name, files={".yaml": text}))
        if problems or plain(again) != plain(one):
            differing.append(name)
    assert elements
    assert differing == []


def test_a_blank_form_says_what_must_be_filled() -> None:
    dictionary = small_dictionary()
    _, problems = as_file(blank(), None)
    assert set(problems) == {
        *("id", "label.vi", "definition.vi", "technical_name", "value_domain", "concept", "sensitivity", "sources"),
    }
    marked = {each.field.name for each in shown(dictionary, {}, problems) if each.problems}
    assert marked == set(problems)


def test_a_problem_stands_at_the_field_its_line_belongs_to() -> None:
    from lienthong.dictionary.refusals import Problem

    text = "definition:\n  en: x\n  vi: y\nid: A\nsources:\n- document: z\n"
    listed = [
        Problem(file="A.yaml", line=3, rule="r", text="in the definition"),
        Problem(file="A.yaml", line=6, rule="r", text="in the sources"),
        Problem(file="A.yaml", line=99, rule="r", text="nowhere"),
        Problem(file="elements/other.csv", line=1, rule="r", text="elsewhere"),
    ]
    beside, rest = beside_fields(text, listed)
    assert beside == {"definition": ["in the definition"], "sources": ["in the sources"]}
    assert [each.rpartition(": ")[2] for each in rest] == ["nowhere", "elsewhere"]


def test_values_of_changes_are_read_as_people_write_them() -> None:
    assert in_lines('{"vi":"Tên","en":"Name"}') == "Tên\nName"
    assert in_lines('["a","b"]') == "a\nb"
    assert in_lines('[{"document":"Luật","trust":"official"}]') == "document: Luật; trust: official"
    assert in_lines("{không phải JSON") == "{không phải JSON"
    assert in_lines(None) is None
    assert all(DESCRIPTOR.values())
