"""A column of any old encoding is known for what it is, and read without a mistake.

The corpus is made up: names, names in capitals and addresses of synthetic citizens, names of communes as published, and
names of random syllables, which no list of known words can help with.
"""

from __future__ import annotations

import random
from unicodedata import normalize

import polars as pl
import pytest

from lienthong.dictionary.shipped import shipped_folder
from lienthong.standardise.batch import Outcome
from lienthong.standardise.cleaning import clean
from lienthong.standardise.encodings import words as words_module
from lienthong.standardise.encodings.convert import convert
from lienthong.standardise.encodings.detect import Detection, convert_mixed, detect, propose, propose_encoding
from lienthong.standardise.encodings.mixed import convert_each, encodings_of
from lienthong.standardise.encodings.syllables import spellings
from lienthong.standardise.encodings.tables import Encoding
from lienthong.testing.citizens import generate
from lienthong.testing.legacy_text import as_windows, spell

SEED = 214
# The nine of the corpus, and VN1, which is TCVN3 where a text has no capital with a tone.
OF_TEXT = (
    *(Encoding.UTF_8, Encoding.NFD, Encoding.TCVN3, Encoding.VNI, Encoding.VPS, Encoding.VISCII),
    *(Encoding.CP1258, Encoding.MOJIBAKE),
)
OLD = tuple(each for each in OF_TEXT if each not in (Encoding.UTF_8, Encoding.NFD))
COLUMNS_PER_CASE = {1: 6, 3: 12, 10: 6, 50: 2}


def _names() -> list[str]:
    citizens, _ = generate(2_000, seed=SEED, defect_share=0)
    return [" ".join(name.split()).title() for name in citizens["ho_ten"]]


def _addresses() -> list[str]:
    return list(generate(2_000, seed=SEED, defect_share=0)[0]["dia_chi"])


def _communes() -> list[str]:
    units = pl.read_csv(shipped_folder("dictionary") / "codelists" / "don-vi-hanh-chinh-xa.csv", infer_schema=False)
    labels = units["label_vi"].str.normalize("NFC").unique(maintain_order=True)
    return list(labels.filter(labels.str.contains(r"^[\p{L} ]+$")).sample(2_000, seed=SEED))


def _syllables() -> list[str]:
    chance = random.Random(SEED)
    known = sorted(spellings())
    return [" ".join(chance.choice(known).title() for _ in range(3)) for _ in range(2_000)]


def _marked(values: list[str]) -> list[str]:
    return [value for value in values if not value.isascii()]


NAMES = _marked(_names())
CORPUS = {
    "names": NAMES,
    "NAMES": [name.upper() for name in NAMES],
    "addresses": _marked(_addresses()),
    "communes": _marked(_communes()),
    "syllables": _marked(_syllables()),
}


def columns(size: int) -> list[tuple[str, Encoding, list[str], pl.Series]]:
    """Return (what, encoding, values, column) for every kind of text and encoding, the same every time."""
    chance = random.Random(SEED + size)
    made = []
    for what, values in CORPUS.items():
        for encoding in OF_TEXT:
            for turn in range(COLUMNS_PER_CASE[size]):
                picked = chance.sample(values, size)
                spelled = [spell(value, encoding) for value in picked]
                shown = [as_windows(each) for each in spelled] if turn % 2 and encoding in OLD else spelled
                made.append((what, encoding, picked, pl.Series(shown)))
    return made


def read_right(encoding: Encoding, values: list[str], column: pl.Series, found: Detection) -> bool:
    """Say whether the encoding was found, or one under which the column reads the same."""
    if found.encoding is encoding:
        return True
    if found.encoding is None:
        return False
    read = convert(column, found.encoding).values
    fold = str.lower if encoding is Encoding.TCVN3 else str
    return [each and fold(each) for each in read] == [fold(value) for value in values]


def accuracy(size: int) -> tuple[float, list[str]]:
    made = columns(size)
    wrong = [
        f"{what} in {encoding}: {found.encoding}"
        for what, encoding, values, column in made
        if not read_right(encoding, values, column, found := detect(column))
    ]
    return 1 - len(wrong) / len(made), wrong


@pytest.mark.parametrize(("size", "least"), [(1, 0.95), (3, 0.99), (10, 1.0), (50, 1.0)])
def test_the_encoding_of_a_column_is_found(size: int, least: float) -> None:
    share, wrong = accuracy(size)
    assert share >= least, wrong


def test_the_grammar_alone_finds_the_encoding_of_ten_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words_module, "known_words", frozenset)
    share, wrong = accuracy(10)
    assert share == 1.0, wrong


@pytest.mark.parametrize("encoding", [*OF_TEXT, Encoding.VN1])
def test_a_pure_column_is_not_called_mixed(encoding: Encoding) -> None:
    for what, values in CORPUS.items():
        found = detect(pl.Series([spell(value, encoding) for value in values[:500]]))
        assert not found.mixed, what
        assert found.assigned is None


@pytest.mark.parametrize("encoding", [*OLD, Encoding.VN1, Encoding.NFD])
def test_decoded_text_is_exact(encoding: Encoding) -> None:
    fold = str.lower if encoding is Encoding.TCVN3 else str
    for what, values in CORPUS.items():
        if what == "syllables":
            continue  # see the next test
        read = convert(pl.Series([spell(value, encoding) for value in values]), encoding).values
        right = sum(each is not None and fold(each) == fold(value) for each, value in zip(read, values, strict=True))
        assert right >= 0.9998 * len(values), what


@pytest.mark.parametrize("encoding", [*OLD, Encoding.VN1])
def test_words_nobody_knows_are_read_right_or_not_at_all(encoding: Encoding) -> None:
    values = CORPUS["syllables"]
    read = convert(pl.Series([spell(value, encoding) for value in values]), encoding).values
    wrong = [each for each, value in zip(read, values, strict=True) if each and each.lower() != value.lower()]
    assert wrong == []
    assert read.null_count() <= 0.001 * len(values)


def test_names_and_capitals_of_tcvn3_come_back_in_their_case() -> None:
    for what in ("names", "NAMES"):
        values = CORPUS[what]
        read = convert(pl.Series([spell(value, Encoding.TCVN3) for value in values]), Encoding.TCVN3).values
        right = sum(each == value for each, value in zip(read, values, strict=True))
        assert right >= 0.999 * len(values), what


@pytest.mark.parametrize("encoding", [each for each in OLD if each is not Encoding.MOJIBAKE])
def test_bytes_are_known_for_what_they_are(encoding: Encoding) -> None:
    for values in CORPUS.values():
        column = pl.Series([spell(value, encoding).encode("latin-1") for value in values[:50]])
        assert detect(column).encoding is encoding


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16-be"])
def test_bytes_of_unicode_are_known_for_what_they_are(codec: str) -> None:
    for values in CORPUS.values():
        found = detect(pl.Series([value.encode(codec) for value in values[:3]]))
        assert found.encoding is not None
        assert found.encoding.value.replace("-", "") == codec.replace("-", "")
        assert not found.mixed


MIXTURES = [
    (Encoding.UTF_8, Encoding.TCVN3),
    (Encoding.UTF_8, Encoding.MOJIBAKE),
    (Encoding.UTF_8, Encoding.CP1258),
    (Encoding.TCVN3, Encoding.VNI),
    (Encoding.VPS, Encoding.VISCII),
    (Encoding.UTF_8, Encoding.TCVN3, Encoding.VNI),
]


@pytest.mark.parametrize("mixture", MIXTURES)
@pytest.mark.parametrize("what", ["names", "NAMES", "addresses"])
def test_a_mixed_column_is_read_value_by_value_and_never_wrong(mixture: tuple[Encoding, ...], what: str) -> None:
    chance = random.Random(SEED)
    values = CORPUS[what][:400]
    column = pl.Series("c", [spell(value, chance.choice(mixture)) for value in values])
    found = detect(column)
    assert found.mixed
    assert found.assigned is not None
    done = convert_mixed(column, found.assigned)
    wrong = [
        (each, value)
        for each, value in zip(done.values, values, strict=True)
        if each is not None and each.lower() != value.lower()
    ]
    assert wrong == []
    unsure = done.values.is_null()
    assert unsure.mean() <= 0.06
    assert set(done.outcomes.filter(unsure)) <= {Outcome.AMBIGUOUS.value}


AMBIGUOUS_MAX = {  # of values judged alone; VPS and VISCII share most places of Latin-1 with Unicode and each other
    "utf-8": 0.01,
    "nfd": 0.0,
    "tcvn3": 0.01,
    "vni": 0.01,
    "mojibake": 0.01,
    "cp1258": 0.05,
    "vps": 0.10,
    "viscii": 0.08,
}


@pytest.mark.parametrize("encoding", OF_TEXT)
def test_a_value_alone_is_read_right_or_left_open(encoding: Encoding) -> None:
    for what in ("names", "NAMES", "addresses", "communes"):
        values = CORPUS[what]
        done = convert_each(pl.Series([spell(value, encoding) for value in values]))
        read = clean(done.values).text  # Ð for Đ is the next step's
        wrong = [pair for pair in zip(read, values, strict=True) if pair[0] and pair[0].lower() != pair[1].lower()]
        assert wrong == []
        unsure = done.values.is_null()
        assert unsure.mean() <= AMBIGUOUS_MAX[encoding.value], what
        assert set(done.outcomes.filter(unsure)) <= {Outcome.AMBIGUOUS.value}


@pytest.mark.parametrize("encoding", OF_TEXT)
def test_words_nobody_knows_alone_are_hardly_ever_read_wrong(encoding: Encoding) -> None:
    values = CORPUS["syllables"]
    read = convert_each(pl.Series([spell(value, encoding) for value in values])).values
    wrong = [each for each, value in zip(read, values, strict=True) if each and each.lower() != value.lower()]
    assert len(wrong) <= 0.01 * len(values)


def test_a_clean_value_with_letters_of_unicode_only_is_never_touched() -> None:
    values = [value for what in CORPUS for value in CORPUS[what] if any(ord(each) > 0x17F for each in value)]
    column = pl.Series(values)
    done = convert_each(column)
    assert len(values) > 5_000
    assert done.values.equals(column)
    assert done.outcomes.unique().to_list() == [Outcome.UNCHANGED.value]


def test_a_value_put_together_from_two_encodings_is_left_open() -> None:
    assert encodings_of(pl.Series(["Nguyễn V¨n An", "Nguyễn Văn An", None, "An", ""])).to_list() == [
        None, "utf-8", "utf-8", "utf-8", "utf-8",
    ]  # fmt: skip


def test_bytes_of_two_encodings_are_mixed() -> None:
    values = CORPUS["names"][:60]
    raw = [
        value.encode() if at % 2 else spell(value, Encoding.TCVN3).encode("latin-1")
        for at, value in enumerate(values)
    ]
    found = detect(pl.Series(raw))
    assert found.mixed
    assert found.assigned is not None
    assert set(found.assigned) <= {"utf-8", "tcvn3", None}
    assert convert_mixed(pl.Series(raw), found.assigned).values.drop_nulls().is_in(values).all()


def test_one_stray_value_does_not_make_a_column_mixed() -> None:
    values = [spell(value, Encoding.TCVN3) for value in CORPUS["names"][:100]]
    found = detect(pl.Series([*values, "Nguyễn Thị Thắm"]))
    assert (found.encoding, found.mixed) == (Encoding.TCVN3, False)


def test_a_column_without_a_marked_word_says_nothing() -> None:
    for column in (["Nam", None, "12", ""], [None], []):
        found = detect(pl.Series(column, dtype=pl.String))
        assert (found.encoding, found.confidence, found.words) == (None, 0.0, 0)


def test_lost_letters_are_counted_beside_the_encoding() -> None:
    found = detect(pl.Series(["Nguy?n V?n A", "Nguyễn Văn Bình", "Trần Thị Hạnh"]))
    assert (found.encoding, found.lost) == (Encoding.UTF_8, 1)


def test_text_of_another_language_is_not_called_an_old_encoding() -> None:
    german = ["Müller Straße", "Jürgen Größe", "Grüße aus Köln", "Schönes Mädchen"]
    assert propose_encoding(pl.Series(german)) is None


@pytest.mark.parametrize("encoding", OF_TEXT)
def test_a_mapping_is_proposed_an_encoding_only_where_it_needs_one(encoding: Encoding) -> None:
    sample = pl.Series([spell(value, encoding) for value in CORPUS["names"][:20]])
    assert propose_encoding(sample) == (encoding.value if encoding in OLD else None)


def test_a_column_of_several_encodings_is_proposed_as_mixed() -> None:
    values = CORPUS["names"][:40]
    mixture = pl.Series([spell(value, (Encoding.TCVN3, Encoding.VNI)[at % 2]) for at, value in enumerate(values)])
    found = propose(mixture)
    assert found is not None
    assert (found.encoding, found.values, found.sure) == ("mixed", mixture.n_unique(), True)
    assert found.confidence > 0.9


def test_few_words_are_proposed_without_being_sure() -> None:
    found = propose(pl.Series(["N÷", "Nam", "N÷", None]))  # Nữ
    assert found is not None
    assert (found.encoding, found.values, found.sure) == ("tcvn3", 1, False)
    assert propose(pl.Series(["N÷", "M÷ller"])) is None


def test_nothing_is_proposed_for_a_silent_column() -> None:
    assert propose_encoding(pl.Series(["Nam", None])) is None
    assert propose_encoding(pl.Series(["V¨n"])) is None  # one word is no evidence


def test_composed_and_decomposed_columns_are_read_alike() -> None:
    values = CORPUS["names"][:30]
    composed, decomposed = detect(pl.Series(values)), detect(pl.Series([normalize("NFD", each) for each in values]))
    assert (composed.encoding, decomposed.encoding) == (Encoding.UTF_8, Encoding.NFD)
    assert composed.legal_share == decomposed.legal_share
