"""The cache `<local>/backup/live` (FORMAT.md section 13.2): what a walk through all logs and key files found.

    "notevault live 1 " ‖ hex32 SHA-256 of the rest ‖ newline ‖ JSON ‖ newline ‖
    purged digests, 32 bytes each ‖ records of `live`

It is believed only where the log, whose signed state is checked at every pass, still has the root that the cache names
at that size. A cache that does not read is made again; nobody is told.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from notevault.backup.places import aside
from notevault.backup.source.keyfiles import KeyFile
from notevault.backup.source.live import Live
from notevault.errors import CannotWrite, Damaged, NotevaultError, StorageFault
from notevault.ports import Files

_MAGIC = b"notevault live 1 "
_LIMIT = 1 << 30  # twenty million files


class NamedKeyFile(NamedTuple):
    """A key file that an entry of a log names. `size` in bytes."""

    origin: str
    seq: int
    digest: str
    size: int


class Walked(NamedTuple):
    """A log as far as it was gone through. `card`, `checkpoint`: SHA-256 of the files whose signatures held."""

    size: int
    root: bytes
    card: bytes
    checkpoint: bytes
    changes: int  # entries that name a file
    first_ms: int  # when the first of them was made; 0: none


@dataclass(frozen=True)
class Kept:
    vault: str
    viks: frozenset[bytes]  # purges were judged by these
    logs: dict[str, Walked]
    key_files: dict[str, KeyFile] = field(repr=False)
    named: tuple[NamedKeyFile, ...] = field(repr=False)
    live: Live = field(repr=False)


def load(files: Files, path: Path | None) -> Kept | None:
    """None where there is none that reads."""
    if path is None:
        return None
    try:
        return decode(files.read(path, limit=_LIMIT))
    except (NotevaultError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None


def save(files: Files, path: Path, kept: Kept) -> None:
    """Best effort: without it the next pass takes longer."""
    with contextlib.suppress(CannotWrite, StorageFault, Damaged):
        aside.put(files, path, encode(kept))


def encode(kept: Kept) -> bytes:
    counts, records = kept.live.pack()
    purged = sorted(kept.live.purged)
    says: dict[str, Any] = {
        "counts": counts,
        "key_files": [
            [
                *(one.origin, one.seq, one.digest, one.vault, one.vik.hex(), (one.former or b"").hex(), one.at),
                *(one.origins, one.prev, sorted(one.sheets)),
            ]
            for one in kept.key_files.values()
        ],
        "logs": {
            origin: [log.size, log.root.hex(), log.card.hex(), log.checkpoint.hex(), log.changes, log.first_ms]
            for origin, log in kept.logs.items()
        },
        "named": [list(one) for one in kept.named],
        "purged": len(purged),
        "vault": kept.vault,
        "viks": sorted(vik.hex() for vik in kept.viks),
    }
    rest = json.dumps(says, sort_keys=True, separators=(",", ":")).encode() + b"\n" + b"".join(purged) + records
    return _MAGIC + hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def decode(data: bytes) -> Kept:
    """The inverse of `encode`. ValueError, KeyError, TypeError, IndexError for anything else."""
    start = len(_MAGIC) + 65
    if data[: len(_MAGIC)] != _MAGIC or data[start - 1 : start] != b"\n":
        raise ValueError("no cache of this version")
    rest = memoryview(data)[start:]
    if hashlib.sha256(rest).hexdigest().encode() != data[len(_MAGIC) : start - 1]:
        raise ValueError("its bytes are others than were written")
    end = data.index(b"\n", start) + 1
    says = json.loads(data[start:end])
    middle = end + 32 * int(says["purged"])
    purged = frozenset(data[at : at + 32] for at in range(end, middle, 32))
    key_files = [
        KeyFile(
            *(origin, int(seq), digest, vault, bytes.fromhex(vik), bytes.fromhex(former) or None, int(at)),
            *(dict(origins), prev, frozenset(sheets)),
        )
        for origin, seq, digest, vault, vik, former, at, origins, prev, sheets in says["key_files"]
    ]
    return Kept(
        str(says["vault"]),
        frozenset(bytes.fromhex(vik) for vik in says["viks"]),
        {origin: _walked(*log) for origin, log in says["logs"].items()},
        {one.key: one for one in key_files},
        tuple(NamedKeyFile(origin, int(seq), digest, int(size)) for origin, seq, digest, size in says["named"]),
        Live.unpack(says["counts"], data[middle:], purged),
    )


def _walked(size: int, root: str, card: str, checkpoint: str, changes: int, first_ms: int) -> Walked:
    texts = (bytes.fromhex(root), bytes.fromhex(card), bytes.fromhex(checkpoint))
    return Walked(int(size), *texts, int(changes), int(first_ms))
