"""Who acted from the command line: every act there leaves an audit row, as one on a page does."""

from __future__ import annotations

import getpass
import os

from sqlalchemy.ext.asyncio import AsyncSession

from sms_gateway.operators.audit_chain import TERMINAL
from sms_gateway.operators.presence import note as audit


async def note(
    session: AsyncSession, what: str, subject: str, *, operator_id: int | None = None, detail: str | None = None
) -> None:
    """An audit row in the terminal's own chain. `operator_id`: on whose behalf (`--as`).

    Who sat there is the account of the operating system, and who became it by sudo; sealed, as it may be a person's name.
    """
    words = [f"系统账号 {account()}", *filter(None, [detail])]
    await audit(session, operator_id=operator_id, what=what, subject=subject, detail="，".join(words), stream=TERMINAL)


def account() -> str:
    """The account this process runs as, `root（由 yang 切换）` behind sudo."""
    try:
        name = getpass.getuser()
    except OSError:  # an id without a name, as in containers
        name = str(os.getuid())
    before = os.environ.get("SUDO_USER")
    return f"{name}（由 {before} 切换）" if before and before != name else name
