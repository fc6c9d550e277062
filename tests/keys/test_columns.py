"""Every column that could hold somebody's words, number, name or file is sealed, or stands here with why it holds none.

A new column of text, bytes or JSON fails the first test until somebody decides: seal it (`crypto.SealedRow`, `Encrypted`), or
say here why nothing personal can get in.
"""

from __future__ import annotations

from sqlalchemy import ARRAY, JSON, Column, LargeBinary, String

from sms_gateway.commands.sealed_cells import sealed_columns
from sms_gateway.crypto import SealedRow
from sms_gateway.database import Base
from sms_gateway.migrations.models import metadata

CODE = "one word of a fixed list in our code"
PLACE = "the six digits of a county, prefecture or the province"
UNIT = "the code of a department or desk of ours"
OURS = "a number, name or reference that we made, of no person"
THEIRS = "a carrier's, exchange's or desk's own number of a text, call or matter"
RANDOM = "random, or a hash of something random"
INDEX = "a blind index: found by whoever knows the value and the key of the indexes, readable by nobody"
HASH = "a hash over ids, codes and blind indexes"
WHO = "`operator:3`, `unit:…`, or a machine's part"
IDS = "JSON of ids, codes and counts only: the dump of test_dump.py is searched for anything else"
PUBLIC = "words to the public, approved by a second person"
ADMIN = "written by an administrator about a machine, a system or an account, not about a person in a matter"

OPEN: dict[str, dict[str, str]] = {
    "accused": {"relation": CODE, "unit": UNIT, "name_index": INDEX},
    "api_keys": {"unit": UNIT, "name": ADMIN, "token_hash": RANDOM},
    "attachments": {"who": WHO, "kind": CODE, "digest": "a hash: it tells only whoever has the very file already"},
    "audit": {"stream": WHO, "content_hash": HASH, "chain_hash": HASH, "what": CODE, "subject": OURS},
    "bot_trackers": {"sender": OURS},
    "bridge_calls": {"service": CODE, "desk": UNIT, "driver": CODE, "state": CODE, "last_error": CODE, "receipt": THEIRS},
    "bridge_events": {"what": CODE, "who": WHO, "detail": IDS},
    "bridge_heard": {"desk": UNIT, "message_id": THEIRS},
    "broadcast_chunks": {"region": PLACE, "worker": OURS},
    "broadcast_counts": {"region": PLACE, "state": CODE},
    "broadcast_events": {"what": CODE, "who": WHO, "detail": IDS},
    "broadcast_lanes": {"region": PLACE},
    "broadcast_minutes": {"what": CODE},
    "broadcast_recipients": {
        "region": PLACE, "state": CODE, "why": CODE, "address_index": INDEX, "carrier": CODE, "carrier_id": THEIRS, "error": CODE,
    },
    "broadcast_replies": {"lane": CODE, "kind": CODE},
    "broadcast_tallies": {"region": PLACE, "state": CODE},
    "broadcasts": {"figures_kept": IDS,
        "body": PUBLIC, "status": CODE, "audience": IDS, "prepared": CODE, "region_hours": "hours by place", "first_county": PLACE,
        "waves": IDS, "pause_reason": CODE, "held_by": CODE,
    },
    "calls": {"purpose": CODE, "conference": RANDOM, "state": CODE, "exchange_id": THEIRS, "key": CODE, "error": CODE},
    "carrier_links": {"carrier": CODE, "worker": OURS, "trouble": "one sentence of a fixed list in our code"},
    "carrier_parts": {"carrier": CODE, "part_id": THEIRS, "carrier_id": THEIRS, "state": CODE, "error": CODE},
    "carrier_unclaimed_reports": {
        "carrier": CODE, "carrier_id": THEIRS, "state": CODE, "error": CODE, "address_index": INDEX, "extension": OURS,
    },
    "children": {"county": PLACE, "sex": CODE, "name_index": INDEX, "school_index": INDEX},
    "contacts": {"channel": CODE, "address_index": INDEX, "region": PLACE},
    "dashboards": {"scope": PLACE, "figures": "counts by code"},
    "desk_matters": {"desk": UNIT, "number": THEIRS, "ticket": OURS, "state": CODE, "told": CODE},
    "dispatches": {"unit": UNIT, "role": CODE},
    "drill_cases": {"harm": CODE, "ended": CODE},
    "duty_notices": {"kind": CODE, "state": CODE, "error": CODE},
    "duty_posts": {"region": PLACE, "kind": CODE},
    "duty_reports": {"body": CODE, "evidence_from": CODE},
    "duty_tests": {"result": CODE, "call_reference": RANDOM},
    "escalation_events": {"what": CODE, "who": WHO, "detail": IDS},
    "escalations": {"cause": CODE, "lane": CODE, "harm": CODE, "services": CODE, "state": CODE, "outcome": CODE},
    "event_deliveries": {"sight": CODE, "state": CODE, "last_status": CODE},
    "event_subscriptions": {
        "unit": UNIT, "name": ADMIN, "url": ADMIN, "categories": CODE, "paused_reason": CODE, "last_status": CODE,
    },
    "extensions": {"unit": UNIT, "asked_by": WHO},
    "follow_ups": {"state": CODE, "reason": CODE},
    "handbook_asked": {"outcome": CODE, "entry_id": OURS, "verdict": CODE},
    "handbook_draft_events": {"what": CODE, "detail": IDS},
    "handbook_drafts": {"state": CODE, "replaces": OURS},
    "handbook_entries": {"entry_id": OURS, "engine": OURS},
    "hotline_events": {"type": CODE, "subject": OURS, "facts": IDS},
    "look_backs": {"region": PLACE, "mark": CODE, "result": CODE},
    "messages": {"trace": RANDOM, "extension": OURS,
        "direction": CODE, "author": CODE, "carrier": CODE, "carrier_id": THEIRS, "lane": CODE, "harm": CODE, "services": CODE,
        "immediacy": CODE, "writer": CODE, "reply_key": CODE, "answered_by": CODE, "state": CODE, "text_key": CODE,
        "client_token": RANDOM, "error": CODE,
    },
    "operator_sessions": {"role": CODE, "how": CODE, "waits_for": CODE, "token_hash": RANDOM, "csrf": RANDOM},
    "operators": {"login": ADMIN, "badge": OURS, "password_hash": "argon2id", "role": CODE, "unit": UNIT},
    "outreach_carrier_references": {"carrier": CODE, "carrier_id": THEIRS},
    "outreach_early_receipts": {"carrier": CODE, "carrier_id": THEIRS, "state": CODE, "error": CODE},
    "outreach_pace": {"name": OURS},
    "outreach_roll_numbers": {"address_index": INDEX, "region": PLACE, "group": INDEX},
    "outreach_roll_refusals": {"reason": CODE},
    "outreach_rolls": {
        "state": CODE, "refused": "counts by code", "regions": "counts by place",
        "error": "names columns by number or by a header word that we know, never a cell (`columns.py`)",
    },
    "outreach_segments": {"title_index": INDEX, "chosen": IDS},
    "outreach_templates": {"body": PUBLIC, "state": CODE, "registered_as": THEIRS},
    "pending_questions": {"kind": CODE, "detail": IDS},
    "receipts": {"carrier": CODE, "carrier_id": THEIRS, "state": CODE, "error": CODE},
    "reviews": {"kind": CODE, "verdict": CODE},
    "shift_handovers": {"left_open": IDS},
    "sign_in_links": {"token_hash": RANDOM},
    "talk_transfers": {"mode": CODE, "state": CODE},
    "thread_events": {"what": CODE, "who": WHO, "detail": IDS},
    "threads": {"channel": CODE, "owner": CODE, "lane": CODE},
    "ticket_anchors": {"day": "a day", "root": HASH},
    "ticket_events": {
        "what": CODE, "who": WHO, "from_status": CODE, "to_status": CODE, "why_digest": INDEX, "detail": IDS, "content_hash": HASH,
        "chain_hash": HASH,
    },
    "ticket_groups": {"category": CODE},
    "ticket_links": {"kind": CODE},
    "tickets": {
        "number": OURS, "kind": CODE, "lane": CODE, "status": CODE, "county": PLACE, "place": PLACE, "category": CODE, "level": CODE,
        "unit": UNIT, "sensitivity": CODE, "paused_from": CODE, "head": HASH, "head_seal": INDEX,
    },
    "timers": {"trace": RANDOM, "job": CODE},
    "transfers": {"partner": CODE, "state": CODE, "their_number": THEIRS},
    "uplink_parts": {"carrier": CODE, "part_index": INDEX, "whole_index": INDEX},
    "worker_beats": {"queue": CODE, "worker": OURS},
    "audit_anchors": {"day": "a day", "heads": IDS, "root": HASH},
    "audit_streams": {"stream": WHO, "head": HASH, "seal": INDEX},
    "last_done": {"what": CODE},
    "operation_samples": {"figures": IDS},
    "retention_runs": {"counts": IDS},
    "sign_in_tries": {"key": INDEX},
    "police_requests": {"scope": CODE, "state": CODE, "digest": HASH, "inner_digest": HASH, "file": "locked by a passphrase that nobody keeps, for a day"},
    "recovery_codes": {"code_hash": RANDOM},
    "subject_requests": {"wants": CODE, "asker": CODE, "checked": CODE, "outcome": CODE},
    "sealed_images": {"digest": "a hash: it tells only whoever has the very file already", "why": CODE, "who": WHO},
    "image_openings": {"state": CODE},
}  # fmt: skip


def may_hold_words(column: Column[object]) -> bool:
    kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
    return isinstance(kind, String | LargeBinary | JSON)


def test_every_column_is_sealed_or_says_why_it_holds_nothing_personal() -> None:
    sealed = {(column.table, column.column) for column in sealed_columns()}
    undecided = [
        f"{table.name}.{column.name}"
        for table in metadata().sorted_tables
        for column in table.columns
        if may_hold_words(column)
        and (table.name, column.name) not in sealed
        and column.name not in OPEN.get(table.name, {})
    ]
    assert undecided == [], "seal them, or say in OPEN why nothing personal gets in"


def test_nothing_is_excused_that_is_sealed_or_gone() -> None:
    tables = metadata().tables
    sealed = {(column.table, column.column) for column in sealed_columns()}
    for table, columns in OPEN.items():
        for column in columns:
            assert table in tables and column in tables[table].columns, f"{table}.{column} is no more"
            assert (table, column) not in sealed


def test_what_is_called_sealed_is_on_the_list_that_rotation_goes_by() -> None:
    listed = {(column.table, column.column) for column in sealed_columns()}
    called = {
        (table.name, column.name)
        for table in metadata().sorted_tables
        for column in table.columns
        if may_hold_words(column) and (column.name == "sealed" or column.name.endswith("_sealed"))
    }
    assert called == listed
    rows = {mapper.class_.__tablename__ for mapper in Base.registry.mappers if issubclass(mapper.class_, SealedRow)}
    assert {"messages", "contacts", "tickets", "operators", "outreach_rolls"} <= rows
