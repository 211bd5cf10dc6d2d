"""What somebody with the laptop's log keys of today, or without any, can do to a log, and how it is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog import merkle
from notevault.auditlog.outcome import Seen, VaultVerdict
from notevault.auditlog.vaultcheck import check_vault
from notevault.auditlog.verdict import Weight
from tests.auditlog import sample
from tests.auditlog.forge import FastKey, Forge, ForgedLog


@pytest.fixture
def vault(tmp_path: Path) -> Forge:
    """Four epochs: entries 0-99, 100-199, 200-299, and 300-349 still open."""
    forged = Forge(tmp_path)
    log = forged.begin()
    for epoch in range(4):
        until = 99 + 100 * epoch if epoch < 3 else 350
        while log.size < until:
            log.write() if log.size % 5 == 0 else log.add("record.open")
        if epoch < 3:
            log.close()
    return forged.store()


def check(vault: Forge, **more: Any) -> VaultVerdict:
    return check_vault(vault.folder, **{"card": vault.card, "verify": sample.verify, "log_only": True, **more})


def proofs(vault: Forge, **more: Any) -> list[str]:
    """The tampering found, without the log's name at the end."""
    return [str(finding).split(" (log ")[0] for finding in check(vault, **more).of(Weight.TAMPERED)]


def undecided(vault: Forge, **more: Any) -> list[str]:
    return [str(finding).split(" (log ")[0] for finding in check(vault, **more).of(Weight.UNDECIDED)]


def later(values: dict[str, Any]) -> None:
    values["t"] += 86_400_000


def root(entries: list[bytes]) -> bytes:
    return merkle.root([merkle.leaf_hash(data) for data in entries])


def test_the_vault_of_these_tests_is_sound(vault: Forge) -> None:
    verdict = check(vault)
    assert (verdict.exit_code, verdict.logs[0].sealed, verdict.logs[0].unsealed_tail) == (0, 300, 50)
    assert [(ref.epoch, ref.size, ref.state) for ref in verdict.logs[0].seals] == [
        (0, 100, "holds"),
        (1, 200, "holds"),
        (2, 300, "holds"),
    ]


# -- without keys

Change = Callable[[list[bytes]], list[bytes]]
PLAIN: list[tuple[str, Change, str]] = [
    ("truncated", lambda e: e[:340], "TRUNCATED: signed 350, found 340"),
    ("edited", lambda e: [*e[:320], e[320].replace(b'"o":"ok"', b'"o":"fail"'), *e[321:]], "REWRITTEN between"),
    ("inserted", lambda e: [*e[:320], e[320], *e[320:]], "REWRITTEN between"),
    ("deleted", lambda e: [*e[:320], *e[321:]], "TRUNCATED: signed 350, found 349"),
    ("reordered", lambda e: [*e[:320], e[321], e[320], *e[322:]], "REWRITTEN between"),
    ("duplicated", lambda e: [*e[:320], e[319], *e[321:]], "REWRITTEN between"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), [row[1:] for row in PLAIN], ids=[row[0] for row in PLAIN])
def test_changed_entries_are_found_without_any_key(vault: Forge, change: Change, words: str) -> None:
    log = vault.logs[0]
    log.lay(change(log.entries), hashes=False)
    assert check(vault).exit_code == 1
    assert any(text.startswith(words) for text in proofs(vault))


IN_A_BUNDLE: list[tuple[str, Change]] = [
    ("edited", lambda e: [*e[:20], e[20].replace(b'"o":"ok"', b'"o":"fail"'), *e[21:]]),
    ("replaced", lambda e: [*e[:20], e[19], *e[21:]]),
    ("reordered", lambda e: [*e[:20], e[21], e[20], *e[22:]]),
    ("inserted", lambda e: [*e[:20], e[20], *e[20:255]]),
    ("deleted", lambda e: [*e[:20], *e[21:], e[255]]),
]


@pytest.mark.parametrize("change", [row[1] for row in IN_A_BUNDLE], ids=[row[0] for row in IN_A_BUNDLE])
def test_a_change_in_a_full_bundle_is_placed_within_it(vault: Forge, change: Change) -> None:
    log = vault.logs[0]
    log.lay([*change(log.entries[:256]), *log.entries[256:]], hashes=False)
    places = [(f.first, f.last) for f in check(vault).findings if f.code == "REWRITTEN"]
    assert len(places) == 1
    assert 0 <= places[0][0] <= 20 <= places[0][1] < 256


def test_a_missing_bundle_is_named(vault: Forge) -> None:
    vault.path(vault.logs[0], "entries/000").unlink()
    assert proofs(vault) == ["MISSING entries 0-255"]


# -- with the identity key and the current epoch's key


@pytest.mark.parametrize("index", [50, 150, 250])
def test_a_past_rewritten_and_signed_with_todays_keys_is_named_by_its_seal(vault: Forge, index: int) -> None:
    log = vault.logs[0]
    log.rewrite(index, later)
    epoch = index // 100
    first = proofs(vault)[0]
    assert first == f"REWRITTEN between entries {100 * epoch}-{100 * epoch + 99}: seal {epoch} is of other entries"
    assert check(vault).logs[0].sealed == 100 * epoch


def test_a_thief_who_removes_the_seals_gets_no_pass(vault: Forge) -> None:
    log = vault.logs[0]
    log.rewrite(150, later)
    for epoch in (1, 2):
        log.seal(epoch, None)
    assert proofs(vault) == []
    assert undecided(vault) == [
        "NOT SEALED: epoch 1, which entry 199 closes",
        "NOT SEALED: epoch 2, which entry 299 closes",
    ]
    assert check(vault).exit_code == 2
    assert check(vault).logs[0].sealed == 100


def test_a_thief_who_signs_the_seals_with_todays_key_forges_them(vault: Forge) -> None:
    log = vault.logs[0]
    entries = log.rewrite(150, later)
    for epoch in (1, 2):
        size = 100 * epoch + 100
        log.seal(epoch, log.statement(size, root(entries[:size]), epoch, log.epoch_key(3)))
    assert proofs(vault) == [
        "FORGED seal 1: the signature names another key",
        "FORGED seal 2: the signature names another key",
    ]


def stolen_history(log: ForgedLog, start: int) -> list[bytes]:
    """Entries from `start` on written anew, with the thief's own keys in every `epoch.close` after it."""
    entries = list(log.entries)
    for i in range(start, log.size):
        values = json.loads(entries[i])
        if i == start:
            later(values)
        if values["ev"] == "epoch.close":
            values["k"]["key"] = FastKey(f"thief {values['e'] + 1}").pub.hex()
        values["p"] = merkle.leaf_hash(entries[i - 1])[:16].hex()
        entries[i] = json.dumps(values, sort_keys=True, separators=(",", ":")).encode()
    return entries


def test_a_thief_who_replaces_every_key_from_the_start_cannot_sign_the_first_seal(vault: Forge) -> None:
    log = vault.logs[0]
    entries = stolen_history(log, 50)
    log.lay(entries)
    log.sign(log.statement(350, root(entries), 3, FastKey("thief 3")))
    for epoch in (1, 2):
        size = 100 * epoch + 100
        log.seal(epoch, log.statement(size, root(entries[:size]), epoch, FastKey(f"thief {epoch}")))
    # Seal 0 is the old one: of other entries. Everything after it would hold, and counts for nothing.
    assert proofs(vault) == ["REWRITTEN between entries 0-99: seal 0 is of other entries"]
    assert check(vault).logs[0].sealed == 0
    log.seal(0, log.statement(100, root(entries[:100]), 0, FastKey("thief 0")))
    assert proofs(vault) == ["FORGED seal 0: the signature names another key"]
    log.seal(0, None)
    assert (proofs(vault), check(vault).exit_code) == ([], 2)
    assert check(vault).logs[0].sealed == 0


def test_a_thief_who_replaces_the_keys_of_later_epochs_is_stopped_by_the_seal_between(vault: Forge) -> None:
    log = vault.logs[0]
    entries = stolen_history(log, 150)
    log.lay(entries)
    log.sign(log.statement(350, root(entries), 3, FastKey("thief 3")))
    for epoch, key in ((1, log.epoch_key(3)), (2, FastKey("thief 2"))):
        size = 100 * epoch + 100
        log.seal(epoch, log.statement(size, root(entries[:size]), epoch, key))
    assert proofs(vault) == ["FORGED seal 1: the signature names another key"]
    assert check(vault).logs[0].sealed == 100


def test_a_thief_who_drops_the_closes_contradicts_the_card(vault: Forge) -> None:
    """Without any `epoch.close` the log is still in epoch 0, whose key he does not have."""
    log = vault.logs[0]
    entries: list[bytes] = []
    for data in log.entries:
        values = json.loads(data)
        if values["ev"] == "epoch.close":
            continue
        values |= {"e": 0, "i": len(entries), "p": merkle.leaf_hash(entries[-1])[:16].hex() if entries else "0" * 32}
        entries.append(json.dumps(values, sort_keys=True, separators=(",", ":")).encode())
    log.lay(entries)
    log.sign(log.statement(len(entries), root(entries), 0, log.epoch_key(3)))
    assert "FORGED checkpoint: the signature names another key" in proofs(vault)
    assert "FORKED: seal 0 closes an epoch after 100 entries where these entries do not" in proofs(vault)


def test_a_checkpoint_of_todays_state_signed_by_a_stranger_is_forged(vault: Forge) -> None:
    log = vault.logs[0]
    log.sign(log.signed(key=FastKey("thief")))
    assert proofs(vault) == ["FORGED checkpoint: the signature names another key"]


def test_a_copy_of_an_older_state_shows_in_what_lies_beyond_it(vault: Forge) -> None:
    """A true old checkpoint with its entries, laid over the new ones."""
    log = vault.logs[0]
    log.sign(log.signed(150, 1))
    assert proofs(vault) == ["ROLLED BACK: seal 1 is of 200 entries, now 150 are signed"]
    assert undecided(vault)[0].startswith("OLDER STATE: 150 entries are signed, and 106 newer entries that follow on")
    log.lay(log.entries[:150])
    assert proofs(vault) == ["ROLLED BACK: seal 1 is of 200 entries, now 150 are signed"]
    for epoch in (1, 2):
        log.seal(epoch, None)
    assert (check(vault).exit_code, check(vault).first_visit) == (0, True)  # nothing in the folder knows of more
    seen = [Seen(log.origin, 350, log.root(), "your state file", 1_793_700_000_000)]
    assert proofs(vault, seen=seen) == [
        "ROLLED BACK: your state file saw 350 entries on 3 Nov 2026, now 150 are signed"
    ]


def test_the_open_epoch_can_be_rewritten_by_its_key_and_only_what_was_seen_shows_it(vault: Forge) -> None:
    log = vault.logs[0]
    seen = [Seen(log.origin, 340, log.root(340), "your state file")]
    log.rewrite(320, later)
    assert check(vault).exit_code == 0
    assert check(vault).logs[0].unsealed_tail == 50
    assert proofs(vault, seen=seen) == ["FORKED: the first 340 entries are not what your state file saw"]
    finding = next(f for f in check(vault, seen=seen).findings if f.code == "FORKED")
    assert (finding.first, finding.last) == (300, 339)


def test_a_thief_who_closes_the_epoch_with_his_key_and_goes_on_adds_noise_that_the_owners_state_shows(
    vault: Forge,
) -> None:
    log = vault.logs[0]
    key = FastKey("thief")
    before, size, leaves = list(log.entries), log.size, list(log.leaves)
    log.add("epoch.close", k={"key": key.pub.hex()})
    log.seals[3] = log.signed(log.size, 3)
    log.epoch = 4
    log.add("search.run")
    log.lay()
    log.seal(3, log.seals[3])
    log.sign(log.signed(log.size, 4, key))
    assert check(vault).exit_code == 0  # nothing that was there is changed
    # The owner, who knows nothing of it, goes on from her own state: two logs of one name.
    log.entries, log.leaves, log.epoch = before, leaves, 3
    log.add("session.open")
    log.add("session.lock")
    owner = [Seen(log.origin, log.size, log.root(), "this laptop's memory")]
    assert size < log.size
    assert proofs(vault, seen=owner) == ["FORKED: the first 352 entries are not what this laptop's memory saw"]


def test_an_unsealed_close_at_the_very_end_is_sealed_by_its_own_signed_state(vault: Forge) -> None:
    log = vault.logs[0]
    log.close()
    log.lay()
    log.sign(log.signed(epoch=3))
    verdict = check(vault)
    assert (verdict.exit_code, verdict.logs[0].seals[-1].state, verdict.logs[0].sealed) == (0, "holds", 351)


def test_a_seal_that_does_not_belong_to_any_close_is_told(vault: Forge) -> None:
    log = vault.logs[0]
    log.seal(3, log.signed(320, 3))
    assert proofs(vault) == ["FORKED: seal 3 closes an epoch after 320 entries where these entries do not"]
    log.seal(3, b"junk")
    assert (check(vault).exit_code, [f.code for f in check(vault).findings].count("STRAY")) == (0, 1)


def test_a_purge_planted_with_todays_keys_does_not_hide_a_note(vault: Forge) -> None:
    log = vault.logs[0]
    digest = next(iter(vault.blobs))
    log.purge(digest, key=FastKey("thief"))
    log.lay()
    log.sign()
    vault.blob_path(digest).unlink()
    verdict = check(vault, log_only=False)
    assert [finding.code for finding in verdict.of(Weight.TAMPERED)] == ["FORGED", "BLOB_MISSING"]
    assert f"BLOB MISSING: blobs/{digest[:2]}/{digest}" in verdict.of(Weight.TAMPERED)[1].sentence
