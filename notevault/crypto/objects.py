"""Sealing and opening a record held in memory (FORMAT.md section 5).

The reader says what it expects; a record moved to another client, note, type, version or vault does not open.
"""

from __future__ import annotations

from notevault.crypto import aead, objectkeys, stream
from notevault.errors import OwnFault, WrongSeal
from notevault.formats import envelope
from notevault.formats.envelope import HEAD_SIZE, Inner
from notevault.ports import Entropy


def seal_object(ck: bytes, vault_id: bytes, inner: Inner, entropy: Entropy) -> bytes:
    """The blob of one record, single shot. OwnFault for more than 64 MiB (then it must be a stream)."""
    if len(inner.payload) > envelope.SINGLE_MAX:
        raise OwnFault("A record larger than 64 MiB was about to be written in one piece.")
    plain = envelope.pack_inner(inner)
    salt = objectkeys.HedgedSalt(ck, entropy.draw(32))
    salt.update(plain)
    prefix = envelope.pack_head_prefix(salt.digest())
    key, commitment = objectkeys.key_and_commitment(ck, vault_id, prefix)
    head = prefix + commitment
    return head + aead.gcm_seal(key, head, plain.ljust(envelope.padded_size(len(plain)), b"\0"))


def open_object(
    ck: bytes,
    vault_id: bytes,
    blob: bytes,
    *,
    type: int,
    client: bytes,
    object: bytes,
    version: int | None,
) -> Inner:
    """The record, when it is the one expected; `version=None` takes any. Opens streams too, if held in memory.

    Damaged for what is no object, UnknownFormat for a newer one, WrongSeal for everything else.
    """
    head = envelope.parse_head(blob)
    if head.stream:
        return stream.open_inner(
            ck, vault_id, [blob], len(blob), type=type, client=client, object=object, version=version
        )
    key = objectkeys.check_commitment(ck, vault_id, blob[:40], head.commitment)
    objectkeys.check_single_size(len(blob))
    plain = aead.gcm_open(key, blob[:HEAD_SIZE], memoryview(blob)[HEAD_SIZE:], objectkeys.ALTERED)
    inner = envelope.parse_inner(plain)
    objectkeys.check_address((inner.type, inner.client, inner.object, inner.version), type, client, object, version)
    return inner


def open_any(ck: bytes, vault_id: bytes, blob: bytes) -> Inner:
    """The record under this key, whatever it says it is: only for files that nothing names any more.

    Raises as `open_object`; a stream, which an attachment is, does not open so.
    """
    head = envelope.parse_head(blob)
    if head.stream:
        raise WrongSeal(objectkeys.NOT_OURS)
    key = objectkeys.check_commitment(ck, vault_id, blob[:40], head.commitment)
    objectkeys.check_single_size(len(blob))
    return envelope.parse_inner(aead.gcm_open(key, blob[:HEAD_SIZE], memoryview(blob)[HEAD_SIZE:], objectkeys.ALTERED))
