"""What belongs together: a person's talks, tickets and calls, the children they are about, and whoever else told of those.

One recursive query over the links the rooms keep. Whatever way a link was made, it is followed both ways: what is held
on one side is held on the other.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_EDGES = {
    "contact": (
        ("thread", "SELECT id FROM threads WHERE contact_id = node.id"),
        ("ticket", "SELECT id FROM tickets WHERE contact_id = node.id"),
        ("ticket", "SELECT ticket_id FROM follow_ups WHERE contact_id = node.id"),
        ("ticket", "SELECT ticket_id FROM inquiries WHERE contact_id = node.id"),
        ("call", "SELECT escalation_id FROM look_backs WHERE contact_id = node.id"),
    ),
    "thread": (
        ("contact", "SELECT contact_id FROM threads WHERE id = node.id"),
        ("ticket", "SELECT id FROM tickets WHERE thread_id = node.id"),
        ("ticket", "SELECT ticket_id FROM ticket_links WHERE kind = 'thread' AND ref = node.id"),
        ("ticket", "SELECT ticket_id FROM desk_matters WHERE thread_id = node.id"),
        ("ticket", "SELECT ticket_id FROM bridge_calls WHERE thread_id = node.id AND ticket_id IS NOT NULL"),
        ("call", "SELECT id FROM escalations WHERE thread_id = node.id"),
    ),
    "call": (
        ("thread", "SELECT thread_id FROM escalations WHERE id = node.id"),
        ("contact", "SELECT contact_id FROM look_backs WHERE escalation_id = node.id"),
        ("ticket", "SELECT ticket_id FROM ticket_links WHERE kind = 'escalation' AND ref = node.id"),
    ),
    "ticket": (
        ("contact", "SELECT contact_id FROM tickets WHERE id = node.id"),
        ("thread", "SELECT thread_id FROM tickets WHERE id = node.id"),
        ("ticket", "SELECT merged_into FROM tickets WHERE id = node.id AND merged_into IS NOT NULL"),
        ("ticket", "SELECT id FROM tickets WHERE merged_into = node.id"),
        ("child", "SELECT child_id FROM ticket_children WHERE ticket_id = node.id"),
        ("thread", "SELECT ref FROM ticket_links WHERE ticket_id = node.id AND kind = 'thread'"),
        ("call", "SELECT ref FROM ticket_links WHERE ticket_id = node.id AND kind = 'escalation'"),
        (
            "thread",
            """SELECT thread_id FROM bridge_calls
            WHERE id IN (SELECT ref FROM ticket_links WHERE ticket_id = node.id AND kind = 'bridge')""",
        ),
        ("contact", "SELECT contact_id FROM follow_ups WHERE ticket_id = node.id AND contact_id IS NOT NULL"),
        ("contact", "SELECT contact_id FROM inquiries WHERE ticket_id = node.id"),
    ),
    "child": (
        ("ticket", "SELECT ticket_id FROM ticket_children WHERE child_id = node.id"),
        ("child", "SELECT merged_into FROM children WHERE id = node.id AND merged_into IS NOT NULL"),
        ("child", "SELECT id FROM children WHERE merged_into = node.id"),
    ),
}
"""From what, to what, by which rows."""


def _query() -> str:
    parts = [
        f"SELECT '{to}', found.id FROM ({query}) AS found(id) WHERE node.kind = '{kind}'"  # noqa: S608 - our own words
        for kind, edges in _EDGES.items()
        for to, query in edges
    ]
    return (
        "WITH RECURSIVE node(kind, id) AS ("  # noqa: S608 - our own words
        " SELECT 'contact'::text, seed.id FROM unnest(CAST(:contacts AS bigint[])) AS seed(id)"
        f" UNION SELECT edge.kind, edge.id FROM node, LATERAL ({' UNION ALL '.join(parts)}) AS edge(kind, id)"
        ") SELECT kind, id FROM node"
    )


_CONNECTED = text(_query())


@dataclass(frozen=True)
class Connected:
    """Ids of all that belongs together."""

    contacts: frozenset[int]
    threads: frozenset[int]
    calls: frozenset[int]
    """Escalations."""
    tickets: frozenset[int]
    children: frozenset[int]


async def load(session: AsyncSession, *contacts: int) -> Connected:
    """Everything that belongs together with these people."""
    found: dict[str, set[int]] = defaultdict(set)
    for kind, row_id in await session.execute(_CONNECTED, {"contacts": list(contacts)}):
        found[kind].add(row_id)
    kinds = ("contact", "thread", "call", "ticket", "child")
    return Connected(*(frozenset(found[kind]) for kind in kinds))
