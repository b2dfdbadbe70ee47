"""The dictionary's pages as plain values: facets, disputes, versions, codes on a day, conformance, releases."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.centre.reading import RuleCount
from lienthong.dictionary.canonical import item_hash
from lienthong.dictionary.descriptors import TITLES
from lienthong.dictionary.load import load
from lienthong.dictionary.model import (
    Code,
    CodeList,
    CodeListId,
    Dictionary,
    ElementId,
    Identity,
    Level,
    Sighting,
    Status,
    Succession,
    Text,
)
from lienthong.dictionary.release import Entry, Release
from lienthong.dictionary.search import SearchIndex
from lienthong.dictionary.shipped import shipped_folder
from lienthong.oversight.conformance import Conformance, conformance
from lienthong.oversight.dictionary_codes import CODES_A_PAGE, CSV_COLUMNS, CodeBook, codes_csv
from lienthong.oversight.dictionary_pages import dataset_page, domain_page, element_page
from lienthong.oversight.dictionary_releases import Shelved, content_of, item_changes, release_lines
from lienthong.oversight.dictionary_terms import (
    TERMS_A_PAGE,
    TermsPage,
    assemble_terms,
    in_order,
    recent_list_changes,
)
from lienthong.testing.fakes import CITIZENS, small_dictionary, small_mappings, small_rule_sets

TURN = date(2025, 7, 1)
BEFORE, AFTER = date(2024, 1, 1), date(2026, 1, 1)


@pytest.fixture(scope="module")
def shipped() -> Dictionary:
    return load(shipped_folder("dictionary"))


@pytest.fixture(scope="module")
def communes(shipped: Dictionary) -> CodeBook:
    return CodeBook(shipped, CodeListId("don-vi-hanh-chinh-xa"))


def terms(dictionary: Dictionary, *, query: str = "", page: int = 1, **chosen: str) -> TermsPage:
    return assemble_terms(
        dictionary,
        SearchIndex.of(dictionary),
        query=query,
        chosen={name.replace("_", "-"): value for name, value in chosen.items()},
        page=page,
        sensitivities={"public": "công khai", "basic-personal": "cá nhân cơ bản"},
    )


def test_pages_of_the_list_hold_every_term_once(shipped: Dictionary) -> None:
    first = terms(shipped)
    seen = [line.code for page in range(1, first.pages + 1) for line in terms(shipped, page=page).lines]
    assert sorted(seen) == sorted(shipped.elements)
    assert len(first.lines) == TERMS_A_PAGE


@pytest.mark.parametrize("page", [-5, 0, 10_000])
def test_a_page_that_is_not_there_is_the_nearest(shipped: Dictionary, page: int) -> None:
    shown = terms(shipped, page=page)
    assert 1 <= shown.page <= shown.pages
    assert shown.lines


def test_every_choice_of_a_facet_gives_as_many_terms_as_it_says(shipped: Dictionary) -> None:
    for facet in terms(shipped).facets:
        for choice in facet.choices:
            assert terms(shipped, **{facet.name: choice.value}).found == choice.count, (facet.name, choice.value)


def test_a_chosen_facet_leaves_its_other_choices_to_choose_from(shipped: Dictionary) -> None:
    before = next(facet for facet in terms(shipped).facets if facet.name == "do-nhay-cam")
    after = next(facet for facet in terms(shipped, do_nhay_cam="public").facets if facet.name == "do-nhay-cam")
    assert after.chosen == "public"
    assert after.choices == before.choices


def test_what_is_no_choice_narrows_nothing(shipped: Dictionary) -> None:
    shown = terms(shipped, nhom="<script>", mien="không có", la="x")
    assert shown.found == shown.total
    assert not shown.narrowed


def test_a_query_and_a_facet_narrow_together(shipped: Dictionary) -> None:
    shown = terms(shipped, query="họ và tên", bo_du_lieu="nhan-khau")
    assert [line.code for line in shown.lines] == ["HoVaTen"]
    assert shown.lines[0].tier == "EXACT"


def test_a_code_typed_into_the_search_leads_to_its_lists(shipped: Dictionary) -> None:
    others = terms(shipped, query="00008").others
    assert [(one.kind, one.id, one.code) for one in others] == [("code", "don-vi-hanh-chinh-xa", "00008")]


def test_the_newest_days_of_change_come_first(shipped: Dictionary) -> None:
    days = [change.on for change in recent_list_changes(shipped)]
    assert days == sorted(days, reverse=True)
    assert TURN in days


def test_an_element_has_all_its_descriptors_in_the_official_order(shipped: Dictionary) -> None:
    for name in shipped.elements:
        page = element_page(shipped, name, mappings=())
        assert [(each.n, each.title) for each in page.descriptors] == [
            (number, title) for number, (_, title) in enumerate(TITLES, start=1)
        ]
        assert all(each.value for each in page.descriptors)


def test_disputes_keep_every_source_beside_what_is_used(shipped: Dictionary) -> None:
    page = element_page(shipped, ElementId("HoVaTen"), mappings=())
    length = next(dispute for dispute in page.disputes if dispute.title == "Độ dài tối đa")
    assert length.ours == "150"
    assert {(claim.value, claim.agrees) for claim in length.claims} == {("50", False), ("150", True), ("100", False)}
    kept = sum(len(dispute.claims) for dispute in page.disputes)
    assert kept == len(shipped.elements[ElementId("HoVaTen")].conflicts)


def test_one_version_stands_alone_and_two_stand_side_by_side() -> None:
    now = small_dictionary()
    name = ElementId("HoVaTen")
    assert len(element_page(now, name, mappings=()).versions) == 1
    one = now.elements[name]
    old = replace(
        one,
        identity=replace(one.identity, version="0.9.0"),
        definition=Text(vi="Tên người"),
        label=Text(vi="Họ và tên"),
    )
    then = replace(now, elements={**now.elements, name: old})
    versions = element_page(now, name, mappings=(), earlier=(then, then)).versions
    assert [version.standing.version for version in versions] == ["1.0.0", "0.9.0"]
    assert versions[1].changed == frozenset()
    assert {3, 10} <= versions[0].changed


def test_columns_and_datasets_of_an_element_come_from_the_mappings() -> None:
    page = element_page(small_dictionary(), ElementId("SoDinhDanh"), mappings=small_mappings())
    assert [(line.table, line.column, line.relation) for line in page.columns] == [
        ("public.nhan_khau", "so_cccd", "exact")
    ]
    assert [(use.dataset, use.key, use.fed_by) for use in page.uses] == [("nhan-khau", True, ("ca-mau",))]


def test_a_value_domain_names_who_uses_it(shipped: Dictionary) -> None:
    for name in shipped.domains:
        page = domain_page(shipped, name)
        assert all(shipped.elements[ElementId(code)].value_domain.id == name for code, _ in page.elements)
        assert page.facts


def test_a_dataset_shows_its_members_and_the_table_that_follows(shipped: Dictionary) -> None:
    for name, dataset in shipped.datasets.items():
        page = dataset_page(shipped, name, mappings=(), rule_set=None)
        assert [member.code for member in page.members] == [member.element for member in dataset.members]
        assert f"CREATE TABLE dataset.{dataset.table} (" in page.ddl


def counts(rule: str, *, passed: int, failed: int = 0, absent: int = 0, unknown: int = 0) -> RuleCount:
    return RuleCount(rule=rule, passed=passed, failed=failed, not_applicable=absent, not_evaluated=unknown)


def measured(*found: RuleCount) -> Conformance:
    return conformance(small_rule_sets()[CITIZENS], found, element="so_dinh_danh")


def test_nothing_counted_is_unknown_not_whole() -> None:
    shown = measured()
    assert not shown.known
    assert {share.percent for share in shown.rules} == {None}


def test_one_broken_rule_gives_one_figure() -> None:
    shown = measured(counts("CL02:so_dinh_danh", passed=90, failed=10), counts("UN01:so_dinh_danh", passed=100))
    assert (shown.least_percent, shown.most_percent) == (90.0, 90.0)


def test_two_broken_rules_give_bounds_since_nobody_knows_how_they_fall_together() -> None:
    shown = measured(
        counts("CL02:so_dinh_danh", passed=90, failed=10), counts("UN01:so_dinh_danh", passed=95, failed=5)
    )
    assert (shown.least_percent, shown.most_percent) == (85.0, 90.0)


def test_what_could_not_be_evaluated_never_raises_the_share() -> None:
    shown = measured(counts("CL02:so_dinh_danh", passed=90, unknown=10))
    assert shown.most_percent == 90.0


def test_records_no_rule_applies_to_do_not_count_as_good() -> None:
    shown = measured(counts("CL02:so_dinh_danh", passed=1, failed=9, absent=990))
    assert shown.least_percent == 10.0
    assert shown.applicable == 10


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_the_true_share_lies_between_the_bounds(records: list[tuple[bool, bool]]) -> None:
    kept = [sum(record[rule] for record in records) for rule in (0, 1)]
    shown = measured(
        counts("CL02:so_dinh_danh", passed=kept[0], failed=len(records) - kept[0]),
        counts("UN01:so_dinh_danh", passed=kept[1], failed=len(records) - kept[1]),
    )
    true = 100.0 * sum(first and second for first, second in records) / len(records)
    assert shown.least_percent is not None
    assert shown.most_percent is not None
    assert shown.least_percent - 1e-9 <= true <= shown.most_percent + 1e-9


def test_a_code_is_read_on_a_day(communes: CodeBook) -> None:
    for day, label, others in ((BEFORE, "Phường Liễu Giai", False), (AFTER, "Phường Ngọc Hà", True)):
        row = next(row for row in communes.rows_on(day) if row.code == "00008")
        assert row.label == label
        assert row.parent_label == "Thành phố Hà Nội"
        assert [(other.earlier, other.on) for other in row.others] == [(others, TURN)]


def test_the_list_of_a_day_is_the_list_of_that_day(communes: CodeBook) -> None:
    page = communes.page(AFTER, query="", parent="", page=1)
    assert page.in_force == 3321
    assert len(page.parents) == 34
    assert sum(parent.count for parent in page.parents) == 3321
    assert page.reused > 0
    assert len(page.rows) == CODES_A_PAGE


def test_days_before_a_document_are_answered_from_dated_copies_and_say_so(communes: CodeBook) -> None:
    seen = [row for row in communes.rows_on(BEFORE) if row.seen_only]
    assert seen
    assert all(row.parent is not None and row.valid_to is None for row in seen)


def test_codes_are_found_by_name_with_and_without_marks_and_by_their_first_digits(communes: CodeBook) -> None:
    for query in ("ngọc hà", "ngoc ha", "00008"):
        assert "00008" in {row.code for row in communes.page(AFTER, query=query, parent="", page=1).rows}, query
    begun = communes.page(AFTER, query="0000", parent="", page=1).rows
    assert begun
    assert all(row.code.startswith("0000") for row in begun)


def test_a_parent_narrows_the_list_and_an_unknown_one_does_not(communes: CodeBook) -> None:
    hanoi = communes.page(AFTER, query="", parent="01", page=1)
    assert {row.parent for row in hanoi.rows} == {"01"}
    assert hanoi.found == next(parent.count for parent in hanoi.parents if parent.code == "01")
    assert communes.page(AFTER, query="", parent="zz", page=1).found == 3321


def test_a_code_tells_all_it_meant_where_it_came_from_and_what_it_became(communes: CodeBook) -> None:
    page = communes.code_page("00008", BEFORE)
    assert page is not None
    assert (page.answer, page.labels) == ("one", ("Phường Liễu Giai",))
    assert [(period.label, period.asked) for period in page.periods] == [
        ("Phường Liễu Giai", True),
        ("Phường Ngọc Hà", False),
    ]
    assert ("00008", "Phường Liễu Giai") in {(flow.code, flow.label) for flow in page.came_from}
    assert ("00008", "Phường Ngọc Hà") in {(flow.code, flow.label) for flow in page.became}
    assert communes.code_page("99999", BEFORE) is None


def identity(name: str) -> Identity:
    return Identity(id=name, version="1.0.0", status=Status.PROPOSED, level=Level.NATIONAL, valid_from=None)


def made_up(*codes: Code, sightings: tuple[Sighting, ...] = (), successions: tuple[Succession, ...] = ()) -> CodeBook:
    code_list = CodeList(
        identity=identity("thu"),
        label=Text(vi="Thử"),
        codes=codes,
        complete=True,
        sightings=sightings,
        successions=successions,
    )
    return CodeBook(replace(small_dictionary(), code_lists={CodeListId("thu"): code_list}), CodeListId("thu"))


def test_between_two_dated_lists_every_possible_meaning_is_shown() -> None:
    seen = Sighting(
        code="1",
        label="Cũ",
        within=None,
        seen_from=date(2020, 1, 1),
        seen_to=date(2024, 1, 1),
        gone_by=date(2025, 1, 1),
        source="bản sao",
    )
    book = made_up(Code(code="1", label=Text(vi="Mới"), valid_from=None), sightings=(seen,))
    row = book.rows_on(date(2024, 6, 1))[0]
    assert (row.label, row.alternatives) == ("Cũ", ("Mới",))
    page = book.code_page("1", date(2024, 6, 1))
    assert page is not None
    assert page.answer == "several"
    assert book.page(date(2024, 6, 1), query="", parent="", page=1).doubtful == 1


def test_an_ended_code_is_not_in_the_list_and_its_page_says_so() -> None:
    book = made_up(Code(code="1", label=Text(vi="Cũ"), valid_from=None, valid_to=TURN))
    assert book.rows_on(TURN) == ()
    page = book.code_page("1", TURN)
    assert page is not None
    assert page.answer == "none"


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_of_the_csv_is_a_formula(label: str) -> None:
    book = made_up(
        Code(code="001", label=Text(vi=label), valid_from=None, source=label),
        Code(code="=2", label=Text(vi='a"b,c'), valid_from=None),
    )
    text = codes_csv(book.rows_on(AFTER))
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {row[0] for row in rows[1:]} == {"001", "'=2"}
    assert rows[1][1].removeprefix("'") in {label, 'a"b,c'}


def test_leading_zeros_survive_in_the_csv(communes: CodeBook) -> None:
    rows = list(csv.reader(io.StringIO(codes_csv(communes.rows_on(BEFORE)).removeprefix("\ufeff"))))
    assert ["00008", "Phường Liễu Giai"] in [row[:2] for row in rows]
    assert len(rows) == len(communes.rows_on(BEFORE)) + 1


def release(version: str, dictionary: Dictionary, *, previous: str | None = None) -> Release:
    return Release(
        version=version,
        released_at=datetime(2026, 1, 1, tzinfo=UTC),
        agency="G01",
        actor="x",
        digest=dictionary.digest,
        previous_version=previous,
        previous_hash=None if previous is None else "0" * 64,
        entries=tuple(
            Entry(
                kind="data-element",
                id=name,
                version=one.identity.version,
                status="proposed",
                hash=item_hash(one),
                files=(),
            )
            for name, one in dictionary.elements.items()
        ),
    )


def test_a_release_says_what_changed_since_the_one_before() -> None:
    now = small_dictionary()
    fewer = {name: one for name, one in now.elements.items() if name != "HoVaTen"}
    changed = replace(now.elements[ElementId("TenToChuc")], definition=Text(vi="khác"))
    before = replace(now, digest="1" * 64, elements={**fewer, ElementId("TenToChuc"): changed})
    lines = release_lines(
        [
            Shelved(name="0.2.0", release=release("0.2.0", now, previous="0.1.0"), sealed=True, follows=True),
            Shelved(name="0.1.0", release=release("0.1.0", before), sealed=True, follows=True),
            Shelved(name="0.0.1", release=None, sealed=False, follows=False),
        ],
        digest=now.digest,
    )
    assert [(line.version, line.added, line.changed, line.gone, line.in_use) for line in lines] == [
        ("0.2.0", 1, 1, 0, True),
        ("0.1.0", 0, 0, 0, False),
        ("0.0.1", 0, 0, 0, False),
    ]
    assert [line.first for line in lines] == [False, True, False]
    assert lines[2].digest is None
    assert [change.id for change in item_changes(content_of(before), content_of(now))] == ["HoVaTen", "TenToChuc"]


def test_labels_stand_in_the_order_people_read_them() -> None:
    labels = ["Đường", "Chỉ số", "An", "Chiều cao", "Dự án", "Ấp"]
    assert sorted(labels, key=in_order) == ["An", "Ấp", "Chỉ số", "Chiều cao", "Dự án", "Đường"]
