"""Typed reading of one mapping of a document: every miss becomes a problem with its line."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any, Final, TypeVar

from lienthong.dictionary.documents import Document, Path
from lienthong.dictionary.model import Ref, Source, Text, Trust

E = TypeVar("E", bound=enum.Enum)

_REF: Final = re.compile(r"(?P<id>[^@\s]+)@(?P<version>[0-9]+\.[0-9]+\.[0-9]+)")

_SOURCE: Final = frozenset({"document", "trust", "article", "address", "note"})
_SOURCE_NEEDED: Final = frozenset({"document", "trust"})
_TRUSTS: Final = {one.value: one for one in Trust}
SOURCES_KEPT_MAX: Final = 4_096


@lru_cache(SOURCES_KEPT_MAX)
def _sound_source(pairs: tuple[tuple[str, str], ...]) -> Source | None:
    """Return a source of which nothing is to be said, or None; the same few stand in thousands of files."""
    given = dict(pairs)
    trust = _TRUSTS.get(given.pop("trust", ""))
    if trust is None or "document" not in given or not given.keys() <= _SOURCE:
        return None
    if not all(text and text == text.strip() for text in given.values()):
        return None
    return Source(trust=trust, **given)


class Fields:
    """Read the keys of one mapping.

    After a problem the value returned is only a placeholder: the caller drops the item when the
    document has gained problems.
    """

    def __init__(self, document: Document, value: dict[str, Any], path: Path = ()) -> None:
        self.document = document
        self.value = value
        self.path = path

    def only(self, allowed: frozenset[str], required: frozenset[str]) -> None:
        """Refuse keys that are not allowed and note those that are missing."""
        for key in self.value:
            if key not in allowed:
                self.refuse(key, "unknown-key", f"key {key} is not known here")
        for key in sorted(required):
            if self.value.get(key) is None:
                self.refuse(key, "missing-key", f"key {key} is missing")

    def refuse(self, key: str, rule: str, text: str) -> None:
        """Note a problem at a key."""
        self.document.refuse((*self.path, key), rule, text)

    def _typed(self, key: str, kind: type, name: str) -> Any:
        value = self.value.get(key)
        if value is None:
            return None
        if type(value) is not kind:
            self.refuse(key, "wrong-type", f"{key} must be {name}")
            return None
        return value

    def text(self, key: str) -> str | None:
        """Return a text without blanks around it, or None."""
        value: str | None = self._typed(key, str, "a text")
        if value is not None and (not value or value != value.strip()):
            self.refuse(key, "blank-text", f"{key} is empty or has blanks around it")
        return value

    def needed(self, key: str) -> str:
        """Return a text that must be there; ``only`` has noted its absence."""
        return self.text(key) or ""

    def integer(self, key: str) -> int | None:
        """Return a whole number of at least 0, or None."""
        value: int | None = self._typed(key, int, "a whole number")
        if value is not None and value < 0:
            self.refuse(key, "negative", f"{key} must not be negative")
        return value

    def truth(self, key: str) -> bool:
        """Return true or false; false when absent."""
        return bool(self._typed(key, bool, "true or false"))

    def day(self, key: str) -> date | None:
        """Return a day, or None."""
        value: date | None = self._typed(key, date, "a day (YYYY-MM-DD, without quotes)")
        return value

    def choice(self, key: str, kind: type[E]) -> E:
        """Return a member of an enumeration by its value."""
        value = self.text(key)
        try:
            return kind(value)
        except ValueError:
            pass  # told below, with the line
        if value is not None:
            known = ", ".join(str(member.value) for member in kind)
            self.refuse(key, "unknown-value", f"{key} must be one of: {known}")
        return next(iter(kind))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts without repetition."""
        values: list[Any] = self._typed(key, list, "a list of texts") or []
        if not all(type(item) is str and item and item == item.strip() for item in values):
            self.refuse(key, "wrong-type", f"{key} must be a list of texts without blanks around them")
            return ()
        if len(set(values)) != len(values):
            self.refuse(key, "duplicate-value", f"{key} names something twice")
        return tuple(values)

    def pairs(self, key: str) -> dict[str, str]:
        """Return a mapping of texts to texts."""
        values: dict[str, Any] = self._typed(key, dict, "a mapping of texts") or {}
        for name, item in values.items():
            if type(item) is not str:
                self.document.refuse((*self.path, key, name), "wrong-type", f"{key}.{name} must be a text")
        return values

    def mapping(self, key: str) -> Fields | None:
        """Return the fields of a mapping under a key, or None."""
        value = self._typed(key, dict, "a mapping")
        return None if value is None else Fields(self.document, value, (*self.path, key))

    def mappings(self, key: str) -> Iterator[Fields]:
        """Yield the fields of each mapping in a list."""
        for number, item in enumerate(self._typed(key, list, "a list of mappings") or ()):
            if type(item) is dict:
                yield Fields(self.document, item, (*self.path, key, number))
            else:
                self.document.refuse((*self.path, key, number), "wrong-type", f"{key} must be a list of mappings")

    def translated(self, key: str) -> Text | None:
        """Return a text in Vietnamese and perhaps English."""
        inside = self.mapping(key)
        if inside is None:
            return None
        inside.only(frozenset({"vi", "en"}), frozenset({"vi"}))
        return Text(vi=inside.needed("vi"), en=inside.text("en"))

    def named(self, key: str) -> Text:
        """Return a translated text that must be there."""
        return self.translated(key) or Text(vi="")

    def ref(self, key: str) -> Ref | None:
        """Return a reference ``id@version``."""
        value = self.text(key)
        if value is None:
            return None
        match = _REF.fullmatch(value)
        if match is None:
            self.refuse(key, "reference-without-version", f"{key} must be written id@1.0.0")
            return None
        return Ref(id=match["id"], version=match["version"])

    def source(self) -> Source:
        """Return this mapping itself as a source."""
        if all(type(value) is str for value in self.value.values()):
            sound = _sound_source(tuple(self.value.items()))
            if sound is not None:
                return sound
        self.only(_SOURCE, _SOURCE_NEEDED)
        return Source(
            document=self.needed("document"),
            trust=self.choice("trust", Trust),
            article=self.text("article"),
            address=self.text("address"),
            note=self.text("note"),
        )

    def sources(self, key: str = "sources") -> tuple[Source, ...]:
        """Return a list of sources."""
        return tuple(inside.source() for inside in self.mappings(key))
