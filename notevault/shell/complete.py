"""What Tab offers in the shell: a pure function of the line, the cursor and what there is to choose from.

    first word          commands that begin so; from three letters on also clients
    after a command     that takes a client: clients by the letters of any part of the name, or by code
    after `help`        commands
    after `backup`      what can be done with backups, also before a letter is typed: no name is among it
    anything else       nothing: search words, file names and passphrases are not ours to offer
Nothing else is offered before a letter is typed, so that no list of names appears by itself. What is put into the line
is the code, never the name: it is unique, and it may stay in the terminal's history. With hidden names the labels are
codes too, and clients are found by code alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from notevault.domain.matching import Named, code_key, find_clients, label
from notevault.domain.suggest import suggest

# In the order in which help shows them: command, what it takes, what it does.
COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("open", "client", "the newest note of a client"),
    ("new", "client", "write a new note"),
    ("edit", "client", "change the newest note, a signed one too"),
    ("find", "words", "search all notes"),
    ("client", "client", "one client: facts and notes"),
    ("clients", "client", "the list of clients"),
    ("notes", "client", "the notes of a client"),
    ("history", "client", "earlier versions of a note"),
    ("drafts", "", "what is not finished or signed"),
    ("sign", "client", "sign a note"),
    ("import", "file", "bring in notes from files"),
    ("audit", "client", "who did what, and when"),
    ("verify", "", "check that nothing was changed"),
    ("doctor", "", "check this laptop and the vault"),
    ("backup", "what", "copies elsewhere: see, make, check them"),
    ("sheet", "", "check or renew the recovery sheet"),
    ("passphrase", "", "change the passphrase"),
    ("settings", "", "your name, the lock, the usual template"),
    ("lock", "", "lock now"),
    ("hide", "", "hide or show names"),
    ("help", "command", "what can be done, and how"),
    ("quit", "", "lock and leave"),
)
NAMES = tuple(name for name, _, _ in COMMANDS)
_TAKES = {name: takes for name, takes, _ in COMMANDS}
REVIEW = "review"
"""What `audit` takes besides a client."""
BACKUP = ("add", "remove", "list", "run", "status", "verify", "restore", "drill", "heal", "watch")
"""What `backup` takes."""
BACKUP_ABOUT = {
    "add": "name a place: a stick, a folder on the network",
    "remove": "no longer back up to a place",
    "list": "the places, and where they are",
    "run": "back up now",
    "status": "what is safe where, and what to do",
    "verify": "check that everything is still there",
    "restore": "how the vault is brought back",
    "drill": "practise a restore",
    "heal": "repair what is damaged or missing",
    "watch": "how it happens by itself",
}
LIMIT = 12  # as many as fit above the toolbar of a 24-line terminal
FROM_LETTERS = 3  # for clients in the place of a command


class Completion(NamedTuple):
    """Replace line[start:cursor] by `text`; show `label`."""

    start: int
    text: str
    label: str


@dataclass(frozen=True, repr=False)
class Catalogue:
    """What there is to choose from; `hide_names` while names are hidden on the screen."""

    clients: Sequence[Named] = ()
    hide_names: bool = False

    def __repr__(self) -> str:
        return f"<Catalogue: {len(self.clients)} clients>"


def _commands(typed: str, start: int) -> list[Completion]:
    low = typed.lower()
    return [Completion(start, name, f"{name}: {about}") for name, _, about in COMMANDS if name.startswith(low)]


def _clients(typed: str, start: int, catalogue: Catalogue) -> list[Completion]:
    if catalogue.hide_names:
        plain = typed.strip().upper()
        found = [
            each for each in catalogue.clients if each.code.startswith(plain) or code_key(each.code) == code_key(plain)
        ]
        return [Completion(start, each.code, each.code) for each in sorted(found, key=lambda each: each.code)[:LIMIT]]
    offered = []
    fitting = find_clients(typed, catalogue.clients)
    for each in fitting[:LIMIT]:
        name = label(
            each, fitting
        )  # a namesake of one that fits by name fits too; all clients would cost 60 ms in 5,000
        shown = name if name.endswith(f"({each.code})") else f"{name} {each.code}"
        offered.append(Completion(start, each.code, shown))
    return offered


def complete(line: str, cursor: int, catalogue: Catalogue) -> list[Completion]:
    """The offers for the text before the cursor, best first, at most 12; `start` counts from the line's beginning."""
    before = line[:cursor]
    start = len(before) - len(before.lstrip())
    typed = before[start:]
    if not typed:
        return []
    command, space, rest = typed.partition(" ")
    takes = _TAKES.get(command.lower())
    if not space:
        offers = _commands(typed, start)
        if len(typed) >= FROM_LETTERS:
            offers += _clients(typed, start, catalogue)
        return offers[:LIMIT]
    argument = rest.lstrip()
    at = len(before) - len(argument)
    if takes is None:  # no command of ours: perhaps a name of several words
        return _clients(typed, start, catalogue)
    if takes == "what":
        low = argument.lower()
        return [Completion(at, each, f"{each}: {BACKUP_ABOUT[each]}") for each in BACKUP if each.startswith(low)]
    if not argument:
        return []
    if takes == "client":
        reviews = command.lower() == "audit" and REVIEW.startswith(argument.lower())
        first = [Completion(at, REVIEW, f"{REVIEW}: look over the last month")] if reviews else []
        return [*first, *_clients(argument, at, catalogue)][:LIMIT]
    return _commands(argument, at) if takes == "command" else []


def did_you_mean(line: str) -> str | None:
    """For a line that begins with no command: the command that was probably meant. Said, never run."""
    first = line.split(maxsplit=1)[:1]
    if not first or first[0].lower() in NAMES:
        return None
    return suggest(first[0], NAMES)
