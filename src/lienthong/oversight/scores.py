"""The six words of a dataset, computed from what was counted and never from what somebody declared.

Vietnamese: đánh giá "đúng, đủ, sạch, sống, thống nhất, dùng chung". Unknown counts as zero and is shown as unknown;
each word says what its figure rests on; the lowest word stands beside the mean, which would hide it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from lienthong.centre.reading import RuleCount
from lienthong.check.dqi import RED, UNKNOWN, WHOLE_PERCENT, Scoring, rule_percent, shipped_scoring, weighted_mean
from lienthong.check.verdict import Criterion, Rule, RuleSet
from lienthong.dictionary.model import Dictionary
from lienthong.oversight.overview import CriterionScore, DatasetScore, RuleScore

TITLES: Final[Mapping[Criterion, str]] = {
    Criterion.CORRECT: "Đúng",
    Criterion.COMPLETE: "Đủ",
    Criterion.CLEAN: "Sạch",
    Criterion.LIVE: "Sống",
    Criterion.UNIFIED: "Thống nhất",
    Criterion.SHARED: "Dùng chung",
}
RESTS_ON: Final[Mapping[Criterion, str]] = {
    Criterion.CORRECT: "quy tắc hình thức; chưa đối chiếu với nguồn gốc",
    Criterion.COMPLETE: "giá trị bắt buộc của các bản ghi đã nhận; chưa đối chiếu số bản ghi phải có",
    Criterion.CLEAN: "quy tắc hình thức và kiểm tra trùng trong bộ dữ liệu",
    Criterion.LIVE: "tỷ lệ thay đổi thấy được tại trung tâm trong thời gian cam kết",
    Criterion.UNIFIED: "mã của danh mục dùng chung; chưa so giá trị giữa các cơ sở dữ liệu",
    Criterion.SHARED: "số cơ quan thực sự đã khai thác trong 90 ngày, so với số cơ quan đang được cấp quyền",
}
NOTHING_TO_MEASURE: Final[Mapping[Criterion, str]] = {
    Criterion.LIVE: "chưa có thay đổi để đo",
    Criterion.SHARED: "chưa có cơ quan nào được cấp quyền khai thác",
}
ALL_RECEIVED: Final = "nguồn không có thay đổi mới; nhịp tim xác nhận trung tâm đã nhận hết"
NO_RULE: Final = "chưa có quy tắc hoặc bản ghi để đo"
SEVERE: Final = "trường định danh chưa đạt {percent:g} %: sự cố nghiêm trọng"

_OF_IDENTIFIERS: Final = frozenset({Criterion.CORRECT, Criterion.COMPLETE, Criterion.CLEAN})
_NOTHING: Final = (0, 0, 0, 0)


def score_dataset(
    *,
    dictionary: Dictionary,
    rule_set: RuleSet,
    rule_counts: Sequence[RuleCount],
    lag: tuple[int, int] | None,
    readers: int,
    readers_expected: int,
    measured_at: datetime,
    idle: bool = False,
    scoring: Scoring | None = None,
) -> DatasetScore:
    """Score a dataset by the six words.

    ``lag`` is (changes visible within the promise, changes) of the period, None when it was not measured. ``readers``
    are the distinct agencies that read in the period, ``readers_expected`` those that hold a grant; shared =
    readers ÷ expected, at most 100 %: nobody reading is a measured zero, nobody with a grant is unknown. ``idle``
    says that every source of the dataset answered lately and has nothing new: without changes to measure, that is
    live. Without ``scoring`` the weights and thresholds of the product apply.
    """
    by = shipped_scoring() if scoring is None else scoring
    counts = {
        count.rule: (count.passed, count.failed, count.not_applicable, count.not_evaluated) for count in rule_counts
    }
    quiet = idle and (lag is None or lag[1] == 0)
    measured = {
        "lag": (1, 0, 0, 0) if quiet else _NOTHING if lag is None else (lag[0], lag[1] - lag[0], 0, 0),
        "readers": _shared(readers, readers_expected),
    }
    labels = {element.technical_name: element.label.vi for element in dictionary.elements.values()}
    criteria = tuple(
        _criterion(
            criterion,
            tuple(
                (rule, _rule(rule, measured.get(rule.over or "", counts.get(rule.name, _NOTHING)), labels))
                for rule in rule_set.rules
                if rule.criterion is criterion
            ),
            by,
            rests_on=ALL_RECEIVED if quiet and criterion is Criterion.LIVE else RESTS_ON[criterion],
        )
        for criterion in Criterion
    )
    total = weighted_mean((by.weights[Criterion(score.criterion)], score.percent) for score in criteria)
    assert total is not None, "scoring has weights"
    known = [score for score in criteria if score.known]
    severe = any(score.severe for score in criteria)
    colour = UNKNOWN if not known else RED if severe else by.colour(total)
    return DatasetScore(
        dataset=rule_set.dataset.identity.id,
        title_vi=rule_set.dataset.label.vi,
        measured_at=measured_at,
        rows=max((sum(count) for count in counts.values()), default=0),
        criteria=criteria,
        total=total,
        minimum=min(score.percent for score in criteria),
        colour=colour,
    )


def _shared(readers: int, expected: int) -> tuple[int, int, int, int]:
    """Count agencies as a rule counts rows: read or did not; more than expected is no more than all."""
    if expected <= 0:
        return _NOTHING
    reading = min(readers, expected)
    return (reading, expected - reading, 0, 0)


def _rule(rule: Rule, count: tuple[int, int, int, int], labels: Mapping[str, str]) -> RuleScore:
    passed, failed, _, not_evaluated = count
    return RuleScore(
        rule=rule.name,
        code=rule.code,
        element=rule.element,
        element_vi=None if rule.element is None else labels[rule.element],
        sentence_vi=rule.sentence.vi,
        severity=rule.severity.value,
        weight=rule.weight,
        passed=passed,
        applicable=passed + failed + not_evaluated,
        failed=failed,
        not_evaluated=not_evaluated,
        percent=rule_percent(passed=passed, failed=failed, not_evaluated=not_evaluated),
        basis=rule.basis,
    )


def _criterion(
    criterion: Criterion, rules: tuple[tuple[Rule, RuleScore], ...], scoring: Scoring, *, rests_on: str
) -> CriterionScore:
    percent = weighted_mean((score.weight, score.percent) for _, score in rules if score.percent is not None)
    severe = criterion in _OF_IDENTIFIERS and any(
        rule.identifier and score.percent is not None and score.percent < scoring.identifier_percent
        for rule, score in rules
    )
    if percent is None:
        rests_on = NOTHING_TO_MEASURE.get(criterion, NO_RULE)
    elif severe:
        rests_on = f"{rests_on}; {SEVERE.format(percent=scoring.identifier_percent)}"
    return CriterionScore(
        criterion=criterion.value,
        title_vi=TITLES[criterion],
        percent=0.0 if percent is None else min(percent, WHOLE_PERCENT),
        known=percent is not None,
        colour=UNKNOWN if percent is None else RED if severe else scoring.colour(percent),
        rests_on_vi=rests_on,
        rules=tuple(score for _, score in rules),
        severe=severe,
    )
