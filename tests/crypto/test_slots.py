"""Passphrase slots, recovery slots, and the session that remembers a slot's key."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from notevault.crypto import sessionkey, slots
from notevault.crypto.kdf import CHEAPEST
from notevault.errors import Damaged, NotevaultError, OwnFault, UnknownFormat, WrongSeal, WrongSecret
from notevault.formats.slots import PassphraseSlot, RecoverySlot, slot_from_json
from tests.crypto import hpke_by_hand
from tests.fakes.simple import FakeEntropy

draw = FakeEntropy("slots").draw
VAULT, OTHER_VAULT, SLOT, DEVICE = draw(16), draw(16), draw(16), draw(16)
VK, A, DS, SALT, KIT_SEED = draw(32), draw(64), draw(32), draw(16), draw(32)
KIT = slots.KitKeys.from_seed(KIT_SEED)
RECOVERY = slots.seal_recovery_slot(VK, 7, VAULT, SLOT, KIT.public)


def passphrase_slot(seed: str = "slot") -> PassphraseSlot:
    return slots.seal_passphrase_slot(
        VK,
        7,
        vault_id=VAULT,
        slot_id=SLOT,
        device=DEVICE,
        ds_number=1,
        ds=DS,
        a=A,
        params=CHEAPEST,
        salt=SALT,
        entropy=FakeEntropy(seed),
    )


def test_passphrase_and_device_secret_together_open_the_vault_key() -> None:
    assert slots.open_passphrase_slot(passphrase_slot(), VAULT, A, DS) == (VK, 7)


def test_either_one_alone_opens_nothing() -> None:
    slot = passphrase_slot()
    for a, ds in ((draw(64), DS), (A, draw(32)), (A, bytes(32)), (bytes(64), bytes(32))):
        with pytest.raises(WrongSecret):
            slots.open_passphrase_slot(slot, VAULT, a, ds)


def test_a_slot_of_another_vault_does_not_open() -> None:
    with pytest.raises(WrongSecret):
        slots.open_passphrase_slot(passphrase_slot(), OTHER_VAULT, A, DS)


def test_two_slots_over_the_same_secrets_share_nothing() -> None:
    one, two = passphrase_slot("one"), passphrase_slot("two")
    assert one.salt2 != two.salt2
    assert one.commit != two.commit
    assert one.sealed != two.sealed


def test_every_altered_part_is_refused_by_its_class() -> None:
    slot = passphrase_slot()
    flip = lambda data: bytes([data[0] ^ 1]) + data[1:]  # noqa: E731
    wrong_secret = {name: flip(getattr(slot, name)) for name in ("id", "salt2", "commit")}
    wrong_secret |= {"m": slot.m + 1, "t": slot.t + 1, "p": slot.p + 1, "ds": slot.ds + 1}
    for name, value in wrong_secret.items():
        with pytest.raises(WrongSecret):
            slots.open_passphrase_slot(replace(slot, **{name: value}), VAULT, A, DS)
    for name in ("device", "salt", "sealed"):  # the commitment agrees: the secrets are right, the slot is not
        with pytest.raises(WrongSeal, match="altered"):
            slots.open_passphrase_slot(replace(slot, **{name: flip(getattr(slot, name))}), VAULT, A, DS)


def test_every_bit_of_commitment_and_ciphertext_counts() -> None:
    slot = passphrase_slot()
    for name, error in (("commit", WrongSecret), ("sealed", WrongSeal)):
        data = getattr(slot, name)
        for at in range(len(data) * 8):
            bad = bytearray(data)
            bad[at // 8] ^= 1 << at % 8
            with pytest.raises(error):
                slots.open_passphrase_slot(replace(slot, **{name: bytes(bad)}), VAULT, A, DS)


def test_the_key_half_is_not_the_commitment_half() -> None:
    slot = passphrase_slot()
    okm = slots.slot_okm(slot, VAULT, A, DS)
    assert okm[32:] == slot.commit
    assert slots.open_with_okm(slot, okm) == (VK, 7)
    for wrong in (okm[32:] + okm[:32], okm[:32], b"", okm + b"\0"):
        with pytest.raises(WrongSecret):
            slots.open_with_okm(slot, wrong)


def test_a_secret_of_a_wrong_size_is_our_own_fault() -> None:
    for a, ds in ((A[:63], DS), (A, DS + b"\0")):
        with pytest.raises(OwnFault):
            slots.slot_okm(passphrase_slot(), VAULT, a, ds)


def test_the_sheet_opens_the_vault_key() -> None:
    assert slots.open_recovery_slot(RECOVERY, VAULT, 7, slots.KitKeys.from_seed(KIT_SEED)) == (VK, 7)


def test_another_sheet_is_said_to_be_another() -> None:
    with pytest.raises(WrongSecret):
        slots.open_recovery_slot(RECOVERY, VAULT, 7, slots.KitKeys.from_seed(draw(32)))


def test_a_recovery_slot_of_another_vault_place_or_generation_does_not_open() -> None:
    for slot, vault, generation in (
        (RECOVERY, OTHER_VAULT, 7),
        (RECOVERY, VAULT, 8),
        (replace(RECOVERY, id=draw(16)), VAULT, 7),
    ):
        with pytest.raises(WrongSeal):
            slots.open_recovery_slot(slot, vault, generation, KIT)


@pytest.mark.parametrize("name", ["enc", "sealed"])
def test_every_altered_byte_of_a_recovery_slot_is_found(name: str) -> None:
    data = getattr(RECOVERY, name)
    for at in range(len(data)):
        bad = bytearray(data)
        bad[at] ^= 0x80 >> (at % 8)
        try:
            opened = slots.open_recovery_slot(replace(RECOVERY, **{name: bytes(bad)}), VAULT, 7, KIT)
        except WrongSeal:
            continue
        pytest.fail(f"byte {at} of {name} was not looked at: {opened[1]}")


def test_a_recovery_key_of_small_order_is_refused() -> None:
    for x25519 in (bytes(32), b"\1" + bytes(31)):
        with pytest.raises(Damaged):
            slots.seal_recovery_slot(VK, 7, VAULT, SLOT, KIT.public[:1184] + x25519)
        with pytest.raises(WrongSeal):
            slots.open_recovery_slot(replace(RECOVERY, enc=RECOVERY.enc[:1088] + x25519), VAULT, 7, KIT)


def test_a_key_that_is_no_mlkem_key_is_refused() -> None:
    with pytest.raises(Damaged):
        slots.seal_recovery_slot(VK, 7, VAULT, SLOT, b"\xff" * 1216)
    with pytest.raises(OwnFault):
        slots.seal_recovery_slot(VK, 7, VAULT, SLOT, KIT.public[:-1])


def test_a_stranger_with_the_format_document_alone_opens_what_we_sealed() -> None:
    info = hpke_by_hand.recovery_info(VAULT, SLOT, 7, KIT.public)
    assert hpke_by_hand.open_(KIT_SEED, RECOVERY.enc, info, RECOVERY.sealed) == VK + (7).to_bytes(8, "big")


def test_we_open_what_a_stranger_sealed_from_the_format_document_alone() -> None:
    info = hpke_by_hand.recovery_info(VAULT, SLOT, 7, KIT.public)
    enc, sealed = hpke_by_hand.seal(KIT.public, info, VK + (7).to_bytes(8, "big"))
    assert slots.open_recovery_slot(RecoverySlot(RECOVERY.id, KIT.public, enc, sealed), VAULT, 7, KIT) == (VK, 7)


def test_a_generation_inside_that_differs_from_the_one_bound_is_refused() -> None:
    info = hpke_by_hand.recovery_info(VAULT, SLOT, 7, KIT.public)
    for plain in (VK + (8).to_bytes(8, "big"), VK):
        enc, sealed = hpke_by_hand.seal(KIT.public, info, plain)
        with pytest.raises(WrongSeal):
            slots.open_recovery_slot(RecoverySlot(RECOVERY.id, KIT.public, enc, sealed), VAULT, 7, KIT)


def test_slots_come_back_from_json_and_unknown_kinds_are_called_unknown() -> None:
    for slot in (passphrase_slot(), RECOVERY):
        assert slot_from_json(json.loads(json.dumps(slot.to_json()))) == slot
    with pytest.raises(UnknownFormat):
        slot_from_json({"kind": "passkey"})


def test_secrets_stay_out_of_repr_and_messages() -> None:
    secret = [VK, A, DS, KIT_SEED]
    said = [repr(KIT), str(KIT), repr(passphrase_slot()), repr(RECOVERY)]
    for act in (
        lambda: slots.open_passphrase_slot(passphrase_slot(), VAULT, bytes(64), DS),
        lambda: slots.open_recovery_slot(RECOVERY, OTHER_VAULT, 7, KIT),
    ):
        with pytest.raises(NotevaultError) as caught:
            act()
        said += [str(caught.value), caught.value.next_step, repr(caught.value)]
        assert caught.value.__cause__ is None
    for value in secret:
        for form in (value.hex(), repr(value)[2:-1], base64.b64encode(value).decode()):
            assert not any(form in text for text in said)


SESSION = {
    "vault_id": VAULT,
    "device": DEVICE,
    "slot_id": SLOT,
    "expires_ms": 1_763_715_600_000,
    "boot_id": b"bootboot",
}


def test_a_remembered_session_opens_only_with_both_halves_and_in_its_place() -> None:
    okm, half, salt = draw(64), draw(32), draw(32)
    wrapped = sessionkey.wrap_okm(okm, half, salt, **SESSION)
    assert len(wrapped) == 80
    assert sessionkey.unwrap_okm(wrapped, half, salt, **SESSION) == okm
    changed = [
        {"vault_id": OTHER_VAULT},
        {"device": draw(16)},
        {"slot_id": draw(16)},
        {"expires_ms": SESSION["expires_ms"] + 1},
        {"boot_id": b"tooboots"},
    ]
    for change in changed:
        with pytest.raises(WrongSeal):
            sessionkey.unwrap_okm(wrapped, half, salt, **(SESSION | change))
    for bad in (
        (wrapped, draw(32), salt),
        (wrapped, half, draw(32)),
        (wrapped[:-1], half, salt),
        (b"", half, salt),
        (bytes([wrapped[0] ^ 1]) + wrapped[1:], half, salt),
    ):
        with pytest.raises(WrongSeal):
            sessionkey.unwrap_okm(*bad, **SESSION)
    with pytest.raises(OwnFault):
        sessionkey.wrap_okm(okm, half[:31], salt, **SESSION)
