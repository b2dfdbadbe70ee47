"""What each of the six words rests on, said with its numbers (căn cứ của điểm)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from lienthong.check.dqi import Scoring
from lienthong.check.verdict import Criterion
from lienthong.oversight.overview import RuleScore
from lienthong.oversight.sampling import SampleStanding, StandingKind
from lienthong.oversight.scores_results import MEASURED, NO_RESULT, STALE

TITLES: Final[Mapping[Criterion, str]] = {
    Criterion.CORRECT: "Đúng",
    Criterion.COMPLETE: "Đủ",
    Criterion.CLEAN: "Sạch",
    Criterion.LIVE: "Sống",
    Criterion.UNIFIED: "Thống nhất",
    Criterion.SHARED: "Dùng chung",
}
RESTS_ON: Final[Mapping[Criterion, str]] = {
    Criterion.CORRECT: "quy tắc hình thức",
    Criterion.COMPLETE: "giá trị bắt buộc của các bản ghi đã nhận; chưa đối chiếu số bản ghi phải có",
    Criterion.CLEAN: "quy tắc hình thức và kiểm tra trùng trong bộ dữ liệu",
    Criterion.LIVE: "tỷ lệ thay đổi thấy được tại trung tâm trong thời gian cam kết",
    Criterion.UNIFIED: "mã của danh mục dùng chung",
    Criterion.SHARED: "số cơ quan thực sự đã khai thác trong 90 ngày, so với số cơ quan đang được cấp quyền",
}
NOTHING_TO_MEASURE: Final[Mapping[Criterion, str]] = {
    Criterion.LIVE: "chưa có thay đổi để đo",
    Criterion.SHARED: "chưa có cơ quan nào được cấp quyền khai thác",
}
ALL_RECEIVED: Final = "nguồn không có thay đổi mới; nhịp tim xác nhận trung tâm đã nhận hết"
NO_RULE: Final = "chưa có quy tắc hoặc bản ghi để đo"
SEVERE: Final = "trường định danh chưa đạt {percent:g} %: sự cố nghiêm trọng"
RULES_WITHOUT_RESULT: Final = "{count} quy tắc chưa có kết quả còn hiệu lực, tính 0"

_NOT_COMPARED: Final[Mapping[Criterion, str]] = {
    Criterion.CORRECT: "chưa đối chiếu với nguồn gốc",
    Criterion.UNIFIED: "chưa so giá trị giữa các cơ sở dữ liệu",
}
_COMPARED: Final[Mapping[Criterion, str]] = {
    Criterion.CORRECT: "đối chiếu với nguồn gốc {applicable} trên {present} bản ghi (lần đo {run})",
    Criterion.UNIFIED: "so với cơ sở dữ liệu khác {applicable} trên {present} bản ghi (lần đo {run})",
    Criterion.CLEAN: "tìm bản ghi gần trùng: xét được {applicable} trên {present} bản ghi (lần đo {run})",
}
_OVER: Final[Mapping[Criterion, frozenset[str]]] = {
    Criterion.CORRECT: frozenset({"agreement", "reference"}),
    Criterion.UNIFIED: frozenset({"agreement", "reference"}),
    Criterion.CLEAN: frozenset({"near-duplicate"}),
}


def rests_on(
    criterion: Criterion,
    rules: Sequence[RuleScore],
    *,
    known: bool,
    quiet: bool,
    severe: bool,
    sample: SampleStanding,
    scoring: Scoring,
) -> str:
    """Say what a word's figure rests on; what is missing is said too."""
    own = [rule for rule in rules if rule.scored]
    missing = sum(rule.state in {NO_RESULT, STALE} for rule in own)
    if not known:
        old = any(rule.state == STALE for rule in own)
        return _old(own) if old else NOTHING_TO_MEASURE.get(criterion, NO_RULE)
    parts = [ALL_RECEIVED if quiet and criterion is Criterion.LIVE else RESTS_ON[criterion]]
    parts += _comparison(criterion, rules)
    if criterion is Criterion.CORRECT:
        parts.append(sample_words(sample, scoring))
    if missing:
        parts.append(RULES_WITHOUT_RESULT.format(count=missing))
    if severe:
        parts.append(SEVERE.format(percent=scoring.identifier_percent))
    return "; ".join(parts)


def _comparison(criterion: Criterion, rules: Sequence[RuleScore]) -> list[str]:
    over = _OVER.get(criterion)
    if over is None:
        return []
    compared = [rule for rule in rules if rule.over in over]
    measured = [rule for rule in compared if rule.state == MEASURED]
    if measured:
        widest = max(measured, key=lambda rule: rule.applicable)
        return [
            _COMPARED[criterion].format(
                applicable=number(widest.applicable),
                present=number(widest.applicable + widest.not_applicable),
                run=widest.measurement,
            )
        ]
    if any(rule.state == STALE for rule in compared):
        return [_old(compared)]
    return [_NOT_COMPARED[criterion]] if criterion in _NOT_COMPARED else []


def _old(rules: Sequence[RuleScore]) -> str:
    ages = [rule.age_days for rule in rules if rule.state == STALE and rule.age_days is not None]
    return f"kết quả gần nhất đã {number(int(min(ages, default=0)))} ngày tuổi, quá thời hạn nên tính 0"


def sample_words(sample: SampleStanding, scoring: Scoring) -> str:
    """Say what people found on a sample, with the interval it leaves."""
    judged = sample.records.judged
    match sample.kind:
        case StandingKind.MEASURED if judged:
            low, high = sample.records.interval
            share = 100 * sample.records.right / judged
            return (
                f"mẫu người đánh giá: {number(sample.records.right)} trên {number(judged)} bản ghi đúng"
                f" ({percent(share)}; khoảng tin cậy 95 %: {percent(low)} đến {percent(high)})"
            )
        case StandingKind.TOO_SMALL:
            return f"mẫu người đánh giá mới có {judged} bản ghi, dưới {scoring.sample.records_min}, chưa tính"
        case StandingKind.STALE:
            return "kết quả đánh giá mẫu đã quá thời hạn, tính 0"
        case StandingKind.LEFT:
            return "mẫu đã cam kết nhưng chưa được đánh giá đúng hạn, tính 0"
        case StandingKind.PENDING:
            return "mẫu đang được đánh giá"
        case _:
            return "chưa có mẫu người đánh giá"


def number(value: int) -> str:
    """Write a whole number with points between thousands."""
    return f"{value:,}".replace(",", ".")


def percent(value: float) -> str:
    """Write a percentage with one decimal, cut, not rounded."""
    # Through its text: as a binary number 64.1 lies a hair below 64.1.
    cut = Decimal(str(value)).quantize(Decimal("0.1"), rounding=ROUND_FLOOR)
    return f"{cut}".removesuffix(".0").replace(".", ",") + " %"
