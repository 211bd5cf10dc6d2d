"""Checkpoints (FORMAT section 7): a C2SP tlog-checkpoint with two Ed25519 lines: identity and epoch."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from . import canon, note
from .events import INT
from .fault import Fault, sound

MAX_BYTES = 4096
_ORIGIN = re.compile(r"notevault/([0-9a-f]{32})")
_EPOCH = re.compile(rf"/e({INT})")
_SIZE = re.compile(INT)


@dataclass(frozen=True)
class Checkpoint:
    """`origin` is 32 hex digits, `root` 32 bytes. Nothing is verified before `check`."""

    origin: str
    size: int
    root: bytes
    sigs: list[note.Sig]
    epoch: int
    raw: bytes = field(repr=False)


def name_of(origin: str, epoch: int | None = None) -> str:
    """The name of the identity key's line, or of an epoch key's."""
    return f"notevault/{origin}" + ("" if epoch is None else f"/e{epoch}")


def body(origin: str, size: int, root: bytes) -> bytes:
    """The signed text: name, size, root, a line each. ValueError for what no checkpoint can say."""
    text = f"{name_of(origin)}\n{size}\n{base64.b64encode(root).decode('ascii')}\n"
    if not _ORIGIN.fullmatch(name_of(origin)) or not _SIZE.fullmatch(str(size)) or len(root) != 32:
        raise ValueError("an origin is 32 hex digits, a size 0 to 2^53-1, a root 32 bytes")
    return text.encode("ascii")


def make(
    origin: str,
    size: int,
    root: bytes,
    epoch: int,
    sign_identity: note.Sign,
    sign_epoch: note.Sign,
    identity_pub: bytes,
    epoch_pub: bytes,
) -> bytes:
    """A checkpoint's bytes, signed by both keys. ValueError when the result would not parse."""
    text = body(origin, size, root)
    lines = [
        note.line(name_of(origin), identity_pub, sign_identity(text)),
        note.line(name_of(origin, epoch), epoch_pub, sign_epoch(text)),
    ]
    data = note.assemble(text.decode("ascii"), lines)
    sound(parse(data))
    return data


def parse(data: bytes) -> Checkpoint | Fault:
    """Codes of `note.parse`, and EXTENSION, WRONG_ORIGIN, BAD_SIZE, BAD_ROOT, BAD_SIGNERS."""
    if len(data) > MAX_BYTES:
        return Fault("TOO_LARGE", f"a checkpoint of {len(data)} bytes, at most {MAX_BYTES} are allowed")
    signed = note.parse(data)
    if isinstance(signed, Fault):
        return signed
    lines = signed.text.split("\n")
    if len(lines) < 4:
        return Fault("NOT_A_NOTE", "a checkpoint has three lines: name, size, root")
    if len(lines) > 4:
        return Fault("EXTENSION", "a line after the root, which this version has no use for")
    named = _ORIGIN.fullmatch(lines[0])
    if not named:
        return Fault("WRONG_ORIGIN", "the first line is not the name of a notevault log")
    if not _SIZE.fullmatch(lines[1]):
        return Fault("BAD_SIZE", "the size is not a plain decimal number")
    root = canon.unbase64(lines[2], 32)
    if isinstance(root, Fault):
        return Fault("BAD_ROOT", "the root is not 32 bytes of strict base64")
    epoch = _epoch(signed, name_of(named[1]))
    if isinstance(epoch, Fault):
        return epoch
    return Checkpoint(named[1], int(lines[1]), root, signed.sigs, epoch, data)


def check(
    data: bytes,
    identity_pub: bytes,
    epoch_pubs: Mapping[int, bytes],
    verify: note.Verify,
    origin: str | None = None,
) -> Checkpoint | Fault:
    """A checkpoint whose two signatures hold under these keys; of `origin`, where given (else WRONG_ORIGIN).

    Further codes: KEY_ID, BAD_SIGNATURE, UNKNOWN_EPOCH (no key given for the epoch it names).
    """
    found = parse(data)
    if isinstance(found, Fault):
        return found
    if origin is not None and found.origin != origin:
        return Fault("WRONG_ORIGIN", "a checkpoint of another log")
    return check_identity(found, identity_pub, verify) or check_epoch(found, epoch_pubs, verify) or found


def check_identity(found: Checkpoint, identity_pub: bytes, verify: note.Verify) -> Fault | None:
    """The first line alone: it can be judged before the entries, which bring the epoch keys, are read."""
    return _holds(found, name_of(found.origin), identity_pub, verify)


def check_epoch(found: Checkpoint, epoch_pubs: Mapping[int, bytes], verify: note.Verify) -> Fault | None:
    """The second line alone."""
    pub = epoch_pubs.get(found.epoch)
    if pub is None:
        return Fault("UNKNOWN_EPOCH", f"no key is known for epoch {found.epoch}")
    return _holds(found, name_of(found.origin, found.epoch), pub, verify)


def _holds(found: Checkpoint, name: str, pub: bytes, verify: note.Verify) -> Fault | None:
    text = body(found.origin, found.size, found.root).decode("ascii")
    result = note.holds(note.Note(text, found.sigs), name, pub, verify)
    return result if isinstance(result, Fault) else None


def _epoch(signed: note.Note, name: str) -> int | Fault:
    """Exactly two lines of 64-byte signatures: the identity's, then the epoch's."""
    if len(signed.sigs) == 1:
        return Fault("BAD_SIGNERS", "it breaks off: one of its two signatures is there")
    if len(signed.sigs) != 2 or any(len(sig.signature) != 64 for sig in signed.sigs):
        return Fault("BAD_SIGNERS", "a checkpoint has two Ed25519 signatures")
    first, second = signed.sigs
    numbered = _EPOCH.fullmatch(second.name[len(name) :])
    if first.name != name or not second.name.startswith(name) or not numbered:
        return Fault("BAD_SIGNERS", "the signatures are not those of the log's identity and epoch")
    return int(numbered[1])
