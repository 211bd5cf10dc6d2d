"""A vault made again from its backups: byte for byte, from damaged places together, never over anything."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.app.restoring import find
from notevault.auditlog.vaultcheck import check_vault
from notevault.backup.copies.copies import Copies
from notevault.backup.copies.place import PlaceCopy
from notevault.backup.restore.plan import Building, decide, decide_again
from notevault.backup.restore.restore import Restored, finish, restore
from notevault.crypto import signing
from notevault.errors import CannotWrite, Damaged, Interrupted, NotFound, Refused, StorageFault
from tests.backup import vaults
from tests.backup.handmade import files_of, lay
from tests.backup.vaults import Made2

MB = 1 << 20


@pytest.fixture
def made(tmp_path: Path) -> Made2:
    """Two logs, closed epochs, a bundle's end crossed, a file too large for memory, one destroyed for good."""
    made = vaults.synthetic(tmp_path / "home", [1500] * 300)
    made.close_epoch()
    made.grow(3, 900)
    made.recover()
    made.write([9 * MB, 700])
    made.purge(made.digests[0])
    made.close_epoch()
    made.read(5)
    return made


def open_place(root: Path) -> DiskPlace:
    return DiskPlace(root, "0d" * 16)


def bring(copies: Copies, to: Path, **more: object) -> Restored:
    return restore(copies, decide(copies).choice, to, DiskFiles(), open_place, **more)  # type: ignore[arg-type]


def is_sound(made: Made2, to: Path) -> None:
    verdict = check_vault(to, vik=signing.public_key(made.vik), verify=signing.verify)
    assert verdict.exit_code == 0, verdict.findings
    assert files_of(to) == files_of(made.vault)
    for log in (made.vault / "audit").iterdir():
        assert (to / "audit" / log.name / "checkpoint").read_bytes() == (log / "checkpoint").read_bytes()
    assert all(path.stat().st_mode & 0o077 == 0 for path in [to, *to.rglob("*")])


def test_a_restored_vault_is_the_vault_byte_for_byte(made: Made2, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    seen: list[tuple[int, int, int]] = []
    restored = bring(
        find([tmp_path / "stick"], DiskTree, None), tmp_path / "new/vault", progress=lambda *each: seen.append(each)
    )
    is_sound(made, restored.folder)
    assert (restored.files, restored.missing, restored.highest_seq) == (304, 0, made.seq)
    assert seen[-1][0] == seen[-1][1] == restored.bytes
    finish(DiskFiles(), restored.folder)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["vault"]


def test_a_copy_of_the_vault_is_as_good_as_a_place(made: Made2, tmp_path: Path) -> None:
    is_sound(made, bring(find([made.vault], DiskTree, None), tmp_path / "new").folder)


def test_two_damaged_places_together_give_the_whole_vault(made: Made2, tmp_path: Path) -> None:
    folders = [tmp_path / "stick", tmp_path / "nas"]
    bases = [lay(made.vault, made.hex, folder) for folder in folders]
    for number, base in enumerate(bases):
        blobs = sorted(path for path in base.glob("blobs/*/*"))
        for path in blobs[number::5]:
            path.unlink()
        for path in blobs[number + 2 :: 5][:40]:
            path.write_bytes(path.read_bytes()[:-1] + b"?")
        for path in base.glob(("audit/*/entries/*", "audit/*/parts/*")[number]):
            path.write_bytes(b"")
        (sorted(base.glob("headers/*/*"))[number]).unlink()
    assert decide(find(folders[:1], DiskTree, None)).question
    with pytest.raises(NotFound):  # of its logs the ends are gone
        decide(find(folders[1:], DiskTree, None))
    is_sound(made, bring(find(folders, DiskTree, None), tmp_path / "new").folder)


def test_files_wrong_in_every_place_stop_a_restore_and_a_further_place_completes_it(
    made: Made2, tmp_path: Path
) -> None:
    base = lay(made.vault, made.hex, tmp_path / "stick")
    path = base / "blobs" / made.digests[7][:2] / made.digests[7]
    path.write_bytes(bytes(path.stat().st_size))
    to = tmp_path / "new"
    with pytest.raises(Damaged) as caught:
        bring(find([tmp_path / "stick"], DiskTree, None), to)
    assert "--from" in caught.value.next_step
    assert not to.exists()
    lay(made.vault, made.hex, tmp_path / "nas")
    restored = bring(find([tmp_path / "stick", tmp_path / "nas"], DiskTree, None), to)
    is_sound(made, restored.folder)


def test_what_is_lost_everywhere_can_be_done_without(made: Made2, tmp_path: Path) -> None:
    base = lay(made.vault, made.hex, tmp_path / "stick")
    for digest in (made.digests[7], made.digests[-2]):  # a small one, and the one of 9 MB
        path = base / "blobs" / digest[:2] / digest
        path.write_bytes(bytes(path.stat().st_size))
    asked: list[int] = []

    def may_miss(count: int) -> bool:
        asked.append(count)
        return True

    copies = find([tmp_path / "stick"], DiskTree, None)
    restored = bring(copies, tmp_path / "new", may_miss=may_miss)
    assert asked == [2] == [restored.missing]
    assert files_of(restored.folder).keys() < files_of(made.vault).keys()
    assert len(files_of(restored.folder)) == len(files_of(made.vault)) - 2


def test_an_earlier_day_is_restored_as_it_was(made: Made2, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    then, log = files_of(made.vault), (made.vault / "audit" / made.origin / "checkpoint").read_bytes()
    at = made.now_ms
    made.grow(20)
    made.header()
    lay(made.vault, made.hex, tmp_path / "stick")
    copies = find([tmp_path / "stick"], DiskTree, None)
    to = tmp_path / "new"
    restored = restore(copies, decide(copies, at_ms=at).choice, to, DiskFiles(), open_place)
    assert files_of(to) == then
    assert (to / "audit" / made.origin / "checkpoint").read_bytes() == log
    assert restored.highest_seq == made.seq, "also of a key file that was not restored"
    with pytest.raises(NotFound):
        decide(copies, at_ms=1)


def test_a_half_arrived_place_is_never_taken_for_a_whole_one(made: Made2, tmp_path: Path) -> None:
    base = lay(made.vault, made.hex, tmp_path / "cloud")
    then = files_of(made.vault)
    new = made.grow(10)
    lay(made.vault, made.hex, tmp_path / "cloud")
    for digest in new[:4]:
        (base / "blobs" / digest[:2] / digest).unlink()
    found = decide(find([tmp_path / "cloud"], DiskTree, None))
    assert found.question, "six of the new ones are there: they must not be left behind unasked"
    assert (found.choice.missing, found.left) == (4, 6)
    assert found.other is not None
    assert found.other.live.count == len([name for name in then if name.startswith("blobs")]), "the complete state"
    assert not decide(find([tmp_path / "cloud"], DiskTree, None), newest=True).question
    for digest in new[4:]:
        (base / "blobs" / digest[:2] / digest).unlink()
    found = decide(find([tmp_path / "cloud"], DiskTree, None))
    assert not found.question
    assert "still arriving" in found.why
    copies = find([tmp_path / "cloud"], DiskTree, None)
    assert files_of(bring(copies, tmp_path / "new").folder) == then


def test_a_newer_key_file_is_never_left_behind_unasked(made: Made2, tmp_path: Path) -> None:
    base = lay(made.vault, made.hex, tmp_path / "cloud")
    (new,) = made.grow(1)
    made.header()
    lay(made.vault, made.hex, tmp_path / "cloud")
    (base / "blobs" / new[:2] / new).unlink()
    assert decide(find([tmp_path / "cloud"], DiskTree, None)).question, "it may be of a newer recovery sheet"


def test_an_interrupted_restore_goes_on_and_copies_nothing_twice(made: Made2, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    to, looks = tmp_path / "new", iter([False, True])
    with pytest.raises(Interrupted):
        bring(find([tmp_path / "stick"], DiskTree, None), to, stop=lambda: next(looks))
    assert not to.exists()
    built = Building(to).vault
    before = {path.name: path.stat().st_mtime_ns for path in built.glob("blobs/*/*")}
    assert before
    wrong = next(built.glob("blobs/*/*"))
    wrong.write_bytes(b"a failing disk")
    is_sound(made, bring(find([tmp_path / "stick"], DiskTree, None), to).folder)
    after = {path.name: path.stat().st_mtime_ns for path in to.glob("blobs/*/*")}
    assert {name for name in before if after[name] != before[name]} == {wrong.name}


def test_an_interrupted_restore_goes_on_with_its_own_state_whatever_arrives(made: Made2, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    then, to = files_of(made.vault), tmp_path / "new"
    with pytest.raises(Interrupted):
        bring(find([tmp_path / "stick"], DiskTree, None), to, stop=lambda: True)
    made.grow(3)
    lay(made.vault, made.hex, tmp_path / "stick")
    copies = find([tmp_path / "stick"], DiskTree, None)
    with pytest.raises(Refused):
        bring(copies, to)
    journal = Building(to).read(DiskFiles())
    assert journal is not None
    choice = decide_again(copies, journal)
    assert choice is not None
    restore(copies, choice, to, DiskFiles(), open_place)
    assert files_of(to) == then
    assert restore(copies, choice, to, DiskFiles(), open_place).again


def test_a_stick_pulled_out_in_the_middle_has_lost_nothing(made: Made2, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    to, pulled = tmp_path / "new", tmp_path / "pulled"

    def pull(_done: int, _of: int, files: int) -> None:
        if files > 100 and not pulled.exists():
            (tmp_path / "stick").rename(pulled)

    with pytest.raises(StorageFault) as caught:
        bring(find([tmp_path / "stick"], DiskTree, None), to, progress=pull, may_miss=lambda _missing: True)
    assert "Plug it in again" in caught.value.next_step
    assert not to.exists()
    pulled.rename(tmp_path / "stick")
    is_sound(made, bring(find([tmp_path / "stick"], DiskTree, None), to).folder)


class Shut(DiskTree):
    """Large files may not be read."""

    def stream(self, path: str, *, chunk: int) -> Iterator[bytes]:
        raise CannotWrite("Cannot get at a file: the system refuses access to it.")


def test_a_large_file_that_may_not_be_read_in_one_place_comes_from_the_other(made: Made2, tmp_path: Path) -> None:
    bases = [lay(made.vault, made.hex, tmp_path / name) for name in ("stick", "nas")]
    copies = Copies([PlaceCopy(Shut(bases[0]), made.hex), PlaceCopy(DiskTree(bases[1]), made.hex)], made.hex)
    is_sound(made, bring(copies, tmp_path / "new").folder)


class OneWriter(DiskPlace):
    """Slow, and only for one at a time."""

    def __init__(self, root: Path, device: str) -> None:
        super().__init__(root, device)
        self._writing = threading.Lock()
        self.batches = 0

    def add_batch(self, items: Iterable[tuple[str, bytes]], *, read_back: bool = False) -> int:
        assert self._writing.acquire(blocking=False), "two write at once"
        try:
            self.batches += 1
            time.sleep(0.2)
            return super().add_batch(items, read_back=read_back)
        finally:
            self._writing.release()

    def add_stream(self, path: str, pieces: Iterable[bytes], *, sha256: str, read_back: bool = False) -> None:
        assert self._writing.acquire(blocking=False), "two write at once"
        try:
            super().add_stream(path, pieces, sha256=sha256, read_back=read_back)
        finally:
            self._writing.release()


@pytest.mark.slow
def test_a_large_file_is_not_written_while_a_batch_is(tmp_path: Path) -> None:
    made = vaults.synthetic(tmp_path / "home", [7 * MB] * 6 + [9 * MB] * 3, seed=3)
    firsts = sorted(made.digests)
    assert max(map(firsts.index, made.digests[6:])) > 5, "a large one comes when a batch is on its way"
    lay(made.vault, made.hex, tmp_path / "stick")
    copies, places = find([tmp_path / "stick"], DiskTree, None), list[OneWriter]()

    def one_writer(root: Path) -> OneWriter:
        places.append(OneWriter(root, "0d" * 16))
        return places[0]

    restored = restore(copies, decide(copies).choice, tmp_path / "new", DiskFiles(), one_writer)
    assert files_of(restored.folder) == files_of(made.vault)
    assert places[0].batches > 1


class Vanishing(DiskPlace):
    """The disk of the new vault is away for a moment, just when a large file is written to it."""

    def add_stream(self, path: str, pieces: Iterable[bytes], *, sha256: str, read_back: bool = False) -> None:
        raise NotFound("The folder was taken away meanwhile (unplugged, or its connection ended).")


def test_a_disk_of_the_new_vault_that_was_pulled_out_makes_no_file_a_missing_one(made: Made2, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    copies = find([tmp_path / "stick"], DiskTree, None)
    asked: list[int] = []

    def may_miss(count: int) -> bool:
        asked.append(count)
        return True

    def vanishing(root: Path) -> Vanishing:
        return Vanishing(root, "0d" * 16)

    with pytest.raises(NotFound):
        restore(copies, decide(copies).choice, tmp_path / "new", DiskFiles(), vanishing, may_miss=may_miss)
    assert asked == []
    assert not (tmp_path / "new").exists()


def test_only_the_vault_asked_for_is_restored_where_several_lie(made: Made2, tmp_path: Path) -> None:
    other = vaults.synthetic(tmp_path / "other", [800] * 4, seed=2)
    lay(made.vault, made.hex, tmp_path / "stick")
    lay(other.vault, other.hex, tmp_path / "stick")
    with pytest.raises(Refused) as caught:
        find([tmp_path / "stick"], DiskTree, None)
    said = caught.value.sentence + caught.value.next_step
    assert made.hex[:4] in said
    assert other.hex[:4] in said
    is_sound(other, bring(find([tmp_path / "stick"], DiskTree, other.hex), tmp_path / "new").folder)


def test_nothing_is_written_where_something_lies(made: Made2, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    before = files_of(made.vault)
    with pytest.raises(Refused):
        bring(find([tmp_path / "stick"], DiskTree, None), made.vault)
    assert files_of(made.vault) == before
    assert not Building(made.vault).root.exists()
    empty = tmp_path / "empty"
    empty.mkdir()
    is_sound(made, bring(find([tmp_path / "stick"], DiskTree, None), empty).folder)


def test_a_place_is_only_read_by_a_restore(made: Made2, tmp_path: Path) -> None:
    base = lay(made.vault, made.hex, tmp_path / "stick")
    kept = tmp_path / "kept"
    shutil.copytree(base, kept)
    bring(find([tmp_path / "stick"], DiskTree, None), tmp_path / "new")
    now = {str(path.relative_to(base)): path.is_file() and path.read_bytes() for path in base.rglob("*")}
    assert now == {str(path.relative_to(kept)): path.is_file() and path.read_bytes() for path in kept.rglob("*")}
