"""The values that the rooms of the mirror hand to each other. No I/O, no words for people but in `Problem.detail`."""

from __future__ import annotations

from dataclasses import dataclass, field

# What a backup place is like, worst last; `status` has a sentence and a next step for each.
SAFE = "safe"  # everything is there, and was read back where that is asked
WAITING = "waiting"  # something is not there yet, and the next pass will bring it
ABSENT = "absent"  # not plugged in, or not reachable: no marker where it should be
BUSY = "busy"  # another notevault is at it
SLOW = "slow"  # it did not answer in time
FULL = "full"
READ_ONLY = "read-only"  # may not be written to
BROKEN = "broken"  # input/output errors
FAULT = "fault"  # a mistake of ours, or this computer itself: nothing is said about the place
FOREIGN = "foreign"  # the marker is of another vault or another place, or does not read
PLANTED = "planted"  # a link or another irregular thing lies where a file or folder of ours should
HURT = "hurt"  # files that were there are missing or changed: `heal`
SHRUNK = "shrunk"  # it has less than it once had as a whole: emptied, or an older copy of it
EMPTIED = "emptied"  # the disk that it was on is there, and not even its marker is
AHEAD = "ahead"  # it has seen a newer state of this log than the vault has: an old vault was put back
FORKED = "forked"  # its log and ours went different ways
SOURCE = "source"  # the vault itself does not hold: nothing is copied from it
FROZEN = "frozen"  # many saved files changed or vanished at once: nothing is copied anywhere
VERDICTS = (
    SAFE, WAITING, ABSENT, BUSY, SLOW, FULL, READ_ONLY, BROKEN, FAULT, FOREIGN, PLANTED, HURT, SHRUNK, EMPTIED,
    AHEAD, FORKED, SOURCE, FROZEN,
)  # fmt: skip
ALARMS = frozenset({PLANTED, HURT, SHRUNK, EMPTIED, AHEAD, FORKED, SOURCE, FROZEN, FOREIGN})  # red at once


@dataclass(frozen=True)
class Head:
    """A log's signed size and root (32 bytes)."""

    size: int
    root: bytes


@dataclass(frozen=True)
class Waiting:
    """What the log holds beyond a place's last backup. `fault`: a sentence where a log does not hold there, so that it
    cannot be gone through: then all that it ever named counts.
    """

    changes: int = 0  # entries that name a file
    first_ms: int = 0  # when the first of them was made; 0: none
    fault: str = ""


@dataclass(frozen=True)
class More:
    """What a place has of a closed log beyond the vault's own copy of it (FORMAT.md section 13)."""

    head: Head  # the newest state there
    ours: int  # the vault's size of that log when this was counted
    changes: int  # entries beyond it that name a file; 0 also where `read` is not
    files: int  # sealed files that they wrote
    read: bool = True  # its entries are there; else it is only known that it goes on

    @property
    def tells(self) -> bool:
        """Whether there is anything to tell a person: openings and locks alone are nothing."""
        return self.changes > 0 or not self.read


@dataclass(frozen=True)
class Neighbour:
    """Another laptop of this vault that backs up to the same place, by its log."""

    head: Head  # the newest state there when it was counted
    files: int  # sealed files that are its alone
    last_ms: int  # its last entry; 0: not known
    fresh: bool = True  # else there are more by now, or not all of it has arrived


@dataclass(frozen=True)
class Problem:
    """One thing found. `code` is a word of ours (CHANGED, MISSING, CONFLICT, STRAY, ANCHOR, ...), `path` within
    the place or the vault, `detail` a clause for people without any name.
    """

    code: str
    path: str = ""
    detail: str = ""


@dataclass(frozen=True)
class PlaceFile:
    """A backup place as this device knows it: `<local>/backup/<place>/place` (FORMAT section 13.2)."""

    id: str  # hex16, the marker's
    name: str
    path: str
    kind: str  # of its volume when it was added or found last
    added_ms: int
    volume: str | None = None


@dataclass(frozen=True)
class PlaceState:
    """What this device remembers of a place: `<local>/backup/<place>/state`. A hint for speed and words, never a proof:
    without it everything is looked at anew. `hurt` is what only healing mends: also logs of other laptops are counted
    in it. `hurt_log` is what the next pass mends by itself: it compares every piece of our logs.
    """

    verdict: str = WAITING
    verdict_ms: int = 0  # since when
    heads: dict[str, Head] = field(default_factory=dict)  # origin -> what was last committed there
    files: int = 0  # sealed files safe there at that commit
    bytes: int = 0
    committed_ms: int = 0  # last commit; 0: never
    passed_ms: int = 0  # last pass that found everything there, also when nothing was to do
    tried_ms: int = 0
    failures: int = 0  # passes in a row that did not get through
    next_ms: int = 0  # not before this
    waiting: int = 0  # changes that are not there
    waiting_ms: int = 0  # when the first of them was made; 0: none
    hurt: int = 0  # files found missing or changed there and not healed, and things wrong with others' logs
    hurt_log: int = 0  # things wrong with our logs there
    begun_ms: int = 0  # a pass began to copy and was not seen to end: names may not be durable yet; 0: none
    durability: str = "full"  # full · reduced
    read_back: bool = False  # what was committed was opened again and compared
    quick_ms: int = 0  # last time that names and sizes were compared as a whole
    drill_ms: int = 0  # last practice restore from here that succeeded
    more: dict[str, More] = field(default_factory=dict)  # closed log -> what the place has beyond the vault's
    others: dict[str, Neighbour] = field(default_factory=dict)  # log of another laptop that backs up there too
    told: dict[str, tuple[str, int]] = field(default_factory=dict)  # event -> (outcome, ms) handed to the log last


@dataclass(frozen=True)
class Report:
    """One pass over one place. Nothing of it is logged here."""

    verdict: str
    copied: int = 0  # sealed files
    copied_bytes: int = 0
    files: int = 0  # that are there and should be
    waiting: int = 0
    problems: tuple[Problem, ...] = ()
    detail: str = ""  # a sentence for people where the verdict's own does not say enough
    seconds: float = 0.0


@dataclass(frozen=True)
class CheckReport:
    """A verification of one place. `how`: quick, sampled, full."""

    how: str
    verdict: str  # SAFE, HURT, ABSENT, ...
    files: int = 0  # looked at
    bytes: int = 0  # hashed
    missing: int = 0
    changed: int = 0
    offline: int = 0  # there by name, their bytes kept by a cloud client: not hashed
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class HealReport:
    healed: int = 0  # files put back into the vault or a place
    aside: int = 0  # bad copies moved out of the way
    lost: tuple[str, ...] = ()  # digests that no copy has
    unfrozen: bool = False
    problems: tuple[Problem, ...] = ()

    @property
    def outcome(self) -> str:
        """The log's word for it."""
        return "ok" if not self.lost else "part" if self.healed else "fail"
