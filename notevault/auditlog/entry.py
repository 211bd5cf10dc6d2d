"""The bytes of one log entry (FORMAT 6.1, 6.3): `encode` and its inverse `parse`, both under one closed schema.

The schema is one regular expression per event, put together from the table in `events`; it accepts canonical bytes and
nothing else. Where it does not match, `_diagnose` looks again, slowly, to say what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from . import canon
from .events import EVENTS, HEX8, HEX16, HEX32, INT, MAY, MUST, NO, OUTCOMES, PURPOSES, U32, Rule, one_of
from .fault import Fault

__all__ = ["EVENTS", "LIMIT", "NO_PREVIOUS", "OUTCOMES", "PURPOSES", "Entry", "encode", "mac_message", "parse"]

LIMIT = 16384  # bytes of an entry; its length is a u16 in a bundle, and 256 of them stay at 4 MiB
NO_PREVIOUS = "0" * 32  # `p` of entry 0

_B64 = "[A-Za-z0-9+/]"
_ROUTING = f'"{_B64}{{106}}[AEIMQUYcgkosw048]="'  # salt 16, 48 sealed bytes, tag 16
# salt 16, n x 256 sealed bytes, tag 16, n from 1 to 32: three of these n make 768 bytes, that is 1024 characters
_ENDS = (f"{_B64}{{384}}", f"{_B64}{{725}}[AQgw]==", f"{_B64}{{1066}}[AEIMQUYcgkosw048]=")
_DETAILS = f'"(?:(?:{_B64}{{1024}}){{0,9}}(?:{"|".join(_ENDS)})|{_B64}{{10240}}(?:{"|".join(_ENDS[:2])}))"'

_FIELDS = {
    "b": HEX8, "c": HEX32, "e": INT, "g": f"(?!0){U32}", "h": HEX16, "i": INT, "m": INT, "nt": HEX16,
    "o": one_of(*OUTCOMES), "p": HEX16, "pu": one_of(*PURPOSES), "st": HEX16, "t": INT, "v": "1", "w": HEX8, "z": INT,
}  # fmt: skip
_ALWAYS = ("a", "b", "e", "ev", "i", "m", "o", "p", "pu", "t", "v", "w")


@dataclass(frozen=True)
class Entry:
    """One parsed entry. Hexadecimal values stay text as in the bytes; `k` and `x` are decoded when asked for."""

    raw: bytes
    a: str = field(compare=False)
    b: str = field(compare=False)
    c: str | None = field(compare=False)
    e: int = field(compare=False)
    ev: str = field(compare=False)
    g: int | None = field(compare=False)
    h: str | None = field(compare=False)
    i: int = field(compare=False)
    k_text: str | None = field(compare=False, repr=False)
    m: int = field(compare=False)
    nt: str | None = field(compare=False)
    o: str = field(compare=False)
    p: str = field(compare=False)
    pu: str = field(compare=False)
    st: str | None = field(compare=False)
    t: int = field(compare=False)
    w: str = field(compare=False)
    x_text: str | None = field(compare=False, repr=False)
    z: int | None = field(compare=False)

    @cached_property
    def k(self) -> dict[str, Any]:
        """The event's own fields; empty where there are none."""
        return json.loads(self.k_text) if self.k_text else {}

    @cached_property
    def x(self) -> dict[str, bytes]:
        """The sealed parts, `r` and `d`, as bytes; empty where there are none."""
        parts: dict[str, str] = json.loads(self.x_text) if self.x_text else {}
        return {name: data for name in parts if isinstance(data := canon.unbase64(parts[name]), bytes)}

    def fields(self) -> dict[str, Any]:
        """The entry as `encode` takes it."""
        return json.loads(self.raw)  # type: ignore[no-any-return]


def encode(fields: Mapping[str, Any]) -> bytes:
    """Canonical bytes of an entry; `fields` as in FORMAT 6.1, `v` may be left out. ValueError when refused."""
    data = canon.dump({"v": 1, **fields})
    entry = parse(data)
    if isinstance(entry, Fault):
        raise ValueError(str(entry))  # noqa: TRY004
    return data


def mac_message(origin: str, fields: Mapping[str, Any]) -> bytes:
    """What the MAC `h` of an entry covers (FORMAT section 0, "entry-mac"), prefix and all.

    `origin` is 32 hex digits; an `h` in `fields` is left out.
    """
    bare = {"v": 1, **{name: value for name, value in fields.items() if name != "h"}}
    return b"notevault/v1/entry-mac\0" + bytes.fromhex(origin) + canon.dump(bare)


def parse(data: bytes, diagnose: bool = True) -> Entry | Fault:
    """One entry from its exact bytes. Fault codes: those of JSON and entries in `fault`; without `diagnose`, which
    takes twenty times as long as a sound entry, BAD_VALUE for nearly all.
    """
    if len(data) > LIMIT:
        return Fault("TOO_LARGE", f"an entry of {len(data)} bytes, at most {LIMIT} are allowed")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        return Fault("NOT_ASCII", "a byte outside ASCII")
    start = text.find('"ev":"') + 6
    event = text[start : text.find('"', start)]
    pattern = _PATTERNS[event] if event in EVENTS else None
    found = pattern.fullmatch(text) if pattern else None
    if found is None:
        return _diagnose(data) if diagnose else _NOT_ONE
    a, b, c, e, g, h, i, k, _, m, nt, o, p, pu, st, t, w, x, z = found.groups()
    fault = _cross(g, h, nt, st, x)
    if fault:
        return fault
    entry = object.__new__(Entry)  # as Entry(...), five times faster: a verifier reads 100,000 a second
    entry.__dict__.update(
        raw=data, a=a, b=b, c=c, e=int(e), ev=event, g=None if g is None else int(g), h=h, i=int(i), k_text=k, m=int(m),
        nt=nt, o=o, p=p, pu=pu, st=st, t=int(t), w=w, x_text=x, z=None if z is None else int(z),
    )  # fmt: skip
    return entry


def _cross(g: Any, h: Any, nt: Any, st: Any, x: Any) -> Fault | None:
    """The rules between fields that the patterns leave out."""
    if (g is None) != (h is None and x is None):
        return Fault(
            "MISSING_FIELD" if g is None else "UNKNOWN_FIELD", "`g` goes with `x` or `h`, and only with them", "g"
        )
    if nt is not None and st is None:
        return Fault("MISSING_FIELD", "a note tag without its client tag", "st")
    return None


def _pattern(event: str, rule: Rule) -> re.Pattern[str]:
    """Groups, in this order in every pattern: a b c e g h i k at m nt o p pu st t w x z (k, x whole, others bare)."""

    def part(name: str, need: str = MUST) -> str:
        value = _FIELDS[name]
        bare = f'"({value[1:-1]})"' if value.startswith('"') else f"({value})"
        return _needed(f',"{name}":{bare}', need)

    file = MUST if rule.file else NO
    plain = "|".join(word for word in OUTCOMES if word != "reported")
    pattern = (
        rf'\{{"a":"([{rule.a}])"{part("b")}{part("c", file)}{part("e")},"ev":"{re.escape(event)}"{part("g", MAY)}'
        f"{part('h', rule.h)}{part('i')}{_k_part(rule)}{part('m')}{part('nt', rule.nt)}"
        f',"o":"((?(at)reported|(?:{plain})))"{part("p")}{part("pu")}{part("st", rule.st)}{part("t")},"v":1{part("w")}'
        rf"{_x_part(rule)}{part('z', file)}\}}"
    )
    return re.compile(pattern)


def _needed(text: str, need: str) -> str:
    if need == NO:
        return "((?!))?"  # a group that never takes part, so that all patterns have the same groups
    return text if need == MUST else f"(?:{text})?"


def _k_part(rule: Rule) -> str:
    """`k`, with `at` exactly when the outcome, which follows, is `reported`."""
    own = ",".join(f'"{name}":{rule.k[name]}' for name in sorted(rule.k))
    if own:
        return rf',"k":(\{{(?P<at>"at":{INT},)?{own}\}})'
    return rf'(?:,"k":(\{{(?P<at>"at":{INT})\}}))?'


def _x_part(rule: Rule) -> str:
    details, routing = f'"d":{_DETAILS}', f'"r":{_ROUTING}'
    inner = {NO: details, MAY: f"(?:{details}(?:,{routing})?|{routing})", MUST: f"(?:{details},)?{routing}"}[rule.r]
    return _needed(rf',"x":(\{{{inner}\}})', MUST if rule.r == MUST else MAY)


_NOT_ONE = Fault("BAD_VALUE", "not an entry of this version")


def _diagnose(data: bytes) -> Fault:
    """Say what is wrong with an entry that its pattern refused."""
    fields = canon.load(data, LIMIT)
    if isinstance(fields, Fault):
        return fields
    if fields.get("v") != 1:
        return Fault("UNKNOWN_VERSION" if "v" in fields else "MISSING_FIELD", "an entry's version is 1", "v")
    event = fields.get("ev")
    rule = EVENTS.get(event) if isinstance(event, str) else None
    if rule is None:
        return Fault(
            "UNKNOWN_EVENT" if "ev" in fields else "MISSING_FIELD", "an event this program does not know", "ev"
        )
    return (
        _presence(fields, rule)
        or _values(fields, rule)
        or _cross(*(fields.get(name) for name in ("g", "h", "nt", "st", "x")))
        or canon.is_canonical(fields, data)
        or Fault("BAD_VALUE", "not an entry of this version")
    )


def _presence(fields: Mapping[str, Any], rule: Rule) -> Fault | None:
    file = MUST if rule.file else NO
    needs = dict.fromkeys(_ALWAYS, MUST)
    needs.update(c=file, z=file, g=MAY, h=rule.h, nt=rule.nt, st=rule.st, x=MUST if rule.r == MUST else MAY)
    needs["k"] = MUST if rule.k or fields.get("o") == "reported" else NO
    for name, need in needs.items():
        if need == MUST and name not in fields:
            return Fault("MISSING_FIELD", f"this event needs `{name}`", name)
    for name in fields:
        if needs.get(name, NO) == NO:
            return Fault("UNKNOWN_FIELD", "a field that this event does not have", name if len(name) <= 2 else "")
    return None


def _values(fields: Mapping[str, Any], rule: Rule) -> Fault | None:
    for name, pattern in {"a": f'"[{rule.a}]"', **_FIELDS}.items():
        if name in fields and not _spelled(fields[name], pattern):
            return Fault("BAD_VALUE", f"`{name}` is not what the format allows there", name)
    at = {"at": INT} if fields["o"] == "reported" else {}
    fault = _object(fields.get("k", {}), {**at, **rule.k}, (), "k")
    optional = [name for name, need in (("d", MAY), ("r", rule.r)) if need == MAY]
    allowed = {"d": _DETAILS} if rule.r == NO else {"d": _DETAILS, "r": _ROUTING}
    if not fault and "x" in fields:
        fault = _object(fields["x"], allowed, optional, "x")
        if not fault and not fields["x"]:
            fault = Fault("MISSING_FIELD", "nothing in `x`", "x")
    return fault


def _object(value: Any, patterns: Mapping[str, str], optional: Sequence[str], place: str) -> Fault | None:
    if not isinstance(value, dict):
        return Fault("BAD_VALUE", f"`{place}` is an object", place)
    for name in patterns:
        if name not in value and name not in optional:
            return Fault("MISSING_FIELD", f"this event needs `{place}.{name}`", f"{place}.{name}")
    for name, inner in value.items():
        if name not in patterns:
            return Fault("UNKNOWN_FIELD", f"`{place}` holds a field that this event does not have", place)
        if not _spelled(inner, patterns[name]):
            return Fault("BAD_VALUE", f"`{place}.{name}` is not what the format allows there", f"{place}.{name}")
    return None


def _spelled(value: Any, pattern: str) -> bool:
    """Does the canonical spelling of `value` match? (Keys are sorted, whatever order they came in.)"""
    try:
        text = canon.dump({"": value})[4:-1].decode("ascii")
    except (ValueError, RecursionError):
        return False
    return re.fullmatch(pattern, text) is not None


class _Patterns(dict[str, "re.Pattern[str]"]):
    """By event, each compiled when it is first met: all of them take 0.1 s, more than most commands need."""

    def __missing__(self, event: str) -> re.Pattern[str]:
        self[event] = _pattern(event, EVENTS[event])
        return self[event]


_PATTERNS = _Patterns()
