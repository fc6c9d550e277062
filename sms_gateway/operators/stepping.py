"""What stands between a right password (or link) and the console. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .models import Role

NEEDS_SECOND_FACTOR: Mapping[str, bool] = {
    Role.SUPERVISOR: True,
    Role.EDITOR: True,
    Role.OPERATOR: False,
    Role.DEPARTMENT: False,
    Role.QUALITY: False,
    Role.FOLLOWER: False,
}
"""Whose sign-in asks for a code of their phone: who may see everything, and who writes to everybody."""


class Step(StrEnum):
    """What is asked next."""

    CODE = "code"
    ENROL = "enrol"
    """Bind an authenticator app, then its first code."""
    OWN_PASSWORD = "password"  # noqa: S105 - a step's name
    """An own password instead of the one that somebody made."""


@dataclass(frozen=True)
class Knock:
    """A sign-in so far. `proved`: the second factor was passed in it; `strict`: production mode."""

    role: str
    how: str
    enrolled: bool
    must_change: bool
    strict: bool
    proved: bool = False


def next_step(knock: Knock) -> Step | None:
    """What is asked next; None: they are in.

    A link stands for the password, never for the second factor. Only in development does a link open an account that has none
    yet at once (the links `make run` prints); an account that has one is always asked. A role the table does not know needs one.
    """
    if not knock.proved and knock.enrolled:
        return Step.CODE
    needs = NEEDS_SECOND_FACTOR.get(knock.role, True) and not knock.proved
    if needs and (knock.strict or knock.how != "link"):
        return Step.ENROL
    if knock.must_change and knock.how == "password":
        return Step.OWN_PASSWORD
    return None
