"""The entries of a log as its folder holds them: bundle by bundle, so that one bundle at a time is in memory.

Nothing is proven here: whoever reads compares the root with the signed one.
"""

from __future__ import annotations

from . import bundle, checkpoint
from .fault import Fault
from .folder import Read


def signed(read: Read, name: str = "checkpoint") -> checkpoint.Checkpoint | Fault:
    """The checkpoint in the file `name`, parsed and not verified."""
    data = _file(read, name)
    if isinstance(data, Fault):
        return data
    found = checkpoint.parse(data)
    return found.at(name) if isinstance(found, Fault) else found


def bundles(size: int) -> int:
    """Number of bundles of a log of `size` entries, the last of which may be begun only."""
    return (size + bundle.ENTRIES - 1) // bundle.ENTRIES


def entries_of(read: Read, size: int, number: int) -> list[bytes] | Fault:
    """Those entries of bundle `number` that a checkpoint of `size` covers: 256, or fewer in the last bundle.

    The last bundle is `open` (FORMAT 6.4), or has become a file of its own while or since that checkpoint was made.
    Codes MISSING, UNREADABLE, and those of `bundle.split`.
    """
    wanted = min(bundle.ENTRIES, size - number * bundle.ENTRIES)
    name = f"entries/{bundle.tile_path(number)}"
    data = read(name)
    if data is None and number == bundles(size) - 1:
        begun = read("open")
        data = read(name)  # again: a writer beside us may have given `open` its name and begun another
        if data is None:
            return begun if isinstance(begun, Fault) else _prefix(begun or b"", wanted)
    if data is None:
        return Fault("MISSING", "a file of entries is not there", name)
    if isinstance(data, Fault):
        return data
    found = bundle.split(data)
    if isinstance(found, Fault):
        return found.at(name)
    if len(found) < bundle.ENTRIES:
        return Fault("CUT_SHORT", f"{len(found)} entries where {bundle.ENTRIES} are due", name)
    return found[:wanted]


def _prefix(data: bytes, wanted: int) -> list[bytes] | Fault:
    found = bundle.split_prefix(data, wanted)
    if isinstance(found, Fault):
        return found.at("open")
    if len(found[0]) < wanted:
        return Fault("CUT_SHORT", f"{len(found[0])} entries where {wanted} are due", "open")
    return found[0]


def _file(read: Read, name: str) -> bytes | Fault:
    data = read(name)
    return Fault("MISSING", "a file of the log is not there", name) if data is None else data
