"""The catalogue of refusals: what was refused, which value, and who can act."""

from __future__ import annotations

import enum
from typing import ClassVar


class Actor(enum.Enum):
    """Who can put it right."""

    OPERATOR = "operator"  # runs the platform                      (đơn vị vận hành)
    AGENCY = "agency"  # owns the source database                   (cơ quan chủ quản dữ liệu)
    STEWARD = "steward"  # keeps the dictionary and the mappings    (cán bộ quản trị dữ liệu)
    CONSUMER = "consumer"  # asks for data                          (cơ quan khai thác)
    DEVELOPER = "developer"  # a fault of the product itself


CATALOGUE: dict[str, type[LienthongError]] = {}


class LienthongError(Exception):
    """Refuse something for a reason outside the code.

    Subclasses give ``code`` (``AAA-000``), ``actor``, ``message`` and ``hint``; both texts are
    templates over the keyword facts and carry no personal data.
    Every code has a page in ``docs/reference/errors/`` and a Vietnamese title there.
    """

    code: ClassVar[str] = ""
    actor: ClassVar[Actor] = Actor.DEVELOPER
    message: ClassVar[str] = ""
    hint: ClassVar[str] = ""
    transient: ClassVar[bool] = False  # the same call may work later without anybody acting

    def __init_subclass__(cls, *, code: str, actor: Actor, **kwargs: object) -> None:
        """Register the class under its code; a code used twice fails at import."""
        super().__init_subclass__(**kwargs)
        assert code not in CATALOGUE, f"error code {code} is used twice"
        cls.code = code
        cls.actor = actor
        CATALOGUE[code] = cls

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.message.format(**facts))

    @property
    def remedy(self) -> str:
        """Return what the actor can do, with the facts filled in."""
        return self.hint.format(**self.facts)

    def as_json(self) -> dict[str, object]:
        """Return the refusal as plain values for ``--json`` and for HTTP."""
        return {
            "code": self.code,
            "message": str(self),
            "hint": self.remedy,
            "actor": self.actor.value,
        }
