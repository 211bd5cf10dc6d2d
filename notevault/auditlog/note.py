"""C2SP signed notes: a text, an empty line, and lines `— <name> <b64(key id 4 ‖ signature)>`. Ed25519 keys only.

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
MAX_BYTES = 65536  # far above any note of ours; a checkpoint has its own, lower limit
MAX_LINES = 16  # signatures; ours have two, witnesses may add some
_DASH = "\u2014 "


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


def key_id(name: str, pub: bytes) -> bytes:
    """4 bytes that tell keys of one name apart."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + pub).digest()[:4]


def verifier_key(name: str, pub: bytes) -> str:
    """The key in the text form that Go's `sumdb/note` reads: name+hex(key id)+b64(0x01 ‖ key)."""
    return f"{name}+{key_id(name, pub).hex()}+{base64.b64encode(ED25519 + pub).decode('ascii')}"


def line(name: str, pub: bytes, signature: bytes) -> str:
    """One signature line with its newline. ValueError for a name that a note cannot carry."""
    if not _good_name(name):
        raise ValueError("a key name holds no spaces and no plus sign")
    return f"{_DASH}{name} {base64.b64encode(key_id(name, pub) + signature).decode('ascii')}\n"


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
    if not gap or not tail.endswith("\n") or not _good_text(text):
        return Fault("NOT_A_NOTE", "no text, empty line and signatures")
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


def _good_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(ch.isspace() or unicodedata.category(ch) == "Cc" for ch in name)


def _good_text(text: str) -> bool:
    return len(text) > 1 and text.endswith("\n") and not any(ch < " " and ch != "\n" for ch in text)
