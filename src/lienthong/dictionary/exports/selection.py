"""What an export is about: datasets, and the code lists behind their elements."""

from __future__ import annotations

from collections.abc import Iterable

from lienthong.dictionary.exports.refusals import ExportSubjectUnknown
from lienthong.dictionary.model import CodeList, CodeListId, Dataset, DatasetId, Dictionary, ElementId


def chosen_datasets(dictionary: Dictionary, wanted: Iterable[str]) -> tuple[Dataset, ...]:
    """Return the datasets named, in the order given; all when none is named."""
    names = list(dict.fromkeys(wanted)) or list(dictionary.datasets)
    for name in names:
        if name not in dictionary.datasets:
            known = ", ".join(sorted(dictionary.datasets))
            raise ExportSubjectUnknown(kind="dataset", wanted=name, known=known)
    return tuple(dictionary.datasets[DatasetId(name)] for name in names)


def chosen_lists(dictionary: Dictionary, wanted: Iterable[str]) -> tuple[CodeList, ...]:
    """Return the code lists named, and those of the datasets named; all when nothing is named."""
    names: dict[CodeListId, None] = {}
    for name in wanted:
        if name in dictionary.code_lists:
            names[CodeListId(name)] = None
        elif name in dictionary.datasets:
            names |= dict.fromkeys(lists_of(dictionary, [dictionary.datasets[DatasetId(name)]]))
        else:
            known = ", ".join([*sorted(dictionary.code_lists), *sorted(dictionary.datasets)])
            raise ExportSubjectUnknown(kind="code list or dataset", wanted=name, known=known)
    return tuple(dictionary.code_lists[name] for name in names or dictionary.code_lists)


def elements_of(datasets: Iterable[Dataset]) -> tuple[ElementId, ...]:
    """Return the elements of some datasets, each once, in order."""
    return tuple(dict.fromkeys(member.element for dataset in datasets for member in dataset.members))


def lists_of(dictionary: Dictionary, datasets: Iterable[Dataset]) -> tuple[CodeListId, ...]:
    """Return the code lists of some datasets with the lists of their parents, parents first."""
    found: dict[CodeListId, None] = {}
    for element in elements_of(datasets):
        code_list = dictionary.code_list_of(element)
        chain: list[CodeListId] = []
        while code_list is not None and CodeListId(code_list.identity.id) not in chain:
            chain.append(CodeListId(code_list.identity.id))
            code_list = None if code_list.parent_list is None else dictionary.code_lists[code_list.parent_list]
        found |= dict.fromkeys(reversed(chain))
    return tuple(found)
