"""The recovery sheet's code: 105 characters that carry the kit seed, in groups that check themselves.

    payload (52 bytes) = version 0x01 (1) ‖ seed (32) ‖ vault fingerprint (16) ‖ check (3)
    check              = SHA-256("notevault/v1/sheet" ‖ 0x00 ‖ payload[0:49])[0:3]
    symbols            = the 416 bits, most significant first, then 4 zero bits: 84 symbols of 5 bits,
                         written in 0123456789ABCDEFGHJKMNPQRSTVWXYZ (Crockford base32, values 0..31)
    group g (0..20)    = symbols d0 d1 d2 d3 = 4g..4g+3, then the check symbol c:
                         c = alpha^g + alpha*d0 + alpha^2*d1 + alpha^3*d2 + alpha^4*d3   in GF(32)

GF(32) is taken with the polynomial x^5 + x^2 + 1 (0b100101), alpha = 2 (of order 31); + is XOR. Printed as
seven lines of three groups; people count groups 1..21 and lines 1..7. The QR code holds the groups joined by "-".

What c finds, always:
  - one wrong symbol: every factor is non-zero;
  - two data symbols exchanged: alpha^i + alpha^j is not zero for i != j in 1..4;
  - a data symbol d exchanged with c: with a = its factor and K = the rest of the sum, the new group holds only
    if d*(1+a)^2 = K*(1+a), hence d = K + a*d = c, which is no exchange;
  - two groups exchanged, or a group in any place but its own: alpha^0 .. alpha^20 are all different.
What slips through (two slips in a group: 1 in 32) meets the 24-bit check over everything.

Reading accepts lower case, spaces, tabs, line ends and hyphens, O for 0, and I or L for 1; everything else is
refused, naming the group. Nothing is ever corrected, and no sentence repeats what was typed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from notevault.errors import OwnFault, UnknownFormat, UsageFault

VERSION = 1
SEED_BYTES = 32
FINGERPRINT_BYTES = 16
GROUPS = 21
GROUP_SYMBOLS = 5
GROUPS_PER_LINE = 3
LINES = GROUPS // GROUPS_PER_LINE
TEXT_LIMIT = 65_536  # characters; a printed page has under 3,000

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECK_LABEL = b"notevault/v1/sheet\0"
_POLYNOMIAL = 0b100101
_VALUE = {letter: value for value, letter in enumerate(ALPHABET)}
_VALUE |= {letter.lower(): value for letter, value in _VALUE.items()}
_VALUE |= {"O": 0, "o": 0, "I": 1, "i": 1, "L": 1, "l": 1}
_SEPARATORS = re.compile(r"[ \t\r\n-]+")
_NUMBERED = re.compile(r"[ \t|]*([1-9])[ \t]*(?:[.:)|]|(?=[ \t]))[ \t]*(.*)")


class SheetFault(UsageFault):
    """What was typed is no recovery sheet's code. `group`: the 0-based one at fault, None when no single one is."""

    default_step = "Compare it with the paper and type it again."

    def __init__(self, sentence: str, group: int | None = None, next_step: str | None = None) -> None:
        super().__init__(sentence, next_step)
        self.group = group


@dataclass(frozen=True)
class SheetCode:
    """What a sheet carries: the 32-byte kit seed (secret) and 16 bytes of the vault key's fingerprint (public)."""

    seed: bytes = field(repr=False)
    fingerprint: bytes


def _times_alpha(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value & 0b100000 else value


def _check_symbol(index: int, data: list[int]) -> int:
    total = 1
    for _ in range(index):
        total = _times_alpha(total)
    for place, value in enumerate(data):
        term = value
        for _ in range(place + 1):
            term = _times_alpha(term)
        total ^= term
    return total


def _check(body: bytes) -> bytes:
    return hashlib.sha256(_CHECK_LABEL + body).digest()[:3]


def group_name(index: int) -> str:
    """How a screen calls group `index` (0-based): "Group 7 (line 3)"."""
    return f"Group {index + 1} (line {index // GROUPS_PER_LINE + 1})"


def encode(seed: bytes, fingerprint: bytes) -> list[str]:
    """The 21 groups of 5 characters for a seed and a fingerprint."""
    if len(seed) != SEED_BYTES or len(fingerprint) != FINGERPRINT_BYTES:
        raise OwnFault("A recovery sheet was to be made from parts of the wrong size.")
    body = bytes([VERSION]) + seed + fingerprint
    number = int.from_bytes(body + _check(body), "big") << 4
    symbols = [number >> shift & 31 for shift in range(415, -1, -5)]
    groups = []
    for index in range(GROUPS):
        data = symbols[4 * index : 4 * index + 4]
        groups.append("".join(ALPHABET[value] for value in [*data, _check_symbol(index, data)]))
    return groups


def _values(index: int, text: str) -> list[int]:
    """The five symbols of one group; SheetFault naming the group when it does not stand."""
    values = [_VALUE.get(letter) for letter in text]
    if None in values:
        raise SheetFault(f"{group_name(index)} has a character that is never on a recovery sheet.", index)
    if len(values) != GROUP_SYMBOLS:
        count = "1 character" if len(values) == 1 else f"{len(values)} characters"
        raise SheetFault(f"{group_name(index)} has {count} instead of {GROUP_SYMBOLS}.", index)
    known = [value for value in values if value is not None]
    if _check_symbol(index, known[:4]) != known[4]:
        raise SheetFault(f"{group_name(index)} does not match its check character.", index)
    return known


def check_group(index: int, text: str) -> bool:
    """Whether `text` could be group `index` (0-based): five known characters with the right check character there."""
    try:
        _values(index, "".join(_SEPARATORS.split(text)))
    except SheetFault:
        return False
    return True


def same_group(typed: str, expected: str) -> bool:
    """Whether what was typed means the same characters as a group of ours (constant time); for asking groups back."""
    plain = [_VALUE.get(letter) for letter in _SEPARATORS.sub("", typed)]
    if None in plain:
        return False
    return hmac.compare_digest(bytes(v for v in plain if v is not None), bytes(_VALUE[letter] for letter in expected))


def _fits(index: int, text: str) -> bool:
    return 0 <= index < GROUPS and check_group(index, text)


def _wrong_count(pieces: list[str], first: int, wanted: int, where: str) -> SheetFault:
    """Name the missing or surplus group among `pieces`, which should have been `wanted` groups from `first` on."""
    found = f"{len(pieces)} found{where}, {wanted} expected"
    for offset, piece in enumerate(pieces):
        index = first + offset
        if offset >= wanted:
            return SheetFault(f"There is something after {group_name(index - 1).lower()}: {found}.", index - 1)
        if _fits(index, piece):
            continue
        if len(pieces) < wanted and any(_fits(later, piece) for later in range(index + 1, first + wanted)):
            return SheetFault(f"{group_name(index)} is missing: {found}.", index)
        return SheetFault(f"{group_name(index)} is not as printed: {found}.", index)
    return SheetFault(f"{group_name(first + len(pieces))} is missing: {found}.", first + len(pieces))


def _cut(text: str) -> list[str]:
    """The 21 groups as typed, not yet checked; characters in any arrangement count when there are exactly 105."""
    pieces = [piece for piece in _SEPARATORS.split(text) if piece]
    if not pieces:
        raise SheetFault("There is no recovery code in this.", None, "Type the 21 groups of five characters.")
    if len(pieces) == GROUPS:
        return pieces
    run = "".join(pieces)
    if len(run) == GROUPS * GROUP_SYMBOLS or len(pieces) <= LINES:
        whole = pieces if len(pieces) == LINES else [run]  # seven lines without gaps: a short line spoils itself only
        pieces = [row[at : at + GROUP_SYMBOLS] for row in whole for at in range(0, len(row), GROUP_SYMBOLS)]
    if len(pieces) != GROUPS:
        raise _wrong_count(pieces, 0, GROUPS, "")
    return pieces


def _decode_groups(pieces: list[str]) -> SheetCode:
    number = 0
    for index, piece in enumerate(pieces):
        for value in _values(index, piece)[:4]:
            number = number << 5 | value
    payload = (number >> 4).to_bytes(52, "big")
    if number & 15 or not hmac.compare_digest(_check(payload[:49]), payload[49:]):
        raise SheetFault("Every group fits its check character, but the 21 together do not: at least two are wrong.")
    if payload[0] != VERSION:
        raise UnknownFormat("This recovery sheet is of a kind that this program does not know.")
    return SheetCode(payload[1:33], payload[33:49])


def decode(text: str) -> SheetCode:
    """Read a typed or scanned code (the groups alone, in any spacing).

    Raises SheetFault, naming the first group at fault by number and line; UnknownFormat for another version.
    """
    if len(text) > TEXT_LIMIT:
        raise SheetFault("This is far too long for a recovery sheet.")
    return _decode_groups(_cut(text))


def _numbered_lines(text: str) -> list[tuple[int, list[str]]]:
    """Lines that begin with a line number and then look like groups: at least two pieces of five characters.

    One piece of five may be spoilt and the line still be recognised; prose that begins with a digit is passed over.
    """
    lines = []
    for raw in text.splitlines():
        match = _NUMBERED.fullmatch(raw.rstrip(" \t|"))
        if match is None:
            continue
        pieces = [piece for piece in _SEPARATORS.split(match[2]) if piece]
        if sum(len(piece) == GROUP_SYMBOLS for piece in pieces) >= 2 and len(pieces) <= GROUPS_PER_LINE + 1:
            lines.append((int(match[1]), pieces))
    return lines


def parse_sheet(text: str) -> SheetCode:
    """Read a whole sheet as printed (numbered lines of three groups among other text), or the bare code.

    Raises as `decode` does; a line missing, doubled or numbered above 7 is named too. Other lines are ignored.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > TEXT_LIMIT:
        raise SheetFault("This is far too long for a recovery sheet.")
    lines = _numbered_lines(text)
    if not lines:
        return decode(text)
    pieces: list[str] = []
    found = [number for number, _ in lines]
    for number in found:
        if number > LINES:
            raise SheetFault(f"A line numbered {number} was found; a recovery sheet has {LINES}.")
        if found.count(number) > 1:
            raise SheetFault(f"Line {number} is there more than once.")
    for number in range(1, LINES + 1):
        first = (number - 1) * GROUPS_PER_LINE
        if number not in found:
            raise SheetFault(f"Line {number} (groups {first + 1} to {first + 3}) is missing or not readable.", first)
        row = lines[found.index(number)][1]
        if len(row) != GROUPS_PER_LINE:
            raise _wrong_count(row, first, GROUPS_PER_LINE, " on this line")
        pieces += row
    return _decode_groups(pieces)
