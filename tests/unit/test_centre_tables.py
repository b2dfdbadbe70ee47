"""From a dataset's elements follow its tables."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lienthong.centre.refusals import NameNotSafe
from lienthong.centre.tables import META_NAMES, column_type, derive_table, render_ddl
from lienthong.dictionary.model import (
    Dataset,
    DatasetId,
    Datatype,
    Dictionary,
    DomainId,
    Element,
    ElementId,
    Identity,
    Level,
    Member,
    Ref,
    Sensitivity,
    Status,
    Text,
    ValueDomain,
)


def identity(name):
    return Identity(id=name, version="1.0.0", status=Status.APPROVED, level=Level.NATIONAL, valid_from=None)


def domain(datatype, *, precision=None, scale=None):
    return ValueDomain(
        identity=identity("vd"),
        label=Text(vi="vd"),
        datatype=datatype,
        rdf_type="xsd:string",
        precision=precision,
        scale=scale,
        standardiser="text",
    )


def dictionary_of(names, *, table="bang", keys=("ma",), unique=()):
    elements = {
        ElementId(f"E{place}"): Element(
            identity=identity(f"E{place}"),
            label=Text(vi="Tên gọi"),
            definition=Text(vi="Nó'; DROP TABLE x; -- \\"),
            concept="c",
            value_domain=Ref(id="vd", version="1.0.0"),
            technical_name=name,
            business_attributes={},
            technical_attributes={},
            sensitivity=Sensitivity.PUBLIC,
        )
        for place, name in enumerate(names)
    }
    dataset = Dataset(
        identity=identity("bo"),
        label=Text(vi="Bộ dữ liệu"),
        definition=Text(vi="Bộ"),
        table=table,
        domain="d",
        members=tuple(
            Member(element=ElementId(f"E{place}"), key=name in keys, unique=name in unique)
            for place, name in enumerate(names)
        ),
    )
    return Dictionary(
        version="1",
        digest="d",
        elements=elements,
        domains={DomainId("vd"): domain(Datatype.TEXT)},
        code_lists={},
        datasets={DatasetId("bo"): dataset},
    )


def derive(*names, **facts):
    dictionary = dictionary_of(names, **facts)
    return derive_table(dictionary, dictionary.datasets[DatasetId("bo")])


@pytest.mark.parametrize(
    ("datatype", "type_"),
    [
        (Datatype.TEXT, "text"),
        (Datatype.CODE, "text"),
        (Datatype.CODES, "text[]"),
        (Datatype.INTEGER, "bigint"),
        (Datatype.DATE, "date"),
        (Datatype.PARTIAL_DATE, "lienthong.partial_date"),
        (Datatype.BOOLEAN, "boolean"),
        (Datatype.TIMESTAMP, "timestamp with time zone"),
    ],
)
def test_every_datatype_has_a_column_type(datatype, type_):
    assert column_type(domain(datatype)) == type_


def test_no_datatype_becomes_a_type_that_cuts_texts():
    types = [
        column_type(domain(datatype, precision=9, scale=2), many=many) for datatype in Datatype for many in (0, 1)
    ]
    assert not [each for each in types if "char" in each]


@pytest.mark.parametrize(
    ("precision", "scale", "type_"),
    [(20, 2, "numeric(20,2)"), (None, 2, "numeric(38,2)"), (5, 0, "numeric(5,0)"), (None, None, "numeric")],
)
def test_a_decimal_keeps_the_digits_the_dictionary_gives_it(precision, scale, type_):
    assert column_type(domain(Datatype.DECIMAL, precision=precision, scale=scale)) == type_


def test_an_element_that_may_repeat_is_a_list():
    assert column_type(domain(Datatype.CODE), many=True) == "text[]"


@pytest.mark.parametrize("name", ["", "Ma", "mã_số", 'a"b', "a b", "1a", "_a", "a;drop", "a" * 49, "select.x", "a\n"])
def test_a_name_that_is_not_safe_is_refused(name):
    with pytest.raises(NameNotSafe):
        derive("ma", name)


@pytest.mark.parametrize("table", ["", "Bang", "b" * 41, "b.c", "bảng"])
def test_a_table_name_that_is_not_safe_is_refused(table):
    with pytest.raises(NameNotSafe):
        derive("ma", table=table)


def test_two_elements_with_one_name_are_refused():
    with pytest.raises(NameNotSafe, match="two elements"):
        derive("ma", "ten", "ten")


def test_the_longest_names_allowed_stay_under_the_limit_of_the_database():
    spec = derive("ma", "a" * 48, table="b" * 40)
    names = [
        spec.table,
        spec.history,
        f"stage_{spec.table}",
        *(i.name for i in (*spec.indexes, *spec.history_indexes)),
    ]
    assert max(map(len, names)) <= 63


def test_the_key_and_every_unique_element_have_an_index_once():
    spec = derive("ma", "so", "ten", keys=("ma", "so"), unique=("ma", "ten"))
    assert [index.columns for index in spec.indexes] == [
        ("ma", "so"),
        ("ma",),
        ("ten",),
        ("_batch",),
        ("_valid_from",),
    ]
    assert derive("ma", unique=("ma",)).indexes == derive("ma").indexes
    assert spec.key == ("ma", "so")


def test_a_dataset_without_a_key_has_no_index_of_one():
    spec = derive("ten", keys=())
    assert [index.columns for index in spec.indexes] == [("_batch",), ("_valid_from",)]
    assert [index.columns[0] for index in spec.history_indexes] == ["_record_id", "_ended_batch", "_valid_to"]


def test_no_element_can_hide_a_column_of_ours():
    assert all(name.startswith("_") for name in META_NAMES)


def test_the_rendered_statements_name_every_column_and_quote_every_text():
    spec = derive("ma", "ten")
    ddl = render_ddl(spec)
    for name in (*META_NAMES, "ma", "ten"):
        assert f'"{name}"' in ddl
    assert "Bộ dữ liệu" in ddl
    # Outside quoted texts nothing of the definition is left.
    outside = re.sub(r"E?'(?:[^'\\]|''|\\.)*'", "", ddl)
    assert "DROP" not in outside
    assert "CREATE TABLE dataset.bang_history" in outside


def test_a_changed_label_changes_only_the_comment():
    dictionary = dictionary_of(["ma"])
    dataset = dictionary.datasets[DatasetId("bo")]
    renamed = derive_table(dictionary, replace(dataset, label=Text(vi="Khác")))
    assert renamed.comment == "Khác"
    assert replace(renamed, comment="Bộ dữ liệu") == derive_table(dictionary, dataset)
