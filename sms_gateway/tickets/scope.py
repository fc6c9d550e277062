"""Which tickets lie in a region: the desk of a prefecture or county sees its own only. One rule for lists and single reads."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, true

from sms_gateway.regions import get_region

from .models import Ticket

_PREFIX = {"province": 2, "prefecture": 4, "county": 6}


def lies_in(place: str, region: str | None) -> bool:
    """Whether a place (adcode of any level) lies in `region`; None is everywhere. False for a code that is no region."""
    return region is None or place.startswith(_prefix(region))


def in_region(region: str | None) -> ColumnElement[bool]:
    """`lies_in` over `Ticket.place`, as a range that the plain index on it serves."""
    if region is None:
        return true()
    prefix = _prefix(region)
    if len(prefix) == len(region):
        return Ticket.place == region
    return and_(Ticket.place >= prefix.ljust(6, "0"), Ticket.place < str(int(prefix) + 1).ljust(6, "0"))


def _prefix(region: str) -> str:
    """The digits every place in it begins with. Raises `RegionNotFound`."""
    return region[: _PREFIX[get_region(region).level]]
