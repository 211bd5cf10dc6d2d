"""One file per way of being wrong, each naming the class of its failure and a part of the sentence."""

from __future__ import annotations

import json

from notevault.formats.text import b64
from tests.vectors import bad_headers, bad_records
from tests.vectors import scene as s
from tests.vectors.bad_common import Bad, Json, edit64, flip
from tests.vectors.make_valid import EXPIRES, all_valid


def slots(bad: Bad, valid: dict[str, Json]) -> None:
    good = {name: valid["passphrase.json"][name] for name in ("slot", "vault", "a", "ds")}
    no, altered = "does not open this vault", "was altered"
    bad.add(
        "slot-passphrase", "passphrase-slot", "another passphrase", "WrongSecret", no, good | {"a": bytes(64).hex()}
    )
    bad.add(
        "slot-device-secret", "passphrase-slot", "another device's secret", "WrongSecret", no, good | {"ds": s.VK.hex()}
    )
    bad.add("slot-vault", "passphrase-slot", "another vault", "WrongSecret", no, good | {"vault": s.OTHER_VAULT.hex()})
    for name, value, fails, says in [
        ("commit", b64(bytes(32)), "WrongSecret", no),
        ("m", 65537, "WrongSecret", no),
        ("ds", 2, "WrongSecret", no),
        ("device", s.VAULT.hex(), "WrongSeal", altered),
        ("salt", b64(bytes(16)), "WrongSeal", altered),
        ("sealed", b64(bytes(56)), "WrongSeal", altered),
        ("p", 0, "Damaged", "bounds"),
        ("salt2", b64(bytes(31)), "Damaged", "base64"),
    ]:
        bad.add(
            f"slot-field-{name}",
            "passphrase-slot",
            f"`{name}` altered",
            fails,
            says,
            good | {"slot": good["slot"] | {name: value}},
        )
    kit = {name: valid["recovery.json"][name] for name in ("slot", "vault", "generation", "kit_seed")}
    bad.add(
        "recovery-other-kit",
        "recovery-slot",
        "another sheet",
        "WrongSecret",
        "not the one",
        kit | {"kit_seed": s.VK.hex()},
    )
    bad.add(
        "recovery-vault", "recovery-slot", "another vault", "WrongSeal", altered, kit | {"vault": s.OTHER_VAULT.hex()}
    )
    bad.add("recovery-generation", "recovery-slot", "another generation", "WrongSeal", altered, kit | {"generation": 2})
    edits: Json = {
        "id": s.PASSPHRASE_SLOT_ID.hex(),
        "enc": b64(flip(s.RECOVERY_SLOT.enc, 5)),
        "sealed": b64(flip(s.RECOVERY_SLOT.sealed, 5)),
    }
    edits["enc-small-order"] = b64(s.RECOVERY_SLOT.enc[:1088] + bytes(32))
    for name, value in edits.items():
        slot = kit["slot"] | {name.split("-")[0]: value}
        bad.add(f"recovery-{name}", "recovery-slot", f"`{name}` altered", "WrongSeal", altered, kit | {"slot": slot})


def log_parts(bad: Bad, valid: Json) -> None:
    routing = {name: valid[name] for name in ("routing_key", "vault", "origin", "i", "r")}
    details = {name: valid[name] for name in ("kd", "origin", "i", "d")}
    for kind, good, keys in (
        ("routing", routing, ("i", "origin", "vault", "routing_key")),
        ("details", details, ("i", "origin", "kd")),
    ):
        other: Json = {
            "i": 8,
            "origin": s.OTHER_ORIGIN,
            "vault": s.OTHER_VAULT.hex(),
            "routing_key": s.VK.hex(),
            "kd": s.VK.hex(),
        }
        for name in keys:
            bad.add(
                f"{kind}-other-{name.replace('_', '-')}",
                kind,
                f"read under another {name}",
                "WrongSeal",
                "altered, or belong",
                good | {name: other[name]},
            )
        sealed = "r" if kind == "routing" else "d"
        bad.add(
            f"{kind}-flipped",
            kind,
            "one bit flipped",
            "WrongSeal",
            "altered",
            edit64(good, sealed, lambda d: flip(d, 20)),
        )
        bad.add(
            f"{kind}-cut",
            kind,
            "the last byte is missing",
            "WrongSeal",
            "wrong size",
            edit64(good, sealed, lambda d: d[:-1]),
        )


def secrets_(bad: Bad, session: Json) -> None:
    good = {name: session[name] for name in ("item", "half", "vault", "device")}
    says = "does not belong here"
    later = good["item"].replace(str(EXPIRES), str(EXPIRES + 1))
    boot = json.loads(good["item"])["boot"]
    for name, change in {
        "half": {"half": s.VK.hex()},
        "vault": {"vault": s.OTHER_VAULT.hex()},
        "device": {"device": s.VAULT.hex()},
        "expiry": {"item": later},
        "boot": {"item": good["item"].replace(boot, "00" * 8)},
    }.items():
        bad.add(f"session-{name}", "session", f"another {name}", "WrongSeal", says, good | change)
    gib = 1 << 30
    for name, m, t, p, fails_says in [
        ("floor-m", 65535, 3, 1, "less protection"),
        ("floor-t", 65536, 2, 1, "less protection"),
        ("ceiling-m", 2 * 1024 * 1024 + 1, 4, 4, "more than this computer"),
        ("ceiling-ram", 1024 * 1024, 4, 4, "more than this computer"),
        ("ceiling-p", 65536, 3, 17, "more than this computer"),
        ("ceiling-work", 65536, 513, 4, "more than this computer"),
    ]:
        ram = 2 * gib - 1 if name == "ceiling-ram" else 64 * gib
        bad.add(f"kdf-{name}", "kdf", name, "Refused", fails_says, {"m": m, "t": t, "p": p, "ram_total": ram})
    for name, typed, words in [
        ("empty", " \n", "empty"),
        ("unassigned", "a\u0378", "does not know"),
        ("surrogate", "a\ud800", "does not know"),
        ("long", "x" * 1025, "longer"),
    ]:
        bad.add(f"passphrase-{name}", "passphrase", name, "UsageFault", words, {"passphrase": typed})


def all_bad() -> dict[str, Json]:
    """File name -> content."""
    bad, valid = Bad(), all_valid()
    bad_records.texts(bad)
    bad_records.objects_(bad, valid["objects.json"])
    bad_records.streams(bad, valid["stream.json"])
    bad_headers.headers(bad)
    bad_headers.tables(bad, valid["keytable.json"])
    slots(bad, valid)
    log_parts(bad, valid["entries.json"])
    secrets_(bad, valid["session.json"])
    return bad.files
