"""Write a grant down only when every word of it means something."""

from __future__ import annotations

import re

from lienthong.dictionary.model import Dictionary
from lienthong.exchange.grants import Grant
from lienthong.exchange.refusals import GrantNotValid

AGENCY_SHAPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
REASON_CHARACTERS_MAX = 500
GRANT_DAYS_MAX = 3_660


def element_names(dictionary: Dictionary, grant: Grant) -> tuple[str, ...]:
    """Return the technical names of the granted dataset, in its order.

    Raises:
        GrantNotValid: there is no such dataset.
    """
    dataset = dictionary.datasets.get(grant.dataset)
    if dataset is None:
        known = ", ".join(sorted(dictionary.datasets))
        raise GrantNotValid(
            dataset=repr(str(grant.dataset)[:60]), reason=f"there is no such dataset; known are {known}"
        )
    return tuple(dictionary.elements[member.element].technical_name for member in dataset.members)


def check_grant(grant: Grant, dictionary: Dictionary) -> None:
    """Refuse a grant with words nobody can check or a period that is none.

    Raises:
        GrantNotValid: says which part.
    """
    unknown = sorted(grant.elements - set(element_names(dictionary, grant)))
    reason = None
    if not AGENCY_SHAPE.fullmatch(grant.agency):
        reason = "an agency is named by up to 63 ASCII letters, digits, '.', '_' and '-'"
    elif unknown:
        reason = f"the dataset has no element {unknown[0][:60]!r}"
    elif not grant.elements:
        reason = "it names no elements"
    elif not _is_sentence(grant.purpose):
        reason = f"the purpose must be a text of 1 to {REASON_CHARACTERS_MAX} characters on one line"
    elif not _is_sentence(grant.legal_basis):
        reason = f"the legal basis must be a text of 1 to {REASON_CHARACTERS_MAX} characters on one line"
    elif grant.valid_to <= grant.valid_from:
        reason = f"it ends on {grant.valid_to} and begins on {grant.valid_from}"
    elif (grant.valid_to - grant.valid_from).days > GRANT_DAYS_MAX:
        reason = f"it holds for more than {GRANT_DAYS_MAX} days; permissions are renewed, not given for ever"
    if reason is not None:
        raise GrantNotValid(dataset=grant.dataset, reason=reason)


def _is_sentence(text: str) -> bool:
    return bool(text.strip()) and len(text) <= REASON_CHARACTERS_MAX and text.isprintable()
