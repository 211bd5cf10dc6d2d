"""The vault seen without keys: what is believed, what is not, and that a cache changes nothing but the time."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.auditlog import bundle, merkle
from notevault.backup.model import Head
from notevault.backup.source import cache as livecache
from notevault.backup.source import keyfiles as identity
from notevault.backup.source.source import Source, read_source
from notevault.crypto import signing
from notevault.errors import Damaged, LogDamaged, NoVault, UnknownFormat
from notevault.storage.layout import LocalPaths
from tests.backup.vaults import Made2, small, synthetic

FILES = DiskFiles()


def read(made: Made2, cache: Path | None = None, vik: bytes | None = None) -> Source:
    return read_source(FILES, made.vault, cache, vik=vik)


def live(source: Source) -> dict[str, int]:
    return {name: size for first in range(256) for name, size in source.live.sizes(first).items()}


def facts(source: Source) -> object:
    return live(source), set(source.headers), source.heads, source.closed, source.faults, source.since({})


def busy(home: Path) -> Made2:
    """A vault with everything in it that can happen."""
    made = synthetic(home, [100] * 4)
    made.close_epoch()
    made.grow(300, 50)
    made.purge(made.digests[2])
    made.renew()
    made.recover()
    made.grow(5)
    made.close_epoch()
    return made


def test_a_real_vault_has_exactly_its_files_live(tmp_path: Path) -> None:
    made = small(tmp_path)
    source = read_source(FILES, made.vault, None, vik=identity.remembered(FILES, LocalPaths(made.own)))
    assert live(source) == {
        path.name: path.stat().st_size for path in (made.vault / "blobs").rglob("*") if path.is_file()
    }
    assert {f"{one.origin}/{one.seq:08d}-{one.digest}" for one in source.headers} == {
        str(path.relative_to(made.vault / "headers")) for path in (made.vault / "headers").glob("*/*")
    }
    assert source.vault == made.hex
    assert source.checkpoints[source.current] == (made.vault / "audit" / source.current / "checkpoint").read_bytes()


def test_with_a_cache_and_without_the_same_is_found(tmp_path: Path) -> None:
    made = synthetic(tmp_path, [100] * 4)
    cache = tmp_path / "live"
    for turn in range(8):
        if turn == 1:
            made.close_epoch()
        elif turn == 2:
            made.grow(300, 30)
        elif turn == 3:
            made.purge(made.digests[0])
        elif turn == 4:
            made.renew()
        elif turn == 5:
            made.recover()
        elif turn == 6:
            made.purge(made.digests[1])
            made.grow(260, 30)
        elif turn == 7:
            made.renew()
            made.purge(made.digests[5])
        assert facts(read(made, cache)) == facts(read(made))
        assert facts(read(made, cache)) == facts(read(made))
    assert set(live(read(made))) == set(made.digests) - {made.digests[0], made.digests[1], made.digests[5]}
    assert livecache.load(FILES, cache) is not None


def test_a_cache_of_another_way_of_this_log_is_not_believed(tmp_path: Path) -> None:
    made = synthetic(tmp_path / "a", [100] * 4)
    twin = made.copy_to(tmp_path / "b")
    made.grow(300, 20)
    twin.grow(310, 20)
    cache = tmp_path / "live"
    read(made, cache)
    assert facts(read(twin, cache)) == facts(read(twin))


def test_a_cache_of_another_vault_is_not_believed(tmp_path: Path) -> None:
    one, other = synthetic(tmp_path / "a", [100] * 4, seed=1), synthetic(tmp_path / "b", [100] * 3, seed=2)
    cache = tmp_path / "live"
    read(one, cache)
    assert facts(read(other, cache)) == facts(read(other))


def test_only_a_signed_purge_destroys(tmp_path: Path) -> None:
    made = synthetic(tmp_path, [100] * 4)
    made.purge(made.digests[0], forged=True, keep_file=True)
    made.purge(made.digests[1])
    assert set(live(read(made))) == {made.digests[0], *made.digests[2:]}


def test_a_purge_by_a_former_and_by_a_renewed_identity_counts(tmp_path: Path) -> None:
    made = synthetic(tmp_path, [100] * 4)
    made.purge(made.digests[0])
    made.renew()
    made.purge(made.digests[1])
    assert set(live(read(made))) == set(made.digests[2:])


def test_seals_are_given_out_only_when_they_hold(tmp_path: Path) -> None:
    made = busy(tmp_path)
    first, second = made.logs
    source = read(made)
    assert [number for number, _ in source.log(first).seals()] == [0]
    assert dict(source.log(second).seals())[0] == made.paths.checkpoint(second).read_bytes()
    made.paths.seal(first, 0).write_bytes(made.checkpoint())  # of the other log
    made.paths.seal(second, 0).unlink()  # its bytes are still the checkpoint's
    source = read(made)
    assert list(source.log(first).seals()) == []
    assert [number for number, _ in source.log(second).seals()] == [0]
    assert list(source.log(second).seals({0})) == []


def test_what_waits_is_counted_from_the_first_that_is_not_there(tmp_path: Path) -> None:
    made = synthetic(tmp_path, [100] * 4)
    head = Head(made.size, made.root)
    assert read(made).since({made.origin: head}).changes == 0
    made.read(3)
    assert read(made).since({made.origin: head}).changes == 0
    made.grow(2)
    first = made.now_ms - 1000
    made.renew()
    waiting = read(made).since({made.origin: head})
    assert (waiting.changes, waiting.first_ms) == (3, first)
    everything = read(made).since({})
    assert everything.changes == 8
    assert read(made).since({made.origin: Head(made.size + 9, b"x" * 32)}).changes == 0
    assert read(made).since({made.origin: Head(3, b"x" * 32)}) == everything


@pytest.mark.parametrize("known", [True, False])
def test_key_files_of_another_vault_do_not_take_over(tmp_path: Path, known: bool) -> None:
    ours, theirs = synthetic(tmp_path / "a", [100] * 3, seed=1), synthetic(tmp_path / "b", [100] * 2, seed=2)
    theirs.renew()
    theirs.header()  # a higher number than ours has
    for part in ("headers", "audit"):
        for path in (theirs.vault / part).rglob("*"):
            if path.is_file():
                target = ours.vault / path.relative_to(theirs.vault)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    if known:
        assert live(read(ours, vik=signing.public_key(ours.vik))) == dict.fromkeys(ours.digests, 100)
    else:
        with pytest.raises(Damaged, match="Two vaults"):
            read(ours)


def test_a_key_file_without_its_log_is_no_second_vault(tmp_path: Path) -> None:
    ours, theirs = synthetic(tmp_path / "a", [100] * 3, seed=1), synthetic(tmp_path / "b", [100] * 2, seed=2)
    (header,) = (theirs.vault / "headers").glob("*/*")
    target = ours.vault / header.relative_to(theirs.vault)
    target.parent.mkdir()
    target.write_bytes(header.read_bytes())
    assert read(ours).vault == ours.hex


def test_a_vault_of_which_this_laptop_knows_nothing_is_not_taken_for_its_own(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="this laptop knows"):
        read(synthetic(tmp_path, [100]), vik=b"\x01" * 32)


@pytest.mark.parametrize("what", ["changed", "cut", "checkpoint", "checkpoint gone", "card", "headers", "log gone"])
def test_a_log_that_does_not_hold_stops_everything(tmp_path: Path, what: str) -> None:
    made = synthetic(tmp_path, [100] * 3)
    cache = tmp_path / "live"
    opened, signed = made.paths.open(made.origin), made.paths.checkpoint(made.origin)
    read(made, cache)
    if what == "changed":
        opened.write_bytes(opened.read_bytes().replace(b'"a":"C"', b'"a":"U"'))
    elif what == "cut":
        opened.write_bytes(opened.read_bytes()[:-200])
    elif what == "checkpoint":
        lines = signed.read_bytes().split(b"\n")
        lines[2] = base64.b64encode(b"r" * 32)
        signed.write_bytes(b"\n".join(lines))
    elif what == "checkpoint gone":
        signed.unlink()
        made.paths.bundle(made.origin, 0).write_bytes(b"x")
    elif what == "card":
        made.paths.card(made.origin).write_bytes(b"{}\n")
    elif what == "headers":
        for path in (made.vault / "headers").glob("*/*"):
            path.unlink()
    else:
        for path in (opened, signed):
            path.unlink()
    with pytest.raises((LogDamaged, NoVault)):
        read(made, cache)
    with pytest.raises((LogDamaged, NoVault)):
        read(made)


def test_an_older_log_that_was_continued_must_hold(tmp_path: Path) -> None:
    made = busy(tmp_path)
    first = next(iter(made.logs))
    path = made.paths.bundle(first, 0)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"a":"C"', b'"a":"U"', 1))
    made.paths.hashes(first).unlink()
    with pytest.raises(LogDamaged):
        read(made)
    path.write_bytes(whole)
    assert read(made).faults == {}
    made.paths.checkpoint(first).unlink()
    with pytest.raises(LogDamaged, match="MISSING"):
        read(made)


def test_an_older_log_that_was_beyond_belief_at_the_recovery_is_told_of_and_passed_over(tmp_path: Path) -> None:
    made = synthetic(tmp_path, [100] * 3)
    first = made.origin
    made.paths.open(first).write_bytes(b"")
    made.sizes[first] = made.size
    made.begin({"origin": first, "root": merkle.EMPTY_ROOT.hex(), "size": 0})
    new = made.grow(2)
    source = read(made)
    assert set(live(source)) == set(new)
    assert list(source.faults) == [first]
    assert source.current == made.origin


def test_a_recovery_that_was_not_finished_changes_nothing(tmp_path: Path) -> None:
    made = synthetic(tmp_path, [100] * 3)
    before = facts(read(made))
    made.recover()
    for name in ("checkpoint", "open"):
        (made.paths.audit(made.origin) / name).unlink()
    assert facts(read(made)) == before


def test_an_unfinished_set_up_and_an_empty_folder_are_no_vault(tmp_path: Path) -> None:
    with pytest.raises(NoVault):
        read_source(FILES, tmp_path / "nothing", None)
    made = synthetic(tmp_path, [])
    for name in ("checkpoint", "open"):
        (made.paths.audit(made.origin) / name).unlink()
    with pytest.raises(NoVault):
        read(made)


def test_an_entry_that_names_a_file_in_an_unknown_way_is_not_passed_over(tmp_path: Path) -> None:
    made = synthetic(tmp_path, [100] * 2)
    data = made.log.entries[-1].replace(b'"ev":"record.write"', b'"ev":"record.wrote"')
    data = data.replace(b'"i":2', b'"i":3')
    made.log.entries.append(data)
    made.log.frontier.append(merkle.leaf_hash(data))
    made.paths.open(made.origin).write_bytes(bundle.pack(made.log.entries))
    made.paths.checkpoint(made.origin).write_bytes(made.checkpoint())
    with pytest.raises(UnknownFormat):
        read(made)


def test_a_look_tells_when_the_vault_has_moved_on(tmp_path: Path) -> None:
    made = synthetic(tmp_path, [100] * 2)
    source = read(made)
    assert not source.moved()
    made.read()
    assert source.moved()
    assert list(source.entries(made.origin, 0, 3)) == made.log.entries[:3]  # and still gives what it covers
