"""Slots of a header: each is one way to open the vault (FORMAT.md section 3.1). Only ciphertext and public values.

`from_json` raises Damaged, or UnknownFormat for a kind this program does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from notevault.errors import Damaged, UnknownFormat
from notevault.formats.ids import DeviceId, SlotId
from notevault.formats.text import b64, exact_keys, integer, unb64, unhex

U32: Final = 2**32 - 1
PK_SIZE: Final = 1216
"""ML-KEM-768 key 1184 ‖ X25519 key 32."""
ENC_SIZE: Final = 1120
"""ML-KEM-768 ciphertext 1088 ‖ X25519 key 32."""
SEALED_SIZE: Final = 56
"""VK 32 ‖ generation 8 ‖ tag 16."""


@dataclass(frozen=True)
class PassphraseSlot:
    """Opens with passphrase and this device's secret number `ds`; m in KiB, t passes, p lanes of Argon2id."""

    id: SlotId
    device: DeviceId
    ds: int
    m: int
    t: int
    p: int
    salt: bytes
    salt2: bytes
    commit: bytes
    sealed: bytes

    kind: ClassVar[str] = "passphrase"
    kind_byte: ClassVar[int] = 1

    def aad_json(self) -> dict[str, Any]:
        """The slot without `commit` and `sealed`: what its associated data holds."""
        return {
            "device": self.device.hex(),
            "ds": self.ds,
            "id": self.id.hex(),
            "kind": self.kind,
            "m": self.m,
            "p": self.p,
            "salt": b64(self.salt),
            "salt2": b64(self.salt2),
            "t": self.t,
        }

    def to_json(self) -> dict[str, Any]:
        return self.aad_json() | {"commit": b64(self.commit), "sealed": b64(self.sealed)}

    @classmethod
    def from_json(cls, obj: object) -> PassphraseSlot:
        names = ("commit", "device", "ds", "id", "kind", "m", "p", "salt", "salt2", "sealed", "t")
        found = exact_keys(obj, frozenset(names))
        return cls(
            id=SlotId(unhex(found["id"], 16)),
            device=DeviceId(unhex(found["device"], 16)),
            ds=integer(found["ds"], 1, U32),
            m=integer(found["m"], 1, U32),
            t=integer(found["t"], 1, U32),
            p=integer(found["p"], 1, 255),
            salt=unb64(found["salt"], 16),
            salt2=unb64(found["salt2"], 32),
            commit=unb64(found["commit"], 32),
            sealed=unb64(found["sealed"], SEALED_SIZE),
        )


@dataclass(frozen=True)
class RecoverySlot:
    """Opens with the kit: HPKE to its public key `pk`; `enc` is the encapsulation."""

    id: SlotId
    pk: bytes
    enc: bytes
    sealed: bytes

    kind: ClassVar[str] = "recovery"
    kind_byte: ClassVar[int] = 2

    def to_json(self) -> dict[str, Any]:
        return {
            "enc": b64(self.enc),
            "id": self.id.hex(),
            "kind": self.kind,
            "pk": b64(self.pk),
            "sealed": b64(self.sealed),
        }

    @classmethod
    def from_json(cls, obj: object) -> RecoverySlot:
        found = exact_keys(obj, frozenset(("enc", "id", "kind", "pk", "sealed")))
        return cls(
            SlotId(unhex(found["id"], 16)),
            unb64(found["pk"], PK_SIZE),
            unb64(found["enc"], ENC_SIZE),
            unb64(found["sealed"], SEALED_SIZE),
        )


@dataclass(frozen=True)
class ShareSlot:
    """As a recovery slot, its seed split `k` of `n`. Reserved: kept, printed again, never written anew."""

    id: SlotId
    k: int
    n: int
    pk: bytes
    enc: bytes
    sealed: bytes

    kind: ClassVar[str] = "share"
    kind_byte: ClassVar[int] = 3

    def to_json(self) -> dict[str, Any]:
        return RecoverySlot(self.id, self.pk, self.enc, self.sealed).to_json() | {
            "k": self.k,
            "kind": self.kind,
            "n": self.n,
        }

    @classmethod
    def from_json(cls, obj: object) -> ShareSlot:
        found = exact_keys(obj, frozenset(("enc", "id", "k", "kind", "n", "pk", "sealed")))
        n = integer(found["n"], 1, 16)
        return cls(
            SlotId(unhex(found["id"], 16)),
            integer(found["k"], 1, n),
            n,
            unb64(found["pk"], PK_SIZE),
            unb64(found["enc"], ENC_SIZE),
            unb64(found["sealed"], SEALED_SIZE),
        )


Slot = PassphraseSlot | RecoverySlot | ShareSlot


def slot_from_json(obj: object) -> Slot:
    """The slot of any known kind. Damaged, or UnknownFormat for another kind."""
    kind = obj.get("kind") if isinstance(obj, dict) else None
    if type(kind) is not str:
        raise Damaged("A way to open the vault does not say of what kind it is.")
    if kind == PassphraseSlot.kind:
        return PassphraseSlot.from_json(obj)
    if kind == RecoverySlot.kind:
        return RecoverySlot.from_json(obj)
    if kind == ShareSlot.kind:
        return ShareSlot.from_json(obj)
    raise UnknownFormat("The vault has a way to open it that this program does not know.")
