"""What the system says about files, told in our own words.

An `OSError` carries the whole path and English of its own; neither may reach a screen or a log, for a vault can lie
in a folder named after a person. Only names that we chose ourselves and that mean nothing (hex) are repeated.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notevault.errors import CannotWrite, Damaged, DiskFull, NotevaultError, NotFound, StorageFault

_HARMLESS = re.compile(r"[0-9a-f]{16,64}|[0-9]{1,20}-[0-9a-f]{64}|x?[0-9]{3}")
_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_ABSENT = {errno.ENOENT}
# ELOOP: a link where O_NOFOLLOW was asked (EMLINK on some BSDs); the rest: a socket, a device, a folder or a file
# that stands where the other kind belongs.
_IRREGULAR = {errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.ENODEV, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY}


def called(path: Path) -> str:
    """How a message may name this path: the first digits of a hex name, else nothing that tells anything."""
    name = path.name
    if not _HARMLESS.fullmatch(name):
        return "a file"
    return f"the file {name}" if len(name) <= 16 else f"the file {name[:16]}…"


def irregular(path: Path) -> Damaged:
    return Damaged(f"Something else than {called(path)} of notevault lies in its place (a link, a folder or a device).")


def translate(error: OSError, path: Path) -> NotevaultError:
    """The error of our tree for what the system said of `path`; anything unknown is a StorageFault."""
    code = error.errno
    what = called(path)
    if code in _FULL:
        return DiskFull("The disk is full.")  # which file does not matter: no other could be written either
    if code in _REFUSED:
        why = "the disk is read-only" if code == errno.EROFS else "the system refuses access to it"
        return CannotWrite(f"Cannot get at {what}: {why}.")
    if code in _ABSENT:
        return NotFound(f"Looked for {what} of notevault, and it is not there.", "")
    if code in _IRREGULAR:
        return irregular(path)
    name = errno.errorcode.get(code or 0, "unknown")
    return StorageFault(f"The system reports an input or output error ({name}) on {what}.")


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn every OSError of the block into one of ours; `from None`, because the original carries the path."""
    try:
        yield
    except OSError as error:
        raise translate(error, path) from None
