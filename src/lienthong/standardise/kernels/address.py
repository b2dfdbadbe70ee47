"""Addresses: as plain text, with commas set alike; nothing is parsed and nothing is renamed.

Rule: the rule of ``text``; no space before a comma, one space after it. A comma between two digits stays as it is
("Lô 1,2"): it may be a list or a number. Old and new administrative units are not converted here.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean, put
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle
from lienthong.standardise.tone_marks import styled

_UNTIDY = r" ,|,[^ 0-9,]|[^0-9],[0-9]"


def _bind(context: KernelContext) -> BoundKernel:
    return styled(_run, context.domain.tone_style)


def _run(source: pl.Series) -> KernelResult:
    cleaned = clean(source)
    untidy = cleaned.text.str.contains(_UNTIDY)
    text = put(cleaned.text, untidy, _tidy(cleaned.text.filter(untidy))) if untidy.any() else cleaned.text
    return settle(source, text, refused=cleaned.refused)


def _tidy(text: pl.Series) -> pl.Series:
    return (
        text.str.replace_all(" ,", ",", literal=True)
        .str.replace_all(r",([^ 0-9,])", ", $1")
        .str.replace_all(r"([^0-9]),([0-9])", "$1, $2")
    )


KERNEL = Kernel(
    name="address",
    version="1.0.0",
    rule=Text(
        vi="Như văn bản thường; trước dấu phẩy không có khoảng trắng, sau dấu phẩy có một khoảng trắng (trừ "
        "giữa hai chữ số); không tách và không đổi tên đơn vị hành chính.",
        en="As plain text; no space before a comma and one after it, except between digits; units are not renamed.",
    ),
    sources=(Source(document="lienthong", trust=Trust.OWN),),
    datatypes=frozenset({Datatype.TEXT}),
    bind=_bind,
)
