"""What the dictionary's pages prepare once per process: the search index, code lists by day, released versions."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from lienthong.dictionary.model import CodeListId, Dictionary
from lienthong.dictionary.search import SearchIndex
from lienthong.oversight.dictionary_codes import CodeBook
from lienthong.portal.services import PortalServices, services
from lienthong.wiring.dictionary_shelf import Shelf, earlier_dictionaries, read_shelf
from lienthong.wiring.services import dictionary_folder

NO_SHELF: Final = Shelf(status=None, releases=())


class Desk:
    """Everything prepared for one dictionary; safe for several threads."""

    def __init__(self, dictionary: Dictionary, folder: Path | None, key: Path | None = None) -> None:
        self.dictionary = dictionary
        self.folder = folder
        self.key = key  # public key that signatures of releases are checked with
        self._lock = threading.Lock()
        self._index: SearchIndex | None = None
        self._books: dict[CodeListId, CodeBook] = {}
        self._earlier: tuple[tuple[str, ...], tuple[Dictionary, ...]] = ((), ())

    @property
    def index(self) -> SearchIndex:
        """Return the search index, made at the first question."""
        with self._lock:
            if self._index is None:
                self._index = SearchIndex.of(self.dictionary)
            return self._index

    def book(self, list_id: str) -> CodeBook | None:
        """Return a code list made ready for days, or None when there is no such list."""
        name = CodeListId(list_id)
        if name not in self.dictionary.code_lists:
            return None
        with self._lock:
            if name not in self._books:
                self._books[name] = CodeBook(self.dictionary, name)
            return self._books[name]

    def shelf(self) -> Shelf:
        """Return what was released, as the folder holds it now."""
        return NO_SHELF if self.folder is None else read_shelf(self.folder, public_key=self.key)

    def earlier(self) -> tuple[Dictionary, ...]:
        """Return the released dictionaries that differ from the current one, oldest first; read once per release."""
        if self.folder is None:
            return ()
        names = tuple(one.name for one in self.shelf().releases)
        with self._lock:
            if self._earlier[0] != names:
                self._earlier = names, earlier_dictionaries(self.folder, self.dictionary)
            return self._earlier[1]


class _Kept:
    desk: Desk | None = None


def desk() -> Desk:
    """Return the desk of the services in force."""
    given = services()
    kept = _Kept.desk
    if kept is None or kept.dictionary is not given.dictionary or kept.folder != _folder(given):
        key = getattr(getattr(given, "settings", None), "dictionary_key", None)
        kept = _Kept.desk = Desk(given.dictionary, _folder(given), key)
    return kept


def _folder(given: PortalServices) -> Path | None:
    """Return where the dictionary was read from; stand-ins have no settings and no folder."""
    settings = getattr(given, "settings", None)
    return None if settings is None else dictionary_folder(settings)
