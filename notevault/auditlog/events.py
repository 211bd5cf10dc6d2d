"""The closed list of events (FORMAT 6.3) and what an entry of each must, may and must not hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PURPOSES = ("care", "admin", "import", "export", "review", "recovery", "system")
OUTCOMES = ("ok", "fail", "refused", "part", "reported")

NO, MAY, MUST = "no", "may", "must"


def _up_to(limit: int) -> str:
    """A pattern for the decimal numbers 0 to `limit`, the short ones first: they are nearly all there is."""
    digits = str(limit)
    rest = len(digits) - 1
    ways = ["0", f"[1-9][0-9]{{0,{rest - 1}}}"]
    for k, digit in enumerate(digits):
        low = "1" if k == 0 else "0"
        if digit > low:
            ways.append(f"{digits[:k]}[{low}-{int(digit) - 1}][0-9]{{{rest - k}}}")
    return f"(?:{'|'.join([*ways, digits])})"


# The canonical spelling of each kind of value, as a pattern. One pattern per event is made of these.
INT = _up_to(2**53 - 1)
U32 = _up_to(2**32 - 1)
HEX8, HEX16, HEX32 = (f'"[0-9a-f]{{{2 * n}}}"' for n in (8, 16, 32))
SIGNATURE = '"[A-Za-z0-9+/]{85}[AQgw]=="'  # 64 bytes
CITES = rf'\{{"origin":{HEX16},"root":{HEX32},"size":{INT}\}}'


def one_of(*words: str) -> str:
    """A pattern for one of these words as a JSON string."""
    return f'"(?:{"|".join(words)})"'


@dataclass(frozen=True)
class Rule:
    """`a`: the letters allowed. `k`: its fields and their patterns, all required (`at` comes with outcome `reported`).
    `file`: `c` and `z` are required, else absent. `st`, `nt`, `r`, `h`: NO, MAY or MUST. `x.d` is always allowed.
    """

    a: str
    k: Mapping[str, str] = field(default_factory=dict)
    file: bool = False
    st: str = NO
    nt: str = NO
    r: str = NO
    h: str = MAY


EVENTS: dict[str, Rule] = {
    "vault.create": Rule("C", {"seq": INT}, file=True, h=MUST),
    "vault.recover": Rule("C", {"cites": CITES, "seq": INT}, file=True, h=MUST),
    "header.write": Rule(
        "U",
        {"seq": INT, "why": one_of("passphrase", "pool", "sheet", "policy", "device", "renewal", "shred")},
        file=True,
        h=MUST,
    ),
    "session.open": Rule("E", {"how": one_of("passphrase", "remembered", "sheet")}, h=MUST),
    "session.fail": Rule(
        "E",
        {"n": INT, "why": one_of("passphrase", "secret-missing", "secret-foreign", "keyring", "header", "sheet")},
    ),
    "session.lock": Rule("E", {"why": one_of("key", "idle", "hangup", "exit", "suspend")}),
    "session.list": Rule("R", h=MUST),
    "remember.start": Rule("E", {"until": INT}, h=MUST),
    "remember.end": Rule("E", {"why": one_of("lock", "expiry", "passphrase")}),
    "record.write": Rule("CU", file=True, st=MUST, nt=MUST, r=MUST, h=MUST),
    "record.sign": Rule("U", file=True, st=MUST, nt=MUST, r=MUST, h=MUST),
    "record.open": Rule("R", st=MUST, nt=MAY, r=MUST, h=MUST),
    "record.export": Rule("R", st=MUST, nt=MAY, r=MUST, h=MUST),
    "record.print": Rule("R", st=MUST, nt=MAY, r=MUST, h=MUST),
    "record.purge": Rule("D", {"sig": SIGNATURE}, file=True, st=MAY, nt=MAY, r=MUST, h=MUST),
    "search.run": Rule("R", h=MUST),
    "sheet.confirm": Rule("E", h=MUST),
    "settings.change": Rule("U", file=True, r=MUST, h=MUST),
    "import.run": Rule("E", {"n": INT}, h=MUST),
    "audit.review": Rule("E", {"n": INT, "since": INT}, h=MUST),
    "audit.disclose": Rule("R", st=MUST, r=MUST, h=MUST),
    "verify.run": Rule("E", {"bad": INT, "n": INT}),
    "crash.settle": Rule("E", {"blobs": INT, "bytes": INT, "headers": INT}),
    "clock.jump": Rule("E", {"ms": INT, "to": one_of("ahead", "back")}),
    "rollback.confirm": Rule("E", {"root": HEX32, "seen": INT}, h=MUST),
    "epoch.close": Rule("E", {"key": HEX32}, h=MUST),
    "backup.run": Rule("E", {"n": INT}),
    "backup.verify": Rule("E", {"n": INT}),
    "backup.restore": Rule("E", {"n": INT}),
    "backup.drill": Rule("E", {"n": INT}),
    "backup.heal": Rule("E", {"n": INT}),
    "backup.place": Rule("E", {"n": INT, "to": one_of("added", "removed")}),
    "client.shred": Rule("D", {"step": one_of("intent", "done")}, st=MAY, r=MAY, h=MUST),
    "device.fork": Rule("E", {"cites": CITES}, h=MUST),
}

FIRST = ("vault.create", "vault.recover", "device.fork")  # what entry 0 of a log may be
HEADERS = ("vault.create", "vault.recover", "header.write")  # whose `c` is a header, not a blob
ONLY_FIRST = ("vault.create", "vault.recover")  # and may be nowhere else
