"""The right bytes of many sealed files on their way to where they belong: each batch costs a sync or two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from notevault.backup.copies.copies import Copies
from notevault.errors import Missing

IN_MEMORY = 8 << 20  # bytes; a larger file goes in pieces
BATCH_BYTES = 32 << 20  # held in memory until then, and one file more
BATCH_FILES = 4096


class Batch:
    """`put` is given files whose bytes are in memory and right, `large` digest and size of one that goes in pieces,
    `lack` the digest of one that no copy has. Files count once `flush` has returned.
    """

    def __init__(
        self,
        copies: Copies,
        put: Callable[[list[tuple[str, bytes]]], None],
        large: Callable[[str, int], None],
        lack: Callable[[str], None],
    ) -> None:
        self._copies, self._put, self._large, self._lack = copies, put, large, lack
        self._files: list[tuple[str, bytes]] = []
        self._weight = 0

    def take(self, bad: Iterable[bytes], expected: Mapping[bytes, tuple[int, int]]) -> None:
        """`bad`: digests (32 bytes) of what is missing or wrong; `expected`: digest -> size, entry."""
        for raw in bad:
            digest, size = raw.hex(), expected[raw][0]
            if size > IN_MEMORY:
                self._large(digest, size)
                continue
            try:
                self._files.append((digest, self._copies.read(digest, size)))
            except Missing:
                self._lack(digest)
                continue
            self._weight += size
            if self._weight >= BATCH_BYTES or len(self._files) >= BATCH_FILES:
                self.flush()

    def flush(self) -> None:
        files, self._files, self._weight = self._files, [], 0
        if files:
            self._put(files)
