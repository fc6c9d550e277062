"""Approved entries laid over the files: one set of entries in which every wording belongs to one. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from policy_faq.entry import Entry


def lay_over(files: Iterable[Entry], approved: Iterable[Entry], withdrawn: Collection[str] = ()) -> tuple[Entry, ...]:
    """`approved` in place of the files of the same id, without those of the ids `withdrawn`.

    A wording that an approved entry has is taken from a file's: a file written later must not stop the handbook.
    """
    over = {entry.id: entry for entry in approved if entry.id not in withdrawn}
    under = [entry for entry in files if entry.id not in over and entry.id not in withdrawn]
    taken: set[str] = set()
    laid = [_without(entry, taken) for entry in (*over.values(), *under)]
    return tuple(sorted((entry for entry in laid if entry is not None), key=lambda entry: entry.id))


def _without(entry: Entry, taken: set[str]) -> Entry | None:
    """`entry` with only the wordings nobody has yet, which are then taken; None when none is left."""
    free = [wording for wording in entry.wordings if wording not in taken]
    taken.update(free)
    if len(free) == len(entry.wordings):
        return entry
    return replace(entry, question=free[0], variants=tuple(free[1:])) if free else None


def shared_wordings(entry: Entry, others: Iterable[Entry]) -> list[tuple[str, Entry]]:
    """(wording, the other entry) for every wording of `entry` that stands in another already."""
    owner = {wording: other for other in others if other.id != entry.id for wording in other.wordings}
    return [(wording, owner[wording]) for wording in entry.wordings if wording in owner]
