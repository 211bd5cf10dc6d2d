"""The program's own Python environments: `.venv/run-<python>` and `.venv/test-<python>` inside this folder.

An environment is ready when its stamp equals what would be written now: the interpreter, this folder and the
whole lock file. The stamp is written last, so an interrupted set-up is simply done again. The package itself
is not installed but pointed at (a .pth line), so there is nothing to build and an edit counts at once.

Standard library only, and little of it on the quick path: this runs before every start.
`python3 environment.py run|test` prepares one and prints its interpreter.
"""

from __future__ import annotations

import os
import sys
import zlib

TYPE_CHECKING = False  # as in typing, which costs 5 ms to import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOCKS = {"run": "requirements.lock", "test": "requirements-dev.lock"}

# Variables that would send the program to other code, or slow every start down by forbidding compiled files.
_NOT_INHERITED = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__")

# What the installer's log holds -> what happened -> what to do. The first that fits is said.
_REASONS = (
    (
        "DO NOT MATCH THE HASHES",
        "A downloaded package is not the one this program was tested with, so it was not installed.",
        "Try again later or on another network; if it stays so, do not use this copy.",
    ),
    ("No space left on device|Errno 28", "The disk is full.", "Free about 300 MB and start again."),
    (
        "NewConnectionError|ConnectionError|Connection broken|Connection refused|ConnectTimeout|ReadTimeout|timed out"
        "|from versions: none|name resolution|getaddrinfo failed|Network is unreachable|ProxyError|SSLError",
        "The packages could not be downloaded.",
        "Check the internet connection (only the set-up needs it) and start again.",
    ),
    (
        "No matching distribution|not a supported wheel",
        "A package is not to be had for this computer with this Python.",
        "Check the internet connection, or start with another Python: 3.11, 3.12 and 3.13 are tested.",
    ),
)


class SetUpFailed(Exception):
    """What happened and what to do, in one or two sentences."""


def python_of(kind: str) -> str:
    """Where the interpreter of the environment `kind` lies, whether it is there yet or not."""
    return os.path.join(_folder(kind), *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))


def ready(kind: str) -> bool:
    try:
        with open(_stamp_path(kind), encoding="utf-8") as f:
            return f.read() == _stamp(kind) and os.path.exists(python_of(kind))
    except OSError:
        return False


def prepare(kind: str) -> str:
    """Make the environment unless it is ready; returns its interpreter. Raises SetUpFailed."""
    if not ready(kind):
        try:
            os.makedirs(os.path.join(ROOT, ".venv"), exist_ok=True)
            with _one_at_a_time(_folder(kind) + ".lock"):
                if not ready(kind):  # another start may have done it while we waited
                    _build(kind)
        except OSError as e:
            raise SetUpFailed(
                f"The folder {ROOT} cannot be written to ({e.strerror or 'unknown reason'}).\n"
                "Copy it to a place of your own and start from there."
            ) from e
    return python_of(kind)


def become(kind: str, arguments: Sequence[str]) -> NoReturn:
    """Turn this process into the environment's Python with `arguments`; sets it up before if need be."""
    try:
        python = prepare(kind)
    except SetUpFailed as e:
        sys.exit(f"{e}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. The next start takes it up again.")
    command = [python, *arguments]
    try:
        if os.name != "nt":
            os.execve(python, command, _environ())
        import subprocess  # Windows has no exec: the shell would take the terminal back at once

        with subprocess.Popen(command, env=_environ()) as child:
            while True:
                try:
                    sys.exit(child.wait())
                except KeyboardInterrupt:  # Ctrl-C belongs to the program
                    continue
    except OSError as e:
        sys.exit(f"The environment in {_folder(kind)} does not start ({e.strerror}): delete that folder and try again.")


def _folder(kind: str) -> str:
    """One per kind and Python: two of the same version must not wipe each other's environment while it runs."""
    which = zlib.crc32(os.fsencode(sys.base_prefix))
    return os.path.join(ROOT, ".venv", f"{kind}-{sys.implementation.cache_tag}-{which:08x}")


def _stamp_path(kind: str) -> str:
    return os.path.join(_folder(kind), "made-from")


def _stamp(kind: str) -> str:
    # base_prefix, not the patch version: an update of 3.11.7 to 3.11.8 in place must not cost a download.
    with open(os.path.join(ROOT, LOCKS[kind]), encoding="utf-8") as f:
        return f"{sys.base_prefix}\n{ROOT}\n{f.read()}"


def _environ() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in _NOT_INHERITED}


def _build(kind: str) -> None:
    import time

    begun = time.monotonic()
    folder, python = _folder(kind), python_of(kind)
    _say(f"notevault: setting up its own Python environment in {folder} (only once; about a minute)")
    log_path = folder + ".log"
    if os.path.exists(_stamp_path(kind)):
        os.remove(_stamp_path(kind))  # an interrupted rebuild must not pass for the environment before it
    with open(log_path, "w", encoding="utf-8") as log:
        installer = _make_venv(folder, python, log_path, log.fileno())
        # --only-binary: no package's own build script runs. --no-deps: the lock is complete.
        how = ["install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "--no-deps"]
        lock = os.path.join(ROOT, LOCKS[kind])
        if _run([*installer, *how, "--only-binary", ":all:", "-r", lock], log.fileno()) != 0:
            raise SetUpFailed(_reason(log_path))
    _point_at_us(folder, python)
    temporary = _stamp_path(kind) + ".new"
    with open(temporary, "w", encoding="utf-8") as f:
        f.write(_stamp(kind))
    os.replace(temporary, _stamp_path(kind))
    _say(f"notevault: ready after {time.monotonic() - begun:.0f} s")


def _make_venv(folder: str, python: str, log_path: str, log: int) -> list[str]:
    """Make an empty environment; returns the command that installs into it.

    Debian's python3 comes without ensurepip (package python3-venv). Where pip is there, it can do the
    installing from outside; where neither is, only the person can help.
    """
    no_way = SetUpFailed(
        "This Python cannot make environments. On Debian or Ubuntu type: sudo apt install python3-venv\n"
        "Elsewhere install Python 3.11 or newer from python.org; then start again."
    )
    if not _has("venv"):
        raise no_way
    if _has("ensurepip"):
        if _run([sys.executable, "-m", "venv", "--clear", folder], log) == 0:
            return [python, "-m", "pip"]
        raise SetUpFailed(_reason(log_path, f"No environment could be made in {folder}."))
    if not _has("pip"):
        raise no_way
    if _run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder], log) == 0:
        return [sys.executable, "-m", "pip", "--python", python]
    raise SetUpFailed(_reason(log_path, f"No environment could be made in {folder}."))


def _has(module: str) -> bool:
    from importlib.util import find_spec

    spec = find_spec(module)
    return spec is not None and spec.origin is not None  # an empty folder of that name has no origin


def _run(command: Sequence[str], log: int) -> int:
    import subprocess

    env = _environ() | {"PIP_USER": "0"}  # a personal "always --user" setting cannot hold inside an environment
    for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"):
        env.pop(name, None)
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, check=False).returncode


def _reason(log_path: str, otherwise: str = "The packages could not be installed.") -> str:
    import re

    with open(log_path, encoding="utf-8", errors="replace") as f:
        said = f.read()
    for signs, sentence, step in _REASONS:
        if re.search(signs, said):
            return f"{sentence}\n{step} Details: {log_path}"
    return f"{otherwise}\nThe reason stands at the end of {log_path}."


def _point_at_us(folder: str, python: str) -> None:
    """Make `import notevault` and a `notevault` command work in the environment, without installing."""
    import locale
    import shlex
    import subprocess

    asked = [python, "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    encoding = "utf-8" if sys.version_info >= (3, 13) else locale.getencoding()  # as site.py reads .pth files
    with open(os.path.join(site, "notevault-checkout.pth"), "w", encoding=encoding) as f:
        f.write(ROOT + "\n")
    if os.name == "nt":
        script, text = "notevault.cmd", '@"%~dp0python.exe" -I -m notevault %*\n'
    else:
        script, text = "notevault", f'#!/bin/sh\nexec {shlex.quote(python)} -I -m notevault "$@"\n'
    path = os.path.join(os.path.dirname(python), script)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o755)


class _one_at_a_time:
    """Two first starts at once: the second waits. The lock ends with its process, however that ends."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "a+b")  # noqa: SIM115  held until __exit__

    def __enter__(self) -> None:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(self._file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        print(prepare(sys.argv[1]))
    except SetUpFailed as failed:
        sys.exit(f"{failed}")
