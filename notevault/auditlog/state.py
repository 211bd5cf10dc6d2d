"""The auditor's state file (FORMAT 7.3): which vault, by which card, and what each log had signed at earlier visits.

It lies with the auditor, never with the vault; it is what makes a cut, a rollback or another version show later.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from . import canon, card, shape
from .events import HEX16, HEX32, INT
from .fault import Fault, sound
from .outcome import Seen

MAX_BYTES = 1 << 20
MAX_HEADS = 64  # per log: the first visit's, and the last 63
MAX_LOGS = 128  # of 64 heads each they stay below MAX_BYTES
SOURCE = "your state file"
_ORIGIN = re.compile("[0-9a-f]{32}")
_READ = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):  # not every system has each
    _READ |= getattr(os, _flag, 0)


@dataclass(frozen=True)
class Head:
    """What a log had signed when it was seen: size, root (32 bytes), and when (ms)."""

    size: int
    root: bytes
    ms: int


@dataclass(frozen=True)
class State:
    """`vault`, `vik`, `card` (its fingerprint) as hex digits; by log (hex16) its heads, sizes strictly ascending."""

    vault: str
    vik: str
    card: str
    logs: Mapping[str, tuple[Head, ...]] = field(default_factory=dict)


def new(card_bytes: bytes) -> State | Fault:
    """The state of a first visit, without heads. Codes of `card.parse`; that the card holds is for `card.check`."""
    found = card.parse(card_bytes)
    return found if isinstance(found, Fault) else State(found.vault, found.vik, card.fingerprint(card_bytes))


def dump(state: State) -> bytes:
    """The file's bytes. ValueError when they would not parse."""
    logs = {origin: [[head.size, head.root.hex(), head.ms] for head in heads] for origin, heads in state.logs.items()}
    data = canon.dump({"card": state.card, "logs": logs, "v": 1, "vault": state.vault, "vik": state.vik}) + b"\n"
    sound(parse(data))
    return data


def parse(data: bytes) -> State | Fault:
    """A state file from its exact bytes, the inverse of `dump`. Codes of `shape.load`."""
    fields = shape.load(data, MAX_BYTES, "a state file", _FIELDS)
    if isinstance(fields, Fault):
        return fields
    logs = {
        origin: tuple(Head(size, bytes.fromhex(root), ms) for size, root, ms in heads)
        for origin, heads in fields["logs"].items()
    }
    return State(fields["vault"], fields["vik"], fields["card"], logs)


def check(state: State, vault: str, viks: Iterable[bytes]) -> Fault | None:
    """None when the state is of this vault (hex16), under one of its identities. Codes WRONG_VAULT, WRONG_KEY."""
    if state.vault != vault:
        return Fault("WRONG_VAULT", "the state file is of another vault")
    if bytes.fromhex(state.vik) not in viks:
        return Fault("WRONG_KEY", "the state file is of another vault identity")
    return None


def with_visit(state: State, origin: str, size: int, root: bytes, ms: int) -> State | Fault:
    """The state after this log was seen to have signed `size` and `root`, checked against what is in the state.

    A size not beyond the last one seen changes nothing: the state never shrinks, and the same head stays with the time
    it was first seen. Beyond 64 heads the second-oldest goes; the very first stays. TOO_MANY for a 129th log.
    ValueError for a head that no state file can hold.
    """
    if not _ORIGIN.fullmatch(origin) or len(root) != 32 or not all(0 <= n <= canon.MAX_INT for n in (size, ms)):
        raise ValueError("a log's name is 32 hex digits, a root 32 bytes, a size and a time 0 to 2^53-1")
    heads = state.logs.get(origin, ())
    if heads and size <= heads[-1].size:
        return state
    if not heads and len(state.logs) >= MAX_LOGS:
        return Fault("TOO_MANY", f"a state file has room for {MAX_LOGS} logs", origin)
    kept = heads[:1] + heads[2:] if len(heads) >= MAX_HEADS else heads
    return replace(state, logs={**state.logs, origin: (*kept, Head(size, root, ms))})


def with_room(state: State, origin: str) -> State:
    """The state with room for this log: of a full one, the log that has not grown for the longest time is left out."""
    if origin in state.logs or len(state.logs) < MAX_LOGS:
        return state
    oldest = min(state.logs, key=lambda one: (state.logs[one][-1].ms, one))
    return replace(state, logs={one: heads for one, heads in state.logs.items() if one != oldest})


def heads(state: State) -> list[Seen]:
    """Everything the state remembers, by log, oldest first."""
    return [
        Seen(origin, head.size, head.root, SOURCE, head.ms)
        for origin in sorted(state.logs)
        for head in state.logs[origin]
    ]


def load(path: str | os.PathLike[str]) -> State | Fault | None:
    """The state in a file; None when there is none. Links are not followed, only a regular file is read.

    Codes UNREADABLE and those of `parse`.
    """
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):  # before opening: a pipe would wait for ever
            return Fault("UNREADABLE", "the state file is a link or not a regular file")
        with os.fdopen(os.open(path, _READ), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Fault("UNREADABLE", "the state file is not a regular file")
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        return Fault("UNREADABLE", getattr(error, "strerror", None) or "the state file cannot be read")
    return parse(data)


def save(path: str | os.PathLike[str], state: State) -> Fault | None:
    """Replace the file in one step, durably: after it, the old state or the new one is there, whole. None when done.

    Code UNWRITABLE: the path is a link or not a regular file (nothing is written through it), or the disk refused.
    ValueError for a state that would not parse.
    """
    data = dump(state)
    path = Path(path)
    temporary: Path | None = None
    try:
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(path.lstat().st_mode):
                return Fault("UNWRITABLE", "the state file is a link or not a regular file")
        number, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)  # 0600
        temporary = Path(name)
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        temporary = None
        _sync_folder(path.parent)
    except (OSError, ValueError) as error:
        return Fault("UNWRITABLE", getattr(error, "strerror", None) or "the state file cannot be written")
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
    return None


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):  # Windows cannot, and does it by itself
        return
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _is_logs(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= MAX_LOGS
        and all(_ORIGIN.fullmatch(origin) and _is_heads(heads) for origin, heads in value.items())
    )


def _is_heads(value: Any) -> bool:
    """1 to 64 of [size, root, ms], sizes strictly ascending."""
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_HEADS:
        return False
    last = -1
    for head in value:
        if not isinstance(head, list) or len(head) != 3:
            return False
        if not all(shape.matches(part, rule) for part, rule in zip(head, (INT, HEX32, INT))):  # noqa: B905  (3.9)
            return False
        if head[0] <= last:
            return False
        last = head[0]
    return True


_FIELDS: dict[str, shape.Field] = {"card": HEX16, "logs": _is_logs, "vault": HEX16, "vik": HEX32}
