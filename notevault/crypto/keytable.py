"""Sealing and opening the key table of a header (FORMAT.md section 4)."""

from __future__ import annotations

import hmac

from notevault.crypto import aead
from notevault.crypto.hkdf import H, u64
from notevault.errors import WrongSeal
from notevault.formats import keytable as form
from notevault.formats.header import Header
from notevault.formats.ids import id_bytes, origin_bytes
from notevault.formats.keytable import KeyTable
from notevault.ports import Entropy


def _key_and_commitment(vk: bytes, salt: bytes, header: Header) -> tuple[bytes, bytes]:
    context = id_bytes(header.vault) + u64(header.generation) + origin_bytes(header.origin) + u64(header.seq)
    okm = H(vk, salt, "table", context, 64)
    return okm[:32], okm[32:]


def seal_table(table: KeyTable, vk: bytes, header: Header, entropy: Entropy) -> bytes:
    """The sealed table for this header: bound to its vault, generation, origin and seq (nothing else of it is read)."""
    prefix = form.pack_head_prefix(entropy.draw(32))
    key, commitment = _key_and_commitment(vk, prefix[8:40], header)
    head = prefix + commitment
    return head + aead.gcm_seal(key, head, table.pack())


def open_table(data: bytes, vk: bytes, header: Header) -> KeyTable:
    """The table in `data`. WrongSeal when it was altered or belongs to another header, vault or vault key;
    Damaged, or UnknownFormat for a newer one.
    """
    salt, commitment = form.parse_head(data)
    key, expected = _key_and_commitment(vk, salt, header)
    if not hmac.compare_digest(expected, commitment):
        raise WrongSeal("The vault's table of keys was altered, or belongs to another key file or another vault.")
    aad, body = data[: form.HEAD_SIZE], data[form.HEAD_SIZE :]
    plain = aead.gcm_open(key, aad, body, "The vault's table of keys was altered after it was locked.")
    return KeyTable.unpack(plain)
