"""What a copy of a vault is to whoever reads several of them together. Nothing a copy says is believed as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class HeaderName(NamedTuple):
    """A key file by its name: of log `origin`, number `seq`, SHA-256 in hexadecimal."""

    origin: str
    seq: int
    digest: str


class Piece(NamedTuple):
    """Entries of a log as they lie somewhere: the first of them calls itself `start`. Unverified."""

    start: int
    entries: Sequence[bytes]


@dataclass(frozen=True)
class State:
    """A signed state of a log: its identity's signature holds. `checkpoint`: the bytes that say so (FORMAT 7)."""

    origin: str
    size: int
    root: bytes
    checkpoint: bytes = field(repr=False)


class Copy(Protocol):
    """A backup place or a vault folder, read only.

    Whatever is absent, a link, too large, unplugged meanwhile or not given by the system is None or left out: another
    copy may have it. Whoever must tell "absent" from "gone" looks at the marker again afterwards.
    """

    @property
    def name(self) -> str:
        """For people: the folder's path."""
        ...

    def vault(self) -> str:
        """32 hexadecimal digits, as alleged by the marker, the folder or the cards; "" where nothing says it."""
        ...

    def origins(self) -> list[str]: ...

    def card(self, origin: str) -> bytes | None: ...

    def named(self, origin: str) -> list[tuple[int, bytes]]:
        """Size and root of the states there are, by their names or as they say; ascending. Unverified."""
        ...

    def signed(self, origin: str, size: int, root: bytes) -> Iterator[bytes]:
        """What may be the checkpoint of that state. Unverified."""
        ...

    def pieces(self, origin: str, number: int) -> Iterator[Piece]:
        """All there is of bundle `number`, the largest first. Unverified."""
        ...

    def seal(self, origin: str, number: int) -> bytes | None: ...

    def seal_numbers(self, origin: str) -> list[int]: ...

    def headers(self) -> list[HeaderName]: ...

    def header(self, name: HeaderName) -> bytes | None:
        """Its bytes when they hash to its name."""
        ...

    def files(self, first: int) -> dict[bytes, int]:
        """The sealed files whose names begin with this byte: SHA-256 (32 bytes, by name) -> size. Nothing is opened."""
        ...

    def blob(self, digest: str, limit: int) -> bytes | None:
        """The bytes under this name; None above `limit`. Unverified."""
        ...

    def stream(self, digest: str) -> Iterator[bytes]:
        """The same in pieces of 1 MiB. Unverified. Raises NotFound, Damaged, StorageFault, CannotWrite."""
        ...
