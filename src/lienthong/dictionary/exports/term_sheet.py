"""The dictionary as a workbook for officers: terms with their 25 columns, datasets, codes (bảng thuật ngữ)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lienthong.dictionary.code_tables import SEVERAL
from lienthong.dictionary.descriptors import DATATYPE_VI, STATUS_VI, cited
from lienthong.dictionary.exports.refusals import TextTooLong
from lienthong.dictionary.exports.selection import elements_of, lists_of
from lienthong.dictionary.exports.term_columns import COLUMNS, LEVEL_VI, term_row
from lienthong.dictionary.exports.workbook import CELL_CHARACTERS_MAX, Sheet, column_letters, sheet_names
from lienthong.dictionary.model import CodeList, Dataset, Dictionary, DomainId, Status, ValueDomain

INDEX_SHEET: Final = "Mục lục"
TERM_SHEET: Final = "Thuật ngữ"
DOMAIN_SHEET: Final = "Miền giá trị"
LIST_KIND: Final = "Danh mục"

INDEX_TITLES: Final = ("Trang", "Loại", "Mã", "Phiên bản", "Tên")
CODE_TITLES: Final = (
    "Mã", "Tên", "Tên tiếng Anh", "Hiệu lực từ", "Không còn hiệu lực từ", "Mã cấp trên", "Thay bằng", "Nguồn",
)  # fmt: skip
MEMBER_TITLES: Final = (
    "STT", "Mã thuật ngữ", "Tên trường kỹ thuật", "Tên nghiệp vụ", "Loại dữ liệu", "Bắt buộc", "Khóa", "Duy nhất",
    "Nhiều giá trị", "Danh mục",
)  # fmt: skip
DOMAIN_TITLES: Final = (
    "Mã", "Phiên bản", "Trạng thái", "Cấp", "Tên", "Loại dữ liệu", "Kiểu RDF", "Độ dài ít nhất", "Độ dài nhiều nhất",
    "Số chữ số", "Số lẻ", "Mẫu", "Nhỏ nhất", "Lớn nhất", "Đơn vị", "Danh mục", "Chữ số kiểm tra", "Bộ chuẩn hóa",
    "Quy tắc chuẩn hóa", "Nguồn",
)  # fmt: skip
SETTLED: Final = frozenset({Status.APPROVED, Status.SUPERSEDED, Status.RETIRED})
YES: Final = "x"

Rows = tuple[tuple[str, ...], ...]


def dictionary_workbook(
    dictionary: Dictionary, datasets: Sequence[Dataset], *, everything: bool = True
) -> tuple[Sheet, ...]:
    """Return the sheets: contents, terms, value domains, a sheet per dataset and per code list.

    With ``everything`` all terms and lists are there, else those of the datasets only.

    Raises:
        TextTooLong: a text does not fit into a cell.
    """
    names = tuple(dictionary.elements) if everything else elements_of(datasets)
    lists = [
        dictionary.code_lists[name]
        for name in (dictionary.code_lists if everything else lists_of(dictionary, datasets))
    ]
    domains = dict.fromkeys(DomainId(dictionary.elements[name].value_domain.id) for name in names)
    plan: list[tuple[str, str, str, str, str, Rows]] = [
        (TERM_SHEET, "Bảng thuật ngữ", "", dictionary.version, "25 thuộc tính theo QĐ 2439/QĐ-TTg",
         (COLUMNS, *(term_row(dictionary, dictionary.elements[name]) for name in names))),
        (DOMAIN_SHEET, "Miền giá trị", "", dictionary.version, "Chỉ để đọc",
         (DOMAIN_TITLES, *(_domain_row(dictionary.domains[name]) for name in domains))),
    ]  # fmt: skip
    for dataset in datasets:
        identity = dataset.identity
        plan.append(
            (
                identity.id,
                "Bộ dữ liệu",
                identity.id,
                identity.version,
                dataset.label.vi,
                _members(dictionary, dataset),
            )
        )
    for code_list in lists:
        identity = code_list.identity
        plan.append((identity.id, LIST_KIND, identity.id, identity.version, code_list.label.vi, _codes(code_list)))
    given = sheet_names((INDEX_SHEET, *(one[0] for one in plan)))
    index = tuple((name, *one[1:5]) for name, one in zip(given[1:], plan, strict=True))
    rows: tuple[Rows, ...] = ((INDEX_TITLES, *index), *(one[5] for one in plan))
    return tuple(_sheet(name, some) for name, some in zip(given, rows, strict=True))


def _sheet(name: str, rows: Rows) -> Sheet:
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if len(cell) > CELL_CHARACTERS_MAX:
                raise TextTooLong(
                    sheet=name,
                    row=number,
                    column=column_letters(column),
                    found=len(cell),
                    limit=CELL_CHARACTERS_MAX,
                )
    return Sheet(name=name, rows=rows, widths=tuple(_width(rows, column) for column in range(len(rows[0]))))


def _width(rows: Rows, column: int) -> int:
    """Return a width that shows most cells of a column without filling the screen."""
    longest = max(len(line) for row in rows[:200] for line in row[column].split("\n"))
    return min(max(longest + 2, 8), 48)


def _members(dictionary: Dictionary, dataset: Dataset) -> Rows:
    rows: list[tuple[str, ...]] = [MEMBER_TITLES]
    for number, member in enumerate(dataset.members, start=1):
        element, domain = dictionary.elements[member.element], dictionary.domain_of(member.element)
        flags = (member.required, member.key, member.unique, member.many)
        rows.append(
            (
                str(number),
                element.identity.id,
                element.technical_name,
                element.label.vi,
                DATATYPE_VI[domain.datatype],
                *(YES if flag else "" for flag in flags),
                domain.code_list or "",
            )
        )
    return tuple(rows)


def _domain_row(domain: ValueDomain) -> tuple[str, ...]:
    identity = domain.identity
    numbers = (domain.min_length, domain.max_length, domain.precision, domain.scale)
    return (
        identity.id,
        identity.version,
        STATUS_VI[identity.status],
        LEVEL_VI[identity.level],
        domain.label.vi,
        DATATYPE_VI[domain.datatype],
        domain.rdf_type,
        *("" if number is None else str(number) for number in numbers),
        domain.pattern or "",
        domain.minimum or "",
        domain.maximum or "",
        domain.unit or "",
        domain.code_list or "",
        domain.check_digit or "",
        domain.standardiser,
        "" if domain.normalisation is None else domain.normalisation.vi,
        "\n".join(cited(source) for source in domain.sources),
    )


def _codes(code_list: CodeList) -> Rows:
    return (
        CODE_TITLES,
        *(
            (
                code.code,
                code.label.vi,
                code.label.en or "",
                "" if code.valid_from is None else code.valid_from.isoformat(),
                "" if code.valid_to is None else code.valid_to.isoformat(),
                code.parent or "",
                SEVERAL.join(code.replaced_by),
                code.source or "",
            )
            for code in code_list.codes
        ),
    )
