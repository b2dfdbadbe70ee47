"""Several codes in one cell (nhiều mã trong một ô).

Rule: "4661:Bán buôn nhiên liệu rắn, lỏng,5022:Vận tải…" gives 4661, 5022: an element begins with digits and a
colon, so commas inside names do not split. "4661;5022" and "4661, 5022" are lists too; a text with commas but
without codes is one element. Every element is looked up as ``code`` does; order is kept, repetitions go. One
ambiguous element makes the whole value ambiguous. Unknown elements stay for the rules to report.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean
from lienthong.standardise.code_lookup import CodeLookup
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle

_NAMED = r"^[0-9]+ ?:"
_ELEMENT = r"(?:^|[,;|]) ?[0-9]+ ?:"
_PLAIN_LIST = r"^[0-9A-Za-z.]+(?: ?[,;|] ?[0-9A-Za-z.]+)*$"


def _bind(context: KernelContext) -> BoundKernel:
    lookup = CodeLookup.of(context.code_list)

    def run(source: pl.Series) -> KernelResult:
        cleaned = clean(source)
        elements = _elements(cleaned.text)
        long = elements.explode("elements", empty_as_null=True, keep_nulls=True)
        found = lookup.resolve(long["elements"])
        table = long.with_columns(code=found.codes, ambiguous=found.ambiguous)
        lists = table.group_by("row", maintain_order=True).agg(
            pl.col("code").drop_nulls().unique(maintain_order=True), pl.col("ambiguous").any()
        )
        empty = pl.col("code").list.len() == 0
        values = lists.select(pl.when(~empty).then("code"))["code"]
        return settle(
            source,
            values,
            refused=cleaned.unread(values),  # ";" alone: something was sent and holds no code
            ambiguous=lists["ambiguous"],
            same=values.list.join(";") == source,
        )

    return run


def _elements(text: pl.Series) -> pl.DataFrame:
    cell = pl.col("cell")
    named = cell.str.extract_all(_ELEMENT).list.eval(pl.element().str.strip_chars(",;| :"))
    plain = cell.str.replace_all(",", ";", literal=True)
    listed = pl.when(cell.str.contains(_PLAIN_LIST)).then(plain).otherwise(cell)
    split = (
        listed.str.replace_all("|", ";", literal=True)
        .str.split(";")
        .list.eval(pl.element().str.strip_chars(" "))
        .list.eval(pl.element().filter(pl.element() != ""))
    )
    return (
        pl.DataFrame({"cell": text})
        .select(pl.when(cell.str.contains(_NAMED)).then(named).otherwise(split).alias("elements"))
        .with_row_index("row")
    )


KERNEL = Kernel(
    name="codes",
    version="1.1.0",
    rule=Text(
        vi="Tách các mã trong một ô ('4661:Bán buôn…,5022:Vận tải…' hoặc '4661;5022'), giữ thứ tự, bỏ trùng; "
        "dấu phẩy trong tên không tách; mã lạ giữ nguyên để quy tắc kiểm tra báo.",
        en="The codes of one cell, in order, without repetitions; commas inside names do not split; unknown "
        "codes stay.",
    ),
    sources=(Source(document="lienthong", trust=Trust.OWN, note="form seen in 3,943 enterprise records"),),
    datatypes=frozenset({Datatype.CODES}),
    bind=_bind,
)
