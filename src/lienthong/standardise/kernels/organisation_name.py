"""Names of organisations: as plain text, case kept.

Rule: the rule of ``text``. The case stays, since names are registered in capitals, in mixed case and with
foreign words, and no rule tells "FPT" from "Hoa". Tone marks stay where they are: of the names of real
enterprises with such a syllable, about two in five have the new place and three in five the old one.
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
    name="organisation-name",
    version="1.0.0",
    rule=Text(
        vi="Như văn bản thường; giữ nguyên chữ hoa, chữ thường và vị trí dấu thanh của tên tổ chức.",
        en="As plain text; the case and the place of tone marks are kept.",
    ),
    sources=(
        Source(
            document="lienthong",
            trust=Trust.OWN,
            note="333 names with new and 465 with old tone-mark style among 3,943 enterprises",
        ),
    ),
    datatypes=frozenset({Datatype.TEXT}),
    bind=_bind,
)
