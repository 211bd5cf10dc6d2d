"""The ports: time, randomness, files, secrets and the machine, as protocols.

Real ones live in `adapters/`; the harsher fakes of the tests implement the same protocols and pass the same
contract tests (`tests/contract/`). Paths are absolute `pathlib.Path`s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol


class Clock(Protocol):
    def wall_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00Z, as the system believes."""
        ...

    def boot_ms(self) -> int:
        """Milliseconds since boot, running on through suspend (CLOCK_BOOTTIME or the like)."""
        ...

    def utc_offset_minutes(self, wall_ms: int) -> int:
        """Minutes that local time is ahead of UTC at `wall_ms`."""
        ...


class Entropy(Protocol):
    def draw(self, n: int) -> bytes:
        """`n` bytes from the system's cryptographic source."""
        ...


class Machine(Protocol):
    def boot_id(self) -> bytes:
        """8 bytes that change at every boot (a hash of the kernel's boot id or of the boot time)."""
        ...

    def ram_total(self) -> int:
        """Bytes of memory this process may hope for: physical memory or the cgroup's limit, the smaller."""
        ...

    def ram_available(self) -> int:
        """Bytes that could be taken now without swapping, within the cgroup's limit."""
        ...

    def private_runtime_dir(self) -> Path | None:
        """A memory-backed folder of this user (tmpfs, 0700), or None where there is none."""
        ...


class Files(Protocol):
    """Durable, no-follow file access. Every method raises from `errors`: NotFound for an absent file,
    Damaged for a link or anything that is not a regular file (or is larger than `limit`), DiskFull,
    CannotWrite (permission, read-only), StorageFault (everything else the system says).

    "Durable" means: when the method returns, the effect survives a power cut. After a method raised, its
    target is either as before or absent, never half-written (`append` excepted: the tail may hold part of
    the data, which readers bound by a signed size; `replace` and `move`, when only the last sync of the folder
    failed: the whole new file may be there).
    """

    def read(self, path: Path, *, limit: int) -> bytes:
        """The whole file; Damaged when it has more than `limit` bytes."""
        ...

    def read_range(self, path: Path, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer at the end of the file."""
        ...

    def stream(self, path: Path, *, chunk: int) -> Iterator[bytes]:
        """The file's bytes in pieces of `chunk`, the last one shorter."""
        ...

    def size(self, path: Path) -> int | None:
        """Bytes in the regular file, None when nothing is there."""
        ...

    def names(self, folder: Path) -> list[str]:
        """Sorted names in a folder, [] when it is absent. Our own temporary files are not listed."""
        ...

    def make_folder(self, folder: Path) -> None:
        """Create with parents, 0700 whatever the umask, durable. Existing folders are left as they are."""
        ...

    def create(self, path: Path, data: bytes | Iterable[bytes]) -> None:
        """A new immutable file, 0600, durable: temp file in the same folder, fsync, rename, fsync folder.
        An existing file with that name is kept when its bytes are equal, else Damaged.
        """
        ...

    def create_batch(self, items: Iterable[tuple[Path, bytes]]) -> None:
        """`create` for many files with as few syncs as the platform allows; durable when it returns."""
        ...

    def replace(self, path: Path, data: bytes | Iterable[bytes]) -> None:
        """Put a file in place of another atomically, 0600, durable; retries a sharing violation on Windows."""
        ...

    def append(self, path: Path, data: bytes, *, at: int) -> None:
        """Append durably to a file that must have exactly `at` bytes (created, durable, when `at` is 0)."""
        ...

    def move(self, source: Path, target: Path) -> None:
        """Rename within one file system, durable on both folders; Damaged when the target exists."""
        ...

    def remove(self, path: Path) -> None:
        """Unlink, durable; absent is fine."""
        ...

    def lock(self, path: Path, *, wait_s: float) -> AbstractContextManager[None]:
        """An exclusive advisory lock between processes (and between threads); Busy after `wait_s` seconds.
        Freed by the system when the process dies.
        """
        ...


class PendingSecrets(Protocol):
    """An answer on its way. Exactly one of the two is called, once."""

    def result(self) -> list[str | None]:
        """Wait for it; values and errors as of `SecretStore.get`."""
        ...

    def cancel(self) -> None:
        """It is not wanted any more."""
        ...


class SecretStore(Protocol):
    """Named secrets of one vault on one device. Values are printable ASCII of at most 400 characters."""

    @property
    def kind(self) -> str:
        """`keyring` or `file`."""
        ...

    def describe(self) -> str:
        """For `doctor`: which store this is, in words."""
        ...

    def get(self, names: Sequence[str]) -> list[str | None]:
        """The items' values, None where the store answers and has no such item; one call for all.
        Raises a SecretsUnavailable otherwise.
        """
        ...

    def start_get(self, names: Sequence[str]) -> PendingSecrets:
        """Begin a `get` that runs beside other work; it raises nothing before `result`."""
        ...

    def put(self, name: str, value: str) -> None:
        """Write, read back, compare (KeyringLied when different)."""
        ...

    def delete(self, name: str) -> None:
        """Absent is fine."""
        ...


class SecretStores(Protocol):
    """Finds the store of a vault's secrets. Which kind is used is decided once, at set-up, and recorded."""

    def choose(self) -> tuple[str, str]:
        """(kind, why in words): `keyring` where an accepted one really works, else `file`."""
        ...

    def open(self, kind: str, vault_id: bytes, device_id: bytes) -> SecretStore: ...


class Listed(NamedTuple):
    """One name of a folder, as the system lists it. Nothing was opened."""

    kind: str  # file · folder · other (a link, a pipe, a device)
    size: int  # bytes; of a file
    mtime_ns: int  # a hint, never a proof
    offline: bool  # a cloud client keeps its bytes elsewhere: reading would fetch them


class Tree(Protocol):
    """Reading below one folder, `root`. Paths are relative, their parts joined by `/`; no part is empty, `.` or `..`.

    Links are refused at every step below `root` (Damaged). Raises as `Files` does.
    """

    @property
    def root(self) -> Path: ...

    def names(self, folder: str) -> set[str]:
        """All names in a folder (`""`: the root itself); empty when it is absent. The cheapest look there is."""
        ...

    def listing(self, folder: str) -> dict[str, Listed]:
        """The same with kinds and sizes."""
        ...

    def size(self, path: str) -> int | None:
        """Bytes of the regular file, None when nothing is there; Damaged for anything else."""
        ...

    def read(self, path: str, *, limit: int) -> bytes:
        """NotFound; Damaged above `limit` bytes, and for what is no regular file."""
        ...

    def stream(self, path: str, *, chunk: int) -> Iterator[bytes]: ...


class WriteOnce(Tree, Protocol):
    """A backup place as the mirror may touch it: it can be added to. There is no way to overwrite or to delete.

    "Durable" as in `Files`, as far as the place's system can: `durability` says how far. All files are first written
    whole under `.stage-<device>/`, then given their names by a rename that never replaces, of each or of their folder.
    """

    @property
    def durability(self) -> str:
        """`full`, or `reduced` once the system has refused a sync (some network folders, some sticks)."""
        ...

    def free_bytes(self) -> int | None: ...

    def make_folders(self, folders: Iterable[str]) -> None:
        """With parents below the root, which itself must be there: a place that is not plugged in is never made."""
        ...

    def add(self, path: str, data: bytes, *, read_back: bool = False) -> None:
        """A new file, durable. One that is there with the same bytes is kept; Damaged when its bytes are others."""
        ...

    def add_batch(self, items: Iterable[tuple[str, bytes]], *, read_back: bool = False) -> int:
        """`add` for many with as few syncs as the system allows; durable when it returns. How many were new.

        The folder of a file is made if it is not there and the one above it is; else NotFound, as `add` says at once.
        Either all of a batch have their names at the end, or an error is raised; then some may have them, all whole.
        `read_back`: each file is opened again and compared, past the system's cache where it can be, before it gets
        its name.
        """
        ...

    def add_stream(self, path: str, pieces: Iterable[bytes], *, sha256: str, read_back: bool = False) -> None:
        """A large file in pieces, durable; Damaged when they do not hash to `sha256` (then nothing was added)."""
        ...

    def settle(self) -> None:
        """Make every name durable that lies there, whoever gave it: a run that was killed may not have come to that."""
        ...

    def set_aside(self, path: str, day: str) -> str:
        """Move what is wrong to `quarantine/<day>/`, under a name that is free there; the new path. NotFound."""
        ...

    def sweep(self, now_ms: int) -> int:
        """Remove our own staging left by a run that was killed over 24 hours ago; how many files and folders."""
        ...


@dataclass(frozen=True)
class Volume:
    """What a folder lies on."""

    kind: str  # fixed · removable · network · cloud · memory · unknown
    name: str  # for people: "USB stick BLUE", "Dropbox's folder", "network folder on nas"; may be ""
    mount: Path  # where the volume begins
    device: int  # equal for two folders on the same file system
    identity: str | None = None  # the file system's own number, where the system tells it
    read_only: bool = False


class Volumes(Protocol):
    def of(self, folder: Path) -> Volume:
        """Of an existing folder. Raises NotFound, StorageFault."""
        ...

    def mounts(self) -> list[Path]:
        """Where plugged-in volumes begin, the system's own left out; [] where that cannot be told. None of them is
        asked for it: one may be a single file, or may not answer.
        """
        ...


class Watcher(Protocol):
    """Hints that something below a folder may have changed. Never the truth: events get lost."""

    def wait(self, timeout_s: float) -> bool:
        """True after a change (2 s after the last of several), an error or an overflow; False after the time."""
        ...

    def wake(self) -> None:
        """Let `wait` return True at once; from any thread."""
        ...

    def close(self) -> None: ...


class ServiceInstaller(Protocol):
    """Starts a command at every login of this user: a systemd user unit, a launchd agent, a scheduled task."""

    @property
    def kind(self) -> str: ...

    def install(self, name: str, command: Sequence[str]) -> str:
        """Write, enable, start; what was done, in words. Raises CannotWrite, StorageFault, Refused."""
        ...

    def remove(self, name: str) -> bool: ...

    def state(self, name: str) -> str:
        """`absent` · `installed` · `running` · `unknown`."""
        ...
