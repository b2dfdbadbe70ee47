"""The entries texts are matched with, prepared once: every phrase that names one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lienthong.dictionary.model import CodeList
from lienthong.standardise.references.spelling import without_fillers, words

Phrase = tuple[str, ...]

OWN_NAME: Final = 1.0
ALIAS: Final = 0.95
SHORT: Final = 0.85
MINISTRY: Final = "bo"  # "Bộ Công an, Tư pháp": said once for several


@dataclass(frozen=True, kw_only=True, slots=True)
class Registry:
    """Names of the entries of a code list (sổ tên cơ quan, cơ sở dữ liệu).

    ``phrases`` holds, without fillers, every wording of an entry and which entries it may name: usually one.
    ``trust`` says how sure a wording is: a name of the list itself, or an alias.
    """

    id: str
    labels: Mapping[str, str]  # entry → its name
    phrases: Mapping[Phrase, frozenset[str]]
    trust: Mapping[Phrase, float]
    vocabulary: frozenset[str]  # every word of a phrase
    runs: Mapping[str, Phrase]  # words of a phrase written without a space, where they can be told apart again

    @classmethod
    def of(cls, code_list: CodeList) -> Registry:
        """Gather codes, labels and aliases of a code list; a wording of two entries names both: neither is picked."""
        named: defaultdict[Phrase, set[str]] = defaultdict(set)
        trust: dict[Phrase, float] = {}
        labels = {code.code: code.label.vi for code in code_list.codes}
        own = [(text, code.code) for code in code_list.codes for text in (code.label.vi, code.code)]
        for spellings, sure in ((own, OWN_NAME), (code_list.aliases, ALIAS)):
            for spelling, code in spellings:
                phrase = without_fillers(words(spelling))
                named[phrase].add(code)
                trust.setdefault(phrase, sure)
        named.pop((), None)
        for phrase in [each for each in named if each[0] == MINISTRY and len(each) > 1 and trust[each] == OWN_NAME]:
            named[phrase[1:]] |= named[phrase]
            trust.setdefault(phrase[1:], SHORT)
        return cls(
            id=code_list.identity.id,
            labels=labels,
            phrases={phrase: frozenset(codes) for phrase, codes in named.items()},
            trust=trust,
            vocabulary=frozenset(word for phrase in named for word in phrase),
            runs=_runs(named),
        )

    @property
    def longest(self) -> int:
        """Return the number of words of the longest phrase."""
        return max((len(phrase) for phrase in self.phrases), default=0)


def _runs(phrases: Iterable[Phrase]) -> dict[str, Phrase]:
    found: defaultdict[str, set[Phrase]] = defaultdict(set)
    for phrase in phrases:
        for begin in range(len(phrase)):
            for end in range(begin + 2, len(phrase) + 1):
                found["".join(phrase[begin:end])].add(phrase[begin:end])
    return {run: next(iter(parts)) for run, parts in found.items() if len(parts) == 1}
