"""Bringing in what a backup has of a closed log beyond the vault's own copy of it, because somebody asked for it.

    sealed files, durable -> the log's new end and its signed state kept in <local>/backup/bringing/, the plan last
      -> bundles, seals, `open`, **the checkpoint: the commit** -> the plan is removed

A log that grows over the end of a bundle cannot be changed in one step: until its new signed state is there, it reads
as damaged. So the plan comes first; whoever finds it finishes what it says (`bringing.finish`), with nothing but this
laptop.
No key is needed: every entry must continue the vault's, and its signed state must hold under the log's own card.
The log that is being written is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from notevault.auditlog import bundle
from notevault.backup.copies.copies import READ_LIMIT
from notevault.backup.copies.port import Copy, State
from notevault.backup.elsewhere.beyond import Extension, look
from notevault.backup.model import Problem
from notevault.backup.places import layout as place
from notevault.backup.places.ground import Ground
from notevault.backup.source import bringing
from notevault.backup.source.source import Source
from notevault.backup.words.status import counted
from notevault.errors import Damaged, Missing, NotFound, StorageFault
from notevault.storage.layout import BUNDLE
from notevault.storage.local import LocalState
from notevault.storage.lock import writer_lock

BATCH_BYTES, BATCH_FILES = 32 << 20, 1024
Progress = Callable[[int, int], None]
"""Files done, files in all."""
FORKED = (
    "an older log of this vault went on in two ways, each signed; neither can be brought into the other: `notevault"
    " backup restore` brings that one into a folder of its own"
)
KEY_FILE = (
    "from a change of passphrase, recovery sheet or client keys on, it can only be brought back as a whole: `notevault"
    " backup restore` into a folder of its own"
)
NOT_WHOLE = "not all that belongs to it is there (yet)"


@dataclass(frozen=True)
class Offer:
    """What there is of one closed log. `changes` and `files` can be brought in, `left` more changes cannot, `why`."""

    extension: Extension
    state: State | None
    changes: int
    files: int
    left: int
    why: str


@dataclass(frozen=True)
class Brought:
    changes: int = 0
    files: int = 0  # sealed files that were not in the vault
    left: int = 0  # changes that are there and could not be brought in
    problems: tuple[Problem, ...] = ()


def offers(ground: Ground, source: Source, others: Sequence[Copy]) -> list[Offer]:
    """What the others have beyond the vault, that is worth a question. Raises as the copies do."""
    found = [_offer(one) for one in look(ground, source, others, sorted(source.closed))]
    return [one for one in found if one.changes or one.left or one.why]


def _offer(one: Extension) -> Offer:
    state = one.state()
    changes = 0 if state is None else one.changes(state.size)
    files = 0 if state is None else len(one.files(state.size))
    left = one.changes() - changes
    why = ""
    if one.forked:
        why = FORKED
    elif one.facts is None:
        why = NOT_WHOLE
    elif left:  # what was opened and locked after the last change is not missed
        why = KEY_FILE if one.most < one.size and one.limit() == one.most else NOT_WHOLE
    return Offer(one, state, changes, files, left, why)


def bring_in(
    ground: Ground,
    source: Source,
    others: Sequence[Copy],
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Brought:
    """All that can be brought in from these copies. Interrupted, the next call goes on.

    Raises Busy, DiskFull, CannotWrite, StorageFault; then the vault is as it was, or `bringing.finish` completes it.
    """
    bringing.apply(ground)
    bringing.tidy(ground)
    changes = files = left = 0
    problems: list[Problem] = []
    for one in [offer.extension for offer in offers(ground, source, others)]:
        state, count = None, 0
        if _offer(one).changes and not stop():
            try:
                state, count = _bring(ground, one, progress, stop)
            except Damaged as fault:
                problems.append(Problem("BRING_IN", "", fault.sentence))
        brought = 0 if state is None else one.changes(state.size)
        rest, why = one.changes() - brought, _offer(one).why  # files found wrong meanwhile are known now
        changes, files, left = changes + brought, files + count, left + rest
        if why:
            words = f"{counted(rest, 'change')} could not be brought in: " if rest else ""
            problems.append(Problem("LEFT", "", f"{words}{why}"))
    return Brought(changes, files, left, tuple(problems))


def _bring(
    ground: Ground, one: Extension, progress: Progress | None, stop: Callable[[], bool]
) -> tuple[State | None, int]:
    """The state that was brought in, and how many files for it. A file found wrong leads to an older state."""
    while True:
        state = one.state()
        if state is None or stop():
            return None, 0
        try:
            count = _files(ground, one, state, progress, stop)
        except Missing:
            continue
        if count is None:
            return None, 0
        _log(ground, one, state)
        return state, count


def _files(
    ground: Ground, one: Extension, state: State, progress: Progress | None, stop: Callable[[], bool]
) -> int | None:
    """All sealed files of the state, read, hashed, durable; how many were new. None: stopped. Raises Missing."""
    local = LocalState(ground.files, ground.local)
    todo = sorted((digest.hex(), size) for digest, (size, _) in one.files(state.size).items())
    there = sum(ground.files.size(ground.vault / place.blob(digest)) is not None for digest, _ in todo)
    batch: list[tuple[str, bytes]] = []
    weight = 0

    def write() -> None:
        nonlocal batch, weight
        ready = [(ground.vault / place.blob(digest), data) for digest, data in batch]
        with writer_lock(ground.files, local):
            for folder in {path.parent for path, _ in ready}:
                ground.files.make_folder(folder)
            ground.files.create_batch(ready)
        batch, weight = [], 0

    for done, (digest, size) in enumerate(todo):
        if stop():
            return None
        if progress is not None:
            progress(done, len(todo))
        if size > READ_LIMIT:
            _large(ground, local, one, digest, size)
            continue
        batch.append((digest, one.copies.read(digest, size)))
        weight += size
        if weight >= BATCH_BYTES or len(batch) >= BATCH_FILES:
            write()
    write()
    return len(todo) - there


def _large(ground: Ground, local: LocalState, one: Extension, digest: str, size: int) -> None:
    path = ground.vault / place.blob(digest)
    with writer_lock(ground.files, local):
        ground.files.make_folder(path.parent)
        for pieces in one.copies.tries(digest, size):
            try:
                ground.files.create(path, pieces)
            except (Damaged, NotFound, StorageFault):
                continue
            return
    raise Missing(
        "A saved file is in none of the copies as it was saved.",
        "Name another copy of the vault with a further --from, if there is one.",
    )


def _log(ground: Ground, one: Extension, state: State) -> None:
    """The log's new end: first kept beside, then put in its place."""
    assert one.facts is not None
    first, number = bringing.first_of(one.ours.size), state.size // BUNDLE
    bundles = {at: bundle.pack(one.facts.log.bundle(at)) for at in range(first, number)}
    rest = state.size % BUNDLE
    opened = bundle.pack(one.facts.log.bundle(number)[:rest]) if rest else b""
    seals = {
        close.epoch: data
        for close in one.facts.closes
        if close.index + 1 < state.size and (data := one.seal(close.epoch)) is not None
    }
    plan = bringing.Plan(one.origin, one.ours, state.size, state.root)
    bringing.keep(ground, plan, bundles, opened, seals, state.checkpoint)
    bringing.apply(ground)
