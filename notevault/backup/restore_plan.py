"""What a restore will do, before it does anything: which state is taken, where it is built, what goes on being built.

A restore builds in `<to>.restoring`, a folder beside the one that it will become:

    <to>.restoring/journal     canonical JSON plus newline {`at` ms, `states`: list of [origin hex16, size, root hex32]
                               in ascending order, `v` 1, `vault` hex16}: what is being restored
                   lock        held while a restore runs
                   vault/      becomes <to>, once it is whole
                   .stage-*/   unfinished writes

The journal stays until the new vault is this device's own, so that the same command goes on from any point.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from notevault.backup.copies import Choice, Copies
from notevault.errors import Busy, CannotWrite, Damaged, NotFound, Refused
from notevault.formats import text
from notevault.ports import Files

JOURNAL_LIMIT = 64 << 10
"""Bytes. A vault of 256 logs has 30 KB."""


@dataclass(frozen=True)
class Journal:
    """Which state of which vault lies, or is about to lie, in the folder beside."""

    vault: str  # hex16
    at_ms: int  # of its last change
    states: tuple[tuple[str, int, bytes], ...]  # origin hex16, size, root

    @classmethod
    def of(cls, vault: str, choice: Choice) -> Journal:
        states = sorted((state.origin, state.size, state.root) for state in choice.states.values())
        return cls(vault, choice.last_ms, tuple(states))

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
    def vault(self) -> Path:
        return self.root / "vault"

    def read(self, files: Files) -> Journal | None:
        """What an earlier restore into this folder began; None when there was none. Raises Refused, Damaged."""
        try:
            return Journal.decode(files.read(self.journal, limit=JOURNAL_LIMIT))
        except NotFound:
            names = set(files.names(self.root)) - {"lock"}  # killed before it had written what it was about to do
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
    if to.is_symlink() or (to.exists() and not to.is_dir()):
        raise CannotWrite(f"{to} is no folder.", "Name a new folder with --to.")
    if not files.names(to):
        return False
    if journal is not None and not building.vault.exists():
        return True
    raise Refused(
        f"There is something in {to} already. A restore never writes over anything.",
        "Name a new folder with --to. A vault that is there and still locked is opened with `notevault recover`.",
    )


def same(journal: Journal, choice: Journal, building: Building) -> None:
    """Refused where the folder beside holds another restore than the one asked for."""
    if journal.vault != choice.vault:
        raise Refused(
            f"{building.root} holds an interrupted restore of another vault.",
            "Name another folder with --to. What lies there are copies: it may be deleted when nobody needs it.",
        )
    if journal.states != choice.states:
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
    older state, would leave behind: notes, and key files, which may be of a newer sheet.
    """

    choice: Choice
    why: str = ""
    question: bool = False
    other: Choice | None = None
    left: int = 0


def decide(copies: Copies, *, at_ms: int | None = None, newest: bool = False) -> Decision:
    """The newest state that is whole; but never silently one that leaves behind what is intact in a newer one.

    `at_ms`: nothing newer than that. `newest`: the newest state, whatever is missing. Raises NotFound where there is
    no state at all (of that time).
    """
    try:
        whole = copies.whole(at_ms)
    except NotFound:
        last = copies.newest(at_ms)
        return Decision(last, _missing(last), question=not newest)
    newer = whole.newer
    if newer is None:
        return Decision(whole)
    last = copies.newest(at_ms)
    left = newer.only_here + len(set(last.headers) - set(whole.headers))
    if not newest and left == 0:
        return Decision(whole, f"something newer is still arriving ({arrived(newer.arrived, newer.expected)})")
    return Decision(last, _missing(last), question=not newest, other=whole, left=left)


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


def _missing(choice: Choice) -> str:
    if choice.whole:
        return ""
    words = arrived(choice.live.count - choice.missing, choice.live.count)
    return words if choice.missing else f"{words}, but not all of its log or its keys"


def arrived(there: int, of: int) -> str:
    return f"{there:,} of {of:,} files are there"


def busy(building: Building) -> Busy:
    return Busy(f"Another restore into {building.to} is running.", "Wait until it has ended, or name another folder.")
