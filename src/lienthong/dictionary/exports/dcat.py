"""The datasets as a catalogue of DCAT-AP 3 (danh mục dữ liệu)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lienthong.dictionary.exports.addresses import Addresses, escaped
from lienthong.dictionary.exports.selection import elements_of
from lienthong.dictionary.exports.turtle import address, header, subject, translated, words
from lienthong.dictionary.model import Dataset, Dictionary, Sensitivity

_EU: Final = "http://publications.europa.eu/resource/authority/"
VIETNAMESE: Final = f"{_EU}language/VIE"
RESTRICTED: Final = f"{_EU}access-right/RESTRICTED"  # under a grant
NON_PUBLIC: Final = f"{_EU}access-right/NON_PUBLIC"  # for privacy
JSON: Final = "http://www.iana.org/assignments/media-types/application/json"
JSON_SCHEMA: Final = "https://json-schema.org/draft/2020-12/schema"
_PERSONAL: Final = frozenset({Sensitivity.BASIC_PERSONAL, Sensitivity.SENSITIVE_PERSONAL})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Places:
    """Addresses of what datasets point to."""

    agent: str
    service: str
    domains: str
    addresses: Addresses


def dcat_turtle(dictionary: Dictionary, datasets: Sequence[Dataset], *, publisher: str, addresses: Addresses) -> str:
    """Return the catalogue of some datasets as Turtle.

    The data itself is reached through the gateway, under a grant; the catalogue promises nothing more.

    Vietnamese: danh mục dữ liệu dạng DCAT-AP.
    """
    base = addresses.base
    catalogue, agent = f"{base}id/catalogue", f"{base}id/publisher"
    service, domains = f"{base}id/data-service/gateway", f"{base}id/core-domains"
    places = _Places(agent=agent, service=service, domains=domains, addresses=addresses)
    parts = [
        header("dcat", "dct", "foaf", "owl", "rdfs", "skos"),
        subject(
            address(catalogue),
            [
                ("a", ["dcat:Catalog"]),
                ("dct:title", translated("Danh mục dữ liệu dùng chung", "Catalogue of shared data")),
                (
                    "dct:description",
                    translated(
                        f"Các bộ dữ liệu của từ điển dữ liệu dùng chung, phiên bản {dictionary.version}",
                        f"The datasets of the Common Data Dictionary, version {dictionary.version}",
                    ),
                ),
                ("dct:publisher", [address(agent)]),
                ("dct:language", [address(VIETNAMESE)]),
                ("dct:identifier", [words(dictionary.digest)]),
                ("owl:versionInfo", [words(dictionary.version)]),
                ("dcat:themeTaxonomy", [address(domains)]),
                ("dcat:dataset", [address(addresses.item(one)) for one in datasets]),
                ("dcat:service", [address(service)]),
            ],
        ),
        subject(address(agent), [("a", ["foaf:Agent"]), ("foaf:name", [words(publisher, "vi")])]),
        subject(
            address(service),
            [
                ("a", ["dcat:DataService"]),
                ("dct:title", translated("Cổng API dữ liệu", "Data gateway")),
                ("dcat:endpointURL", [address(addresses.gateway)]),
                ("dcat:endpointDescription", [address(addresses.contract)]),
                ("dcat:servesDataset", [address(addresses.item(one)) for one in datasets]),
                ("dct:accessRights", [address(RESTRICTED)]),
                ("dct:publisher", [address(agent)]),
            ],
        ),
        *_themes(datasets, domains),
        *_types(datasets, addresses),
    ]
    for dataset in datasets:
        parts += _dataset(dictionary, dataset, places)
    return "".join(parts)


def _themes(datasets: Sequence[Dataset], domains: str) -> Iterator[str]:
    """Yield the core domains that are used, as the themes they are."""
    title = translated("Miền dữ liệu cốt lõi", "Core data domains")
    yield subject(address(domains), [("a", ["skos:ConceptScheme"]), ("dct:title", title)])
    for domain in dict.fromkeys(dataset.domain for dataset in datasets):
        yield subject(
            address(f"{domains}/{escaped(domain)}"),
            [
                ("a", ["skos:Concept"]),
                ("skos:inScheme", [address(domains)]),
                ("skos:prefLabel", [words(domain, "vi")]),
            ],
        )


def _types(datasets: Sequence[Dataset], addresses: Addresses) -> Iterator[str]:
    """Yield what kind of thing each outside address is; nothing is fetched to find out."""
    yield subject(address(VIETNAMESE), [("a", ["dct:LinguisticSystem"])])
    yield subject(address(RESTRICTED), [("a", ["dct:RightsStatement"])])
    yield subject(address(NON_PUBLIC), [("a", ["dct:RightsStatement"])])
    yield subject(address(JSON), [("a", ["dct:MediaType"])])
    # Everything is a resource; the official shapes ask that it be said.
    for name in (addresses.gateway, addresses.contract, *(addresses.records(one) for one in datasets)):
        yield subject(address(name), [("a", ["rdfs:Resource"])])
    for dataset in datasets:
        yield subject(
            address(addresses.json_schema(dataset)),
            [
                ("a", ["dct:Standard"]),
                ("dct:title", [words(f"Lược đồ JSON: {dataset.label.vi}", "vi")]),
                ("dct:conformsTo", [address(JSON_SCHEMA)]),
            ],
        )


def _dataset(dictionary: Dictionary, dataset: Dataset, places: _Places) -> Iterator[str]:
    addresses = places.addresses
    name = addresses.item(dataset)
    distribution = f"{name}/json"
    elements = [dictionary.elements[one] for one in elements_of([dataset])]
    rights = NON_PUBLIC if any(one.sensitivity in _PERSONAL for one in elements) else RESTRICTED
    identity = dataset.identity
    yield subject(
        address(name),
        [
            ("a", ["dcat:Dataset"]),
            ("dct:title", translated(dataset.label.vi, dataset.label.en)),
            ("dct:description", translated(dataset.definition.vi, dataset.definition.en)),
            ("dct:identifier", [words(identity.id)]),
            ("dcat:version", [words(identity.version)]),
            ("dcat:theme", [address(f"{places.domains}/{escaped(dataset.domain)}")]),
            ("dcat:keyword", [words(one.label.vi, "vi") for one in elements]),
            ("dct:language", [address(VIETNAMESE)]),
            ("dct:accessRights", [address(rights)]),
            ("dct:publisher", [address(places.agent)]),
            ("dct:conformsTo", [address(addresses.json_schema(dataset))]),
            ("dcat:distribution", [address(distribution)]),
        ],
    )
    yield subject(
        address(distribution),
        [
            ("a", ["dcat:Distribution"]),
            ("dct:title", translated(f"{dataset.label.vi}: bản ghi JSON", None)),
            ("dcat:accessURL", [address(addresses.records(dataset))]),
            ("dcat:accessService", [address(places.service)]),
            ("dcat:mediaType", [address(JSON)]),
            ("dct:conformsTo", [address(addresses.json_schema(dataset))]),
        ],
    )
