"""The makers make what the models say: others build their tests on them."""

from __future__ import annotations

from sms_gateway.broadcasts import addresses

from . import making


async def test_a_made_ledger_has_its_rows_lanes_and_tallies(database: str) -> None:
    broadcast_id = await making.make_broadcast()
    await making.make_ledger(broadcast_id, {"530102": 3, "": 2})
    assert await making.states(broadcast_id) == dict.fromkeys(range(1, 6), "created")
    assert await making.tallies(broadcast_id) == {("530102", "created"): 3, ("", "created"): 2}
    fourth = await making.recipient(broadcast_id, 4)
    assert addresses.open_sealed(fourth.address_sealed, fourth.address_index) == "+8613800000004"
    await making.set_rows(broadcast_id, {1: "sent", 2: "suppressed:opted_out"})
    assert await making.tallies(broadcast_id) == await making.counted(broadcast_id)
