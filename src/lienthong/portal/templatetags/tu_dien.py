"""Words of the dictionary for templates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django import template
from django.utils.http import urlencode

from lienthong.portal import dictionary_words, governance_words, words

register = template.Library()


@register.filter
def status_word(value: str) -> words.Word:
    """Return the word for where an item stands in its life."""
    return dictionary_words.STATUS[value]


@register.filter
def trust_word(value: str) -> words.Word:
    """Return the word for how far a source can be trusted."""
    return dictionary_words.TRUST[value]


@register.filter
def sensitivity_word(value: str) -> words.Word:
    """Return the word for how sensitive an element is."""
    return dictionary_words.SENSITIVITY[value]


@register.filter
def level_words(value: str) -> str:
    """Return which dictionary an item belongs to."""
    return dictionary_words.LEVEL[value]


@register.filter
def relation_words(value: str) -> str:
    """Return how a column relates to an element."""
    return dictionary_words.RELATION[value]


@register.filter
def form_words(value: str) -> str:
    """Return how a source writes a value."""
    return dictionary_words.FORM.get(value, value)


@register.filter
def tier_words(value: str) -> str:
    """Return how well a hit fits."""
    return dictionary_words.TIER[value]


@register.filter
def kind_words(value: str) -> str:
    """Return what kind of item something is."""
    return dictionary_words.KIND[value]


@register.filter
def flow_words(value: str) -> str:
    """Return how much of a code went along a line of a conversion."""
    return dictionary_words.FLOW.get(value, value)


@register.filter
def impact_word(value: str) -> words.Word:
    """Return the word for how much a change asks of others."""
    return governance_words.IMPACT_SHORT[value]


@register.filter
def using_words(value: str) -> str:
    """Return what rests on the dictionary."""
    return governance_words.USING[value]


@register.filter
def descriptor_words(value: str | None) -> str:
    """Return what a descriptor is called."""
    return "Cả mục" if value is None else governance_words.DESCRIPTOR.get(value, value)


@register.filter
def in_lines(value: str | None) -> str | None:
    """Return a value of a change as people read it."""
    return governance_words.in_lines(value)


@register.filter
def typed(form: Mapping[str, str], name: str) -> str:
    """Return what was typed into a field of a form that comes back."""
    return form.get(name, "") if form else ""


@register.filter
def iso_day(value: date) -> str:
    """Write a day as addresses and date fields want it."""
    return value.isoformat()


@register.simple_tag
def address_with(asked: dict[str, str], **changes: object) -> str:
    """Write the query part of an address with some parameters changed; empty ones are left out."""
    merged = {**asked, **{name.replace("_", "-"): str(value) for name, value in changes.items()}}
    kept = {name: value for name, value in merged.items() if value}
    return f"?{urlencode(kept)}" if kept else "?"
