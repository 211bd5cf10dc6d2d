"""The passphrase: its bytes, Argon2id, and how much work it is given (FORMAT.md section 2, RFC 9106).

The policy is data: a floor that always holds, a ceiling checked before memory is taken, and a choice made once,
at creation, by measuring. argon2-cffi is imported at first use: it costs 13 ms, and a locked command needs none.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from notevault.errors import Refused, UsageFault
from notevault.ports import Machine

MIB: Final = 1024
"""KiB in a MiB."""
OUTPUT: Final = 64
SALT_SIZE: Final = 16
PASSPHRASE_MAX: Final = 1024
"""Bytes; far beyond what is typed, and small enough to never matter."""


@dataclass(frozen=True)
class KdfParams:
    """Argon2id's cost: memory in KiB, passes, lanes."""

    m_kib: int
    t: int
    p: int


FLOOR: Final = KdfParams(64 * MIB, 3, 1)
"""RFC 9106 section 4's second recommendation (64 MiB, t=3), for machines with little memory."""
CHEAPEST: Final = KdfParams(64 * MIB, 3, 4)
"""The least that is accepted, on four lanes: for tests."""
CEILING_M: Final = 2 * 1024 * MIB
CEILING_T: Final = 2**16
CEILING_P: Final = 16
CEILING_WORK: Final = 8_388_608
"""m x t in KiB: 8 GiB written, some ten seconds on a slow laptop."""
_STEPS: Final = tuple(2**power * MIB for power in range(6, 11))  # 64 MiB .. 1 GiB
_TARGET_S: Final = 1.0
_MOST_PASSES: Final = 16.0
"""Beyond this a clock that measured nothing would decide."""
_SLACK: Final = 1.25
"""Timing wavers; a step is given up only when it is clearly over a second."""


def normalise(passphrase: str, *, opening: bool = False) -> bytes:
    """UTF-8 of NFKD of the text without white space around it, 1 to 1024 bytes.

    UsageFault when it is empty, too long, or holds a half character or one that this machine's Unicode tables do
    not know: other tables might normalise that differently. `opening` lets unknown ones through, for a passphrase
    that was set where they were known.
    """
    text = passphrase.strip()
    categories = {unicodedata.category(character) for character in text}
    if "Cs" in categories or ("Cn" in categories and not opening):
        raise UsageFault("The passphrase holds a character that this computer does not know.", "Leave it out.")
    data = unicodedata.normalize("NFKD", text).encode("utf-8")
    if not data:
        raise UsageFault("The passphrase is empty.", "Type at least a few words.")
    if len(data) > PASSPHRASE_MAX:
        raise UsageFault("The passphrase is longer than 1,024 bytes.", "Choose a shorter one.")
    return data


def check_floor(params: KdfParams) -> None:
    """Refused when a guess would be cheaper than any vault of ours allows."""
    if params.m_kib < FLOOR.m_kib or params.t < FLOOR.t or params.p < FLOOR.p:
        raise Refused(
            "This vault asks for less protection of the passphrase than notevault accepts.",
            "notevault never makes such a vault: keep the folder as it is, and open a backup instead.",
        )


def check_ceiling(params: KdfParams, ram_total: int) -> None:
    """Refused when unlocking would take more work or memory (of `ram_total` bytes) than is safe to try."""
    too_much_work = params.t > CEILING_T or params.p > CEILING_P or params.m_kib * params.t > CEILING_WORK
    if too_much_work or params.m_kib > CEILING_M or params.m_kib * 1024 * 2 > ram_total:
        raise Refused(
            f"Checking the passphrase of this vault would take {params.m_kib // MIB:,} MiB of memory"
            f" and {params.t:,} passes, more than this computer should try.",
            "Was the vault made on a larger computer? Open it there, or use the recovery sheet: `notevault recover`.",
        )


def check_params(params: KdfParams, ram_total: int) -> None:
    """Floor and ceiling. Call before `argon2id` with anything that was read from a file."""
    check_floor(params)
    check_ceiling(params, ram_total)


def argon2id(pw: bytes, salt: bytes, params: KdfParams) -> bytes:
    """64 bytes: Argon2id version 0x13 of a normalised passphrase. Other threads run meanwhile.

    The floor is checked here too, so no caller can go below it. Refused when the memory is not to be had.
    """
    check_floor(params)
    from argon2.exceptions import HashingError
    from argon2.low_level import Type, hash_secret_raw

    try:
        return hash_secret_raw(pw, salt, params.t, params.m_kib, params.p, OUTPUT, Type.ID, 0x13)
    except HashingError:
        raise Refused(
            f"There is not enough free memory to check the passphrase ({params.m_kib // MIB:,} MiB are needed).",
            "Close other programs and try again.",
        ) from None


def time_kdf(params: KdfParams) -> float:
    """Seconds that one derivation takes on this machine, now."""
    start = time.perf_counter()
    argon2id(b"how long does this take", bytes(SALT_SIZE), params)
    return time.perf_counter() - start


def choose_params(machine: Machine, measure: Callable[[KdfParams], float] = time_kdf) -> KdfParams:
    """p=4, t>=4 and the most memory of 64..1024 MiB that fits min(1 GiB, RAM/4) and about one second.

    Memory comes first because it is what a guesser's hardware lacks; passes are added only when memory is at its
    limit and time is left. Measures two or three times, about 1.5 s in all. What would not fit into the memory
    free at this moment is not tried, so that creating a vault is never what brings the machine down.
    """
    limit = min(machine.ram_total() // 4, machine.ram_available()) // 1024
    steps = [m for m in _STEPS if m <= limit] or [_STEPS[0]]
    smallest = KdfParams(steps[0], 4, 4)
    taken = measure(smallest)
    fitting = [m for m in steps if taken * (m / steps[0]) <= _TARGET_S * _SLACK] or [steps[0]]
    chosen = KdfParams(fitting[-1], 4, 4)
    while chosen.m_kib > steps[0]:  # caches make small sizes look cheaper than large ones are
        taken = measure(chosen)
        if taken <= _TARGET_S * _SLACK:
            break
        chosen = KdfParams(chosen.m_kib // 2, 4, 4)
    if chosen.m_kib == steps[-1] and taken * 2 <= _TARGET_S:
        passes = min(4 * _TARGET_S / taken, _MOST_PASSES) if taken > 0 else _MOST_PASSES
        return KdfParams(chosen.m_kib, min(int(passes), CEILING_WORK // chosen.m_kib), 4)
    return chosen


def below_policy(params: KdfParams) -> bool:
    """Whether a slot should be wrapped again after unlock: cheaper than any that `choose_params` gives."""
    return params.m_kib < _STEPS[0] or params.t < 4 or params.p < 4
