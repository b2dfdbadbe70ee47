"""Look up one record for an agency: who, may they, what, note it, and only then answer."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta, timezone

from lienthong.centre.reading import LookupOutcome
from lienthong.dictionary.json_schema import json_schema
from lienthong.dictionary.model import Dataset, DatasetId, Dictionary
from lienthong.exchange.grants import Grant, GrantMissing, identify, is_in_force, permitted
from lienthong.exchange.lookup import answer, records_shown
from lienthong.gateway.refusals import DatasetNotKnown, RecordKeyNotValid, RecordKeyTooLong
from lienthong.gateway.services import Caller, GatewayServices

KEY_CHARACTERS_MAX = 200
KEY_SEPARATOR = ","
REFUSED = "refused"  # in the journal, beside the outcomes of a look-up
VIETNAM = timezone(timedelta(hours=7))  # the day of grants and codes
REPLACEMENT = "\ufffd"  # stands where the bytes of a path were no UTF-8

STATUS_OF = {
    LookupOutcome.FOUND: 200,
    LookupOutcome.INCOMPLETE: 200,
    LookupOutcome.NOT_FOUND: 404,
    LookupOutcome.DISPUTED: 409,
    LookupOutcome.CANCELLED: 410,
}
Answer = tuple[int, dict[str, object]]


def today(services: GatewayServices) -> date:
    """Return the day in Vietnam."""
    return services.clock.now().astimezone(VIETNAM).date()


def names_of(dictionary: Dictionary, dataset: Dataset) -> list[str]:
    """Return the technical names of a dataset in its order."""
    return [dictionary.elements[member.element].technical_name for member in dataset.members]


def dataset_named(dictionary: Dictionary, name: str) -> Dataset:
    """Return a dataset.

    Raises:
        DatasetNotKnown: there is none of this name.
    """
    dataset = dictionary.datasets.get(DatasetId(name))
    if dataset is None:
        raise DatasetNotKnown(known=", ".join(sorted(dictionary.datasets)))
    return dataset


def key_parts(text: str, dataset: Dataset) -> list[str]:
    """Return the parts of a business key as they stand in a path.

    Raises:
        RecordKeyTooLong: longer than ``KEY_CHARACTERS_MAX``.
        RecordKeyNotValid: another number of parts than the dataset's key has, or signs no key has.
    """
    if len(text) > KEY_CHARACTERS_MAX:
        raise RecordKeyTooLong(limit=KEY_CHARACTERS_MAX)
    # The centre keeps composed text, whatever the keyboard of the caller makes.
    parts = [unicodedata.normalize("NFC", part).strip() for part in text.split(KEY_SEPARATOR)]
    wanted = len(dataset.key)
    if len(parts) != wanted or any(not part or not part.isprintable() or REPLACEMENT in part for part in parts):
        raise RecordKeyNotValid(dataset=dataset.identity.id, parts=wanted)
    return parts


def granted(services: GatewayServices, caller: Caller, *, dataset: str) -> tuple[Grant, Dataset]:
    """Return the grant a look is made under; an attempt without one is noted.

    Raises:
        KeyRefused, DatasetNotKnown, GrantMissing: the caller may not look.
    """
    agency = identify(services.access, caller.key)
    wanted = dataset_named(services.dictionary, dataset)
    name = DatasetId(wanted.identity.id)
    try:
        grant = permitted(services.access, agency=agency, dataset=name, on=today(services), purpose=caller.purpose)
    except GrantMissing:
        services.access.note(agency=agency, dataset=name, purpose="", outcome=REFUSED, records=0)
        raise
    return grant, wanted


def look(services: GatewayServices, caller: Caller, *, dataset: str, key: str) -> Answer:
    """Answer for one record; the look stands in the journal before this returns.

    Raises:
        LienthongError: the key, the grant or the question is refused, or a store does not answer.
    """
    grant, wanted = granted(services, caller, dataset=dataset)
    result = services.reader.lookup(grant.dataset, key_parts(key, wanted))
    document = answer(result, grant, elements=names_of(services.dictionary, wanted))
    services.access.note(
        agency=grant.agency,
        dataset=grant.dataset,
        purpose=grant.purpose,
        outcome=result.outcome.value,
        records=records_shown(result),
    )
    return STATUS_OF[result.outcome], document


def list_datasets(services: GatewayServices, caller: Caller) -> Answer:
    """Answer with all datasets and what of each the caller is granted today."""
    agency = identify(services.access, caller.key)
    on = today(services)
    return 200, {
        "agency": agency,
        "datasets": [
            {
                "dataset": name,
                "label": dataset.label.vi,
                "definition": dataset.definition.vi,
                "version": dataset.identity.version,
                "key": [services.dictionary.elements[element].technical_name for element in dataset.key],
                "grants": [
                    {
                        "purpose": grant.purpose,
                        "legal_basis": grant.legal_basis,
                        "elements": [
                            element for element in names_of(services.dictionary, dataset) if element in grant.elements
                        ],
                        "valid_from": grant.valid_from.isoformat(),
                        "valid_to": grant.valid_to.isoformat(),
                    }
                    for grant in services.access.grants(agency, name)
                    if is_in_force(grant, on=on)
                ],
            }
            for name, dataset in sorted(services.dictionary.datasets.items())
        ],
    }


def schema(services: GatewayServices, caller: Caller, *, dataset: str, on: date | None) -> Answer:
    """Answer with the JSON Schema of a dataset on a day."""
    identify(services.access, caller.key)
    wanted = dataset_named(services.dictionary, dataset)
    return 200, json_schema(services.dictionary, DatasetId(wanted.identity.id), on=on or today(services))
