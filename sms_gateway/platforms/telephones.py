"""The exchange this process calls by, made on first use."""

from __future__ import annotations

from sms_gateway.settings import get_settings

from .telephone import ExchangeRefused, Telephone

_made: dict[str, Telephone] = {}


def telephone() -> Telephone:
    """The exchange of `HOTLINE_VOICE`. Raises `ExchangeRefused` where there is none."""
    name = get_settings().voice_driver
    if name not in _made:
        if name == "twilio":
            from .twilio_voice import TwilioVoice

            _made[name] = TwilioVoice.from_settings(get_settings())
        elif name == "simulator":
            from .make_believe_telephone import MakeBelieveTelephone

            _made[name] = MakeBelieveTelephone.from_settings(get_settings())
        else:
            raise ExchangeRefused("not_configured")
    return _made[name]


def use(made: Telephone) -> None:
    """Call by `made` wherever its name is set: tests and drills."""
    _made[made.name] = made


async def close() -> None:
    """Close the exchange of this process and forget it."""
    while _made:
        await _made.popitem()[1].aclose()
