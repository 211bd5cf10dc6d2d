"""Is what a backup place should hold there, and is it right? (FORMAT.md section 13, 13.2)

quick     names and sizes of everything; nothing is opened but what says which files there should be
sampled   the same, and every byte of the parts (files by the first byte of their name) whose proof is oldest, so that
          each part is proven within 90 days of the last time; the logs every time
full      every byte

The measure is the newest state that the place itself can prove, and what this device remembers of it: a place that was
emptied, or put back to an older copy of itself, proves an older state very well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from notevault.backup import model
from notevault.backup.checks import sizes as logsizes
from notevault.backup.checks.logs import check_logs
from notevault.backup.checks.parts import Looked, look_at_part
from notevault.backup.copies.choice import Choice, ChosenFiles, LiveFiles
from notevault.backup.copies.choosing import counting
from notevault.backup.copies.copies import Copies
from notevault.backup.copies.joined import Joiner
from notevault.backup.copies.place import PlaceCopy
from notevault.backup.copies.vault import VaultCopy
from notevault.backup.model import CheckReport, Head, PlaceFile, PlaceState, Problem
from notevault.backup.places.ground import Ground
from notevault.backup.places.layout import read_marker
from notevault.backup.source.source import Source
from notevault.backup.words.clocks import past
from notevault.errors import Busy, CannotWrite, Damaged, LogDamaged, NotFound, StorageFault
from notevault.ports import Tree
from notevault.storage.local import LocalState

QUICK, SAMPLED, FULL = "quick", "sampled", "full"
DAY_MS = 24 * 3600 * 1000
WITHIN_MS = 90 * DAY_MS
LEAST_PARTS = 3  # of 256, a day: 86 days for all
MOST_PARTS = 32  # at once, after a long absence: a look that nobody asked for must not take hours
LOGS = 256  # the number of the proof of logs and key files
PARALLEL = 4
SLOW_MS = 0.5  # a file; a disk or network that takes longer is asked for several at once
TRIAL_PARTS = 4
MAX_PROBLEMS = 200
_KEPT = frozenset({model.PLANTED, model.FORKED, model.SHRUNK})
LOCK_WAIT_S = 5.0
"""For a pass that has nothing to do. One that copies takes hours."""

Progress = Callable[[int, int, int], None]
"""Bytes done, bytes in all, files done."""


def verify(
    ground: Ground,
    place: PlaceFile,
    tree: Tree,
    source: Source | None,
    how: str,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> CheckReport:
    """Check one place. What is found is remembered (`state.hurt` and `hurt_log`, `proofs`), also while a backup is at
    the place; nothing at the place is changed.

    Never raises for what it finds there: verdicts ABSENT, FOREIGN, BROKEN, READ_ONLY, PLANTED, FORKED, SHRUNK, HURT,
    SAFE, and WAITING for a place that never had anything. After `stop` the report is of what was looked at so far.
    """
    began = ground.clock.boot_ms()
    check = _Check(ground, place, tree, source, how)
    try:
        verdict = check.run(progress or (lambda _done, _all, _files: None), stop)
    except NotFound:
        verdict = model.ABSENT
    except CannotWrite:
        verdict = model.READ_ONLY
    except StorageFault:
        verdict = model.BROKEN
    found = check.found
    return CheckReport(
        how,
        verdict,
        files=found.files,
        bytes=found.hashed,
        missing=found.missing,
        changed=found.changed,
        offline=found.offline,
        problems=tuple(check.problems[:MAX_PROBLEMS]),
        seconds=(ground.clock.boot_ms() - began) / 1000,
    )


@dataclass
class _Check:
    ground: Ground
    place: PlaceFile
    tree: Tree
    source: Source | None
    how: str
    found: Looked = field(default_factory=Looked)
    problems: list[Problem] = field(default_factory=list)
    short: bool = False  # it has less than it once had
    forked: bool = False

    def run(self, progress: Progress, stop: Callable[[], bool]) -> str:
        vault = self.ground.vault_id
        try:
            if read_marker(self.tree, vault).place != self.place.id:
                return model.FOREIGN
        except Damaged as fault:
            self.problems.append(Problem("MARKER", detail=fault.sentence))
            return model.FOREIGN
        state = self.ground.places.state(self.place.id)
        live = self._expected(vault, state)
        if live is None:
            return model.WAITING
        proofs = self.ground.places.proofs(self.place.id)
        proven = self._files(live, self._chosen(proofs), progress, stop)
        if read_marker(self.tree, vault).place != self.place.id:  # NotFound: it was unplugged, nothing is hurt by that
            return model.FOREIGN
        verdict = self._verdict()
        self._remember(proofs, proven, stopped=stop(), verdict=verdict)
        return verdict

    # -- what there should be

    def _expected(self, vault: str, state: PlaceState) -> LiveFiles | None:
        known = LocalState(self.ground.files, self.ground.local).identity()
        own = PlaceCopy(self.tree, vault)
        if self.how == QUICK and self.source is not None and self._at_head(own, self.source, state):
            self._names(own, self.source)
            return self.source.live
        copies = Copies([own], vault, known)
        try:
            choice: Choice | None = copies.newest()
        except NotFound:
            choice = None
        sizes = {origin: one.size for origin, one in choice.states.items()} if choice is not None else {}
        missed = {origin: head.size for origin, head in state.heads.items() if head.size > sizes.get(origin, 0)}
        if choice is not None:
            self._logs(copies, choice)
        if not missed:
            return None if choice is None else choice.live
        both = Copies([own, VaultCopy(self.ground.vault_tree, vault)], vault, known)
        for origin in missed:
            if self._is_there_still(own, both, origin, state.heads[origin]):
                text = "something of its newest state does not hold; the backup before it does"
                self.problems.append(Problem("LOG", f"audit/{origin}", text))
                continue
            self.short = True
            text = f"{sizes.get(origin, 0)} of {missed[origin]} entries of this log that were there once"
            self.problems.append(Problem("SHRUNK", f"audit/{origin}", text))
        return self._remembered(both, sizes | missed, choice)

    def _is_there_still(self, own: PlaceCopy, both: Copies, origin: str, head: Head) -> bool:
        """Damaged, and not emptied: its signed state is there, or all of its entries are."""
        key = both.cards[origin][0].identity_pub if origin in both.cards else None
        for size, root in [one for one in own.named(origin) if one[0] >= head.size]:
            for data in own.signed(origin, size, root):
                if key is not None and counting(data, origin, size, root, key, both.verify):
                    return True
        try:
            Joiner(origin, [own]).log(head.size, head.root)
        except LogDamaged:
            return False
        return True

    def _at_head(self, own: PlaceCopy, source: Source, state: PlaceState) -> bool:
        """By names alone: has the place the very state that the vault is in? Then the vault knows the files."""
        if any(head.size > source.heads[one].size for one, head in state.heads.items() if one in source.heads):
            return False
        if state.heads.keys() - source.heads.keys():
            return False
        return all((head.size, head.root) in own.named(origin) for origin, head in source.heads.items() if head.size)

    def _names(self, own: PlaceCopy, source: Source) -> None:
        """The log and the newest key file, by names alone."""
        for origin, head in source.heads.items():
            if missing := own.uncovered(origin, head.size):
                self.problems.append(Problem("LOG", f"audit/{origin}", f"{missing} entries of it are not there"))
            for path in sorted(logsizes.odd(self.tree, source.log(origin), head.size)):
                self.problems.append(Problem("LOG", path, "it has another size than was saved"))
        newest = max(source.headers, key=lambda one: one.seq, default=None)
        if newest is not None and (newest.origin, newest.seq, newest.digest) not in own.headers():
            self.found.missing += 1
            self.problems.append(Problem("MISSING", f"headers/{newest.origin}", "the newest key file"))

    def _remembered(self, both: Copies, sizes: dict[str, int], choice: Choice | None) -> LiveFiles:
        """The files of the state that it once had, as the vault's own log tells."""
        try:
            facts = both.newest().facts
        except NotFound:
            facts = {}
        held = {origin: size for origin, size in sizes.items() if origin in facts and facts[origin].log.size >= size}
        if held:
            return ChosenFiles({origin: facts[origin] for origin in held}, held, set())
        return choice.live if choice is not None else ChosenFiles({}, {}, set())

    def _logs(self, copies: Copies, choice: Choice) -> None:
        self.forked = bool(choice.forked)
        for problem in check_logs(copies, choice, deep=self.how != QUICK):
            self.problems.append(problem)
            self.found.changed += problem.code == "CHANGED"
            self.found.missing += problem.code == "MISSING"

    # -- what there is

    def _chosen(self, proofs: list[int]) -> set[int]:
        """The parts of which every byte is read."""
        if self.how == QUICK:
            return set()
        if self.how == FULL:
            return set(range(LOGS))
        now = self.ground.clock.wall_ms()
        # Never read: counted from the day the place was added, and a time to come is no proof.
        added = past(self.place.added_ms, now)
        times = [min(max(past(proofs[first], now), added), now) for first in range(LOGS)]
        oldest = sorted(range(LOGS), key=lambda first: (times[first], first))
        due = [first for first in oldest if now - times[first] >= WITHIN_MS - DAY_MS]
        return set(oldest[: min(MOST_PARTS, max(LEAST_PARTS, len(due)))])

    def _files(
        self, live: LiveFiles, chosen: set[int], progress: Progress, stop: Callable[[], bool]
    ) -> dict[int, bool]:
        """Part -> whether all of it was read and is right."""
        total = live.weight if self.how == FULL else sum(size for one in chosen for size, _ in live.part(one).values())
        proven: dict[int, bool] = {}

        def one(first: int) -> tuple[int, Looked]:
            if stop():
                return first, Looked(stopped=True)
            return first, look_at_part(self.tree, first, live.part(first), stop if first in chosen else None)

        def take(results: Iterable[tuple[int, Looked]]) -> None:
            for first, found in results:
                self.found.add(found)
                self.problems += found.problems[: max(0, MAX_PROBLEMS - len(self.problems))]
                if first in chosen and not found.stopped:
                    proven[first] = not (found.missing or found.changed or found.offline)
                progress(self.found.hashed, total, self.found.files)

        order = iter([*sorted(chosen), *sorted(set(range(LOGS)) - chosen)])
        began = self.ground.clock.boot_ms()
        take(map(one, islice(order, TRIAL_PARTS)))
        took = self.ground.clock.boot_ms() - began
        # Another thread costs more than it brings where the disk answers from memory.
        if self.found.hashed and took > SLOW_MS * self.found.files + self.found.hashed / 500_000:
            with ThreadPoolExecutor(PARALLEL) as pool:
                take(pool.map(one, order))
        else:
            take(map(one, order))
        return proven

    def _verdict(self) -> str:
        codes = {problem.code for problem in self.problems} | self.found.codes
        if "PLANTED" in codes:
            return model.PLANTED
        if self.forked:
            return model.FORKED
        if self.short:
            return model.SHRUNK
        return model.HURT if self.found.missing or self.found.changed or "LOG" in codes else model.SAFE

    def _remember(self, proofs: list[int], proven: dict[int, bool], *, stopped: bool, verdict: str) -> None:
        """A look at names cannot take back what a look at bytes found: of files only a full one may lower the count, of
        logs any that reads them. A log that does not hold tells too little of what should be there to prove anything.
        """
        now = self.ground.clock.wall_ms()
        places, known = self.ground.places, self.place.id
        hurt, logs = self._counts()
        read = self.how != QUICK and not stopped
        broken = any(problem.code in ("LOG", "SHRUNK") for problem in self.problems)
        fresh = [now if proven.get(first) and not broken else proofs[first] for first in range(LOGS)]
        sound = read and not any(problem.path.startswith(("audit", "headers")) for problem in self.problems)
        fresh.append(now if sound else proofs[LOGS])
        with suppress(NotFound):  # the place was removed, and must not come back
            places.get(known)
            try:
                with places.lock(known, LOCK_WAIT_S):
                    places.take_left(known)
                    if fresh != proofs:
                        places.save_proofs(known, fresh)
                    state = places.state(known)
                    new = replace(
                        state,
                        hurt=hurt if self.how == FULL and not stopped else max(hurt, state.hurt),
                        hurt_log=logs if read else max(logs, state.hurt_log),
                        quick_ms=state.quick_ms if stopped or verdict != model.SAFE else now,
                    )
                    if verdict in _KEPT and verdict != state.verdict:  # until a pass has looked for itself
                        new = replace(new, verdict=verdict, verdict_ms=now)
                    if new != state:
                        places.save_state(known, new)
            except Busy:  # a pass is at it, and will be for long: what was found must not get lost
                if hurt or logs:
                    places.leave(known, hurt, logs)

    def _counts(self) -> tuple[int, int]:
        """What only healing mends (files, and logs of other laptops), and what the next pass writes again."""
        ours = set(self.ground.places.state(self.place.id).heads)
        if self.source is not None:
            ours.update(self.source.heads)
        logs = [problem.path.split("/") for problem in self.problems if problem.code in ("LOG", "SHRUNK")]
        foreign = sum(len(path) > 1 and path[1] not in ours for path in logs)
        return self.found.missing + self.found.changed + foreign, len(logs) - foreign
