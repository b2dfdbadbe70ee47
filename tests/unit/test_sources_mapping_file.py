"""The mapping file: every mistake named with its line, and written so that it reads the same."""

from __future__ import annotations

from dataclasses import replace
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.dictionary.model import DatasetId, ElementId, Relation
from lienthong.sources.change import SourceColumn, SourceId, SourceTable, TableName
from lienthong.sources.drift import TypeChange, compare, full_type, refusal
from lienthong.sources.mapping import ColumnMapping, Mapping
from lienthong.sources.mapping_file import parse_mapping, read_table_name, render_mapping, write_table_name
from lienthong.sources.refusals import KeyChanged, MappedColumnGone, MappedColumnTypeChanged, MappingNotValid
from lienthong.testing.fakes import small_dictionary

DICTIONARY = small_dictionary()
DATASET = DICTIONARY.datasets[DatasetId("doanh-nghiep")]
REQUIRED = [member.element for member in DATASET.members if member.required or member.key]
FREE = next(member.element for member in DATASET.members)

HEAD = "source: ca-mau\ntable: public.t\ndataset: doanh-nghiep\nowner: Sở Tài chính\n"
GOOD = "".join(f"  c{place}: {{element: {member.element}}}\n" for place, member in enumerate(DATASET.members))


def parse(text: str) -> Mapping:
    return parse_mapping(text, path="m.yaml", dictionary=DICTIONARY)


def problems(text: str) -> str:
    with pytest.raises(MappingNotValid) as caught:
        parse(text)
    return str(caught.value)


def test_a_right_file_is_read_whole():
    mapping = parse(HEAD + f"key: [id]\ncolumns:\n{GOOD}  id: {{element: none, type: bigint, reason: row number}}\n")
    assert (mapping.source, mapping.table) == ("ca-mau", TableName(schema="public", table="t"))
    assert mapping.owner == "Sở Tài chính"
    assert mapping.key == ("id",)
    assert mapping.columns[0] == ColumnMapping(
        column="c0", element=DATASET.members[0].element, relation=Relation.EXACT
    )
    assert mapping.columns[-1] == ColumnMapping(
        column="id", element=None, relation=Relation.NONE, native_type="bigint", reason="row number"
    )


def test_any_change_of_the_file_changes_its_digest():
    one, two = parse(HEAD + "columns:\n" + GOOD), parse("# a word\n" + HEAD + "columns:\n" + GOOD)
    assert one.digest != two.digest
    assert replace(one, digest="") == replace(two, digest="")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line 1: the file is empty"),
        ("source: [", "not YAML"),
        ("- a\n", "a mapping must be a mapping of names to values"),
        (HEAD, "the mapping has no columns"),
        (HEAD + "columns: {}\n", "line 5: columns must name at least one column"),
        (HEAD.replace("public.t", "t") + "columns:\n" + GOOD, "line 2: table t must be written schema.table"),
        (HEAD.replace("ca-mau", "cà mau") + "columns:\n" + GOOD, "line 1: source must be ASCII"),
        (HEAD.replace("doanh-nghiep", "doanh-nghiem") + "columns:\n" + GOOD, "did you mean doanh-nghiep?"),
        (HEAD.replace("owner: Sở Tài chính", "owner:") + "columns:\n" + GOOD, "line 4: owner must be a text"),
        (HEAD + "ower: x\ncolumns:\n" + GOOD, "line 5: a mapping has no field ower; did you mean owner"),
        (HEAD + "key: id\ncolumns:\n" + GOOD, "line 5: key must be a list of columns"),
        (HEAD + "columns:\n" + GOOD + "  x: {element: none}\n", "column x is none without a reason"),
        (HEAD + "columns:\n" + GOOD + "  x: {reason: y}\n", "column x has no element"),
        (HEAD + "columns:\n" + GOOD + "  x: 5\n", "column x must be a mapping"),
        (HEAD + "columns:\n" + GOOD + f"  x: {{element: {FREE}}}\n", f"columns c0 and x both mean {FREE}"),
        (HEAD + "columns:\n" + GOOD + "  c0: {element: none, reason: x}\n", "column c0 stands twice"),
        (HEAD + "columns:\n" + GOOD + "  x: {element: none, reason: a, b c}\n", "a text with a comma inside braces"),
        (HEAD + f"columns:\n  c0: {{element: {FREE}, form: day-frist}}\n", "unknown form day-frist"),
        (HEAD + f"columns:\n  c0: {{element: {FREE}, relation: same}}\n", "unknown relation same"),
        (HEAD + f"columns:\n  c0: {{element: {str(FREE)[:-1]}}}\n", f"did you mean {FREE}"),
        (HEAD + "columns:\n  x: {element: none, reason: y}\n", f"no column means {REQUIRED[0]}"),
        (HEAD.replace("Sở", normalize("NFD", "Sở")) + "columns:\n" + GOOD, "line 4: text is not in Unicode form NFC"),
    ],
)
def test_a_mistake_is_named_with_its_line(text, expected):
    assert expected in problems(text)


def test_an_element_of_another_dataset_is_refused():
    other = DICTIONARY.datasets[DatasetId("nhan-khau")].members[0].element
    assert f"element {other} is not a member of dataset doanh-nghiep" in problems(
        HEAD + f"columns:\n{GOOD}  x: {{element: {other}}}\n"
    )


def test_all_mistakes_are_named_at_once_in_order():
    text = problems("source: ca mau\ntable: t\ndataset: x\nowner: y\ncolumns:\n  a: {element: none}\n")
    lines = [int(line.split("line ")[1].split(":")[0]) for line in text.splitlines()[1:]]
    assert lines == sorted(lines)
    assert set(lines) >= {1, 2, 3, 6}


NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=12).filter(str.strip)


@given(
    columns=st.lists(NAMES, min_size=1, max_size=5, unique=True),
    reason=NAMES,
    schema=NAMES,
    table=NAMES,
    note=NAMES,
)
def test_what_is_written_reads_back_the_same(columns, reason, schema, table, note):
    needed = [
        ColumnMapping(column=f"needed {place}", element=element, relation=Relation.CLOSE, native_type="numeric(14,2)")
        for place, element in enumerate(REQUIRED)
    ]
    others = [
        ColumnMapping(column=name, element=None, relation=Relation.NONE, reason=reason)
        for name in columns
        if name not in {each.column for each in needed}
    ]
    mapping = Mapping(
        source=SourceId("s"),
        table=TableName(schema=schema, table=table),
        dataset=DatasetId("doanh-nghiep"),
        owner="Sở",
        columns=(*needed, *others),
        digest="",
        key=tuple(columns),
    )
    written = render_mapping(mapping, notes={columns[0]: (note,)}, head="proposed")
    assert replace(parse(written), digest="") == mapping


def test_a_decomposed_name_is_written_with_escapes():
    name = normalize("NFD", "Họ tên")
    mapping = parse(HEAD + "columns:\n" + GOOD)
    columns = (*mapping.columns, ColumnMapping(column=name, element=None, relation=Relation.NONE, reason="x"))
    written = render_mapping(replace(mapping, columns=columns))
    assert normalize("NFC", written) == written
    assert parse(written).columns[-1].column == name


@given(schema=NAMES, table=NAMES)
def test_a_table_name_reads_back_whatever_it_holds(schema, table):
    name = TableName(schema=schema, table=table)
    assert read_table_name(write_table_name(name)) == name


@pytest.mark.parametrize("text", ["t", "a.b.c", ".t", "a.", '"a.b', ""])
def test_a_table_name_without_its_schema_is_none(text):
    assert read_table_name(text) is None


# ── drift ───────────────────────────────────────────────────────────────────────────────────────────────────


def table(*columns: tuple[str, str], key: tuple[str, ...] = ("id",)) -> SourceTable:
    return SourceTable(
        name=TableName(schema="public", table="t"),
        columns=tuple(SourceColumn(name=name, type_name=kind) for name, kind in columns),
        key=key,
    )


def mapped(column: str, kind: str | None = None, *, element: str | None = "X") -> ColumnMapping:
    return ColumnMapping(
        column=column,
        element=None if element is None else ElementId(element),
        relation=Relation.EXACT,
        native_type=kind,
    )


def mapping_of(*columns: ColumnMapping, key: tuple[str, ...] = ()) -> Mapping:
    return replace(parse(HEAD + "columns:\n" + GOOD), columns=columns, key=key)


def refused(mapping: Mapping, now: SourceTable):
    return refusal(compare(mapping, now), source=SourceId("s"), table=now)


def test_the_same_table_is_no_drift_whatever_the_order_of_columns():
    mapping = mapping_of(mapped("a", "text"), mapped("b", "int8"), key=("id",))
    assert refused(mapping, table(("b", "bigint"), ("id", "bigint"), ("a", "text"))) is None


def test_a_mapped_column_that_is_gone_stops_and_an_unmapped_one_does_not():
    mapping = mapping_of(mapped("a"), mapped("gone"), mapped("note", element=None))
    assert isinstance(refused(mapping, table(("a", "text"))), MappedColumnGone)
    assert refused(mapping, table(("a", "text"), ("gone", "text"))) is None


def test_a_changed_type_stops_only_where_the_mapping_names_a_type():
    drift = compare(mapping_of(mapped("a", "text"), mapped("b")), table(("a", "integer"), ("b", "integer")))
    assert drift.retyped == (TypeChange(column="a", expected="text", observed="integer"),)
    assert isinstance(refused(mapping_of(mapped("a", "text")), table(("a", "integer"))), MappedColumnTypeChanged)


def test_another_key_stops_and_another_order_of_it_does_not():
    assert isinstance(refused(mapping_of(mapped("a"), key=("a",)), table(("a", "text"))), KeyChanged)
    assert refused(mapping_of(mapped("a"), key=("a", "b")), table(("a", "text"), key=("b", "a"))) is None


def test_a_new_column_is_noted_and_goes_on():
    drift = compare(mapping_of(mapped("a")), table(("a", "text"), ("new", "text")))
    assert drift.added == ("new",)
    assert not drift.stops


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("varchar(30)", "character varying(30)"),
        ("TIMESTAMPTZ", "timestamp with time zone"),
        ("timestamptz(3)", "timestamp(3) with time zone"),
        ("decimal(20, 2)", "numeric(20,2)"),
        ("int4[]", "integer[]"),
        ("numeric(14,2)", "numeric(14,2)"),
        ("text", "text"),
        ("public.mood", "public.mood"),
    ],
)
def test_short_names_of_types_mean_the_catalogue_s(written, full):
    assert full_type(written) == full
