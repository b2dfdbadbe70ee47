"""What the dictionary refuses, and the list of problems a folder of it has."""

from __future__ import annotations

from dataclasses import dataclass

from lienthong.dictionary.remedies import remedy
from lienthong.errors import Actor, LienthongError


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Problem:
    """One thing wrong in the files of the dictionary (lỗi của tệp từ điển)."""

    file: str  # relative to the dictionary's folder
    line: int  # from 1
    rule: str  # short name of the rule that was broken: "unknown-key"
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.text}"

    @property
    def remedy(self) -> str:
        """Return how to correct it."""
        return remedy(self.rule)


class DictionaryNotValid(LienthongError, code="DIC-001", actor=Actor.STEWARD):
    """The folder is there, but its content breaks rules; the fact ``problems`` holds all of them."""

    message = "dictionary {folder} has {count} problem(s); first: {first}"
    hint = "{fix}; see them all: lienthong dictionary check --folder {folder}"

    @classmethod
    def of(cls, folder: object, found: tuple[Problem, ...]) -> DictionaryNotValid:
        """Return the refusal of a folder with its problems."""
        first = found[0]
        return cls(folder=folder, count=len(found), first=str(first), fix=first.remedy, problems=found)


class DictionaryNotFound(LienthongError, code="DIC-002", actor=Actor.OPERATOR):
    """There is no dictionary in the folder."""

    message = "there is no dictionary in {folder}: {missing} is missing"
    hint = "give the folder that holds release.yaml, elements, domains, codelists and datasets"


class ElementUnknown(LienthongError, code="DIC-003", actor=Actor.STEWARD):
    """No element has this code, technical name or label."""

    message = "the dictionary has no element {wanted}"
    hint = "{suggestion}; all of them: lienthong dictionary list"


class DatasetUnknown(LienthongError, code="DIC-004", actor=Actor.STEWARD):
    """No dataset has this id."""

    message = "the dictionary has no dataset {wanted}"
    hint = "the datasets are: {known}"


class ShippedDataMissing(LienthongError, code="DIC-005", actor=Actor.DEVELOPER):
    """The installed package lacks a folder of data it should carry."""

    message = "the data folder {name} is missing from this installation"
    hint = "install Liên Thông again; looked in {looked}"


class ElementAmbiguous(LienthongError, code="DIC-006", actor=Actor.STEWARD):
    """A name stands for several elements; none is picked silently."""

    message = "{wanted} may mean several elements: {candidates}"
    hint = "give the code of the one you mean"
