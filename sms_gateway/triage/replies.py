"""Which fixed safe reply answers a red text (PRACTICE section 4): one table, chosen by type, writer and immediacy."""

from __future__ import annotations

from .judgement import Harm, Immediacy, Writer

_BY_TYPE = {
    Harm.VIOLENCE: "red.violence",
    Harm.SEXUAL: "red.abuse",
    Harm.SELF_HARM: "red.suicide",
    Harm.MISSING: "red.missing",
    Harm.CONFINED: "red.confined",
    Harm.ALONE: "red.alone",
    Harm.FIRE: "red.fire",
    Harm.MEDICAL: "red.medical",
    Harm.TRAFFIC: "red.traffic",
    Harm.DROWNING: "red.drowning",
    Harm.OTHER: "red.other",
}
_BY_WRITER = {
    (Harm.VIOLENCE, Writer.BYSTANDER): "red.violence.witness",
    (Harm.SEXUAL, Writer.BYSTANDER): "red.violence.witness",
    (Harm.CONFINED, Writer.BYSTANDER): "red.violence.witness",
    (Harm.SELF_HARM, Writer.BYSTANDER): "red.suicide.friend",
    (Harm.SELF_HARM, Writer.PARENT): "red.suicide.friend",
    (Harm.SELF_HARM, Writer.PROFESSIONAL): "red.suicide.friend",
    (Harm.MISSING, Writer.CHILD): "red.taken",
    (Harm.ALONE, Writer.BYSTANDER): "red.foundling",
    (Harm.ALONE, Writer.PARENT): "red.foundling",
    (Harm.ALONE, Writer.PROFESSIONAL): "red.foundling",
    (Harm.VIOLENCE, Writer.PROFESSIONAL): "must.report",
    (Harm.SEXUAL, Writer.PROFESSIONAL): "must.report",
    (Harm.CONFINED, Writer.PROFESSIONAL): "must.report",
    (Harm.OTHER, Writer.PROFESSIONAL): "must.report",
}
_ABROAD = frozenset((Harm.MISSING, Harm.CONFINED, Harm.OTHER, Harm.VIOLENCE))
KEYS = frozenset((*_BY_TYPE.values(), *_BY_WRITER.values(), "red.abuse.recent", "red.nobreath", "red.disaster",
                  "red.english", "parent.rage", "overseas"))  # fmt: skip


def reply_key(
    harm: Harm,
    *,
    writer: Writer,
    immediacy: Immediacy,
    services: tuple[str, ...] = (),
    english: bool = False,
    abroad: bool = False,
    raging: bool = False,
    not_breathing: bool = False,
    for_another: bool = False,
) -> str:
    """The wording key of the first safe reply to a red text of type `harm` (`Harm.NONE` is answered as other danger).

    `raging`: a parent who writes that they cannot stop. `abroad`: the person in danger is outside the country.
    `for_another`: whoever writes is afraid for somebody else, also when a child writes.
    """
    recent = immediacy is Immediacy.RECENT and writer is not Writer.PROFESSIONAL
    another = for_another or (harm, writer) in _BY_WRITER
    before_the_table = (
        (english, "red.english"),
        (abroad and harm in _ABROAD, "overseas"),
        (raging, "parent.rage"),
        (not_breathing and harm in (Harm.MEDICAL, Harm.DROWNING, Harm.OTHER), "red.nobreath"),
        (harm is Harm.OTHER and "119" in services, "red.disaster"),
        (harm is Harm.SEXUAL and recent, "red.abuse.recent"),
        (harm is Harm.SELF_HARM and another and "120" in services, "red.medical"),
        (harm is Harm.SELF_HARM and another, "red.suicide.friend"),
    )
    special = next((key for holds, key in before_the_table if holds), None)
    return special or _BY_WRITER.get((harm, writer)) or _BY_TYPE.get(harm, "red.other")


def services_for(harm: Harm, *, hurt: bool, disaster: bool) -> tuple[str, ...]:
    """Emergency numbers of a red text, most urgent first (DESIGN section 7)."""
    if harm is Harm.FIRE:
        first: tuple[str, ...] = ("119",)
    elif harm is Harm.DROWNING:
        first = ("119", "120")
    elif harm is Harm.MEDICAL:
        first = ("120",)
    elif harm is Harm.TRAFFIC:
        first = ("122",)
    elif harm is Harm.OTHER and disaster:
        first = ("119",)
    else:
        first = ("110",)
    return (*first, "120") if hurt and "120" not in first else first
