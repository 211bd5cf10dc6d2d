"""What the toolbar, home and `backup` say of the backups: read from this laptop's own files, in a thread of its own.

Nothing on the screen ever waits for it, and no stick or network is touched: one that hangs hangs the worker. What is
counted as waiting is counted here, from the log of the open vault, so that a worker that stopped cannot make it look
better than it is. A demo has no backup, and says so nowhere but in `backup`.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from notevault.auditlog import entry
from notevault.errors import NotevaultError

if TYPE_CHECKING:  # read when they are needed: the shell's first screen does not wait for them
    from notevault.backup.model import PlaceFile, PlaceState, Waiting
    from notevault.backup.places.registry import Places
    from notevault.backup.status.status import Overall, PlaceStatus
    from notevault.shell.desk import Desk

EVERY_MS = 2_000
PREPARED = 2
"""The second on the locked screen in which the modules are read: not the first one, which draws it."""
DISK_S = 0.5
GATE_S = 0.02
"""The vault is for her; the count of what waits tries again later."""
BUNDLE = 256
MOST, AT_LOCK = 1 << 20, 8
"""Bundles of the log read in one look; a lock waits for a few at most."""
HALTED_BAR = ("automatic backup does not run: type backup", "no automatic backup", "BACKUP: look")
HALTED = "The automatic backup does not run: it ends as soon as it starts. `backup run` backs up now."
_HERE = re.compile(r"`notevault (backup (?:add|list|remove|run|status|verify|drill|heal)\b)(?! --(?:from|bring-in))")
_REACHABLE = frozenset({"safe", "waiting", "busy", "slow"})


def here(words: str) -> str:
    """Advice in the commands of a terminal, as one does it here at the prompt."""
    return _HERE.sub(r"`\1", words)


@dataclass(frozen=True, repr=False)
class Seen:
    """One look. `waits`: something is not in a place that can be reached."""

    overall: Overall
    places: tuple[PlaceStatus, ...]
    waits: bool

    @property
    def red(self) -> bool:
        return self.overall.colour == "red"


class Growth:
    """The changes of one log beyond some size, counted once each while the log grows."""

    def __init__(self) -> None:
        self._from = self._to = 0
        self._changes: list[tuple[int, int]] = []  # place in the log, ms

    def since(self, size: int) -> tuple[int, int]:
        """How many from this place in the log on, and when the first of them was made; (0, 0) for none."""
        found = [at for i, at in self._changes if i >= size]
        return len(found), min(found, default=0)

    def follow(self, desk: Desk, size: int, most: int) -> bool:
        """Read on to the log's end, and back to `size` where that was not read yet, at most so many bundles. Whether
        the end was reached.
        """
        if size < self._from or self._to == 0:
            self._from, self._to, self._changes = size, size, []
        for _ in range(most):
            if not desk.gate.acquire(timeout=GATE_S):
                return False
            try:
                end = desk.session.recorder.tail.size
                step = min(end, self._to - self._to % BUNDLE + BUNDLE)
                new = list(desk.session.recorder.entries(self._to, step)) if step > self._to else []
            finally:
                desk.gate.release()
            for i, data in enumerate(new, self._to):
                found = entry.parse(data)
                if isinstance(found, entry.Entry) and found.c is not None and found.ev != "record.purge":
                    self._changes.append((i, found.t))
            self._to = max(self._to, step)
            if self._to >= end:
                return True
        return False


def _prepare() -> None:
    """What a look needs is read from the disk while she types her passphrase."""
    with suppress(Exception):
        import notevault.backup.places.registry
        import notevault.backup.source.guard
        import notevault.backup.status.status  # noqa: F401


class BackupBar:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._thread: threading.Thread | None = None
        self._next = self._looks = 0
        self._growth = Growth()
        self._told: bool | None = None
        self._one = threading.Lock()
        self._same_disk: dict[str, bool] = {}  # by place, once it is known
        self.seen: Seen | None = None
        self.halted = False
        """The worker ends each time that it is started: the parent says so."""

    @property
    def bar(self) -> tuple[str, ...]:
        """For the toolbar, the longest first; nothing before the first look."""
        if self.halted and not self.red:
            return HALTED_BAR
        return () if self.seen is None else self.seen.overall.bar

    @property
    def red(self) -> bool:
        return self.seen is not None and self.seen.red

    def worker_is(self, how: str) -> None:
        """The parent's word: dead, or runs."""
        self.halted = how == "dead"

    def warnings(self) -> list[str]:
        """For home, above everything."""
        return [*([self._sentence("Type `backup`.")] if self.red else []), *([HALTED] if self.halted else [])]

    def reminder(self) -> str:
        """For home, in a quiet minute."""
        if self.seen is None or self.seen.red or self.seen.overall.colour == "green":
            return ""
        return self._sentence("") if self.seen.places else f"{self.seen.overall.words} Type `backup add`."

    def _sentence(self, step: str) -> str:
        assert self.seen is not None
        return f"{here(self.seen.overall.words)} {step or here(self.seen.overall.next_step)}".strip()

    def opened(self) -> None:
        """A vault was opened, or goes on with a new log."""
        self._growth = Growth()
        self.soon()

    def first(self) -> None:
        """Before home is shown for the first time: an alarm stands there at once. A few small files are read."""
        if self.seen is None and self._desk.demo is None:
            with suppress(NotevaultError, OSError):
                self.now(AT_LOCK)

    def look(self) -> None:
        """To be called every second, from the loop's thread; never waits."""
        desk = self._desk
        if desk.demo is not None or (self._thread is not None and self._thread.is_alive()):
            return
        self._looks += 1
        if not desk.open:
            if self._looks == PREPARED:
                self._begin(_prepare)
            return
        now = desk.env.clock.boot_ms()
        if now >= self._next:
            self._next = now + EVERY_MS
            self._begin(self._quietly)

    def _begin(self, job: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=job, daemon=True)
        self._thread.start()

    async def refresh(self) -> None:
        """Before home is shown anew: it shall not say what was mended just now."""
        await asyncio.get_running_loop().run_in_executor(None, self._quietly)

    def soon(self) -> None:
        """Something was changed: look at the next second."""
        self._next = 0

    def _quietly(self) -> None:
        with suppress(NotevaultError, OSError):  # this laptop's own files cannot be read: the next look tries again
            self.now()

    def now(self, most: int = MOST) -> Seen:
        """Look at once; waits for the disk. The parent is told when it matters to it."""
        with self._one:
            seen = self.seen = self._read(most)
        if seen.waits != self._told:
            self._told = seen.waits
            self._desk.channel.send(f"backup {'waits' if seen.waits else 'safe'}")
        return seen

    def places(self) -> Places:
        from notevault.backup.places.registry import Places

        return Places(self._desk.env.files, self._desk.side.local_root / self._desk.session.vault_id.hex())

    def _read(self, most: int) -> Seen:
        from notevault.backup.source.guard import recall
        from notevault.backup.status.status import overall, status_of

        desk, known = self._desk, self.places()
        now = desk.now()
        offset = desk.env.clock.utc_offset_minutes(now)
        frozen = known.frozen()
        found = []
        places = known.all()
        for place in places:
            state = known.state(place.id)
            found.append(
                status_of(
                    place,
                    state,
                    known.proofs(place.id),
                    frozen,
                    self._waiting(state, most),
                    now,
                    place.kind == "cloud",
                    offset_minutes=offset,
                    same_disk=len(places) == 1 and self._is_on_our_disk(place),
                )
            )
        waits = any(one.waiting.changes and one.state.verdict in _REACHABLE for one in found)
        lost = len(recall(desk.env.files, known).lost)
        return Seen(overall(found, now, offset_minutes=offset, lost=lost), tuple(found), waits)

    def _is_on_our_disk(self, place: PlaceFile) -> bool:
        """Asked of a disk that is built in alone, with patience, until it has answered once."""
        if place.kind not in ("fixed", "unknown"):
            return False
        if place.id not in self._same_disk:
            from notevault.backup.places.patience import in_time

            def same() -> bool:
                device = Path(place.path).stat().st_dev
                return device == self._desk.side.vault.stat().st_dev

            with suppress(OSError):
                told = in_time(("disk", place.id), same, DISK_S)
                if told is not None:
                    self._same_disk[place.id] = told
        return self._same_disk.get(place.id, False)

    def _waiting(self, state: PlaceState, most: int) -> Waiting | None:
        """What this vault's own log has beyond the place; None where that is not known: then as its last pass said."""
        from notevault.backup.model import Waiting

        head = state.heads.get(self._desk.session.origin)
        try:
            if head is None or not self._growth.follow(self._desk, head.size, most):
                return None
        except NotevaultError:
            return None  # a damaged log: whatever reads it next says so
        changes, first = self._growth.since(head.size)
        return Waiting(max(changes, state.waiting), min(filter(None, (first, state.waiting_ms)), default=0))
