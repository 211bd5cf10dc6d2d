"""A vault folder made again from its backups, in the vault's own layout (FORMAT.md sections 1 and 13).

Everything is believed by its own bytes: notes by their checksum, key files by theirs, logs by the signed state that is
restored. Built beside (`restore_plan.Building`), each file whole and durable before the next step; the signed state of
each log comes last, and then the folder gets its name. Killed at any point, the same call goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from notevault.auditlog import bundle, merkle
from notevault.backup.copies.copies import Choice, Copies, State
from notevault.backup.copies.there import is_folder
from notevault.backup.places import layout as names
from notevault.backup.restore.batches import Batches
from notevault.backup.restore.plan import Building, Journal, busy, check_target, make_folder, same
from notevault.backup.restore.rest import Rest, sayable
from notevault.backup.restore.salvage import Salvage
from notevault.errors import (
    Busy,
    CannotWrite,
    Damaged,
    DiskFull,
    Interrupted,
    LogDamaged,
    Missing,
    NotevaultError,
    NotFound,
    StorageFault,
)
from notevault.formats.ids import is_digest
from notevault.ports import Files, WriteOnce
from notevault.storage.layout import BUNDLE

LARGE = 8 << 20  # bytes; from here on a file is streamed
LOOK_EVERY = 64  # files between two looks at `stop`
SPARE = 64 << 20  # bytes that must stay free: for the log, and for whatever else the system is doing
PIECE = 1 << 20
_AGAIN = "Run the same command again: it goes on where it stopped."

Progress = Callable[[int, int, int], None]  # bytes that are there; bytes in all; files that are there
Stop = Callable[[], bool]
MayMiss = Callable[[int], bool]  # whether to go on although so many files are in no copy


@dataclass(frozen=True)
class Restored:
    """`folder` is a whole vault, still locked. `bytes` and `files` of notes; `missing`: in no copy, byte for byte."""

    folder: Path
    files: int
    bytes: int
    missing: int
    highest_seq: int  # of any key file of this vault in any copy, also of those that were not restored
    again: bool = False  # an earlier run had copied everything


def restore(
    copies: Copies,
    choice: Choice | Salvage,
    to: Path,
    files: Files,
    open_place: Callable[[Path], WriteOnce],
    *,
    progress: Progress | None = None,
    stop: Stop | None = None,
    may_miss: MayMiss | None = None,
    folders: Sequence[Path] = (),
) -> Restored:
    """`folders`: as the copies were named; noted, so that whoever finishes the restore can back up to them.

    `may_miss` is asked when more is missing than the choice said: files whose bytes turned out to be wrong.

    Raises Refused (the folder is taken, or begun with something else), Busy, Interrupted (`stop`), Damaged (files are
    in no copy, and `may_miss` does not accept that), LogDamaged, DiskFull, CannotWrite, StorageFault, NotFound (the
    folder that is being built is gone). After each of them the same call goes on where this one ended. `finish` takes
    away what it leaves to be able to.
    """
    building = Building(to)
    wanted = Journal.of(copies.vault, choice)
    check_target(files, to, building.read(files), building)
    make_folder(files, building)
    with _alone(files, building):
        journal = building.read(files)  # again: another run may have ended just now
        done = check_target(files, to, journal, building)
        if journal is None:
            files.replace(building.journal, wanted.encode())
        else:
            same(journal, wanted, building)
        place = open_place(building.root)
        with Batches(place) as batches:
            job = _Job(copies, choice, files, building, place, batches, progress, stop or (lambda: False))
            if done:
                return job.result(again=True)
            try:
                job.run(may_miss or (lambda _missing: False))
            except LogDamaged:
                job.need_copies()
                raise
        result = job.result()
        noted = Rest(copies.vault, sayable(folders), result.files, result.missing, result.highest_seq)
        files.replace(building.rest, noted.encode())
        _give_name(files, building)
        return result


def finish(files: Files, to: Path) -> None:
    """The vault is in use: nothing is left to go on with. Without the journal the rest is harmless."""
    building = Building(to)
    with contextlib.suppress(OSError):
        for each in [*building.root.glob(".stage-*/*"), *building.root.glob(".stage-*")]:
            each.rmdir() if each.is_dir() and not each.is_symlink() else each.unlink()
    with contextlib.suppress(NotevaultError):
        files.remove(building.lock)
        files.remove(building.journal)
        files.remove(building.rest)
    with contextlib.suppress(OSError):
        building.root.rmdir()


@contextlib.contextmanager
def _alone(files: Files, building: Building) -> Iterator[None]:
    lock = files.lock(building.lock, wait_s=0.0)
    try:
        lock.__enter__()
    except Busy:
        raise busy(building) from None
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def _give_name(files: Files, building: Building) -> None:
    try:
        if building.to.exists():
            building.to.rmdir()  # empty: it was looked at, and the system refuses otherwise
        files.move(building.vault, building.to)
    except (OSError, Damaged):
        raise CannotWrite(
            f"Everything is copied, but {building.to} cannot be put in its place.",
            f"See that nothing lies there and that it is no disk of its own, then: {_AGAIN}",
        ) from None


@dataclass
class _Job:
    copies: Copies
    choice: Choice | Salvage
    files: Files
    building: Building
    place: WriteOnce
    batches: Batches
    progress: Progress | None
    stop: Stop
    done_bytes: int = 0
    done_files: int = 0
    missing: int = 0

    def result(self, *, again: bool = False) -> Restored:
        seq = self.copies.highest_seq()
        if not again:
            return Restored(self.building.to, self.done_files, self.done_bytes, self.missing, seq)
        live, missing = self.choice.live, self.choice.missing
        return Restored(self.building.to, live.count - missing, live.weight, missing, seq, True)

    def run(self, may_miss: MayMiss) -> None:
        self._room()
        self.place.make_folders(self._folders())
        self._notes()
        self._key_files()
        if isinstance(self.choice, Salvage):
            self._whatever_there_is(self.choice)
            return
        for state in self.choice.states.values():
            self._log(self.choice, state)
        self.batches.flush()
        if self.missing > self.choice.missing and not may_miss(self.missing):
            raise Damaged(
                f"{self.missing:,} files of this vault are whole in none of the folders named.",
                "Name another backup place with a further --from, or take what there is with --newest. What was copied"
                " is kept, and the same command goes on from there.",
            )
        for state in self.choice.states.values():
            self.files.replace(self._at(f"{names.audit(state.origin)}/checkpoint"), state.checkpoint)

    def _room(self) -> None:
        free = self.place.free_bytes()
        there = sum(one.size for one in self._built_blobs())
        if free is not None and self.choice.live.weight - there + SPARE > free:
            need = (self.choice.live.weight - there + SPARE - free) // 1_000_000 + 1
            raise DiskFull(
                f"There is too little room for the vault: {need:,} MB more are needed.",
                f"Free some space, or name a folder on another disk with --to. {_AGAIN}",
            )

    def _built_blobs(self) -> Iterator[_Built]:
        for first in range(256):
            folder = f"vault/{names.blob_folder(first)}"
            for name, listed in self.place.listing(folder).items():
                yield _Built(f"{folder}/{name}", name, listed.size)

    def _folders(self) -> list[str]:
        folders = ["vault", "vault/headers", "vault/audit", "vault/blobs"]
        folders += [f"vault/{names.blob_folder(first)}" for first in range(256)]
        folders += [f"vault/{names.headers(origin)}" for origin in sorted({one.origin for one in self.choice.headers})]
        if isinstance(self.choice, Salvage):
            return folders + [f"vault/{each}" for each in self.choice.folders()]
        for origin, state in self.choice.states.items():
            folders += [f"vault/{part(origin)}" for part in (names.audit, names.entries, names.seals)]
            last = (max(0, state.size - 1)) // BUNDLE
            bundles = {f"vault/{names.bundle(origin, number)}".rsplit("/", 1)[0] for number in range(0, last + 1, 1000)}
            folders += sorted(bundles - set(folders))
        return folders

    # -- notes

    def _notes(self) -> None:
        built = {bytes.fromhex(one.name): one for one in self._built_blobs() if is_digest(one.name)}
        total = self.choice.live.weight
        looked = 0
        for first in range(256):
            for digest, (size, _) in self.choice.live.part(first).items():
                looked += 1
                if looked % LOOK_EVERY == 0:
                    self._look(total)
                if digest in built and self._holds(built[digest], digest, size):
                    self.done_files, self.done_bytes = self.done_files + 1, self.done_bytes + size
                else:
                    self._note(digest.hex(), size)
        self.batches.flush()
        self._look(total)

    def _look(self, total: int) -> None:
        if self.progress is not None:
            self.progress(self.done_bytes, total, self.done_files)
        if self.stop():
            self.batches.flush()
            raise Interrupted(f"The restore was interrupted; {self.done_files:,} files are copied.", _AGAIN)

    def _holds(self, one: _Built, digest: bytes, size: int) -> bool:
        """Whether an earlier run's copy is right; a wrong one, which only a failing disk leaves, is made anew."""
        if one.size == size and _hash(self.files.stream(self._at_root(one.path), chunk=PIECE)) == digest:
            return True
        self.files.remove(self._at_root(one.path))
        return False

    def _note(self, digest: str, size: int) -> None:
        path = f"vault/{names.blob(digest)}"
        try:
            if size > LARGE:
                self._large(path, digest, size)
            else:
                self.batches.put(path, self.copies.read(digest, size))
        except Missing:  # not NotFound: our own disk may be gone
            self.need_copies()
            self.missing += 1
            return
        self.done_files, self.done_bytes = self.done_files + 1, self.done_bytes + size

    def _large(self, path: str, digest: str, size: int) -> None:
        """From the first copy that has it right. Raises Missing when none has."""
        self.batches.flush()  # one writes at a time
        for pieces in self.copies.tries(digest, size):
            with contextlib.suppress(_Unread, Damaged):  # its own faults; those of our disk are not passed over
                self.place.add_stream(path, _readable(pieces), sha256=digest)
                return
        raise Missing("A file is whole in none of the folders named.")

    def need_copies(self) -> None:
        """What was pulled out in the middle has lost nothing. Raises StorageFault."""
        for each in self.copies.copies:
            if not is_folder(Path(each.name)):
                self.batches.flush()
                raise StorageFault(f"{each.name} is not there any more.", f"Plug it in again. {_AGAIN}")

    # -- key files and logs

    def _key_files(self) -> None:
        for one in self.choice.headers:
            data = self.copies.header(one)
            if data is not None:
                self.batches.put(f"vault/{names.header(*one)}", data)

    def _log(self, choice: Choice, state: State) -> None:
        """Card, bundles, the open end, the cache of bundle roots, seals: all but the signed state itself."""
        origin, log = state.origin, self.copies.log(state.origin, state)
        card = self.copies.card(origin)
        if card is None:
            raise Damaged("The card of a log is in none of the folders named.", "Name one more with a further --from.")
        self.batches.put(f"vault/{names.card(origin)}", card)
        roots = bytearray()
        for number in range(log.bundles):
            entries = log.bundle(number)
            if len(entries) == BUNDLE:
                roots += log.bundle_root(number) or merkle.root([merkle.leaf_hash(data) for data in entries])
                self.batches.put(f"vault/{names.bundle(origin, number)}", bundle.pack(entries))
            else:
                self.batches.put(f"vault/{names.audit(origin)}/open", bundle.pack(entries))
        if roots:
            self.batches.put(f"vault/{names.audit(origin)}/hashes", bytes(roots))
        for number, data in self.copies.seals(choice, origin):
            self.batches.put(f"vault/{names.seal(origin, number)}", data)

    def _whatever_there_is(self, choice: Salvage) -> None:
        """What is damaged in every copy stays away; nothing here could say that it is needed."""
        for path, data in choice.logs():
            self.batches.put(f"vault/{path}", data)
        self.batches.flush()

    def _at(self, path: str) -> Path:
        return self.building.vault / path

    def _at_root(self, path: str) -> Path:
        return self.building.root / path


@dataclass(frozen=True)
class _Built:
    path: str  # below `<to>.restoring`
    name: str
    size: int


def _hash(pieces: Iterator[bytes]) -> bytes:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


class _Unread(Exception):
    """A copy could not be read: the next one is tried."""


def _readable(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except (NotFound, Damaged, StorageFault) as fault:
        raise _Unread from fault
