"""`python -m policy_faq`: check every entry of the repo and bring the shipped vectors up to date."""

from __future__ import annotations

import sys

from .entry import HandbookError, load_entries
from .outside import load_outside
from .passages import write_shipped


def main() -> int:
    """0 when all is well; 1 with one line saying which file and field to mend."""
    try:
        entries = load_entries()
    except HandbookError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    count = write_shipped(entries, load_outside())
    sys.stdout.write(f"{len(entries)} 条问答都对，{count} 个向量已更新。\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
