"""What a commit will write, worked out and signed before the first byte is written. Pure: no files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from notevault.auditlog import bundle, checkpoint, entry, merkle
from notevault.auditlog.fault import Fault
from notevault.errors import OwnFault
from notevault.storage.layout import BUNDLE
from notevault.storage.logepoch import close_of
from notevault.storage.logread import Tail

Builder = Callable[[int, bytes], bytes]
"""(index, first 16 bytes of the previous leaf hash) -> the entry's bytes."""
MakeCheckpoint = Callable[[int, bytes], bytes]
"""(size, root) -> a signed checkpoint."""


@dataclass(frozen=True)
class Step:
    """A commit within one bundle: bytes to append to `open`, and the state that its checkpoint signs."""

    data: bytes
    after: Tail
    closed_root: bytes | None  # of the bundle that this step fills


def plan(tail: Tail, origin: str, builders: Sequence[Builder], make_checkpoint: MakeCheckpoint) -> list[Step]:
    """The steps of a commit, each but the last ending at a bundle's end. Raises OwnFault for an impossible entry."""
    steps: list[Step] = []
    at = 0
    while at < len(builders):
        count = min(BUNDLE - tail.part.size, len(builders) - at)
        step = _step(tail, origin, builders[at : at + count], make_checkpoint)
        steps.append(step)
        tail = step.after
        at += count
    return steps


def _step(tail: Tail, origin: str, builders: Sequence[Builder], make_checkpoint: MakeCheckpoint) -> Step:
    frontier, part = tail.frontier.copy(), tail.part.copy()
    last16, data = tail.last16, b""

    def built() -> Iterator[bytes]:
        nonlocal last16, data
        for build in builders:
            data = build(frontier.size, last16)
            if not 0 < len(data) <= entry.LIMIT:
                raise OwnFault("An entry of the log would be larger than any may be.")
            leaf = merkle.leaf_hash(data)
            frontier.append(leaf)
            part.append(leaf)
            last16 = leaf[:16]
            yield data

    packed = bundle.pack(built())
    close = close_of(frontier.size - 1, data)
    root = frontier.root()
    signed = checkpoint.parse(make_checkpoint(frontier.size, root))
    if isinstance(signed, Fault) or (signed.origin, signed.size, signed.root) != (origin, frontier.size, root):
        raise OwnFault("The log's signed state came out as another than the one to be signed.")
    if signed.epoch != tail.epoch:
        raise OwnFault("The log was to be signed with the key of another epoch than it is in.")
    full = part.size == BUNDLE
    after = Tail(
        frontier.size,
        root,
        last16,
        tail.epoch + (close is not None),
        0 if full else tail.open_bytes + len(packed),
        signed.raw,
        frontier,
        merkle.Frontier() if full else part,
        None if close is None else tail.epoch,
    )
    return Step(packed, after, part.root() if full else None)
