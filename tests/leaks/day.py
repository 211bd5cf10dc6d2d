"""A working day: canary texts, names and words, and the acts in which they go through the product's hands."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.leaks.canary import Needle, in_memory, nonsense
from tests.leaks.scan_files import Hit, Scanner, everything
from tests.leaks.user import Person, needles_of


@dataclass
class Canaries:
    """Words that stand nowhere else; drawn anew each time, so that no older file can hold them."""

    rng: random.Random = field(default_factory=random.SystemRandom)

    def __post_init__(self) -> None:
        def word() -> str:
            return nonsense(self.rng)

        self.name = f"{word()[:14].title()} {word()[:14].title()}"
        self.second_name = f"Zoë {word()[:14].title()}"
        self.text = f"Today {word()} about {word()}"
        self.piped = f"She {word()} her \u0107{word()}"  # wider than Latin-1
        self.imported = f"An {word()} from {word()}"
        self.signed = f"In the end {word()} and {word()}"
        self.sought = f"sought{word()}"  # a word that no note has
        self.passphrase = f"{word()} {word()} {word()}"
        self.wrong = f"{word()} wrong {word()}"
        self.title = f"{word()}"

    @property
    def long_words(self) -> dict[str, str]:
        """One rare word of each, to search for."""
        return {
            which: max(getattr(self, which).split(), key=len)
            for which in ("name", "text", "piped", "imported", "signed")
        }

    def phrases(self, *but: str) -> list[str]:
        every = [
            self.name, self.second_name, self.text, self.piped, self.imported, self.signed,
            self.sought, self.passphrase, self.wrong, self.title,
        ]  # fmt: skip
        return [each for each in every if each not in but]

    def needles(self, *but: str) -> list[Needle]:
        """For memory, arguments and environments."""
        return [needle for phrase in self.phrases(*but) for needle in in_memory(phrase)]


def one_shot_day(person: Person, canaries: Canaries) -> dict[str, str]:
    """Set-up and a day of commands without a terminal. What must not be seen goes through files and pipes.

    Returns what the commands said, by command.
    """
    key = str(person.file("passphrase", canaries.passphrase.encode() + b"\n"))
    other = str(person.file("wrong", canaries.wrong.encode() + b"\n"))
    rows = f"name,text,date\n{canaries.second_name},{canaries.imported},2026-03-02\n"
    original = person.file("original.csv", rows.encode())
    said: dict[str, str] = {}
    opened = ["--passphrase-file", key, "--no-input"]

    def act(words: str, *more: str, stdin: bytes = b"") -> str:
        done = person.does(*words.split(), *more, *opened, stdin=stdin)
        assert done.code == 0, f"{words}: {done.code}\n{done.text()}"
        said[words] = said.get(words, "") + done.text()
        return done.out.decode()

    act("init", "--sheet", str(person.base / "desk/sheet.txt"))
    act("client add", "-", "--code", "C-001", stdin=canaries.name.encode())
    note = act("note add", "--client", "C-001", stdin=canaries.piped.encode()).split()[-1]
    act("note list")
    act("note show", note)
    act("note history", note)
    act("find", "-", stdin=canaries.long_words["piped"].encode())
    act("find", "-", "--json", stdin=canaries.sought.encode())
    act("client list")
    act("client show", "C-001")
    act("import", str(original), "--map", "name=name,text=text,date=date", "--yes")
    act("remember", "--hours", "1")
    done = person.does("find", "-", "--no-input", stdin=canaries.long_words["imported"].encode())
    assert done.code == 0, done.text()
    assert canaries.imported in done.out.decode()
    assert person.does("lock").code == 0
    done = person.does("note", "list", "--passphrase-file", other, "--no-input")
    assert done.code == 77, done.text()
    act("verify")
    person.does("doctor", *opened)
    return said


# -- what is left of it


def left_behind(person: Person, began: float) -> list[Path]:
    """Where the product could have left something: her folders, and whatever is hers and newer in the shared ones."""
    places = [person.home, person.tmp, person.run]
    for shared in ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/dev/mqueue"):
        for path in Path(shared).iterdir() if Path(shared).is_dir() else []:
            try:
                seen = path.lstat()
            except OSError:
                continue
            if seen.st_uid == person.uid and seen.st_mtime >= began - 1 and path not in places:
                places.append(path)
    return places


def found_in_files(
    person: Person, canaries: Canaries, keys: dict[str, bytes], began: float, leave_out: Sequence[Path] = ()
) -> list[Hit]:
    """Canaries, passphrases and keys in any file that is left. The log's own keys lie in the device-secret file."""
    scanner = Scanner(canaries.phrases(), needles_of(but_of_the_log(keys)))
    return [hit for place in left_behind(person, began) for hit in scanner.tree(place, leave_out)]


def but_of_the_log(keys: dict[str, bytes]) -> dict[str, bytes]:
    """The log is written while the vault is locked, so its keys are not among what a lock takes away."""
    return {name: key for name, key in keys.items() if not name.startswith("log ")}


def open_doors(places: Iterable[Path], uid: int) -> list[str]:
    """Folders that are not 0700 and files that are not 0600, or that belong to somebody else."""
    found = []
    for place in places:
        for path in everything(place):
            seen = path.lstat()
            mode = stat.S_IMODE(seen.st_mode)
            wanted = 0o700 if stat.S_ISDIR(seen.st_mode) else 0o600
            if stat.S_ISLNK(seen.st_mode):
                found.append(f"{path} is a link")
            elif mode != wanted or seen.st_uid != uid:
                found.append(f"{path}: {mode:o} of user {seen.st_uid}")
    return found


def cores(person: Person) -> list[Path]:
    """Core files anywhere that is hers."""
    return [
        path
        for place in (person.private, person.run, person.base / "desk")
        for path in everything(place)
        if path.is_file() and (path.name.startswith("core") or _is_core(path))
    ]


def _is_core(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(18)
    return head[:4] == b"\x7fELF" and head[16:18] == b"\x04\x00"


def newest_change(places: Iterable[Path]) -> float:
    return max((os.lstat(path).st_mtime for place in places for path in everything(place)), default=0.0)
