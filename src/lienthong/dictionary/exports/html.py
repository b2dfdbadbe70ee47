"""The dictionary as one page to read and to print: nothing is fetched, nothing runs (bản in từ điển)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from html import escape
from typing import Final

from lienthong.dictionary.codes import codes_on
from lienthong.dictionary.descriptors import DATATYPE_VI, STATUS_VI, cited, descriptors
from lienthong.dictionary.exports.cells import TRUST_VI
from lienthong.dictionary.exports.selection import elements_of, lists_of
from lienthong.dictionary.model import UNKNOWN_VI, CodeList, Dataset, Dictionary, Element, ElementId, Source

CODES_SHOWN_MAX: Final = 300  # of a list; the workbook holds all

_STYLE: Final = """\
:root { color-scheme: light; }
body { font: 15px/1.5 "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; color: #1b2733; background: #fff;
  max-width: 62rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.35rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; }
p { margin: .4rem 0; } .quiet { color: #4a5a6a; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { border: 1px solid #b8c4d0; padding: .3rem .5rem; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
thead th { background: #e7edf3; } tbody th { font-weight: 600; width: 16rem; }
.code { font-family: "Cascadia Mono", "DejaVu Sans Mono", monospace; }
.unknown { color: #5f6b77; font-style: italic; }
nav ul { columns: 2; padding-left: 1.2rem; } a { color: #0b4f8a; }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; } a { color: inherit; text-decoration: none; }
  thead { display: table-header-group; } tr, h2, h3 { break-inside: avoid; } h2, h3 { break-after: avoid; }
  section.part { break-before: page; } }
"""


def html_page(dictionary: Dictionary, datasets: Sequence[Dataset], *, on: date) -> str:
    """Return datasets with their terms and codes as one page in Vietnamese.

    Codes are those in force on the day; long lists are cut, and the page says so.

    Vietnamese: từ điển dữ liệu để đọc và in.
    """
    elements = [dictionary.elements[name] for name in elements_of(datasets)]
    lists = [dictionary.code_lists[name] for name in lists_of(dictionary, datasets)]
    body = [
        _title(dictionary, datasets, on),
        _contents(datasets, elements, lists),
        *(part for dataset in datasets for part in _dataset(dictionary, dataset)),
        '<section class="part"><h2>Thuật ngữ</h2>',
        *(part for element in elements for part in _term(dictionary, element)),
        "</section>",
        '<section class="part"><h2>Danh mục mã</h2>',
        *(part for code_list in lists for part in _codes(code_list, on)),
        "</section>",
    ]
    heading = "Từ điển dữ liệu dùng chung"
    return (
        "\n".join(
            [
                "<!DOCTYPE html>",
                '<html lang="vi">',
                "<head>",
                '<meta charset="utf-8">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f"<title>{heading} {escape(dictionary.version)}</title>",
                f"<style>\n{_STYLE}</style>",
                "</head>",
                "<body>",
                *body,
                "</body>",
                "</html>",
            ]
        )
        + "\n"
    )


def _day(day: date) -> str:
    """Write a day as people read it."""
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def _title(dictionary: Dictionary, datasets: Sequence[Dataset], on: date) -> str:
    names = "; ".join(dataset.label.vi for dataset in datasets)
    return (
        "<header><h1>Từ điển dữ liệu dùng chung</h1>"
        f"<p>{escape(names)}</p>"
        f'<p class="quiet">Phiên bản {escape(dictionary.version)} · mã có hiệu lực ngày {_day(on)} · '
        f'dấu vân tay <span class="code">{escape(dictionary.digest)}</span></p>'
        f'<p class="quiet">Nội dung chưa có nguồn được ghi là “{UNKNOWN_VI}”.</p></header>'
    )


def _contents(datasets: Sequence[Dataset], elements: Sequence[Element], lists: Sequence[CodeList]) -> str:
    def links(kind: str, pairs: Iterable[tuple[str, str]]) -> str:
        items = "".join(f'<li><a href="#{kind}-{escape(name)}">{escape(label)}</a></li>' for name, label in pairs)
        return f"<ul>{items}</ul>" if items else f"<p>{UNKNOWN_VI}</p>"

    return (
        '<nav aria-label="Mục lục">'
        f"<h2>Mục lục</h2><p>Bộ dữ liệu</p>{links('bo', ((one.identity.id, one.label.vi) for one in datasets))}"
        f"<p>Thuật ngữ</p>{links('tn', ((one.identity.id, one.label.vi) for one in elements))}"
        f"<p>Danh mục mã</p>{links('dm', ((one.identity.id, one.label.vi) for one in lists))}</nav>"
    )


def _cell(text: str) -> str:
    if text == UNKNOWN_VI:
        return f'<td class="unknown">{UNKNOWN_VI}</td>'
    return f"<td>{escape(text).replace(chr(10), '<br>')}</td>"


def _table(caption: str, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"<table><caption>{escape(caption)}</caption>"
    yield (
        "<thead><tr>" + "".join(f'<th scope="col">{escape(title)}</th>' for title in titles) + "</tr></thead><tbody>"
    )
    for row in rows:
        yield "<tr>" + "".join(_cell(cell) for cell in row) + "</tr>"
    yield "</tbody></table>"


def _dataset(dictionary: Dictionary, dataset: Dataset) -> Iterator[str]:
    identity = dataset.identity
    yield f'<section class="part" id="bo-{escape(identity.id)}"><h2>{escape(dataset.label.vi)}</h2>'
    yield f"<p>{escape(dataset.definition.vi)}</p>"
    yield (
        f'<p class="quiet"><span class="code">{escape(identity.id)}@{escape(identity.version)}</span> · '
        f"{STATUS_VI[identity.status]} · miền dữ liệu: {escape(dataset.domain)} · "
        f'bảng <span class="code">{escape(dataset.table)}</span></p>'
    )
    rows = []
    for number, member in enumerate(dataset.members, start=1):
        element, domain = dictionary.elements[member.element], dictionary.domain_of(member.element)
        marks = [("khóa", member.key), ("bắt buộc", member.required), ("duy nhất", member.unique)]
        duty = ", ".join(word for word, holds in [*marks, ("nhiều giá trị", member.many)] if holds)
        kind = DATATYPE_VI[domain.datatype]
        rows.append((str(number), element.label.vi, element.technical_name, kind, duty, domain.code_list or ""))
    titles = ("STT", "Tên nghiệp vụ", "Tên trường kỹ thuật", "Loại dữ liệu", "Yêu cầu", "Danh mục")
    yield from _table(f"{len(rows)} trường của {dataset.label.vi}", titles, rows)
    yield from _sources(dataset.sources)
    yield "</section>"


def _heading(kind: str, name: str, label: str) -> str:
    return f'<article id="{kind}-{escape(name)}"><h3>{escape(label)} <span class="code">{escape(name)}</span></h3>'


def _term(dictionary: Dictionary, element: Element) -> Iterator[str]:
    name = element.identity.id
    yield _heading("tn", name, element.label.vi)
    yield f"<table><caption>25 thuộc tính của {escape(element.label.vi)}</caption><tbody>"
    for one in descriptors(dictionary, ElementId(name)):
        yield f'<tr><th scope="row">{one.n}. {escape(one.title)}</th>{_cell(one.value)}</tr>'
    yield "</tbody></table>"
    if element.conflicts:
        disputes = [(one.descriptor, one.value, cited(one.source)) for one in element.conflicts]
        yield from _table("Các nguồn nói khác nhau", ("Thuộc tính", "Giá trị", "Nguồn"), disputes)
    yield from _sources(element.sources)
    yield "</article>"


def _sources(sources: Sequence[Source]) -> Iterator[str]:
    rows = [(cited(one), TRUST_VI[one.trust], one.note or "") for one in sources]
    if rows:
        yield from _table("Nguồn", ("Văn bản", "Độ tin cậy", "Ghi chú"), rows)


def _codes(code_list: CodeList, on: date) -> Iterator[str]:
    name, now = code_list.identity.id, codes_on(code_list, on)
    shown = now[:CODES_SHOWN_MAX]
    yield _heading("dm", name, code_list.label.vi)
    complete = "đầy đủ" if code_list.complete else "chưa đầy đủ: có thể còn mã khác"
    yield f'<p class="quiet">Danh mục {complete}; {len(now)} mã có hiệu lực ngày {_day(on)}.</p>'
    if len(now) > len(shown):
        yield f"<p>Chỉ in {len(shown)} mã đầu trong {len(now)} mã; toàn bộ có trong tệp bảng tính.</p>"
    rows = [
        (
            code.code,
            code.label.vi,
            UNKNOWN_VI if code.valid_from is None else _day(code.valid_from),
            code.parent or "",
            code.source or "",
        )
        for code in shown
    ]
    yield from _table(code_list.label.vi, ("Mã", "Tên", "Hiệu lực từ", "Mã cấp trên", "Nguồn"), rows)
    yield "</article>"
