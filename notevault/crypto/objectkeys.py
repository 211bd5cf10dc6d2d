"""What single-shot and streamed objects share: key, commitment, salt, and the comparison with what was expected.

FORMAT.md section 5. Each way of not opening has its own sentence.
"""

from __future__ import annotations

import hmac
from typing import Final

from notevault.crypto.hkdf import H
from notevault.errors import WrongSeal
from notevault.formats import envelope
from notevault.formats.ids import id_bytes

NOT_OURS: Final = (
    "A stored record does not open with its key: it was altered, or belongs to another client or another vault."
)
ALTERED: Final = "A stored record was altered after it was locked."
CUT_SHORT: Final = "A stored record is cut short or was lengthened."


def key_and_commitment(ck: bytes, vault_id: bytes, prefix: bytes) -> tuple[bytes, bytes]:
    """One-time AES key and commitment, from bytes[0:40] of the object."""
    okm = H(ck, prefix[8:40], "object", id_bytes(vault_id) + prefix, 64)
    return okm[:32], okm[32:]


class HedgedSalt:
    """The salt: HMAC-SHA256 over fresh randomness and the inner without padding, fed piece by piece.

    Two different records never share a salt, even when the random source repeats itself or was rolled back.
    """

    def __init__(self, ck: bytes, random32: bytes) -> None:
        self._mac = hmac.new(H(ck, b"", "hedge", b"", 32), random32, "sha256")

    def update(self, piece: bytes) -> None:
        self._mac.update(piece)

    def digest(self) -> bytes:
        return self._mac.digest()


def check_commitment(ck: bytes, vault_id: bytes, prefix: bytes, commitment: bytes) -> bytes:
    """The object's key; WrongSeal when the key, the vault or the head are not the ones it was locked with."""
    key, expected = key_and_commitment(ck, vault_id, prefix)
    if not hmac.compare_digest(expected, commitment):
        raise WrongSeal(NOT_OURS)
    return key


def check_address(
    found: tuple[int, bytes, bytes, int], type: int, client: bytes, object: bytes, version: int | None
) -> None:
    """WrongSeal, with a sentence of its own for each part, unless (type, client, object, version) is as expected."""
    if found[0] != type:
        raise WrongSeal("A stored record was put in the place of one of another kind.")
    if found[1] != client:
        raise WrongSeal("A stored record was moved to another client.")
    if found[2] != object:
        raise WrongSeal("A stored record was put in the place of another note.")
    if version is not None and found[3] != version:
        raise WrongSeal("A stored record was put in the place of another revision of the same note.")


def check_single_size(size: int) -> None:
    """WrongSeal unless a single-shot object can have this many bytes."""
    padded = size - envelope.OVERHEAD
    largest = envelope.padded_size(envelope.INNER_HEAD + envelope.SINGLE_MAX)
    if padded > largest or padded < 1 or envelope.padded_size(padded) != padded:
        raise WrongSeal(CUT_SHORT)
