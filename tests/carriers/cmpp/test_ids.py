"""Msg_Ids, the proof of who we are, and times, by the fact sheet's own examples."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sms_gateway.carriers.cmpp import ids
from sms_gateway.carriers.cmpp.pdus import Version
from sms_gateway.clock import SHANGHAI

AT = datetime(2025, 6, 30, 8, 15, 30, tzinfo=SHANGHAI)
PROOF = bytes.fromhex("539a1c40af02a40fb9b7d54bf646f2b2")


def test_an_id_lies_in_its_bits_as_the_standard_says() -> None:
    assert ids.pack_id(AT, gateway=87101, sequence=1).hex() == "6f20f781543d0001"


def test_from_august_on_an_id_is_more_than_a_signed_number_holds() -> None:
    august = ids.pack_id(datetime(2025, 8, 1, tzinfo=SHANGHAI), gateway=87101, sequence=1)
    assert int.from_bytes(august, "big") > 2**63 - 1
    assert len(august.hex()) == 16


def test_an_id_s_sequence_begins_again_and_leaves_the_rest_alone() -> None:
    assert ids.pack_id(AT, gateway=87101, sequence=65536 + 7) == ids.pack_id(AT, gateway=87101, sequence=7)


def test_we_prove_who_we_are_as_others_do() -> None:
    assert ids.timestamp(AT) == 630081530
    assert ids.authenticator(source_addr="901234", shared_secret="test1234", timestamp=630081530) == PROOF


def test_a_time_early_in_the_year_is_hashed_with_its_leading_zero() -> None:
    at = datetime(2025, 1, 2, 3, 4, 5, tzinfo=SHANGHAI)
    assert ids.timestamp(at) == 102030405
    by_hand = "901234" + "\0" * 9 + "test1234" + "0102030405"
    import hashlib

    assert (
        ids.authenticator(source_addr="901234", shared_secret="test1234", timestamp=102030405)
        == hashlib.md5(by_hand.encode()).digest()
    )


@pytest.mark.parametrize(
    ("version", "proof"),
    [(Version.V3, "e390968f39643691c56474da49ff13de"), (Version.V2, "5e5c5777413a994f436f803495351c4c")],
)
def test_a_gateway_proves_itself_with_a_status_as_wide_as_its_field(version: Version, proof: str) -> None:
    found = ids.gateway_authenticator(status=0, source_authenticator=PROOF, shared_secret="test1234", version=version)
    assert found.hex() == proof


def test_times_are_china_s_with_32_quarter_hours() -> None:
    assert ids.absolute_time(datetime(2025, 6, 30, 0, 15, 30, tzinfo=UTC)) == "250630081530032+"
    assert ids.absolute_time(datetime(2025, 6, 30, 15, 0, 0, tzinfo=UTC)) == "250630230000032+"  # no clock of 12 hours
    assert ids.report_time(AT) == "2506300815"


@pytest.mark.parametrize("written", ["13800000001", "8613800000001", "+8613800000001", "008613800000001"])
def test_a_number_is_the_same_however_the_country_is_written(written: str) -> None:
    assert ids.plain_number(written) == "13800000001"


@pytest.mark.parametrize("odd", ["", "86", "8612345", "10086", "861069000000010203", "+4930123456"])
def test_what_is_no_mobile_number_of_ours_stays_as_it_is(odd: str) -> None:
    assert ids.plain_number(odd) == odd
