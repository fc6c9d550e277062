"""Jobs of outreach."""

from __future__ import annotations

from procrastinate import JobContext

from sms_gateway import jobs, logs
from sms_gateway.database import transaction
from sms_gateway.jobs import RetryIfTransient

from . import importing, preparing, rolls
from .rolls import RollIsBeingRead
from .sources import InParts

log = logs.get("broadcasts")
TRIES = 5


@jobs.app.task(name="broadcasts.import_roll", queue="bulk", retry=RetryIfTransient(attempts=TRIES), pass_context=True)
async def import_roll(context: JobContext, roll_id: int) -> None:
    """Read an uploaded file into its roll."""
    try:
        await importing.run(roll_id, InParts(roll_id))
    except RollIsBeingRead:  # another run is at it, and will tell how it ended
        raise
    except Exception as error:
        if not _comes_again(context, error):
            await importing.give_up(roll_id)
        raise


@jobs.app.task(name="broadcasts.prepare", queue="bulk", retry=RetryIfTransient(attempts=TRIES), pass_context=True)
async def prepare(context: JobContext, broadcast_id: int) -> None:
    """Cut the audience of a draft into its ledger."""
    try:
        await preparing.run(broadcast_id)
    except Exception as error:
        if not _comes_again(context, error):
            await preparing.give_up(broadcast_id)
        raise


def _comes_again(context: JobContext, error: Exception) -> bool:
    decision = RetryIfTransient(attempts=TRIES).get_retry_decision(exception=error, job=context.job)
    return decision is not None


async def forget_uploads() -> None:
    """Now and then: files that were never sent whole."""
    async with transaction() as session:
        await rolls.forget_abandoned(session)
