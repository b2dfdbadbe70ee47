"""The people who work in the portal: who they are, for which agency, and what they may do (cán bộ, vai trò)."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


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

    def officers(self) -> Sequence[Officer]:
        """Return all open accounts by name."""
        ...
