"""`python -m bot.predict MODEL`: intents for texts, one JSON object a line in and out; for `hotline predict intent`.

In: `{"text", "e5"}` (`e5`: the text's vector as the front door passes it, or none). Out: `{"intent", "confidence"}`,
the best of the sixteen intents, never the fallback.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

FALLBACK = "nlu_fallback"


def best(parsed: dict[str, Any]) -> dict[str, Any]:
    """The surest intent that is not the fallback."""
    shares = {each["name"]: float(each["confidence"]) for each in parsed.get("intent_ranking", [])}
    shares.pop(FALLBACK, None)
    name = max(shares, key=shares.__getitem__, default="out_of_scope")
    return {"intent": name, "confidence": round(shares.get(name, 0.0), 4)}


async def serve(model: str) -> None:
    """Answer line by line until the input ends."""
    from rasa.core.agent import load_agent

    agent = await load_agent(model_path=model)
    for line in sys.stdin:
        asked = json.loads(line)
        message = await agent.processor.parse_message(_message(asked)) if asked["text"].strip() else {}
        sys.__stdout__.write(json.dumps(best(message), ensure_ascii=False) + "\n")  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]


def _message(asked: dict[str, Any]) -> Any:
    from rasa.core.channels.channel import UserMessage

    metadata = {"e5": asked["e5"]} if asked.get("e5") else None
    return UserMessage(asked["text"], metadata=metadata)


if __name__ == "__main__":
    from bot.__main__ import _FIXED
    from bot.quiet import keep_texts_out

    os.environ.update(_FIXED)
    keep_texts_out()
    sys.stdout = sys.stderr  # Rasa prints; the answers go to the real standard output
    asyncio.run(serve(sys.argv[1]))
