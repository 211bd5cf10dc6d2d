"""Several copies read together: which state is whole, and that damage in one copy is made good by another."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from notevault.adapters.place_files import DiskTree
from notevault.auditlog import checkpoint
from notevault.backup.copies.copies import Copies, open_copies
from notevault.backup.copies.opening import find_copies, spaced
from notevault.backup.copies.place import PlaceCopy
from notevault.backup.copies.vault import VaultCopy
from notevault.backup.places import layout as place
from notevault.errors import CannotWrite, Damaged, LogDamaged, Missing, NotevaultError, NotFound, Refused, StorageFault
from tests.backup import handmade
from tests.backup.vaults import Made2, synthetic


@pytest.fixture
def made(tmp_path: Path) -> Made2:
    return synthetic(tmp_path / "home", (3000,) * 12)


def lay(made: Made2, folder: Path) -> Path:
    return handmade.lay(made.vault, made.hex, folder)


def read(*bases: Path, known: bytes | None = None) -> Copies:
    copies = [PlaceCopy(DiskTree(base)) if (base / "anchors").exists() else VaultCopy(DiskTree(base)) for base in bases]
    return Copies(copies, copies[0].vault(), known)


def blob(base: Path, digest: str) -> Path:
    return base / place.blob(digest)


def log_of(base: Path, origin: str) -> list[Path]:
    return [path for path in (base / "audit" / origin).rglob("*") if path.is_file() and path.parent.name != "seals"]


def spoil(path: Path, at: int = -20) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def test_what_was_laid_down_is_whole_and_gives_back_every_byte(made: Made2, tmp_path: Path) -> None:
    made.close_epoch()
    made.grow(300, 100)
    made.header()
    copies = read(lay(made, tmp_path / "stick"))
    choice = copies.whole()
    assert (choice.whole, choice.missing, choice.newer, choice.lost, choice.strangers) == (True, 0, None, (), 0)
    assert choice.states[made.origin].size == made.size
    assert choice.live.count == len(made.digests) == 312
    assert choice.live.weight == 12 * 3000 + 300 * 100
    assert choice.headers[-1].seq == 2 == copies.highest_seq()
    assert choice.last_ms == made.now_ms
    log = copies.log(made.origin, choice.states[made.origin])
    assert list(log.entries()) == made.log.entries
    assert list(log.entries(250, 260)) == made.log.entries[250:260]
    assert [number for number, _ in copies.seals(choice, made.origin)] == [0]
    for first in range(256):
        for digest, (size, _) in choice.live.part(first).items():
            assert hashlib.sha256(copies.read(digest.hex(), size)).digest() == digest


def test_a_state_with_a_file_that_is_not_there_yet_is_still_arriving(made: Made2, tmp_path: Path) -> None:
    base = lay(made, tmp_path / "stick")
    first = made.size
    new = made.grow(3)
    lay(made, tmp_path / "stick")
    blob(base, new[1]).unlink()
    copies = read(base)
    choice = copies.whole()
    assert choice.states[made.origin].size == first
    assert choice.newer is not None
    assert (choice.newer.arrived, choice.newer.expected, choice.newer.only_here) == (14, 15, 2)
    newest = copies.newest()
    assert (newest.whole, newest.missing, newest.states[made.origin].size) == (False, 1, made.size)
    assert newest.lost == (f"{new[1][:16]}…",)


def test_a_file_of_another_size_counts_as_missing(made: Made2, tmp_path: Path) -> None:
    base = lay(made, tmp_path / "stick")
    blob(base, made.digests[3]).write_bytes(b"short")
    assert read(base).newest().missing == 1
    with pytest.raises(NotFound):
        read(base).whole()


def test_what_two_copies_have_together_is_whole(made: Made2, tmp_path: Path) -> None:
    one, two = lay(made, tmp_path / "one"), lay(made, tmp_path / "two")
    for number, digest in enumerate(made.digests):
        blob((one, two)[number % 2], digest).unlink()
    assert read(one).newest().missing == 6
    choice = read(one, two).whole()
    assert choice.missing == 0
    assert read(two, made.vault).whole().live.count == 12


def test_a_changed_file_is_read_from_the_copy_that_has_it_right_and_remembered(made: Made2, tmp_path: Path) -> None:
    one, two = lay(made, tmp_path / "one"), lay(made, tmp_path / "two")
    digest = made.digests[0]
    spoil(blob(one, digest))
    both, alone = read(one, two), read(one)
    assert hashlib.sha256(both.read(digest, 3000)).hexdigest() == digest
    assert alone.whole().whole  # sizes are right: the bytes are seen when they are read
    with pytest.raises(Missing):
        alone.read(digest, 3000)
    assert alone.newest().missing == 1
    tries = list(read(one, two).tries(digest, 3000))
    with pytest.raises(Damaged):
        list(tries[0])
    assert hashlib.sha256(b"".join(tries[1])).hexdigest() == digest


def test_a_destroyed_file_is_not_missed_but_only_when_the_vault_signed_for_that(made: Made2, tmp_path: Path) -> None:
    old = made.size
    base = lay(made, tmp_path / "stick")
    made.purge(made.digests[0])
    lay(made, tmp_path / "stick")
    blob(base, made.digests[0]).unlink()
    choice = read(base).whole()
    assert (choice.live.count, choice.states[made.origin].size) == (11, made.size)
    # the state before it can be had too, though the file is gone for good
    before = read(base).whole(at_ms=made.now_ms - 1)
    assert (before.states[made.origin].size, before.missing, before.live.count) == (old, 0, 11)
    made.purge(made.digests[1], forged=True)
    lay(made, tmp_path / "stick")
    blob(base, made.digests[1]).unlink()
    assert read(base).newest().missing == 1


def test_a_date_gives_the_state_of_that_date(made: Made2, tmp_path: Path) -> None:
    base = lay(made, tmp_path / "stick")
    sizes, times = [made.size], [made.now_ms]
    for _ in range(5):
        made.grow(2)
        lay(made, tmp_path / "stick")
        sizes.append(made.size)
        times.append(made.now_ms)
    copies = read(base)
    for size, at in zip(sizes, times, strict=True):
        assert copies.whole(at).states[made.origin].size == size
        assert copies.whole(at + 999).states[made.origin].size == size
    signed = [size for size, root in copies.named(made.origin) if any(copies.signed(made.origin, size, root))]
    assert signed == sizes
    with pytest.raises(NotFound):
        copies.whole(times[0] - 1)


def test_the_newest_key_file_must_be_there_and_an_older_one_may_be_gone(made: Made2, tmp_path: Path) -> None:
    base = lay(made, tmp_path / "stick")
    old = made.size
    made.header()
    lay(made, tmp_path / "stick")
    first, second = sorted((base / "headers" / made.origin).iterdir())
    data = second.read_bytes()
    spoil(second)
    assert read(base).whole().states[made.origin].size == old
    assert not read(base).newest().whole
    second.write_bytes(data)
    first.unlink()
    choice = read(base).whole()
    assert (choice.states[made.origin].size, len(choice.headers)) == (made.size, 1)


def test_a_closed_log_that_is_gone_is_missed_although_the_later_one_is_all_there(made: Made2, tmp_path: Path) -> None:
    old = made.origin
    made.recover()
    made.grow(2)
    base = lay(made, tmp_path / "stick")
    choice = read(base).whole()
    assert set(choice.states) == {old, made.origin}
    assert choice.live.count == 14
    shutil.rmtree(base / "audit" / old)
    shutil.rmtree(base / "anchors" / old)
    assert not read(base).newest().whole
    with pytest.raises(NotFound):
        read(base).whole()
    assert read(base, made.vault).whole().live.count == 14


def test_a_closed_log_that_is_shorter_than_its_successor_says_is_missed(made: Made2, tmp_path: Path) -> None:
    old = made.origin
    base = lay(made, tmp_path / "stick")
    shorter = made.size
    made.grow(2)
    made.recover()
    lay(made, tmp_path / "stick")
    for path in (base / "anchors" / old).iterdir():
        if not path.name.startswith(f"{shorter}-"):
            path.unlink()
    choice = read(base).whole()
    assert set(choice.states) == {old}  # as it was before the recovery: consistent in itself
    assert choice.newer is not None
    assert not read(base).newest().whole


def test_a_missing_seal_rules_out_what_came_after_it(made: Made2, tmp_path: Path) -> None:
    base = lay(made, tmp_path / "stick")
    before = made.size
    made.close_epoch()
    made.grow(1)
    lay(made, tmp_path / "stick")
    seal = base / place.seal(made.origin, 0)
    data = seal.read_bytes()
    seal.unlink()
    assert read(base).whole().states[made.origin].size == before
    seal.write_bytes(data.replace(b"\xe2\x80\x94", b"-", 1))
    assert read(base).whole().states[made.origin].size == before
    seal.write_bytes(data)
    assert read(base).whole().states[made.origin].size == made.size


@pytest.mark.parametrize("how", ["gone", "zeroed", "another's"])
def test_the_anchor_of_that_state_stands_for_a_seal_that_is_lost(made: Made2, tmp_path: Path, how: str) -> None:
    made.close_epoch()
    lay(made, tmp_path / "stick")
    made.grow(1)
    base = lay(made, tmp_path / "stick")
    seal = base / place.seal(made.origin, 0)
    data = seal.read_bytes()
    seal.unlink()
    if how != "gone":
        seal.write_bytes(bytes(len(data)) if how == "zeroed" else data[:-20] + data[-20:].swapcase())
    choice = read(base).whole()
    assert choice.states[made.origin].size == made.size
    assert list(read(base).seals(choice, made.origin)) == [(0, data)]


def test_without_any_anchor_the_seals_are_states_too(made: Made2, tmp_path: Path) -> None:
    made.close_epoch()
    sealed = made.size
    made.grow(2)
    base = lay(made, tmp_path / "stick")
    shutil.rmtree(base / "anchors" / made.origin)
    assert read(base).whole().states[made.origin].size == sealed


def test_a_signed_state_beyond_the_entries_is_still_arriving(made: Made2, tmp_path: Path) -> None:
    base = lay(made, tmp_path / "stick")
    old = made.size
    made.grow(4)
    lay(made, tmp_path / "stick")
    (base / place.part(made.origin, 0, made.size)).unlink()
    choice = read(base).whole()
    assert choice.states[made.origin].size == old
    assert choice.newer is not None
    assert choice.newer.entries == 4


def test_a_state_whose_second_signature_is_spoilt_is_not_taken(made: Made2, tmp_path: Path) -> None:
    base = lay(made, tmp_path / "stick")
    old = made.size
    made.grow(1)
    lay(made, tmp_path / "stick")
    anchor = base / place.anchor(made.origin, made.size, made.root)
    data = anchor.read_bytes()
    anchor.write_bytes(data[:-20] + (b"A" if data[-20:-19] != b"A" else b"B") + data[-19:])
    assert isinstance(checkpoint.parse(anchor.read_bytes()), checkpoint.Checkpoint)
    assert read(base).whole().states[made.origin].size == old


def test_every_kind_of_folder_is_found_and_two_vaults_are_not_mixed(made: Made2, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    base = lay(made, stick)
    for folder in (stick, stick / "notevault", base, made.vault):
        assert open_copies([folder], DiskTree).whole().live.count == 12
    assert len(open_copies([stick, made.vault, base], DiskTree).copies) == 2
    (base / place.MARKER).unlink()
    assert open_copies([stick], DiskTree).vault == made.hex
    other = synthetic(tmp_path / "second", (10, 20), seed=2)
    handmade.lay(other.vault, other.hex, stick)
    with pytest.raises(Refused) as refused:
        open_copies([stick], DiskTree)
    assert spaced(made.hex) in refused.value.sentence, "as it stands on its recovery sheet"
    assert open_copies([stick], DiskTree, other.hex).whole().live.count == 2
    with pytest.raises(NotFound):
        open_copies([tmp_path / "second"], DiskTree)
    with pytest.raises(NotFound):
        open_copies([stick], DiskTree, "ab" * 16)


def test_a_link_in_a_copy_is_simply_not_there(made: Made2, tmp_path: Path) -> None:
    base = lay(made, tmp_path / "stick")
    target = blob(base, made.digests[0])
    moved = tmp_path / "elsewhere"
    target.rename(moved)
    target.symlink_to(moved)
    assert read(base).newest().missing == 1
    first = base / "blobs" / made.digests[1][:2]
    first.rename(tmp_path / "folder")
    first.symlink_to(tmp_path / "folder")
    assert read(base).newest().missing >= 2


def test_damage_in_different_places_of_three_copies_of_a_long_log_does_no_harm(made: Made2, tmp_path: Path) -> None:
    made.read(600)
    made.close_epoch()
    made.grow(30, 10)
    bases = [lay(made, tmp_path / str(number)) for number in range(3)]
    for number, base in enumerate(bases):
        files = sorted(path for path in log_of(base, made.origin) if path.name != "card")
        assert len(files) == 3
        for at in range(number, 40_000, 3 * 1500):  # every 1,500 bytes another copy has another wrong byte
            for path in files:
                if at < path.stat().st_size:
                    spoil(path, at)
    with pytest.raises(NotFound):
        read(bases[0]).newest()
    copies = read(*bases, made.vault)
    assert list(copies.log(made.origin, copies.newest().states[made.origin]).entries()) == made.log.entries
    for path in [*(made.paths.audit(made.origin) / "entries").iterdir(), made.paths.open(made.origin)]:
        spoil(path, 700)
    repaired = read(made.vault, *bases).newest()
    assert repaired.states[made.origin].size == made.size


def test_a_log_that_no_copy_has_whole_says_where_it_breaks_off(made: Made2, tmp_path: Path) -> None:
    made.read(300)
    base = lay(made, tmp_path / "stick")
    copies = read(base)
    state = copies.newest().states[made.origin]
    spoil(base / place.bundle(made.origin, 0), 3000)
    fresh = read(base)
    with pytest.raises(LogDamaged, match=r"entry \d+"):
        fresh.log(made.origin, state)


def every_file(base: Path) -> Iterator[Path]:
    return (path for path in sorted(base.rglob("*")) if path.is_file())


def test_a_state_is_whole_exactly_when_no_needed_file_was_taken_away(made: Made2, tmp_path: Path) -> None:
    """Each file of a place is taken away in turn: without it, and only then, the state is not called whole."""
    made.close_epoch()
    made.recover()
    made.grow(2)
    made.close_epoch()
    made.grow(1)
    base = lay(made, tmp_path / "stick")
    sizes = {origin: len(log.entries) for origin, log in made.logs.items()}
    contents = [path.read_bytes() for path in every_file(base)]
    for path in every_file(base):
        data = path.read_bytes()
        path.unlink()
        try:
            states = {origin: state.size for origin, state in read(base).whole().states.items()}
        except NotFound:
            states = {}
        superseded = path.parent.parent.name == "headers" and path.name.startswith("00000001")
        # the seal of a state that is the newest of its log has the same bytes as its anchor: either will do
        if path.name == place.MARKER or superseded or contents.count(data) > 1:
            assert states == sizes, path
        else:
            assert states != sizes, path
        path.write_bytes(data)
    assert {origin: state.size for origin, state in read(base).whole().states.items()} == sizes


class Shut(DiskTree):
    """Files, and folders, that may not be read."""

    def names(self, folder: str) -> set[str]:
        raise CannotWrite("Cannot get at a file: the system refuses access to it.")

    def stream(self, path: str, *, chunk: int) -> Iterator[bytes]:
        raise CannotWrite("Cannot get at a file: the system refuses access to it.")


def test_a_large_file_that_may_not_be_read_in_one_copy_is_read_from_the_next(made: Made2, tmp_path: Path) -> None:
    (digest,) = made.grow(1, 9 << 20)
    one, two = lay(made, tmp_path / "stick"), lay(made, tmp_path / "nas")
    copies = Copies([PlaceCopy(Shut(one), made.hex), PlaceCopy(DiskTree(two), made.hex)], made.hex)
    first, second = copies.tries(digest, 9 << 20)
    with pytest.raises(StorageFault):  # CannotWrite is said of the disk that is written to
        list(first)
    assert hashlib.sha256(b"".join(second)).hexdigest() == digest
    assert len(list(copies.tries(digest, 9 << 20))) == 1, "it is not tried again"


def test_a_folder_that_may_not_be_looked_into_is_said_to_be_that(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        find_copies([tmp_path], Shut, None)
    assert f"look into {tmp_path}" in caught.value.sentence


def test_a_folder_of_somebody_else_beside_it_does_not_hide_the_vault(made: Made2, tmp_path: Path) -> None:
    lay(made, tmp_path / "stick")
    other = tmp_path / "stick" / place.FOLDER / ("ab" * 16)
    other.mkdir()

    def open_tree(folder: Path) -> DiskTree:
        return Shut(folder) if folder == other else DiskTree(folder)

    found, vault = find_copies([tmp_path / "stick"], open_tree, None)
    assert (len(found), vault) == (1, made.hex)
    shutil.rmtree(tmp_path / "stick" / place.FOLDER / made.hex)
    with pytest.raises(Refused):
        find_copies([tmp_path / "stick"], open_tree, None)


@pytest.mark.skipif(sys.platform == "win32", reason="a name of that length is no error of Windows' own kind")
def test_what_the_system_says_of_a_folder_is_never_passed_on_raw(tmp_path: Path) -> None:
    for folder in (tmp_path / ("x" * 300), tmp_path / ("x" * 300) / "in"):
        with pytest.raises(NotevaultError):
            find_copies([folder], DiskTree, None)
