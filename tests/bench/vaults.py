"""Vaults to measure: real clinical notes shuffled into as many as are asked for, in a home of their own."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

from notevault.adapters.clock import SystemClock
from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.files import DiskFiles
from notevault.adapters.machine import SystemMachine
from notevault.adapters.secret_file import FileStore
from notevault.crypto import kdf
from notevault.domain import clients, notes
from notevault.ports import SecretStore
from notevault.vault import found
from notevault.vault.env import Env
from notevault.vault.notebook import Notebook

PASSPHRASE = "seven quiet herons cross the frozen bay"
BESIDE = Path(__file__).resolve().parents[3]
DATA = next(BESIDE.glob("*/data/clinical-notes.csv"), Path("clinical-notes.csv"))  # absent: texts of our own
OWN_TEXT = (
    "Client described waking early with worry about work; hypertension noted by the physician.",
    "We practised breathing; she rated her anxiety six before and three after.",
    "Sleep four to five hours. Appetite fair. No thoughts of harming herself.",
    "Plan: thought record for the week, walk each morning, call if panic returns.",
    "Talked about her father's illness and what she wishes she had said.",
)


class _Stores:
    def __init__(self, folder: Path, files: DiskFiles) -> None:
        self._folder, self._files = folder, files

    def choose(self) -> tuple[str, str]:
        return "file", "measured without a keyring"

    def open(self, kind: str, vault_id: bytes, device_id: bytes) -> SecretStore:
        return FileStore(self._folder, f"{vault_id.hex()}/{device_id.hex()}", self._files)


@dataclass(frozen=True)
class Home:
    """A HOME as the program itself would use it, with the XDG folders where they are by default."""

    root: Path

    @property
    def vault(self) -> Path:
        return self.root / ".local/share/notevault/vault"

    def env(self) -> Env:
        files = DiskFiles()
        secrets = self.root / ".config/notevault/device"
        local = self.root / ".local/state/notevault"
        return Env(SystemClock(), SystemEntropy(), files, SystemMachine(), _Stores(secrets, files), local)


def paragraphs() -> list[str]:
    """Of the clinical notes where they are at hand, else a few of our own."""
    if not DATA.is_file():
        return list(OWN_TEXT) * 8
    with DATA.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    return [part for text in texts for part in text.split("\n\n") if part.strip()]


def texts(count: int, seed: int = 1) -> list[str]:
    dice, parts = random.Random(seed), paragraphs()
    return ["\n\n".join(dice.choices(parts, k=12)) for _ in range(count)]


def build(root: Path, count: int) -> Home:
    """A vault with `count` notes of `count`/80 clients over three years, and its snapshot."""
    home = Home(root)
    env = home.env()
    session, _ = found.create(env, home.vault, kdf.normalise(PASSPHRASE), kdf.CHEAPEST)
    now = env.clock.wall_ms()
    people = [clients.new_client(f"Bench Person {i}", f"C-{i + 1:04d}", None, now) for i in range(max(1, count // 80))]
    dice = random.Random(2)
    items = [
        (people[i % len(people)], notes.Note(text, now - dice.randrange(94_608_000_000), 0, now, now))
        for i, text in enumerate(texts(count))
    ]
    Notebook(session).import_all(items)
    session.close("exit")
    return home
