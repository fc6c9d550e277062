"""Every table of the hotline in one place, so that Alembic sees them all."""

from __future__ import annotations

from sqlalchemy import MetaData

from sms_gateway import beats, bot_trackers, last_done, links, timers
from sms_gateway.bridge import models as bridge
from sms_gateway.broadcasts import models as broadcasts
from sms_gateway.broadcasts import roll_models as rolls
from sms_gateway.calls import models as calls
from sms_gateway.contacts import models as contacts
from sms_gateway.conversations import models as conversations
from sms_gateway.database import Base
from sms_gateway.escalations import models as escalations
from sms_gateway.events import models as events
from sms_gateway.handbook import models as handbook
from sms_gateway.messages import models as messages
from sms_gateway.operators import models as operators
from sms_gateway.retention import models as retention
from sms_gateway.seeing import models as seeing
from sms_gateway.tickets import models as tickets
from sms_gateway.tickets import police_models as police
from sms_gateway.tickets import sealed_models as sealed

ROOMS = (
    beats, bot_trackers, timers, bridge, broadcasts, rolls, calls, contacts, conversations, escalations, events, handbook, messages, operators, retention, tickets,
    beats, bot_trackers, timers, bridge, broadcasts, rolls, calls, contacts, conversations, escalations, events, handbook, messages, operators, tickets, police, sealed,
    beats, bot_trackers, last_done, links, timers, bridge, broadcasts, rolls, calls, contacts, conversations, escalations, events, handbook, messages, operators, seeing, tickets,
)  # fmt: skip


def metadata() -> MetaData:
    """All tables."""
    return Base.metadata
