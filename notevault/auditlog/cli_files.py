"""Files that `nvaudit` takes in and leaves behind.

What it writes appears whole or not at all, for its owner only (0600), never through a link, never over anything but a
regular file, and never inside the folder that is checked: an auditor changes nothing of what she audits.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from .cli_stop import BROKEN_IO, CANNOT_WRITE, NO_INPUT, USAGE, Stop, why


def read(path: Path, what: str, limit: int) -> bytes:
    """A whole regular file of at most `limit` bytes. Stop: 66 absent, 74 unreadable, 64 a folder or too long."""
    try:
        kind = os.stat(path).st_mode  # noqa: PTH116  one call; the auditor may well keep her card behind a link
        if stat.S_ISDIR(kind):
            raise Stop(USAGE, f"{path} is a folder, not a file with {what}.", "Name the file.")
        if not stat.S_ISREG(kind):
            raise Stop(USAGE, f"{path} is not a regular file with {what}.", "Name a file on the disk.")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise Stop(NO_INPUT, f"There is no file {path} with {what}.", "Check its name and its folder.") from None
    except (OSError, ValueError) as error:
        raise Stop(BROKEN_IO, f"{path} cannot be read: {why(error)}.", "Check whose file it is.") from None
    if len(data) > limit:
        raise Stop(USAGE, f"{path} has more than {limit:,} bytes: it is not {what}.", "Is it the right file?")
    return data


def absent(path: Path) -> bool:
    """Is there nothing of that name (a dangling link is something)? Stop 74 where the system does not tell."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except (OSError, ValueError) as error:
        raise Stop(BROKEN_IO, f"{path} cannot be looked at: {why(error)}.", "Check the name and its folder.") from None
    return False


def may_write(
    path: Path, what: str, audited: Sequence[Path] = (), *, replace: bool = True, step: str = "Name another file."
) -> None:
    """Stop 73 unless `path` may become `what`: its folder exists outside of `audited`; nothing but a regular file is
    there, and nothing at all unless `replace` (then the next step is `step`).
    """
    parent = path.parent
    if not parent.is_dir():
        raise Stop(CANNOT_WRITE, f"There is no folder {parent} for {what}.", "Make the folder first, or name another.")
    if any(inside(parent, one) for one in audited):
        raise Stop(
            CANNOT_WRITE,
            f"{path} would lie inside the folder that is checked (or compared with), where nothing may be changed.",
            f"Name another place for {what}.",
        )
    if absent(path):
        return
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise Stop(
            CANNOT_WRITE, f"{path} is a link, a folder or a device; {what} is not written there.", "Name a plain file."
        )
    if not replace:
        raise Stop(CANNOT_WRITE, f"{path} is there already; {what} replaces nothing.", step)


def inside(folder: Path, outer: Path) -> bool:
    """Does `folder` lie in `outer`, or is it that? By what the names lead to, so that links and case change nothing."""
    try:
        here = Path(os.path.realpath(folder))
        top = os.stat(outer)  # noqa: PTH116
        return any(os.path.samestat(os.stat(up), top) for up in (here, *here.parents))  # noqa: PTH116
    except (OSError, ValueError) as error:
        raise Stop(BROKEN_IO, f"{folder} cannot be looked at: {why(error)}.", "Name another folder.") from None


def distinct(outputs: Iterable[tuple[str, Path | None]], inputs: Iterable[tuple[str, Path | None]]) -> None:
    """Stop 64 when an output is named twice, or is one of the inputs: it would be overwritten."""
    taken = [(option, path) for option, path in inputs if path is not None]
    for option, path in outputs:
        if path is None:
            continue
        for other, there in taken:
            if os.path.realpath(path) == os.path.realpath(there):
                raise Stop(USAGE, f"{other} and {option} name the same file.", "Give each a name of its own.")
        taken.append((option, path))


def write(path: Path, data: bytes, what: str, *, replace: bool = True) -> None:
    """`data` as the whole of `path`: written beside it, synced, renamed. Stop 73. Ask `may_write` first."""
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=".nvaudit-", dir=str(path.parent))  # 0600, O_EXCL
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(temporary, path)  # noqa: PTH105  replaces a name: a link put there meanwhile is not followed
        else:
            _place_new(temporary, path)
        temporary = ""
        _sync_folder(path.parent)
    except FileExistsError:
        raise Stop(CANNOT_WRITE, f"{path} is there already; {what} replaces nothing.", "Name another file.") from None
    except (OSError, ValueError) as error:
        raise Stop(
            CANNOT_WRITE, f"{what[:1].upper()}{what[1:]} could not be written to {path}: {why(error)}.",
            "Check the disk and whose folder it is, and run the command again.",
        ) from None  # fmt: skip
    finally:
        if temporary:
            _forget(temporary)


def _place_new(temporary: str, path: Path) -> None:
    """FileExistsError when somebody was faster."""
    try:
        os.link(temporary, path)  # fails where the name is taken; a rename would replace
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(Path(temporary).read_bytes())
            file.flush()
            os.fsync(file.fileno())
    _forget(temporary)


def _forget(name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name)  # noqa: PTH108


def _sync_folder(folder: Path) -> None:
    """Best effort: Windows has no such call, some network folders refuse it."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
