"""The ground under the tests: an interpreter within an ordinary user's reach, folders of hers, a disk of her own."""

from __future__ import annotations

import compileall
import functools
import importlib.metadata
import os
import pwd
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.leaks import scan_memory
from tests.leaks.user import PACKAGE, Person


class Unreachable(Exception):
    """No Python here that an ordinary user can run the product with."""


def _works_for(uid: int, python: str, path: str | None) -> bool:
    """Whether that user can start this Python, of our version, and import the product with all it needs."""
    env = {"PATH": "/usr/bin:/bin", **({"PYTHONPATH": path} if path else {})}
    test = (
        f"import sys; assert sys.version_info[:2] == {tuple(sys.version_info[:2])};"
        "import notevault, argon2, cryptography, keyring, prompt_toolkit, platformdirs, reportlab, segno, zxcvbn"
    )
    try:
        done = subprocess.run(
            [python, "-c", test],
            env=env,
            cwd="/",
            user=uid,
            group=uid,
            extra_groups=[],
            capture_output=True,
            timeout=60,
        )
    except OSError:
        return False
    return done.returncode == 0


@functools.cache
def _needed() -> frozenset[str]:
    """The distributions that the product asks for, and what those ask for (pyproject.toml)."""
    import tomllib

    from packaging.requirements import Requirement

    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    waiting = [Requirement(text) for text in project["dependencies"]]
    found: set[str] = set()
    while waiting:
        wish = waiting.pop()
        name = re.sub(r"[-_.]+", "-", wish.name).lower()
        if name in found or (wish.marker and not wish.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += [Requirement(text) for text in importlib.metadata.requires(wish.name) or []]
    return frozenset(found)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        return
    if source.stat().st_mode & 0o004:
        with suppress(OSError):
            os.link(source, target)
            return
    shutil.copy2(source, target)
    target.chmod(0o644)


def make_stage(folder: Path) -> str:
    """Product and packages in `folder`, readable for everybody; its path for PYTHONPATH."""
    old = os.umask(0o022)
    try:
        shutil.copytree(PACKAGE, folder / "notevault", ignore=shutil.ignore_patterns("__pycache__"))
        for name in _needed():
            distribution = importlib.metadata.distribution(name)
            for file in distribution.files or []:
                source = Path(str(distribution.locate_file(file)))
                if ".." not in file.parts and source.is_file():
                    _link(source, folder / file)
        compileall.compile_dir(folder / "notevault", quiet=1)
    finally:
        os.umask(old)
    return str(folder)


def free_uid() -> int:
    """A user id that nobody has, neither in the password file nor by a running process; drawn, since two runs of
    these tests at once must not be the same person.
    """
    taken = {scan_memory.owner(pid) for pid in scan_memory.pids()} | {entry.pw_uid for entry in pwd.getpwall()}
    return random.SystemRandom().choice([uid for uid in range(100_000, 200_000) if uid not in taken])


@contextmanager
def shared_folder() -> Iterator[Path]:
    """A folder to which an ordinary user can walk; pytest's own are closed."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        if all(each.stat().st_mode & 0o001 for each in (Path(parent), *Path(parent).parents)):
            break
    folder = Path(tempfile.mkdtemp(prefix="notevault-user-", dir=parent))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def reachable_python(uid: int, folder: Path) -> tuple[str, str | None]:
    """(interpreter, PYTHONPATH) for that user. Raises Unreachable."""
    for path in (None, str(PACKAGE.parent)):
        if _works_for(uid, sys.executable, path):
            return sys.executable, path
    path = make_stage(folder / "stage")
    for python in (sys.executable, "/usr/bin/python3"):
        if _works_for(uid, python, path):
            return python, path
    raise Unreachable(
        f"an ordinary user can run neither {sys.executable} nor a /usr/bin/python3 of version"
        f" {sys.version_info[0]}.{sys.version_info[1]}"
    )


class Disk:
    """A disk of her own: an image on which every write lands at once, that of a file soon deleted too."""

    def __init__(self, image: Path, place: Path, megabytes: int = 96) -> None:
        self.image, self.place = image, place
        with image.open("wb") as file:
            file.truncate(megabytes << 20)
        _quiet("mkfs.ext4", "-q", "-O", "^has_journal", "-E", "nodiscard", str(image))
        _quiet("mount", "-o", "loop,sync,nodiscard", str(image), str(place))
        self._mounted = True

    def take_away(self) -> None:
        if self._mounted:
            _quiet("umount", str(self.place))
            self._mounted = False


def _quiet(*argv: str) -> None:
    """Raises OSError with what the tool said."""
    done = subprocess.run(argv, capture_output=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    if done.returncode:
        raise OSError(f"{argv[0]}: {done.stderr.decode('utf-8', 'replace').strip()}")


@contextmanager
def new_person(python: str, path: str | None, parent: Path, uid: int, *, disk: bool = False) -> Iterator[Person]:
    """Fresh HOME, TMPDIR and (in memory) XDG_RUNTIME_DIR. What still runs of hers in the end is killed, by its id.

    `disk`: HOME and TMPDIR lie on a disk of their own, where root may mount one; `person.disk` is None elsewhere.
    """
    with ExitStack() as stack:
        base = Path(tempfile.mkdtemp(prefix="person-", dir=parent))
        stack.callback(shutil.rmtree, base, ignore_errors=True)
        base.chmod(0o755)
        memory = Path("/dev/shm")
        run = Path(tempfile.mkdtemp(prefix="notevault-run-", dir=memory if memory.is_dir() else base))
        stack.callback(shutil.rmtree, run, ignore_errors=True)
        private = base / "private"
        private.mkdir()
        own: Disk | None = None
        if disk:
            with suppress(OSError):
                own = Disk(base / "image", private)
                stack.callback(own.take_away)
        private.chmod(0o755)
        person = Person(uid, base, private, python, path, run, own)
        for folder in (person.home, person.tmp, base / "desk", run):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
            os.chown(folder, uid, uid)
        stack.callback(_end_all, person)
        yield person


def _end_all(person: Person) -> None:
    for pid in person.processes():
        with suppress(OSError):
            os.kill(pid, 9)
    scan_memory.wait_for(lambda: not person.processes(), 5)
