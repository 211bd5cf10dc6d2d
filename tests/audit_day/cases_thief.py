"""A thief with an open login session: he has the log's keys of today (identity and current epoch), no passphrase.

He can write the past anew and sign the newest state. What he cannot sign are the seals of epochs that are closed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from notevault.crypto import signing
from tests.audit_day.cases import CARD, LATE, STATE, Told, case
from tests.audit_day.scene import Copy, Fields, encode, rechained, seed_of

THIEF = "a thief's key"


def _past(copy: Copy) -> int:
    """What he wants to be rid of: his failed try at the door, of the morning."""
    return copy.which("session.fail")[0]


def _hidden(copy: Copy, i: int) -> list[bytes]:
    """Entry `i` made into something harmless, all later ones linked anew."""

    def change(j: int, fields: Fields) -> None:
        if j == i:
            fields.update(ev="session.lock", o="ok", pu="care", k={"why": "key"})

    return rechained(copy.entries, i, change)


def _rewritten(copy: Copy) -> tuple[int, list[bytes]]:
    i = _past(copy)
    entries = _hidden(copy, i)
    copy.lay(entries, hashes=True)
    copy.sign(entries)
    return i, entries


@case("thief, keys of today", "past written anew and signed again")
def past_rewritten(copy: Copy) -> Told:
    i, _ = _rewritten(copy)
    epoch = copy.epoch_of(i)
    first, last = copy.span(epoch)
    words = f"REWRITTEN between entries {first}-{last}: seal {epoch} is of other entries"
    return Told(1, "REWRITTEN", words, first, last, go=f"seal {epoch:08d}")


@case("thief, keys of today", "the same, at a later visit", CARD, STATE)
def past_rewritten_state(copy: Copy) -> Told:
    i, _ = _rewritten(copy)
    epoch = copy.epoch_of(i)
    first, _ = copy.span(epoch)
    return Told(1, "FORKED", "FORKED: the first ", first, _noon(copy) - 1, also=("REWRITTEN",), go=f"seal {epoch:08d}")


@case("thief, keys of today", "the newest of the closed stretches only")
def last_epoch_rewritten(copy: Copy) -> Told:
    first, last = copy.span(copy.epoch - 1)
    entries = rechained(copy.entries, first, lambda j, fields: fields.update(t=fields["t"] + 1))
    copy.lay(entries, hashes=True)
    copy.sign(entries)
    words = f"REWRITTEN between entries {first}-{last}: seal {copy.epoch - 1} is of other entries"
    return Told(1, "REWRITTEN", words, first, last, go=f"seal {copy.epoch - 1:08d}")


@case("thief, keys of today", "past written anew, an entry left out")
def past_shortened(copy: Copy) -> Told:
    i = _past(copy)
    entries = rechained([*copy.entries[:i], *copy.entries[i + 1 :]], i)
    copy.lay(entries, hashes=True)
    copy.sign(entries)
    epoch = copy.epoch_of(i)
    # The epoch now ends an entry earlier than its seal says.
    return Told(
        1,
        "FORGED",
        f"FORGED seal {epoch}: it is not of the entry that closes the epoch",
        copy.closes[epoch] - 1,
        copy.closes[epoch] - 1,
        also=("HEADER_CHANGED",),  # the key file says, signed by the vault, which entry named it
        go=f"seal {epoch:08d}",
    )


@case("thief, keys of today", "past written anew, the seals that tell of it removed")
def seals_removed(copy: Copy) -> Told:
    i, _ = _rewritten(copy)
    epoch = copy.epoch_of(i)
    for each in range(epoch, copy.epoch):
        copy.seal(each).unlink()
    at = copy.closes[epoch]
    return Told(
        2,
        "NOT_SEALED",
        f"NOT SEALED: epoch {epoch}, which entry {at} closes",
        at,
        at,
        go=f"seal {epoch:08d}: it is missing",
    )


@case("thief, keys of today", "the same, at a later visit", CARD, STATE)
def seals_removed_state(copy: Copy) -> Told:
    told = seals_removed(copy)
    first, _ = copy.span(copy.epoch_of(_past(copy)))
    return Told(1, "FORKED", "FORKED: the first ", first, _noon(copy) - 1, go=told.go)


@case("thief, keys of today", "past written anew, the seals signed with the key of today")
def seals_forged(copy: Copy) -> Told:
    i, entries = _rewritten(copy)
    epoch = copy.epoch_of(i)
    for each in range(epoch, copy.epoch):
        copy.seal_as(each, entries, copy.scene.loot.epoch_seed)
    at = copy.closes[epoch]
    return Told(1, "FORGED", f"FORGED seal {epoch}: the signature names another key", at, at, go=f"seal {epoch:08d}")


def _own_keys(copy: Copy, start: int) -> list[bytes]:
    """From `start` on every close brings a key of the thief's; he signs all that follows, checkpoint and seals."""

    def change(j: int, fields: Fields) -> None:
        if fields["ev"] == "epoch.close":
            fields["k"] = {"key": signing.public_key(seed_of(f"{THIEF} {fields['e'] + 1}")).hex()}

    entries = rechained(_hidden(copy, start), start, change)
    copy.lay(entries, hashes=True)
    (copy.log / "checkpoint").write_bytes(copy.statement(entries, copy.epoch, seed_of(f"{THIEF} {copy.epoch}")))
    for epoch in range(copy.epoch_of(start) + 1, copy.epoch):
        copy.seal_as(epoch, entries, seed_of(f"{THIEF} {epoch}"))
    return entries


@case("thief, keys of today", "past written anew, his own keys in every close after it, the first seal left")
def own_keys(copy: Copy) -> Told:
    i = _past(copy)
    _own_keys(copy, i)
    epoch = copy.epoch_of(i)
    first, last = copy.span(epoch)
    words = f"REWRITTEN between entries {first}-{last}: seal {epoch} is of other entries"
    return Told(1, "REWRITTEN", words, first, last, go=f"seal {epoch:08d}")


@case("thief, keys of today", "the same, the first seal signed by him too")
def own_keys_forged(copy: Copy) -> Told:
    i = _past(copy)
    entries = _own_keys(copy, i)
    epoch = copy.epoch_of(i)
    copy.seal_as(epoch, entries, seed_of(f"{THIEF} {epoch}"))
    at = copy.closes[epoch]
    return Told(1, "FORGED", f"FORGED seal {epoch}: the signature names another key", at, at, go=f"seal {epoch:08d}")


@case("thief, keys of today", "the same, the first seal removed")
def own_keys_unsealed(copy: Copy) -> Told:
    i = _past(copy)
    _own_keys(copy, i)
    epoch = copy.epoch_of(i)
    copy.seal(epoch).unlink()
    at = copy.closes[epoch]
    return Told(
        2,
        "NOT_SEALED",
        f"NOT SEALED: epoch {epoch}, which entry {at} closes",
        at,
        at,
        go=f"seal {epoch:08d}: it is missing",
    )


@case("thief, keys of today", "every close left out, so that no seal is due; the seals removed")
def no_closes(copy: Copy) -> Told:
    kept = [data for i, data in enumerate(copy.entries) if i not in copy.closes]
    entries = rechained(kept, 0, lambda _, fields: fields.update(e=0))
    copy.lay(entries, hashes=True)
    (copy.log / "checkpoint").write_bytes(copy.statement(entries, 0, copy.scene.loot.epoch_seed))
    for path in (copy.log / "seals").iterdir():
        path.unlink()
    return Told(
        1, "FORGED", "FORGED checkpoint: the signature names another key", also=("HEADER_CHANGED",), go="epoch key"
    )


@case("thief, keys of today", "the end cut off and the shorter log signed")
def cut_and_signed(copy: Copy) -> Told:
    size = copy.closes[-3] + 5
    copy.lay(copy.entries[:size], hashes=True)
    copy.sign(copy.entries[:size])
    for epoch in range(copy.epoch_of(size - 1), copy.epoch):
        copy.seal(epoch).unlink()
    words = f"FORGED checkpoint: it is signed in epoch {copy.epoch}, the log is in {copy.epoch - 2}"
    return Told(1, "FORGED", words, go="epoch key")


@case("thief, keys of today", "the open end written anew: nothing but what was seen later shows it, and that is said")
def open_end(copy: Copy) -> Told:
    _open_end(copy)
    tail = copy.size - 1 - copy.closes[-1]
    return Told(0, "NOT_SEALED_YET", f"NOT SEALED YET: the last {tail} entries ", go="")


@case("thief, keys of today", "the same, with a state that was seen after it", CARD, LATE)
def open_end_seen(copy: Copy) -> Told:
    _open_end(copy)
    return Told(
        1,
        "FORKED",
        f"FORKED: the first {copy.size} entries are not what a backup place saw",
        copy.closes[-1] + 1,
        copy.size - 1,
        go="anchor",
    )


def _open_end(copy: Copy) -> None:
    start = copy.closes[-1] + 1
    entries = rechained(copy.entries, start, lambda _, fields: fields.update(t=fields["t"] + 1))
    copy.lay(entries, hashes=True)
    copy.sign(entries)


@case("thief, keys of today", "the end cut off within the open stretch and signed", CARD, LATE)
def open_end_cut(copy: Copy) -> Told:
    size = copy.closes[-1] + 2
    copy.lay(copy.entries[:size], hashes=True)
    copy.sign(copy.entries[:size])
    return Told(
        1,
        "ROLLED_BACK",
        f"ROLLED BACK: a backup place saw {copy.size} entries, now {size} are signed",
        size,
        copy.size - 1,
        go="the log has",
    )


@case("thief, keys of today", "a purge planted without the vault's signature, the note's file removed")
def purge(copy: Copy) -> Told:
    i = copy.which("record.write")[4]
    victim = copy.fields(i)
    vault = json.loads((copy.log / "card").read_bytes())["vault"]
    message = b"notevault/v1/purge\0" + bytes.fromhex(vault) + bytes.fromhex(victim["c"])
    planted = {**copy.fields(i), "ev": "record.purge", "a": "D", "e": copy.epoch, "t": copy.fields(copy.size - 1)["t"]}
    planted["k"] = {"sig": base64.b64encode(signing.sign(copy.scene.loot.identity_seed, message)).decode()}
    entries = rechained([*copy.entries, encode(planted)], copy.size)
    copy.lay(entries, hashes=True)
    copy.sign(entries)
    copy.blob_of(i).unlink()
    return Told(1, "FORGED", f"FORGED entry {copy.size}: ", copy.size, copy.size, also=("BLOB_MISSING",), go="")


@case("thief, keys of today", "the same: the note counts as missing")
def purge_missing(copy: Copy) -> Told:
    purge(copy)
    i = copy.which("record.write")[4]
    digest = copy.fields(i)["c"]
    return Told(
        1,
        "BLOB_MISSING",
        f"BLOB MISSING: blobs/{digest[:2]}/{digest}, which entry {i} wrote",
        i,
        i,
        also=("FORGED",),
        go="",
    )


@case(
    "thief, keys of today",
    "noise added at the end: allowed him, changes nothing; the vault itself tells at the next unlock",
)
def noise(copy: Copy) -> Told:
    entries = rechained([*copy.entries, *_tail(copy, 3)], copy.size)
    copy.lay(entries, hashes=True)
    copy.sign(entries)
    return Told(0, "NOT_SEALED_YET", f"NOT SEALED YET: the last {copy.size + 3 - 1 - copy.closes[-1]} entries ", go="")


def _tail(copy: Copy, count: int) -> Sequence[bytes]:
    i = copy.which("record.open")[0]
    return [encode({**copy.fields(i), "e": copy.epoch})] * count


@case("thief, keys of today", "a size that no log has, signed")
def giant(copy: Copy) -> Told:
    loot, size = copy.scene.loot, 2**53 - 1
    data = copy.statement(copy.entries, loot.epoch, loot.epoch_seed, size)
    (copy.log / "checkpoint").write_bytes(data)
    here = copy.size // 256 * 256  # after the bundles there is nothing to look for: `open` would be a later one
    return Told(1, "TRUNCATED", f"TRUNCATED: signed {size}, found {here}", here, size - 1, go="entries")


@case("a stranger", "the newest state signed with keys of his own")
def stranger(copy: Copy) -> Told:
    (copy.log / "checkpoint").write_bytes(copy.statement(copy.entries, copy.epoch, seed_of("stranger")))
    return Told(1, "FORGED", "FORGED checkpoint: the signature names another key", go="epoch key")


def _noon(copy: Copy) -> int:
    (signed,) = copy.scene.day.moments["noon"].vault.glob("audit/*/checkpoint")
    return int(signed.read_text().split("\n")[1])
