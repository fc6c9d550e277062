"""Who was let in nowhere: one line in the log and one more in a figure. Ids only: no login, address or word that was written."""

from __future__ import annotations

from prometheus_client import Counter

from sms_gateway import logs

from .counting import registry

log = logs.get("refusals")
_refused = Counter(
    "hotline_refusals", "Sign-ins, keys and acts that were refused, by reason", ("why",), registry=registry
)


def note(why: str, **ids: int | str | None) -> None:
    """`why`: a word of ours (it is a label of a figure). `ids`: of the operator where known, of the act."""
    log.warning("refused", why=why, **ids)
    _refused.labels(why).inc()
