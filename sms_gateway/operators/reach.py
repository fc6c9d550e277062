"""Whose matters an account may see: one unit's (`edu@530627`), one region's of the hotline (`12345@530600`), or all. Pure."""

from __future__ import annotations

import re

from sms_gateway import regions
from sms_gateway.errors import BadInput

from .models import Role

HOTLINE = "12345"
"""Stands where a department's code stands, for the desk of one region."""
PROVINCE = "530000"
_DESK = re.compile(rf"{HOTLINE}@([0-9]{{6}})", re.ASCII)
_UNIT = re.compile(r"[a-z]{2,12}@[0-9]{6}", re.ASCII)


class UnitIsMissing(BadInput):
    sentence = "承办单位的账号要写是哪个单位，例如 --unit edu@530627。"


class UnitIsNoRegion(BadInput):
    sentence = "值班员、值班长只能写负责的地区，例如 --unit 12345@530600；管全省的不用写。"


class EditorHasNoUnit(BadInput):
    sentence = "手册编辑、质检员不属于哪个单位，不用写 --unit。"


class FollowerHasNoCounty(BadInput):
    sentence = "个案跟进人要写负责的县，例如 --unit 12345@530627。"


def region_of(unit: str | None) -> str | None:
    """The adcode a desk account is kept to; None for the whole province."""
    found = _DESK.fullmatch(unit or "")
    return None if found is None or found.group(1) == PROVINCE else found.group(1)


def check_unit(role: Role, unit: str | None) -> None:
    """Raise unless an account of `role` may work for `unit`: `BadInput` (422), `RegionNotFound` (404).

    Whether a department's unit exists is `departments.units`' to say, which knows this room and is not known here.
    """
    if role is Role.DEPARTMENT:
        if unit is None or not _UNIT.fullmatch(unit):
            raise UnitIsMissing
        return
    if unit is None:
        if role is Role.FOLLOWER:
            raise FollowerHasNoCounty
        return
    if role in (Role.EDITOR, Role.QUALITY):
        raise EditorHasNoUnit
    found = _DESK.fullmatch(unit)
    if found is None:
        raise UnitIsNoRegion
    regions.get_region(found.group(1))
