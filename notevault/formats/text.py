"""Canonical JSON, payload JSON, base64 and hex, each with its strict reader (FORMAT.md sections 0 and 5.1).

Every reader prints what it parsed again and compares, so each value has one spelling. Readers raise Damaged;
printers raise OwnFault for a value that the form cannot hold. No message repeats what was read.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable
from typing import Any, Final, NoReturn

from notevault.errors import Damaged, OwnFault

MAX_INT: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8259 section 6)."""
MAX_DEPTH: Final = 8
"""Our deepest form has 4 levels; a bound keeps a hostile file from exhausting the stack."""
_HEX: Final = frozenset("0123456789abcdef")
_PLAIN: Final = frozenset(map(chr, range(0x20, 0x7F))) - {'"', "\\"}


class _Unprintable(ValueError):
    """A value outside the form; turned into OwnFault or Damaged at the edge."""


def _check_plain_string(text: str) -> None:
    if not _PLAIN.issuperset(text):
        raise _Unprintable


def _check_any_string(text: str) -> None:
    # Lone surrogates are no Unicode scalars; encode() finds them faster than a loop.
    if not text.isascii():
        text.encode("utf-8")


def _check(value: object, string: Callable[[str], None], *, canonical: bool, depth: int = 1) -> None:
    """Raise ValueError unless `value` is made of dict, list, str and int within bounds (payloads: also bool, None)."""
    if type(value) is str:
        string(value)
    elif type(value) is int:
        if not (0 if canonical else -MAX_INT) <= value <= MAX_INT:
            raise _Unprintable
    elif depth > MAX_DEPTH:
        raise _Unprintable
    elif type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise _Unprintable
            string(key)
            _check(item, string, canonical=canonical, depth=depth + 1)
    elif type(value) is list:
        for item in value:
            _check(item, string, canonical=canonical, depth=depth + 1)
    elif canonical or not (value is None or type(value) is bool):
        raise _Unprintable


def canonical(obj: dict[str, Any]) -> bytes:
    """Canonical JSON of one object, without a final newline (FORMAT.md section 0). OwnFault for anything else."""
    try:
        if type(obj) is not dict:
            raise _Unprintable
        _check(obj, _check_plain_string, canonical=True)
    except ValueError:
        raise OwnFault("A value was about to be written that its file cannot hold.") from None
    return json.dumps(obj, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def payload_json(obj: dict[str, Any]) -> bytes:
    """UTF-8 payload JSON of one object (FORMAT.md section 5.1). OwnFault for anything else."""
    try:
        if type(obj) is not dict:
            raise _Unprintable
        _check(obj, _check_any_string, canonical=False)
    except ValueError:
        raise OwnFault("A value was about to be written that its record cannot hold.") from None
    return json.dumps(obj, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _refuse_number(_text: str) -> NoReturn:
    raise _Unprintable


def _load(data: bytes, encoding: str) -> dict[str, Any] | None:
    try:
        value = json.loads(data.decode(encoding), parse_float=_refuse_number, parse_constant=_refuse_number)
    except (ValueError, RecursionError):
        return None
    return value if type(value) is dict else None


def parse_canonical(data: bytes, *, limit: int, newline: bool = False) -> dict[str, Any]:
    """The object of canonical JSON of at most `limit` bytes; with `newline` it must end with exactly one.

    Raises Damaged. The message never repeats the data.
    """
    if len(data) > limit:
        raise Damaged("A file of the vault is larger than it can be.")
    body = data
    if newline:
        if not data.endswith(b"\n"):
            raise Damaged("A file of the vault is cut short or was altered.")
        body = data[:-1]
    value = _load(body, "ascii")
    if value is None:
        raise Damaged("A file of the vault is not written as it must be.")
    try:
        again = canonical(value)
    except OwnFault:
        raise Damaged("A file of the vault holds a value that it cannot hold.") from None
    if again != body:
        raise Damaged("A file of the vault is not spelled as notevault spells it.")
    return value


def parse_payload(data: bytes) -> dict[str, Any]:
    """The object of payload JSON (FORMAT.md section 5.1). Raises Damaged; the message never repeats the data."""
    value = _load(data, "utf-8")
    if value is None:
        raise Damaged("A record's content is not written as it must be.")
    try:
        again = payload_json(value)
    except OwnFault:
        raise Damaged("A record's content holds a value that it cannot hold.") from None
    if again != data:
        raise Damaged("A record's content is not spelled as notevault spells it.")
    return value


def b64(data: bytes) -> str:
    """RFC 4648 section 4 base64 with padding, no line breaks."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def unb64(text: object, n: int | None = None) -> bytes:
    """The bytes of strict base64 (exactly `n` of them when given). Raises Damaged, also for what is no string."""
    if type(text) is not str or not text.isascii():
        raise Damaged("A value in base64 was expected.")
    if n is not None and len(text) != (n + 2) // 3 * 4:
        raise Damaged("A value in base64 has another length than it must have.")
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        raise Damaged("A value is not valid base64.") from None
    if b64(data) != text or (n is not None and len(data) != n):
        raise Damaged("A value in base64 is not spelled as it must be.")
    return data


def unhex(text: object, n: int) -> bytes:
    """The `n` bytes of 2n lowercase hexadecimal digits. Raises Damaged, also for what is no string."""
    if type(text) is not str or len(text) != 2 * n or not _HEX.issuperset(text):
        raise Damaged("A value is not the hexadecimal number that it must be.")
    return bytes.fromhex(text)


def integer(value: object, lowest: int = 0, highest: int = MAX_INT) -> int:
    """`value` when it is an integer within the bounds (both included), else Damaged."""
    if type(value) is not int or not lowest <= value <= highest:
        raise Damaged("A number is missing or outside its bounds.")
    return value


def exact_keys(obj: object, required: frozenset[str], optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    """`obj` when it is an object with all `required` keys and none beyond `optional`, else Damaged."""
    if type(obj) is not dict or not required <= obj.keys() or not obj.keys() <= required | optional:
        raise Damaged("A part is missing, or there is one that this program does not know.")
    return obj
