"""What an exchange is to do when one of our calls is picked up, in TwiML, made by Twilio's own builder only."""

from __future__ import annotations

from twilio.twiml.voice_response import Conference, Dial, Gather, Say, VoiceResponse

LANGUAGE = "zh-CN"
KEY_WITHIN_SECONDS = 6


def conference(*, said: str, name: str, recorded: bool) -> bytes:
    """Say something, then join the conference. Nobody's leaving ends it for those who stay; nobody hears a beep."""
    dial = Dial()
    dial.append(
        Conference(
            name, beep="false", start_conference_on_enter=True, end_conference_on_exit=False,
            record="record-from-start" if recorded else "do-not-record",
        )
    )  # fmt: skip
    return _written(Say(said, language=LANGUAGE), dial)


def notice(*, said: str, times: int) -> bytes:
    """Say something that often, then hang up."""
    return _written(Say(said, language=LANGUAGE, loop=times))


def question(*, said: str, times: int, key_address: str) -> bytes:
    """Say something that often and wait for one key, which is told at `key_address`."""
    gather = Gather(input="dtmf", num_digits=1, timeout=KEY_WITHIN_SECONDS, action=key_address, method="POST")
    gather.append(Say(said, language=LANGUAGE, loop=times))
    return _written(gather)


def nothing() -> bytes:
    """Hang up."""
    response = VoiceResponse()
    response.hangup()
    return str(response).encode()


def _written(*parts: object) -> bytes:
    response = VoiceResponse()
    for part in parts:
        response.append(part)
    return str(response).encode()
