"""Canonical JSON of records: one spelling per value, strict on the way back.

Bytes = UTF-8 JSON, keys sorted by code point, no spaces, non-ASCII as itself, integers only (no floats). Reading
parses, prints again and compares, so duplicate keys, other spellings, floats and lone surrogates are all refused.
Every record has `v`, its format version.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import NoReturn, TypeVar

from notevault.errors import Damaged, UnknownFormat, UsageFault

Json = str | int | bool | None
T = TypeVar("T")
INT_LIMIT = 2**53 - 1  # whole numbers that every JSON reader keeps exactly


def to_bytes(fields: Mapping[str, Json]) -> bytes:
    """Canonical bytes of a flat record. UsageFault where a text holds half a character (a lone surrogate)."""
    try:
        return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise UsageFault(
            "The text holds a broken character that cannot be stored.", "Remove it and save again."
        ) from None


def _no_float(_text: str) -> NoReturn:
    raise ValueError


def _whole(text: str) -> int:
    if len(text) > 17:  # before int(): long digit strings cost quadratic time
        raise ValueError
    value = int(text)
    if abs(value) > INT_LIMIT:
        raise ValueError
    return value


def from_bytes(
    data: bytes, what: str, version: int, kinds: Mapping[str, tuple[type, ...]], limit: int
) -> dict[str, Json]:
    """The fields of a record that has exactly the keys of `kinds` (and `v`), each of one of the exact types named.

    `what` names the record in sentences ("client record"). Damaged for anything not canonical, too long or with other
    fields; UnknownFormat for another version.
    """
    if len(data) > limit:
        raise Damaged(f"A {what} is larger than it may be.")
    try:
        value = json.loads(data.decode(), parse_float=_no_float, parse_constant=_no_float, parse_int=_whole)
        canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):  # UnicodeError is a ValueError
        raise Damaged(f"A {what} cannot be read.") from None  # the cause would carry the record along
    if type(value) is not dict or canonical != data:
        raise Damaged(f"A {what} is not written the one way it may be.")
    found = value.pop("v", None)
    if type(found) is not int:
        raise Damaged(f"A {what} does not say its version.")
    if found != version:
        raise UnknownFormat(f"A {what} is of version {found}, which this program does not know.")
    if value.keys() != kinds.keys() or any(type(value[name]) not in allowed for name, allowed in kinds.items()):
        raise Damaged(f"A {what} has fields that do not belong there, or lacks some.")
    return value


def believed(build: Callable[[], T], what: str) -> T:
    """Run a constructor on stored fields: what would be a usage fault from a person is damage in a record."""
    try:
        return build()
    except UsageFault as fault:
        raise Damaged(f"A {what} holds values that it may not hold.") from fault
