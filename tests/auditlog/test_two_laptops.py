"""Two laptops that went on from one backup, both honest: no fork is claimed; and whoever hides behind that is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog.outcome import VaultVerdict
from notevault.auditlog.vaultcheck import check_vault
from notevault.auditlog.verdict import Weight
from notevault.formats.ids import Digest, Origin
from tests.auditlog import sample
from tests.auditlog.forge import Forge
from tests.auditlog.forge_log import DAY, FastKey, ForgedLog


def check(vault: Forge, **more: Any) -> VaultVerdict:
    return check_vault(vault.folder, **{"card": vault.card, "verify": sample.verify, **more})


def branch(vault: Forge, name: str, base: int, *, key: str = "", knows: ForgedLog | None = None) -> ForgedLog:
    """A laptop that the vault was restored on when its first log had `base` entries and key file 1 was the newest.

    `key`: of another identity that signs its key file; `knows`: a further log that its key file lists.
    """
    first = vault.logs[0]
    log = ForgedLog(vault, name, first.now_ms + DAY)
    origins = {Origin(first.origin): base, Origin(log.origin): 0}
    origins |= {} if knows is None else {Origin(knows.origin): knows.size}
    own, vault.vik_key = vault.vik_key, FastKey(key) if key else vault.vik_key
    kept = vault.make_header(log, 0, seq=2, prev=Digest(vault.headers[0].digest), origins=origins)
    vault.vik_key = own
    vault.headers.append(kept)
    vault.logs.append(log)
    cited = {"origin": first.origin, "root": first.root(base).hex(), "size": base}
    log.add("vault.recover", c=kept.digest, z=len(kept.data), k={"cites": cited, "seq": kept.seq})
    log.write()
    return log


def store(vault: Forge) -> Forge:
    """As `Forge.store`, with several key files of one number."""
    vault.store()
    for kept in vault.headers:
        path = vault.folder / "headers" / kept.origin / f"{kept.seq:08d}-{kept.digest}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(kept.data)
    return vault


@pytest.fixture
def vault(tmp_path: Path) -> Forge:
    vault = Forge(tmp_path)
    first = vault.begin()
    for _ in range(5):
        first.write()
    return vault


def join(vault: Forge, seq: int = 3) -> None:
    """A later restore that took in every log."""
    last = vault.logs[-1]
    log = ForgedLog(vault, "joined", last.now_ms + DAY)
    vault.logs.append(log)
    origins = {Origin(one.origin): 0 if one is log else one.size for one in vault.logs}
    kept = vault.make_header(log, 0, seq=seq, origins=origins)
    vault.headers.append(kept)
    cited = {"origin": last.origin, "root": last.root().hex(), "size": last.size}
    log.add("vault.recover", c=kept.digest, z=len(kept.data), k={"cites": cited, "seq": seq})


def test_two_restores_from_one_backup_are_undecided_until_they_are_joined(vault: Forge) -> None:
    branch(vault, "a", 6)
    branch(vault, "b", 6)
    verdict = check(store(vault))
    assert verdict.of(Weight.TAMPERED) == []
    assert verdict.exit_code == 2
    (told,) = [one for one in verdict.findings if one.code == "TWO_LAPTOPS"]
    assert told.weight is Weight.UNDECIDED
    assert told.sentence.startswith("Two laptops went on from one state: two key files 2, of log ")
    join(vault)
    verdict = check(store(vault))
    assert verdict.exit_code == 0, [one.sentence for one in verdict.findings]
    (told,) = [one for one in verdict.findings if one.code == "TWO_LAPTOPS"]
    assert told.weight is Weight.NOTE
    assert verdict.blobs.live == 7


def test_the_old_laptop_that_goes_on_after_a_restore_is_none_either(vault: Forge) -> None:
    """It writes the same number in the log that the restored one cites."""
    branch(vault, "a", 6)
    first = vault.logs[0]
    kept = vault.make_header(first, first.size, seq=2, prev=Digest(vault.headers[0].digest),
                             origins={Origin(first.origin): first.size})  # fmt: skip
    vault.headers.append(kept)
    first.add("header.write", c=kept.digest, z=len(kept.data), k={"seq": 2, "why": "passphrase"})
    assert [one.code for one in check(store(vault)).of(Weight.TAMPERED)] == []
    join(vault)
    assert check(store(vault)).exit_code == 0


def test_three_laptops_are_none_either(vault: Forge) -> None:
    for name in "abc":
        branch(vault, name, 6)
    join(vault)
    verdict = check(store(vault))
    assert verdict.exit_code == 0
    assert [one.weight for one in verdict.findings if one.code == "TWO_LAPTOPS"] == [Weight.NOTE] * 2


def test_two_in_one_log_stay_a_fork(vault: Forge) -> None:
    first = vault.logs[0]
    for _ in range(2):
        kept = vault.make_header(first, first.size, seq=2)
        vault.headers.append(kept)
        first.add("header.write", c=kept.digest, z=len(kept.data), k={"seq": 2, "why": "pool"})
    branch(vault, "a", 6)
    join(vault)
    verdict = check(store(vault))
    assert "FORKED" in [one.code for one in verdict.of(Weight.TAMPERED)]


def test_one_that_knew_of_the_other_is_a_fork(vault: Forge) -> None:
    """Whoever has seen a key file of a number never writes another of it."""
    branch(vault, "b", 6, knows=branch(vault, "a", 6))
    join(vault)
    assert [one.code for one in check(store(vault)).of(Weight.TAMPERED)] == ["FORKED"]


def test_a_key_file_of_another_identity_is_no_second_laptop(vault: Forge) -> None:
    branch(vault, "a", 6)
    branch(vault, "b", 6, key="thief")
    join(vault)
    codes = {one.code for one in check(store(vault)).of(Weight.TAMPERED)}
    assert {"FORKED", "HEADER_CHANGED"} <= codes


def test_a_key_file_that_is_not_there_is_no_second_laptop(vault: Forge) -> None:
    branch(vault, "a", 6)
    branch(vault, "b", 6)
    join(vault)
    store(vault)
    one = vault.headers[1]
    (vault.folder / "headers" / one.origin / f"{one.seq:08d}-{one.digest}").unlink()
    assert "FORKED" in [one.code for one in check(vault).of(Weight.TAMPERED)]


def test_an_older_one_that_is_gone_is_vouched_for_by_the_next_of_its_log(vault: Forge) -> None:
    a = branch(vault, "a", 6)
    kept = vault.make_header(a, a.size, seq=3, origins={Origin(vault.logs[0].origin): 6, Origin(a.origin): a.size})
    vault.headers.append(kept)
    a.add("header.write", c=kept.digest, z=len(kept.data), k={"seq": 3, "why": "sheet"})
    branch(vault, "b", 6)
    join(vault, 4)
    store(vault)
    one = vault.headers[1]
    (vault.folder / "headers" / one.origin / f"{one.seq:08d}-{one.digest}").unlink()
    verdict = check(vault)
    assert verdict.exit_code == 0, [one.sentence for one in verdict.findings]
    assert [one.weight for one in verdict.findings if one.code == "TWO_LAPTOPS"] == [Weight.NOTE]


def test_a_later_key_file_that_lists_one_of_them_alone_leaves_it_undecided(vault: Forge) -> None:
    branch(vault, "a", 6)
    b = branch(vault, "b", 6)
    kept = vault.make_header(b, b.size, seq=3, origins={Origin(vault.logs[0].origin): 6, Origin(b.origin): b.size})
    vault.headers.append(kept)
    b.add("header.write", c=kept.digest, z=len(kept.data), k={"seq": 3, "why": "pool"})
    verdict = check(store(vault))
    assert verdict.of(Weight.TAMPERED) == []
    (told,) = [one for one in verdict.findings if one.code == "TWO_LAPTOPS"]
    assert told.weight is Weight.UNDECIDED
