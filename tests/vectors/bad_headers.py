"""Bad headers and key tables."""

from __future__ import annotations

import json
from dataclasses import replace

from notevault.formats.header import Header
from notevault.formats.ids import Digest
from notevault.formats.text import b64
from tests.vectors import scene as s
from tests.vectors.bad_common import Bad, Json, edit64, flip


def header_edit(**changes: object) -> str:
    """The header's text with values put in place, spelled canonically and not signed again."""
    fields = json.loads(s.HEADER.to_bytes()) | changes
    return json.dumps(fields, sort_keys=True, separators=(",", ":")) + "\n"


def headers(bad: Bad) -> None:
    good = s.HEADER.to_bytes().decode()
    slot_list = json.loads(good)["slots"]
    altered = "altered after it was signed"

    def add(name: str, what: str, fails: str, says: str, text: str) -> None:
        bad.add(f"header-{name}", "header", what, fails, says, {"file": text})

    add("cut", "the last byte is missing", "Damaged", "cut short", good[:-1])
    add(
        "seq", "another seq", "WrongSeal", altered, replace(s.HEADER, seq=2, prev=Digest("11" * 32)).to_bytes().decode()
    )
    add(
        "slot-removed",
        "a slot is gone",
        "WrongSeal",
        altered,
        replace(s.HEADER, slots=s.HEADER.slots[:1]).to_bytes().decode(),
    )
    add(
        "table",
        "another table",
        "WrongSeal",
        altered,
        replace(s.HEADER, table=flip(s.HEADER.table, 90)).to_bytes().decode(),
    )
    add(
        "sig",
        "another signature",
        "WrongSeal",
        altered,
        replace(s.HEADER, sig=flip(s.HEADER.sig, 3)).to_bytes().decode(),
    )
    small = (1).to_bytes(32, "little")
    forged = replace(s.HEADER, vik=small, sig=small + bytes(32))
    add(
        "small-order-vik",
        "an identity under which one signature fits everything",
        "WrongSeal",
        altered,
        forged.to_bytes().decode(),
    )
    add("version", "version 2", "UnknownFormat", "newer notevault", header_edit(v=2))
    add("unknown-key", "a key more", "Damaged", "does not know", header_edit(zzz=1))
    add(
        "unknown-slot",
        "a slot of another kind",
        "UnknownFormat",
        "way to open it",
        header_edit(slots=[{"kind": "passkey"}]),
    )
    add("slots-unsorted", "slots out of order", "Damaged", "not spelled as", header_edit(slots=slot_list[::-1]))
    add("slot-twice", "one slot id twice", "Damaged", "twice", header_edit(slots=[slot_list[0]] * 2))
    add("slot-retired", "a slot in use is retired", "Damaged", "twice", header_edit(retired=[slot_list[0]["id"]]))
    add(
        "origin-unlisted",
        "its own log is not listed",
        "Damaged",
        "does not list the log",
        header_edit(origins={s.OTHER_ORIGIN: 3}),
    )
    add("prev", "seq 1 with a previous header", "Damaged", "contradicts itself", header_edit(prev="11" * 32))
    assert Header.parse(good.encode()) == s.HEADER


def tables(bad: Bad, valid: Json) -> None:
    good = {name: valid[name] for name in ("sealed", "vk", "vault", "origin", "seq", "generation")}
    changes: Json = {
        "vault": s.OTHER_VAULT.hex(),
        "origin": s.OTHER_ORIGIN,
        "seq": 2,
        "generation": 2,
        "vk": s.CK.hex(),
    }
    for name, value in changes.items():
        bad.add(
            f"table-other-{name}",
            "table",
            f"under another {name}",
            "WrongSeal",
            "another key file",
            good | {name: value},
        )
    for name, at, fails, says in [
        ("magic", 0, "Damaged", "damaged"),
        ("suite", 4, "UnknownFormat", "newer notevault"),
        ("zero", 5, "Damaged", "damaged"),
        ("salt", 8, "WrongSeal", "another key file"),
        ("commitment", 71, "WrongSeal", "another key file"),
        ("body", 100, "WrongSeal", "after it was locked"),
    ]:
        vector = edit64(good, "sealed", lambda data, at=at: flip(data, at))
        bad.add(f"table-flipped-{name}", "table", f"one bit of byte {at} is flipped", fails, says, vector)
    bad.add("table-cut", "table", "half of it", "Damaged", "damaged", edit64(good, "sealed", lambda d: d[:2000]))
    plain = s.TABLE.pack()
    rows = 4 + 36 + 4
    for name, data, fails, says in [
        ("version", flip(plain, 5, 3), "UnknownFormat", "newer notevault"),
        ("purpose", flip(plain, rows, 0x80), "Damaged", "damaged"),
        ("last-purpose", flip(plain, rows + 4 * 37, 0x80), "UnknownFormat", "does not know"),
        (
            "order",
            plain[:rows] + plain[rows + 37 : rows + 74] + plain[rows : rows + 37] + plain[rows + 74 :],
            "Damaged",
            "damaged",
        ),
        ("padding", flip(plain, -1), "Damaged", "damaged"),
        ("size", plain + bytes(4096), "Damaged", "damaged"),
        ("generation-zero", plain[: rows + 1] + bytes(4) + plain[rows + 5 :], "Damaged", "damaged"),
    ]:
        bad.add(f"plain-table-{name}", "plain-table", f"wrong {name}", fails, says, {"plain": b64(data)})
