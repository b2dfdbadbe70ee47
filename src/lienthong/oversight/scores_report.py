"""A report about quality for a leader: what was found, what it rests on, what nobody knows (báo cáo chất lượng).

Computed from the same scores as the pages. What is unknown has its own part; the place for the signature stays empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from lienthong.centre.measuring import ScorePoint
from lienthong.check.dqi import Scoring
from lienthong.check.verdict import Criterion
from lienthong.dictionary.exports.workbook import Sheet
from lienthong.oversight.overview import DatasetScore, RuleScore
from lienthong.oversight.repair_measures import RepairMeasure
from lienthong.oversight.scores_history import TOTAL, Stretch, stretches
from lienthong.oversight.scores_json import score_as_json
from lienthong.oversight.scores_words import TITLES, number, percent

TOP_RULES: Final = 10
TREND_POINTS: Final = 60
VIETNAM: Final = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
COLOUR_VI: Final[Mapping[str, str]] = {
    "green": "Đạt",
    "yellow": "Cần cải thiện",
    "red": "Không đạt",
    "unknown": "Chưa đo được",
}
SEVERITY_VI: Final[Mapping[str, str]] = {"blocking": "Chặn", "error": "Lỗi", "warning": "Cảnh báo"}
STATE_VI: Final[Mapping[str, str]] = {
    "measured": "đã đo",
    "nothing-to-measure": "không có gì để xét",
    "no-result": "chưa có kết quả, tính 0",
    "stale": "quá hạn, tính 0",
}
NOT_MEASURED: Final = "chưa đo được"
FORMULA: Final = (
    "Quy tắc = số bản ghi đạt ÷ số bản ghi mà quy tắc áp dụng; không xét được tính là không đạt.",
    "Tiêu chí của trường = trung bình có trọng số của các quy tắc về trường đó.",
    "Tiêu chí của cơ sở dữ liệu = trung bình có trọng số của các trường.",
    "Chỉ số chung = trung bình có trọng số của sáu tiêu chí; tiêu chí chưa đo được tính 0.",
    "Kết quả chưa có hoặc quá thời hạn tính 0. Quy tắc địa phương chỉ hiển thị, không tính điểm.",
)


TRUST_VI: Final = {
    "official": "văn bản chính thức",
    "summary": "bản tóm tắt văn bản",
    "vendor": "mã nguồn hệ thống đang chạy",
    "secondary": "nguồn thứ cấp",
    "own": "dự án tự đặt",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityReport:
    """What a report is made of."""

    made_at: datetime
    scores: tuple[DatasetScore, ...]
    scoring: Scoring
    history: Mapping[str, Sequence[ScorePoint]] = field(default_factory=dict)  # by dataset
    repairs: tuple[RepairMeasure, ...] | None = None  # None: this installation keeps no repair cases
    repairs_since: datetime | None = None


def report_as_json(report: QualityReport) -> dict[str, Any]:
    """Return the whole report as plain values."""
    return {
        "made_at": report.made_at.isoformat(),
        "scoring": report.scoring.as_json() | {"digest": report.scoring.digest},
        "datasets": [
            score_as_json(score)
            | {
                "history": [
                    {
                        "measured_at": point.measured_at.isoformat(),
                        "word": point.criterion,
                        "percent": point.percent,
                        "known": point.known,
                        "rule_set": point.rule_set,
                        "scoring": point.scoring,
                        "baseline": point.baseline,
                    }
                    for point in report.history.get(score.dataset, ())
                ]
            }
            for score in report.scores
        ],
        "repairs": None
        if report.repairs is None
        else {
            "since": None if report.repairs_since is None else report.repairs_since.isoformat(),
            "agencies": [
                {
                    "agency": each.agency,
                    "dataset": each.dataset,
                    "opened": each.opened,
                    "closed": each.closed,
                    "open_now": each.open_now,
                    "open_records": each.open_records,
                    "repair_days_p50": each.repair_days_p50,
                    "repair_days_p90": each.repair_days_p90,
                    "reopen_rate": each.reopen_rate,
                    "overdue": each.overdue,
                }
                for each in report.repairs
            ],
        },
        "unknown": unknown_lines(report),
    }


def unknown_lines(report: QualityReport) -> list[str]:
    """Return in words what nobody knows, so that a high number hides nothing."""
    lines = []
    for score in report.scores:
        for word in score.criteria:
            if not word.known:
                lines.append(f"{score.title_vi}, {word.title_vi}: {word.rests_on_vi}; tính 0")
            elif word.without_result:
                lines.append(
                    f"{score.title_vi}, {word.title_vi}: {word.without_result} quy tắc chưa có kết quả, tính 0"
                )
            elif "chưa" in word.rests_on_vi:
                lines.append(f"{score.title_vi}, {word.title_vi}: {word.rests_on_vi}")
        if not report.history.get(score.dataset):
            lines.append(f"{score.title_vi}: chưa lưu điểm theo thời gian, chưa biết diễn biến")
    if report.repairs is None:
        lines.append("Kết quả sửa dữ liệu: báo cáo này không nối với sổ việc sửa dữ liệu")
    return lines


def report_for_print(report: QualityReport) -> dict[str, Any]:
    """Return the report in words and finished numbers, for the page it is printed on."""
    scoring = report.scoring
    return {
        "title": "Báo cáo chất lượng dữ liệu",
        "made_at": moment(report.made_at),
        "summary": _summary(report),
        "datasets": [_print_dataset(report, score) for score in report.scores],
        "repairs": _repair_rows(report),
        "unknown": unknown_lines(report),
        "formula": list(FORMULA),
        "weights": [[TITLES[criterion], f"{weight:g}"] for criterion, weight in scoring.weights.items()],
        "numbers": [
            ["Đạt từ", percent(scoring.green_from_percent)],
            ["Cần cải thiện từ", percent(scoring.yellow_from_percent)],
            ["Trường định danh phải đạt", percent(scoring.identifier_percent)],
            ["Hạn của số liệu theo lô", f"{scoring.valid_days.counters:g} ngày"],
            ["Hạn của lần đo", f"{scoring.valid_days.measurement:g} ngày"],
            ["Hạn của kết quả mẫu", f"{scoring.valid_days.sample:g} ngày"],
        ],
        "source": (
            f"Nguồn của ngưỡng và công thức: {scoring.document or 'chưa xác định'}"
            f" (mức tin cậy: {TRUST_VI.get(scoring.trust or '', 'chưa xác định')}); {scoring.note or ''}"
        ),
        "scoring": scoring.digest,
    }


def _summary(report: QualityReport) -> list[list[str]]:
    scores = report.scores
    below = sum(score.total < report.scoring.green_from_percent for score in scores)
    lowest = min(scores, key=lambda score: score.total, default=None)
    unknown = sum(score.unknown_words for score in scores)
    severe = sum(any(word.severe for word in score.criteria) for score in scores)
    return [
        ["Bộ dữ liệu", number(len(scores))],
        ["Trung bình chỉ số chung", percent(sum(s.total for s in scores) / len(scores)) if scores else NOT_MEASURED],
        ["Thấp nhất", NOT_MEASURED if lowest is None else f"{percent(lowest.total)} ({lowest.title_vi})"],
        [f"Dưới ngưỡng {percent(report.scoring.green_from_percent)}", f"{below} / {len(scores)} bộ dữ liệu"],
        ["Có sự cố nghiêm trọng ở trường định danh", f"{severe} / {len(scores)} bộ dữ liệu"],
        ["Tiêu chí chưa đo được, tính 0", f"{unknown} / {len(Criterion) * len(scores)}"],
    ]


def _print_dataset(report: QualityReport, score: DatasetScore) -> dict[str, Any]:
    below = [each for each in score.elements if each.total < score.threshold_percent or each.severe]
    return {
        "title": score.title_vi,
        "colour": COLOUR_VI[score.colour],
        "tone": score.colour,
        "total": percent(score.total) if score.colour != "unknown" else NOT_MEASURED,
        "minimum": percent(score.minimum),
        "records": number(score.rows),
        "measured_at": moment(score.measured_at),
        "below": f"{score.elements_below} / {len(score.elements)} trường",
        "versions": f"từ điển {score.dictionary_version}, bộ quy tắc {score.rule_set}",
        "words": [
            {
                "title": word.title_vi,
                "percent": percent(word.percent) if word.known else NOT_MEASURED,
                "share": f"{number(word.passed)} / {number(word.applicable)}",
                "colour": COLOUR_VI[word.colour],
                "tone": word.colour,
                "rests_on": word.rests_on_vi,
                "bar": word.percent if word.known else 0,
            }
            for word in score.criteria
        ],
        "trend": _trend(stretches(report.history.get(score.dataset, ()), criterion=TOTAL)),
        "elements": [
            [each.title_vi, percent(each.total), percent(each.minimum), number(each.failed)] for each in below
        ],
        "rules": [
            [
                rule.sentence_vi,
                rule.rule,
                SEVERITY_VI[rule.severity],
                f"{number(rule.failed)} / {number(rule.applicable)}",
                STATE_VI[rule.state],
            ]
            for rule in top_rules(score)
        ],
    }


def top_rules(score: DatasetScore) -> list[RuleScore]:
    """Return the scored rules that fail most."""
    rules = [rule for word in score.criteria for rule in word.rules if rule.scored and rule.failed]
    return sorted(rules, key=lambda rule: (-rule.failed, rule.rule))[:TOP_RULES]


def _trend(found: Sequence[Stretch]) -> list[list[dict[str, Any]]]:
    return [
        [
            {
                "at": moment(point.measured_at),
                "seconds": point.measured_at.timestamp(),
                "percent": point.percent,
                "known": point.known,
            }
            for point in stretch.points[-TREND_POINTS:]
        ]
        for stretch in found
    ]


def _repair_rows(report: QualityReport) -> list[list[str]] | None:
    if report.repairs is None:
        return None
    titles = {score.dataset: score.title_vi for score in report.scores}
    return [
        [
            each.agency,
            titles.get(each.dataset, each.dataset),
            number(each.open_now),
            number(each.closed),
            number(each.overdue),
            NOT_MEASURED if each.repair_days_p50 is None else f"{each.repair_days_p50:.1f}".replace(".", ","),
            NOT_MEASURED if each.reopen_rate is None else percent(100 * each.reopen_rate),
        ]
        for each in report.repairs
    ]


def moment(value: datetime) -> str:
    """Write a moment in Vietnam's time."""
    return f"{value.astimezone(VIETNAM):%d/%m/%Y %H:%M}"


def report_sheets(report: QualityReport) -> tuple[Sheet, ...]:
    """Return the report as sheets: what counts is a number, a code is a text and keeps its zeros."""
    sheets = [
        Sheet(name="Tóm tắt", rows=(("Số liệu", "Giá trị"), *map(tuple, _summary(report))), widths=(46, 40)),
        _words_sheet(report),
        _elements_sheet(report),
        _rules_sheet(report),
        _history_sheet(report),
    ]
    repairs = _repair_rows(report)
    if repairs is not None:
        head = (
            "Cơ quan", "Bộ dữ liệu", "Đang mở", "Đã đóng", "Quá hạn", "Ngày sửa (trung vị)", "Tỷ lệ mở lại",
        )  # fmt: skip
        sheets.append(
            Sheet(name="Sửa dữ liệu", rows=(head, *map(tuple, repairs)), widths=(30, 20, 10, 10, 10, 18, 14))
        )
    sheets.append(
        Sheet(
            name="Chưa biết",
            rows=(("Điều chưa biết",), *((line,) for line in unknown_lines(report))),
            widths=(120,),
        )
    )
    sheets.append(_method_sheet(report))
    return tuple(sheets)


def _words_sheet(report: QualityReport) -> Sheet:
    head = ("Bộ dữ liệu", "Tiêu chí", "Điểm (%)", "Mức", "Đạt", "Xét", "Quy tắc tính 0", "Căn cứ")
    rows = [
        (
            score.title_vi,
            word.title_vi,
            round(word.percent, 4) if word.known else NOT_MEASURED,
            COLOUR_VI[word.colour],
            word.passed,
            word.applicable,
            word.without_result,
            word.rests_on_vi,
        )
        for score in report.scores
        for word in score.criteria
    ]
    return Sheet(name="Sáu tiêu chí", rows=(head, *rows), widths=(22, 14, 14, 16, 12, 12, 14, 90))


def _elements_sheet(report: QualityReport) -> Sheet:
    head = ("Bộ dữ liệu", "Trường", "Tên kỹ thuật", "Định danh", "Điểm (%)", *TITLES.values(), "Không đạt")
    rows = []
    for score in report.scores:
        for each in score.elements:
            words = {word.criterion: round(word.percent, 4) if word.known else NOT_MEASURED for word in each.words}
            rows.append(
                (
                    score.title_vi,
                    each.title_vi,
                    each.element or "",
                    "có" if each.identifier else "",
                    round(each.total, 4),
                    *(words.get(criterion.value, "") for criterion in Criterion),
                    each.failed,
                )
            )
    return Sheet(name="Theo trường", rows=(head, *rows), widths=(22, 30, 26, 10, 12, *(12 for _ in Criterion), 12))


def _rules_sheet(report: QualityReport) -> Sheet:
    head = (
        "Bộ dữ liệu", "Tiêu chí", "Quy tắc", "Bản", "Nội dung", "Mức độ", "Tính điểm", "Trạng thái", "Đạt",
        "Không đạt", "Không xét được", "Không áp dụng", "Tỷ lệ (%)", "Lần đo hoặc mẫu", "Đo lúc",
    )  # fmt: skip
    rows = [
        (
            score.title_vi,
            word.title_vi,
            rule.rule,
            rule.version,
            rule.sentence_vi,
            SEVERITY_VI[rule.severity],
            "có" if rule.scored else "không (địa phương)",
            STATE_VI[rule.state],
            rule.passed,
            rule.failed,
            rule.not_evaluated,
            rule.not_applicable,
            "" if rule.percent is None else round(rule.percent, 4),
            "" if rule.measurement is None else rule.measurement,
            "" if rule.measured_at is None else moment(rule.measured_at),
        )
        for score in report.scores
        for word in score.criteria
        for rule in word.rules
    ]
    return Sheet(
        name="Quy tắc",
        rows=(head, *rows),
        widths=(22, 14, 34, 6, 70, 12, 18, 26, 12, 12, 14, 14, 12, 16, 18),
    )


def _history_sheet(report: QualityReport) -> Sheet:
    head = ("Bộ dữ liệu", "Lúc", "Tiêu chí", "Điểm (%)", "Đạt", "Xét", "Mốc đầu tiên", "Bộ quy tắc", "Cách tính")
    titles = {criterion.value: title for criterion, title in TITLES.items()} | {TOTAL: "Chỉ số chung"}
    rows = [
        (
            score.title_vi,
            moment(point.measured_at),
            titles.get(point.criterion, point.criterion),
            round(point.percent, 4) if point.known else NOT_MEASURED,
            point.passed,
            point.applicable,
            "có" if point.baseline else "",
            point.rule_set,
            point.scoring,
        )
        for score in report.scores
        for point in report.history.get(score.dataset, ())
    ]
    return Sheet(name="Diễn biến", rows=(head, *rows), widths=(22, 18, 16, 12, 12, 12, 14, 66, 66))


def _method_sheet(report: QualityReport) -> Sheet:
    printed = report_for_print(report)
    rows = [
        *(("Công thức", line) for line in FORMULA),
        *((f"Trọng số {name}", weight) for name, weight in printed["weights"]),
        *((name, value) for name, value in printed["numbers"]),
        ("Nguồn", printed["source"]),
        ("Dấu của bộ số", report.scoring.digest),
        *((f"Phiên bản, {score.title_vi}", f"từ điển {score.dictionary_version}, bộ quy tắc {score.rule_set}")
          for score in report.scores),
    ]  # fmt: skip
    return Sheet(name="Cách tính", rows=(("Mục", "Nội dung"), *rows), widths=(34, 110))
