"""Small files of one canonical JSON object with a closed list of fields, and a newline: card, state, disclosure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Union

from . import canon
from .fault import Fault

Field = Union[str, Callable[[Any], bool]]  # noqa: UP007  (evaluated, and Python 3.9 has no other way)
"""What a field's value must be: a pattern (of `events`) for its canonical spelling, or a test of the parsed value."""


def load(data: bytes, limit: int, what: str, fields: Mapping[str, Field]) -> dict[str, Any] | Fault:
    """The object in `data`: exactly these fields and `v` 1, in its one spelling and with one newline at the end.

    `limit` in bytes, newline and all; `what` is a phrase for the sentences ("a card"); `v` is left out of the result.
    Codes TOO_LARGE, NOT_CANONICAL, those of `canon.load`, UNKNOWN_VERSION, MISSING_FIELD, BAD_VALUE, UNKNOWN_FIELD.
    """
    if len(data) > limit:
        return Fault("TOO_LARGE", f"{what} of {len(data)} bytes, at most {limit} are allowed")
    if not data.endswith(b"\n"):
        return Fault("NOT_CANONICAL", f"{what} ends with a newline")
    found = canon.load(data[:-1], limit)
    if isinstance(found, Fault):
        return found
    if found.get("v", 1) != 1:
        return Fault("UNKNOWN_VERSION", f"{what} has version 1", "v")
    for name, rule in {**fields, "v": "1"}.items():
        if name not in found:
            return Fault("MISSING_FIELD", f"{what} needs `{name}`", name)
        if not matches(found[name], rule):
            return Fault("BAD_VALUE", f"`{name}` is not what the format allows there", name)
    if len(found) != len(fields) + 1:
        return Fault("UNKNOWN_FIELD", f"a field that {what} does not have")
    fault = canon.is_canonical(found, data[:-1])
    if fault:
        return fault
    del found["v"]
    return found


def matches(value: Any, rule: Field) -> bool:
    """Is this parsed value what the rule asks for?"""
    if callable(rule):
        return rule(value)
    if isinstance(value, str):
        return re.fullmatch(rule, f'"{value}"') is not None
    return isinstance(value, int) and not isinstance(value, bool) and re.fullmatch(rule, str(value)) is not None
