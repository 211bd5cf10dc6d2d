"""What a restore will do, before it does anything: which state is taken, where it is built, what goes on being built.

A restore builds in `<to>.restoring`, a folder beside the one that it will become:

    <to>.restoring/journal     canonical JSON plus newline {`at` ms (0: a salvage), `states`: list of [origin hex16,
                               size, root hex32] in ascending order, `v` 1, `vault` hex16}: what is being restored
                   lock        held while a restore runs
                   rest        what is to be done once everything is copied (`restore_rest`)
                   vault/      becomes <to>, once it is whole
                   .stage-*/   unfinished writes

The journal stays until the new vault is this device's own, so that the same command goes on from any point.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from notevault.backup.copies.copies import Choice, Copies, Copy
from notevault.backup.copies.place import PlaceCopy
from notevault.backup.copies.there import is_folder, is_link, is_there
from notevault.backup.restore.salvage import Salvage, orphans, taken_over
from notevault.errors import Busy, CannotWrite, Damaged, DiskFull, NotFound, Refused, StorageFault
from notevault.formats import text
from notevault.ports import Files

JOURNAL_LIMIT = 64 << 10
"""Bytes. A vault of 256 logs has 30 KB."""


@dataclass(frozen=True)
class Journal:
    """Which state of which vault lies, or is about to lie, in the folder beside."""

    vault: str  # hex16
    at_ms: int  # of its last change; 0: everything that was there
    states: tuple[tuple[str, int, bytes], ...]  # origin hex16, size, root

    @classmethod
    def of(cls, vault: str, choice: Choice | Salvage) -> Journal:
        states = sorted((state.origin, state.size, state.root) for state in choice.states.values())
        return cls(vault, choice.last_ms, tuple(states))

    @property
    def salvage(self) -> bool:
        """Whether it is of whatever there was (`restore_salvage`), and of no state."""
        return self.at_ms == 0

    def encode(self) -> bytes:
        states = [[origin, size, root.hex()] for origin, size, root in self.states]
        return text.canonical({"at": self.at_ms, "states": states, "v": 1, "vault": self.vault}) + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Journal:
        """Raises Damaged for anything but the exact form."""
        found = text.parse_canonical(data, limit=JOURNAL_LIMIT, newline=True)
        text.exact_keys(found, frozenset({"at", "states", "v", "vault"}))
        text.integer(found["v"], 1, 1)
        states = found["states"]
        if not isinstance(states, list):
            raise Damaged("The record of an interrupted restore does not read.")
        rows = []
        for row in states:
            if not isinstance(row, list) or len(row) != 3:
                raise Damaged("The record of an interrupted restore does not read.")
            rows.append((text.unhex(row[0], 16).hex(), text.integer(row[1]), text.unhex(row[2], 32)))
        if rows != sorted(set(rows)):
            raise Damaged("The record of an interrupted restore does not read.")
        return cls(text.unhex(found["vault"], 16).hex(), text.integer(found["at"]), tuple(rows))


@dataclass(frozen=True)
class Building:
    """The folder `<to>.restoring` and what is in it."""

    to: Path

    @property
    def root(self) -> Path:
        return self.to.with_name(f"{self.to.name}.restoring")

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def rest(self) -> Path:
        return self.root / "rest"

    @property
    def vault(self) -> Path:
        return self.root / "vault"

    def read(self, files: Files) -> Journal | None:
        """What an earlier restore into this folder began; None when there was none. Raises Refused, Damaged."""
        try:
            return Journal.decode(files.read(self.journal, limit=JOURNAL_LIMIT))
        except NotFound:
            names = set(files.names(self.root)) - {"lock", "rest"}  # killed before its first word, or after its last
            if names:
                raise Refused(
                    f"{self.root} is needed for the restore, and holds something else.",
                    "Name another folder with --to, or move that one away.",
                ) from None
            return None
        except Damaged:
            raise Damaged(
                f"The record of an interrupted restore, in {self.root}, does not read.",
                "Name another folder with --to; what lies there are copies, and may be deleted.",
            ) from None


def check_target(files: Files, to: Path, journal: Journal | None, building: Building) -> bool:
    """Whether the copying into `to` was finished by an earlier run of the same restore.

    Raises Refused for a folder with something in it, CannotWrite for what is no folder.
    """
    if is_link(to) or (is_there(to) and not is_folder(to)):
        raise CannotWrite(f"{to} is no folder.", "Name a new folder with --to.")
    if not files.names(to):
        return False
    if journal is not None and building.vault.name not in files.names(building.root):
        return True
    raise Refused(
        f"There is something in {to} already. A restore never writes over anything.",
        "Name a new folder with --to. A vault that is there and still locked is opened with `notevault recover`.",
    )


def make_folder(files: Files, building: Building) -> None:
    """Raises CannotWrite, DiskFull."""
    try:
        files.make_folder(building.root)
    except DiskFull:
        raise
    except (CannotWrite, Damaged, NotFound, StorageFault):
        raise CannotWrite(
            f"No folder can be made in {building.root.parent}.", "Name another folder with --to."
        ) from None


def same(journal: Journal, choice: Journal, building: Building) -> None:
    """Refused where the folder beside holds another restore than the one asked for."""
    if journal.vault != choice.vault:
        raise Refused(
            f"{building.root} holds an interrupted restore of another vault.",
            "Name another folder with --to. What lies there are copies: it may be deleted when nobody needs it.",
        )
    if journal.states != choice.states and not (journal.salvage and choice.salvage):
        raise Refused(
            f"{building.root} holds an interrupted restore of another state of this vault.",
            "Run the command as it was then, or name another folder with --to. What lies there are copies: it may be"
            " deleted when nobody needs it.",
        )


# -- which state


@dataclass(frozen=True)
class Decision:
    """`choice` is taken; where `question`, only after it was answered. `other` is what could be taken instead.

    `why`: a clause about what is not whole; "" where the newest state is. `left`: intact files that taking `other`, an
    older state, would leave behind: notes, and key files, which may be of a newer sheet. `entries`: of the log that
    were signed and cannot be read, so what they tell of is in no state; `orphans`: sealed files that are there and
    that only those can name.
    """

    choice: Choice
    why: str = ""
    question: bool = False
    other: Choice | None = None
    left: int = 0
    entries: int = 0
    orphans: int = 0


def decide(copies: Copies, *, at_ms: int | None = None, newest: bool = False) -> Decision:
    """The newest state that is whole; but never silently one that leaves behind what is intact in a newer one, or what
    a part of the log tells of that was signed and is not there.

    `at_ms`: nothing newer than that. `newest`: the newest state, whatever is missing. Raises NotFound where there is
    no state at all (of that time).
    """
    try:
        whole = copies.whole(at_ms)
    except NotFound:
        last = copies.newest(at_ms)
        entries = 0 if last.newer is None else last.newer.entries
        return _beyond(copies, Decision(last, _missing(last, copies), question=not newest), entries)
    newer = whole.newer
    if newer is None:
        return Decision(whole, "" if at_ms is None else _later(copies, whole))
    last = copies.newest(at_ms)
    left = newer.only_here + len(set(last.headers) - set(whole.headers))
    if newer.entries:
        other = whole if whole.states != last.states else None
        found = Decision(last, _missing(last, copies), question=not newest, other=other, left=left)
        return _beyond(copies, found, newer.entries)
    if not newest and left == 0:
        return Decision(whole, f"something newer is still arriving ({arrived(newer.arrived, newer.expected)})")
    return Decision(last, _missing(last, copies), question=not newest, other=whole, left=left)


def _beyond(copies: Copies, found: Decision, entries: int) -> Decision:
    if not entries:
        return found
    if found.choice.missing == 0 and found.other is None and not missed(copies, found.choice, entries):
        return Decision(replace(found.choice, newer=None))
    return replace(found, entries=entries, orphans=orphans(copies, found.choice))


def missed(copies: Copies, choice: Choice, entries: int) -> bool:
    """Whether entries that cannot be read may tell of anything that is not in this state."""
    return orphans(copies, choice) > 0 or not taken_over(copies, choice, entries)


def _later(copies: Copies, chosen: Choice) -> str:
    """With a date: whether something of before it may be in a part of the log that is not there."""
    last = copies.newest()
    if last.newer is None or not last.newer.entries or last.states != chosen.states:
        return ""
    return f"{unread(copies, last.newer.entries)}; whether they are from before that date cannot be told"


def decide_again(copies: Copies, journal: Journal) -> Choice | None:
    """The very state that an interrupted restore began with, whatever has arrived since; None when it cannot be had."""
    for find in (copies.whole, copies.newest):
        try:
            choice = find(journal.at_ms)
        except NotFound:
            continue
        if Journal.of(journal.vault, choice).states == journal.states:
            return choice
    return None


def _missing(choice: Choice, copies: Copies) -> str:
    newer = choice.newer
    clauses = [unread(copies, newer.entries)] if newer is not None and newer.entries else []
    words = arrived(choice.live.count - choice.missing, choice.live.count)
    if choice.missing:
        clauses.append(words)
    elif not choice.whole and not clauses:
        clauses.append(f"{words}, but not all of its log or its keys")
    return "; ".join(clauses)


def unread(copies: Copies, entries: int) -> str:
    """A clause about entries that were signed and cannot be read: because they are not there, by the names of files
    in at least one copy, or because what is there is not what was signed.
    """
    which = "one entry of its log" if entries == 1 else f"{entries:,} entries of its log"
    verb = "has" if entries == 1 else "have"
    if all(_named_in_part(copies, copy) for copy in copies.copies):
        return f"{which} {verb} not arrived yet"
    return f"{which} cannot be read: a file of the log is damaged"


def _named_in_part(copies: Copies, copy: Copy) -> bool:
    """Whether some entries of a signed state lie in no file here."""
    if not isinstance(copy, PlaceCopy):
        return False
    for origin in copies.origins():
        largest = next((one for one in reversed(copies.named(origin)) if any(copies.signed(origin, *one))), None)
        if largest is not None and copy.uncovered(origin, largest[0]):
            return True
    return False


def arrived(there: int, of: int) -> str:
    return f"{there:,} of {of:,} files are there"


def busy(building: Building) -> Busy:
    return Busy(f"Another restore into {building.to} is running.", "Wait until it has ended, or name another folder.")
