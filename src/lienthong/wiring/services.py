"""Everything the faces need, built from the settings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lienthong.adapters.postgres.access import PostgresAccess
from lienthong.adapters.postgres.centre_reader import PostgresCentreReader
from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.adapters.postgres.officers import PostgresOfficers
from lienthong.adapters.postgres.reconciling import PostgresReconciliationReader
from lienthong.adapters.postgres.sampling import PostgresSampleReader
from lienthong.centre.measuring import MeasurementReader
from lienthong.centre.ports import CentreStore
from lienthong.centre.reading import CentreReader
from lienthong.centre.reconciling import ReconciliationReader
from lienthong.centre.time_travel import CentreHistoryReader
from lienthong.check.engine import Checker
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import RuleSet
from lienthong.clock import Clock, SystemClock
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.dictionary.rule_files import with_local_rules
from lienthong.dictionary.shipped import shipped_folder
from lienthong.exchange.grants import AccessRegister
from lienthong.oversight.officers import OfficerRegister
from lienthong.oversight.plan import Plan, load_plan
from lienthong.oversight.repair_desk import RepairDesk
from lienthong.oversight.repair_looks import LookUpCases
from lienthong.oversight.repair_policy import RepairRules
from lienthong.oversight.sampling import SampleReader
from lienthong.pipeline.link import Link
from lienthong.pipeline.transfer import Transfer, Way
from lienthong.sources.mapping import Mapping as ColumnDecisions
from lienthong.sources.mapping_file import parse_mapping
from lienthong.standardise.plan import build_plan
from lienthong.wiring.opening import open_source
from lienthong.wiring.releases import in_force
from lienthong.wiring.repair_desk import open_look_ups, open_repair_desk, repair_rules
from lienthong.wiring.settings import SettingNotValid, Settings, SourceSettings, password, settings_from_environment

MAPPING_BYTES_MAX = 4_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Knowledge:
    """What is read from files once: the dictionary, the rules derived from it, the mappings, the plan."""

    dictionary: Dictionary
    rule_sets: Mapping[DatasetId, RuleSet]
    mappings: tuple[ColumnDecisions, ...]
    plan: Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """What a face works with."""

    settings: Settings
    dictionary: Dictionary
    rule_sets: Mapping[DatasetId, RuleSet]
    mappings: tuple[ColumnDecisions, ...]
    plan: Plan
    reader: CentreReader
    access: AccessRegister
    clock: Clock
    officers: OfficerRegister | None = None  # None: the portal has no sign-in
    samples: SampleReader | None = None  # None: no samples are kept
    history: CentreHistoryReader | None = None  # None: nobody may ask for the past
    measurements: MeasurementReader | None = None  # None: nothing is measured over records that stand
    look_ups: LookUpCases | None = None  # None: look-ups without a good answer open no case
    repairs: RepairDesk | None = None  # None: the portal shows no repair cases
    repair_rules: RepairRules | None = None
    reconciliations: ReconciliationReader | None = None  # None: sources and centre are not compared


def dictionary_folder(settings: Settings | None = None) -> Path:
    """Return the dictionary the operator named, else the one shipped with the product."""
    if settings is not None and settings.dictionary is not None:
        return settings.dictionary
    return shipped_folder("dictionary")


def read_dictionary(settings: Settings | None = None) -> Dictionary:
    """Return the dictionary to work with: with a key, the newest release and only if the key's owner signed it.

    The operator's own rules come beside its own, to show and not to score.

    Raises:
        DictionaryNotTrusted: there is no such release, or its files are not those that were signed.
        RulesNotValid: the operator's own rules have mistakes.
    """
    folder = dictionary_folder(settings)
    if settings is None:
        return load(folder)
    key = settings.dictionary_key
    dictionary = load(folder) if key is None else in_force(folder, public_key=key)
    return dictionary if settings.local_rules is None else with_local_rules(dictionary, settings.local_rules)


def read_mapping(path: Path, dictionary: Dictionary) -> ColumnDecisions:
    """Read one mapping file."""
    try:
        if path.stat().st_size > MAPPING_BYTES_MAX:
            raise SettingNotValid(key="mappings", path=path, reason=f"larger than {MAPPING_BYTES_MAX} bytes")
        text = path.read_text(encoding="utf-8")
    except OSError as cause:
        raise SettingNotValid(key="mappings", path=path, reason=cause.strerror or "cannot be read") from cause
    except UnicodeDecodeError as cause:
        raise SettingNotValid(key="mappings", path=path, reason="not UTF-8") from cause
    return parse_mapping(text, path=path, dictionary=dictionary)


def read_knowledge(settings: Settings) -> Knowledge:
    """Read dictionary, mappings and plan, and derive the rules."""
    dictionary = read_dictionary(settings)
    mappings: list[ColumnDecisions] = []
    for link in settings.sources:
        for path in link.mappings:
            mapping = read_mapping(path, dictionary)
            if mapping.source != link.name:
                raise SettingNotValid(
                    key="mappings", path=path, reason=f"is a mapping of source {mapping.source}, not of {link.name}"
                )
            mappings.append(mapping)
    return Knowledge(
        dictionary=dictionary,
        rule_sets={name: derive_rules(dictionary, dataset) for name, dataset in dictionary.datasets.items()},
        mappings=tuple(mappings),
        plan=load_plan(shipped_folder("dictionary") / "plan" / "nq214.yaml"),
    )


def build_services(settings: Settings) -> Services:
    """Build what a face works with; connections open when first used."""
    knowledge = read_knowledge(settings)
    rules = repair_rules(settings)
    reader = PostgresCentreReader(
        settings.centre_reader.url, knowledge.dictionary, password=password(settings.centre_reader)
    )
    return Services(
        settings=settings,
        dictionary=knowledge.dictionary,
        rule_sets=knowledge.rule_sets,
        mappings=knowledge.mappings,
        plan=knowledge.plan,
        reader=reader,
        history=reader.history(),
        measurements=reader.measuring(),
        access=PostgresAccess(settings.centre_access.url, password=password(settings.centre_access)),
        clock=SystemClock(),
        officers=_officers(settings),
        samples=PostgresSampleReader(settings.centre_reader.url, password=password(settings.centre_reader)),
        look_ups=open_look_ups(settings, knowledge.mappings, rules=rules),
        # Cases name people's work: they are shown to those who signed in, in the role that knows them.
        repairs=None
        if settings.sign_in is None
        else open_repair_desk(settings, database=settings.sign_in.role, rules=rules),
        repair_rules=rules,
        reconciliations=PostgresReconciliationReader(
            settings.centre_reader.url, password=password(settings.centre_reader)
        ),
    )


def _officers(settings: Settings) -> OfficerRegister | None:
    sign_in = settings.sign_in
    if sign_in is None:
        return None
    return PostgresOfficers(
        sign_in.role.url,
        password=password(sign_in.role),
        session_max=sign_in.session_max,
        session_idle_max=sign_in.session_idle_max,
    )


def from_environment() -> Services:
    """Build the services from the settings file named by ``LIENTHONG_CONFIG``."""
    return build_services(settings_from_environment())


def open_store(settings: Settings, knowledge: Knowledge) -> CentreStore:
    """Open the centre for writing, its tables made ready."""
    store = PostgresCentreStore(settings.centre.url, password=password(settings.centre))
    store.prepare(knowledge.dictionary, knowledge.rule_sets)
    return store


def plan_digest(knowledge: Knowledge, mappings: Sequence[ColumnDecisions]) -> str:
    """Return the fingerprint of everything that decides what a source row becomes at the centre."""
    parts = [knowledge.dictionary.digest]
    for mapping in sorted(mappings, key=lambda each: str(each.table)):
        parts += [mapping.digest, knowledge.rule_sets[mapping.dataset].digest]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def open_link(settings: Settings, knowledge: Knowledge, link: SourceSettings) -> Link:
    """Open one link: its source, its own connection to the centre, and the way between them."""
    mappings = tuple(each for each in knowledge.mappings if each.source == link.name)
    store = open_store(settings, knowledge)
    ways = {
        mapping.table: Way(
            mapping=mapping,
            dataset=knowledge.dictionary.datasets[mapping.dataset],
            plan=build_plan(knowledge.dictionary, knowledge.dictionary.datasets[mapping.dataset], mapping),
            checker=Checker(knowledge.dictionary, knowledge.rule_sets[mapping.dataset]),
        )
        for mapping in mappings
    }
    source = open_source(
        name=link.name,
        url=link.url,
        password=password(link),
        publication=link.publication,
        slot=link.slot,
        mappings=mappings,
    )
    return Link(
        source=source,
        store=store,
        transfer=Transfer(ways=ways, store=store, dictionary_version=knowledge.dictionary.version),
        clock=SystemClock(),
        plan_digest=plan_digest(knowledge, mappings),
    )
