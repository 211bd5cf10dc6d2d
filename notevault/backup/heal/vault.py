"""Healing the vault's own folder. Nothing that is right is touched, and what is wrong is kept in set-aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from notevault.auditlog import bundle
from notevault.backup.checks.parts import exhausts, look_at_part
from notevault.backup.copies.choice import Choice, ChosenFiles
from notevault.backup.copies.copies import Copies
from notevault.backup.copies.facts import Facts
from notevault.backup.copies.port import Copy, State
from notevault.backup.copies.vault import VaultCopy
from notevault.backup.heal.batch import Batch
from notevault.backup.heal.healing import Healing
from notevault.backup.heal.ours import own_logs
from notevault.backup.model import Problem
from notevault.backup.places import layout as place
from notevault.backup.places.ground import Ground
from notevault.errors import CannotWrite, Damaged, DiskFull, NotevaultError, NotFound, StorageFault
from notevault.storage.layout import BUNDLE
from notevault.storage.local import LocalState
from notevault.storage.lock import writer_lock

_READ_ERRORS = (Damaged, NotFound, StorageFault)


class VaultHealer:
    """`given`: the copies that may have what the vault lacks."""

    def __init__(
        self,
        ground: Ground,
        local: LocalState,
        own: VaultCopy,
        given: Sequence[Copy],
        vault: str,
        known: bytes | None,
        found: Healing,
    ) -> None:
        self._files, self._root, self._wall = ground.files, ground.vault, ground.clock.wall_ms()
        self._day = datetime.fromtimestamp(self._wall / 1000, UTC).strftime("%Y-%m-%d")
        self._tree, self._local, self._vault, self._found = ground.vault_tree, local, own, found
        every = Copies([own, *given], vault, known)
        only = own_logs(local, own, every)
        self._all = every if only is None else Copies([own, *given], vault, known, only=only)
        self._others = Copies(given, vault, known or _only(self._all.viks))
        self._signed: dict[str, bytes | None] = {}
        self._whole = True
        self._batch = Batch(self._others, self._put_back, self._large, self._lack)

    def run(self) -> bool:
        """Whether all of the vault was looked at and is right now, files aside that nobody has. Raises NotFound."""
        choice = self._choose()
        choice, sizes = self._mine(choice)
        self._logs(choice, sizes)
        self._key_files(choice, sizes)
        for first in range(256):
            self._part(first, self._live(choice, sizes).part(first))
            if not self._found.step():
                self._batch.flush()
                return False
        self._batch.flush()
        return self._whole

    # -- what the vault should have

    def _choose(self) -> Choice:
        self._signed = {origin: self._vault.checkpoint(origin) for origin in self._all.origins()}
        choice = self._all.newest()
        if choice.forked:
            self._problem("FORKED", place.AUDIT, "copies hold signed states that contradict each other")
        return choice

    def _mine(self, choice: Choice) -> tuple[Choice, dict[str, int]]:
        """The states that the vault itself has signed, and their sizes: what a place has beyond is not its own (yet).

        Where the vault has no signed state that holds, the copies' newest. Where both hold and contradict each other,
        the vault keeps its own.
        """
        facts, states, sizes = dict(choice.facts), dict(choice.states), {}
        for origin, state in choice.states.items():
            signed = self._own_state(origin)
            sizes[origin] = state.size
            if signed is None:
                continue
            known = self._all.facts(choice, origin, *signed)
            if known is not choice.facts[origin]:
                text = "the vault's signed state and the copies contradict each other"
                self._problem("FORKED", place.audit(origin), text)
            if known is None:
                self._whole = False
                del facts[origin], states[origin], sizes[origin]
            else:
                raw = next(self._all.signed(origin, *signed))
                facts[origin], sizes[origin] = known, signed[0]
                states[origin] = State(origin, *signed, raw)
        return replace(choice, facts=facts, states=states), sizes

    def _own_state(self, origin: str) -> tuple[int, bytes] | None:
        """Size and root of the vault's own checkpoint, where its signature holds."""
        named = self._vault.named(origin)
        return named[0] if named and next(self._all.signed(origin, *named[0]), None) is not None else None

    def _live(self, choice: Choice, sizes: dict[str, int]) -> ChosenFiles:
        facts = choice.facts
        purged = {purge.digest for one in facts.values() for purge in one.purges}
        return ChosenFiles(facts, sizes, purged)  # destroyed by whichever state: it is not brought back

    # -- sealed files

    def _part(self, first: int, expected: dict[bytes, tuple[int, int]]) -> None:
        looked = look_at_part(self._tree, first, expected, self._found.stop)
        if looked.bad and not self._real(place.blob_folder(first)):
            return
        self._batch.take(looked.bad, expected)

    def _lack(self, digest: str) -> None:
        self._found.lost[digest] = None

    def _put_back(self, files: list[tuple[str, bytes]]) -> None:
        """The right bytes are in memory: the wrong files are moved away, all of these get their names."""
        with writer_lock(self._files, self._local):
            wanted = [one for one in files if not self._destroyed(one[0])]
            ready = [(path, data) for digest, data in wanted if self._clear(path := self._root / place.blob(digest))]
            for folder in {path.parent for path, _ in ready}:
                self._files.make_folder(folder)
            self._files.create_batch(ready)
        self._found.healed += len(ready)

    def _large(self, digest: str, size: int) -> None:
        """In pieces, twice: a copy is read to its end before the wrong file is moved."""
        if not any(exhausts(pieces) for pieces in self._others.tries(digest, size)):
            self._lack(digest)
            return
        path = self._root / place.blob(digest)
        with writer_lock(self._files, self._local):
            if self._destroyed(digest) or not self._clear(path):
                return
            self._files.make_folder(path.parent)
            why = ""
            for pieces in self._others.tries(digest, size):
                try:
                    self._files.create(path, pieces)
                except _READ_ERRORS as fault:
                    why = fault.sentence
                    continue
                self._found.healed += 1
                return
        self._whole = False
        self._problem("STUCK", digest, f"it cannot be put back: {why}")

    def _destroyed(self, digest: str) -> bool:
        """Whoever writes beside us may have destroyed a note since we read the log: then it must not come back."""
        now = {origin: self._vault.checkpoint(origin) for origin in self._signed}
        if now != self._signed:
            self._signed = now
            self._all.refresh()
            self._latest = {purge.digest for one in self._all.newest().facts.values() for purge in one.purges}
        return bytes.fromhex(digest) in self._latest

    _latest: frozenset[bytes] | set[bytes] = frozenset()

    # -- key files and logs

    def _key_files(self, choice: Choice, sizes: dict[str, int]) -> None:
        """Those that are there and wrong, and the newest one. An older one that is gone may have been given up."""
        refs = [ref for origin, one in choice.facts.items() for ref in one.headers if ref.index < sizes[origin]]
        newest = max(refs, key=lambda ref: (ref.name.seq, ref.name.origin), default=None)
        there = set(self._vault.headers())
        for ref in refs:
            if (ref is not newest and ref.name not in there) or self._vault.header(ref.name) is not None:
                continue
            data = self._others.header(ref.name)
            if data is None:
                self._whole = self._whole and ref is not newest
                self._problem("LOST", place.header(*ref.name), "no copy has this key file as it was")
            else:
                self._replace(place.header(*ref.name), data)

    def _logs(self, choice: Choice, sizes: dict[str, int]) -> None:
        for origin, size in sizes.items():
            facts, state, card = choice.facts[origin], choice.states[origin], self._all.card(origin)
            if card is not None and self._vault.card(origin) != card:
                self._replace(place.card(origin), card)
            signed = self._own_state(origin)
            if signed is None and not self._is_all(origin, size, choice):
                self._whole = False
                text = "its signed state does not hold, and no copy has all that this laptop has seen of it: restore"
                self._problem("LOG", place.audit(origin), f"{text} the backup into a new folder")
                continue
            self._bundles(facts, origin, size)
            closed = {one.epoch: one.index for one in facts.closes}
            for number, data in self._all.seals(choice, origin):
                if closed[number] + 1 < size and self._vault.seal(origin, number) != data:
                    self._replace(place.seal(origin, number), data)
            self._end(facts, origin, size, None if signed is not None else state.checkpoint)

    def _is_all(self, origin: str, size: int, choice: Choice) -> bool:
        """Does this state cover what this laptop saw signed last? Else putting it in place would take notes back."""
        cited = [one.cites[1] for one in choice.facts.values() if one.cites is not None and one.cites[0] == origin]
        if any(most > size for most in cited):
            return False
        try:
            head = self._local.read_head()
        except Damaged:
            return False
        if head is None or head.origin != origin:
            return head is not None and bool(cited)  # closed: the log that follows it says how long it was
        return choice.facts[origin].root_at(head.size) == head.root and size >= head.size

    def _bundles(self, facts: Facts, origin: str, size: int) -> None:
        for number in range(size // BUNDLE):
            right = facts.log.bundle(number)
            pieces = list(self._vault.pieces(origin, number))
            data = bundle.pack(right)
            path = place.bundle(origin, number)
            there = self._vault.read(path, bundle.MAX_BYTES)
            still_open = number == size // BUNDLE - 1 and there is None
            if there == data or (still_open and any(list(piece.entries[:BUNDLE]) == right for piece in pieces)):
                continue
            self._replace(path, data)

    def _end(self, facts: Facts, origin: str, size: int, checkpoint: bytes | None) -> None:
        """`open`, and the checkpoint where one is given: replaced like the program does it, the checkpoint last."""
        number, rest = divmod(size, BUNDLE)
        right = facts.log.bundle(number)[:rest] if rest else []
        pieces = [piece for piece in self._vault.pieces(origin, number) if list(piece.entries[:rest]) == right]
        if checkpoint is None and (not rest or pieces):
            return
        folder = self._root / place.audit(origin)
        with writer_lock(self._files, self._local):
            if not self._real(place.audit(origin)):
                return
            if self._vault.checkpoint(origin) != self._signed.get(origin):
                self._whole = False  # somebody writes, so it can be written: look again another time
                return
            if not pieces or not rest:
                if not (self._keep(folder / "open") if rest else self._clear(folder / "open")):
                    return
                if rest:
                    self._files.replace(folder / "open", bundle.pack(right))
                    self._found.healed += 1
            if checkpoint is not None and self._keep(folder / "checkpoint"):
                self._files.replace(folder / "checkpoint", checkpoint)
                self._found.healed += 1
                self._signed[origin] = checkpoint

    # -- helpers

    def _replace(self, path: str, data: bytes) -> None:
        """In one step: an older key file that was moved away and not put back would pass for one that was given up."""
        whole = self._root / path
        with writer_lock(self._files, self._local):
            if self._real(path.rpartition("/")[0]) and self._keep(whole):
                self._files.make_folder(whole.parent)
                self._files.replace(whole, data)
                self._found.healed += 1

    def _real(self, folder: str) -> bool:
        """No link on the way: whatever is written there would lie elsewhere."""
        try:
            self._tree.names(folder)
        except Damaged:
            self._whole = False
            self._problem("PLANTED", folder, "a link or a file lies where a folder of the vault belongs: move it away")
            return False
        return True

    def _keep(self, path: Path) -> bool:
        """Copy what lies under this name to set-aside, so that it can be replaced. False when that cannot be done."""
        try:
            size = self._files.size(path)
            if size is not None:
                self._local.set_aside_range(path.name, path, 0, size, wall_ms=self._wall)
                self._found.aside += 1
        except DiskFull as fault:
            return self._stuck(path, fault)
        except (CannotWrite, StorageFault):  # perhaps the disk does not give its bytes: a rename needs none
            return self._clear(path)
        except NotevaultError as fault:
            return self._stuck(path, fault)
        return True

    def _clear(self, path: Path) -> bool:
        """Move what lies under this name to set-aside. False when that cannot be done; then it stays."""
        try:
            there = self._files.size(path) is not None
            if there:
                self._move_away(path)
                self._found.aside += 1
        except NotevaultError as fault:
            return self._stuck(path, fault)
        return True

    def _stuck(self, path: Path, fault: NotevaultError) -> bool:
        self._whole = False
        self._problem("STUCK", path.name, f"what lies under this name cannot be set aside: {fault.sentence}")
        return False

    def _move_away(self, path: Path) -> None:
        """A rename where that can be: after an attack there are thousands, and the disk may be full."""
        folder = self._local.paths.set_aside / self._day
        self._files.make_folder(folder)
        try:
            self._files.move(path, folder / f"{path.name}-{self._wall:016x}")
        except (Damaged, StorageFault):  # the name is taken, or the two lie on different disks
            self._local.set_aside_file(path, wall_ms=self._wall)

    def _problem(self, code: str, path: str, detail: str) -> None:
        self._found.problems.append(Problem(code, path, detail))


def _only(viks: Sequence[bytes]) -> bytes | None:
    return viks[0] if viks else None
