"""One spelling in bytes for every item, so that a hash says whether it changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import orjson

from lienthong.dictionary.model import CodeList, Dataset, Dictionary, Element, ValueDomain

Item = Element | ValueDomain | CodeList | Dataset

_BOXES: Final = frozenset({dict, list})


def plain(item: object) -> Any:
    """Return an item as JSON values; what is absent, empty or false is left out.

    Leaving out keeps the hashes of old items when the metamodel gains a field.
    """
    return _pruned(orjson.loads(orjson.dumps(item)))


def _pruned(value: Any) -> Any:
    if type(value) is list:
        return [_pruned(inside) if type(inside) in _BOXES else inside for inside in value]
    if type(value) is not dict:
        return value
    kept = {}
    for key, inside in value.items():
        if inside is None or inside is False:
            continue
        if type(inside) in _BOXES:
            if inside:
                kept[key] = _pruned(inside)
        else:
            kept[key] = inside
    return kept


def canonical_json(item: object) -> bytes:
    """Return JSON with sorted keys, no blanks, UTF-8: the bytes that are hashed."""
    return orjson.dumps(plain(item), option=orjson.OPT_SORT_KEYS)


def item_hash(item: Item) -> str:
    """Return the SHA-256 of an item, hex."""
    return hashlib.sha256(canonical_json(item)).hexdigest()


def items(dictionary: Dictionary) -> Iterable[tuple[str, Item]]:
    """Yield every item with its kind."""
    for code_list in dictionary.code_lists.values():
        yield "code-list", code_list
    for domain in dictionary.domains.values():
        yield "value-domain", domain
    for element in dictionary.elements.values():
        yield "data-element", element
    for dataset in dictionary.datasets.values():
        yield "dataset", dataset


def digest(pairs: Iterable[tuple[str, Item]]) -> str:
    """Return the SHA-256 over (kind, id, version, hash) of all items, in order of kind and id."""
    lines = sorted(
        f"{kind}\t{item.identity.id}\t{item.identity.version}\t{item_hash(item)}\n" for kind, item in pairs
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()
