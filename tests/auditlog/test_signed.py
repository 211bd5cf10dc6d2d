"""Bundles, signed notes, checkpoints, cards: what is printed parses back, and random or changed bytes never pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import bundle, canon, card, checkpoint, note
from notevault.auditlog.fault import Fault, sound
from tests.auditlog import sample
from tests.auditlog.sample import CARD, EPOCH0, IDENTITY, ORIGIN, VIK, Key, Log

ENTRIES = st.lists(st.binary(min_size=1, max_size=40), max_size=20)


@given(ENTRIES)
def test_bundles_split_into_what_was_packed(entries: list[bytes]) -> None:
    data = bundle.pack(entries)
    assert bundle.split(data) == entries
    for count in range(len(entries) + 2):
        part = entries[:count]
        assert bundle.split_prefix(data + b"\0", count) == (part, len(bundle.pack(part)))


@given(ENTRIES, st.integers(0, 900))
def test_a_cut_bundle_gives_its_whole_entries(entries: list[bytes], cut: int) -> None:
    data = bundle.pack(entries)
    found = sound(bundle.split_prefix(data[:cut], 256))
    assert found[0] == entries[: len(found[0])]
    assert found[1] == len(bundle.pack(found[0])) <= cut or cut >= len(data)
    assert isinstance(bundle.split(data[:cut]), Fault) is (found[1] != min(cut, len(data)))


@given(st.binary(max_size=600), st.integers(0, 300))
def test_random_bundles_never_raise_and_print_again(data: bytes, count: int) -> None:
    found = bundle.split_prefix(data, count)
    if not isinstance(found, Fault):
        assert bundle.pack(found[0]) == data[: found[1]]


def test_pack_refuses_entries_no_bundle_can_hold() -> None:
    for entry in (b"", b"x" * 16385):
        with pytest.raises(ValueError, match="16384"):
            bundle.pack([entry])


@pytest.mark.parametrize(
    ("number", "path"),
    [(0, "000"), (67, "067"), (999, "999"), (1000, "x001/000"), (1234, "x001/234"), (1234067, "x001/x234/067")],
)
def test_bundle_numbers_are_spelled_as_in_tlog_tiles(number: int, path: str) -> None:
    assert bundle.tile_path(number) == path


# Signed once by Go's sumdb/note with the Ed25519 seed SHA-256("a key for one test"), not by us.
GO_NOTE = (
    "A text of two lines,\n"
    "signed once by the other implementation.\n"
    "\n"
    "\u2014 example/signer "
    "5zpKXXgE1R0PSpreiRN58klwRROhoLIy1ydIHdGmxy+jLIe3dnSUqFTn/krPJf3Zhq8Q+m0ShPmT8ymWYZriijImmgI=\n"
).encode()
GO_KEY = "example/signer+e73a4a5d+AVIYlT56x995TIEjdqKN8d2z5ILC6lD68SNAh9FqgFTD"


def test_a_note_signed_by_go_is_read_and_holds() -> None:
    found = sound(note.parse(GO_NOTE))
    name, _, key = GO_KEY.split("+", 2)
    pub = sound(canon.unbase64(key, 33))[1:]
    assert note.verifier_key(name, pub) == GO_KEY
    assert note.holds(found, name, pub, sample.verify) == found.sigs[0]
    assert note.assemble(found.text, [note.line(name, pub, found.sigs[0].signature)]) == GO_NOTE


def test_every_changed_byte_of_a_note_is_found() -> None:
    pub = sound(canon.unbase64(GO_KEY.split("+", 2)[2], 33))[1:]
    for at in range(len(GO_NOTE)):
        spoiled = bytearray(GO_NOTE)
        spoiled[at] ^= 1
        found = note.parse(bytes(spoiled))
        assert isinstance(found, Fault) or isinstance(note.holds(found, "example/signer", pub, sample.verify), Fault)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=120).map(str.encode)))
def test_random_notes_checkpoints_and_cards_never_raise(data: bytes) -> None:
    assert isinstance(checkpoint.parse(data), Fault)
    assert isinstance(card.parse(data), Fault)
    assert isinstance(card.parse(data + b"\n"), Fault)
    note.parse(data)


@given(st.binary(max_size=60), st.integers(0, 400))
def test_random_bytes_within_a_checkpoint_are_refused(data: bytes, at: int) -> None:
    sound_one = Log(sample.entries(2)).checkpoint(2)
    spoiled = sound_one[:at] + data + sound_one[at + len(data) :]
    found = checkpoint.check(spoiled, IDENTITY.pub, {0: EPOCH0.pub}, sample.verify)
    assert isinstance(found, Fault) is (spoiled != sound_one)


@given(st.text(max_size=40))
def test_a_text_or_name_no_note_can_carry_is_our_own_mistake(text: str) -> None:
    try:
        data = note.assemble(text, [note.line(text.strip() or "name", b"k" * 32, b"s" * 64)])
    except (ValueError, UnicodeEncodeError):
        return
    assert sound(note.parse(data)).text == text


@given(st.integers(0, 2**53 - 1), st.binary(min_size=32, max_size=32), st.integers(0, 2**40))
def test_checkpoints_read_back(size: int, root: bytes, epoch: int) -> None:
    keys = (IDENTITY.sign, EPOCH0.sign, IDENTITY.pub, EPOCH0.pub)
    data = checkpoint.make(ORIGIN, size, root, epoch, *keys)
    found = sound(checkpoint.check(data, IDENTITY.pub, {epoch: EPOCH0.pub}, sample.verify, origin=ORIGIN))
    assert (found.origin, found.size, found.root, found.epoch, found.raw) == (ORIGIN, size, root, epoch, data)
    assert data.startswith(checkpoint.body(ORIGIN, size, root))


def test_a_checkpoint_of_another_log_is_refused() -> None:
    data = Log(sample.entries(1)).checkpoint(1)
    found = checkpoint.check(data, IDENTITY.pub, {0: EPOCH0.pub}, sample.verify, origin="00" * 16)
    assert isinstance(found, Fault)
    assert found.code == "WRONG_ORIGIN"


def test_make_refuses_what_no_checkpoint_can_say() -> None:
    keys = (IDENTITY.sign, EPOCH0.sign, IDENTITY.pub, EPOCH0.pub)
    for origin, size, root in ((ORIGIN, -1, bytes(32)), (ORIGIN, 1, bytes(31)), ("xy", 1, bytes(32))):
        with pytest.raises(ValueError, match="origin"):
            checkpoint.make(origin, size, root, 0, *keys)


def test_a_card_reads_back_and_its_name_follows_from_its_keys() -> None:
    found = sound(card.parse(CARD))
    assert card.check(found, VIK.pub, sample.verify) is None
    assert (found.identity_pub, found.epoch0_pub, found.vik_pub) == (IDENTITY.pub, EPOCH0.pub, VIK.pub)
    assert found.origin == card.origin_of(IDENTITY.pub, EPOCH0.pub) == ORIGIN
    assert (found.vault, found.device, found.created) == (sample.VAULT, sample.DEVICE, sample.START_MS)


def test_every_changed_byte_of_a_card_is_found() -> None:
    for at in range(len(CARD)):
        for bit in (1, 32):
            spoiled = bytearray(CARD)
            spoiled[at] ^= bit
            found = card.parse(bytes(spoiled))
            assert isinstance(found, Fault) or card.check(found, VIK.pub, sample.verify) is not None


def test_a_card_of_wrong_shape_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="device"):
        card.make(1, "short", EPOCH0.pub, IDENTITY.pub, sample.VAULT, VIK.pub, VIK.sign)


def test_a_card_signed_by_another_vault_is_not_ours() -> None:
    other = Key("another vault")
    found = sound(
        card.parse(card.make(1, sample.DEVICE, EPOCH0.pub, IDENTITY.pub, sample.VAULT, other.pub, other.sign))
    )
    fault = card.check(found, VIK.pub, sample.verify)
    assert fault is not None
    assert fault.code == "WRONG_KEY"
