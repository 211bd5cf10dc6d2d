"""What Go's packages refuse: each way to tamper with a log gives exit 1 and a line that names what does not hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog import note
from tests.auditlog import sample
from tests.auditlog.forge import FastKey, Forge, ForgedLog, put
from tests.auditlog.sample import Key, Log
from tests.interop import logs
from tests.interop.conftest import Checklog
from tests.interop.test_interop import proofs

THIEF = FastKey("thief")


@pytest.fixture
def log(tmp_path: Path) -> ForgedLog:
    """700 entries in three epochs, which end at 300 and 600."""
    return logs.epochs(tmp_path / "vault", 300, 600, then=100)


def _edited(log: ForgedLog) -> None:
    """One byte of entry 100, which stays an entry."""
    data = (log.folder / "entries/000").read_bytes()
    at = data.index(log.entries[100]) + log.entries[100].index(b'"w":"') + 5
    changed = data[:at] + b"0" + data[at + 1 :]
    assert changed != data
    put(log.folder / "entries/000", changed)


def _resigned(log: ForgedLog) -> None:
    """The whole past rewritten and signed with the keys of today."""
    log.rewrite(100, _later)


def _later(values: dict[str, Any]) -> None:
    values["t"] += 1


def _relinked(log: ForgedLog) -> None:
    log.rewrite(650, _later, sign=False)


def _swapped(log: ForgedLog) -> None:
    entries = list(log.entries)
    entries[10], entries[11] = entries[11], entries[10]
    log.lay(entries)


def _cut(log: ForgedLog) -> None:
    data = (log.folder / "open").read_bytes()
    put(log.folder / "open", data[:-1])


def _foreign_checkpoint(log: ForgedLog) -> None:
    other = Forge(log.vault.folder / "other").begin("other")
    while other.size < log.size:
        other.add("session.lock")
    log.sign(other.signed())


def _rolled_back(log: ForgedLog) -> None:
    log.sign(log.signed(400, 1))


def _seal_line(log: ForgedLog, epoch: int, identity: Key, key: Key) -> bytes:
    """A seal whose two lines carry signatures of these keys under the ids of the right ones."""
    true = log.seals[epoch].decode()
    text = true[: true.index("\n\n") + 1]
    names = (log.identity, f"notevault/{log.origin}"), (log.epoch_key(epoch), f"notevault/{log.origin}/e{epoch}")
    signers = (identity, key)
    lines = [
        note.line(name, own.pub, signer.sign(text.encode())) for (own, name), signer in zip(names, signers, strict=True)
    ]
    return note.assemble(text, lines)


TAMPERED: dict[str, tuple[Callable[[ForgedLog], object], str]] = {
    "a byte of an entry": (_edited, "FAIL 700 entries, each following from the one before: entry 101"),
    "an entry of the past, all linked anew": (_relinked, "FAIL root: signed for 700"),
    "a past rewritten and signed with the keys of today": (_resigned, "FAIL seal 00000000: signed for 300"),
    "an entry removed": (lambda log: log.lay([*log.entries[:5], *log.entries[6:]]), "FAIL 700 entries, each following"),
    "the last entry removed": (lambda log: log.lay(log.entries[:-1]), "bundle 2: entries are missing"),
    "an entry doubled": (lambda log: log.lay([*log.entries[:5], *log.entries[4:]]), "entry 5: it calls itself another"),
    "two entries swapped": (_swapped, "entry 10: it calls itself another"),
    "a byte of a length": (lambda log: logs.spoil(log.folder / "entries/001", 0), "bundle 1: "),
    "a bundle emptied": (lambda log: put(log.folder / "entries/000", b""), "bundle 0: entries are missing"),
    "a bundle gone": (lambda log: (log.folder / "entries/001").unlink(), "bundle 1: no such file"),
    "the end cut off": (_cut, "bundle 2: an entry is cut short"),
    "the checkpoint of another log": (_foreign_checkpoint, "FAIL checkpoint signed by the identity key"),
    "a shorter, true checkpoint": (_rolled_back, "FAIL no bundle beyond the signed size: signed 400, but bundle 1"),
    "a byte of the checkpoint": (lambda log: logs.spoil(log.folder / "checkpoint", 60), "FAIL checkpoint signed by"),
    "the checkpoint by a thief's epoch key": (
        lambda log: log.sign(log.signed(key=THIEF)),
        "FAIL checkpoint signed by the epoch key",
    ),
    "the checkpoint by an old epoch's key": (
        lambda log: log.sign(log.signed(epoch=0)),
        "FAIL checkpoint signed by the epoch key",
    ),
    "a byte of a seal": (lambda log: logs.spoil(log.folder / "seals/00000001", -20), "FAIL seal 00000001"),
    "a seal by a thief's identity": (
        lambda log: log.seal(0, _seal_line(log, 0, THIEF, log.epoch_key(0))),
        "FAIL seal 00000000: invalid signature",
    ),
    "a seal by a thief's epoch key": (
        lambda log: log.seal(1, _seal_line(log, 1, log.identity, THIEF)),
        "FAIL seal 00000001: invalid signature",
    ),
    "a seal by the next epoch's key": (lambda log: log.seal(0, log.signed(300, 1)), "FAIL seal 00000000: 1 verified"),
    "a seal missing": (lambda log: log.seal(0, None), "FAIL seal 00000000: it is missing, entry 299 closes that epoch"),
    "a seal of another size": (
        lambda log: log.seal(1, log.signed(599, 1)),
        "FAIL seal 00000001: it is of 599 entries, the epoch ends with 600",
    ),
    "a seal too many": (lambda log: log.seal(2, log.signed(700)), "FAIL seal 00000002: no entry closes that epoch"),
    "a seal of other entries": (
        lambda log: log.seal(1, log.statement(600, b"\7" * 32, 1)),
        "FAIL seal 00000000 (300) begins seal 00000001 (600): invalid transparency proof",
    ),
    "a byte of the card": (lambda log: logs.spoil(log.folder / "card", 20), "FAIL card"),
    "the card of another log": (
        lambda log: put(log.folder / "card", Forge(log.folder).begin("other").card),
        "FAIL checkpoint signed by the identity key",
    ),
    "the card by another vault": (
        lambda log: put(log.folder / "card", log.card.replace(log.vault.vik.hex().encode(), b"0" * 64)),
        "FAIL card: the vault's signature does not hold",
    ),
    "no checkpoint": (lambda log: (log.folder / "checkpoint").unlink(), "FAIL checkpoint signed by the identity key"),
}  # fmt: skip


def test_the_log_is_sound_before_it_is_tampered_with(log: ForgedLog, checklog: Checklog) -> None:
    assert checklog(log.folder).code == 0


@pytest.mark.parametrize("what", TAMPERED)
def test_go_refuses(what: str, log: ForgedLog, checklog: Checklog) -> None:
    tamper, named = TAMPERED[what]
    tamper(log)
    said = checklog(log.folder)
    assert said.code == 1
    assert any(named in line for line in said.failures), said.lines


def test_a_thief_with_todays_keys_cannot_rewrite_before_the_last_seal(log: ForgedLog, checklog: Checklog) -> None:
    """And can after it: that is why anchors are kept elsewhere."""
    for index, code in ((599, 1), (600, 0)):
        log.rewrite(index, _later)
        assert checklog(log.folder).code == code
    kept = log.anchor(log.vault.folder / "anchors", 650).parent
    assert checklog("-anchors", kept, log.folder).failures[0].startswith("FAIL anchor 650-")


def test_go_refuses_a_log_with_the_card_of_another(log: ForgedLog, checklog: Checklog, tmp_path: Path) -> None:
    other = put(tmp_path / "card", Forge(tmp_path).begin("other").card)
    assert checklog("-card", other, log.folder).failures[0].startswith("FAIL checkpoint signed by the identity key")


def test_go_refuses_a_proof_of_another_entry(checklog: Checklog, tmp_path: Path) -> None:
    log = Log.of(sample.entries(300))
    given = proofs(log)
    given[0]["leaf"] = given[1]["leaf"]
    given[-2]["oldRoot"] = given[-3]["oldRoot"]
    given[3]["path"][2] = given[3]["path"][1]
    (tmp_path / "proofs.json").write_text(json.dumps(given))
    said = checklog("-proofs", tmp_path / "proofs.json", log.store(tmp_path / "log"))
    assert (said.code, len(said.failures)) == (1, 3)


@pytest.mark.slow
def test_no_single_changed_byte_of_a_log_escapes_go(checklog: Checklog, tmp_path: Path) -> None:
    """Every 13th byte of every file but the cache `hashes`, one bit each; some 600 runs."""
    log = logs.epochs(tmp_path, 4, 8, then=3)
    names = ["card", "checkpoint", "seals/00000000", "seals/00000001", "open"]
    for name in names:
        path = log.folder / name
        kept = path.read_bytes()
        places = sorted({*range(0, len(kept), 13), *range(len(kept) - 6, len(kept))})
        for at in places:
            path.write_bytes(kept[:at] + bytes([kept[at] ^ 1 << at % 7]) + kept[at + 1 :])
            assert checklog(log.folder).code == 1, (name, at)
        path.write_bytes(kept)
    assert checklog(log.folder).code == 0


def test_a_doubled_signature_or_another_spelling_of_it_is_refused(log: ForgedLog, checklog: Checklog) -> None:
    """Both hold for `sumdb/note`; we have one spelling for everything."""
    true = log.signed()
    line = true[true.rindex(b"\n", 0, -1) + 1 :]
    bits = true[:-3] + bytes([_next_digit(true[-3])]) + true[-2:]
    for data in (true + line, bits):
        log.sign(data)
        assert checklog(log.folder).code == 1
    log.sign(true)
    assert checklog(log.folder).code == 0


def _next_digit(char: int) -> int:
    """The base64 digit after this one: its last two bits are unused here."""
    digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return digits[digits.index(char) + 1]


@pytest.mark.parametrize("size", [701, 2**40, 2**53 - 1])
def test_a_signed_size_far_beyond_the_log_ends_at_once(size: int, log: ForgedLog, checklog: Checklog) -> None:
    log.sign(log.statement(size, bytes(32), 2))
    said = checklog(log.folder)
    assert (said.code, len(said.failures)) == (1, 1)
    assert "bundle 2: " in said.failures[0]
