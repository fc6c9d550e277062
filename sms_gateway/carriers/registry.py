"""The carriers this process sends by, made on first use."""

from __future__ import annotations

import random

from sms_gateway.settings import get_settings

from .carrier import Carrier

_made: dict[str, Carrier] = {}


def carrier(name: str) -> Carrier:
    """The carrier called `name`."""
    if name not in _made:
        if name == "twilio":
            from .twilio import TwilioCarrier

            _made[name] = TwilioCarrier.from_settings(get_settings())
        else:
            from .simulator import SimulatorCarrier

            _made[name] = SimulatorCarrier.from_settings(get_settings())
    return _made[name]


def choose() -> str:
    """The name of the carrier for a new text, by the weights of `HOTLINE_CARRIER`."""
    weights = get_settings().carriers
    return random.choices(list(weights), list(weights.values()))[0]


def use(made: Carrier) -> None:
    """Send by `made` wherever its name is asked for: tests, drills and `hotline replay`."""
    _made[made.name] = made


async def close() -> None:
    """Close every carrier of this process and forget it."""
    while _made:
        await _made.popitem()[1].aclose()
