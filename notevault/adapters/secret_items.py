"""What every secret store asks of an item: its shape, and that it belongs to this vault on this laptop.

An item is printable ASCII of at most 400 characters (Windows allows 2,560 bytes, in UTF-16). Items that name their
vault and device (docs/FORMAT.md section 9) must name ours.
"""

from __future__ import annotations

import json
import re

from notevault.errors import OwnFault, SecretForeign

MAX_ITEM = 400
_NAME = re.compile(r"[a-z]{1,16}")
_PREFIX = re.compile(r"[0-9a-f]{1,64}/[0-9a-f]{1,64}")
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,400}")


def check_prefix(prefix: str) -> None:
    if not _PREFIX.fullmatch(prefix):
        raise OwnFault("A secret store was opened without a vault and a device.")


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise OwnFault("A secret was asked for by a name that cannot be.")


def check_value(name: str, value: str) -> None:
    check_name(name)
    if not _PRINTABLE.fullmatch(value):
        raise OwnFault(f"A secret to be stored is empty, longer than {MAX_ITEM} characters or not plain ASCII.")


def check_owner(prefix: str, value: str | None) -> str | None:
    """The value, when it does not say that it belongs elsewhere. A value that is no JSON object is left to its reader.

    Raises SecretForeign.
    """
    if value is None:
        return None
    try:
        item = json.loads(value)
    except (ValueError, RecursionError):
        return value
    vault, _, device = prefix.partition("/")
    if isinstance(item, dict):
        if item.get("vault", vault) != vault:
            raise SecretForeign(
                "This laptop's key for this vault was replaced by one that belongs to another vault.",
                "Nothing was changed. Your recovery sheet opens this vault: `notevault recover`.",
            )
        if item.get("device", device) != device:
            raise SecretForeign(
                "This laptop's key for this vault belongs to another laptop.",
                "Nothing was changed. Add this laptop again with your recovery sheet: `notevault recover`.",
            )
    return value
