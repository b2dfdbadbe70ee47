"""Plain text: what cannot be seen goes, what can be read stays.

Rule: Unicode NFC; no-break and other spaces, tabs and line ends become one space; zero-width characters, BOM and
direction marks go; spaces at both ends go; Ð, Ɖ, ð, ɖ become Đ, đ. Control characters are refused: they show that
the value was cut or read in the wrong encoding. The place of the tone mark is kept (official names use both styles)
unless the value domain decides for one; placeholders ("-", "không có") and lost letters ("Nguy?n") are kept: rules
report them, nobody guesses.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle
from lienthong.standardise.tone_marks import styled


def _bind(context: KernelContext) -> BoundKernel:
    return styled(_run, context.domain.tone_style)


def _run(source: pl.Series) -> KernelResult:
    cleaned = clean(source)
    return settle(source, cleaned.text, refused=cleaned.refused)


KERNEL = Kernel(
    name="text",
    version="1.0.0",
    rule=Text(
        vi="Đưa về Unicode NFC, bỏ ký tự ẩn, gộp và cắt khoảng trắng, sửa chữ Ð/Ɖ nhầm thành Đ; không đổi vị trí dấu "
        "thanh; từ chối giá trị có ký tự điều khiển.",
        en="NFC, invisible characters removed, white space collapsed and trimmed, look-alikes of Đ repaired; "
        "tone marks stay where they are; control characters are refused.",
    ),
    sources=(
        Source(document="Unicode Standard Annex 15", trust=Trust.OFFICIAL, note="normalisation form C"),
        Source(document="lienthong", trust=Trust.OWN, note="measured on 3,943 enterprise records"),
    ),
    datatypes=frozenset({Datatype.TEXT}),
    bind=_bind,
)
