"""Sealing and opening a record in chunks: attachments and the index snapshot (FORMAT.md section 5, "Stream").

Chunk j is AES-256-GCM with nonce = j in 11 bytes ‖ last flag; the last chunk is never empty. Nothing is released
before the last chunk has verified.
"""

from __future__ import annotations

import hmac
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from notevault.crypto import objectkeys
from notevault.errors import StorageFault, WrongSeal
from notevault.formats import envelope
from notevault.formats.envelope import HEAD_SIZE, INNER_HEAD, TAG_SIZE, Inner
from notevault.ports import Entropy

ATTACHMENT_CHUNK_LOG2: Final = 16
SNAPSHOT_CHUNK_LOG2: Final = 20
"""Local and large: 1 MiB chunks open at the speed of memory."""
Source = Callable[[], Iterable[bytes]]


def _nonce(j: int, *, last: bool) -> bytes:
    return j.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _changed() -> StorageFault:
    return StorageFault("The file changed while it was being read.", "Close the program that writes to it, try again.")


def _measured(pieces: Iterable[bytes], length: int) -> Iterator[bytes]:
    """The pieces; StorageFault as soon as they hold more than `length` bytes, or at the end, when fewer."""
    seen = 0
    for piece in pieces:
        seen += len(piece)
        if seen > length:
            raise _changed()
        yield piece
    if seen != length:
        raise _changed()


def seal_stream(
    ck: bytes,
    vault_id: bytes,
    type: int,
    client: bytes,
    object: bytes,
    version: int,
    source: Source,
    length: int,
    chunk_log2: int,
    entropy: Entropy,
) -> Iterator[bytes]:
    """The blob's bytes, piece by piece. `source` is called twice and must give the same `length` bytes both times.

    StorageFault when it does not: before the last piece is given, so that what was written is never a whole object.
    """
    inner_head = envelope.pack_inner_head(type, client, object, version, length)
    random32 = entropy.draw(32)

    def inner() -> Iterator[bytes]:
        yield inner_head
        yield from _measured(source(), length)

    first = objectkeys.HedgedSalt(ck, random32)
    for piece in inner():
        first.update(piece)
    salt = first.digest()
    prefix = envelope.pack_head_prefix(salt, chunk_log2=chunk_log2)
    key, commitment = objectkeys.key_and_commitment(ck, vault_id, prefix)
    head = prefix + commitment
    padded = envelope.padded_size(INNER_HEAD + length)
    padding = padded - INNER_HEAD - length
    cipher = AESGCM(key)
    last = envelope.chunk_count(padded, chunk_log2) - 1
    second = objectkeys.HedgedSalt(ck, random32)

    def pieces() -> Iterator[bytes]:
        for piece in inner():
            second.update(piece)
            yield piece
        if not hmac.compare_digest(second.digest(), salt):
            raise _changed()
        step = 1 << chunk_log2
        for done in range(0, padding, step):
            yield bytes(min(step, padding - done))

    yield head
    for j, chunk in enumerate(_cut(pieces(), 1 << chunk_log2)):
        yield cipher.encrypt(_nonce(j, last=j == last), chunk, head)


def _cut(pieces: Iterable[bytes | memoryview], size: int) -> Iterator[bytes | memoryview]:
    """The same bytes in pieces of `size`, the last one 1 to `size` bytes and given only after `pieces` has ended."""
    held = bytearray()
    for piece in pieces:
        view = memoryview(piece)
        if held:
            take = size - len(held)
            held += view[:take]
            view = view[take:]
            if not view:
                continue  # even a full one waits: it may be the last
            yield bytes(held)
            held.clear()
        whole = max(0, (len(view) - 1) // size) * size
        for at in range(0, whole, size):
            yield view[at : at + size]
        held += view[whole:]
    if held:
        yield bytes(held)


def open_inner(
    ck: bytes,
    vault_id: bytes,
    chunks: Iterable[bytes],
    size: int,
    *,
    type: int,
    client: bytes,
    object: bytes,
    version: int | None,
) -> Inner:
    """The record in a stream object of `size` bytes, given in pieces of any lengths; errors as `open_object`.

    Chunks are deciphered straight into the payload's own memory, which nobody sees before the last has verified.
    """
    pieces = iter(chunks)
    start = b""
    while len(start) < HEAD_SIZE:
        piece = next(pieces, b"")
        start += piece
        if not piece:
            break
    head = envelope.parse_head(start)
    if not head.stream:
        raise WrongSeal("A stored record was put in the place of one of another kind.")
    aad = start[:HEAD_SIZE]
    cipher = AESGCM(objectkeys.check_commitment(ck, vault_id, aad[:40], head.commitment))
    padded = envelope.stream_padded_size(size, head.chunk_log2)
    last = envelope.chunk_count(padded, head.chunk_log2) - 1
    step = 1 << head.chunk_log2
    place: _Place | None = None
    seen = 0
    for j, chunk in enumerate(_cut(_rest(start, pieces), step + TAG_SIZE)):
        expected = (step if j < last else padded - last * step) + TAG_SIZE
        if j > last or len(chunk) != expected:
            raise WrongSeal(objectkeys.CUT_SHORT)
        nonce = _nonce(j, last=j == last)
        if place is None:
            plain = _decrypt(cipher, nonce, chunk, aad)
            address = envelope.parse_inner_head(plain)
            objectkeys.check_address(address[:4], type, client, object, version)
            place = _Place(address, padded, plain)
        else:
            place.decrypt(cipher, nonce, chunk, aad, j * step)
        seen = j + 1
    if place is None or seen != last + 1:
        raise WrongSeal(objectkeys.CUT_SHORT)
    return place.finish()


def open_stream(
    ck: bytes,
    vault_id: bytes,
    chunks: Iterable[bytes],
    size: int,
    *,
    type: int,
    client: bytes,
    object: bytes,
    version: int | None,
) -> bytes:
    """The payload of `open_inner`."""
    return open_inner(ck, vault_id, chunks, size, type=type, client=client, object=object, version=version).payload


def _rest(start: bytes, pieces: Iterator[bytes]) -> Iterator[bytes | memoryview]:
    yield memoryview(start)[HEAD_SIZE:]
    yield from pieces


_ALTERED: Final = "A stored record was altered or cut short after it was locked."


def _decrypt(cipher: AESGCM, nonce: bytes, chunk: bytes | memoryview, aad: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, chunk, aad)
    except InvalidTag:
        raise WrongSeal(_ALTERED) from None


class _Place:
    """The payload's memory. `BytesIO` over a fresh `bytes` lends it for writing and gives it back without a copy;
    copying 250 MB would cost more than deciphering them.
    """

    def __init__(self, address: tuple[int, bytes, bytes, int, int], padded: int, first: bytes) -> None:
        self._address = address
        length = address[4]
        end = INNER_HEAD + length
        if end > padded or envelope.padded_size(end) != padded:
            raise WrongSeal(objectkeys.CUT_SHORT)
        self._length = length
        self._buffer = io.BytesIO(bytes(length))
        self._keep(first, 0)

    def _keep(self, plain: bytes, offset: int) -> None:
        """Put a chunk that is not payload alone where it belongs; what is beyond the payload must be zeros."""
        payload_at = max(0, INNER_HEAD - offset)
        at = offset + payload_at - INNER_HEAD
        wanted = min(len(plain) - payload_at, max(0, self._length - at))
        with self._buffer.getbuffer() as view:
            view[at : at + wanted] = plain[payload_at : payload_at + wanted]
        if plain[payload_at + wanted :].strip(b"\0"):
            raise WrongSeal("A stored record's padding holds something.")

    def decrypt(self, cipher: AESGCM, nonce: bytes, chunk: bytes | memoryview, aad: bytes, offset: int) -> None:
        at = offset - INNER_HEAD
        size = len(chunk) - TAG_SIZE
        if at + size > self._length:
            self._keep(_decrypt(cipher, nonce, chunk, aad), offset)
            return
        try:
            with self._buffer.getbuffer() as view, view[at : at + size] as target:
                cipher.decrypt_into(nonce, chunk, aad, target)
        except InvalidTag:
            raise WrongSeal(_ALTERED) from None

    def finish(self) -> Inner:
        kind, client, object_, version, _ = self._address
        return Inner(kind, client, object_, version, self._buffer.getvalue())
