"""The log against the acts: every act is there with event, outcome, purpose and order, and nothing else is.

And a search for words that must stand nowhere: plain, wide, in base64, in hex. `tests/leaks` looks deeper, for fewer.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.audit_day.acts import Act, Expected

Fields = dict[str, Any]
LETTERS = 12
"""Of every word that is looked for."""


def raw_entries(log: Path) -> list[bytes]:
    """Every entry of a log's folder, bundles first; read by hand, as docs/FORMAT.md 6.4 says, not by the product."""
    found: list[bytes] = []
    full = sorted(path for path in (log / "entries").rglob("*") if path.is_file()) if (log / "entries").exists() else []
    for path in [*full, log / "open"]:
        data, at = path.read_bytes(), 0
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2])
            found.append(data[at + 2 : end])
            at = end
    return found


def entries(log: Path) -> list[Fields]:
    return [json.loads(data) for data in raw_entries(log)]


def belongs(entry: Fields) -> bool:
    """What a computer may add by itself: its clock was set, or a passphrase is kept at more cost than before."""
    return bool(entry["ev"] == "clock.jump" or (entry["ev"] == "header.write" and entry["k"]["why"] == "policy"))


def differences(acts: list[Act], log: list[Fields]) -> list[str]:
    """In words, empty when there are none. `log`: without the entries from before the first act."""
    said: list[str] = []
    left = iter([entry for entry in log if not belongs(entry)])
    for number, act in enumerate(acts, 1):
        for expected in act.expected:
            entry = next(left, None)
            if entry is None:
                return [*said, f"act {number}, {act.what}: {expected.ev} is not in the log"]
            said += [f"act {number}, {act.what}: entry {entry['i']}: {why}" for why in _against(act, expected, entry)]
        if said:
            return said  # all that follows is shifted
    return [f"entry {entry['i']}, {entry['ev']}: nobody did that" for entry in left]


def _against(act: Act, expected: Expected, entry: Fields) -> Iterator[str]:
    for name in ("ev", "a", "pu", "o"):
        if entry[name] != getattr(expected, name):
            yield f"{name} is {entry[name]}, not {getattr(expected, name)}"
    for name, value in expected.k.items():
        if entry.get("k", {}).get(name) != value:
            yield f"{name} is {entry.get('k', {}).get(name)}, not {value}"
    if not act.began <= entry["t"] <= act.ended:
        yield f"its time {entry['t']} is not within {act.began} to {act.ended}"


def given_away(words: Iterable[str], place: Path) -> set[str]:
    """Those of the words that some file below `place` holds, in either case, or has in its name."""
    wanted = {word.lower().encode() for word in words}
    assert {len(word) for word in wanted} == {LETTERS}
    found: set[bytes] = set()
    for path in sorted(place.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        for form in (path.name.encode(), *_forms(data)):
            found |= wanted & set(re.findall(rb"(?=([a-z]{12}))", form.lower()))
    return {word.decode() for word in found}


def _forms(data: bytes) -> Iterator[bytes]:
    yield data
    yield data.replace(b"\0", b"")
    for run in re.findall(rb"[A-Za-z0-9+/]{16,}", data):
        for start in range(4):  # what stands before it may be of the same letters
            yield base64.b64decode(run[start : start + (len(run) - start) // 4 * 4])  # noqa: TID251  anything goes
    for run in re.findall(rb"(?:[0-9a-f]{2}){12,}", data):
        yield binascii.unhexlify(run)
