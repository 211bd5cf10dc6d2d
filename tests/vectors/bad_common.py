"""What the makers of bad vectors share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notevault.formats.text import b64, unb64

Json = dict[str, Any]


def flip(data: bytes, at: int, mask: int = 1) -> bytes:
    changed = bytearray(data)
    changed[at] ^= mask
    return bytes(changed)


def edit64(vector: Json, name: str, edit: Callable[[bytes], bytes]) -> Json:
    return vector | {name: b64(edit(unb64(vector[name])))}


class Bad:
    """Collects vectors by name."""

    def __init__(self) -> None:
        self.files: dict[str, Json] = {}

    def add(self, name: str, open_: str, what: str, fails: str, says: str, vector: Json) -> None:
        assert name not in self.files
        self.files[f"bad/{name}.json"] = vector | {"fails": fails, "open": open_, "says": says, "what": what}
