"""What is sealed opens only with its key and in its place."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealing import Keyring, SealBroken

ONE = Keyring({1: b"a" * 32})


@given(st.binary(), st.binary(max_size=60))
def test_what_is_sealed_opens_in_its_place(value: bytes, place: bytes) -> None:
    assert ONE.open(ONE.seal(value, place), place) == value


@given(st.binary(min_size=1), st.integers(min_value=0))
def test_a_changed_byte_does_not_open(value: bytes, at: int) -> None:
    sealed = bytearray(ONE.seal(value, b"place"))
    sealed[at % len(sealed)] ^= 1
    with pytest.raises(SealBroken):
        ONE.open(bytes(sealed), b"place")


def test_a_value_moved_to_another_row_does_not_open() -> None:
    with pytest.raises(SealBroken):
        ONE.open(ONE.seal(b"secret", b"messages.body:1"), b"messages.body:2")


def test_old_values_open_after_a_new_key_and_indexes_stay() -> None:
    both = Keyring({1: b"a" * 32, 2: b"b" * 32})
    assert both.open(ONE.seal(b"old", b"p"), b"p") == b"old"
    assert both.seal(b"new", b"p")[:2] == (2).to_bytes(2, "big")
    assert both.blind_index("+8613800000001", "x") == ONE.blind_index("+8613800000001", "x")
    with pytest.raises(SealBroken):
        ONE.open(both.seal(b"new", b"p"), b"p")


def test_equal_values_of_different_purposes_have_different_indexes() -> None:
    assert ONE.blind_index("a", "x") != ONE.blind_index("a", "y")


def test_keys_are_read_with_and_without_versions_and_bad_ones_are_not_repeated() -> None:
    key = base64.b64encode(b"k" * 32).decode()
    assert Keyring.from_text(key).current == 1
    assert Keyring.from_text(f"1:{key}, 3:{key}").current == 3
    for bad in ("", "not base64!", base64.b64encode(b"short").decode(), "0:" + key):
        with pytest.raises(ValueError) as caught:
            Keyring.from_text(bad)
        assert not bad or bad not in str(caught.value)
