"""Export of a log in the form of C2SP tlog-tiles (FORMAT 7.5), which tools for other logs read.

    checkpoint
    tile/<level>/<number>[.p/<width>]      up to 256 hashes of 32 bytes, tiles of height 8
    tile/entries/<number>[.p/<width>]      up to 256 entries, each behind its length u16

Level 0 holds the leaf hashes, each level above it the roots of the full tiles below. A log without entries has no
tiles. In memory are one bundle and one tile of each level.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Optional

from . import bundle, checkpoint, ed25519, merkle, stored
from .fault import Fault
from .folder import Read
from .note import Verify
from .proof import bundle_roots

WIDTH = 256  # hashes in a full tile
Progress = Callable[[int, int], None]  # entries done, entries signed
Tile = Callable[[str, bytes], Optional[Fault]]  # noqa: UP045  (evaluated, and Python 3.9 has no other way)
"""Takes the path and the bytes of one tile."""


def tile_path(level: int | None, number: int, width: int = WIDTH) -> str:
    """Where a tile of that level, or (None) a bundle of entries, lies."""
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{'entries' if level is None else level}/{bundle.tile_path(number)}{partial}"


def export(
    read: Read,
    target: str | os.PathLike[str],
    identity_pub: bytes | None = None,
    verify: Verify = ed25519.verify,
    progress: Progress | None = None,
) -> checkpoint.Checkpoint | Fault:
    """Write the log that `read` gives as tiles into the new folder `target`; gives the checkpoint they belong to.

    The entries must give the checkpoint's root (WRONG_ROOT) and, where `identity_pub` is given, the identity's
    signature must hold. With a Fault nothing is left behind: all is written beside `target` and then renamed. Further
    codes: EXISTS, UNWRITABLE, and those of `checkpoint.parse`, `checkpoint.check_identity` and `stored.entries_of`.
    """
    goal = Path(target)
    if os.path.lexists(goal):
        return Fault("EXISTS", "there is a file or folder of that name already")
    state = _believed(read, identity_pub, verify)
    if isinstance(state, Fault):
        return state
    roots = bundle_roots(read, state)  # nothing is written, and no disk filled, for a log that does not hold
    if isinstance(roots, Fault):
        return roots
    try:
        temp = Path(tempfile.mkdtemp(prefix=".tiles-", dir=goal.absolute().parent))
    except OSError as error:
        return Fault("UNWRITABLE", error.strerror or "the folder cannot be made")
    except ValueError:
        return Fault("UNWRITABLE", "a name that no folder can have")
    try:
        write = _writer(temp)
        tree = _Tree(write)
        fault = tree.grow(state, lambda number: stored.entries_of(read, state.size, number), progress, roots)
        fault = fault or write("checkpoint", state.raw)
        if fault is None:
            temp.rename(goal)
    except OSError as error:
        return Fault("UNWRITABLE", error.strerror or "the files cannot be written")
    finally:
        shutil.rmtree(temp, ignore_errors=True)
    return fault or state


def check(
    read: Read,
    identity_pub: bytes | None = None,
    verify: Verify = ed25519.verify,
    progress: Progress | None = None,
) -> checkpoint.Checkpoint | Fault:
    """Check an exported folder through `read` (`folder.folder_reader`): every entry and every hash of every tile must
    be those that the checkpoint's root is over. Gives the checkpoint. Codes as in `export`, WRONG_TILE, MISSING.
    """
    state = _believed(read, identity_pub, verify)
    if isinstance(state, Fault):
        return state

    def entries(number: int) -> list[bytes] | Fault:
        width = min(WIDTH, state.size - number * WIDTH)
        path = tile_path(None, number, width)
        data = read(path)
        if data is None:
            return Fault("MISSING", "a file of entries is not there", path)
        found = data if isinstance(data, Fault) else bundle.split(data)
        if isinstance(found, Fault):
            return found if found.where == path else found.at(path)
        return found if len(found) == width else Fault("CUT_SHORT", f"{len(found)} entries, {width} are due", path)

    def same(path: str, data: bytes) -> Fault | None:
        if path.startswith("tile/entries/"):
            return None  # they are what the hashes were just made of
        held = read(path)
        if held is None:
            return Fault("MISSING", "a file of hashes is not there", path)
        if isinstance(held, Fault):
            return held
        return None if held == data else Fault("WRONG_TILE", "the hashes are not those of the entries", path)

    return _Tree(same).grow(state, entries, progress) or state


class _Tree:
    """Makes the tiles of a growing tree, each as soon as it is full, and hands it on."""

    def __init__(self, done: Tile) -> None:
        self._done = done
        self._levels: list[list[bytes]] = []  # by level, the hashes of the tile that is begun
        self._full: list[int] = []  # by level, the number of full tiles

    def grow(
        self,
        state: checkpoint.Checkpoint,
        entries: Callable[[int], list[bytes] | Fault],
        progress: Progress | None,
        roots: Sequence[bytes] | None = None,
    ) -> Fault | None:
        """All tiles of the tree that `state` signs; None when they give its root. `roots`: of its bundles, where they
        are known already; then no tile is made of others.
        """
        for number in range(stored.bundles(state.size)):
            found = entries(number)
            if isinstance(found, Fault):
                return found
            leaves = [merkle.leaf_hash(data) for data in found]
            if roots is not None and merkle.root(leaves) != roots[number]:
                return Fault("WRONG_ROOT", "the entries changed while they were read")
            fault = self._done(tile_path(None, number, len(found)), bundle.pack(found)) or self._add(0, leaves)
            if fault is not None:
                return fault
            if progress:
                progress(number * WIDTH + len(found), state.size)
        if self._root() != state.root:
            return Fault("WRONG_ROOT", "the entries are not the signed ones")
        for level, begun in enumerate(self._levels):
            if begun:
                fault = self._done(tile_path(level, self._full[level], len(begun)), b"".join(begun))
                if fault is not None:
                    return fault
        return None

    def _add(self, level: int, hashes: list[bytes]) -> Fault | None:
        """Add hashes, which fill at most the tile that is begun."""
        if level == len(self._levels):
            self._levels.append([])
            self._full.append(0)
        begun = self._levels[level]
        begun += hashes
        if len(begun) < WIDTH:
            return None
        number = self._full[level]
        self._levels[level], self._full[level] = [], number + 1
        return self._done(tile_path(level, number), b"".join(begun)) or self._add(level + 1, [merkle.root(begun)])

    def _root(self) -> bytes:
        """The root over all leaves. Before a tile is full, what hangs to its right is the tree of the level below."""
        below: list[bytes] = []
        for begun in self._levels:
            below = [merkle.root(begun + below)] if begun or below else []
        return merkle.root(below)


def _believed(read: Read, identity_pub: bytes | None, verify: Verify) -> checkpoint.Checkpoint | Fault:
    state = stored.signed(read)
    if isinstance(state, Fault) or identity_pub is None:
        return state
    return checkpoint.check_identity(state, identity_pub, verify) or state


def _writer(folder: Path) -> Tile:
    def write(path: str, data: bytes) -> None:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)

    return write
