"""How safe what was saved is, place by place and as a whole: colours and words from what this device remembers. Pure.

green  all that was saved is there, was read back where that is asked, and nothing has waited for a day
amber  something has waited for a day, a place needs a hand or lies in memory, nothing there was read for a quarter of a
       year, or there is no backup yet
red    something has waited for a week, or an alarm

Ages count from the first change that waits, so a holiday in which nothing is written stays green.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from notevault.backup import model
from notevault.backup.model import ALARMS, PlaceFile, PlaceState, Waiting
from notevault.backup.places.forms import Frozen
from notevault.backup.words.clocks import all_past, place_past, state_past
from notevault.backup.words.plain import quoted, step_words
from notevault.backup.words.status import (
    BRING_IN,
    DAY,
    FROM,
    MEND,
    SAYS,
    WHY_UNREAD,
    age_words,
    counted,
    lost_words,
    more_words,
    others_words,
    since_words,
)

GREEN, AMBER, RED = "green", "amber", "red"
_WORSE = {GREEN: 0, AMBER: 1, RED: 2}
AMBER_MS, RED_MS = DAY, 7 * DAY
UNPROVEN_MS = 90 * DAY
NEEDS_A_HAND = frozenset({model.FULL, model.READ_ONLY, model.BROKEN, model.FAULT})
PROOF = frozenset({model.HURT, model.FORKED, model.AHEAD})  # told by hashes and signatures, so exit status 1
MEMORY = "memory"
SAME_DISK = "same disk"
IN_MEMORY = (
    "It lies in this computer's memory: when that is switched off, the backup is gone.",
    "It lay in this computer's memory, and is gone with it.",
)
ELSEWHERE = "`notevault backup add DIR` names a folder on a stick, on another disk or on the network."
STOPPED = {model.FROZEN: "BACKUP STOPPED", model.SOURCE: "VAULT DAMAGED"}
"""Of the vault, and not of the place: what is there is not in doubt."""


@dataclass(frozen=True)
class PlaceStatus:
    """`words` is one line, `detail` a sentence or two, `next_step` what to do (may be empty)."""

    place: PlaceFile
    state: PlaceState
    colour: str
    verdict: str
    words: str
    detail: str
    next_step: str
    waiting: Waiting
    proven_ms: int  # when its oldest part was hashed last; 0: not yet all of it
    handed: bool  # a cloud service's folder: what the service does with it cannot be told from here
    service: str = "the cloud service's folder"  # in words, like "Dropbox's folder"
    others: str = ""  # who else backs up there, in words

    @property
    def besides(self) -> tuple[str, str]:
        """What the place has that the vault does not have, and what to do about it: for who asks, never an alarm."""
        words = more_words(self.state.more)
        return words, BRING_IN if words else ""

    @property
    def last_ms(self) -> int:
        """When everything of that moment was there; 0: never."""
        return max(self.state.passed_ms, self.state.committed_ms) if self.state.committed_ms else 0

    def facts(self) -> dict[str, object]:
        """For --json."""
        state = self.state
        return {
            "bytes": state.bytes,
            "colour": self.colour,
            "committed_ms": state.committed_ms,
            "detail": self.detail,
            "drill_ms": state.drill_ms,
            "files": state.files,
            "handed": self.handed,
            "hurt": state.hurt,
            "hurt_log": state.hurt_log,
            "id": self.place.id,
            "kind": self.place.kind,
            "more": sum(one.changes for one in state.more.values()),
            "name": self.place.name,
            "others": len(state.others),
            "passed_ms": state.passed_ms,
            "path": self.place.path,
            "proven_ms": self.proven_ms,
            "step": self.next_step,
            "verdict": self.verdict,
            "waiting": self.waiting.changes,
            "waiting_ms": self.waiting.first_ms,
            "words": self.words,
        }


@dataclass(frozen=True)
class Overall:
    """`bar`: for the toolbar, the longest first; each says the same."""

    colour: str
    bar: tuple[str, ...]
    words: str
    next_step: str = ""


def status_of(
    place: PlaceFile,
    state: PlaceState,
    proofs: Sequence[int],
    frozen: Frozen | None,
    waiting: Waiting | None,
    now_ms: int,
    handed: bool,
    *,
    service: str = "",
    offset_minutes: int = 0,
    same_disk: bool = False,
) -> PlaceStatus:
    """`waiting`: what the log holds beyond the last backup; None: as the last pass said. `proofs` as in FORMAT 13.2.

    `handed`: the place is a folder that a cloud service takes from; `service` names it, like "Dropbox's folder".
    `offset_minutes`: of local time, for days of the week. `same_disk`: the only place lies on the vault's own disk.
    """
    waiting = waiting if waiting is not None else Waiting(state.waiting, state.waiting_ms)
    place, state, proofs = place_past(place, now_ms), state_past(state, now_ms), all_past(proofs, now_ms)
    verdict = _verdict(state, frozen, waiting)
    begun = _begun(place, state, waiting)
    proven = min(proofs, default=0)
    status = PlaceStatus(place, state, GREEN, verdict, "", "", "", waiting, proven, handed)
    status = replace(status, service=service) if service else status
    newest = max(proofs, default=0)
    unproven = max(newest, place.added_ms) + UNPROVEN_MS < now_ms
    status = replace(status, colour=_colour(status, begun, now_ms, unproven=unproven))
    detail, step = _says(status, frozen, begun, now_ms, offset_minutes, unproven=unproven)
    line = _line(status, newest, begun, now_ms, offset_minutes, same_disk=same_disk)
    others = others_words(state.others, now_ms, offset_minutes)
    return replace(status, words=line, detail=detail, next_step=step, others=others)


def _verdict(state: PlaceState, frozen: Frozen | None, waiting: Waiting) -> str:
    """What counts now: a freeze stops every place, damage found stays found while the place is away."""
    if frozen is not None:
        return model.FROZEN
    if state.verdict in ALARMS and state.verdict != model.FROZEN:  # the end of a freeze is told by its file alone
        return state.verdict
    if state.hurt or state.hurt_log:
        return model.HURT
    waits = state.verdict == model.FROZEN or (state.verdict == model.SAFE and waiting.changes)
    return model.WAITING if waits else state.verdict


def _begun(place: PlaceFile, state: PlaceState, waiting: Waiting) -> int:
    """Since when something waits for this place: not since before it was named. 0: nothing waits."""
    if waiting.changes or not state.committed_ms:
        return max(waiting.first_ms, place.added_ms)
    return 0


def _checked(status: PlaceStatus) -> bool:
    """Read back or looked at since; a disk built in that has taken every sync need not be."""
    state = status.state
    sure = status.place.kind == "fixed" and state.durability == "full"
    return sure or state.read_back or state.quick_ms >= state.committed_ms


def _clock_behind(status: PlaceStatus, now_ms: int) -> bool:
    return max(status.last_ms, status.waiting.first_ms) > now_ms + DAY


def _colour(status: PlaceStatus, begun: int, now_ms: int, *, unproven: bool) -> str:
    age = now_ms - begun if begun else 0
    if status.verdict in ALARMS or age >= RED_MS:
        return RED
    if age >= AMBER_MS or not status.state.committed_ms or status.verdict in NEEDS_A_HAND:
        return AMBER
    if status.place.kind == MEMORY:
        return AMBER  # it does not outlive a power cut, so it is no backup
    return GREEN if _checked(status) and not unproven and not _clock_behind(status, now_ms) else AMBER


def _line(status: PlaceStatus, newest_proof: int, begun: int, now_ms: int, offset: int, *, same_disk: bool) -> str:
    """`USB Blue: 20,412 sealed files safe · last backup 3 min ago · last proven 2 days ago · 0 waiting`."""
    state, waiting = status.state, status.waiting
    short = SAYS[status.verdict].short
    parts = [short] if short and status.verdict in ALARMS | NEEDS_A_HAND else []
    files = counted(state.files, "sealed file")
    if not state.committed_ms:
        parts.append("no backup there yet")
    else:
        ago = age_words(now_ms - status.last_ms)
        there = "there before" if status.verdict in ALARMS - STOPPED.keys() else "safe"
        there = "in memory only" if status.place.kind == MEMORY and there == "safe" else there
        parts += [f"{files} handed to {status.service} {ago}"] if status.handed else []
        parts += [] if status.handed else [f"{files} {there}", f"last backup {ago}"]
        parts.append(_proven(status.proven_ms, newest_proof, now_ms))
    parts += [SAME_DISK] if same_disk else []
    since = f" {since_words(begun, now_ms, offset)}" if waiting.changes and begun else ""
    parts.append(f"{waiting.changes:,} waiting{since}")
    parts += [short] if short and status.verdict not in ALARMS | NEEDS_A_HAND else []
    return f"{status.place.name}: {' · '.join(parts)}"


def _proven(oldest: int, newest: int, now_ms: int) -> str:
    if oldest:
        return f"last proven {age_words(now_ms - oldest)}"
    return "proven in part" if newest else "not proven yet"


def _says(
    status: PlaceStatus, frozen: Frozen | None, begun: int, now_ms: int, offset: int, *, unproven: bool
) -> tuple[str, str]:
    state, name = status.state, status.place.name
    sentence, step = SAYS[status.verdict].sentence, step_words(status.verdict, name)
    if status.verdict == model.FROZEN and frozen is not None and frozen.files:
        sentence = sentence.replace("Many saved files", counted(frozen.files, "saved file"), 1)
    elif status.verdict == model.FROZEN and frozen is not None and not frozen.at:
        sentence, step = WHY_UNREAD
    elif status.verdict == model.HURT and state.hurt_log and not state.hurt:
        sentence, step = "Pieces of the log are damaged or missing there.", MEND
    elif status.verdict == model.HURT and state.hurt:
        are = "backed-up file is" if state.hurt == 1 else "backed-up files are"
        sentence = f"{state.hurt:,} {are} missing or changed there."
    elif status.verdict in (model.SAFE, model.WAITING, model.ABSENT) and _clock_behind(status, now_ms):
        return "This computer's clock has gone back: ages cannot be told.", "Set the clock, then look again."
    elif not state.committed_ms and status.verdict in (model.SAFE, model.WAITING):
        sentence, step = "Nothing is backed up there yet.", "`notevault backup run` makes the first backup."
    elif status.place.kind == MEMORY and status.verdict in (model.SAFE, model.WAITING, model.ABSENT):
        return IN_MEMORY[status.verdict == model.ABSENT], ELSEWHERE
    elif status.verdict == model.ABSENT and status.colour == GREEN and not status.waiting.changes:
        return "It is not connected; all that was saved is there.", ""
    elif status.verdict == model.SAFE and not _checked(status):
        sentence, step = "It was written, but not yet read again.", f"`notevault backup verify {quoted(name)}`"
    elif status.verdict in (model.SAFE, model.ABSENT) and unproven and not status.waiting.changes:
        sentence = "Nothing there was read again for over 90 days, so nobody knows whether it still can be."
        step = f"`notevault backup verify {quoted(name)}`"
        step = f"Plug it in, then {step}" if status.verdict == model.ABSENT else step
    elif status.verdict == model.SAFE and status.handed:
        sentence = f"All that was saved was handed to {status.service}. Only the service shows whether it was sent on."
    if status.waiting.changes and status.colour != GREEN and begun and state.committed_ms:
        sentence += f" What you saved {since_words(begun, now_ms, offset)} is not there."
    return sentence, step


# -- all places together


def overall(places: Sequence[PlaceStatus], now_ms: int, *, offset_minutes: int = 0, lost: int = 0) -> Overall:
    """One backup that holds is a backup: the best place counts, an alarm at any of them counts more. `lost`: saved
    files that were given up because no copy had them; that stays said.
    """
    found = _overall(places, now_ms, offset_minutes)
    if not lost or not places:
        return found
    words = f"{lost_words(lost)} {found.words}"
    if found.colour == GREEN:
        bar = (f"{counted(lost, 'file')} lost: type backup", f"{counted(lost, 'file')} lost")
        return replace(found, colour=AMBER, bar=bar, words=words, next_step=FROM)
    return replace(found, words=words)


def _overall(places: Sequence[PlaceStatus], now_ms: int, offset_minutes: int) -> Overall:
    if not places:
        return Overall(
            AMBER,
            ("no backup yet: type backup", "no backup yet", "no backup"),
            "There is no backup: if this computer is lost, so are your notes.",
            "`notevault backup add DIR` names a folder for it, best on a stick or another computer.",
        )
    alarms = [one for one in places if one.verdict in ALARMS]
    if alarms:
        return _alarm(min(alarms, key=lambda one: (one.verdict not in STOPPED, one.verdict != model.FROZEN)))
    best = min(places, key=lambda one: (_WORSE[one.colour], one.handed, one.waiting.changes, -one.last_ms))
    if best.colour != GREEN:
        return _behind(best, now_ms, offset_minutes)
    ago = age_words(now_ms - best.last_ms)
    what = "handed to the cloud" if best.handed else "backup"
    behind = [one for one in places if one.colour == RED]
    words = _where(best, [one for one in places if one.colour == GREEN])
    n = best.waiting.changes
    wait = f"{n:,} {'waits' if n == 1 else 'wait'} for backup"
    if behind:
        first = wait if n else f"{what} {ago}"
        bar = (f"{first}, {counted(len(behind), 'place')} behind", first, f"{n:,} waiting" if n else what)
        return Overall(AMBER, bar, f"{words} {behind[0].place.name} is behind: {behind[0].detail}", behind[0].next_step)
    if n:
        return Overall(GREEN, (f"{wait}, last {ago}", wait, f"{n:,} waiting"), words)
    return Overall(
        GREEN, tuple(dict.fromkeys((f"{what} {ago}", f"{what} {ago.removesuffix(' ago')}", f"{what} ok"))), words
    )


def _where(best: PlaceStatus, good: Sequence[PlaceStatus]) -> str:
    """A cloud service's folder is one from which it takes: what was handed over is not said to be in a place."""
    handed = sum(one.handed for one in good)
    safe = f"is in {counted(len(good) - handed, 'backup place')}" if len(good) > handed else ""
    given = "was handed to " + (best.service if len(good) == 1 else counted(handed, "cloud folder")) if handed else ""
    what = " and ".join(filter(None, (safe, given)))
    if not best.waiting.changes:
        return f"What was saved {what}."
    wait = counted(best.waiting.changes, "change")
    if best.verdict == model.ABSENT:
        wait += " waits" if best.waiting.changes == 1 else " wait"
        return f"What was saved before {what}; {wait} until {best.place.name} is connected again."
    return f"What was saved before {what}; {wait} will be in the next backup."


def _alarm(one: PlaceStatus) -> Overall:
    word = STOPPED.get(one.verdict, "BACKUP ALARM")
    words = one.detail if one.verdict in STOPPED else f"{one.place.name}: {one.detail}"
    return Overall(RED, (f"{word}: type backup", word), words, one.next_step)


def _behind(best: PlaceStatus, now_ms: int, offset_minutes: int) -> Overall:
    """Not even the best place has everything, or it needs a hand."""
    words = f"{best.place.name}: {best.detail}"
    if not best.state.committed_ms and best.verdict not in NEEDS_A_HAND:
        bar: tuple[str, ...] = ("no backup yet: type backup", "no backup yet", "no backup")
    elif best.verdict in NEEDS_A_HAND:
        short = SAYS[best.verdict].short.lower()
        bar = (f"backup place {short}: type backup", f"backup place {short}", "BACKUP: look")
    elif best.place.kind == MEMORY:
        bar = ("backup in memory only: type backup", "backup in memory only", "backup: look")
    elif best.waiting.changes:
        begun = _begun(best.place, best.state, best.waiting)
        n, since = best.waiting.changes, since_words(begun, now_ms, offset_minutes)
        wait = "waits" if n == 1 else "wait"
        bar = (f"{counted(n, 'change')} {wait} for backup {since}", f"{n:,} {wait} for backup", "backup waits")
    else:
        bar = ("backup to be looked at: type backup", "backup: look", "backup ?")
    return Overall(best.colour, bar, words, best.next_step)
