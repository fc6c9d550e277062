"""What a list is narrowed to: any address is read without an error, and written back it means the same."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from sms_gateway.tickets import filters, listing
from sms_gateway.tickets.filters import Filter

PARAMETERS = [*filters._READERS]
ANYTHING = st.text(max_size=30) | st.sampled_from(
    ["1", "530600", "D04", "none", "red", "2026-11-30", "0001-01-01", "-1", "edu@530627"]
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(PARAMETERS), ANYTHING))
def test_any_address_is_read_and_its_link_means_the_same(query: dict[str, str]) -> None:
    wanted = Filter.from_query(query)
    filters.where(wanted)
    again = Filter.from_query(wanted.to_query())
    assert again.to_query() == wanted.to_query() and not again.unread


def test_what_means_nothing_is_named_and_narrows_nothing() -> None:
    wanted = Filter.from_query(
        {"region": "999999", "category": "D99", "unit": "nobody@530627", "opened_from": "gestern", "show": "<b>"}
    )
    assert set(wanted.unread) == {"region", "category", "unit", "opened_from", "show"}
    assert wanted.to_query() == {} and not wanted.narrows


def test_a_link_keeps_what_was_chosen_and_changes_one_thing() -> None:
    wanted = Filter.from_query({"region": "530600", "status": "dispatched,signed_for", "opened_from": "2026-11-01"})
    assert wanted.show == "all" and wanted.opened_from == date(2026, 11, 1)
    assert (
        wanted.href(show="late")
        == "/tickets?show=late&status=dispatched%2Csigned_for&region=530600&opened_from=2026-11-01"
    )
    assert Filter().href() == "/tickets"


@settings(deadline=None)
@given(st.text(max_size=40))
def test_a_forged_place_in_the_list_is_its_start_or_a_place(after: str) -> None:
    for show in filters.SHOWS:
        listing._cut(listing.select(listing.Ticket), Filter(show=show), after)
