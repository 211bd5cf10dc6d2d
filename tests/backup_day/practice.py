"""A practice with backup places: a home with a vault, folders that play sticks and shares, and the real commands.

    practice = Practice.make(folder)            # a vault with a few notes, two places, everything backed up
    practice.attack("scramble", practice.vault)
    practice.backup("run", code=None)           # the real program, a process of its own
A place is unplugged by moving its folder away: where it was there is nothing then, as with a mount that is gone. What
the laptop remembers of the disk it was on is made another's first, since the test's own disk stays.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from notevault.adapters.files import DiskFiles
from notevault.backup import model
from notevault.backup.places.registry import Places
from tests.backup import vaults
from tests.backup_day import attack
from tests.cli.homes import PASSPHRASE, Home, home_with_vault

ATTACK = Path(attack.__file__)
NOTES = 24
OWN_FAULT = 70  # exit status: never right
READ = """
import json, sys
from notevault.app import opening
from notevault.vault.notebook import Notebook
from notevault.wiring.locked import locked_side
from notevault.wiring.unlocked import make_env
side = locked_side(sys.argv[1])
session = opening.open_vault(make_env(side), side.vault, sys.stdin.readline().rstrip("\\n"), shell=False)
book = Notebook(session)
print(json.dumps(sorted(book.open_note(view.id)[1].text for view in book.notes())))
session.close("exit")
"""
Files = dict[str, str]  # relative path -> SHA-256


def snapshot(folder: Path) -> Files:
    """Every file below, with the SHA-256 of its bytes; a link with its target."""
    found: Files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def good(folder: Path) -> set[str]:
    """Sealed files that lie below, under whatever name, whose bytes are those of their name (`aside` and all)."""
    return {digest for name, digest in snapshot(folder).items() if digest in name}


def texts_of(home: Home, passphrase: str = PASSPHRASE, vault: Path | None = None) -> list[str]:
    """Every note's text, read by a process of its own that has ended."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(vault or home.vault)], input=passphrase + "\n", env=home.env, text=True,
        capture_output=True, check=False, start_new_session=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """All that was said, in one line."""
        return " ".join((self.out + " " + self.err).split())

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Practice:
    home: Home
    folder: Path
    places: dict[str, Path] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    made_up: vaults.Made2 | None = None
    no_notes: set[str] = field(default_factory=set)  # digests of the client's own sealed file and the like

    @classmethod
    def make(cls, folder: Path, places: Iterable[str] = ("blue", "red"), notes: int = NOTES) -> Practice:
        """A vault with one client and `notes` notes, backed up to every place."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / attack.LEAVE).write_text("only for trying out\n")
        practice = cls(home_with_vault(folder / "home"), folder)
        practice.home.run("client", "add", "Anna Berg", "--code", "C-1", open_it=True)
        practice.no_notes = practice.live()
        practice.write(
            *(f"Note {n}: slept {n % 9} hours, walks each morning. " + "More. " * (n * 40) for n in range(notes))
        )
        for name in places:
            practice.add(name)
        practice.backup("run")
        return practice

    @classmethod
    def synthetic(cls, folder: Path, sizes: Sequence[int], places: Iterable[str] = ("blue",)) -> Practice:
        """A vault of random bytes that nobody can open (`practice.made`), backed up to every place."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / attack.LEAVE).write_text("only for trying out\n")
        made = vaults.synthetic(folder / "home", sizes)
        (folder / "home/run").mkdir(mode=0o700)
        practice = cls(Home(folder / "home"), folder, made_up=made)
        for name in places:
            practice.add(name)
        if practice.places:
            practice.backup("run")
        return practice

    @property
    def vault(self) -> Path:
        return self.home.vault

    @property
    def made(self) -> vaults.Made2:
        assert self.made_up is not None, "this vault can be opened"
        return self.made_up

    def live(self) -> set[str]:
        """Digests of all sealed files of the vault, as its folder has them now."""
        return {path.name for path in (self.vault / "blobs").rglob("*") if len(path.name) == 64 and path.is_file()}

    def notes(self) -> list[Path]:
        """The notes' own sealed files in the vault: destroying others may well keep her from writing."""
        return [self.vault / "blobs" / digest[:2] / digest for digest in sorted(self.live() - self.no_notes)]

    # -- her own work

    def write(self, *texts: str) -> None:
        if len(texts) == 1:
            self.home.saved("note", "add", "--client", "C-1", stdin=texts[0])
        else:
            rows = ["text,date", *(f'"{text}",2026-03-{n % 28 + 1:02d}' for n, text in enumerate(texts))]
            csv = self.home.file("notes.csv", "\n".join(rows))
            self.home.run("import", csv, "--client", "C-1", "--yes", "--again", "--no-input", open_it=True)
            Path(csv).unlink()
        self.texts += texts

    def has_all(self, home: Home | None = None) -> bool:
        return texts_of(home or self.home) == sorted(self.texts)

    # -- places

    def add(self, name: str, folder: Path | None = None) -> Path:
        self.places[name] = folder or self.folder / name
        self.places[name].mkdir(exist_ok=True)
        self.backup("add", str(self.places[name]), "--name", name)
        return self.places[name]

    def base(self, name: str) -> Path:
        """Where the place keeps this vault."""
        (found,) = (self.places[name] / "notevault").glob("*/VAULT.json")
        return found.parent

    def unplug(self, name: str) -> None:
        known = Places(DiskFiles(), self.home.local)
        for place in known.all():
            if place.name == name:
                known.save(replace(place, kind="removable", volume=f"stick-{name}"))
        self.places[name].rename(self.places[name].with_name(f"{name}.in-a-drawer"))

    def plug(self, name: str) -> None:
        self.places[name].with_name(f"{name}.in-a-drawer").rename(self.places[name])

    def drawer(self, name: str) -> Path:
        return self.places[name].with_name(f"{name}.in-a-drawer")

    # -- commands

    def backup(self, *words: str, code: int | None = 0, home: Home | None = None, open_it: bool = False) -> Said:
        done = (home or self.home).run("--no-input", "backup", *words, code=code, open_it=open_it)
        assert done.returncode != OWN_FAULT, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    def status(self, name: str) -> dict[str, Any]:
        """The place's object of `backup status --json`."""
        done = self.home.run("--json", "--no-input", "backup", "status", code=None)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        (row,) = (row for row in rows if row.get("name") == name)
        return dict(row)

    def remembered(self, name: str) -> model.PlaceState:
        """What the last backup of the place left in this laptop's own folder; nothing is looked at."""
        known = Places(DiskFiles(), self.home.local)
        return known.state(known.get(name).id)

    def report(self, *words: str) -> dict[str, Any]:
        """What `backup run --json` or another act says of its one place, with the exit code as `code`."""
        done = self.home.run("--json", "--no-input", "backup", *words, code=None)
        (row, *_) = (json.loads(line) for line in done.stdout.splitlines())
        assert done.returncode != OWN_FAULT, done.stderr
        return {**row, "code": done.returncode}

    def attack(self, how: str, *folders: Path, count: int = 0) -> None:
        subprocess.run([sys.executable, "-I", str(ATTACK), how, str(count), *map(str, folders)], check=True, timeout=60)
