"""Cosigned checkpoints (FORMAT 7.2): C2SP tlog-cosignature lines of witnesses behind the log's own two lines.

A witness says with it: at this time, this was the largest state of the log that I saw, and it continued all before.
Signed is a line "cosignature/v1", a line "time <seconds since 1970>" and the checkpoint's text; the witness's line
holds key id 4 ‖ time u64 ‖ Ed25519 signature 64. Keys as text: `name+id+key`, the secret `PRIVATE+KEY+name+id+seed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from . import checkpoint, note
from .fault import Fault, sound
from .outcome import Seen

MAX_BYTES = 16384
MAX_COSIGNATURES = note.MAX_LINES - 2
MAX_TIME = (2**53 - 1) // 1000  # seconds: in milliseconds still a number that every JSON reader keeps


@dataclass(frozen=True)
class Witness:
    """Somebody who cosigns, by name and public key (32 bytes)."""

    name: str
    pub: bytes


@dataclass(frozen=True)
class Signer:
    """A witness with its secret."""

    name: str
    pub: bytes
    seed: bytes = field(repr=False)

    @property
    def witness(self) -> Witness:
        return Witness(self.name, self.pub)


@dataclass(frozen=True)
class Cosignature:
    """One witness's line, not verified yet; `time_s` in seconds since 1970, -1 for a line of another length: of another
    kind of key, and nobody's business unless it names a key that is known.
    """

    name: str
    key_id: bytes
    time_s: int
    signature: bytes


@dataclass(frozen=True)
class Cosigned:
    """A checkpoint (its `raw` is without the cosignatures) and 1 to 14 cosignatures. Nothing is verified yet."""

    checkpoint: checkpoint.Checkpoint
    cosignatures: list[Cosignature]
    raw: bytes = field(repr=False)


def message(text: bytes, time_s: int) -> bytes:
    """What a witness signs; `text` is `checkpoint.body`."""
    return b"cosignature/v1\ntime %d\n" % time_s + text


def make(checkpoint_bytes: bytes, name: str, pub: bytes, sign: note.Sign, time_s: int) -> bytes:
    """The checkpoint with one cosignature more; those it has already stay. ValueError when the result would not parse,
    or for bytes that are no checkpoint, cosigned or not.
    """
    if not 0 <= time_s <= MAX_TIME:
        raise ValueError("a time is given in seconds since 1970")
    cosigned = parse(checkpoint_bytes)
    found = sound(checkpoint.parse(checkpoint_bytes)) if isinstance(cosigned, Fault) else cosigned.checkpoint
    signature = sign(message(_text(found), time_s))
    data = checkpoint_bytes + note.line(name, pub, time_s.to_bytes(8, "big") + signature, note.COSIGNATURE).encode()
    sound(parse(data))
    return data


def parse(data: bytes) -> Cosigned | Fault:
    """Codes of `checkpoint.parse`; BAD_SIGNERS without any line of a witness. Theirs may be of any kind (C2SP)."""
    if len(data) > MAX_BYTES:
        return Fault("TOO_LARGE", f"a cosigned checkpoint of {len(data)} bytes, at most {MAX_BYTES} are allowed")
    whole = note.parse(data)
    if isinstance(whole, Fault):
        return whole
    if len(whole.sigs) < 3:
        plain = checkpoint.parse(data)
        return plain if isinstance(plain, Fault) else Fault("BAD_SIGNERS", "no witness has signed this checkpoint")
    head, gap, tail = data.rpartition(b"\n\n")
    lines = tail.split(b"\n")[:2]
    found = checkpoint.parse(head + gap + b"".join(one + b"\n" for one in lines))
    if isinstance(found, Fault):
        return found
    cosignatures: list[Cosignature] = []
    for sig in whole.sigs[2:]:
        time_s = int.from_bytes(sig.signature[:8], "big") if len(sig.signature) == 72 else -1
        cosignatures.append(Cosignature(sig.name, sig.key_id, time_s, sig.signature[8:]))
    return Cosigned(found, cosignatures, data)


def check(cosigned: Cosigned, witnesses: Iterable[Witness], verify: note.Verify) -> list[tuple[str, int]] | Fault:
    """Name and time (s) of each cosignature of these witnesses, in the order of the lines.

    Lines of others are passed over. One that names a given key and does not hold spoils all (BAD_SIGNATURE, BAD_TIME,
    BAD_SIGNERS for another length); none at all is BAD_SIGNERS. The log's own signatures are for
    `checkpoint.check_identity`, or use `seen`.
    """
    keys = {(one.name, note.key_id(one.name, one.pub, note.COSIGNATURE)): one.pub for one in witnesses}
    held: list[tuple[str, int]] = []
    for sig in cosigned.cosignatures:
        pub = keys.get((sig.name, sig.key_id))
        if pub is None:
            continue
        if sig.time_s < 0:
            return Fault("BAD_SIGNERS", "a cosignature holds a time and 64 bytes", sig.name)
        if sig.time_s > MAX_TIME:
            return Fault("BAD_TIME", "a time beyond all reckoning", sig.name)
        if not verify(pub, message(_text(cosigned.checkpoint), sig.time_s), sig.signature):
            return Fault("BAD_SIGNATURE", "the cosignature does not hold", sig.name)
        held.append((sig.name, sig.time_s))
    return held or Fault("BAD_SIGNERS", "none of the witnesses you named has signed this")


def seen(
    data: bytes, origin: str, identity_pub: bytes, witnesses: Iterable[Witness], verify: note.Verify
) -> list[Seen] | Fault:
    """A cosigned checkpoint's file, as states seen by witnesses: everything checked, the log's identity line too.

    Codes of `parse`, WRONG_ORIGIN, of `checkpoint.check_identity` and of `check`.
    """
    found = parse(data)
    if isinstance(found, Fault):
        return found
    head = found.checkpoint
    if head.origin != origin:
        return Fault("WRONG_ORIGIN", "a cosigned checkpoint of another log")
    fault = checkpoint.check_identity(head, identity_pub, verify)
    if fault:
        return fault
    held = check(found, witnesses, verify)
    if isinstance(held, Fault):
        return held
    return [Seen(origin, head.size, head.root, f"witness {name}", time_s * 1000) for name, time_s in held]


def witness_text(witness: Witness) -> str:
    """The witness's key for others, one line without newline. ValueError for a name that a note cannot carry."""
    return note.verifier_key(witness.name, witness.pub, note.COSIGNATURE)


def parse_witness(text: str) -> Witness | Fault:
    """The inverse of `witness_text`. Code BAD_KEY."""
    found = note.parse_verifier_key(text, note.COSIGNATURE)
    return found if isinstance(found, Fault) else Witness(*found)


def signer_text(signer: Signer) -> str:
    """The witness's secret key, one line without newline. ValueError as `witness_text`."""
    return note.signer_key(signer.name, signer.seed, signer.pub, note.COSIGNATURE)


def parse_signer(text: str, public: Callable[[bytes], bytes]) -> Signer | Fault:
    """The inverse of `signer_text`; `public` gives the public key of a seed. Code BAD_KEY, which quotes nothing."""
    found = note.parse_signer_key(text, public, note.COSIGNATURE)
    return found if isinstance(found, Fault) else Signer(found[0], found[2], found[1])


def _text(found: checkpoint.Checkpoint) -> bytes:
    return checkpoint.body(found.origin, found.size, found.root)
