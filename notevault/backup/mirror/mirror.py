"""One pass over one place: what the vault has and the place lacks is added, in the order that makes every cut harmless.

    marker -> is the place behind us, and no more than that? -> what is missing -> does it fit
      -> sealed files, key files -> log -> **the anchor: the commit** -> this device's memory of it

Until the anchor is there, nothing refers to what was copied, and the next pass goes on where this one was cut off.
A place can only be added to (`ports.WriteOnce`); what is wrong there is told, and left or set aside, never overwritten.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from notevault.auditlog import checkpoint
from notevault.backup import model
from notevault.backup.mirror import faults, plan, standing, strays
from notevault.backup.mirror.copying import Copying, Progress
from notevault.backup.mirror.logs import LogCopy
from notevault.backup.model import Head, More, PlaceFile, PlaceState, Problem, Report, Waiting
from notevault.backup.places import aside, hashing
from notevault.backup.places import layout as place
from notevault.backup.places.ground import Ground
from notevault.backup.source import guard
from notevault.backup.source.source import Source
from notevault.backup.words.status import lost_words, more_words
from notevault.errors import Busy, Damaged, NotevaultError, NotFound, NoVault
from notevault.ports import Volume, WriteOnce

SIZES_MS = 3600 * 1000
"""So often names and sizes are compared as a whole; in between names alone, which cost a fifth."""


_NOT_COPIED = {
    hashing.MISSING: "is not in the vault any more",
    hashing.CHANGED: "of the vault holds other bytes than it did",
    hashing.UNREADABLE: "of the vault could not be read",
}


def run_pass(
    ground: Ground,
    at: PlaceFile,
    tree: WriteOnce,
    volume: Volume,
    source: Source,
    look: guard.Look,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
    whole_log: bool = False,
    refill: bool = False,
) -> Report:
    """`tree`: the folder `place.base` of the place. `progress` gets bytes done, bytes in all, files done.

    `whole_log`: also entries that bring no file are copied at once, which otherwise wait for company (`plan.is_due`).
    `refill`: go on although the place has lost most of what it had; `heal` asks for that. Raises nothing of ours: a
    verdict. The place's state is saved, but for its pace.
    """
    begun = time.monotonic()
    try:
        with ground.places.lock(at.id, 0.0):
            going = _Pass(ground, at, tree, volume, source, look, progress, stop, whole_log, refill)
            report = going.report()
            report = going.save(report)
    except Busy as fault:
        report = Report(model.BUSY, detail=fault.sentence)
    except NotevaultError as fault:  # this device's own memory cannot be read or written
        report = Report(model.FAULT, detail=fault.sentence)
    return replace(report, seconds=time.monotonic() - begun)


@dataclass
class _Pass:
    ground: Ground
    at: PlaceFile
    tree: WriteOnce
    volume: Volume
    source: Source
    look: guard.Look
    progress: Progress | None
    stop: Callable[[], bool]
    whole_log: bool
    refill: bool
    copied: int = 0
    copied_bytes: int = 0
    there: int = 0  # live files at the place
    refilled: int = 0  # of them, that had been there before and were gone
    problems: list[Problem] = field(default_factory=list)
    waiting: Waiting = field(default_factory=Waiting)  # after it

    def __post_init__(self) -> None:
        self.ground.places.take_left(self.at.id)
        self.before = self.state = self.ground.places.state(self.at.id)
        self.now = self.ground.clock.wall_ms()
        self.day = datetime.fromtimestamp(self.now / 1000, UTC).strftime("%Y-%m-%d")
        full = (self.tree.durability, self.before.durability) == ("full", "full")
        self.read_back = self.volume.kind != "fixed" or not full

    def report(self) -> Report:
        try:
            verdict, detail = self._run()
        except NotevaultError as fault:
            verdict, detail = faults.verdict_of(fault, self.tree, self.source.vault), fault.sentence
        self.waiting = self.source.since(self.state.heads)
        return Report(
            verdict,
            copied=self.copied,
            copied_bytes=self.copied_bytes,
            files=self.there,
            waiting=self.waiting.changes,
            problems=tuple(self.problems),
            detail=detail,
        )

    def save(self, report: Report) -> Report:
        since = self.before.verdict_ms if self.before.verdict == report.verdict else self.now
        state = replace(
            self.state,
            verdict=report.verdict,
            verdict_ms=since or self.now,
            waiting=self.waiting.changes,
            waiting_ms=self.waiting.first_ms,
            tried_ms=self.now,
            durability="reduced" if self.tree.durability != "full" else self.before.durability,
        )
        if report.verdict in (model.SAFE, model.HURT):
            state = replace(state, passed_ms=self.now)
        new = replace(state, tried_ms=0, passed_ms=0) != replace(self.before, tried_ms=0, passed_ms=0)
        if (new or _stale(self.before, self.now)) and not self.ground.places.save_state(self.at.id, state):
            return replace(report, problems=(*report.problems, Problem("LOCAL", "", aside.UNKEPT)))
        return report

    # The steps

    def _run(self) -> tuple[str, str]:
        if self.look.frozen or self.ground.places.frozen() is not None:
            return model.FROZEN, ""
        marker = place.read_marker(self.tree, self.source.vault)
        if marker.place != self.at.id:
            return model.FOREIGN, "The folder is marked as another backup place; nothing was written to it."
        stands = standing.look(self.source, self.tree, self.before.heads, doubt=self.before.hurt_log > 0)
        self._beyond(stands)
        if stands.verdict in (model.AHEAD, model.FORKED) and self.source.moved():
            # Another process saw more of the vault than this look did, and brought it here.
            return model.WAITING, "The vault was written to meanwhile; the next pass looks again."
        if stands.verdict and not (stands.verdict == model.SHRUNK and self.refill):
            return stands.verdict, ""
        new = self.source.since(self.before.heads)
        if new.fault:
            return model.SOURCE, new.fault
        sizes = not 0 <= self.now - self.before.quick_ms < SIZES_MS
        todo = plan.make(self.source, self.tree, self.look.skip, sizes=sizes)
        self.there = todo.there
        if sizes:
            wrong = len(todo.wrong)
            self.state = replace(self.state, quick_ms=self.now, hurt=max(self.state.hurt, wrong))
            self.problems += [Problem("SIZE", path, "it has another size than was saved") for path in todo.wrong[:100]]
        if self._shrunk(todo, new):
            return model.SHRUNK, ""
        due = {
            origin
            for origin, head in self.source.heads.items()
            if self.whole_log
            or origin in stands.again
            or plan.is_due(self.source, origin, stands.heads.get(origin), self.before, self.now)
        }
        if fault := plan.lacking(self.tree, self.source, todo, due, stands.heads):
            return model.FULL, fault
        self._begin(todo, due)
        return self._add(todo, stands, due, sizes=sizes)

    def _begin(self, todo: plan.Plan, due: set[str]) -> None:
        """Names that a pass gave and was killed before it synced them are not copied again: `_commit` settles them."""
        if todo.blobs or todo.headers or due:
            self.state = replace(self.state, begun_ms=self.now)
            self.ground.places.save_state(self.at.id, self.state)

    def _add(self, todo: plan.Plan, stands: standing.Standing, due: set[str], *, sizes: bool) -> tuple[str, str]:
        self._aside(stands.junk)
        words = "the signed note of the last backup was gone; all else is there, and it is written again"
        self.problems += [Problem("ANCHOR", place.anchors(one), words) for one in sorted(stands.again)]
        if todo.strays:
            self.problems += strays.settle(self.source, self.tree, todo.strays, self.day, read_back=self.read_back)
        if todo.blobs or todo.headers:
            self.tree.sweep(self.now)
            self.tree.make_folders(todo.folders)
        if todo.blobs and not self._blobs(todo):
            frozen = self.ground.places.frozen() is not None
            return (model.FROZEN, "") if frozen else (model.WAITING, "It was stopped; the next pass goes on.")
        if todo.headers:
            self._headers(todo)
        for origin, log in ((one, self.source.log(one)) for one in self.source.heads):
            if self.stop():
                return model.WAITING, "It was stopped; the next pass goes on."
            head = stands.heads.get(origin, Head(0, b""))
            before = self.before.heads.get(origin, Head(0, b""))
            target = log.size if origin in due else head.size
            if target:
                trusted = 0 if self.before.hurt_log else min(before.size, head.size)
                copy = LogCopy(self.tree, log, target, trusted, self.read_back, self.day, sizes)
                copy.run()
                self.problems += copy.problems
        return self._commit(todo, stands, due)

    def _commit(self, todo: plan.Plan, stands: standing.Standing, due: set[str]) -> tuple[str, str]:
        if self.ground.places.frozen() is not None:
            return model.FROZEN, ""
        heads = dict(stands.heads)
        anchors = {origin for origin in due if heads.get(origin) != self.source.heads[origin]}
        if self.before.hurt_log:
            anchors |= {origin for origin, head in heads.items() if head == self.source.heads[origin]}
        unsettled = self.before.begun_ms > 0 or not self.before.committed_ms
        if anchors and unsettled:
            self.tree.settle()
        for origin in sorted(anchors):
            heads[origin] = self.source.heads[origin]
            self._anchor(origin, heads[origin])
        kept = {origin: head for origin, head in self.before.heads.items() if origin not in self.source.heads}
        new = due or todo.blobs or heads != {one: self.before.heads.get(one) for one in heads}
        self.state = replace(
            self.state,
            heads={**kept, **heads},
            files=self.there,
            bytes=self.source.live.weight if new else self.state.bytes,
            committed_ms=self.now if new else self.state.committed_ms,
            read_back=self.read_back if new else self.state.read_back,
            # What else was found hurt may be the same files or others: it is not taken back without a full check.
            hurt=max(min(self.state.hurt, 1), self.state.hurt - self.refilled),
            hurt_log=0,
            begun_ms=0 if anchors or not unsettled else self.state.begun_ms,
        )
        return self._end()

    def _end(self) -> tuple[str, str]:
        if self.look.lost:
            self.problems.append(Problem("LOST", "", lost_words(len(self.look.lost))))
        if self.look.hurt:
            count = len(self.look.hurt)
            self.problems += [
                Problem("SOURCE", digest, f"{why} in the vault") for digest, why in sorted(self.look.hurt.items())[:100]
            ]
            files = (
                "1 saved file of the vault itself is" if count == 1 else f"{count} saved files of the vault itself are"
            )
            return model.SOURCE, f"{files} missing or changed; all others were copied."
        return (model.HURT, "") if self.state.hurt else (model.SAFE, "")

    # Parts of the steps

    def _beyond(self, stands: standing.Standing) -> None:
        """Other laptops there, and what it has of closed logs beyond the vault: remembered, and said once."""
        if stands.others or self.before.others:
            from notevault.backup.elsewhere import neighbours

            others, told = neighbours.look(self.ground, self.source, self.tree, stands.others, self.before, self.now)
            self.state, self.problems = replace(self.state, others=others), [*self.problems, *told]
        more: dict[str, More] = {}
        if stands.gaps:
            from notevault.backup.elsewhere import beyond

            again = not 0 <= self.now - self.before.quick_ms < SIZES_MS
            known = self.before.more
            more, forked = beyond.count(self.ground, self.source, self.tree, stands.gaps, known, again=again)
            if forked and not stands.verdict:
                stands.verdict = model.FORKED
        self.state = replace(self.state, more=more)
        if (words := more_words(more)) and words != more_words(self.before.more):
            self.problems.append(Problem("GAP", "", words))

    def _shrunk(self, todo: plan.Plan, new: Waiting) -> bool:
        """Whether most of what was there is gone, without its anchors. Few files are simply copied again."""
        if not self.before.heads or self.refill:
            return False
        lost = len(todo.blobs) - new.changes
        if lost >= guard.FREEZE_AT and 2 * lost >= self.before.files:
            return True
        if lost > 0:
            files = "1 file that was there was" if lost == 1 else f"{lost:,} files that were there were"
            self.problems.append(Problem("REFILLED", "", f"{files} gone, and copied again"))
            self.refilled = lost
        return False

    def _blobs(self, todo: plan.Plan) -> bool:
        total = sum(size for _, size in todo.blobs)
        copying = Copying(self.ground.vault_tree, self.tree, self.read_back, self.stop, self.progress, total)
        try:
            done = copying.blobs(todo.blobs, lambda: len(copying.bad) >= guard.FREEZE_AT)
        finally:
            self.copied, self.copied_bytes = copying.files, copying.weight
            self.there += copying.files
        if copying.bad:
            self._need_vault()
            self.look = guard.note(self.source, self.ground.places, self.now, copying.bad)
            return done and not self.look.frozen
        return done

    def _need_vault(self) -> None:
        """Files that are gone together with the whole folder were not attacked: the vault's disk was unplugged."""
        if self.ground.files.size(self.source.paths.checkpoint(self.source.current)) is None:
            raise NoVault("The vault's folder is not there any more.")

    def _headers(self, todo: plan.Plan) -> None:
        copying = Copying(self.ground.vault_tree, self.tree, self.read_back, self.stop, None, 0)
        for one, why in copying.headers(todo.headers).items():
            # Older ones may be gone (FORMAT 7.6); the newest is watched by `guard`.
            path = place.header(one.origin, one.seq, one.digest)
            self.problems.append(Problem("KEY_FILE", path, f"an older key file {_NOT_COPIED[why]}"))

    def _aside(self, junk: list[str]) -> None:
        for path in junk:
            self.tree.set_aside(path, self.day)
            self.problems.append(Problem("ANCHOR", path, "it proves nothing; set aside"))

    def _anchor(self, origin: str, head: Head) -> None:
        path, data = place.anchor(origin, head.size, head.root), self.source.checkpoints[origin]
        self.tree.make_folders([place.anchors(origin)])
        there = None
        try:
            there = self.tree.read(path, limit=checkpoint.MAX_BYTES)
        except NotFound:
            pass
        except Damaged:
            there = b""
        if there is not None and there != data:
            self._aside([path])
        self.tree.add(path, data, read_back=self.read_back)


def _stale(before: PlaceState, now: int) -> bool:
    """So old the remembered time of a pass may get: a state is not written every five minutes for nothing."""
    return not 0 <= now - before.passed_ms < 60_000
