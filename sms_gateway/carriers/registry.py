"""The carriers this process sends by, made on first use."""

from __future__ import annotations

import time

from sms_gateway.settings import DOMESTIC_CARRIERS, get_settings

from .carrier import Carrier, SendError
from .sharing import Sharing

_made: dict[str, Carrier] = {}
_sharing = Sharing()


def carrier(name: str) -> Carrier:
    """The carrier called `name`."""
    if name not in _made:
        if name == "twilio":
            from .twilio import TwilioCarrier

            _made[name] = TwilioCarrier.from_settings(get_settings())
        elif name in DOMESTIC_CARRIERS:
            from .cmpp.carrier import CmppCarrier

            _made[name] = CmppCarrier.from_settings(get_settings(), name)
        else:
            from .simulator import SimulatorCarrier

            _made[name] = SimulatorCarrier.from_settings(get_settings())
    return _made[name]


def choose() -> str:
    """The name of the carrier for a new text: by the weights of `HOTLINE_CARRIER`, past one that keeps failing."""
    return _sharing.choose(get_settings().carriers, at=time.monotonic())


def standing_in(name: str) -> str:
    """The carrier for a text that has not left yet and was to go by `name`: another while that one keeps failing."""
    return _sharing.standing_in(name, get_settings().carriers, at=time.monotonic())


def note(name: str, error: SendError | None) -> None:
    """What handing a text to `name` gave, so that a carrier that keeps failing is passed by."""
    _sharing.note(name, error, at=time.monotonic())


def other_than(name: str) -> str | None:
    """Another carrier that is well, for a text that could not leave by `name`; None where there is none."""
    now = time.monotonic()
    others = {other: weight for other, weight in get_settings().carriers.items() if other != name}
    well = {other: weight for other, weight in others.items() if _sharing.is_well(other, at=now)}
    return _sharing.choose(well, at=now) if well else None


def use(made: Carrier) -> None:
    """Send by `made` wherever its name is asked for: tests, drills and `hotline replay`."""
    _made[made.name] = made


async def close() -> None:
    """Close every carrier of this process and forget it."""
    while _made:
        await _made.popitem()[1].aclose()
    _sharing.forget()
