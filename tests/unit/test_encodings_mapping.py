"""A mapping says how a column is encoded, and the plan reads it so."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from lienthong.dictionary.model import DatasetId, ElementId
from lienthong.sources.mapping import Mapping
from lienthong.sources.mapping_file import ENCODINGS, parse_mapping, render_mapping
from lienthong.sources.refusals import MappingNotValid
from lienthong.standardise.batch import Outcome
from lienthong.standardise.encodings.binding import DECLARABLE, decoding
from lienthong.standardise.encodings.tables import Encoding
from lienthong.standardise.kernel import KernelResult
from lienthong.standardise.plan import EncodingUnknown, StandardiserPlan, build_plan
from lienthong.testing.fakes import small_dictionary

SMALL = small_dictionary()
DICTIONARY = replace(
    SMALL, domains={name: replace(domain, standardiser="person-name") for name, domain in SMALL.domains.items()}
)
DATASET = DICTIONARY.datasets[DatasetId("nhan-khau")]
NAME = ElementId("HoVaTen")
HEAD = "source: ca-mau\ntable: public.t\ndataset: nhan-khau\nowner: Sở\ncolumns:\n"
UNCHANGED, CHANGED, AMBIGUOUS, REFUSED, EMPTY = (outcome.value for outcome in Outcome)


def mapping(encoding: str) -> Mapping:
    rows = [
        f"  c{place}: {{element: {member.element}{f', encoding: {encoding}' if member.element == NAME else ''}}}\n"
        for place, member in enumerate(DATASET.members)
    ]
    return parse_mapping(HEAD + "".join(rows), path="m.yaml", dictionary=DICTIONARY)


def plan(encoding: str) -> tuple[StandardiserPlan, str, str]:
    """Return the plan, the source column of the name, and its technical name."""
    made = mapping(encoding)
    column = next(each.column for each in made.columns if each.element == NAME)
    return build_plan(DICTIONARY, DATASET, made), column, DICTIONARY.elements[NAME].technical_name


def run(encoding: str, names: list[str | None]) -> tuple[list[str | None], list[int]]:
    made, column, element = plan(encoding)
    rows = pl.DataFrame(
        {each.column: names if each.column == column else [None] * len(names) for each in made.mapping.columns},
        schema_overrides={each.column: pl.String for each in made.mapping.columns},
    )
    done = made.run(rows)
    return done.values[element].to_list(), done.outcomes[element].to_list()


def test_mappings_may_declare_what_the_standardiser_reads():
    assert set(ENCODINGS) == set(DECLARABLE)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_declared_encoding_is_read_and_written_back(encoding):
    made = mapping(encoding)
    assert [each.encoding for each in made.columns if each.element == NAME] == [encoding]
    again = parse_mapping(render_mapping(made), path="m.yaml", dictionary=DICTIONARY)
    assert replace(again, digest="") == replace(made, digest="")


def test_an_unknown_encoding_is_named_with_its_line():
    with pytest.raises(MappingNotValid) as caught:
        mapping("tcvn4")
    assert "unknown encoding tcvn4; known are tcvn3, vn1" in str(caught.value)


def test_a_plan_refuses_an_encoding_nobody_reads():
    made = mapping("tcvn3")
    columns = tuple(replace(each, encoding="utf-16le") if each.element == NAME else each for each in made.columns)
    with pytest.raises(EncodingUnknown) as caught:
        build_plan(DICTIONARY, DATASET, replace(made, columns=columns))
    assert "utf-16le" in str(caught.value)
    assert "tcvn3" in caught.value.remedy


def test_a_column_is_made_unicode_before_its_kernel():
    names = ["NguyÔn V¨n  A", "NGUYÔN V¡N B", "Tran Van C", None, "Nguyễn V¨n", "Tuân", "Trần Thị Hoa"]
    values, outcomes = run("tcvn3", names)
    assert values == ["Nguyễn Văn A", "Nguyễn Văn B", "Tran Van C", None, None, None, "Trần Thị Hoa"]
    assert outcomes == [CHANGED, CHANGED, UNCHANGED, EMPTY, REFUSED, AMBIGUOUS, UNCHANGED]


def test_a_decoded_value_is_changed_though_the_kernel_changes_nothing():
    values, outcomes = run("vni", ["Nguyeãn Vaên A"])
    assert (values, outcomes) == (["Nguyễn Văn A"], [CHANGED])


def test_a_value_the_kernel_refuses_stays_refused():
    assert run("vni", ["Nguyeãn 5"]) == ([None], [REFUSED])


def test_without_a_declared_encoding_nothing_is_decoded():
    assert run("utf-8", ["Nguyeãn Vaên A", "Nguyễn Văn A"])[0] == ["Nguyeãn Vaên A", "Nguyễn Văn A"]


def test_the_version_of_a_column_names_the_encoding_too():
    made, _, element = plan("tcvn3")
    assert made.versions[element].split("@")[0] == "tcvn3"
    assert " person-name@" in made.versions[element]


def test_a_mixed_column_is_read_value_by_value():
    names = ["NguyÔn V¨n A", "Nguyeãn Vaên B", "Nguyễn Văn C", "Tran Van D", None, "Nguyễn V¨n E", "Hoàng Minh"]
    values, outcomes = run("mixed", names)
    assert values == ["Nguyễn Văn A", "Nguyễn Văn B", "Nguyễn Văn C", "Tran Van D", None, None, None]
    assert outcomes == [CHANGED, CHANGED, UNCHANGED, UNCHANGED, EMPTY, AMBIGUOUS, AMBIGUOUS]


def test_a_value_of_a_mixed_column_comes_out_the_same_whatever_stands_beside_it():
    names = ["NguyÔn V¨n A", "Lê Văn", "Nguyeãn Vaên B", "Hoàng Minh", "Nguyễn Văn C", "TrÇn ThÞ Hoa", "Lê Nam"]
    together = run("mixed", names)
    alone = [run("mixed", [name]) for name in names]
    assert together == ([values[0] for values, _ in alone], [outcomes[0] for _, outcomes in alone])


def test_the_version_of_a_mixed_column_says_so():
    made, _, element = plan("mixed")
    assert made.versions[element].startswith("mixed@")


def test_a_kernel_of_unicode_is_left_alone():
    def kernel(source: pl.Series) -> KernelResult:
        return KernelResult(values=source, outcomes=source)

    assert decoding(kernel, Encoding.UTF_8) is kernel
    with pytest.raises(AssertionError):
        decoding(kernel, Encoding.UTF_16LE)
