"""A closed log's new end, kept in `<local>/backup/bringing/` until it is in its place (FORMAT.md section 13.2).

    plan          canonical JSON + newline: origin, ours [size, root], state [size, root], v 1; written last
    checkpoint open         as in the vault; `open` is empty where the state ends with a full bundle
    bundle-<n>  seal-<n>    full bundles from the first that grows on, seals

Read again and proven before it is used: the vault's own entries and these must give the signed root, and the root that
the vault's copy had at its size. So a plan that somebody laid there changes nothing but what he could change anyway.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from notevault.auditlog import bundle, checkpoint, ed25519, merkle
from notevault.auditlog import card as cards
from notevault.auditlog.fault import Fault
from notevault.backup.model import Head
from notevault.backup.places.ground import Ground
from notevault.errors import Busy, Damaged, NotevaultError, NotFound
from notevault.formats import text
from notevault.storage.layout import BUNDLE, VaultPaths, make_lasting_folder
from notevault.storage.local import LocalState
from notevault.storage.lock import writer_lock

FOLDER, PLAN = "bringing", "plan"
_LIMIT = 4096


@dataclass(frozen=True)
class Plan:
    """The log `origin` grows from `ours` to `size` entries with this root."""

    origin: str
    ours: Head
    size: int
    root: bytes

    def encode(self) -> bytes:
        ours, state = [self.ours.size, self.ours.root.hex()], [self.size, self.root.hex()]
        return text.canonical({"origin": self.origin, "ours": ours, "state": state, "v": 1}) + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Plan:
        """Raises Damaged."""
        found = text.parse_canonical(data, limit=_LIMIT, newline=True)
        text.exact_keys(found, frozenset({"origin", "ours", "state", "v"}))
        text.integer(found["v"], 1, 1)
        for pair in (found["ours"], found["state"]):
            if type(pair) is not list or len(pair) != 2:
                raise Damaged("What was to be brought into the vault does not read.")
        ours = Head(text.integer(found["ours"][0]), text.unhex(found["ours"][1], 32))
        size, root = text.integer(found["state"][0]), text.unhex(found["state"][1], 32)
        if not ours.size < size < 10**12:
            raise Damaged("What was to be brought into the vault does not read.")
        return cls(text.unhex(found["origin"], 16).hex(), ours, size, root)


def first_of(ours: int) -> int:
    """The first bundle that is kept: where the vault's last entry lies. A full one may still be called `open` there."""
    return max(0, ours - 1) // BUNDLE


def keep(
    ground: Ground,
    plan: Plan,
    bundles: Mapping[int, bytes],
    opened: bytes,
    seals: Mapping[int, bytes],
    signed: bytes,
) -> None:
    """Durable; the plan last. Raises Busy where another one is not finished."""
    folder = ground.places.root / FOLDER
    files = {"checkpoint": signed, "open": opened}
    files |= {f"bundle-{number}": data for number, data in bundles.items()}
    files |= {f"seal-{number}": data for number, data in seals.items()}
    with _locked(ground):
        if ground.files.size(folder / PLAN) is not None:
            raise Busy("Another notevault is bringing something into this vault.", "Wait a moment, and try again.")
        _clear(ground)
        make_lasting_folder(ground.files, folder)
        ground.files.create_batch((folder / name, data) for name, data in files.items())
        ground.files.create(folder / PLAN, plan.encode())


def tidy(ground: Ground) -> None:
    """Without a plan, what lies there is the rest of a beginning or of an end."""
    folder = ground.places.root / FOLDER
    if ground.files.names(folder):
        with _locked(ground):
            if ground.files.size(folder / PLAN) is None:
                _clear(ground)


def _locked(ground: Ground) -> AbstractContextManager[None]:
    return writer_lock(ground.files, LocalState(ground.files, ground.local))


def _clear(ground: Ground) -> None:
    """The plan first: without it the rest means nothing."""
    folder = ground.places.root / FOLDER
    ground.files.remove(folder / PLAN)
    for name in ground.files.names(folder):
        ground.files.remove(folder / name)


@dataclass(frozen=True)
class _Kept:
    plan: Plan
    bundles: dict[int, bytes]
    opened: bytes
    seals: dict[int, bytes]
    signed: bytes


def apply(ground: Ground) -> bool:
    """Put what is kept in its place; False where nothing is. May be cut off anywhere and called again.

    Raises Busy, DiskFull, CannotWrite, StorageFault; Damaged where it does not fit the vault (any more).
    """
    folder = ground.places.root / FOLDER
    if ground.files.size(folder / PLAN) is None:
        return False
    local = LocalState(ground.files, ground.local)
    with _locked(ground):
        if ground.files.size(folder / PLAN) is None:
            return False  # another process has finished it meanwhile
        try:
            kept = _read(ground, folder)
            _go(ground, local, kept)
        except (Damaged, NotFound) as fault:
            for name in (PLAN, *ground.files.names(folder)):
                with contextlib.suppress(NotFound):
                    local.set_aside_file(folder / name)
            if isinstance(fault, Damaged):
                raise
            raise Damaged("A part of the vault's own log is gone; nothing was brought in.") from None
        _clear(ground)
    return True


def _go(ground: Ground, local: LocalState, kept: _Kept) -> None:
    paths, plan = VaultPaths(ground.vault), kept.plan
    now = checkpoint.parse(ground.files.read(paths.checkpoint(plan.origin), limit=checkpoint.MAX_BYTES))
    there = None if isinstance(now, Fault) else Head(now.size, now.root)
    if there != Head(plan.size, plan.root):
        if there != plan.ours:
            raise Damaged("The vault has changed meanwhile; nothing was brought in.", "Try it again.")
        _prove(ground, paths, kept)
        _fits(ground, local, paths, kept)
        _put(ground, local, paths, kept)
    if not plan.size % BUNDLE:
        ground.files.remove(paths.open(plan.origin))  # its entries are in a bundle now


def _read(ground: Ground, folder: Path) -> _Kept:
    def read(name: str, limit: int = bundle.MAX_BYTES) -> bytes:
        return ground.files.read(folder / name, limit=limit)

    plan = Plan.decode(read(PLAN, _LIMIT))
    first, end = first_of(plan.ours.size), plan.size // BUNDLE
    seals = {
        int(name[5:]): read(name, checkpoint.MAX_BYTES)
        for name in ground.files.names(folder)
        if name.startswith("seal-") and name[5:].isdecimal()
    }
    bundles = {number: read(f"bundle-{number}") for number in range(first, end)}
    return _Kept(plan, bundles, read("open"), seals, read("checkpoint", checkpoint.MAX_BYTES))


def _prove(ground: Ground, paths: VaultPaths, kept: _Kept) -> None:
    """Both roots from the entries, the signature under the vault's own card. Raises Damaged."""
    plan = kept.plan
    wrong = Damaged("What was to be brought into the vault does not continue it; nothing was changed.")
    frontier, first = merkle.Frontier(), first_of(plan.ours.size)
    roots: dict[int, bytes] = {}
    pieces = [*sorted(kept.bundles.items()), (plan.size // BUNDLE, kept.opened)]
    earlier = ((at, ground.files.read(paths.bundle(plan.origin, at), limit=bundle.MAX_BYTES)) for at in range(first))
    for _, data in (*earlier, *pieces):
        entries = bundle.split(data) if data else []
        if isinstance(entries, Fault):
            raise wrong
        for each in entries:
            frontier.append(merkle.leaf_hash(each))
            if frontier.size in (plan.ours.size, plan.size):
                roots[frontier.size] = frontier.root()
    roots.setdefault(0, merkle.EMPTY_ROOT)
    if frontier.size != plan.size or roots.get(plan.size) != plan.root or roots.get(plan.ours.size) != plan.ours.root:
        raise wrong
    card = cards.parse(ground.files.read(paths.card(plan.origin), limit=cards.MAX_BYTES))
    signed = checkpoint.parse(kept.signed)
    if isinstance(card, Fault) or isinstance(signed, Fault) or card.origin != plan.origin:
        raise wrong
    if (signed.origin, signed.size, signed.root) != (plan.origin, plan.size, plan.root):
        raise wrong
    if checkpoint.check_identity(signed, card.identity_pub, ed25519.verify) is not None:
        raise wrong


def _fits(ground: Ground, local: LocalState, paths: VaultPaths, kept: _Kept) -> None:
    """Nothing else lies where something is to be put, and it is not the log that is written. Raises Damaged."""
    head = local.read_head()
    if head is not None and head.origin == kept.plan.origin:
        raise Damaged(
            "That log may still be written to on this laptop; nothing was brought in.", "Open notevault once."
        )
    todo = {paths.seal(kept.plan.origin, number): data for number, data in kept.seals.items()}
    todo |= {paths.bundle(kept.plan.origin, number): data for number, data in kept.bundles.items()}
    for path, data in todo.items():
        if ground.files.size(path) is not None and ground.files.read(path, limit=bundle.MAX_BYTES) != data:
            raise Damaged("A piece of the vault's own log is another than it should be; nothing was brought in.")


def _put(ground: Ground, local: LocalState, paths: VaultPaths, kept: _Kept) -> None:
    """Bundles, seals, `open`; the checkpoint commits. Under the writer lock."""
    files, plan = ground.files, kept.plan
    _keep_surplus(ground, local, paths, kept)
    files.make_folder(paths.seals(plan.origin))
    for number, data in sorted(kept.seals.items()):
        files.create(paths.seal(plan.origin, number), data)
    for number, data in sorted(kept.bundles.items()):
        path = paths.bundle(plan.origin, number)
        make_lasting_folder(files, path.parent)
        files.create(path, data)
    if kept.opened:
        files.replace(paths.open(plan.origin), kept.opened)
    files.replace(paths.checkpoint(plan.origin), kept.signed)


def _keep_surplus(ground: Ground, local: LocalState, paths: VaultPaths, kept: _Kept) -> None:
    """Bytes of `open` that were never signed and are none of the new ones: kept in set-aside, as `settle` does."""
    path = paths.open(kept.plan.origin)
    size = ground.files.size(path)
    if not size:
        return
    there = ground.files.read_range(path, 0, size)
    first = kept.bundles.get(first_of(kept.plan.ours.size), kept.opened)
    if first.startswith(there) or there == kept.opened:
        return
    local.set_aside_range(f"open-{kept.plan.origin}-{kept.plan.ours.size}", path, 0, size)


def finish(ground: Ground) -> bool:
    """Complete what was interrupted; whether there was anything. Raises nothing of ours: the fault that made somebody
    call is told then.
    """
    try:
        return apply(ground)
    except NotevaultError:
        return False
