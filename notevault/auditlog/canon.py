"""Canonical JSON (FORMAT section 0): one object, ASCII, sorted keys, no spaces, integers 0 to 2^53-1, plain strings.

A second, independent implementation lives in `formats/`; this one is here as an auditor carries this package alone.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from .fault import Fault

MAX_INT = 2**53 - 1  # what every JSON reader in the world keeps exactly
PLAIN = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")  # printable ASCII without the two characters JSON would escape


class _Refused(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault


def dump(value: Mapping[str, Any]) -> bytes:
    """The one spelling of `value`, without a final newline. ValueError when it has none (float, None, bool, escape)."""
    return _text(value).encode("ascii")


def _text(value: Any) -> str:
    if isinstance(value, str):
        if not PLAIN.fullmatch(value):
            raise ValueError("a string holds a character outside printable ASCII")
        return f'"{value}"'
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= MAX_INT:
            raise ValueError("a number is outside 0 to 2^53-1")
        return str(value)
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("a key is not a string")
        return "{" + ",".join(f"{_text(key)}:{_text(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_text(item) for item in value) + "]"
    raise ValueError(f"{type(value).__name__} has no place in canonical JSON")


def load(data: bytes, limit: int) -> dict[str, Any] | Fault:
    """The object in `data`, which need not be canonical yet: compare with `dump` after looking at its fields.

    `limit`, in bytes, is checked before anything is parsed. Codes TOO_LARGE, NOT_ASCII, NOT_JSON, NUMBER, REPEATED_KEY.
    """
    if len(data) > limit:
        return Fault("TOO_LARGE", f"{len(data)} bytes, at most {limit} are allowed")
    try:
        value = json.loads(
            data.decode("ascii"),
            object_pairs_hook=_pairs,
            parse_int=_integer,
            parse_float=_not_integer,
            parse_constant=_not_integer,
        )
    except UnicodeDecodeError:
        return Fault("NOT_ASCII", "a byte outside ASCII")
    except _Refused as refused:
        return refused.fault
    except (ValueError, RecursionError):
        return Fault("NOT_JSON", "these bytes are not JSON")
    if not isinstance(value, dict):
        return Fault("NOT_JSON", "JSON, but not an object")
    return value


def load_canonical(data: bytes, limit: int) -> dict[str, Any] | Fault:
    """`load`, and the bytes must be the one spelling of what they say (NOT_CANONICAL)."""
    value = load(data, limit)
    return value if isinstance(value, Fault) else is_canonical(value, data) or value


def is_canonical(value: Mapping[str, Any], data: bytes) -> Fault | None:
    """None when printing `value` again gives `data`, else the Fault."""
    try:
        same = dump(value) == data
    except (ValueError, RecursionError):
        return Fault("NOT_CANONICAL", "a value that canonical JSON has no spelling for")
    return None if same else Fault("NOT_CANONICAL", "key order, spaces or spelling differ from the canonical form")


def unbase64(text: str, size: int | None = None) -> bytes | Fault:
    """Bytes of strict base64: padded, no other characters, unused bits zero; exactly `size` bytes where given."""
    try:
        data = binascii.a2b_base64(text.encode("ascii"))
    except (ValueError, UnicodeEncodeError):
        return Fault("BAD_VALUE", "not base64")
    if base64.b64encode(data).decode("ascii") != text:
        return Fault("BAD_VALUE", "base64 in another spelling than the strict one")
    if size is not None and len(data) != size:
        return Fault("BAD_VALUE", f"{len(data)} bytes where {size} are due")
    return data


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Refused(Fault("REPEATED_KEY", "a key appears twice"))
    return value


def _integer(text: str) -> int:
    if len(text) > 16 or not 0 <= int(text) <= MAX_INT:  # 16 digits: 2^53-1 has no more
        raise _Refused(Fault("NUMBER", "a number outside 0 to 2^53-1"))
    return int(text)


def _not_integer(text: str) -> int:
    raise _Refused(Fault("NUMBER", "a number that is not a plain integer"))
