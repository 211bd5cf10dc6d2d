"""Key files (FORMAT section 3) as an outsider sees them: who signed them, which logs they list, which came before.

What they seal stays sealed. A key file is believed when the vault's identity signed it and a log's entry names it.
"""

from __future__ import annotations

import binascii
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import canon, shape
from .events import HEX16, HEX32, INT, SIGNATURE
from .fault import Fault, sound
from .folder import names, read_file
from .layout import ORIGIN
from .note import Verify

MAX_BYTES = 4 << 20
MAX_FILES = 10_000  # a change a day for 27 years
MAX_TOTAL = 256 << 20  # bytes read of all of them together, newest first
MAX_PARTS = 1024  # objects and lists in one: it has at most 256 slots
MAX_ITEMS = 100_000  # values in one: up to 65,536 retired slots, the logs, the fields of the slots
MAX_REFUSED = 1000  # told of
MAX_IDENTITIES = 256  # more leave it undecided: a renewal a month for twenty years is fewer
_PLAIN = 64 << 10  # bytes: shorter ones are parsed at once, which gives the better sentence
PREFIX = b"notevault/v1/header\0"
CROSS = b"notevault/v1/vik\0"
_NAME = re.compile(r"([0-9]{8})-([0-9a-f]{64})")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_SIG = re.compile(rb',"seq":[0-9]{1,8}(,"sig":"([A-Za-z0-9+/]{86}==)"),"slots":\[')
_VIK = re.compile(rb',"vik":"([0-9a-f]{64})"\}\n')


@dataclass(frozen=True)
class Header:
    """Of the fields only those that an outsider can use. `origins`: log -> size. Nothing is verified before `check`."""

    seq: int
    origin: str
    vault: str
    vik: bytes
    prev: str
    origins: dict[str, int] = field(repr=False)
    cross: tuple[bytes, bytes] | None = field(repr=False)  # former identity, its signature of this one
    signed: bytes = field(repr=False)
    sig: bytes = field(repr=False)


def parse(data: bytes) -> Header | Fault:
    """A key file from its exact bytes. Slots are not looked into. Codes of `shape.load`."""
    fields = dict(_FIELDS)
    if b'"cross":' in data[:20]:  # the first key, where it is there at all
        fields["cross"] = _is_cross
    if data.count(b"{") + data.count(b"[") > MAX_PARTS or data.count(b",") > MAX_ITEMS:  # before anything is built
        return Fault("TOO_LARGE", "more parts than any key file has")
    found = shape.load(data, MAX_BYTES, "a key file", fields)
    if isinstance(found, Fault):
        return found
    if found["origin"] not in found["origins"]:
        return Fault("BAD_VALUE", "it does not list the log it belongs to", "origins")
    if (found["seq"] == 1) is not (found["prev"] == "0" * 64):
        return Fault("BAD_VALUE", "it contradicts itself about what came before it", "prev")
    sig = sound(canon.unbase64(found.pop("sig"), 64))
    cross = found.get("cross")
    return Header(
        found["seq"],
        found["origin"],
        found["vault"],
        bytes.fromhex(found["vik"]),
        found["prev"],
        found["origins"],
        (bytes.fromhex(cross["vik"]), sound(canon.unbase64(cross["sig"], 64))) if cross else None,
        canon.dump({**found, "v": 1}),
        sig,
    )


def check(header: Header, verify: Verify) -> Fault | None:
    """None when the file is signed by the identity it names; whose that is, is another question."""
    if verify(header.vik, PREFIX + header.signed, header.sig):
        return None
    return Fault("BAD_SIGNATURE", "the key file's signature does not hold")


def _signed_raw(data: bytes, verify: Verify) -> bool:
    """Is this signed by the identity it names, as far as can be told before anything is built from it? Canonical JSON
    is what it was signed as, but for `sig`, which has one place in it.
    """
    sig, vik = _SIG.search(data), _VIK.search(data, max(0, len(data) - 75))
    if sig is None or vik is None:
        return False
    signed = data[: sig.start(1)] + data[sig.end(1) : -1]
    return verify(bytes.fromhex(vik[1].decode()), PREFIX + signed, binascii.a2b_base64(sig[2]))


def cross_holds(header: Header, verify: Verify) -> bool:
    """Has the identity before this one signed for it?"""
    if header.cross is None:
        return False
    former, sig = header.cross
    return verify(former, CROSS + bytes.fromhex(header.vault) + header.vik, sig)


@dataclass
class HeaderFile:
    """One file as found. `why` says what is wrong with it, "" when name, form and its own signature are right."""

    seq: int
    origin: str
    digest: str
    size: int
    why: str = ""
    unreadable: bool = False
    vault: str = ""
    vik: bytes = b""
    former: bytes | None = None  # the identity before, where its signature of this one holds
    at: int = 0  # the entry of its log that should name it

    @property
    def path(self) -> str:
        return f"{self.origin}/{self.seq:08d}-{self.digest}"


@dataclass
class HeaderFiles:
    """All key files of a folder, the highest `seq` first."""

    files: dict[str, HeaderFile] = field(default_factory=dict)  # by path
    strays: int = 0
    unread: int = 0  # beyond the limits
    refused: list[str] = field(default_factory=list)

    @property
    def holding(self) -> list[HeaderFile]:
        return [one for one in self.files.values() if not one.why]


def load(
    folder: Path,
    verify: Verify,
    origins: Callable[[str], bool] = lambda _: True,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> HeaderFiles:
    """Look at every key file below `folder`, each read once, one at a time. `progress`: files done, files there are."""
    found = HeaderFiles()
    listed: list[tuple[int, str, str]] = []
    for origin, kind in names(folder):
        if not origin:
            found.refused.append(f"headers cannot be read: {kind}")
        elif not ORIGIN.fullmatch(origin) or not origins(origin):
            found.strays += 1
        elif kind != "folder":
            found.refused.append(f"headers/{origin} is a link or a file where a folder belongs")
        else:
            for name, _ in names(folder / origin):
                parts = _NAME.fullmatch(name)
                if not name:
                    found.refused.append(f"headers/{origin} cannot be read")
                elif parts is None or int(parts[1]) == 0:
                    found.strays += not name.startswith(".tmp-")
                elif len(listed) < MAX_FILES:
                    listed.append((int(parts[1]), origin, parts[2]))
                else:
                    found.unread += 1
    total = 0
    for done, (seq, origin, digest) in enumerate(sorted(listed, reverse=True), 1):
        one = HeaderFile(seq, origin, digest, 0)
        if total < MAX_TOTAL:
            total += _look(folder, one, verify)
            found.files[one.path] = one
        else:
            found.unread += 1
        progress(done, len(listed))
    del found.refused[MAX_REFUSED:]
    return found


def read(folder: Path, one: HeaderFile) -> Header | None:
    """The key file once more, for all it says."""
    data = read_file(folder, one.path, MAX_BYTES)
    if not isinstance(data, bytes) or hashlib.sha256(data).hexdigest() != one.digest:
        return None
    found = parse(data)
    return None if isinstance(found, Fault) else found


def _look(folder: Path, one: HeaderFile, verify: Verify) -> int:
    """Fill in what the file says; gives the bytes that were read."""
    try:
        one.size = os.lstat(folder / one.path).st_size
    except OSError:
        one.size = 0
    if one.size > MAX_BYTES:
        one.why = f"it has {one.size} bytes, at most {MAX_BYTES} are allowed"
        return 0
    data = read_file(folder, one.path, MAX_BYTES)
    if not isinstance(data, bytes):
        one.unreadable, one.why = True, data.sentence if data else "it is gone"
        return 0
    if hashlib.sha256(data).hexdigest() != one.digest:
        one.why = "its bytes are not those its name stands for"
        return len(data)
    if len(data) > _PLAIN and not _signed_raw(data, verify):
        one.why = "the key file's signature does not hold"
        return len(data)
    found = parse(data)
    fault = found if isinstance(found, Fault) else check(found, verify)
    if fault is None and isinstance(found, Header):
        if (found.seq, found.origin) != (one.seq, one.origin):
            fault = Fault("BAD_VALUE", "it lies under the name of another")
        else:
            one.vault, one.vik, one.at = found.vault, found.vik, found.origins[found.origin]
            one.former = found.cross[0] if found.cross and cross_holds(found, verify) else None
    one.why = fault.sentence if fault else ""
    return len(data)


def identities(files: Iterable[HeaderFile], start: bytes, vault: str) -> list[bytes]:
    """The vault's identities that hang on `start`, newest first: those it signed for, and those that signed for it.

    From an older one none is followed forward: it was given up because somebody else may have it.
    """
    after: dict[bytes, list[bytes]] = {}
    before: dict[bytes, list[bytes]] = {}
    for former, new in dict.fromkeys((one.former, one.vik) for one in files if one.former and one.vault == vault):
        after.setdefault(former, []).append(new)
        before.setdefault(new, []).append(former)
    later, older = _reached(start, after), _reached(start, before)
    known = {*later}
    return [*reversed(later), *(one for one in older if one not in known)]


def _reached(start: bytes, way: Mapping[bytes, Sequence[bytes]]) -> list[bytes]:
    """What can be come to from `start`, itself first, the nearest before the others; each key file is used once."""
    order, found = [start], {start}
    for one in order:
        for new in way.get(one, ()):
            if new not in found:
                found.add(new)
                order.append(new)
    return order


def _is_cross(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"sig", "vik"} and all(
        shape.matches(value[name], rule) for name, rule in (("sig", SIGNATURE), ("vik", HEX32))
    )  # fmt: skip


def _is_origins(value: Any) -> bool:
    return isinstance(value, dict) and all(
        ORIGIN.fullmatch(name) is not None and shape.matches(size, INT) for name, size in value.items()
    )


def _is_ids(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and ORIGIN.fullmatch(one) for one in value)


def _is_slots(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _is_base64(value: Any) -> bool:
    return isinstance(value, str) and len(value) % 4 == 0 and _BASE64.fullmatch(value) is not None


def _is_seq(value: Any) -> bool:
    return shape.matches(value, INT) and 1 <= value <= 99_999_999


_FIELDS: dict[str, shape.Field] = {
    "device": HEX16, "generation": INT, "origin": HEX16, "origins": _is_origins, "prev": HEX32, "retired": _is_ids,
    "seq": _is_seq, "sig": SIGNATURE, "slots": _is_slots, "table": _is_base64, "vault": HEX16, "vik": HEX32,
}  # fmt: skip
