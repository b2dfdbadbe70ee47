"""The people who work in the portal: who they are, for which agency, and what they may do (cán bộ, vai trò)."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from lienthong.oversight.officer_refusals import OfficerFactRefused

FAILURES_FREE: Final = 5  # wrong passwords in a row before anybody has to wait
FIRST_WAIT: Final = timedelta(seconds=30)
WAIT_MAX: Final = timedelta(minutes=15)  # longer would let a stranger shut an officer out for good
ONE_TIME_MAX: Final = timedelta(days=7)  # for a password that somebody else set
FULL_NAME_LETTERS_MAX: Final = 200

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")
_AGENCY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Role(enum.Enum):
    """What an officer may do; nobody may do what no role of theirs names."""

    PROPOSER = "proposer"  # đề xuất thuật ngữ
    REVIEWER = "reviewer"  # rà soát, tham vấn
    APPROVER = "approver"  # phê duyệt
    PUBLISHER = "publisher"  # phát hành
    STEWARD = "steward"  # quản trị dữ liệu của cơ quan: hàng đợi sửa lỗi, giá trị chưa che của cơ quan mình
    ASSESSOR = "assessor"  # đánh giá mẫu, kết luận "không phải lỗi"
    LEADER = "leader"  # lãnh đạo: báo cáo
    ADMINISTRATOR = "administrator"  # quản lý tài khoản


@dataclass(frozen=True, kw_only=True, slots=True)
class Officer:
    """A person who signed in."""

    name: str  # the name they sign in with
    full_name: str
    agency: str  # agency code they act for
    roles: frozenset[Role]

    def may(self, role: Role) -> bool:
        """Return whether one of their roles lets them."""
        return role in self.roles


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A signed-in officer and until when that holds."""

    officer: Officer
    began_at: datetime
    ends_at: datetime
    must_change_password: bool = False  # the password was set by somebody else


class OfficerRegister(Protocol):
    """Keep accounts and sessions; secrets are kept as digests only."""

    def sign_in(self, name: str, password: str, *, at: datetime) -> tuple[str, Session]:
        """Return a new session's secret and the session.

        Raises:
            SignInRefused: name or password is wrong, the account is locked or closed: never says which.
        """
        ...

    def session(self, secret: str, *, at: datetime) -> Session | None:
        """Return the session of a secret while it holds."""
        ...

    def sign_out(self, secret: str) -> None:
        """End a session."""
        ...

    def change_password(self, name: str, password: str, new: str, *, at: datetime) -> None:
        """Give an officer a new password of their own; all their sessions end.

        Raises:
            SignInRefused: the present password is wrong, the account is locked or closed.
            PasswordRefused: the new password breaks a rule.
        """
        ...

    def officers(self) -> Sequence[Officer]:
        """Return all open accounts by name."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """An officer as administrators see them: everything but the password."""

    officer: Officer
    made_at: datetime
    must_change_password: bool
    failures: int  # wrong passwords since the last right one
    waits_until: datetime | None  # no password is looked at before
    locked_at: datetime | None  # by an administrator
    closed_at: datetime | None  # for good: the name is never given again
    signed_in_at: datetime | None


def wait_after(failures: int) -> timedelta:
    """Return how long an account is not looked at after so many wrong passwords in a row."""
    if failures < FAILURES_FREE:
        return timedelta()
    wait = FIRST_WAIT
    for _ in range(failures - FAILURES_FREE):
        wait = min(wait * 2, WAIT_MAX)
        if wait == WAIT_MAX:
            break
    return wait


def is_name(text: str) -> bool:
    """Return whether a text could be the name of an account."""
    return _NAME.fullmatch(text) is not None


def check_officer(officer: Officer) -> None:
    """Refuse facts that cannot be kept.

    Raises:
        OfficerFactRefused: names the fact.
    """
    full_name = officer.full_name
    if not is_name(officer.name):
        raise OfficerFactRefused(
            name="", fact="the name", reason="must be 3 to 64 lower-case letters, digits, '.', '-' or '_'"
        )
    if not full_name.strip() or full_name != full_name.strip() or not full_name.isprintable():
        raise OfficerFactRefused(name=officer.name, fact="the full name", reason="must be words on one line")
    if len(full_name) > FULL_NAME_LETTERS_MAX:
        raise OfficerFactRefused(
            name=officer.name, fact="the full name", reason=f"has more than {FULL_NAME_LETTERS_MAX} characters"
        )
    if not _AGENCY.fullmatch(officer.agency):
        raise OfficerFactRefused(name=officer.name, fact="the agency", reason="must be a code such as G01")
