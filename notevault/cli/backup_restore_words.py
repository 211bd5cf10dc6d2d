"""What a restore says: how far it is, which state it takes, which there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notevault.auditlog import entry
from notevault.backup.copies.copies import Choice, Copies
from notevault.backup.restore.plan import Decision, arrived, missed, unread
from notevault.backup.restore.salvage import Salvage, salvage
from notevault.backup.words.plain import size_words
from notevault.cli.show import iso_here, when
from notevault.domain.dates import ago, day_of
from notevault.errors import NotFound

if TYPE_CHECKING:
    from notevault.cli.common import Context
    from notevault.ports import Clock
    from notevault.vault.env import Env

REDRAW_MS = 100  # a line that changes more often cannot be read
SETTLE_MS = 1500  # before that nothing is said about the time that is left
LISTED = 60  # states, each of another hour or another day
FINE_MS = 48 * 3_600_000  # so long before the newest state every hour counts: what was destroyed this morning


class Rate:
    """The line of a long copy: how much, how fast, how long still."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.boot_ms()
        self._drawn = 0
        self._first: int | None = None  # bytes that an earlier run had copied
        self._line = ""

    def line(self, done: int, total: int, files: int, of: int) -> str:
        now = self._clock.boot_ms()
        if self._first is None:
            self._first = done
        if self._line and now - self._drawn < REDRAW_MS and done < total:
            return self._line
        self._drawn = now
        spent = now - self._began
        self._line = f"Restoring: {files:,} of {of:,} files, {_mb(done)} of {_mb(total)} MB"
        if spent >= SETTLE_MS and done > self._first:
            rate = (done - self._first) / spent  # bytes a millisecond
            self._line += f", {rate / 1000:,.1f} MB/s, {_left((total - done) / rate)}"
        return self._line

    def took(self, bytes_: int) -> str:
        seconds = (self._clock.boot_ms() - self._began) / 1000
        return f" ({size_words(bytes_)} in {seconds:,.0f} s)" if seconds >= 2 else ""


def _mb(count: int) -> str:
    return f"{count / 1_000_000:,.0f}" if count >= 9_500_000 else f"{count / 1_000_000:,.1f}"


def _left(milliseconds: float) -> str:
    seconds = round(milliseconds / 1000)
    if seconds < 90:
        return f"{seconds} s left"
    minutes = round(seconds / 60)
    return f"{minutes} min left" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min left"


def state_words(env: Env, choice: Choice) -> str:
    """As "of Sat 21 Nov 14:02 (3 h ago), 901 files, 12 MB"."""
    live = choice.live
    moment = f"{when(env, choice.last_ms)} ({ago(choice.last_ms, env.clock.wall_ms())})"
    return f"of {moment}, {live.count - choice.missing:,} files, {size_words(live.weight)}"


def again_words(env: Env, choice: Choice | Salvage) -> str:
    return "of all that is there" if isinstance(choice, Salvage) else state_words(env, choice)


def salvage_words(files: int, weight: int) -> str:
    """What a salvage is."""
    return (
        f"What can be done: all {files:,} sealed files ({size_words(weight)}) are brought over, with the key files and"
        " what is left of the log.\n"
        "The recovery sheet then opens every note among them that is whole, and a new log begins."
    )


def question(env: Env, decision: Decision) -> str:
    """What is not complete, and what each answer means."""
    text = f"The newest backup, {state_words(env, decision.choice)}, is not complete: {decision.why}."
    if decision.entries:
        text = f"The newest backup is not complete: {decision.why}."
        if decision.orphans:
            files = "One sealed file is" if decision.orphans == 1 else f"{decision.orphans:,} sealed files are"
            text += f"\n{files} there already that only the rest of the log can name."
        text += f"\nWhat can be read goes as far as the state {state_words(env, decision.choice)}."
    if decision.other is not None:
        left = "one file" if decision.left == 1 else f"{decision.left:,} files"
        text += f"\nA complete one is {state_words(env, decision.other)}; it lacks {left} that are newer and there."
    if decision.entries:
        return (
            f"{text}\nIf a cloud service is still fetching it, stop here and wait. If you go back to an earlier state,"
            " what was saved\nafter it can be taken in once it is there: `notevault backup heal --bring-in`."
        )
    return (
        f"{text}\nIf a cloud service is still fetching it, you may also stop here and wait. What is taken without its"
        " missing\nfiles can be completed later, with `notevault backup heal`."
    )


def before_all(env: Env, copies: Copies, fault: NotFound) -> NotFound:
    """For a date before everything that is there."""
    first = oldest_ms(copies)
    if not first:
        return fault
    return NotFound(
        f"There is no backup from that time or before: the oldest one is of {when(env, first)}.",
        f'--at "{iso_here(env, first).replace("T", " ")[:16]}" takes that one; --list shows what there is.',
    )


def oldest_ms(copies: Copies) -> int:
    """When the first state that can be had was made; 0 where there is none."""
    try:
        newest = copies.newest()
    except NotFound:
        return 0
    firsts = []
    for origin, facts in newest.facts.items():
        sizes = [size for size, root in copies.named(origin) if size and facts.roots.get(size) == root]
        firsts += [facts.last_ms(size) for size in sizes[:1]]
    return min(filter(None, firsts), default=0)


def list_states(ctx: Context, copies: Copies, at_ms: int | None) -> int:
    """What could be restored: the newest, then some of the states before it. Nothing is written."""
    env = ctx.env
    try:
        whole = copies.whole(at_ms)
    except NotFound:
        try:
            whole = copies.newest(at_ms)
        except NotFound as fault:
            if at_ms is not None:
                raise before_all(env, copies, fault) from None
            if (found := salvage(copies)) is None:
                raise
            words = salvage_words(found.live.count, found.live.weight)
            raise NotFound(fault.sentence, f"{words} That is --salvage.") from None
        if whole.missing:
            ctx.out.warn(f"No state is complete: {arrived(whole.live.count - whole.missing, whole.live.count)}.")
    if whole.newer is not None and whole.newer.entries:
        if missed(copies, whole, whole.newer.entries):
            ctx.out.warn(f"There is something newer, but {unread(copies, whole.newer.entries)}.")
    elif whole.newer is not None:
        words = arrived(whole.newer.arrived, whole.newer.expected)
        ctx.out.warn(f"Something newer, of {when(env, whole.newer.last_ms)}, is still arriving: {words}.")
    facts: dict[str, object] = {"at": iso_here(env, whole.last_ms), "at_ms": whole.last_ms, "bytes": whole.live.weight}
    facts |= {"files": whole.live.count - whole.missing, "missing": whole.missing, "vault": copies.vault}
    ctx.out.row(facts, f"{state_words(env, whole)}{'' if whole.whole else ' (not complete)'}")
    for ms in _earlier(env, copies, whole):
        at = iso_here(env, ms).replace("T", " ")[:16]
        ctx.out.row(
            {"at": iso_here(env, ms), "at_ms": ms, "vault": copies.vault},
            f'of {when(env, ms)} ({ago(ms, env.clock.wall_ms())}): --at "{at}"',
        )
    return 0


def _earlier(env: Env, copies: Copies, newest: Choice) -> list[int]:
    """When the last state of each earlier hour of two days, and of each day before them, was made; newest first."""
    last: dict[object, int] = {}
    for origin, chosen in newest.states.items():
        log = copies.log(origin, chosen)
        for size, _ in copies.named(origin):
            if not 0 < size <= chosen.size:
                continue
            found = entry.parse(log.entry(size - 1), False)
            if not isinstance(found, entry.Entry) or found.t // 60_000 >= newest.last_ms // 60_000:
                continue
            fine = newest.last_ms - found.t < FINE_MS
            slot = found.t // 3_600_000 if fine else day_of(found.t, env.clock.utc_offset_minutes(found.t))
            last[slot] = max(found.t, last.get(slot, 0))
    return sorted(last.values(), reverse=True)[:LISTED]
