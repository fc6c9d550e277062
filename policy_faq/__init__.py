"""The policy handbook: questions with sourced answers, and how the right one, or an honest "not sure", is found.

A pure library: files in `entries/` are the base, approved entries of the database may be laid over them
(`Handbook(entries)`); no database, no network. Imports nothing of ours but `texts`.
"""

from .entry import Entry, HandbookError, Source, load_entries, parse_entry
from .handbook import Answer, Candidate, Choice, Handbook

__all__ = [
    "Answer",
    "Candidate",
    "Choice",
    "Entry",
    "Handbook",
    "HandbookError",
    "Source",
    "load_entries",
    "parse_entry",
]
