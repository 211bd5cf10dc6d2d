"""Offline proofs: whoever holds the key can check one entry, and nothing else passes for it."""

from __future__ import annotations

import base64
import dataclasses
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import bundle, checkpoint, cosign, entry, merkle, proof, sign25519, stored
from notevault.auditlog.fault import Fault, sound
from notevault.auditlog.folder import folder_reader
from tests.auditlog import sample
from tests.auditlog.forge import Forge, ForgedLog
from tests.auditlog.sample import IDENTITY, ORIGIN, Key, Log

ENTRIES = sample.entries(700)
LOG = Log.of(ENTRIES)
TEXT = sound(proof.make(LOG.read, 300))
PROOF = sound(proof.parse(TEXT))


def code(found: object) -> str:
    return found.code if isinstance(found, Fault) else "none"


def check(one: proof.Proof) -> checkpoint.Checkpoint | Fault:
    return proof.check(one, IDENTITY.pub, sample.verify, ORIGIN)


# -- what holds


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 511, 512, 513, 700])
def test_a_proof_of_any_entry_of_any_log_holds_and_prints_again(size: int) -> None:
    log = Log.of(ENTRIES[:size])
    places = {0, 1, size // 2, 254, 255, 256, 257, 511, 512, size - 2, size - 1}
    for index in sorted(i for i in places if 0 <= i < size):
        text = sound(proof.make(log.read, index))
        one = sound(proof.parse(text))
        assert proof.dump(one) == text
        assert proof.parse(text.encode()) == one
        assert (one.index, one.entry, list(one.path)) == (
            index,
            ENTRIES[index],
            merkle.prove_inclusion(log.leaves, index),
        )
        state = sound(check(one))
        assert (state.size, state.root) == (size, merkle.root(log.leaves))


def test_the_built_in_verifier_will_do() -> None:
    assert sound(proof.check(PROOF, IDENTITY.pub)).size == 700


def test_the_text_is_that_of_tlog_proof() -> None:
    lines = TEXT.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1] == "extra " + base64.b64encode(ENTRIES[300]).decode()
    assert lines[2] == "index 300"
    assert lines[3:].index("") == len(PROOF.path)
    assert TEXT.endswith("\n\n" + LOG.files["checkpoint"].decode())


@pytest.fixture
def log(tmp_path: Path) -> ForgedLog:
    """Epochs that end at 300 and 600, 700 entries."""
    made = Forge(tmp_path).begin()
    for end in (300, 600):
        while made.size < end - 1:
            made.add("session.lock")
        made.close()
    while made.size < 700:
        made.add("session.lock")
    made.store()
    return made


def test_an_older_signed_state_proves_an_entry_too(log: ForgedLog) -> None:
    read = folder_reader(log.folder)
    for epoch, size in ((0, 300), (1, 600)):
        one = sound(proof.parse(sound(proof.make(read, 299, log.seals[epoch]))))
        assert sound(proof.check(one, log.identity.pub, sample.verify)).size == size
        assert code(proof.make(read, size, log.seals[epoch])) == "BAD_INDEX"


def test_a_proof_under_a_cosigned_state_carries_what_the_witness_said(log: ForgedLog) -> None:
    seed = bytes(range(32))
    witness = cosign.Witness("auditor.example", sign25519.public_key(seed))
    signed = cosign.make(log.signed(), witness.name, witness.pub, lambda text: sign25519.sign(seed, text), 5)
    text = sound(proof.make(folder_reader(log.folder), 42, signed))
    one = sound(proof.parse(text))
    assert proof.dump(one) == text
    assert sound(proof.check(one, log.identity.pub, sample.verify)) == sound(checkpoint.parse(log.signed()))
    assert cosign.check(sound(cosign.parse(one.signed)), [witness], sample.verify) == [("auditor.example", 5)]


# -- what does not


SPOILED: dict[str, tuple[Callable[[proof.Proof], proof.Proof], str]] = {
    "another entry": (lambda one: dataclasses.replace(one, entry=ENTRIES[301]), "BAD_PROOF"),
    "another index": (lambda one: dataclasses.replace(one, index=301), "BAD_PROOF"),
    "a hash changed": (lambda one: dataclasses.replace(one, path=(bytes(32), *one.path[1:])), "BAD_PROOF"),
    "a hash less": (lambda one: dataclasses.replace(one, path=one.path[:-1]), "BAD_PROOF"),
    "a hash more": (lambda one: dataclasses.replace(one, path=(*one.path, bytes(32))), "BAD_PROOF"),
    "a short hash": (lambda one: dataclasses.replace(one, path=(one.path[0][:31], *one.path[1:])), "BAD_PROOF"),
    "an index beyond": (lambda one: dataclasses.replace(one, index=700), "BAD_PROOF"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_changed_proof_does_not_hold(what: str) -> None:
    change, fault = SPOILED[what]
    assert code(check(change(PROOF))) == fault


def test_a_proof_is_of_one_log_and_one_owner() -> None:
    assert code(proof.check(PROOF, Key("stranger").pub, sample.verify)) == "KEY_ID"
    assert code(proof.check(PROOF, IDENTITY.pub, sample.verify, "00" * 16)) == "WRONG_ORIGIN"
    forged = TEXT.replace("\n700\n", "\n701\n")
    assert code(check(sound(proof.parse(forged)))) in ("BAD_PROOF", "BAD_SIGNATURE")


def test_a_state_that_was_never_signed_proves_nothing() -> None:
    """A thief makes a log of one entry: the way is right, the signature is not the owner's."""
    data = ENTRIES[5]
    thief = Key("thief")
    state = checkpoint.make(
        ORIGIN, 1, merkle.leaf_hash(data), 0, thief.sign, thief.sign, IDENTITY.pub, sample.EPOCH0.pub
    )
    one = proof.Proof(0, data, (), sound(checkpoint.parse(state)), state)
    assert code(check(one)) == "BAD_SIGNATURE"


def test_no_proof_is_made_of_entries_that_are_not_the_signed_ones() -> None:
    for name in ("entries/000", "entries/001", "open"):
        files = dict(LOG.files)
        at = len(files[name]) // 2
        files[name] = files[name][:at] + bytes([files[name][at] ^ 1]) + files[name][at + 1 :]
        found = proof.make(files.get, 600)
        assert code(found) in ("none", "WRONG_ROOT")
        # a bundle that the proof does not need may be spoiled where `hashes` vouches for it
        assert (code(found) == "none") == (name != "open")
        del files["hashes"]
        assert code(proof.make(files.get, 600)) == "WRONG_ROOT"


def test_a_cache_does_not_vouch_for_the_bundle_that_is_proven() -> None:
    files = {**LOG.files, "entries/001": LOG.files["entries/000"]}
    assert code(proof.make(files.get, 300)) == "WRONG_ROOT"


def test_a_wrong_cache_is_not_believed() -> None:
    for wrong in (b"", bytes(64), LOG.files["hashes"][:63], b"\1" + LOG.files["hashes"][1:]):
        assert proof.make({**LOG.files, "hashes": wrong}.get, 300) == TEXT


@pytest.mark.parametrize(
    ("gone", "index", "fault"),
    [("entries/000", 5, "MISSING"), ("entries/001", 300, "MISSING"), ("open", 600, "CUT_SHORT"),
     ("checkpoint", 5, "MISSING")],
)  # fmt: skip
def test_what_is_not_there_is_named(gone: str, index: int, fault: str) -> None:
    files = {name: data for name, data in LOG.files.items() if name != gone}
    found = proof.make(files.get, index)
    assert (code(found), getattr(found, "where", "")) == (fault, gone)


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("entries/001", b"\0\0", "BAD_LENGTH"),
        ("entries/001", b"", "CUT_SHORT"),
        ("entries/001", bundle.pack(ENTRIES[:255]), "CUT_SHORT"),
        ("entries/001", bundle.pack(ENTRIES[:257]), "TOO_MANY"),
        ("open", b"\xff\xff", "BAD_LENGTH"),
        ("open", b"", "CUT_SHORT"),
    ],
)
def test_a_file_that_is_not_a_bundle_is_named(name: str, data: bytes, fault: str) -> None:
    files = {**LOG.files, name: data}
    index = 600 if name == "open" else 300
    for one in (index, 5):  # its own entries; and others, whose way needs it
        found = proof.make({**files, "hashes": b""}.get, one)
        assert isinstance(found, Fault)
        assert (found.code, found.where.partition(":")[0]) == (fault, name)


def test_what_is_given_as_signed_must_be_a_checkpoint() -> None:
    assert code(proof.make(LOG.read, 5, b"nonsense")) == "NOT_A_NOTE"
    assert code(proof.make(LOG.read, 5, b"")) == "NOT_A_NOTE"


@pytest.mark.parametrize("index", [-1, 700, 2**53, 2**70])
def test_an_entry_that_is_not_signed_has_no_proof(index: int) -> None:
    assert code(proof.make(LOG.read, index)) == "BAD_INDEX"
    assert code(proof.make(Log.of([]).read, index)) == "BAD_INDEX"


def test_a_huge_signed_size_is_not_looped_over() -> None:
    files = {**LOG.files, "checkpoint": _signed(2**53 - 1, bytes(32))}
    assert code(proof.make(files.get, 2**52)) == "MISSING"
    assert code(proof.make(files.get, 5)) in ("MISSING", "CUT_SHORT")


def test_a_bundle_closed_while_we_read_is_found_again() -> None:
    """`open` is given its bundle's name, and a new one begun, between our two looks."""
    log = Log.of(ENTRIES[:256])
    looks: list[str] = []

    def read(name: str) -> bytes | None:
        looks.append(name)
        if name == "entries/000" and looks.count(name) == 1:
            return None
        return b"" if name == "open" else log.read(name)

    assert sound(stored.entries_of(read, 256, 0)) == ENTRIES[:256]


# -- large logs


def _signed(size: int, root: bytes) -> bytes:
    keys = (IDENTITY.sign, sample.EPOCH0.sign, IDENTITY.pub, sample.EPOCH0.pub)
    return checkpoint.make(ORIGIN, size, root, 0, *keys)


def test_a_proof_in_a_million_entries_holds_one_bundle_in_memory() -> None:
    size = 1_000_000
    full = size // 256

    def part(number: int) -> list[bytes]:
        return [b"entry %d" % i for i in range(number * 256, min((number + 1) * 256, size))]

    roots = [merkle.root([merkle.leaf_hash(data) for data in part(number)]) for number in range(full + 1)]
    root, looked = merkle.root(roots), 0

    def read(name: str) -> bytes | None:
        nonlocal looked
        if name == "checkpoint":
            return _signed(size, root)
        if name == "hashes":
            return b"".join(roots[:full])
        looked += name.startswith("entries/")
        if name == "open":
            return bundle.pack(part(full))
        number = int(name.removeprefix("entries/").replace("x", "").replace("/", ""))
        return bundle.pack(part(number)) if number < full else None

    tracemalloc.start()
    text = sound(proof.make(read, 654_321))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sound(check(sound(proof.parse(text)))).size == size
    assert peak < 3_000_000  # the leaf hashes alone would take 32 MB and more
    assert looked <= 3


# -- the parser


def _b64(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


HASH = TEXT.split("\n")[4]
GRAMMAR: dict[str, tuple[str, str]] = {
    "nothing": ("", "NOT_A_PROOF"),
    "another version": (TEXT.replace("@v1", "@v2", 1), "NOT_A_PROOF"),
    "a byte-order mark": ("\ufeff" + TEXT, "NOT_A_PROOF"),
    "line ends of another system": (TEXT.replace("\n", "\r\n"), "NOT_A_PROOF"),
    "an empty line first": ("\n" + TEXT, "NOT_A_PROOF"),
    "no entry": (TEXT.replace(TEXT.split("\n")[1] + "\n", ""), "NOT_A_PROOF"),
    "an empty entry": (TEXT.replace(TEXT.split("\n")[1], "extra "), "NOT_A_PROOF"),
    "an entry too long": (TEXT.replace(TEXT.split("\n")[1], "extra " + _b64(entry.LIMIT + 1)), "NOT_A_PROOF"),
    "an entry in two spellings": (TEXT.replace("extra ", "extra  ", 1), "NOT_A_PROOF"),
    "two entries": (TEXT.replace("index", TEXT.split("\n")[1] + "\nindex", 1), "NOT_A_PROOF"),
    "neither entry nor index": (TEXT[: TEXT.index("\n") + 1] + TEXT[TEXT.index("\n\n") :], "NOT_A_PROOF"),
    "no index": (TEXT.replace("index 300\n", "", 1), "NOT_A_PROOF"),
    "an index with a zero before it": (TEXT.replace("index 300", "index 0300", 1), "NOT_A_PROOF"),
    "an index with a sign": (TEXT.replace("index 300", "index +300", 1), "NOT_A_PROOF"),
    "an index in other digits": (TEXT.replace("index 300", "index \u0663", 1), "NOT_TEXT"),
    "an index beyond 2^53": (TEXT.replace("index 300", f"index {2**53}", 1), "NOT_A_PROOF"),
    "an index beyond the log": (TEXT.replace("index 300", "index 700", 1), "BAD_INDEX"),
    "a hash of 31 bytes": (TEXT.replace(HASH, _b64(31), 1), "NOT_A_PROOF"),
    "a hash of 33 bytes": (TEXT.replace(HASH, _b64(33), 1), "NOT_A_PROOF"),
    "a hash without padding": (TEXT.replace(HASH, HASH[:-1], 1), "NOT_A_PROOF"),
    "a hash with a space": (TEXT.replace(HASH, HASH + " ", 1), "NOT_A_PROOF"),
    "too many hashes": (TEXT.replace(HASH, "\n".join([_b64(32)] * 64), 1), "NOT_A_PROOF"),
    "no empty line": (TEXT.replace("\n\n", "\n", 1), "NOT_A_PROOF"),
    "two empty lines": (TEXT.replace("\n\n", "\n\n\n", 1), "EXTENSION"),
    "no state": (TEXT[: TEXT.index("\n\n") + 2], "NOT_A_NOTE"),
    "no last newline": (TEXT[:-1], "NOT_A_NOTE"),
    "something behind it": (TEXT + "x", "NOT_A_NOTE"),
    "half a character": (TEXT + "\ud800", "NOT_TEXT"),
    "far too long": (TEXT + "x" * proof.MAX_BYTES, "TOO_LARGE"),
}


@pytest.mark.parametrize("what", GRAMMAR)
def test_the_parser_takes_one_spelling_only(what: str) -> None:
    text, fault = GRAMMAR[what]
    assert text != TEXT
    assert code(proof.parse(text)) == fault


def test_the_largest_proof_fits_its_limit() -> None:
    state = _signed(2**53 - 1, bytes(32))
    for number in range(cosign.MAX_COSIGNATURES):
        state = cosign.make(state, f"witness {number}".replace(" ", "-"), bytes(32), lambda _: bytes(64), 1)
    one = proof.Proof(2**53 - 2, b"x" * entry.LIMIT, (bytes(32),) * 63, sound(cosign.parse(state)).checkpoint, state)
    assert proof.parse(proof.dump(one)) == one


def test_what_would_not_read_again_is_not_written() -> None:
    with pytest.raises(ValueError, match="not a proof that can be written"):
        proof.dump(dataclasses.replace(PROOF, index=700))


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200), st.text("\n ={}extraindx0123c@v1sp./", max_size=80)))
def test_any_input_gives_a_proof_or_a_fault(data: str | bytes) -> None:
    assert isinstance(proof.parse(data), Fault)


@given(st.data())
def test_what_reads_prints_again_to_the_same_bytes(data: st.DataObject) -> None:
    """Bytes of a true proof changed, doubled and dropped: what still reads has no second spelling."""
    raw = bytearray(TEXT.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    found = proof.parse(bytes(raw))
    if not isinstance(found, Fault):
        assert proof.dump(found).encode() == bytes(raw)
        assert bytes(raw) == TEXT.encode() or isinstance(check(found), Fault)


@given(st.integers(1, 700), st.data())
def test_a_path_through_bundles_is_the_path_through_leaves(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = LOG.leaves[:size]
    parts = [leaves[at : at + 256] for at in range(0, size, 256)]
    made = proof.inclusion([merkle.root(part) for part in parts], parts[index // 256], index)
    assert made == merkle.prove_inclusion(leaves, index)
