"""The Vietnamese words for states, and the tone each is shown in; a tone never stands without its word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lienthong.oversight.overview import DatabaseLine
from lienthong.oversight.plan import StandingKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A word and its tone: good, info, neutral, attention or bad."""

    text: str
    tone: str


STANDING: Final[Mapping[str, Word]] = {
    StandingKind.OVERDUE_NO_EVIDENCE.value: Word(text="Quá hạn", tone="bad"),
    StandingKind.DONE_LATE.value: Word(text="Xong muộn", tone="attention"),
    StandingKind.DONE_ON_TIME.value: Word(text="Xong đúng hạn", tone="good"),
    StandingKind.DONE_NO_DATE.value: Word(text="Đã xong, không nêu hạn", tone="good"),
    StandingKind.DUE_LATER.value: Word(text="Chưa đến hạn", tone="info"),
    StandingKind.NO_DATE.value: Word(text="Không có ngày hạn", tone="neutral"),
}

LAG: Final[Mapping[str, Word]] = {
    "moving": Word(text="Đang nhận thay đổi", tone="good"),
    "idle": Word(text="Không có thay đổi mới", tone="good"),
    "snapshot": Word(text="Đang sao chép ban đầu", tone="info"),
    "silent": Word(text="Mất tín hiệu từ nguồn", tone="bad"),
    "stopped": Word(text="Đã dừng", tone="bad"),
}
NOT_CONNECTED: Final = Word(text="Chưa kết nối", tone="neutral")
WAITING_FOR_DECISION: Final = Word(text="Dừng, chờ quyết định", tone="bad")
BEYOND_PROMISE: Final = Word(text="Chậm hơn cam kết", tone="attention")

COLOUR: Final[Mapping[str, Word]] = {
    "green": Word(text="Đạt", tone="good"),
    "yellow": Word(text="Cần cải thiện", tone="attention"),
    "red": Word(text="Không đạt", tone="bad"),
    "unknown": Word(text="Chưa đo được", tone="neutral"),
}

SEVERITY: Final[Mapping[str, Word]] = {
    "blocking": Word(text="Chặn", tone="bad"),
    "error": Word(text="Lỗi", tone="attention"),
    "warning": Word(text="Cảnh báo", tone="neutral"),
}

ANNEX: Final[Mapping[str, Word]] = {
    "complete": Word(text="Đầy đủ", tone="good"),
    "partial": Word(text="Mới biết một phần", tone="attention"),
    "not-found": Word(text="Chưa xác định", tone="neutral"),
}


def link_word(line: DatabaseLine) -> Word:
    """Return the word for how a database's link stands."""
    lag = line.lag
    if lag.state == "silent" and lag.heartbeat_age_s is None and line.position is None:
        return NOT_CONNECTED
    if lag.state == "stopped" and line.status == "waiting-for-decision":
        return WAITING_FOR_DECISION
    if lag.state == "moving" and is_beyond_promise(line):
        return BEYOND_PROMISE
    return LAG[lag.state]


def is_beyond_promise(line: DatabaseLine) -> bool:
    """Return whether the newest change took longer to arrive than the dataset promises."""
    return line.allowed_lag_s is not None and line.lag.seconds is not None and line.lag.seconds > line.allowed_lag_s


def needs_action(line: DatabaseLine) -> bool:
    """Return whether somebody must act before data comes in again."""
    return link_word(line).tone == "bad"
