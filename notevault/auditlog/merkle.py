"""The tree of RFC 6962 section 2.1: hashes, a frontier that grows, inclusion and consistency proofs (RFC 9162).

Hashes are 32 bytes. Checking functions return False for whatever is not a proof; making functions raise ValueError or
IndexError when asked for what cannot be (our own mistake).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

SIZE = 32
BUNDLE = 256  # entries in a full bundle (FORMAT 6.4): a perfect subtree of height 8
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


class Frontier:
    """The left edge of a growing tree: one hash per set bit of its size, largest subtree first. O(log n) a leaf."""

    __slots__ = ("_peaks", "_size")

    def __init__(self) -> None:
        self._peaks: list[bytes] = []
        self._size = 0

    @classmethod
    def from_bundles(cls, roots: bytes | Sequence[bytes], rest: Iterable[bytes] = ()) -> Frontier:
        """A tree of full bundles, given by their roots (a list, or 32 bytes each in one string, as in `hashes`), and of
        further leaf hashes. ValueError when a root is not 32 bytes.
        """
        if isinstance(roots, (bytes, bytearray, memoryview)):
            joined = bytes(roots)
            roots = [joined[at : at + SIZE] for at in range(0, len(joined), SIZE)]
        frontier = cls()
        for root_ in roots:
            frontier.append(root_)
        frontier._size *= BUNDLE
        frontier.extend(rest)
        return frontier

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    def append(self, hash_: bytes) -> None:
        """Add the next leaf by its hash."""
        if len(hash_) != SIZE:
            raise ValueError("a leaf hash is 32 bytes")
        size, peaks = self._size, self._peaks
        while size & 1:
            hash_ = node_hash(peaks.pop(), hash_)
            size >>= 1
        peaks.append(hash_)
        self._size += 1

    def extend(self, hashes: Iterable[bytes]) -> None:
        for hash_ in hashes:
            self.append(hash_)

    def append_bundle(self, hash_: bytes) -> None:
        """Add 256 leaves by the root of their subtree; the size must be a multiple of 256 (ValueError)."""
        if self._size % BUNDLE or len(hash_) != SIZE:
            raise ValueError("a bundle starts at a multiple of 256, its root is 32 bytes")
        bundles = self._size // BUNDLE
        while bundles & 1:
            hash_ = node_hash(self._peaks.pop(), hash_)
            bundles >>= 1
        self._peaks.append(hash_)
        self._size += BUNDLE

    def root(self) -> bytes:
        """The tree's root; the empty tree has one too."""
        if not self._peaks:
            return EMPTY_ROOT
        hash_ = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            hash_ = node_hash(peak, hash_)
        return hash_

    def copy(self) -> Frontier:
        other = Frontier()
        other._peaks, other._size = self._peaks[:], self._size
        return other


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Root over all these leaf hashes, level by level."""
    level = list(leaf_hashes)
    if not level:
        return EMPTY_ROOT
    sha = hashlib.sha256
    while len(level) > 1:
        pairs = [sha(b"\1" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        if len(level) & 1:
            pairs.append(level[-1])
        level = pairs
    return level[0]


def bundle_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Root of a full bundle. ValueError unless there are 256 leaf hashes."""
    if len(leaf_hashes) != BUNDLE:
        raise ValueError("a full bundle has 256 entries")
    return root(leaf_hashes)


def _split(size: int) -> int:
    """The largest power of two below `size` (size > 1)."""
    return 1 << ((size - 1).bit_length() - 1)


def prove_inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root over the leaf hashes `leaves`. IndexError outside."""
    if not 0 <= index < len(leaves):
        raise IndexError("no such leaf")
    path: list[bytes] = []
    start, end = 0, len(leaves)
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(root(leaves[middle:end]))
            end = middle
        else:
            path.append(root(leaves[start:middle]))
            start = middle
    return path[::-1]


def check_inclusion(proof: Sequence[bytes], size: int, root_: bytes, index: int, leaf: bytes) -> bool:
    """Is `leaf` (a hash) number `index` of the tree of `size` leaves with that root? RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size or not _hashes([*proof, root_, leaf]):
        return False
    fn, sn, hash_ = index, size - 1, leaf
    for step in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            hash_ = node_hash(step, hash_)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            hash_ = node_hash(hash_, step)
        fn >>= 1
        sn >>= 1
    return sn == 0 and hash_ == root_


def prove_consistency(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """The hashes that show the tree over `leaves[:old_size]` to begin the tree over `leaves`. ValueError outside."""
    if not 0 <= old_size <= len(leaves):
        raise ValueError("the old tree is not within the new one")
    if old_size in (0, len(leaves)):
        return []
    path: list[bytes] = []
    start, end, whole = 0, len(leaves), True
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(root(leaves[middle:end]))
            end = middle
        else:
            path.append(root(leaves[start:middle]))
            start, whole = middle, False
    if not whole:
        path.append(root(leaves[start:end]))
    return path[::-1]


def check_consistency(proof: Sequence[bytes], old_size: int, old_root: bytes, new_size: int, new_root: bytes) -> bool:
    """Is the old tree a beginning of the new one? RFC 9162 section 2.1.4.2; the empty tree begins every tree."""
    if not 0 <= old_size <= new_size or not _hashes([*proof, old_root, new_root]):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root and (old_size > 0 or old_root == EMPTY_ROOT)
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path:
        return False
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    old = new = path[0]
    for step in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = node_hash(step, old), node_hash(step, new)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            new = node_hash(new, step)
        fn >>= 1
        sn >>= 1
    return sn == 0 and old == old_root and new == new_root


def _hashes(values: Iterable[bytes]) -> bool:
    return all(isinstance(value, bytes) and len(value) == SIZE for value in values)
