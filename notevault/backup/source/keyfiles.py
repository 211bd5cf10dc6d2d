"""Whose vault is it, and which logs are its own? Answered without keys (FORMAT.md section 7.6).

A key file is signed by the identity it names; a renewed identity is signed for by the one before. Whoever can write
into the folder can lay a key file of his own there, so one identity is started from: the one this device opened last,
where that is known, else the only one here whose log holds. Signatures are checked once: what was found is kept by the
file's name, which is the SHA-256 of its bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from notevault.auditlog import card as cards
from notevault.auditlog import ed25519
from notevault.auditlog import headers as key_files
from notevault.auditlog.fault import Fault
from notevault.auditlog.headers import HeaderFile
from notevault.errors import Damaged, LogDamaged, NotevaultError, NotFound
from notevault.formats.ids import is_origin
from notevault.ports import Files
from notevault.storage.layout import LocalPaths, VaultPaths, parse_header_name

CARD_LIMIT = 4096
HEADER_LIMIT = key_files.MAX_BYTES
MOST_HEADERS = key_files.MAX_FILES
_SHEET = re.compile(rb'"pk":"([A-Za-z0-9+/=]{1624})"')  # of recovery and share slots: 1216 bytes


@dataclass(frozen=True)
class KeyFile:
    """A key file that reads and is signed by the identity it names. `origins`: the logs that it lists, with sizes."""

    origin: str
    seq: int
    digest: str
    vault: str
    vik: bytes
    former: bytes | None  # the identity before, where its signature of this one holds
    at: int  # the entry of its log that should name it
    origins: dict[str, int] = field(repr=False)
    prev: str = ""  # digest of the key file before it
    sheets: frozenset[str] = frozenset()  # the recovery sheets that open it: SHA-256 of their public keys

    @property
    def key(self) -> str:
        return f"{self.origin}/{self.seq:08d}-{self.digest}"


def read_key_files(files: Files, paths: VaultPaths, known: Mapping[str, KeyFile]) -> list[KeyFile]:
    """All that hold, the highest number first; those in `known` are not opened again. What does not hold is left out:
    the log says which must be there.
    """
    found: list[KeyFile] = []
    for origin in files.names(paths.all_headers):
        if not is_origin(origin):
            continue
        for name in _names(files, paths, origin)[:MOST_HEADERS]:
            parsed = parse_header_name(name)
            if parsed is None:
                continue
            one = known.get(f"{origin}/{name}") or _read(files, paths, origin, *parsed)
            if one is not None:
                found.append(one)
    return sorted(found, key=lambda one: (-one.seq, one.key))


def _names(files: Files, paths: VaultPaths, origin: str) -> list[str]:
    try:
        return files.names(paths.headers(origin))
    except NotevaultError:  # a file or a link where a folder belongs
        return []


def _read(files: Files, paths: VaultPaths, origin: str, seq: int, digest: str) -> KeyFile | None:
    try:
        data = files.read(paths.header(origin, seq, digest), limit=HEADER_LIMIT)
    except NotevaultError:
        return None
    if hashlib.sha256(data).hexdigest() != digest:
        return None
    header = key_files.parse(data)
    if isinstance(header, Fault) or (header.origin, header.seq) != (origin, seq):
        return None
    if key_files.check(header, ed25519.verify) is not None:
        return None
    former = header.cross[0] if header.cross and key_files.cross_holds(header, ed25519.verify) else None
    at = header.origins[origin]
    sheets = frozenset(hashlib.sha256(key).hexdigest() for key in _SHEET.findall(data))
    return KeyFile(origin, seq, digest, header.vault, header.vik, former, at, dict(header.origins), header.prev, sheets)


def given_up(found: Iterable[KeyFile], current: KeyFile) -> set[str]:
    """The keys of older key files that a sheet opens which was replaced since: nobody needs them (7.6), and whoever
    kept the older sheet could open the vault with them. Only those that `current` goes back to in a straight line: it
    has all their keys. Of two of one number both stay, so that it can be seen what became of them; so does one in which
    a former identity signed for the present one.
    """
    every = list(found)
    older = {one.digest: one for one in every}
    numbers = [one.seq for one in every]
    gone: set[str] = set()
    at = older.get(current.prev)
    while at is not None:
        if not at.sheets <= current.sheets and at.former is None and numbers.count(at.seq) == 1:
            gone.add(at.key)
        before = older.get(at.prev)
        at = before if before is not None and before.seq < at.seq else None
    return gone


def identities(found: Iterable[KeyFile], vik: bytes, vault: str) -> list[bytes]:
    """The vault's identities that hang on `vik`, the newest first."""
    as_files = [
        HeaderFile(one.seq, one.origin, one.digest, 0, vault=one.vault, vik=one.vik, former=one.former) for one in found
    ]
    return key_files.identities(as_files, vik, vault)


def groups(found: list[KeyFile], vik: bytes | None, vault: str | None) -> list[tuple[str, list[bytes]]]:
    """Whose vaults this may be: vault id and identities, the one with the highest key file first; one where `vik` is
    known and is here.
    """
    usable = [one for one in found if vault is None or one.vault == vault]
    if vik is not None and any(one.vik == vik for one in usable):
        usable = [one for one in usable if one.vik == vik]
    elif vik is not None and usable:
        raise Damaged("None of the key files in this vault is of the vault that this laptop knows.")
    made: list[tuple[str, list[bytes]]] = []
    for one in usable:
        if not any(one.vault == name and one.vik in viks for name, viks in made):
            made.append((one.vault, identities(found, one.vik, one.vault)))
    return made


def read_card(files: Files, paths: VaultPaths, origin: str, vault: str, viks: list[bytes]) -> tuple[bytes, cards.Card]:
    """The card of a log with its bytes, signed by one of these identities. NotFound; LogDamaged when it is not."""
    data = files.read(paths.card(origin), limit=CARD_LIMIT)
    found = parse_card(data, origin, vault, viks)
    if isinstance(found, Fault):
        raise LogDamaged(f"The card of a log of this vault does not hold: {found.sentence}")
    return data, found


def parse_card(data: bytes, origin: str, vault: str, viks: Iterable[bytes]) -> cards.Card | Fault:
    """A card's bytes as the card of this log of this vault."""
    found = cards.parse(data)
    if isinstance(found, Fault):
        return found
    if (found.origin, found.vault) != (origin, vault) or found.vik_pub not in viks:
        return Fault("WRONG_KEY", "it is of another log or another vault")
    return cards.check(found, found.vik_pub, ed25519.verify) or found


def remembered(files: Files, local: LocalPaths) -> bytes | None:
    """The identity of the vault as this device opened it last (FORMAT.md section 9); None where it keeps none."""
    try:
        text = files.read(local.identity, limit=65)
        return bytes.fromhex(text.decode("ascii").removesuffix("\n")) if len(text) == 65 else None
    except (NotFound, Damaged, ValueError):
        return None
