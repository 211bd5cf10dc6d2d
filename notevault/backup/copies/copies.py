"""Several copies of one vault read together: what one of them has lost or has wrong, another may have.

Whole means here: the log's entries give the signed root, its card, its signed state and the newest key file hold by
signature and hash, the logs which that lists are there, each seal says the right root (its signatures are checked by
`seals`), and every live file is there in some copy with the size that the log says. Live files are *not* hashed for
that: `read` and `tries` hash what they give, and remember what was wrong, so that the next `whole` counts it missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from notevault.auditlog import card as cards
from notevault.auditlog import checkpoint, ed25519
from notevault.auditlog import headers as key_files
from notevault.auditlog.fault import Fault
from notevault.auditlog.note import Verify
from notevault.backup.copies.choice import Arriving, Choice, LiveFiles
from notevault.backup.copies.choosing import Chooser, counting
from notevault.backup.copies.facts import Facts
from notevault.backup.copies.identities import Identities
from notevault.backup.copies.joined import Joiner, Log
from notevault.backup.copies.opening import find_copies
from notevault.backup.copies.port import Copy, HeaderName, State
from notevault.errors import CannotWrite, Damaged, LogDamaged, Missing, NotevaultError, NotFound, StorageFault
from notevault.ports import Tree

__all__ = ["Arriving", "Choice", "Copies", "Copy", "HeaderName", "LiveFiles", "Log", "State", "open_copies"]

READ_LIMIT = 72 << 20
"""Bytes that `read` holds in memory; larger ones (attachments) by `tries`."""


class Copies:
    def __init__(
        self,
        copies: Sequence[Copy],
        vault: str,
        known: bytes | None = None,
        verify: Verify = ed25519.verify,
        only: Collection[str] | None = None,
    ) -> None:
        """`vault`: 32 hexadecimal digits. `known`: the vault's identity key (32 bytes) or the fingerprint of it that
        the recovery sheet carries (16 bytes): logs of another identity are then left out, whatever they claim.
        `only`: logs to which everything is limited.
        """
        self._only = only
        self.copies, self.vault, self.known, self.verify = tuple(copies), vault, known, verify
        self.bad: set[tuple[str, bytes]] = set()  # (copy, digest) of sealed files that were read and were wrong
        self._begin()

    def _begin(self) -> None:
        self._identities = Identities(self.copies, self.vault, self.known, self.verify)
        self._joiners: dict[str, Joiner] = {}
        self._named: dict[str, list[tuple[int, bytes]]] = {}
        self._seals: dict[str, dict[tuple[int, bytes], list[tuple[int, bytes]]]] = {}
        self.cards: dict[str, tuple[cards.Card, bytes]] = {}
        self.viks: list[bytes] = []
        self._chooser = self._pick()

    def refresh(self) -> None:
        """Forget what was seen, but for the files found wrong: something was put back."""
        self._begin()

    def _pick(self) -> Chooser:
        """The identity that is known, else the one with the most entries that can be proven."""
        found: list[tuple[int, Chooser, list[bytes], dict[str, tuple[cards.Card, bytes]]]] = []
        families = self._identities.families()
        every = sum(bool(ones) for ones in self._identities.cards.values())
        for viks in families:
            self.viks, self.cards = viks, self._limited(self._identities.cards_of(viks))
            chooser = Chooser(self, viks, every - len(self.cards))
            proven = 0
            if len(families) > 1:
                facts = [chooser.facts(origin) for origin in self.cards]
                proven = sum(one.log.size for one in facts if one is not None)
            found.append((proven, chooser, self.viks, self.cards))
        if not found:
            self.viks, self.cards = [], {}
            return Chooser(self, [], every)
        _, chooser, self.viks, self.cards = max(found, key=lambda one: one[0])
        return chooser

    def _limited(self, found: dict[str, tuple[cards.Card, bytes]]) -> dict[str, tuple[cards.Card, bytes]]:
        return {one: card for one, card in found.items() if self._only is None or one in self._only}

    # -- logs and states

    def origins(self) -> list[str]:
        """The logs that have a card that holds, of the vault's identity (renewed ones are followed)."""
        return sorted(self.cards)

    def card(self, origin: str) -> bytes | None:
        found = self.cards.get(origin)
        return None if found is None else found[1]

    def whole(self, at_ms: int | None = None) -> Choice:
        """The newest that is whole; with `at_ms`, of those whose last entry is not later. NotFound if there is none."""
        found = self._chooser.whole(at_ms)
        if found is None:
            raise NotFound("No state of the vault is there as a whole.", "Bring another backup place, or another date.")
        return found

    def newest(self, at_ms: int | None = None) -> Choice:
        """The newest whose log can be read, whole or not: `missing` and `lost` say. NotFound when there is none."""
        found = self._chooser.newest(at_ms)
        if found is None:
            if not self.cards and self.known is not None and self._identities.any_card():
                raise NotFound("What lies there is of another vault than this one.", "Bring a backup of this vault.")
            when = "" if at_ms is None else " from that time or before"
            raise NotFound(f"No log of the vault{when} can be read there.", "Bring another backup place.")
        return found

    def beyond(self) -> dict[str, int]:
        """Of each log how many entries were signed that are in no copy; logs that lack none are left out."""
        return self._chooser.beyond()

    def log(self, origin: str, state: State) -> Log:
        """Its entries, joined from all copies and proven against the state's root. LogDamaged with the place."""
        return self.joiner(origin).log(state.size, state.root)

    def facts(self, choice: Choice, origin: str, size: int, root: bytes) -> Facts | None:
        """What this state of a log says: of the chosen log where it is a part of it, else of the other branch, for a
        log that forked. None when its entries are not all there. The signature is not looked at.
        """
        known = choice.facts.get(origin)
        if known is not None and known.root_at(size) == root:
            return known
        try:
            return Facts(self.joiner(origin).log(size, root), self.vault, self.viks, [size], self.verify)
        except LogDamaged:
            return None

    def joiner(self, origin: str) -> Joiner:
        if origin not in self._joiners:
            self._joiners[origin] = Joiner(origin, self.copies)
        return self._joiners[origin]

    def named(self, origin: str) -> list[tuple[int, bytes]]:
        """Size and root of the alleged states, ascending: anchors and checkpoints, and the seals, which are states too
        and may be all that somebody left. Nothing is verified.
        """
        if origin not in self._named:
            found = {one for copy in self.copies for one in copy.named(origin)}
            self._named[origin] = sorted(found | self._all_seals(origin).keys())
        return self._named[origin]

    def _all_seals(self, origin: str) -> dict[tuple[int, bytes], list[tuple[int, bytes]]]:
        """The different files under the names of seals: (size, root) that they say -> number, bytes."""
        if origin not in self._seals:
            found = self._seals[origin] = {}
            for copy in self.copies:
                for number in copy.seal_numbers(origin):
                    data = copy.seal(origin, number)
                    seal = checkpoint.parse(data) if data is not None else None
                    if data is None or not isinstance(seal, checkpoint.Checkpoint) or seal.origin != origin:
                        continue
                    known = found.setdefault((seal.size, seal.root), [])
                    if (number, data) not in known:
                        known.append((number, data))
        return self._seals[origin]

    def signed(self, origin: str, size: int, root: bytes) -> Iterator[bytes]:
        """The different files that prove this state."""
        seen: set[bytes] = set()
        for data in self._alleged(origin, size, root):
            if data not in seen:
                seen.add(data)
                if counting(data, origin, size, root, self.cards[origin][0].identity_pub, self.verify):
                    yield data

    def _alleged(self, origin: str, size: int, root: bytes) -> Iterator[bytes]:
        for copy in self.copies:
            yield from copy.signed(origin, size, root)
        for _, data in self._all_seals(origin).get((size, root), ()):
            yield data

    def alleged_seals(self, origin: str, number: int, size: int, root: bytes) -> Iterator[bytes]:
        """Files under the name of a seal that say this size and root, then anchors of that state, which are the same
        bytes (FORMAT.md section 13). Signatures are not looked at.
        """
        yield from (data for at, data in self._all_seals(origin).get((size, root), ()) if at == number)
        for copy in self.copies:
            for data in copy.signed(origin, size, root):
                found = checkpoint.parse(data)
                if isinstance(found, Fault) or (found.origin, found.epoch) != (origin, number):
                    continue
                if (found.size, found.root) == (size, root):
                    yield data

    def seals(self, choice: Choice, origin: str) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of the seals of a chosen log, both signatures checked (about 3 ms each). One that no copy
        has right is left out; of an epoch closed by the very last entry the signed state is the seal.
        """
        state, facts = choice.states[origin], choice.facts[origin]
        card = self.cards[origin][0]
        key = card.epoch0_pub
        for close in facts.closes:
            size = close.index + 1
            if size > state.size:
                return
            given = [state.checkpoint] if size == state.size else []
            for data in [*self.alleged_seals(origin, close.epoch, size, facts.roots[size]), *given]:
                good = checkpoint.check(data, card.identity_pub, {close.epoch: key}, self.verify, origin)
                if not isinstance(good, Fault):
                    yield close.epoch, data
                    break
            key = close.key

    # -- files

    def header(self, name: HeaderName) -> bytes | None:
        """The key file's bytes when some copy has them right."""
        return next((data for copy in self.copies if (data := copy.header(name)) is not None), None)

    def highest_seq(self) -> int:
        """The highest number of any key file of this vault's identity in any copy, named by a log or not; 0: none."""
        names = sorted({name for copy in self.copies for name in copy.headers()}, key=lambda one: -one.seq)
        for name in names:
            found = key_files.parse(self.header(name) or b"")
            if isinstance(found, Fault) or found.seq != name.seq or found.vik not in self.viks:
                continue
            if found.vault == self.vault and key_files.check(found, self.verify) is None:
                return name.seq
        return 0

    def files(self, first: int) -> dict[bytes, set[int]]:
        """Sealed files by name: digest -> the sizes that copies have of it, those found wrong left out."""
        found: dict[bytes, set[int]] = {}
        for copy in self.copies:
            for digest, size in copy.files(first).items():
                if not self.bad or (copy.name, digest) not in self.bad:
                    found.setdefault(digest, set()).add(size)
        return found

    def read(self, digest: str, size: int) -> bytes:
        """A sealed file of at most READ_LIMIT bytes, hashed. Missing when no copy has it right."""
        raw = bytes.fromhex(digest)
        for copy in self.copies:
            if self.bad and (copy.name, raw) in self.bad:
                continue
            data = copy.blob(digest, min(size, READ_LIMIT))
            if data is not None and len(data) == size and hashlib.sha256(data).digest() == raw:
                return data
            self.bad.add((copy.name, raw))
        raise _missing(digest)

    def tries(self, digest: str, size: int) -> Iterator[Iterator[bytes]]:
        """The same in pieces, copy by copy: take the first that does not end in Damaged, NotFound or StorageFault.

        The hash is known only at the end: what was written of a try that failed is to be thrown away. For
        `Files.create` and `WriteOnce.add_stream`, which do that. A copy that may not be read is a StorageFault too, so
        that CannotWrite is only ever said of the disk that is written to, and stops there.
        """
        raw = bytes.fromhex(digest)
        for copy in self.copies:
            if (copy.name, raw) not in self.bad:
                yield self._checked(copy, digest, raw, size)

    def _checked(self, copy: Copy, digest: str, raw: bytes, size: int) -> Iterator[bytes]:
        hash_, left = hashlib.sha256(), size
        try:
            for piece in copy.stream(digest):
                left -= len(piece)
                if left < 0:
                    break
                hash_.update(piece)
                yield piece
        except CannotWrite as fault:
            self.bad.add((copy.name, raw))
            raise StorageFault(fault.sentence, fault.next_step) from None
        except NotevaultError:
            self.bad.add((copy.name, raw))
            raise
        if left != 0 or hash_.digest() != raw:
            self.bad.add((copy.name, raw))
            raise Damaged(f"The copy of the saved file {digest[:16]}… is not what was saved.", _FROM)


def _missing(digest: str) -> Missing:
    return Missing(f"The saved file {digest[:16]}… is in none of the copies as it was saved.", _FROM)


_FROM = "Name another copy of the vault with a further --from, if there is one."


def open_copies(
    folders: Sequence[Path], open_tree: Callable[[Path], Tree], vault: str | None = None, known: bytes | None = None
) -> Copies:
    """Each folder: one that holds `notevault`, that folder, its folder of a vault, or a vault's own folder.

    NotFound for one with nothing of the kind; Refused when there are several vaults and none is asked for.
    """
    found, name = find_copies(folders, open_tree, vault)
    return Copies(found, name, known)
