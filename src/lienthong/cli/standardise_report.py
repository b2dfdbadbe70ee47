"""The report on one file as a single HTML page: no script, no outside resource, no value that is not masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from lienthong.check.verdict import Criterion, Severity
from lienthong.pipeline.file_summary import ColumnSummary, FileSummary, reading_vi
from lienthong.sources.file_block import FLAWS
from lienthong.standardise.batch import Outcome

WORDS_VI: Final[Mapping[Criterion, str]] = {
    Criterion.CORRECT: "Đúng",
    Criterion.COMPLETE: "Đủ",
    Criterion.CLEAN: "Sạch",
    Criterion.LIVE: "Sống",
    Criterion.UNIFIED: "Thống nhất",
    Criterion.SHARED: "Dùng chung",
}
RESTS_VI: Final[Mapping[Criterion, str]] = {
    Criterion.CORRECT: "quy tắc hình thức; chưa đối chiếu với nguồn gốc",
    Criterion.COMPLETE: "giá trị bắt buộc của các dòng trong tệp; không biết tệp còn thiếu bản ghi nào",
    Criterion.CLEAN: "quy tắc hình thức và trùng khoá trong tệp",
    Criterion.LIVE: "không đo được từ một tệp",
    Criterion.UNIFIED: "mã của danh mục dùng chung; chưa so giá trị với cơ sở dữ liệu khác",
    Criterion.SHARED: "không đo được từ một tệp",
}
OUTCOME_VI: Final[Mapping[Outcome, str]] = {
    Outcome.UNCHANGED: "Giữ nguyên",
    Outcome.CHANGED: "Đã chuẩn hoá",
    Outcome.AMBIGUOUS: "Chưa rõ",
    Outcome.REFUSED: "Không đọc được",
    Outcome.EMPTY: "Trống",
}
SEVERITY_VI: Final[Mapping[Severity, str]] = {
    Severity.BLOCKING: "giữ lại",
    Severity.ERROR: "lỗi",
    Severity.WARNING: "cảnh báo",
}
REASON_VI: Final[Mapping[str, str]] = {flaw.value: text.vi for flaw, text in FLAWS.items()}

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE: Final = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.2rem;margin-top:2.2rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.muted{opacity:.75}.big{font-size:1.15rem}
.words{display:flex;flex-wrap:wrap;gap:.8rem}
.word{border:1px solid #8886;border-radius:.5rem;padding:.6rem .9rem;flex:1 1 9rem}
.word b{display:block;font-size:1.4rem}
.green b::before{content:"● ";color:#1a7f37}
.yellow b::before{content:"▲ ";color:#9a6700}
.red b::before{content:"■ ";color:#cf222e}
code{font-size:.9em}@media print{body{max-width:none}}
"""


def render(summary: FileSummary) -> str:
    """Return the report of a run as one page."""
    title = f"Báo cáo chuẩn hoá: {summary.file}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        _head(summary),
        _words(summary),
        _reasons(summary),
        _columns(summary),
        _examples(summary.columns),
        _rules(summary),
        _decisions(summary),
        _notes(summary),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        f'<!DOCTYPE html>\n<html lang="vi">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def number(value: int) -> str:
    """Return a whole number as Vietnamese pages write it."""
    return f"{value:,}".replace(",", ".")


def percent(value: float | None) -> str:
    """Return a percentage as Vietnamese pages write it; never rounded up to a whole that was not reached."""
    if value is None:
        return "chưa đo được"
    shown = min(value, 99.99) if value < 100 else value  # noqa: PLR2004 - a hundred percent
    return f"{shown:.2f} %".replace(".", ",")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: frozenset[int] = frozenset()) -> str:
    """Return a table; cells are HTML already."""

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if place in numbers else ''}>{cell}</{tag}>" for place, cell in enumerate(row)
        )

    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table>\n<thead><tr>{cells('th', head)}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _head(summary: FileSummary) -> str:
    return (
        f"<p class=muted>Bộ dữ liệu <b>{escape(summary.dataset_label)}</b> (<code>{escape(summary.dataset)}</code>), "
        f"từ điển phiên bản {escape(summary.dictionary_version)}, mã có hiệu lực ngày "
        f"{summary.on.strftime('%d/%m/%Y')}.</p>\n"
        f"<p class=big>{number(summary.read)} dòng đọc = <b>{number(summary.kept)}</b> dòng dùng được + "
        f"<b>{number(summary.quarantined)}</b> dòng giữ lại chờ xử lý</p>\n"
        f"<p class=muted>Bỏ qua {number(summary.blank)} dòng trống. Không dòng nào bị mất.</p>"
    )


def _words(summary: FileSummary) -> str:
    found = []
    for word in Criterion:
        value, colour = summary.words.get(word), summary.colours.get(word)
        found.append(
            f'<div class="word {colour or ""}">{WORDS_VI[word]}<b>{percent(value)}</b>'
            f"<span class=muted>{RESTS_VI[word]}</span></div>"
        )
    return f"<h2>Sáu tiêu chí</h2>\n<div class=words>{''.join(found)}</div>"


def _reasons(summary: FileSummary) -> str:
    if not summary.reasons:
        return ""
    sentences = {each.rule.name: each.rule.sentence.vi for each in summary.rules} | dict(REASON_VI)
    rows = [
        (f"<code>{escape(reason)}</code>", escape(sentences.get(reason, "")), number(count))
        for reason, count in summary.reasons.items()
    ]
    return "<h2>Vì sao dòng bị giữ lại</h2>\n" + _table(("Mã", "Lý do", "Số dòng"), rows, numbers=frozenset({2}))


def _columns(summary: FileSummary) -> str:
    rows = []
    for each in summary.columns:
        source = "<span class=muted>không có trong tệp</span>" if each.column is None else escape(each.column)
        rows.append((escape(each.label), source, *(number(each.outcomes[outcome]) for outcome in Outcome)))
    head = ("Trường", "Cột của tệp", *(OUTCOME_VI[outcome] for outcome in Outcome))
    return "<h2>Kết quả theo trường</h2>\n" + _table(head, rows, numbers=frozenset(range(2, 2 + len(Outcome))))


def _examples(columns: Sequence[ColumnSummary]) -> str:
    rows = [
        (
            escape(each.label),
            OUTCOME_VI[example.outcome],
            escape(example.before),
            "" if example.after is None else escape(example.after),
            number(example.times),
        )
        for each in columns
        for example in each.examples
    ]
    readings = [
        f"<li>{escape(each.label)}: {number(count)} giá trị mẫu có cách đọc đề xuất ({escape(reading_vi(reason))}); "
        "người có thẩm quyền quyết định</li>"
        for each in columns
        for reason, count in each.readings.items()
    ]
    if not rows:
        return ""
    told = f"\n<ul>{''.join(readings)}</ul>" if readings else ""
    return (
        "<h2>Thay đổi tiêu biểu</h2>\n<p class=muted>Lấy mẫu từ các khối dữ liệu; giá trị cá nhân đã che.</p>\n"
        + _table(
            ("Trường", "Kết quả", "Trong tệp", "Sau chuẩn hoá", "Số lần trong mẫu"), rows, numbers=frozenset({4})
        )
        + told
    )


def _rules(summary: FileSummary) -> str:
    rows = []
    for each in summary.rules:
        counts = [number(count) for count in (each.passed, each.failed, each.not_evaluated, each.not_applicable)]
        shown = counts if each.measured else ["–"] * len(counts)
        rows.append(
            (
                f"<code>{escape(each.rule.name)}</code>",
                WORDS_VI[each.rule.criterion],
                escape(each.rule.sentence.vi),
                SEVERITY_VI[each.rule.severity],
                *shown,
                percent(each.percent) if each.measured else "không đo từ tệp",
            )
        )
    head = (
        "Quy tắc",
        "Tiêu chí",
        "Nội dung",
        "Mức",
        "Đạt",
        "Không đạt",
        "Chưa đánh giá được",
        "Không áp dụng",
        "Tỷ lệ đạt",
    )
    return "<h2>Quy tắc</h2>\n" + _table(head, rows, numbers=frozenset({4, 5, 6, 7, 8}))


def _decisions(summary: FileSummary) -> str:
    told = (
        "Ánh xạ do chương trình đề xuất từ các dòng đầu của tệp; cần người xem lại."
        if summary.proposed
        else "Ánh xạ theo tệp ánh xạ đã cho."
    )
    rows = [
        (
            escape(each.column),
            "<span class=muted>không dùng</span>" if each.element is None else f"<code>{escape(each.element)}</code>",
            escape(", ".join(way for way in (each.form, each.encoding) if way)),
            "" if each.score is None else f"{each.score:.2f}".replace(".", ","),
            escape(each.reason),
        )
        for each in summary.decisions
    ]
    return f"<h2>Ánh xạ cột</h2>\n<p class=muted>{told}</p>\n" + _table(
        ("Cột của tệp", "Phần tử từ điển", "Cách viết", "Điểm", "Lý do"), rows, numbers=frozenset({3})
    )


def _notes(summary: FileSummary) -> str:
    if not summary.notes:
        return ""
    return (
        "<h2>Ghi chú về tệp</h2>\n<ul>"
        + "".join(f"<li>{escape(note.text.vi)}</li>" for note in summary.notes)
        + "</ul>"
    )
