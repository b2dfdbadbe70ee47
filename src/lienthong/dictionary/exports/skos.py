"""Code lists as concept schemes of SKOS, each code with the days it is in force (danh mục mã)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from lienthong.dictionary.exports.addresses import Addresses
from lienthong.dictionary.exports.turtle import address, day, header, subject, translated, typed, words
from lienthong.dictionary.model import Code, CodeList, Dictionary

_DAY: Final = timedelta(days=1)

Periods = Mapping[str, Sequence[Code]]  # by code, oldest first


def skos_turtle(dictionary: Dictionary, code_lists: Sequence[CodeList], *, addresses: Addresses) -> str:
    """Return code lists as Turtle.

    A concept is what a code means for one period: 00004 was one commune until 30 June 2025 and is another since.

    Vietnamese: danh mục mã dạng SKOS.
    """
    parts = [header("dct", "owl", "schema", "skos", "xsd")]
    for code_list in code_lists:
        parts += _scheme(dictionary, code_list, addresses)
    return "".join(parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scheme:
    """A list with what is looked up for each of its codes."""

    code_list: CodeList
    periods: Periods
    parent_list: CodeList | None
    parents: Periods
    spellings: Mapping[str, Sequence[str]]
    addresses: Addresses


def _scheme(dictionary: Dictionary, code_list: CodeList, addresses: Addresses) -> Iterator[str]:
    periods = _periods(code_list)
    parent_list = None if code_list.parent_list is None else dictionary.code_lists[code_list.parent_list]
    spellings: dict[str, list[str]] = defaultdict(list)
    for spelling, name in code_list.aliases:
        spellings[name].append(spelling)
    yield subject(
        address(addresses.scheme(code_list)),
        [
            ("a", ["skos:ConceptScheme"]),
            ("dct:title", translated(code_list.label.vi, code_list.label.en)),
            ("dct:identifier", [words(code_list.identity.id)]),
            ("owl:versionInfo", [words(code_list.identity.version)]),
            ("dct:source", [words(source.document) for source in code_list.sources]),
        ],
    )
    scheme = _Scheme(
        code_list=code_list,
        periods=periods,
        parent_list=parent_list,
        parents={} if parent_list is None else _periods(parent_list),
        spellings=spellings,
        addresses=addresses,
    )
    for code in code_list.codes:
        yield _concept(scheme, code)


def _concept(scheme: _Scheme, code: Code) -> str:
    code_list, addresses = scheme.code_list, scheme.addresses
    name = address(addresses.scheme(code_list))
    labels = {code.label.vi, code.label.en}
    above: list[str] = []
    if scheme.parent_list is not None and code.parent is not None:
        within = [one for one in scheme.parents.get(code.parent, ()) if _meet(one, code)]
        above = [address(_address(addresses, scheme.parent_list, one)) for one in within]
    is_own = scheme.parent_list is code_list
    spellings = dict.fromkeys(scheme.spellings.get(code.code, ()))
    return subject(
        address(_address(addresses, code_list, code)),
        [
            ("a", ["skos:Concept"]),
            ("skos:inScheme", [name]),
            ("skos:topConceptOf", [] if is_own and above else [name]),
            ("skos:notation", [typed(code.code, name)]),
            ("skos:prefLabel", translated(code.label.vi, code.label.en)),
            ("skos:hiddenLabel", [words(one) for one in spellings if one not in labels]),
            # Between two schemes the standard asks for a mapping relation.
            ("skos:broader" if is_own else "skos:broadMatch", above),
            ("schema:validFrom", [] if code.valid_from is None else [day(code.valid_from)]),
            # schema.org names the last day; our periods end before valid_to.
            ("schema:validThrough", [] if code.valid_to is None else [day(code.valid_to - _DAY)]),
            (
                "dct:isReplacedBy",
                [address(one) for one in _successors(code_list, code, scheme.periods, addresses)],
            ),
            ("dct:source", [] if code.source is None else [words(code.source)]),
        ],
    )


def _address(addresses: Addresses, code_list: CodeList, code: Code) -> str:
    return addresses.code(code_list, code.code, code.valid_from)


def _periods(code_list: CodeList) -> Periods:
    found: dict[str, list[Code]] = defaultdict(list)
    for code in code_list.codes:
        found[code.code].append(code)
    return {name: sorted(some, key=lambda one: one.valid_from or date.min) for name, some in found.items()}


def _meet(one: Code, other: Code) -> bool:
    """Say whether two codes are in force on a common day."""
    start = max(one.valid_from or date.min, other.valid_from or date.min)
    return start < min(one.valid_to or date.max, other.valid_to or date.max)


def _successors(code_list: CodeList, code: Code, periods: Periods, addresses: Addresses) -> Iterator[str]:
    """Yield what takes the place of a code: each successor as it reads on the day the code ends."""
    ends = code.valid_to
    for name in dict.fromkeys(code.replaced_by):
        following = [
            one for one in periods.get(name, ()) if ends is None or one.valid_to is None or ends < one.valid_to
        ]
        following = [one for one in following if one is not code]
        if following:
            yield _address(addresses, code_list, following[0])
