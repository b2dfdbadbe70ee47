"""What becomes of a value of an old encoding, from text and from bytes."""

from __future__ import annotations

from unicodedata import normalize

import polars as pl
import pytest

from lienthong.standardise.batch import Outcome
from lienthong.standardise.encodings.convert import bytes_of_escaped, convert, decode, lost_letters
from lienthong.standardise.encodings.recase import recase
from lienthong.standardise.encodings.tables import (
    LEGACY,
    LOST,
    Encoding,
    are_bytes,
    byte_characters,
    letters,
    table_of,
)
from lienthong.testing.legacy_text import as_windows, spell

SENTENCE = "Nguyễn Thị Ánh, Số 5 Đường Phạm Ngũ Lão, Phường Hòa Bình"
UNCHANGED, CHANGED, AMBIGUOUS, REFUSED, EMPTY = Outcome
UNICODE = (Encoding.UTF_8, Encoding.NFD)
TEXTUAL = [each for each in Encoding if not each.value.startswith("utf-16")]


def one(text: str | bytes | None, encoding: Encoding) -> tuple[str | None, Outcome]:
    done = convert(pl.Series("c", [text], dtype=pl.Binary if isinstance(text, bytes) else pl.String), encoding)
    assert (done.values.name, done.outcomes.name, done.outcomes.dtype) == ("c", "c", pl.UInt8)
    return done.values[0], Outcome(done.outcomes[0])


@pytest.mark.parametrize("encoding", LEGACY)
def test_every_letter_of_a_table_is_read_back(encoding):
    table = letters()[encoding]
    read = table_of(encoding).decode(pl.Series(list(table.values()))).to_list()
    assert read == list(table)


def test_tables_hold_134_letters_and_tcvn3_lacks_the_capitals_with_a_tone():
    assert {
        encoding: len(letters()[encoding]) for encoding in LEGACY if encoding is not Encoding.TCVN3
    } == dict.fromkeys((each for each in LEGACY if each is not Encoding.TCVN3), 134)
    lacking = set(letters()[Encoding.VN1]) - set(letters()[Encoding.TCVN3])
    assert len(lacking) == 60
    assert all(letter.isupper() for letter in lacking)


def test_the_table_of_windows_1258_says_what_the_codec_of_python_says():
    for letter, old in letters()[Encoding.CP1258].items():
        assert normalize("NFC", old.encode("latin-1").decode("cp1258")) == letter


@pytest.mark.parametrize("encoding", [each for each in TEXTUAL if each not in UNICODE])
def test_text_taken_for_latin_1_or_windows_1252_becomes_the_same_unicode(encoding):
    spelled = spell(SENTENCE, encoding)
    assert one(spelled, encoding) == (SENTENCE, CHANGED)
    assert one(as_windows(spelled), encoding) == (SENTENCE, CHANGED)


@pytest.mark.parametrize("encoding", LEGACY)
def test_bytes_become_the_same_unicode_as_text(encoding):
    assert one(spell(SENTENCE, encoding).encode("latin-1"), encoding) == (SENTENCE, CHANGED)


@pytest.mark.parametrize("encoding", [Encoding.UTF_16LE, Encoding.UTF_16BE])
def test_bytes_of_sixteen_bit_unicode_are_read_with_and_without_a_mark_of_order(encoding):
    assert one(SENTENCE.encode(encoding.value), encoding) == (SENTENCE, CHANGED)
    assert one(("\ufeff" + SENTENCE).encode(encoding.value), encoding) == (SENTENCE, CHANGED)
    assert one(b"abc", encoding) == (None, REFUSED)


def test_bytes_that_are_not_utf_8_are_refused_as_utf_8():
    assert one(b"Nguy\xd4n", Encoding.UTF_8) == (None, REFUSED)
    assert one(SENTENCE.encode(), Encoding.UTF_8) == (SENTENCE, UNCHANGED)


@pytest.mark.parametrize("encoding", TEXTUAL)
def test_ascii_is_the_same_in_every_encoding_and_nothing_stays_nothing(encoding):
    assert one("Nam, 12 Le Loi ?", encoding) == ("Nam, 12 Le Loi ?", UNCHANGED)
    assert one(None, encoding) == (None, EMPTY)
    assert convert(pl.Series([], dtype=pl.String), encoding).values.to_list() == []


@pytest.mark.parametrize("encoding", LEGACY)
def test_text_that_was_typed_in_unicode_already_stays(encoding):
    assert one("Nguyễn Thị Thắm", encoding) == ("Nguyễn Thị Thắm", UNCHANGED)
    assert one("Lê Văn Tưởng", encoding)[1] is UNCHANGED


@pytest.mark.parametrize("text", ["Nguyễn V¨n", "A\xff", "日本 ¨"])
def test_what_an_encoding_cannot_read_and_is_not_vietnamese_is_refused(text):
    assert one(text, Encoding.TCVN3) == (None, REFUSED)


def test_what_is_likelier_as_it_stands_is_ambiguous():
    assert one("Tuân", Encoding.TCVN3) == (None, AMBIGUOUS)  # Tuõn is no word
    assert one("Lê", Encoding.TCVN3) == (None, AMBIGUOUS)  # Lờ is a word nobody is called
    assert one("Trần", Encoding.TCVN3) == ("Trần", UNCHANGED)


def test_a_sign_of_windows_is_a_letter_only_inside_a_word_and_only_where_it_makes_one():
    assert one(as_windows(spell("MỘT – HAI", Encoding.VISCII)), Encoding.VISCII) == ("MỘT – HAI", CHANGED)
    assert one("Ð¡k R’Tíh", Encoding.VISCII) == (None, AMBIGUOUS)
    assert one("“H¶i” – 3…", Encoding.TCVN3) == ("“Hải” – 3…", CHANGED)


def test_what_is_left_of_a_cut_letter_is_not_taken_for_a_word():
    assert one("HÃ", Encoding.MOJIBAKE) == (None, AMBIGUOUS)  # HÃ\xa0 (Hà) that lost its end
    assert one("HÃ\xa0 Ná»™i", Encoding.MOJIBAKE) == ("Hà Nội", CHANGED)
    assert one("XÃ HỘI", Encoding.MOJIBAKE) == ("XÃ HỘI", UNCHANGED)


def test_vni_reads_a_capital_with_the_mark_of_a_small_letter():
    assert one("Aùnh Eâ", Encoding.VNI) == ("Ánh Ê", CHANGED)
    assert one("myï", Encoding.VNI)[0] == "mỵ"


def test_nothing_is_read_where_a_mark_has_no_letter():
    assert decode(pl.Series(["b\xf9"]), Encoding.VNI).to_list() == [None]
    assert decode(pl.Series(["b\xec"]), Encoding.CP1258).to_list() == [None]
    assert LOST in table_of(Encoding.VNI).decode(pl.Series(["b\xf9"]))[0]


def test_byte_characters_are_what_windows_1252_shows_of_a_byte():
    everything = bytes(each for each in range(0x80, 0x100) if each not in (0x81, 0x8D, 0x8F, 0x90, 0x9D))
    shown = pl.Series([everything.decode("cp1252")])
    assert byte_characters(shown)[0] == everything.decode("latin-1")
    assert are_bytes(byte_characters(shown)).all()
    assert are_bytes(pl.Series(["ă", "é"])).to_list() == [False, True]


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("NGUYễN VĂN áNH", "NGUYỄN VĂN ÁNH"),
        ("NGUYễN Hà", "NGUYỄN HÀ"),
        ("Nguyễn Thị ánh", "Nguyễn Thị Ánh"),
        ("ấp Tân Hòa, xã X", "Ấp Tân Hòa, xã X"),
        ("xã Tân ấp", "xã Tân ấp"),
        ("số nhà 5 Lê Lợi", "số nhà 5 Lê Lợi"),
        ("Công ty TNHH Hòa BìNH", "Công ty TNHH Hòa BÌNH"),
        ("UBND xã", "UBND xã"),
        ("Hà", "Hà"),
        ("nguyễn văn ánh", "nguyễn văn ánh"),
    ],
)
def test_capitals_come_back_where_other_letters_ask_for_them(read, meant):
    assert recase(pl.Series([read])).to_list() == [meant]


def test_capitals_depend_on_the_value_alone():
    column = ["NGUYễN VĂN áNH", "Hà", "Nguyễn Thị ánh", None, "Hà"]
    assert recase(pl.Series(column)).to_list() == [
        None if each is None else recase(pl.Series([each]))[0] for each in column
    ]


@pytest.mark.parametrize("text", ["Nguy?n", "Th? Lan", "?ng A", "L? A", "a\ufffdb", "Tr??ng", "NGUY?N V?N A"])
def test_letters_that_became_question_marks_are_reported(text):
    assert lost_letters(pl.Series([text])).to_list() == [True]


@pytest.mark.parametrize("text", ["Có gì không?", "Không? Có", "???", "ổn", "", None, "12?"])
def test_a_question_is_no_lost_letter(text):
    assert lost_letters(pl.Series([text], dtype=pl.String)).to_list() == [False]


def test_lost_letters_are_never_guessed():
    assert one("Nguy?n V¨n", Encoding.TCVN3) == ("Nguy?n Văn", CHANGED)


def test_bytes_come_back_from_escapes():
    raw = b"Nguy\xd4n \\x V\xa8n"
    escaped = pl.Series([raw.decode("utf-8", "backslashreplace"), None, "ô"])
    assert bytes_of_escaped(escaped).to_list() == [raw, None, "ô".encode()]
