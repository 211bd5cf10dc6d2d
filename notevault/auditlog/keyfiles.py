"""Key files against the logs: which is current, are those that the logs name here, and what do they say of the logs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import entry, plain, stored
from .events import HEADERS
from .fault import Fault
from .folder import Read
from .headers import Header, HeaderFile, HeaderFiles, read
from .outcome import HeaderTally, LogReport
from .trust import Trust
from .verdict import Finding, Weight

MAX_FINDINGS = 20  # of each kind and weight; the tally has them all
MAX_NEWER = 20  # key files looked into that no entry names: an interrupted change leaves one
MAX_BESIDE = 16  # others of one number that a key file is compared with
_WORSE = (Weight.NOTE, Weight.UNDECIDED, Weight.TAMPERED)


@dataclass(frozen=True)
class _Named:
    """A key file, and the entry that names it."""

    path: str
    origin: str
    seq: int
    index: int
    size: int
    proven: bool  # the log is


@dataclass(frozen=True)
class Current:
    """`header` lists the logs. `newer`: logs that later key files of the vault list, which no entry names (yet, or any
    more): begun just now, or changed since.
    """

    seq: int
    header: Header
    newer: frozenset[str] = frozenset()


def current(folder: Path, files: HeaderFiles, trust: Trust, logs: Mapping[str, Read]) -> Current | None:
    """The key file that says which logs count: the newest of the vault's newest identity that an entry names.

    The entry is taken as it stands; whether it is the signed one shows when its log is checked.
    """
    ours = [one for one in files.holding if trust.rank(one.vik) >= 0 and (not trust.vault or one.vault == trust.vault)]
    ours.sort(key=lambda one: (trust.rank(one.vik), one.seq), reverse=True)
    named = next((number for number, one in enumerate(ours) if _named(one, logs)), 0)
    found = read(folder, ours[named]) if ours else None
    if found is None:
        return None
    later = [header for one in ours[max(0, named - MAX_NEWER) : named] if (header := read(folder, one)) is not None]
    listed = frozenset(origin for header in later for origin in header.origins)
    return Current(found.seq, found, listed - found.origins.keys())


def _named(one: HeaderFile, logs: Mapping[str, Read]) -> bool:
    if one.origin not in logs:
        return False
    reader = logs[one.origin]
    signed = stored.signed(reader)
    if isinstance(signed, Fault) or signed.size <= one.at:
        return False
    found = stored.entries_of(reader, signed.size, one.at // 256)
    if isinstance(found, Fault) or len(found) <= one.at % 256:
        return False
    naming = entry.parse(found[one.at % 256])
    return isinstance(naming, entry.Entry) and naming.ev in HEADERS and naming.c == one.digest


def judge(
    files: HeaderFiles,
    trust: Trust,
    logs: list[LogReport],
    here: Mapping[str, LogReport],
    current: Header | None = None,
    read_again: Callable[[HeaderFile], Header | None] = lambda _one: None,
) -> tuple[HeaderTally, list[Finding]]:
    """The key files that `logs`, those of the vault, name, each looked for; then those that none names. `here`: all
    logs in the folder; `current`: the key file that lists them; `read_again` gives one for all it says.
    """
    judging = _Judging(files, trust, current, read_again)
    newest = max((ref.seq for log in logs for ref in log.verdict.headers), default=0)
    for log in logs:
        judging.log(log, newest)
    judging.others(here)
    return judging.tally, judging.findings


class _Judging:
    def __init__(
        self,
        files: HeaderFiles,
        trust: Trust,
        current: Header | None = None,
        read_again: Callable[[HeaderFile], Header | None] = lambda _one: None,
    ) -> None:
        self._files, self._trust = files, trust
        self._current, self._read = current, read_again
        self.tally = HeaderTally()
        self.findings: list[Finding] = []
        self._told: dict[tuple[str, Weight], int] = {}
        self._seqs: dict[int, list[_Named]] = {}
        self._named: set[str] = set()

    def log(self, log: LogReport, newest: int) -> None:
        origin, proven = log.verdict.origin, log.verdict.proven
        for ref in log.verdict.headers:
            path = f"{origin}/{ref.seq:08d}-{ref.digest}"
            where = f"key file {ref.seq}, which entry {ref.index} names"
            found = self._files.files.get(path)
            self._named.add(path)
            self.tally.named += 1
            self._another(_Named(path, origin, ref.seq, ref.index, ref.size, proven))
            if found is None:
                if ref.seq == newest:
                    self.tally.missing += 1
                    weight = Weight.TAMPERED if proven and not self._files.unread else Weight.UNDECIDED
                    self._find("HEADER_MISSING", weight, f"MISSING {where}", ref.index)
                else:
                    self.tally.retired += 1
            elif found.unreadable:
                self.tally.missing += 1
                self._find("UNREADABLE", Weight.UNDECIDED, f"{where}, cannot be read: {found.why}", ref.index)
            elif fault := self._wrong(found, ref.index, ref.size, proven=proven):
                self.tally.changed += 1
                self._find("HEADER_CHANGED", Weight.TAMPERED, f"CHANGED: {where}: {fault}", ref.index)
            else:
                self.tally.sound += 1

    def _another(self, new: _Named) -> None:
        """A key file beside others of its number: a fork, or two laptops that went on from one state."""
        others = self._seqs.setdefault(new.seq, [])
        if any(one.path == new.path for one in others):
            return
        own = [one for one in others if one.origin == new.origin]
        compared = [*own[:1], *others[:MAX_BESIDE]]
        others.append(new)
        if not compared:
            return
        weights = [self._beside(one, new) for one in compared]
        worst = max(weights, key=_WORSE.index)
        other = compared[weights.index(worst)].origin[:8]
        named = f"two key files {new.seq}, of log {other} and of entry {new.index} of log {new.origin[:8]}"
        if worst is not Weight.TAMPERED and new.proven:
            listed = "" if worst is Weight.NOTE else "; no later key file lists both logs yet"
            self._find("TWO_LAPTOPS", worst, f"Two laptops went on from one state: {named}{listed}", new.index)
        else:
            self._find("FORKED", worst, f"FORKED: {named}", new.index)

    def _beside(self, one: _Named, other: _Named) -> Weight:
        """Neither laptop knew of the other: each key file holds, is of a log of its own, and does not list the other's
        log beyond the entry that names the other. A later key file that lists both logs shows that they were joined.
        For one that is gone, as older ones may be, the next of its log stands.
        """
        if not (one.proven and other.proven):
            return Weight.TAMPERED if other.proven else Weight.UNDECIDED
        if one.origin == other.origin or not (self._apart(one, other) and self._apart(other, one)):
            return Weight.TAMPERED
        now = self._current
        if now is None or now.seq <= other.seq:
            return Weight.UNDECIDED
        joined = all(now.origins.get(each.origin, 0) > each.index for each in (one, other))
        return Weight.NOTE if joined else Weight.UNDECIDED

    def _apart(self, one: _Named, other: _Named) -> bool:
        found = self._files.files.get(one.path)
        if found is None:
            after = [each for each in of_log(self._files, self._trust, one.origin) if each.at > one.index]
            found = min(after, key=lambda each: each.at, default=None)
            if found is None:
                return False
        elif found.unreadable or self._wrong(found, one.index, one.size, proven=True):
            return False
        header = self._read(found)
        return header is not None and header.origins.get(other.origin, 0) <= other.index

    def _wrong(self, found: HeaderFile, index: int, size: int, *, proven: bool) -> str:
        if found.why:
            return found.why
        if found.size != size:
            return f"it has {found.size} bytes, {size} were logged"
        if self._trust.rank(found.vik) < 0:
            return "another identity than the vault's signed it"
        if found.vault != self._trust.vault:
            return "it is of another vault"
        if not proven:
            return ""  # the entry may have been moved: that is the log's fault, and said there
        return "" if found.at == index else f"it says that entry {found.at} names it"

    def others(self, here: Mapping[str, LogReport]) -> None:
        """What lies there and is named by none: the rest of an interrupted change, put there, or all that is left of a
        log that is gone.
        """
        if self.tally.retired:
            number = plain.count(self.tally.retired, "older key file is", "older key files are")
            text = f"{number} gone, as is allowed"
            self._find("HEADER_RETIRED", Weight.NOTE, text)
        unnamed = [one for path, one in self._files.files.items() if path not in self._named]
        wrong = [one for one in unnamed if one.why]
        for one in unnamed:
            if not one.why and self._trust.rank(one.vik) >= 0 and one.vault == self._trust.vault:
                self._left_over(one, here.get(one.origin))
        if unnamed:
            number = plain.count(len(unnamed), "key file is", "key files are")
            text = f"{number} named by no log and count{'s' if len(unnamed) == 1 else ''} nowhere"
            if wrong:
                text += f" (not holding: {len(wrong)}; {wrong[0].path[:8]}.../{wrong[0].seq}, {wrong[0].why})"
            self._find("HEADER_UNNAMED", Weight.NOTE, text)
        if self._files.unread:
            text = (
                f"{plain.count(self._files.unread, 'key file was', 'key files were')} not looked at: there are too many"
            )
            self._find("UNREADABLE", Weight.UNDECIDED, text)
        for text in self._files.refused:
            self._find("UNREADABLE", Weight.UNDECIDED, text)

    def _left_over(self, one: HeaderFile, log: LogReport | None) -> None:
        """Signed by the vault, so made by it: its log had `at` entries then."""
        if log is None:
            text = f"MISSING log {one.origin[:8]}: key file {one.seq} belongs to it"
            self._find("MISSING_LOG", Weight.UNDECIDED, text)
        elif log.verdict.root and log.verdict.size < one.at:
            text = (
                f"Key file {one.seq} knows {one.at} entries of log {one.origin[:8]}, now {log.verdict.size} are signed"
            )
            self._find("HEADER_AHEAD", Weight.UNDECIDED, f"{text}: rolled back, or not all copied yet")

    def _find(self, code: str, weight: Weight, sentence: str, index: int = -1) -> None:
        told = self._told[code, weight] = self._told.get((code, weight), 0) + 1
        if told <= MAX_FINDINGS:
            self.findings.append(Finding(code, weight, sentence, index, index))
        elif told == MAX_FINDINGS + 1:
            self.findings.append(
                Finding("MORE", weight, f"There are more of this kind ({code}); the tally counts them")
            )


def of_log(files: HeaderFiles, trust: Trust, origin: str) -> list[HeaderFile]:
    """The key files of this log that hold and are the vault's."""
    return [
        one for one in files.holding if one.origin == origin and trust.rank(one.vik) >= 0 and one.vault == trust.vault
    ]


def sizes(header: Header, logs: Mapping[str, LogReport], seq: int) -> list[Finding]:
    """The logs against the sizes that the current key file, signed by the vault, gives for them."""
    found = []
    for origin, size in sorted(header.origins.items()):
        log = logs.get(origin)
        least = size + 1 if origin == header.origin else size
        if log is not None and log.verdict.root and log.verdict.size < least:
            text = f"ROLLED BACK: key file {seq} knows {least} entries, now {log.verdict.size} are signed"
            found.append(
                Finding("ROLLED_BACK", Weight.TAMPERED, f"{text} (log {origin[:8]})", log.verdict.size, least - 1)
            )
    return found
