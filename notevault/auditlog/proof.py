"""Offline proofs (FORMAT 7.4): one entry, the way from it to a log's root, and the checkpoint that signs the root.

A text in the form of C2SP tlog-proof v1; the entry's bytes are its `extra`. Whoever holds the log's identity key needs
nothing else to check it: neither the log nor a passphrase. It shows what one entry says and nothing of the others.
Where the checkpoint carries cosignatures, it shows besides that witnesses saw the state in which the entry lies.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import canon, checkpoint, cosign, ed25519, merkle, stored
from .bundle import ENTRIES
from .entry import LIMIT
from .events import INT
from .fault import Fault
from .folder import Read
from .note import Verify

HEAD = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63  # a tree of 2^63 leaves has no longer way
MAX_BYTES = 49152  # 16 KiB of entry in base64, 63 hashes and a cosigned checkpoint of 16 KiB are 41.2 KB
_INDEX = re.compile(rf"index ({INT})")


@dataclass(frozen=True)
class Proof:
    """`path` leads from the entry's hash to the root, its neighbour first. `signed` are the bytes of `checkpoint` with
    its cosignatures, if any (for `cosign.parse`). Nothing is verified before `check`.
    """

    index: int
    entry: bytes
    path: tuple[bytes, ...]
    checkpoint: checkpoint.Checkpoint
    signed: bytes = field(repr=False)


def make(read: Read, index: int, signed: bytes | None = None) -> str | Fault:
    """The proof of entry `index` of the log that `read` gives, under its checkpoint, or under the one in `signed`:
    an older one of the same log will do (a seal, an anchor), and a cosigned one.

    In memory are the roots of the bundles, 32 bytes each, and one bundle. They are read from `hashes` where that gives
    the signed root, else computed from the entries. Codes BAD_INDEX (the checkpoint does not cover that entry),
    WRONG_ROOT (these are not the signed entries), those of `checkpoint.parse` and `stored.entries_of`.
    """
    if signed is None:
        own = stored.signed(read)
        if isinstance(own, Fault):
            return own
        signed = own.raw
    state = _state(signed)
    if isinstance(state, Fault):
        return state
    if not 0 <= index < state.size:
        return Fault("BAD_INDEX", f"there is no entry {index} among the {state.size} signed ones")
    entries = stored.entries_of(read, state.size, index // ENTRIES)
    if isinstance(entries, Fault):
        return entries
    roots = bundle_roots(read, state)
    if isinstance(roots, Fault):
        return roots
    leaves = [merkle.leaf_hash(one) for one in entries]
    path = inclusion(roots, leaves, index)
    if not merkle.check_inclusion(path, state.size, state.root, index, leaves[index % ENTRIES]):
        return Fault("WRONG_ROOT", "the entries are not the signed ones")
    return dump(Proof(index, entries[index % ENTRIES], tuple(path), state, signed))


def inclusion(roots: Sequence[bytes], leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The way from leaf `index` to the root, of a tree given by the roots of all its bundles, the begun last one's
    too, and the leaf hashes of the bundle that holds `index`. IndexError outside.

    A tree of bundles is split at the same places as the tree of their leaves, since its bundles have 2^8 leaves each.
    """
    inner = merkle.prove_inclusion(leaves, index % ENTRIES)
    return inner + merkle.prove_inclusion(roots, index // ENTRIES)


def bundle_roots(read: Read, state: checkpoint.Checkpoint) -> list[bytes] | Fault:
    """Roots of all bundles that the checkpoint covers, the begun one's too; they give its root, else WRONG_ROOT."""
    full, rest = divmod(state.size, ENTRIES)
    last: list[bytes] = []
    if rest:
        found = _bundle_root(read, state.size, full)
        if isinstance(found, Fault):
            return found
        last = [found]
    cache = read("hashes")
    if isinstance(cache, bytes) and len(cache) >= full * merkle.SIZE:
        roots = [cache[at : at + merkle.SIZE] for at in range(0, full * merkle.SIZE, merkle.SIZE)] + last
        if merkle.root(roots) == state.root:
            return roots
    roots = []
    for number in range(full):
        found = _bundle_root(read, state.size, number)
        if isinstance(found, Fault):
            return found
        roots.append(found)
    roots += last
    return roots if merkle.root(roots) == state.root else Fault("WRONG_ROOT", "the entries are not the signed ones")


def _bundle_root(read: Read, size: int, number: int) -> bytes | Fault:
    found = stored.entries_of(read, size, number)
    return found if isinstance(found, Fault) else merkle.root([merkle.leaf_hash(data) for data in found])


def dump(proof: Proof) -> str:
    """The proof's text. ValueError when it would not read again."""
    path = [_b64(step) for step in proof.path]
    head = [HEAD, f"extra {_b64(proof.entry)}", f"index {proof.index}", *path]
    text = "\n".join(head) + "\n\n" + proof.signed.decode()
    if parse(text) != proof:
        raise ValueError("not a proof that can be written")
    return text


def parse(text: str | bytes) -> Proof | Fault:
    """A proof that prints again to the same bytes. Codes TOO_LARGE, NOT_TEXT, NOT_A_PROOF, BAD_INDEX, and those of
    `checkpoint.parse`.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        return Fault("TOO_LARGE", f"a proof of {len(data)} bytes, at most {MAX_BYTES} are allowed")
    head, gap, signed = data.partition(b"\n\n")
    if not gap or not head.startswith(HEAD.encode() + b"\n"):
        return Fault("NOT_A_PROOF", "it does not begin like a proof of this version")
    try:
        lines = head.decode("ascii").split("\n")
        signed.decode("utf-8")
    except UnicodeDecodeError:
        return Fault("NOT_TEXT", "bytes that are not text")
    if len(lines) < 3:
        return Fault("NOT_A_PROOF", "no entry and no index")
    word, _, value = lines[1].partition(" ")
    entry = canon.unbase64(value)
    if word != "extra" or isinstance(entry, Fault) or not 0 < len(entry) <= LIMIT:
        return Fault("NOT_A_PROOF", "the second line does not hold an entry")
    index = _INDEX.fullmatch(lines[2])
    if not index:
        return Fault("NOT_A_PROOF", "the third line is not an index")
    if len(lines) - 3 > MAX_HASHES:
        return Fault("NOT_A_PROOF", f"more than {MAX_HASHES} hashes")
    path: list[bytes] = []
    for number, line in enumerate(lines[3:], 4):
        step = canon.unbase64(line, merkle.SIZE)
        if isinstance(step, Fault):
            return Fault("NOT_A_PROOF", "not a hash of 32 bytes in strict base64", f"line {number}")
        path.append(step)
    state = _state(signed)
    if isinstance(state, Fault):
        return state.at("the signed state")
    if int(index[1]) >= state.size:
        return Fault("BAD_INDEX", f"there is no entry {index[1]} among the {state.size} signed ones")
    return Proof(int(index[1]), entry, tuple(path), state, signed)


def check(
    proof: Proof, identity_pub: bytes, verify: Verify = ed25519.verify, origin: str | None = None
) -> checkpoint.Checkpoint | Fault:
    """The checkpoint that proves the entry; of `origin`, where given (else WRONG_ORIGIN).

    The identity key's line must hold: it alone shows that the log's owner signed this state. The epoch key's line needs
    the log's entries to be judged and is not looked at. Codes BAD_PROOF (the way does not lead to the root), and those
    of `checkpoint.check_identity`.
    """
    state = proof.checkpoint
    if origin is not None and state.origin != origin:
        return Fault("WRONG_ORIGIN", "a proof from another log")
    leaf = merkle.leaf_hash(proof.entry)
    if not merkle.check_inclusion(proof.path, state.size, state.root, proof.index, leaf):
        return Fault("BAD_PROOF", "the entry is not the one that was signed at this place")
    return checkpoint.check_identity(state, identity_pub, verify) or state


def _state(signed: bytes) -> checkpoint.Checkpoint | Fault:
    """The checkpoint in these bytes, without its cosignatures where it has some."""
    found = checkpoint.parse(signed)
    if not isinstance(found, Fault):
        return found
    cosigned = cosign.parse(signed)
    return found if isinstance(cosigned, Fault) else cosigned.checkpoint


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
