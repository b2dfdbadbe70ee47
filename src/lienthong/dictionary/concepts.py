"""What an element says of what: object and property, apart from how values are written (khái niệm, TCVN 7789).

A data element is a concept and a value domain. Elements of one concept say the same thing and write it differently;
elements of one object say other things of the same thing.
"""

from __future__ import annotations

import re
from typing import Final

from lienthong.dictionary.model import Dictionary, Element, ElementId

_WORDS: Final = r"[a-z0-9]+(?:[-_][a-z0-9]+)*"
CONCEPT: Final = re.compile(rf"{_WORDS}\.{_WORDS}")


def object_of(element: Element) -> str:
    """Return the object class of an element's concept (lớp đối tượng): ``con-nguoi`` of ``con-nguoi.ho-ten``."""
    return element.concept.partition(".")[0]


def same_concept(dictionary: Dictionary, name: ElementId) -> tuple[Element, ...]:
    """Return the other elements of the same concept, in the order of the dictionary (cùng khái niệm)."""
    concept = dictionary.elements[name].concept
    return tuple(one for key, one in dictionary.elements.items() if key != name and one.concept == concept)


def same_object(dictionary: Dictionary, name: ElementId) -> tuple[Element, ...]:
    """Return the elements that say something else of the same object (cùng lớp đối tượng)."""
    asked = dictionary.elements[name]
    thing = object_of(asked)
    return tuple(
        one for one in dictionary.elements.values() if object_of(one) == thing and one.concept != asked.concept
    )
