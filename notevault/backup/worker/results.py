"""What backups did, waiting to be entered in the audit log by whoever next has its keys (FORMAT section 13.2).

One small file each in `<local>/backup/results/`. They are written without a key, so anybody who may write there can
forge one: what they say is entered as what this laptop reported, and proves nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from notevault.backup import model
from notevault.backup.model import PlaceState
from notevault.backup.places import aside
from notevault.backup.places.ground import Ground
from notevault.errors import CannotWrite, Damaged, NotevaultError, OwnFault, StorageFault
from notevault.formats import text
from notevault.ports import Files

FOLDER = "results"
RUN, VERIFY, RESTORE, DRILL = "backup.run", "backup.verify", "backup.restore", "backup.drill"
HEAL, PLACE = "backup.heal", "backup.place"
EVENTS = (RUN, VERIFY, RESTORE, DRILL, HEAL, PLACE)
OUTCOMES = ("ok", "part", "fail", "refused")
TO = ("added", "removed")  # of PLACE alone
MOST = 1000  # that are read at once; a worker writes a handful a day, so more are not ours
READ_MOST = 20 * MOST
LIMIT = 512  # bytes of one
DAY_MS = 86_400_000
AGAIN_MS = 4 * 3_600_000
_NAME = re.compile(r"(0|[1-9][0-9]{0,15})-[0-9a-f]{8}")


@dataclass(frozen=True)
class Result:
    """`n`: sealed files that are safe at the place (RUN), that were looked at (VERIFY), restored, opened or healed; of
    PLACE the places that there are now.
    """

    event: str
    outcome: str
    n: int
    at_ms: int
    to: str | None = None

    def encode(self) -> bytes:
        """Canonical JSON and a line end. OwnFault for values that are none."""
        if self.event not in EVENTS or self.outcome not in OUTCOMES or (self.to in TO) != (self.event == PLACE):
            raise OwnFault("A backup's result was to be kept that is none.")
        fields: dict[str, object] = {"at": self.at_ms, "event": self.event, "n": self.n, "o": self.outcome, "v": 1}
        return text.canonical(fields if self.to is None else {**fields, "to": self.to}) + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Result:
        """Raises Damaged for anything but the exact form."""
        found = text.parse_canonical(data, limit=LIMIT, newline=True)
        text.exact_keys(found, frozenset({"at", "event", "n", "o", "v"}), frozenset({"to"}))
        text.integer(found["v"], 1, 1)
        to = found.get("to")
        if found["event"] not in EVENTS or found["o"] not in OUTCOMES:
            raise Damaged("A backup's result is none that this program knows.")
        if (to in TO) != (found["event"] == PLACE) or (to is None) != ("to" not in found):
            raise Damaged("A backup's result is none that this program knows.")
        return cls(found["event"], found["o"], text.integer(found["n"]), text.integer(found["at"]), to)

    @property
    def name(self) -> str:
        """Told by its content: writing the same twice is writing it once."""
        return f"{self.at_ms}-{hashlib.sha256(self.encode()).hexdigest()[:8]}"


class Results:
    def __init__(self, files: Files, root: Path) -> None:
        """`root`: `<local>/<vault>/backup`."""
        self._files = files
        self._folder = root / FOLDER

    @classmethod
    def of(cls, ground: Ground) -> Results:
        return cls(ground.files, ground.places.root)

    def put(self, event: str, outcome: str, n: int, at_ms: int, to: str | None = None) -> None:
        """Durable. Raises CannotWrite, DiskFull, StorageFault."""
        result = Result(event, outcome, n, at_ms, to)
        self._files.make_folder(self._folder)
        self._files.create(self._folder / result.name, result.encode())

    def any(self) -> bool:
        """Whether something waits: the cheapest look."""
        return self.count() > 0

    def count(self) -> int:
        return sum(_NAME.fullmatch(name) is not None for name in self._names())

    def waiting(self) -> list[Result]:
        """The oldest first, at most `MOST`. What does not read, or is not named by what it says, is no result: it is
        put aside, so that it keeps no other from its turn.
        """
        named = [(int(match[1]), name) for name in self._names() if (match := _NAME.fullmatch(name))]
        found = (self._read(name) for _, name in sorted(named)[:READ_MOST])
        return list(islice((result for result in found if result is not None), MOST))

    def done(self, result: Result) -> None:
        """It is in the log. Absent is fine."""
        self._files.remove(self._folder / result.name)

    def _names(self) -> list[str]:
        """What is no folder is put aside; one that cannot be listed has nothing. A memory stops nobody."""
        try:
            return self._files.names(self._folder)
        except Damaged:
            aside.put_aside(self._files, self._folder)
        except (CannotWrite, StorageFault):
            pass
        return []

    def _read(self, name: str) -> Result | None:
        try:
            result = Result.decode(self._files.read(self._folder / name, limit=LIMIT))
            if result.name == name:
                return result
        except Damaged:
            pass
        except NotevaultError:
            return None
        aside.put_aside(self._files, self._folder / name)
        return None


_UNTOLD = frozenset({model.AHEAD, model.FORKED})
"""The log of such a vault is an older one, or another: an entry in it would make two logs of one that can be saved."""
_OUTCOMES: Mapping[str, str] = {
    model.SAFE: "ok",
    model.WAITING: "part",
    model.SLOW: "part",
    model.SOURCE: "refused",
    model.FROZEN: "refused",
    model.SHRUNK: "refused",
    model.FOREIGN: "refused",
    model.PLANTED: "refused",
}


def outcome_of(verdict: str) -> str | None:
    """The log's word for a pass or a check; None where nothing was tried (a stick in a drawer is no event), and where
    nothing may be entered.
    """
    if verdict in (model.ABSENT, model.BUSY) or verdict in _UNTOLD:
        return None
    return _OUTCOMES.get(verdict, "fail")


def queue(
    results: Results, state: PlaceState, event: str, verdict: str, n: int, now_ms: int, *, always: bool = False
) -> PlaceState:
    """Keep a result for the log where it is due: after a change of outcome, and else once a day; a backup that brought
    something also when the last was told hours ago, or (`always`) at once. `always`: a person asked for it, or this is
    the worker's last pass; a backup that found nothing to do is no event even then.

    `state` is the place's after the pass. Returns it with what was told remembered; the caller saves it.
    """
    outcome = outcome_of(verdict)
    if state.verdict in _UNTOLD:
        return state
    if outcome is None or not _due(state, event, outcome, now_ms, always=always):
        return state
    results.put(event, outcome, n, now_ms)
    return replace(state, told={**state.told, event: (outcome, now_ms)})


def _due(state: PlaceState, event: str, outcome: str, now_ms: int, *, always: bool) -> bool:
    was, at = state.told.get(event, ("", 0))
    age = now_ms - at
    if was != outcome or not 0 <= age < DAY_MS:
        return True
    if event != RUN:
        return always
    # By the log, a day counts as one without backup when its last act has no backup behind it.
    return state.committed_ms > at and (always or age >= AGAIN_MS)
