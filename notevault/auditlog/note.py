"""C2SP signed notes: a text, an empty line, and lines `— <name> <b64(key id 4 ‖ signature)>`. Ed25519 keys only.

The algorithm byte tells what is signed: 0x01 the text itself, 0x04 a witness's cosignature (`cosign`).

Text = UTF-8 without control characters but the newline, ending in one. Name = no spaces, no `+`.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from . import canon
from .fault import Fault

Verify = Callable[[bytes, bytes, bytes], bool]  # public key, message, signature
Sign = Callable[[bytes], bytes]

ED25519 = b"\x01"  # the algorithm byte of the key id
COSIGNATURE = b"\x04"  # C2SP tlog-cosignature: Ed25519 over a time and the text
MAX_BYTES = 65536  # far above any note of ours; a checkpoint has its own, lower limit
MAX_LINES = 16  # signatures; ours have two, witnesses may add some
_DASH = "\u2014 "
_PRIVATE = "PRIVATE+KEY+"
_MAX_KEY = 1024  # characters of a key's text: nearly all of it would be its name


@dataclass(frozen=True)
class Sig:
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class Note:
    """A parsed note; `text` ends with a newline and is what the signatures cover. Nothing is verified yet."""

    text: str
    sigs: list[Sig]


def key_id(name: str, pub: bytes, algorithm: bytes = ED25519) -> bytes:
    """4 bytes that tell keys of one name apart."""
    return hashlib.sha256(name.encode() + b"\n" + algorithm + pub).digest()[:4]


def verifier_key(name: str, pub: bytes, algorithm: bytes = ED25519) -> str:
    """The key in the text form that Go's `sumdb/note` reads: name+hex(key id)+b64(algorithm ‖ key). ValueError for a
    name that a note cannot carry.
    """
    _must(name)
    return f"{name}+{key_id(name, pub, algorithm).hex()}+{base64.b64encode(algorithm + pub).decode('ascii')}"


def parse_verifier_key(text: str, algorithm: bytes = ED25519) -> tuple[str, bytes] | Fault:
    """Name and public key of what `verifier_key` printed, of this algorithm. Code BAD_KEY."""
    found = _key_text(text, algorithm)
    if isinstance(found, Fault):
        return found
    name, named_id, pub = found
    if named_id != key_id(name, pub, algorithm).hex():
        return Fault("BAD_KEY", "the key's id does not belong to its name and key: a letter may be wrong")
    return name, pub


def signer_key(name: str, seed: bytes, pub: bytes, algorithm: bytes = ED25519) -> str:
    """The secret key as text: PRIVATE+KEY+name+hex(key id)+b64(algorithm ‖ seed). ValueError as `verifier_key`."""
    _must(name)
    return f"{_PRIVATE}{name}+{key_id(name, pub, algorithm).hex()}+{base64.b64encode(algorithm + seed).decode('ascii')}"


def parse_signer_key(
    text: str, public: Callable[[bytes], bytes], algorithm: bytes = ED25519
) -> tuple[str, bytes, bytes] | Fault:
    """Name, seed and public key of what `signer_key` printed; `public` gives the public key of a seed. Code BAD_KEY."""
    if not text.startswith(_PRIVATE):
        return Fault("BAD_KEY", "not a secret key: it does not begin with PRIVATE+KEY+")
    found = _key_text(text[len(_PRIVATE) :], algorithm)
    if isinstance(found, Fault):
        return found
    name, named_id, seed = found
    pub = public(seed)
    if named_id != key_id(name, pub, algorithm).hex():
        return Fault("BAD_KEY", "the key's id does not belong to its name and key: a letter may be wrong")
    return name, seed, pub


def line(name: str, pub: bytes, signature: bytes, algorithm: bytes = ED25519) -> str:
    """One signature line with its newline. ValueError for a name that a note cannot carry."""
    _must(name)
    return f"{_DASH}{name} {base64.b64encode(key_id(name, pub, algorithm) + signature).decode('ascii')}\n"


def assemble(text: str, lines: Iterable[str]) -> bytes:
    """The note's bytes. ValueError for a text that a note cannot carry."""
    if not _good_text(text):
        raise ValueError("a note's text ends with a newline and holds no other control character")
    return f"{text}\n{''.join(lines)}".encode()


def parse(data: bytes) -> Note | Fault:
    """Text and signature lines; they print again to the same bytes. Codes TOO_LARGE, NOT_TEXT, NOT_A_NOTE, BAD_LINE."""
    if len(data) > MAX_BYTES:
        return Fault("TOO_LARGE", f"a note of {len(data)} bytes, at most {MAX_BYTES} are allowed")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        return Fault("NOT_TEXT", "bytes that are not UTF-8")
    body, gap, tail = whole.rpartition("\n\n")
    text = body + "\n"
    if not data:
        return Fault("NOT_A_NOTE", "there is nothing in it: zero bytes")
    if not whole.endswith("\n"):
        return Fault("NOT_A_NOTE", "it breaks off in the middle of a line")
    if not gap or not tail or not _good_text(text):
        return Fault("NOT_A_NOTE", "it is not a text, an empty line and signatures: cut off, or of another kind")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_LINES:
        return Fault("TOO_LARGE", f"more than {MAX_LINES} signatures")
    sigs: list[Sig] = []
    for number, one in enumerate(lines, 1):
        sig = _sig(one)
        if isinstance(sig, Fault):
            return sig.at(f"signature line {number}")
        sigs.append(sig)
    return Note(text, sigs)


def holds(note: Note, name: str, pub: bytes, verify: Verify) -> Sig | Fault:
    """The line of that name, its signature verified with `pub`. Codes BAD_SIGNERS (no such line), KEY_ID,
    BAD_SIGNATURE.
    """
    named = [sig for sig in note.sigs if sig.name == name]
    if not named:
        return Fault("BAD_SIGNERS", "no signature of that name", name)
    keyed = [sig for sig in named if sig.key_id == key_id(name, pub)]
    if not keyed:
        return Fault("KEY_ID", "the signature names another key", name)
    for sig in keyed:
        if len(sig.signature) == 64 and verify(pub, note.text.encode(), sig.signature):
            return sig
    return Fault("BAD_SIGNATURE", "the signature does not hold", name)


def _sig(text: str) -> Sig | Fault:
    name, space, value = text[len(_DASH) :].partition(" ")
    if not text.startswith(_DASH) or not space or not _good_name(name):
        return Fault("BAD_LINE", "not a signature line")
    data = canon.unbase64(value)
    if isinstance(data, Fault):
        return Fault("BAD_LINE", "the signature is not strict base64")
    if len(data) < 5:
        return Fault("BAD_LINE", "a signature line holds a key id and a signature")
    return Sig(name, data[:4], data[4:])


def _key_text(text: str, algorithm: bytes) -> tuple[str, str, bytes] | Fault:
    """Name, key id as written, 32 bytes. The last part may itself hold plus signs: they are base64."""
    parts = text.split("+", 2)
    if len(text) > _MAX_KEY or len(parts) != 3 or not _good_name(parts[0]):
        return Fault("BAD_KEY", "not a key: it has three parts, name+id+key")
    data = canon.unbase64(parts[2], 33)
    if isinstance(data, Fault):
        return Fault("BAD_KEY", "the last part is not 33 bytes of strict base64")
    if data[:1] != algorithm:
        return Fault("BAD_KEY", f"a key of kind {data[0]} where one of kind {algorithm[0]} is due")
    return parts[0], parts[1], data[1:]


def _must(name: str) -> None:
    if not _good_name(name):
        raise ValueError("a key name holds no spaces and no plus sign")


def _good_name(name: str) -> bool:
    return (
        bool(name)
        and "+" not in name
        and not any(ch.isspace() or unicodedata.category(ch) in ("Cc", "Cs") for ch in name)  # Cs: UTF-8 has no bytes
    )


def _good_text(text: str) -> bool:
    return len(text) > 1 and text.endswith("\n") and not any(ch < " " and ch != "\n" for ch in text)
