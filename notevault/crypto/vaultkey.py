"""The vault key with its generation, as every slot seals it (FORMAT.md section 3.1)."""

from __future__ import annotations

from typing import Final

from notevault.crypto.hkdf import u64
from notevault.errors import OwnFault, WrongSeal

VK_SIZE: Final = 32


def pack_vk(vk: bytes, generation: int) -> bytes:
    """VK ‖ generation u64: what every slot seals."""
    if len(vk) != VK_SIZE:
        raise OwnFault("A vault key of the wrong size was used.")
    return vk + u64(generation)


def split_vk(plain: bytes) -> tuple[bytes, int]:
    """(VK, generation) of what a slot sealed."""
    if len(plain) != VK_SIZE + 8:
        raise WrongSeal("The part of the vault's key file that opens it has a wrong size.")
    return plain[:VK_SIZE], int.from_bytes(plain[VK_SIZE:], "big")
