"""The script of one day: two hundred acts and more, in the order in which a practice has them.

day = a_day(folder)         # minutes; `day.home` has the vault, `day.acts` what was done, `day.words` what must
                            # be found nowhere in clear, `day.moments` copies of her home at some locks
evening(day)                # 600 notes imported by a command, so that the log has full bundles; an open end
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field
from pathlib import Path

from notevault.auditlog import anchor, checkpoint
from tests.audit_day.acts import Act, wall_ms
from tests.audit_day.hand import Hand
from tests.cli.homes import PASSPHRASE, Home, empty_home
from tests.leaks.canary import nonsense

NEW_PASSPHRASE = "nine purple whales hum slowly"
WRONG = "nine purple whales hum loudly"
AUTHOR = "Dr Vera Quist"
CODES = ("C-001", "C-002", "C-003", "C-004", "C-005", "C-006")
BROUGHT = ("C-007", "C-008")
ROUNDS = 10
EARLY, NOON = 2, 6  # after these rounds a copy of her home is kept
IMPORTED = 600


@dataclass
class Day:
    """`moments`: copies of her home by name (`early`, `noon`, `night`); `heads`: every lock's signed state."""

    home: Home
    hand: Hand
    folder: Path
    words: list[str] = field(default_factory=list)
    moments: dict[str, Home] = field(default_factory=dict)
    heads: list[bytes] = field(default_factory=list)
    size: int = 0  # of the log when the day was over, and when that was; the evening comes after it
    ended: int = 0

    @property
    def acts(self) -> list[Act]:
        return self.hand.acts

    @property
    def script(self) -> list[Act]:
        """Without the evening."""
        return [act for act in self.acts if act.began <= self.ended]

    @property
    def log(self) -> Path:
        (folder,) = (self.home.vault / "audit").iterdir()
        return folder

    def keep(self, name: str) -> None:
        """The whole home: the vault, and this laptop's keys of that moment."""
        self.moments[name] = self.home.copy(self.folder / name)

    def note_head(self) -> None:
        self.heads.append((self.log / "checkpoint").read_bytes())

    def lay_anchors(self, folder: Path, most: int) -> Path:
        """As a backup place keeps them: the signed states of all locks with at most so many entries."""
        for data in self.heads:
            head = checkpoint.parse(data)
            assert isinstance(head, checkpoint.Checkpoint)
            if head.size <= most:
                (folder / head.origin).mkdir(parents=True, exist_ok=True)
                (folder / head.origin / anchor.name_of(head.size, head.root)).write_bytes(data)
        return folder


def a_day(folder: Path) -> Day:
    """Set-up by a command, everything else in the shell. Copies go below `folder`, which must be there."""
    home = empty_home(folder / "home")
    home.run("init", "--key-in-file", "--no-input", "--sheet", str(home.sheet), open_it=True)
    day = Day(home, Hand(home, PASSPHRASE, size=home.log_size()), folder)
    script = _Script(day, "a day")
    try:
        script.morning()
        for number in range(1, ROUNDS + 1):
            script.round(number)
        script.late()
    finally:
        if day.hand.open_shell is not None:
            day.hand.open_shell.__exit__()
    day.size, day.ended = home.log_size(), wall_ms()
    day.keep("night")
    return day


class _Script:
    """Words are drawn once, from a fixed seed; texts hold no others, so every one of them is a canary."""

    def __init__(self, day: Day, seed: str) -> None:
        self.day, self.hand = day, day.hand
        self._dice = random.Random(seed)
        self._themes = [self.word() for _ in range(4)]
        self._count = 0

    def word(self) -> str:
        self.day.words.append(nonsense(self._dice, 12))
        return self.day.words[-1]

    def name(self) -> str:
        return f"{self.word().title()} {self.word().title()}"

    def text(self) -> str:
        """Three words of its own and one that other notes have too."""
        self._count += 1
        return " ".join([self.word(), self._themes[self._count % 4], self.word(), self.word()])

    def _lock(self) -> None:
        self.hand.lock()
        self.day.note_head()

    def morning(self) -> None:
        hand = self.hand
        hand.start()
        hand.unlock()
        hand.author(AUTHOR)
        for code in CODES:
            hand.add_client(self.name(), code)
        for code in CODES:
            hand.new_note(code, self.text())
        hand.drafts()
        hand.list_clients()
        self._lock()

    def round(self, number: int) -> None:
        """An hour: some clients, one after the other, and a lock."""
        hand = self.hand
        a, b, c, d = (CODES[(number + k) % len(CODES)] for k in range(4))
        for _ in range({2: 1, 5: 2, 8: 1}.get(number, 0)):
            hand.wrong(WRONG)
        hand.unlock()
        hand.open_note(a)
        hand.open_note(b)
        hand.find(self._themes[number % 4])
        hand.find(hand.notes[c][-1].text.split()[-1])
        hand.find(self.word())  # which no note has
        if number % 3 == 0:
            hand.edit_twice(a, self.word(), self.word())
        else:
            hand.edit_note(a, self.word())
        if number % 4 == 0:
            hand.new_note_signed(b, self.text())
        else:
            hand.new_note(b, self.text())
        if number % 5 == 0:
            hand.sign_in_editor(a, self.word())
        else:
            hand.sign(a)
        hand.history(c)
        hand.hide(by_key=True)
        hand.look_at_client(d)
        hand.open_note(d)
        hand.hide(by_key=False)
        (hand.audit, hand.list_clients, hand.drafts, hand.doctor, hand.verify)[number % 5]()
        hand.list_notes(b)
        self._lock()
        if number in (EARLY, NOON):
            self.day.keep("early" if number == EARLY else "noon")

    def late(self) -> None:
        """What happens once: an import, a new passphrase, a lock over a text, the window closed, the month's review."""
        hand, day = self.hand, self.day
        rows = [(code, self.text()) for code in BROUGHT]
        lines = [f"{self.name()},{text},2024-03-0{n}" for n, (_, text) in enumerate(rows, 1)]
        hand.unlock()
        hand.bring_in(day.home.file("older.csv", "\n".join(["name,text,date", *lines])), rows)
        for code in BROUGHT:
            hand.open_note(code)
        hand.wrong_owner(WRONG)
        hand.new_passphrase(NEW_PASSPHRASE)
        hand.lock_writing("C-001", self.word())
        day.note_head()
        hand.unlock_into_note()
        hand.finish_note()
        hand.end_treatment("C-002")
        hand.hang_up()
        day.note_head()
        hand.start()
        hand.unlock()
        hand.audit("C-003")
        hand.verify()
        hand.review()
        hand.leave()
        day.note_head()


def evening(day: Day) -> None:
    """By commands: many notes, one look in the shell with its lock, and two notes more after the last seal."""
    home, script = day.home, _Script(day, "an evening")
    key = home.file("new-passphrase", NEW_PASSPHRASE + "\n")
    names = [script.name() for _ in range(8)]
    lines = [f"{names[n % 8]},{script.word()} {script.word()},2023-01-{n % 28 + 1:02d}" for n in range(IMPORTED)]
    many = home.file("many.csv", "\n".join(["name,text,date", *lines]))
    home.run("import", many, "--yes", "--no-input", "--passphrase-file", key)
    hand = day.hand
    hand.start()
    hand.unlock()
    hand.open_note("C-004")
    hand.leave()
    day.note_head()
    for _ in range(2):
        text = script.text()
        home.run("note", "add", "--client", "C-004", "--no-input", "--passphrase-file", key, stdin=text)


if __name__ == "__main__":  # python -m tests.audit_day.day FOLDER
    made = a_day(Path(sys.argv[1]))
    evening(made)
    print(f"{len(made.acts)} acts, {made.hand.locks} locks, {made.home.log_size()} entries")
