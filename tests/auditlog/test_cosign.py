"""Cosignatures: a second key says when it saw a state; nothing it says can be moved to another time or state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import checkpoint, cosign, note
from notevault.auditlog.cosign import Cosigned, Signer, Witness
from notevault.auditlog.fault import Fault, sound
from notevault.auditlog.outcome import Seen
from tests.auditlog import sample
from tests.auditlog.sample import IDENTITY, ORIGIN, Key, Log

DATA = Log(sample.entries(3)).checkpoint(3)
ROOT = sound(checkpoint.parse(DATA)).root
KEY, OTHER = Key("witness one"), Key("witness two")
WITNESS, SECOND = Witness("second.laptop/notevault", KEY.pub), Witness("auditor.example", OTHER.pub)
TIME = 1_763_740_800
TIMES = st.integers(0, cosign.MAX_TIME)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="+"), min_size=1, max_size=30).filter(
    lambda name: not any(ch.isspace() or ch < " " or "\x7f" <= ch < "\xa0" for ch in name)
)


def made(data: bytes = DATA, time_s: int = TIME) -> bytes:
    return cosign.make(data, WITNESS.name, WITNESS.pub, KEY.sign, time_s)


def both() -> bytes:
    return cosign.make(made(), SECOND.name, SECOND.pub, OTHER.sign, TIME + 60)


@given(NAMES, TIMES)
def test_cosigned_checkpoints_read_back(name: str, time_s: int) -> None:
    data = cosign.make(DATA, name, KEY.pub, KEY.sign, time_s)
    found = sound(cosign.parse(data))
    assert found.checkpoint == sound(checkpoint.parse(DATA))
    assert (found.raw, found.checkpoint.raw) == (data, DATA)
    assert [(one.name, one.time_s) for one in found.cosignatures] == [(name, time_s)]
    assert cosign.check(found, [Witness(name, KEY.pub)], sample.verify) == [(name, time_s)]


def test_a_second_witness_keeps_the_first() -> None:
    assert both().startswith(made())
    assert made().startswith(DATA)
    found = sound(cosign.parse(both()))
    assert cosign.check(found, [SECOND, WITNESS], sample.verify) == [(WITNESS.name, TIME), (SECOND.name, TIME + 60)]
    assert cosign.check(found, [SECOND], sample.verify) == [(SECOND.name, TIME + 60)]


def test_fourteen_witnesses_have_room_and_a_fifteenth_has_not() -> None:
    data = DATA
    for number in range(cosign.MAX_COSIGNATURES):
        data = made(data, TIME + number)
    assert len(sound(cosign.parse(data)).cosignatures) == 14
    with pytest.raises(ValueError, match="16 signatures"):
        made(data)


@pytest.mark.parametrize("time_s", [-1, cosign.MAX_TIME + 1, 2**63])
def test_a_time_no_reader_would_take_is_our_own_mistake(time_s: int) -> None:
    with pytest.raises(ValueError, match="time"):
        made(time_s=time_s)


@pytest.mark.parametrize("data", [b"", b"text\n\n", DATA[:-1], DATA + b"x"])
def test_only_a_checkpoint_can_be_cosigned(data: bytes) -> None:
    with pytest.raises(ValueError, match=":"):
        made(data)


def test_a_witness_without_a_name_a_note_can_carry_is_our_own_mistake() -> None:
    for name in ("", "two words", "a+b", "a\nb", "\ud800"):
        with pytest.raises(ValueError, match="name"):
            cosign.make(DATA, name, KEY.pub, KEY.sign, TIME)
        with pytest.raises(ValueError, match="name"):
            cosign.witness_text(Witness(name, KEY.pub))


def test_every_changed_byte_of_a_cosigned_checkpoint_is_found() -> None:
    data = made()
    epoch_line = range(DATA.index(b"/e0 "), len(DATA))  # not judged here: its key comes from the entries
    for at in range(len(data)):
        for bit in (1, 32):
            spoiled = bytearray(data)
            spoiled[at] ^= bit
            found = cosign.seen(bytes(spoiled), ORIGIN, IDENTITY.pub, [WITNESS], sample.verify)
            assert isinstance(found, Fault) or at in epoch_line, at


def test_a_witness_nobody_named_is_passed_over_but_is_not_enough() -> None:
    alone = sound(cosign.parse(made()))
    for witnesses in ([], [SECOND], [Witness(WITNESS.name, OTHER.pub)], [Witness("w", KEY.pub)]):
        fault = cosign.check(alone, witnesses, sample.verify)
        assert isinstance(fault, Fault)
        assert fault.code == "BAD_SIGNERS"


@pytest.mark.parametrize("value", [b"\5" * 64, b"\5" * 72, b"\xff" * 72, b"\5" * 2428, b"\5"])
def test_a_strangers_line_of_any_kind_is_passed_over(value: bytes) -> None:
    """Other kinds of keys sign in other lengths; only a known witness's line has to be of ours."""
    data = made() + note.line("stranger.example", OTHER.pub, value).encode()
    found = sound(cosign.parse(data))
    assert cosign.check(found, [WITNESS], sample.verify) == [(WITNESS.name, TIME)]
    assert isinstance(cosign.check(found, [SECOND], sample.verify), Fault)
    again = sound(cosign.parse(cosign.make(data, SECOND.name, SECOND.pub, OTHER.sign, TIME)))
    assert cosign.check(again, [WITNESS, SECOND], sample.verify) == [(WITNESS.name, TIME), (SECOND.name, TIME)]
    spoiled = sound(cosign.parse(made() + note.line(SECOND.name, SECOND.pub, value, note.COSIGNATURE).encode()))
    assert isinstance(cosign.check(spoiled, [WITNESS, SECOND], sample.verify), Fault)


def test_one_false_line_of_a_named_witness_spoils_the_true_ones() -> None:
    lie = note.line(SECOND.name, SECOND.pub, TIME.to_bytes(8, "big") + KEY.sign(b"else"), note.COSIGNATURE)
    found = sound(cosign.parse(made() + lie.encode()))
    assert cosign.check(found, [WITNESS], sample.verify) == [(WITNESS.name, TIME)]
    fault = cosign.check(found, [WITNESS, SECOND], sample.verify)
    assert isinstance(fault, Fault)
    assert (fault.code, fault.where) == ("BAD_SIGNATURE", SECOND.name)


def test_a_cosignature_moved_to_another_state_does_not_hold() -> None:
    line = made()[len(DATA) :]
    found = sound(cosign.parse(Log(sample.entries(4)).checkpoint(4) + line))
    fault = cosign.check(found, [WITNESS], sample.verify)
    assert isinstance(fault, Fault)
    assert fault.code == "BAD_SIGNATURE"


def test_what_witnesses_saw_comes_with_name_and_time() -> None:
    found = cosign.seen(both(), ORIGIN, IDENTITY.pub, [WITNESS, SECOND], sample.verify)
    assert found == [
        Seen(ORIGIN, 3, ROOT, f"witness {WITNESS.name}", TIME * 1000),
        Seen(ORIGIN, 3, ROOT, f"witness {SECOND.name}", (TIME + 60) * 1000),
    ]


@pytest.mark.parametrize(
    ("origin", "pub", "code"), [("0e" * 16, IDENTITY.pub, "WRONG_ORIGIN"), (ORIGIN, KEY.pub, "KEY_ID")]
)
def test_a_witness_does_not_make_up_for_the_logs_own_signature(origin: str, pub: bytes, code: str) -> None:
    fault = cosign.seen(made(), origin, pub, [WITNESS], sample.verify)
    assert isinstance(fault, Fault)
    assert fault.code == code


@given(st.one_of(st.binary(max_size=300), st.text(max_size=120).map(str.encode)), st.integers(0, 700))
def test_random_cosigned_checkpoints_never_raise(data: bytes, at: int) -> None:
    assert isinstance(cosign.parse(data), Fault)
    whole = both()
    for spoiled in (DATA + data, whole[:at] + data + whole[at:], whole[:at] + data):
        found = cosign.parse(spoiled)
        assert isinstance(found, (Cosigned, Fault))
        if isinstance(found, Cosigned):
            cosign.check(found, [WITNESS, SECOND], sample.verify)


@given(NAMES, st.binary(min_size=32, max_size=32))
def test_keys_of_witnesses_print_and_read_back(name: str, seed: bytes) -> None:
    pub = Key(seed.hex()).pub
    witness, signer = Witness(name, pub), Signer(name, pub, seed)
    assert cosign.parse_witness(cosign.witness_text(witness)) == witness
    assert cosign.parse_signer(cosign.signer_text(signer), lambda got: pub if got == seed else b"") == signer
    assert signer.witness == witness


@given(st.text(max_size=80), st.text(st.characters(codec=None), max_size=20))
def test_random_key_texts_never_raise(text: str, strange: str) -> None:
    spelled = cosign.witness_text(WITNESS)
    for one in (text, strange, strange + spelled, spelled + strange):
        found = cosign.parse_witness(one)
        assert isinstance(found, Fault) or cosign.witness_text(found) == one
        secret = cosign.parse_signer("PRIVATE+KEY+" + one, lambda seed: seed)
        assert isinstance(secret, Fault) or secret.witness.name


def test_every_changed_letter_of_a_key_is_found() -> None:
    for text in (cosign.witness_text(WITNESS), cosign.signer_text(Signer(WITNESS.name, KEY.pub, b"s" * 32))):
        for at in range(len(text)):
            spoiled = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
            assert isinstance(cosign.parse_witness(spoiled), Fault)
            assert isinstance(cosign.parse_signer(spoiled, lambda seed: Key(seed.hex()).pub), Fault)


def test_a_secret_key_is_never_shown() -> None:
    signer = Signer(WITNESS.name, KEY.pub, b"SECRETSECRETSECRETSECRETSECRETSE")
    assert "SECRET" not in repr(signer)
    fault = cosign.parse_signer(cosign.signer_text(signer), lambda _: b"x" * 32)
    assert isinstance(fault, Fault)
    assert "SECRET" not in str(fault)
    assert cosign.signer_text(signer)[-20:] not in str(fault)


def test_a_cosigned_checkpoint_is_not_taken_for_a_plain_one() -> None:
    assert isinstance(checkpoint.parse(made()), Fault)
    assert isinstance(cosign.parse(DATA), Fault)
