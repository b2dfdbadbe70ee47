"""How one source table becomes one dataset: built once from dictionary and mapping, run on every batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass

import polars as pl

from lienthong.dictionary.model import Dataset, Datatype, Dictionary, ElementId, ValueDomain
from lienthong.errors import Actor, LienthongError
from lienthong.sources.mapping import ColumnMapping, Mapping
from lienthong.standardise.batch import Outcome
from lienthong.standardise.cleaning import put
from lienthong.standardise.encodings.binding import DECLARABLE, decoding, version_of
from lienthong.standardise.kernel import BoundKernel, KernelContext, over_distinct
from lienthong.standardise.numerals import DIGITS_MAX
from lienthong.standardise.registry import all_kernels
from lienthong.standardise.tone_marks import KEEP
from lienthong.standardise.tone_marks import VERSION as TONE_VERSION

VALUE_BYTES_MAX = 1_048_576  # of one value at the source; longer ones are refused before any kernel sees them

_TYPES: MappingOf[Datatype, pl.DataType] = {
    Datatype.TEXT: pl.String(),
    Datatype.CODE: pl.String(),
    Datatype.CODES: pl.List(pl.String()),
    Datatype.INTEGER: pl.Int64(),
    Datatype.DATE: pl.Date(),
    Datatype.PARTIAL_DATE: pl.String(),
    Datatype.BOOLEAN: pl.Boolean(),
    Datatype.TIMESTAMP: pl.Datetime("us", "UTC"),
}

# One value spread over a column costs a tenth of an expression, which small batches feel.
_NONE_OVERSIZED = pl.Series("oversized", [[]], dtype=pl.List(pl.String))
_EMPTY = pl.Series([Outcome.EMPTY.value], dtype=pl.UInt8)


class FormUnknown(LienthongError, code="STD-001", actor=Actor.STEWARD):
    """The mapping says a source writes a column in a form the kernel does not know."""

    message = "mapping of {source}, column {column}: the standardiser {kernel} knows no form {form!r}"
    hint = "write one of: {known}; or leave the form out"


class KernelUnknown(LienthongError, code="STD-002", actor=Actor.STEWARD):
    """A value domain names a standardiser that is not there, or one of another type."""

    message = "value domain {domain} ({datatype}) cannot use the standardiser {kernel!r}"
    hint = "name a standardiser for {datatype}: {known}"


class ElementMappedTwice(LienthongError, code="STD-003", actor=Actor.STEWARD):
    """Two columns of one table feed the same element."""

    message = "mapping of {source}: element {element} is fed by several columns: {columns}"
    hint = "keep one column and give the others the relation none, with a reason"


class ElementOutsideDataset(LienthongError, code="STD-004", actor=Actor.STEWARD):
    """A column feeds an element that the dataset does not have."""

    message = "mapping of {source}, column {column}: dataset {dataset} has no element {element}"
    hint = "see the elements of the dataset: lienthong dictionary show {dataset}"


class ColumnMissing(LienthongError, code="STD-005", actor=Actor.AGENCY):
    """A mapped column did not arrive with the rows."""

    message = "table {table} of {source} came without the mapped columns: {columns}"
    hint = "compare table and mapping: lienthong source validate"


class ScaleUnknown(LienthongError, code="STD-006", actor=Actor.STEWARD):
    """A value domain of decimals does not say how many digits follow the point, or more than there are."""

    message = "value domain {domain} is decimal with precision {precision} and scale {scale}: they do not fit"
    hint = "give the domain a precision up to 38 and a scale up to the precision"


class EncodingUnknown(LienthongError, code="STD-010", actor=Actor.STEWARD):
    """The mapping says a column is in an encoding nobody here reads."""

    message = "mapping of {source}, column {column}: there is no encoding {encoding!r}"
    hint = "write one of: {known}; or leave the encoding out for Unicode"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standardised:
    """What became of a batch of source rows.

    ``values`` and ``outcomes`` have one column per member of the dataset, in its order. ``oversized`` names, per
    row, the source columns with a value over ``VALUE_BYTES_MAX``; columns mapped to no element count too, since the
    raw image would hold them.
    """

    values: pl.DataFrame
    outcomes: pl.DataFrame
    oversized: pl.Series


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """How one column of the dataset is made; without a source column it is empty."""

    name: str  # technical name of the element
    dtype: pl.DataType
    column: str | None
    kernel: BoundKernel | None
    version: str | None  # "person-name@1.0.0", "tcvn3@1.0.0 person-name@1.0.0"


@dataclass(frozen=True, kw_only=True, slots=True)
class StandardiserPlan:
    """All steps of one source table (kế hoạch chuẩn hoá)."""

    dataset: Dataset
    mapping: Mapping
    steps: tuple[Step, ...]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Return name and type of every value column."""
        return {step.name: step.dtype for step in self.steps}

    @property
    def versions(self) -> dict[str, str]:
        """Return which kernel in which version makes each column that is fed."""
        return {step.name: step.version for step in self.steps if step.version is not None}

    def run(self, rows: pl.DataFrame) -> Standardised:
        """Standardise rows whose source columns are text."""
        wanted = [mapped.column for mapped in self.mapping.columns]
        missing = [step.column for step in self.steps if step.column is not None and step.column not in rows.columns]
        if missing:
            table = f"{self.mapping.table.schema}.{self.mapping.table.table}"
            raise ColumnMissing(table=table, source=self.mapping.source, columns=", ".join(missing))
        present = [column for column in wanted if column in rows.columns]
        too_long = _too_long(rows, present)
        values: dict[str, pl.Series] = {}
        outcomes: dict[str, pl.Series] = {}
        for step in self.steps:
            value, outcome = _run_step(step, rows, too_long)
            values[step.name] = value
            outcomes[step.name] = outcome
        return Standardised(
            values=pl.DataFrame(values), outcomes=pl.DataFrame(outcomes), oversized=_oversized(rows, too_long)
        )


def build_plan(dictionary: Dictionary, dataset: Dataset, mapping: Mapping) -> StandardiserPlan:
    """Bind the kernels of a dataset to the columns of a source table.

    Raises:
        FormUnknown: the mapping names a form the kernel does not know.
        EncodingUnknown: the mapping names an encoding nobody reads.
        KernelUnknown: a value domain names no kernel of its datatype.
        ElementMappedTwice: two columns feed one element.
        ElementOutsideDataset: a column feeds an element the dataset does not have.
        ScaleUnknown: precision and scale of a decimal domain do not fit.
    """
    feeding = [column for column in mapping.columns if column.element is not None]
    members = {member.element for member in dataset.members}
    for column in feeding:
        if column.element not in members:
            raise ElementOutsideDataset(
                source=mapping.source, column=column.column, dataset=dataset.identity.id, element=column.element
            )
    times = Counter(column.element for column in feeding)
    for element, number in times.items():
        if number > 1:
            columns = ", ".join(column.column for column in feeding if column.element == element)
            raise ElementMappedTwice(source=mapping.source, element=element, columns=columns)
    fed = {column.element: column for column in feeding}
    steps = tuple(
        _step(dictionary, member.element, fed.get(member.element), source=str(mapping.source))
        for member in dataset.members
    )
    return StandardiserPlan(dataset=dataset, mapping=mapping, steps=steps)


def schema_of(dictionary: Dictionary, dataset: Dataset) -> dict[str, pl.DataType]:
    """Return name and type of every value column of a dataset, from the dictionary alone."""
    return {
        dictionary.elements[member.element].technical_name: dtype_of(dictionary.domain_of(member.element))
        for member in dataset.members
    }


def dtype_of(domain: ValueDomain) -> pl.DataType:
    """Return the column type of a value domain."""
    if domain.datatype is not Datatype.DECIMAL:
        return _TYPES[domain.datatype]
    precision = DIGITS_MAX if domain.precision is None else domain.precision
    if domain.scale is None or not 0 <= domain.scale <= precision <= DIGITS_MAX:
        raise ScaleUnknown(domain=domain.identity.id, precision=domain.precision, scale=domain.scale)
    return pl.Decimal(DIGITS_MAX, domain.scale)


def _step(dictionary: Dictionary, element: ElementId, column: ColumnMapping | None, *, source: str) -> Step:
    domain = dictionary.domain_of(element)
    kernel = all_kernels().get(domain.standardiser)
    if kernel is None or domain.datatype not in kernel.datatypes:
        fitting = sorted(name for name, known in all_kernels().items() if domain.datatype in known.datatypes)
        raise KernelUnknown(
            domain=domain.identity.id,
            datatype=domain.datatype.value,
            kernel=domain.standardiser,
            known=", ".join(fitting),
        )
    name = dictionary.elements[element].technical_name
    dtype = dtype_of(domain)
    if column is None:
        return Step(name=name, dtype=dtype, column=None, kernel=None, version=None)
    if column.form is not None and column.form not in kernel.forms:
        known = ", ".join(sorted(kernel.forms)) or "none"
        raise FormUnknown(source=source, column=column.column, kernel=kernel.name, form=column.form, known=known)
    context = KernelContext(domain=domain, code_list=dictionary.code_list_of(element), form=column.form)
    version = f"{kernel.name}@{kernel.version}"
    if domain.tone_style not in (None, KEEP):
        version += f" tone-{domain.tone_style}@{TONE_VERSION}"
    bound = kernel.bind(context)
    if column.encoding is not None:
        if column.encoding not in DECLARABLE:
            known = ", ".join(DECLARABLE)
            raise EncodingUnknown(source=source, column=column.column, encoding=column.encoding, known=known)
        version = f"{version_of(column.encoding)} {version}"
        bound = decoding(bound, column.encoding)
    return Step(name=name, dtype=dtype, column=column.column, kernel=bound, version=version)


def _run_step(step: Step, rows: pl.DataFrame, too_long: MappingOf[str, pl.Series]) -> tuple[pl.Series, pl.Series]:
    if step.column is None or step.kernel is None:
        nothing = pl.Series([None], dtype=step.dtype).new_from_index(0, rows.height)
        return nothing, _EMPTY.new_from_index(0, rows.height)
    source = rows[step.column]
    over = too_long.get(step.column)
    if over is None:
        result = over_distinct(source, step.kernel)
        outcomes = result.outcomes
    else:
        within = rows.select(pl.when(~over).then(pl.col(step.column))).to_series()
        result = over_distinct(within, step.kernel)
        refusal = pl.repeat(Outcome.REFUSED.value, int(over.sum()), dtype=pl.UInt8, eager=True)
        outcomes = put(result.outcomes, over, refusal)
    assert result.values.dtype == step.dtype, f"{step.version} gave {result.values.dtype} for {step.dtype}"
    return result.values, outcomes


def _too_long(rows: pl.DataFrame, columns: list[str]) -> dict[str, pl.Series]:
    """Return, for the columns that have any, which rows are over the limit."""
    if rows.height == 0 or not columns:
        return {}
    longest = rows.select(pl.col(columns).str.len_bytes().max()).row(0)
    over = [name for name, size in zip(columns, longest, strict=True) if size is not None and size > VALUE_BYTES_MAX]
    return {name: (rows[name].str.len_bytes() > VALUE_BYTES_MAX).fill_null(value=False) for name in over}


def _oversized(rows: pl.DataFrame, too_long: MappingOf[str, pl.Series]) -> pl.Series:
    if not too_long:
        return _NONE_OVERSIZED.new_from_index(0, rows.height)
    names = [pl.when(pl.col(name)).then(pl.lit(name)) for name in too_long]
    return pl.DataFrame(dict(too_long)).select(pl.concat_list(names).list.drop_nulls().alias("oversized")).to_series()
