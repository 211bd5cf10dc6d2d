"""Vaults for the tests of the vault: a small one is built once, every case works on a copy of its disk and key store.

`small()` gives a House: one client, two notes, closed. `house.unlock()` opens it, `house.another_process()` is a second
program on the same disk and key store, `house.after_kill()` what comes after `house.files.crash_at(n)` did its work.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from notevault.auditlog import bundle, entry
from notevault.crypto import kdf
from notevault.domain.clients import Client
from notevault.domain.notes import Note
from notevault.formats.header import PassphraseSlot
from notevault.storage.layout import LocalPaths, VaultPaths
from notevault.vault import found, rekey, remember, unlock
from notevault.vault.drafts import Drafts
from notevault.vault.env import Env
from notevault.vault.found import Kit
from notevault.vault.index import Catalogue
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from notevault.vault.verify import Verdict, verify
from tests.fakes.files import CrashNow, MemoryFiles
from tests.fakes.secrets import FakeSecretStores
from tests.fakes.simple import MORNING_MS, FakeClock, FakeEntropy, FakeMachine

ROOT = Path("/vault")
LOCAL = Path("/local")
RUNTIME = Path("/run/user")
PASSPHRASE = "seven quiet herons cross the frozen bay"
OTHER_PASSPHRASE = "nine loud crows leave a wooden pier"
CHEAP = kdf.CHEAPEST

ANNA = Client("Anna Berg", "C-1", None, MORNING_MS)
FIRST = "She slept four hours. Café, Übung, naïve."
SECOND = "A second session: less worry, walks each morning."


def note_of(text: str, held: int = MORNING_MS, title: str = "") -> Note:
    return Note(text, held, 60, held, held, title=title)


@dataclass
class House:
    """One laptop: disk, key store, clock. `seed` makes a process's randomness its own."""

    files: MemoryFiles
    stores: FakeSecretStores
    clock: FakeClock
    machine: FakeMachine
    seed: str = "house"
    processes: int = 0
    kit: Kit | None = None
    ids: dict[str, bytes] = field(default_factory=dict)

    @property
    def env(self) -> Env:
        self.processes += 1
        entropy = FakeEntropy(f"{self.seed}-{self.processes}")
        return Env(self.clock, entropy, self.files, self.machine, self.stores, LOCAL)

    # -- other processes, other days

    def another_process(self) -> House:
        return self._on(self.files.another_process(), self.stores, "other")

    def after_kill(self) -> House:
        return self._on(self.files.after_kill(), self._stores(), "after")

    def after_power_cut(self, seed: int) -> House:
        return self._on(self.files.after_power_cut(seed), self._stores(), f"after{seed}")

    def copy(self) -> House:
        return self._on(self.files.copy(), self._stores(), "copy")

    def _stores(self) -> FakeSecretStores:
        """The key store survives a crash as it is; what later happens in it is no business of other cases."""
        return FakeSecretStores(kind=self.stores.kind, mood=self.stores.mood, items=dict(self.stores.items))

    def _on(self, files: MemoryFiles, stores: FakeSecretStores, word: str) -> House:
        clock = FakeClock(self.clock.wall_ms(), self.clock.boot_ms(), self.clock.offset_minutes)
        machine = FakeMachine(
            boot=self.machine.boot, ram_total=self.machine.total, runtime_dir=self.machine.runtime_dir
        )
        return House(files, stores, clock, machine, f"{self.seed}/{word}{self.processes}", 0, self.kit, dict(self.ids))

    # -- opening

    def unlock(self, passphrase: str | None = PASSPHRASE, *, shell: bool = True, keep_okm: bool = False) -> Session:
        data = None if passphrase is None else kdf.normalise(passphrase, opening=True)
        return unlock.unlock(self.env, ROOT, data, shell=shell, keep_okm=keep_okm)

    def verified(self, passphrase: str = PASSPHRASE) -> Verdict:
        session = self.unlock(passphrase, shell=False)
        verdict = verify(session)
        session.close("exit")
        return verdict

    def verified_again(self) -> Verdict:
        """As `verified`, by a remembered session."""
        session = self.unlock(None, shell=False)
        verdict = verify(session)
        session.close("exit")
        return verdict

    def put_blob(self, data: bytes) -> str:
        """Lay a file among the records, named as one; returns its digest."""
        digest = hashlib.sha256(data).hexdigest()
        self.files.put_raw(self.paths.blob(digest), data)
        return digest

    # -- looking

    @property
    def paths(self) -> VaultPaths:
        return VaultPaths(ROOT)

    @property
    def local(self) -> LocalPaths:
        folders = sorted({path.relative_to(LOCAL).parts[0] for path in self.files.tree(LOCAL)})
        return LocalPaths(LOCAL / folders[0])

    def vault_files(self) -> dict[Path, bytes]:
        """What is in the vault folder, without unfinished writes."""
        return {path: data for path, data in self.files.tree(ROOT).items() if not path.name.startswith(".tmp-")}

    def origins(self) -> list[str]:
        return [name for name in self.files.names(self.paths.all_audit) if self.entries(name)]

    def entries(self, origin: str) -> list[entry.Entry]:
        """Every entry that lies in a log's files, parsed."""
        out: list[entry.Entry] = []
        for path in (*self._bundles(origin), self.paths.open(origin)):
            data = self.vault_files().get(path, b"")
            split = bundle.split_prefix(data, 10_000)
            assert isinstance(split, tuple), split
            for each in split[0]:
                parsed = entry.parse(each)
                assert isinstance(parsed, entry.Entry), parsed
                out.append(parsed)
        return out

    def _bundles(self, origin: str) -> list[Path]:
        folder = self.paths.entries(origin)
        return [folder / name for name in self.files.names(folder)]

    def log(self) -> list[entry.Entry]:
        """The entries of the only log there is."""
        (origin,) = self.origins()
        return self.entries(origin)

    def events(self) -> list[str]:
        return [each.ev for each in self.log()]

    def put_back(self, older: House) -> None:
        """The vault folder is replaced by what `older` has there; local folder and key store stay."""
        for path in list(self.files.tree(ROOT)):
            self.files.drop_raw(path)
        for path, data in older.files.tree(ROOT).items():
            self.files.put_raw(path, data)


def bare(seed: str = "house") -> House:
    """A laptop without a vault."""
    machine = FakeMachine(runtime_dir=RUNTIME)
    files = MemoryFiles()
    files.make_folder(RUNTIME)
    return House(files, FakeSecretStores(), FakeClock(), machine, seed)


def created(seed: str = "house") -> tuple[House, Session]:
    house = bare(seed)
    session, kit = found.create(house.env, ROOT, kdf.normalise(PASSPHRASE), CHEAP)
    house.kit = kit
    return house, session


@functools.lru_cache(maxsize=8)
def _small(seed: str) -> House:
    house, session = created(seed)
    book = Notebook(session)
    anna = book.add_client(ANNA)
    first = book.add_note(anna.id, note_of(FIRST))
    second = book.add_note(anna.id, note_of(SECOND, MORNING_MS + 86_400_000))
    house.ids = {"anna": anna.id, "first": first.id, "second": second.id}
    assert session.close("exit") == []
    return house


def small(seed: str = "house") -> House:
    """A closed vault with one client and two notes: a fresh copy each time."""
    return _small(seed).copy()


@functools.lru_cache(maxsize=2)
def _remembered() -> House:
    house = small()
    session = house.unlock(keep_okm=True)
    assert session.keys.okm is not None
    remember.start(session, session.keys.okm, own_slot(session).id, 8)
    session.close("exit")
    return house


def remembered() -> House:
    """The small vault with a remembered session: opens with `unlock(None)`, without Argon2, for the long loops."""
    return _remembered().copy()


def own_slot(session: Session) -> PassphraseSlot:
    return next(each for each in session.header.slots if rekey.is_own_slot(each, session.device_id))


def texts(session: Session) -> set[str]:
    """The text of every note's newest revision, opened through the log."""
    book = Notebook(session)
    return {book.open_note(view.id)[1].text for view in book.notes()}


def drafts_of(session: Session) -> set[str]:
    return {draft.text for draft in Drafts(session).list()}


def steps_of(house: House, act: Callable[[House], object]) -> int:
    """How many primitive steps `act` takes on a copy of this house."""
    trial = house.copy()
    before = len(trial.files.trace)
    act(trial)
    return len(trial.files.trace) - before


def crashes(house: House, act: Callable[[House], object], every: int = 1) -> Iterator[tuple[int, House]]:
    """`act` on a fresh copy, killed at step 1, 2, ...; gives the step and the house as the process left it."""
    for step in range(1, steps_of(house, act) + 1, every):
        trial = house.copy()
        trial.files.crash_at(step)
        try:
            act(trial)
        except CrashNow:
            yield step, trial
        else:
            raise AssertionError(f"step {step} was never reached")


def empty_catalogue(session: Session) -> None:
    session.catalogue.close()
    session.catalogue = Catalogue.empty()
