"""Which logs of a vault count, and what they say is there: the work behind `source`."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass

from notevault.auditlog import ed25519, entry
from notevault.auditlog.canon import unbase64
from notevault.auditlog.events import HEADERS
from notevault.auditlog.walk import PURGE
from notevault.backup.source.cache import Kept, NamedKeyFile, Walked
from notevault.backup.source.keyfiles import KeyFile, read_card
from notevault.backup.source.live import Live
from notevault.backup.source.log import LogSource, file_entries
from notevault.errors import Damaged, LogDamaged, NotFound, NoVault
from notevault.ports import Files
from notevault.storage.layout import VaultPaths

MOST_NEWER = 20  # key files looked into that no entry names: an interrupted change leaves one
_TAKEN = (b'"ev":"import.run"', b'"pu":"recovery"')
MOST_FALSE = 1000  # purge signatures tried in vain: each takes milliseconds


@dataclass(frozen=True)
class Walk:
    """`anew`: entries gone through. `whole`: without the help of a cache."""

    kept: Kept
    anew: int
    whole: bool


class Survey:
    """The logs of one vault. `viks`: its identities, the newest first; `found`: all key files that hold."""

    def __init__(
        self, files: Files, paths: VaultPaths, vault: str, viks: list[bytes], found: list[KeyFile], kept: Kept | None
    ) -> None:
        """Raises NoVault when nothing was ever committed, LogDamaged."""
        self.vault = vault
        self._files, self._paths, self._viks = files, paths, viks
        self._kept = kept if kept is not None and kept.vault == vault and kept.viks == set(viks) else None
        rank = {vik: number for number, vik in enumerate(viks)}
        self._ours = [one for one in found if one.vault == vault and one.vik in rank]
        self._ours.sort(key=lambda one: (rank[one.vik], -one.seq))
        self.new_key_files = kept is None or {one.key for one in self._ours} != kept.key_files.keys()
        self.logs: dict[str, LogSource] = {}
        self.faults: dict[str, str] = {}
        self.current, listed = self._find_current()
        self._load(listed)
        self.closed = frozenset(self.logs) - {self.current.origin}
        self._check_citations()

    # Which logs count

    def _find_current(self) -> tuple[KeyFile, set[str]]:
        """The newest key file that an entry of its log names, and the logs that it and later ones list."""
        listed: set[str] = set()
        for later, one in enumerate(self._ours):
            if self._named(one):
                return one, listed | one.origins.keys()
            if later < MOST_NEWER:
                listed |= one.origins.keys()
        raise NoVault("The set-up of this vault was not finished.")

    def _named(self, one: KeyFile) -> bool:
        try:
            log = self._log(one.origin)
        except NotFound:
            if one.at:
                raise LogDamaged("MISSING: the log of this vault is gone.") from None
            return False  # a set-up, a recovery or a new log that was not finished
        if one.at >= log.size:
            return False  # an interrupted change
        for data in log.entries(one.at, one.at + 1):
            naming = entry.parse(data)
            return isinstance(naming, entry.Entry) and naming.ev in HEADERS and naming.c == one.digest
        return False

    def _log(self, origin: str) -> LogSource:
        if origin not in self.logs:
            data, card = read_card(self._files, self._paths, origin, self.vault, self._viks)
            walked = None if self._kept is None else self._kept.logs.get(origin)
            self.logs[origin] = LogSource(self._files, self._paths, origin, data, card, walked)
        return self.logs[origin]

    def _load(self, listed: set[str]) -> None:
        for origin in sorted(listed - self.logs.keys()):
            try:
                self._log(origin)
            except NotFound:
                self.faults[origin] = "MISSING: a log that the vault's key file lists is not there."
            except Damaged as fault:
                self.faults[origin] = fault.sentence

    def _check_citations(self) -> None:
        cited = []
        for name, each in list(self.logs.items()):
            try:
                found = each.cites()
            except LogDamaged as fault:
                self._drop(name, fault)
                continue
            if found is not None:
                cited.append(found)
        for origin, size, root in cited:
            log = self.logs.get(origin)
            if log is None:
                if size and not self._given_up(origin):
                    raise LogDamaged(self.faults.get(origin, "MISSING: a log that a later one continues is gone."))
            elif log.size < size:
                self.faults[origin] = f"An older log had {size} entries once, now it has {log.size}."
            elif log.root_at(size) != root:
                raise LogDamaged("FORKED: an older log of this vault is another than the one that was continued.")
        named = {origin for origin, _, _ in cited}
        for origin in list(self.faults):
            # listed by a key file alone, and never begun: a new log that was not finished
            if origin not in named and self.faults[origin].startswith("MISSING") and not self._begun(origin):
                del self.faults[origin]

    def _drop(self, origin: str, fault: LogDamaged) -> None:
        """A log that does not hold where it is read. Raises that again, but for one that was given up."""
        if not self._given_up(origin):
            raise fault
        self.faults[origin] = fault.sentence
        del self.logs[origin]
        self.closed -= {origin}

    def _given_up(self, origin: str) -> bool:
        """Whether a recovery found this log beyond belief: cited with nothing, or its records were taken over since
        (FORMAT.md section 6.3, `import.run`).
        """
        if origin == self.current.origin:
            return False
        for log in self.logs.values():
            with suppress(LogDamaged):
                cited = log.cites() if log.origin != origin else None
                if cited is not None and ((cited[0] == origin and not cited[1]) or _took_over(log)):
                    return True
        return False

    def _begun(self, origin: str) -> bool:
        return any(one.origins.get(origin, 0) for one in self._ours)

    # What they say is there

    def walk(self) -> Walk:
        kept = self._kept
        if kept is not None and not all(self._continues(origin, walked) for origin, walked in kept.logs.items()):
            kept = None
        walking = _Walking(self.vault, self._viks)
        logs: dict[str, Walked] = {}
        anew = 0
        for origin, log in list(self.logs.items()):
            before = kept.logs.get(origin) if kept is not None else None
            start, changes, first_ms = (before.size, before.changes, before.first_ms) if before else (0, 0, 0)
            anew += log.size - start
            try:
                more, first = walking.feed(origin, log, start)
            except LogDamaged as fault:
                self._drop(origin, fault)
                continue
            card, signed = hashlib.sha256(log.card_bytes).digest(), hashlib.sha256(log.checkpoint).digest()
            logs[origin] = Walked(log.size, log.root, card, signed, changes + more, first_ms or first)
        live = Live() if kept is None else kept.live
        if walking.written or walking.purged:
            live = live.grown(walking.written, walking.purged)
        named = dict.fromkeys((*(kept.named if kept is not None else ()), *walking.named))
        key_files = {one.key: one for one in self._ours}
        grown = Kept(self.vault, frozenset(self._viks), logs, key_files, tuple(named), live)
        return Walk(grown, anew, kept is None)

    def _continues(self, origin: str, walked: Walked) -> bool:
        log = self.logs.get(origin)
        return log is not None and walked.size <= log.size and log.root_at(walked.size) == walked.root


def _took_over(log: LogSource) -> bool:
    return any(_TAKEN[0] in data and _TAKEN[1] in data for data in log.entries(0, log.size))


class _Walking:
    def __init__(self, vault: str, viks: list[bytes]) -> None:
        self._vault, self._viks = bytes.fromhex(vault), list(viks)
        self._tries = MOST_FALSE
        self.written: dict[bytes, tuple[int, int]] = {}
        self.purged: set[bytes] = set()
        self.named: list[NamedKeyFile] = []

    def feed(self, origin: str, log: LogSource, start: int) -> tuple[int, int]:
        """Entries that name a file from `start` on: how many, and the time of the first."""
        changes, first_ms = 0, 0
        for index, found in file_entries(start, log.entries(start, log.size)):
            changes += 1
            first_ms = first_ms or found.t
            digest, size = found.c or "", found.z or 0
            if found.ev in HEADERS:
                self.named.append(NamedKeyFile(origin, found.k["seq"], digest, size))
            elif found.ev != "record.purge":
                self.written[bytes.fromhex(digest)] = (size, index)
            elif self._by_vault(digest, found.k["sig"]):
                self.purged.add(bytes.fromhex(digest))
        return changes, first_ms

    def _by_vault(self, digest: str, sig: str) -> bool:
        """Whether one of the vault's identities signed for it. One that nobody signed for destroys nothing."""
        signature = unbase64(sig, 64)
        if not isinstance(signature, bytes):
            return False
        message = PURGE + self._vault + bytes.fromhex(digest)
        for at, vik in enumerate(self._viks):
            if self._tries <= 0:
                return False
            if ed25519.verify(vik, message, signature):
                self._viks.insert(0, self._viks.pop(at))
                return True
            self._tries -= 1
        return False
