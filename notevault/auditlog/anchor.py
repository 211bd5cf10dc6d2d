"""Anchors (FORMAT 7.1): a signed checkpoint kept outside the laptop, `<origin>/<size>-<root>`, written once.

The name says what the file signs, so that a folder of anchors is read without opening them. The identity's signature
alone proves that the log's owner signed this state; the epoch's key may be long gone, and a stolen one proves nothing.
"""

from __future__ import annotations

import re

from . import checkpoint
from .events import INT
from .fault import Fault
from .note import Verify
from .outcome import Seen

MAX_BYTES = checkpoint.MAX_BYTES
_NAME = re.compile(rf"({INT})-([0-9a-f]{{64}})")


def name_of(size: int, root: bytes) -> str:
    """The file name of an anchor. ValueError for what no checkpoint can say."""
    name = f"{size}-{root.hex()}"
    if not _NAME.fullmatch(name):
        raise ValueError("a size is 0 to 2^53-1, a root 32 bytes")
    return name


def parse_name(name: str) -> tuple[int, bytes] | None:
    """Size and root that a file name speaks of; None when it is not the name of an anchor."""
    found = _NAME.fullmatch(name)
    return (int(found[1]), bytes.fromhex(found[2])) if found else None


def check(
    origin: str,
    name: str,
    data: bytes,
    identity_pub: bytes,
    verify: Verify,
    source: str,
    when: int | None = None,
) -> Seen | Fault:
    """What this anchor of the log `origin` (hex16) proves to have been signed.

    `source` is a phrase for people, `when` in ms; both only pass through. Codes BAD_NAME; those of `checkpoint.parse`;
    WRONG_ORIGIN, WRONG_SIZE, WRONG_ROOT (file and name, or folder, differ); KEY_ID, BAD_SIGNATURE.
    """
    named = parse_name(name)
    if named is None:
        return Fault("BAD_NAME", "a file whose name is not a size and a root")
    found = checkpoint.parse(data)
    if isinstance(found, Fault):
        return found
    if found.origin != origin:
        return Fault("WRONG_ORIGIN", "it is of another log than the folder it lies in")
    if found.size != named[0]:
        return Fault("WRONG_SIZE", f"its name says {named[0]} entries, the file signs {found.size}")
    if found.root != named[1]:
        return Fault("WRONG_ROOT", "its name says another root than the file signs")
    fault = checkpoint.check_identity(found, identity_pub, verify)
    return fault or Seen(origin, found.size, found.root, source, when)
