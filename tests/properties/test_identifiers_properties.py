"""Laws of identifiers: plates, land parcels, proposals, whatever was typed."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.dictionary.load import load
from lienthong.dictionary.model import DomainId
from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.batch import Outcome
from lienthong.standardise.geohash import ALPHABET, CHARACTERS, decode
from lienthong.standardise.kernel import KernelContext
from lienthong.standardise.proposals import proposals
from lienthong.standardise.registry import all_kernels

DICTIONARY = load(shipped_folder("dictionary"))
WITH_READINGS = sorted(
    name for name, domain in DICTIONARY.domains.items() if all_kernels()[domain.standardiser].readings
)


def encode(latitude: float, longitude: float) -> str:
    """Write a GeoHash bit by bit, as it was first described."""
    bounds = {"lon": [-180.0, 180.0], "lat": [-90.0, 90.0]}
    bits = []
    for place in range(5 * CHARACTERS):
        axis, value = ("lon", longitude) if place % 2 == 0 else ("lat", latitude)
        middle = sum(bounds[axis]) / 2
        bits.append(value >= middle)
        bounds[axis][0 if value >= middle else 1] = middle
    groups = (bits[begin : begin + 5] for begin in range(0, len(bits), 5))
    return "".join(ALPHABET[sum(bit << (4 - place) for place, bit in enumerate(group))] for group in groups)


@given(st.lists(st.tuples(st.floats(-89.999, 89.999), st.floats(-179.999, 179.999)), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_a_parcel_code_leads_back_to_its_point(points: list[tuple[float, float]]) -> None:
    found = decode(pl.Series([encode(*point) for point in points]))
    for (latitude, longitude), row in zip(points, found.iter_rows(named=True), strict=True):
        assert abs(row["latitude"] - latitude) < 1e-6
        assert abs(row["longitude"] - longitude) < 1e-6


@given(st.text(max_size=14))
@settings(max_examples=100, deadline=None)
def test_what_is_no_parcel_code_has_no_point(text: str) -> None:
    row = decode(pl.Series([text], dtype=pl.String)).row(0)
    is_code = len(text) == CHARACTERS and set(text) <= set(ALPHABET)
    assert (row == (None, None)) is not is_code


@given(
    local=st.integers(11, 99),
    series=st.from_regex(r"[A-Z]{1,2}[0-9]?", fullmatch=True),
    number=st.from_regex(r"[0-9]{4,5}", fullmatch=True),
)
@settings(max_examples=150, deadline=None)
def test_every_spelling_of_a_plate_with_its_dash_is_one_plate(local: int, series: str, number: str) -> None:
    pointed = f"{number[:3]}.{number[3:]}" if len(number) == 5 else number
    spellings = [
        f"{local}{series}-{number}",
        f"{local}-{series} {number}",
        f"{local}{series.lower()}-{pointed}",
        f" {local} - {series} - {pointed}",
    ]
    domain = DICTIONARY.domains[DomainId("vd-bien-so-xe")]
    result = all_kernels()["plate"].run(pl.Series(spellings), KernelContext(domain=domain))
    assert set(result.values) == {f"{local}{series}-{number}"}


@given(local=st.integers(11, 99), letters=st.from_regex(r"[A-Z]{1,2}", fullmatch=True), number=st.integers(0, 99_999))
@settings(max_examples=80, deadline=None)
def test_a_plate_run_together_is_in_doubt_and_both_readings_are_proposed(
    local: int, letters: str, number: int
) -> None:
    written = f"{local}{letters}{number:05}"
    domain = DICTIONARY.domains[DomainId("vd-bien-so-xe")]
    result = all_kernels()["plate"].run(pl.Series([written]), KernelContext(domain=domain))
    assert result.outcomes[0] == Outcome.AMBIGUOUS
    found = proposals(pl.Series([written]), domain)["proposed"].to_list()
    assert [plate.replace("-", "") for plate in found] == [written, written]
    assert len(set(found)) == 2


@given(
    st.lists(
        st.none()
        | st.from_regex(r"[0-9]{7,13}([.,]0)?", fullmatch=True)
        | st.from_regex(r"[0-9][.,][0-9]{1,7}", fullmatch=True)
        | st.text(max_size=15),
        max_size=6,
    ),
    st.sampled_from(WITH_READINGS),
)
@settings(max_examples=200, deadline=None)
def test_a_proposal_is_a_standard_value_of_its_field(values: list[str | None], name: str) -> None:
    domain = DICTIONARY.domains[DomainId(name)]
    found = proposals(pl.Series(values, dtype=pl.String), domain)
    assert set(found["value"]) <= set(values)
    again = all_kernels()[domain.standardiser].run(found["proposed"], KernelContext(domain=domain))
    assert again.values.to_list() == found["proposed"].to_list()
    assert set(again.outcomes) <= {Outcome.UNCHANGED}
