"""What enters the log: acts become entries (docs/FORMAT.md section 6), entries become commits.

The recorder needs the log keys but no unlocked vault: failed unlocks are logged while locked. Once unlocked it is
given a `Sealer`, and entries carry sealed routing, details, tags and a MAC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from notevault.auditlog import checkpoint, entry
from notevault.crypto import signing
from notevault.errors import LogDamaged, ReadOnlyVault
from notevault.storage.lock import writer_lock
from notevault.storage.logfile import LogFile, Tail
from notevault.vault.env import Env
from notevault.vault.items import Head, LogItem

LOOK_BACK = 64  # entries from whose first of this boot on the clocks are compared
CLOCK_SLACK_MS = 120_000  # wall and boot clock may drift apart by this much between two entries (NTP, rounding)


@dataclass(frozen=True)
class Subject:
    """What an act is about: a record of one client (or a vault-wide one, client all zeros)."""

    type: int
    client: bytes
    object: bytes
    version: int
    generation: int
    flags: int = 0


@dataclass(frozen=True)
class Act:
    """One thing that happened, before it is an entry. `details` are sealed; `k` is in the clear, closed per event."""

    event: str
    action: str
    purpose: str = "care"
    outcome: str = "ok"
    digest: str | None = None
    size: int | None = None
    k: dict[str, object] | None = None
    subject: Subject | None = None
    details: dict[str, object] | None = field(default=None, repr=False)


class Sealer(Protocol):
    """Adds the parts of an entry that need the vault's keys."""

    def seal(self, fields: dict[str, object], act: Act, origin: str) -> dict[str, object]: ...

    def mac(self, fields: dict[str, object], origin: str) -> dict[str, object]: ...


class LogSigner:
    """Signs checkpoints with the two keys of the log."""

    def __init__(self, item: LogItem) -> None:
        self.item = item
        self.origin = item.origin
        self.epoch = item.epoch
        self._identity = signing.private_key(item.identity_seed)
        self._epoch = signing.private_key(item.epoch_seed)
        self._identity_pub = signing.public_bytes(self._identity)
        self._epoch_pub = signing.public_bytes(self._epoch)

    def __call__(self, size: int, root: bytes) -> bytes:
        return checkpoint.make(
            self.origin,
            size,
            root,
            self.epoch,
            self._identity.sign,
            self._epoch.sign,
            self._identity_pub,
            self._epoch_pub,
        )

    @classmethod
    def for_log(cls, item: LogItem, log: LogFile, tail: Tail) -> LogSigner | None:
        """With the key of the epoch that the log is in; None when it is not among these.

        After a close that was interrupted the log is an epoch ahead of what the key store calls the present one.
        """
        held = item.at(tail.epoch)
        if held is None:
            return None
        signer, brought = cls(held), log.introduction()
        return signer if brought is None or brought.key == signer._epoch_pub else None


class Recorder:
    """Appends acts to one log. `tail` is what this process believes of it; every commit looks again under the lock.

    Without a `signer` it only reads: a log whose key is not at hand, or one that cannot be believed (an empty tail).
    """

    def __init__(self, env: Env, log: LogFile, signer: LogSigner | None, user: bytes, tail: Tail) -> None:
        self._env = env
        self._log = log
        self._signer = signer
        self._user = user.hex()
        self.tail = tail
        self.sealer: Sealer | None = None
        self.on_moved: Callable[[int, Tail], None] | None = None  # another process appended: (old size, new tail)
        self.on_committed: Callable[[Tail], None] | None = None
        self.renew: Callable[[], LogItem | None] | None = None  # another process closed the epoch: the keys now
        self._begun: tuple[int, int] = (-1, 0)  # an epoch and the size that the log had when it began
        self._deferred: list[Act] = []
        self._last: tuple[int, int, str] | None = None  # wall ms, boot ms, boot id of the newest entry
        self._since: tuple[int, int, str] | None = None  # of an earlier one of the same boot: what drift is told from
        self._held = 0
        self._settled = 0  # bytes beyond a checkpoint that were set aside and not told of yet

    @property
    def origin(self) -> str:
        return self._log.origin

    def defer(self, act: Act) -> None:
        """Enter `act` with the next commit (one fsync for both)."""
        self._deferred.append(act)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the writer lock with a fresh view of the log. May be nested in one thread."""
        if self._held:
            self._held += 1
            try:
                yield
            finally:
                self._held -= 1
            return
        with writer_lock(self._env.files, self._log.local):
            self._held = 1
            try:
                self._refresh()
                yield
            finally:
                self._held = 0

    def _refresh(self) -> None:
        moved = self._log.reload_if_moved(self.tail)
        self._settled += self._log.last_settled.bytes
        if moved is None:
            return
        if moved.size < self.tail.size:
            raise LogDamaged(f"TRUNCATED: this window saw {self.tail.size} log entries, now there are {moved.size}.")
        if self.on_moved is not None:
            self.on_moved(self.tail.size, moved)  # when it raises, the log counts as not yet followed
        self.tail, self._last = moved, None

    @property
    def keys(self) -> LogItem | None:
        """Those it signs with; None where it only reads."""
        return self._signer.item if self._signer is not None else None

    def signer(self) -> LogSigner:
        """For the epoch that the log is in. ReadOnlyVault where its key is not here.

        Call within `writing()`: another process may have closed the epoch that this one knew.
        """
        if self._signer is None:
            raise ReadOnlyVault("This vault's log can only be read at present.")
        if self._signer.epoch != self.tail.epoch:
            item = self.renew() if self.renew is not None else None
            fresh = LogSigner.for_log(item, self._log, self.tail) if item is not None else None
            if fresh is None:
                raise ReadOnlyVault("The key of this vault's log changed in another window.", "Lock, and unlock again.")
            self._signer = fresh
        return self._signer

    def use(self, item: LogItem) -> None:
        """Sign with these keys from now on: the epoch was closed."""
        self._signer = LogSigner(item)

    def seal(self) -> None:
        """Within `writing()`: the state that closes an epoch becomes its seal, durably. The next commit would too."""
        assert self._held, "sealing needs the writer lock"
        self._log.seal()

    def brought_by(self) -> entry.Entry | None:
        """The entry that brought the present epoch's key; None in the first epoch."""
        brought = self._log.introduction()
        for data in () if brought is None else self._log.entries(brought.index, brought.index + 1):
            found = entry.parse(data)
            return found if isinstance(found, entry.Entry) else None
        return None

    def epoch_begun(self) -> int:
        """The log's size when its present epoch began."""
        if self._begun[0] != self.tail.epoch:
            brought = self._log.introduction()
            self._begun = (self.tail.epoch, 0 if brought is None else brought.index + 1)
        return self._begun[1]

    def record(self, *acts: Act) -> Tail:
        """Durable on return. Raises DiskFull, CannotWrite, StorageFault, Busy, LogDamaged; then nothing counts."""
        with self.writing():
            return self.commit(list(acts))

    @property
    def last_wall_ms(self) -> int:
        """`t` of the newest entry of this process."""
        return self._last[0] if self._last else 0

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        return self._log.entries(start, stop)

    def root_at(self, size: int) -> bytes:
        return self._log.root_at(size)

    def settle(self) -> int:
        """Within `writing()`: what lies beyond the checkpoint is set aside; how many bytes since the last call."""
        assert self._held, "settling needs the writer lock"
        settled, self._settled = self._settled + self._log.settle(self.tail).bytes, 0
        return settled

    def flush(self) -> None:
        if self._deferred:
            self.record()

    def commit(self, acts: list[Act]) -> Tail:
        """Append within `writing()`."""
        assert self._held, "commit needs the writer lock"
        signer = self.signer()
        now, boot, boot_id = self._env.clock.wall_ms(), self._env.clock.boot_ms(), self._env.machine.boot_id().hex()
        acts = self._jump(now, boot, boot_id) + self._deferred + acts
        if not acts:
            return self.tail

        def build(act: Act) -> Callable[[int, bytes], bytes]:
            return lambda i, p: self._entry(act, i, p, signer.epoch, now, boot, boot_id)

        tail = self._log.commit(self.tail, [build(act) for act in acts], signer)
        self._deferred.clear()
        self.tail, self._last = tail, (now, boot, boot_id)
        if self._since is None or self._since[2] != boot_id:
            self._since = self._last
        if self.on_committed is not None:
            self.on_committed(tail)
        return tail

    def _entry(self, act: Act, i: int, p: bytes, epoch: int, now: int, boot: int, boot_id: str) -> bytes:
        fields: dict[str, object] = {
            "v": 1,
            "i": i,
            "e": epoch,
            "p": p.hex(),
            "t": now,
            "m": boot,
            "b": boot_id,
            "ev": act.event,
            "a": act.action,
            "o": act.outcome,
            "w": self._user,
            "pu": act.purpose,
        }
        if act.digest is not None:
            fields["c"], fields["z"] = act.digest, act.size
        if act.k is not None:
            fields["k"] = act.k
        if self.sealer is not None:
            fields = self.sealer.seal(fields, act, self.origin)
            fields = self.sealer.mac(fields, self.origin)
        return entry.encode(fields)

    def _jump(self, now: int, boot: int, boot_id: str) -> list[Act]:
        """A wall clock that moved against the boot clock, or ran backwards over a restart."""
        last = self._last or self._last_stored()
        if last is None:
            return []
        ahead = (now - last[0]) - (boot - last[1]) if boot_id == last[2] else min(0, now - last[0])
        if self._since is not None and self._since[2] == boot_id:  # many small steps are one large one
            steps = (now - self._since[0]) - (boot - self._since[1])
            ahead = max(ahead, steps, key=abs)
        if abs(ahead) <= CLOCK_SLACK_MS:
            return []
        self._since = (now, boot, boot_id)
        return [Act("clock.jump", "E", "system", k={"ms": abs(ahead), "to": "ahead" if ahead > 0 else "back"})]

    def _last_stored(self) -> tuple[int, int, str] | None:
        if self.tail.size == 0:
            return None
        last: tuple[int, int, str] | None = None
        for data in self._log.entries(max(0, self.tail.size - LOOK_BACK), self.tail.size):
            parsed = entry.parse(data)
            if not isinstance(parsed, entry.Entry):
                continue
            last = parsed.t, parsed.m, parsed.b
            if self._since is None or self._since[2] != last[2] or parsed.ev == "clock.jump":
                self._since = last
        return last

    def head(self, seq: int) -> Head:
        return Head(self.origin, self.tail.size, self.tail.root, seq)


def utc_year(wall_ms: int) -> int:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).year


def with_outcome(act: Act, outcome: str, at_ms: int) -> Act:
    """The same act, entered later than it happened."""
    return replace(act, outcome=outcome, k={**(act.k or {}), "at": at_ms})
