"""The loop that backs up by itself: it looks at the vault, and gives each place's thread what is due there.

    hint of the watcher ─┐
    signed size changed ─┼─> one look at the vault (Round) ─> per place: schedule.due ─> its Hand: pass or check
    scan every 5 min ────┘                                          └─> state files (toolbar, status), results (log)

The loop itself never touches a place, so no place can hold it up; it waits in one spot, at most half a minute. Events
are hints: with a watcher that loses all of them, a change is found by the log's signed size within half a minute, and
anything else by the next scan. One worker for each vault; a second one waits until the first has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from notevault.backup import model
from notevault.backup.model import CheckReport, PlaceFile, Report
from notevault.backup.places.ground import Ground
from notevault.backup.places.patience import PatientVolumes
from notevault.backup.words.clocks import all_past
from notevault.backup.worker import passing, schedule
from notevault.backup.worker.ending import Ending
from notevault.backup.worker.hand import Done, Hand, Job
from notevault.backup.worker.passing import Round, Way
from notevault.backup.worker.results import Results
from notevault.backup.worker.schedule import Now, Tried
from notevault.errors import Busy, NotevaultError
from notevault.formats.ids import is_origin
from notevault.ports import Watcher
from notevault.storage.layout import VaultPaths

END_S = 60.0
"""How long the end may take: the passes under way, one more for what was saved last, and the results."""
SECOND_S = 5.0
"""How often a second worker asks whether the first has ended."""
Told = Callable[[PlaceFile, Report], None]


class Worker:
    """`record` has the waiting results entered in the log; it may take its time. `told` hears of every pass."""

    def __init__(
        self,
        ground: Ground,
        watcher: Watcher,
        way: Way,
        ending: Ending,
        *,
        record: Callable[[], None] = lambda: None,
        told: Told | None = None,
        end_s: float = END_S,
        tick_ms: int = schedule.TICK_MS,
    ) -> None:
        self._ground, self._watcher, self._ending = ground, watcher, ending
        patient = way.volumes if isinstance(way.volumes, PatientVolumes) else PatientVolumes(way.volumes)
        self._way = Way(patient, way.open_tree)
        self._mounts_now = patient.table
        self._record, self._told = record, told
        self._end_s, self._tick_ms = end_s, tick_ms
        self._hands: dict[str, Hand] = {}
        self._tried: dict[str, Tried] = {}
        self._round = Round(0)
        self._scan, self._scanned, self._fresh = 0, -schedule.SCAN_MS, 0
        self._looked_wall: int | None = None
        self._glance: object = None
        self._mounts: object = None
        self._woken = self._asked = False
        self._recorder: threading.Thread | None = None
        self._recorded: int | None = None
        self._attempts = 0

    def run(self) -> bool:
        """Until the ending; False when a place did not let go within its time. Raises what the local folder raises."""
        try:
            while True:
                try:
                    with self._ground.places.lock(None, 0.0):
                        return self._work()
                except Busy:
                    if self._ending.wait(SECOND_S):
                        return True
        finally:
            self._watcher.close()

    def look_now(self) -> None:
        """Look at everything at once, whatever has just failed. From any thread."""
        self._asked = True
        self._watcher.wake()

    def _work(self) -> bool:
        hint, begun = True, True
        while not self._ending.ended:
            try:
                self._step(self._ground.clock.boot_ms(), hint=hint, begun=begun)
            except Exception:  # noqa: BLE001  a backup that ended silently would be worse than one that tries again
                self._scanned = -schedule.SCAN_MS
            hint, begun = self._wait()
        return self._end()

    def _step(self, now: int, *, hint: bool, begun: bool) -> None:
        self._collect()
        if self._plugged_in() or begun:
            self._poke()
        scan = now >= self._scanned + schedule.SCAN_MS
        if self._glanced() or hint or scan:
            self._look(now, scan=scan)
        self._dispatch(now)
        self._mark_slow(now)
        self._enter_results(now)

    def _wait(self) -> tuple[bool, bool]:
        """(something may have changed, everything is to be looked at again)."""
        before = self._ground.clock.boot_ms()
        self._woken = False
        busy = any(each.verdict == model.BUSY for each in self._tried.values())
        tick = min(self._tick_ms, schedule.BUSY_MS) if busy else self._tick_ms
        told = self._watcher.wait(tick / 1000)
        took = self._ground.clock.boot_ms() - before
        asked, self._asked = self._asked, False
        return told and not self._woken, asked or schedule.woke(tick, took)

    def _wake(self) -> None:
        self._woken = True
        self._watcher.wake()

    # Looking

    def _glanced(self) -> bool:
        """Whether a log's signed state lies there in another size or with another time: one look per log."""
        paths = VaultPaths(self._ground.vault)
        seen = []
        with suppress(NotevaultError):
            for origin in self._ground.files.names(paths.all_audit):
                if is_origin(origin):
                    listed = self._ground.vault_tree.listing(f"audit/{origin}").get("checkpoint")
                    seen.append((origin, listed and (listed.size, listed.mtime_ns)))
        changed = self._glance != seen
        self._glance = seen
        return changed

    def _plugged_in(self) -> bool:
        """Whether there is a volume that was not there before."""
        try:
            mounts = set(self._mounts_now())
        except (NotevaultError, OSError):
            return False
        before, self._mounts = self._mounts, mounts
        return isinstance(before, set) and bool(mounts - before)

    def _poke(self) -> None:
        """End every waiting: all places are tried at once."""
        self._scanned = -schedule.SCAN_MS
        self._tried = {known: replace(each, tried=None) for known, each in self._tried.items()}

    def _look(self, now: int, *, scan: bool) -> None:
        if not self._ground.places.all():
            return
        if scan:
            self._scan += 1
            self._scanned = now
        before = self._round.source
        wall = self._ground.clock.wall_ms()
        self._round = passing.take_round(
            self._ground, self._looked_wall, number=self._round.number + 1, scan=self._scan
        )
        if self._round.source is not None:
            self._looked_wall = wall
            if before is None or before.heads != self._round.source.heads:
                self._fresh = now

    # Giving

    def _dispatch(self, now: int, *, ending: bool = False) -> None:
        """Each place that has nothing to do is given what is due there."""
        places = {place.id: place for place in self._ground.places.all()}
        for gone in [known for known in self._hands if known not in places]:
            self._hands.pop(gone).dismiss()
            self._tried.pop(gone, None)
        if not places or not self._round.number:
            return
        moment = Now(now, self._ground.clock.wall_ms(), self._round.number, self._scan, self._fresh, ending)
        for place in places.values():
            hand = self._hands.get(place.id)
            if hand is None:
                hand = self._hands[place.id] = Hand(self._do, self._ground.clock, self._wake)
            if hand.job is None:
                what = schedule.NOTHING
                with suppress(NotevaultError):  # what is known of this place cannot be read; the others have their turn
                    what = self._due(place, moment)
                if what != schedule.NOTHING:
                    hand.give(Job(what, place, self._round))

    def _due(self, place: PlaceFile, moment: Now) -> str:
        state = self._ground.places.state(place.id)
        tried = self._tried.get(place.id) or Tried(failures=state.failures)
        proven = max(all_past(self._ground.places.proofs(place.id), moment.wall), default=0)
        if schedule.got_through(tried, state):
            tried = replace(tried, verdict=state.verdict, failures=0, tried=None)
        tried = self._tried[place.id] = replace(tried, quick=state.quick_ms, sampled=proven)
        found = passing.waiting_at(self._round, state)
        what = schedule.due(tried, moment, behind=found.changes > 0 or self._turned(tried, found.fault))
        if what == schedule.NOTHING and (found.changes, found.first_ms) != (state.waiting, state.waiting_ms):
            passing.keep_waiting(self._ground, place, self._round)
        return what

    def _turned(self, place: Tried, fault: str) -> bool:
        """Whether this look at the vault gives the place another verdict, though there is nothing to copy."""
        seen = self._round.look
        return (seen is None or bool(fault)) != (place.verdict == model.SOURCE) or (
            seen is not None and seen.frozen != (place.verdict == model.FROZEN)
        )

    def _do(self, job: Job, progress: Callable[..., None], stop: Callable[[], bool]) -> Report | CheckReport:
        """In the place's own thread."""
        if job.what == schedule.PASS:
            try:
                return passing.pass_over(
                    self._ground,
                    job.place,
                    job.round,
                    self._way,
                    progress=progress,
                    stop=stop,
                    asked=self._ending.ended,
                )
            except Exception as fault:  # noqa: BLE001  a mistake of ours at one place is told there, the others go on
                return passing.broke(self._ground, job.place, job.round, type(fault).__name__)
        # A check stops at the ending; a pass is finished
        return passing.check_over(
            self._ground,
            job.place,
            job.round.source,
            self._way,
            job.what,
            progress=progress,
            stop=lambda: stop() or self._ending.ended,
        )

    # Taking

    def _collect(self) -> None:
        for known, hand in self._hands.items():
            while (done := hand.take()) is not None:
                self._tried[known] = self._after(self._tried.get(known, Tried()), done)
                if self._told is not None and isinstance(done.report, Report):
                    self._told(done.job.place, done.report)

    def _after(self, before: Tried, done: Done) -> Tried:
        report, what = done.report, done.job.what
        if isinstance(report, CheckReport):
            after = replace(before, checked={**before.checked, what: done.boot_ms})
            # What was not there for the check is not there for the next pass either
            return replace(after, tried=None) if report.verdict not in schedule.SOUND else after
        busy = (before.busy or done.boot_ms) if report.verdict == model.BUSY else 0
        failures = before.failures
        with suppress(NotevaultError):
            failures = self._ground.places.state(done.job.place.id).failures
        return replace(
            before,
            busy=busy,
            verdict=report.verdict,
            failures=failures,
            tried=done.boot_ms,
            tried_wall=self._ground.clock.wall_ms() - (self._ground.clock.boot_ms() - done.boot_ms),
            tried_round=done.job.round.number,
            tried_scan=done.job.round.scan,
        )

    def _mark_slow(self, now: int) -> None:
        """A place whose thread has not moved for minutes is said to be slow, once. It goes on, or hangs, by itself."""
        for known, hand in self._hands.items():
            if hand.job is None or hand.told_slow or hand.still_for(now) < schedule.SLOW_MS:
                continue
            hand.told_slow = True
            passing.slow(self._ground, hand.job.place)
            self._tried[known] = replace(self._tried[known], verdict=model.SLOW)
        for known, each in self._tried.items():  # whoever else is at it may hang there
            if each.busy and now - each.busy >= schedule.SLOW_MS and known in self._hands:
                with suppress(NotevaultError):
                    passing.slow(self._ground, self._ground.places.get(known))

    def _enter_results(self, now: int) -> None:
        """In a thread: the key store may be slow to answer. Whatever stays is tried again later, ever more rarely."""
        if self._recorder is not None and self._recorder.is_alive():
            return
        results = Results.of(self._ground)
        try:
            waits = results.any()
        except NotevaultError:
            return
        if not waits:
            self._attempts = 0
        elif schedule.may_record(now, self._recorded, self._attempts):
            self._recorded = now
            self._attempts += 1
            self._recorder = threading.Thread(target=self._record, name="record", daemon=True)
            self._recorder.start()

    # The end

    def _kept_out(self) -> bool:
        """Whether something waits for a place at which another process is at work just now."""
        busy = [known for known, each in self._tried.items() if each.verdict == model.BUSY]
        with suppress(NotevaultError):
            return any(passing.waiting_at(self._round, self._ground.places.state(known)).changes for known in busy)
        return False

    def _end(self) -> bool:
        """Finish what is under way, bring what was saved last, and let go; after `end_s` seconds in any case."""
        clock = self._ground.clock
        deadline = clock.boot_ms() + int(self._end_s * 1000)
        self._collect()
        with suppress(NotevaultError):
            self._look(clock.boot_ms(), scan=False)
        while (now := clock.boot_ms()) < deadline:
            self._collect()
            with suppress(NotevaultError):
                self._dispatch(now, ending=True)
            if all(hand.job is None or hand.told_slow for hand in self._hands.values()) and not self._kept_out():
                break
            self._watcher.wait(min(1.0, (deadline - now) / 1000))
        self._collect()
        self._recorded = None
        self._enter_results(now)
        for hand in self._hands.values():
            hand.dismiss()
        if self._recorder is not None:
            self._recorder.join(max(0.0, (deadline - clock.boot_ms()) / 1000))
        left = [hand.join(max(0.0, min(5.0, (deadline - clock.boot_ms()) / 1000))) for hand in self._hands.values()]
        return all(left)
