"""Reading on from a log that cannot be believed: every whole entry is found, wherever the damage lies."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import bundle, entry
from notevault.vault import salvage
from tests.vault.build import House, remembered

_HOUSE = remembered()
(_ORIGIN,) = _HOUSE.origins()
_OPEN = _HOUSE.paths.open(_ORIGIN)
_DATA = _HOUSE.files.raw(_OPEN)
_SPLIT = bundle.split(_DATA)
assert isinstance(_SPLIT, list)
_WHOLE = dict(enumerate(_SPLIT))


def _found(house: House, data: bytes) -> dict[int, bytes]:
    house.files.put_raw(_OPEN, data)
    return dict(salvage.entries(house.env, house.paths, _ORIGIN))


def test_a_sound_log_is_found_whole() -> None:
    assert _found(_HOUSE.copy(), _DATA) == _WHOLE


@given(st.integers(0, len(_DATA) - 1), st.integers(1, 255))
def test_one_altered_byte_costs_at_most_one_entry(at: int, change: int) -> None:
    altered = _DATA[:at] + bytes([_DATA[at] ^ change]) + _DATA[at + 1 :]
    _HOUSE.files.put_raw(_OPEN, altered)
    found = list(salvage.entries(_HOUSE.env, _HOUSE.paths, _ORIGIN))  # an altered number may be another entry's
    kept = [i for i, data in _WHOLE.items() if (i, data) in found]
    assert len(kept) >= len(_WHOLE) - 1


@given(st.integers(0, len(_DATA)), st.integers(0, 400))
def test_a_missing_piece_costs_only_what_was_in_it(start: int, length: int) -> None:
    found = _found(_HOUSE, _DATA[:start] + _DATA[start + length :])
    at = 0
    for i, data in _WHOLE.items():
        begin, end = at, at + 2 + len(data)
        if end <= start or begin >= start + length:
            assert found.get(i) == data
        at = end


@given(st.binary(max_size=2000))
def test_any_bytes_give_entries_or_nothing(data: bytes) -> None:
    for i, piece in _found(_HOUSE, data + b'{"a":"' + data).items():
        parsed = entry.parse(piece)
        assert isinstance(parsed, entry.Entry)
        assert parsed.i == i
