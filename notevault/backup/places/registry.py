"""The backup places that this device knows, in `<local>/<vault>/backup` (FORMAT.md section 13.2), and finding them.

All of it is a memory: where it is lost, places are added again and everything is looked at anew. What must never
happen is the other way round, that a memory stands for a look; so nothing here says what a place holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from notevault.backup.model import PlaceFile, PlaceState
from notevault.backup.places import forms as placefile
from notevault.backup.places.aside import put, put_aside
from notevault.backup.places.forms import Frozen
from notevault.backup.places.layout import look_for
from notevault.backup.places.patience import in_time
from notevault.errors import (
    Busy,
    CannotWrite,
    Damaged,
    NotevaultError,
    NotFound,
    OwnFault,
    PlaceEmptied,
    Refused,
    StorageFault,
)
from notevault.formats.ids import is_origin as is_id
from notevault.ports import Files, Volumes, WriteOnce
from notevault.storage.layout import make_lasting_folder

__all__ = ["Frozen", "Places", "find"]

LOOK_S = 10.0
"""For one of the other volumes to say whether the place is there: a sleeping disk needs some seconds."""
_UNREAD = (Damaged, CannotWrite, StorageFault)


class Places:
    """`local` is this device's folder of one vault, `<local>/<vault hex16>`. Nothing is made before the first write."""

    def __init__(self, files: Files, local: Path) -> None:
        self._files = files
        self.root = local / "backup"

    # The places

    def all(self) -> list[PlaceFile]:
        """By the time they were added. One whose file does not read is left out, and keeps no other from its turn: see
        `unreadable`.
        """
        found = []
        for place_id in self._ids():
            try:
                found.append(self._read(place_id))
            except (NotFound, *_UNREAD):
                continue
        return sorted(found, key=lambda place: (place.added_ms, place.id))

    def unreadable(self) -> list[str]:
        """Ids of places whose file is there and does not read; adding the folder again mends it."""
        broken = []
        for place_id in self._ids():
            try:
                self._read(place_id)
            except _UNREAD:
                broken.append(place_id)
            except NotFound:
                continue
        return broken

    def get(self, name_or_id: str) -> PlaceFile:
        """By id, by name, or by a beginning of the name that only one has. NotFound names those there are."""
        places = self.all()
        wanted = name_or_id.strip().casefold()
        for exact in (
            [place for place in places if place.id == wanted],
            [place for place in places if place.name == name_or_id.strip()],
            [place for place in places if place.name.casefold() == wanted],
            [place for place in places if wanted and place.name.casefold().startswith(wanted)],
        ):
            if len(exact) == 1:
                return exact[0]
        if not places:
            raise NotFound("There is no backup place yet.", "`notevault backup add FOLDER` makes one.")
        names = " · ".join(place.name for place in places)
        sentence = f"No one backup place is called that. There are: {names}."
        raise NotFound(sentence, "`notevault backup list` shows them.")

    def save(self, place: PlaceFile) -> None:
        """Durable."""
        self._put(self._folder(place.id) / "place", placefile.encode_place(place))

    def forget(self, place_id: str) -> None:
        """Remove this device's memory of a place. The place itself keeps all it has."""
        folder = self._folder(place_id)
        for name in ("place", "state", "found", "proofs"):  # in this order: without the first the others mean nothing
            self._files.remove(folder / name)

    # What is remembered of each

    def state(self, place_id: str) -> PlaceState:
        """With what was left beside it; as nothing was ever looked at, where it is absent or does not read."""
        state, left = self._kept(place_id), self._left(place_id)[1]
        if left is None:
            return state
        return replace(state, hurt=max(state.hurt, left[0]), hurt_log=max(state.hurt_log, left[1]))

    def _kept(self, place_id: str) -> PlaceState:
        data = self._hint(self._folder(place_id) / "state", placefile.STATE_LIMIT)
        try:
            return PlaceState() if data is None else placefile.decode_state(data)
        except Damaged:
            return PlaceState()

    def leave(self, place_id: str, hurt: int, hurt_log: int) -> None:
        """What a check found while somebody else had the place's lock: `state` tells of it from now on. Durable."""
        left = self._left(place_id)[1] or (0, 0)
        data = placefile.encode_found(max(hurt, left[0]), max(hurt_log, left[1]))
        self._put(self._folder(place_id) / "found", data)

    def take_left(self, place_id: str) -> None:
        """With the place's lock: what was left is entered in its state."""
        data, left = self._left(place_id)
        if data is None:
            return
        if left is not None and not self.save_state(place_id, self.state(place_id)):
            return
        if self._left(place_id)[0] == data:  # else more was left just now
            self._files.remove(self._folder(place_id) / "found")

    def _left(self, place_id: str) -> tuple[bytes | None, tuple[int, int] | None]:
        data = self._hint(self._folder(place_id) / "found", placefile.FROZEN_LIMIT)
        try:
            return data, None if data is None else placefile.decode_found(data)
        except Damaged:
            return data, None

    def save_state(self, place_id: str, state: PlaceState) -> bool:
        """Durable. Whether it is kept now: a full disk here is no fault of the place's, and stops no backup."""
        try:
            self._put(self._folder(place_id) / "state", placefile.encode_state(state))
        except (CannotWrite, StorageFault, Damaged):
            return False
        return True

    def proofs(self, place_id: str) -> list[int]:
        """257 times in ms, 0 for never (all of them where the file is absent or does not read)."""
        data = self._hint(self._folder(place_id) / "proofs", 4096)
        try:
            return [0] * placefile.PROOFS if data is None else placefile.decode_proofs(data)
        except Damaged:
            return [0] * placefile.PROOFS

    def save_proofs(self, place_id: str, proofs: list[int]) -> None:
        self._put(self._folder(place_id) / "proofs", placefile.encode_proofs(proofs))

    # For all of them

    def frozen(self) -> Frozen | None:
        """One that does not read freezes as well: whoever can spoil it could otherwise thaw the backups."""
        try:
            return placefile.decode_frozen(self._files.read(self._frozen, limit=placefile.FROZEN_LIMIT))
        except NotFound:
            return None
        except (Damaged, CannotWrite, StorageFault):
            return Frozen(0, 0, "the note of why does not read")

    def freeze(self, at: int, files: int, why: str) -> None:
        """Durable. Raises CannotWrite, StorageFault: then nothing is frozen."""
        try:
            self._files.make_folder(self.root)
            self._files.replace(self._frozen, placefile.encode_frozen(Frozen(at, files, why)))
        except NotevaultError:
            if self.frozen() is None:
                raise

    def thaw(self) -> None:
        """What lies there and is no note of ours is put aside."""
        try:
            self._files.remove(self._frozen)
        except (Damaged, CannotWrite, StorageFault):
            if not put_aside(self._files, self._frozen):
                raise

    def lock(self, place_id: str | None, wait_s: float) -> AbstractContextManager[None]:
        """Held while a place is worked on; with None, by the one worker of this vault. Busy after `wait_s` seconds."""
        if place_id is None:
            return self._locked(self.root / "worker.lock", wait_s, "Another notevault backs up this vault already.")
        sentence = "Another notevault is at this backup place just now."
        return self._locked(self._folder(place_id) / "lock", wait_s, sentence)

    # Helpers

    @contextmanager
    def _locked(self, path: Path, wait_s: float, sentence: str) -> Iterator[None]:
        make_lasting_folder(self._files, path.parent)
        lock = self._files.lock(path, wait_s=wait_s)
        try:
            lock.__enter__()
        except Busy:
            raise Busy(sentence, "Wait a moment; nothing was changed.") from None
        # Entered by hand: a Busy raised inside the block belongs to the caller and keeps its own words.
        try:
            yield
        finally:
            lock.__exit__(None, None, None)

    @property
    def _frozen(self) -> Path:
        return self.root / "frozen"

    def _ids(self) -> list[str]:
        return [name for name in self._files.names(self.root) if is_id(name)]

    def _folder(self, place_id: str) -> Path:
        if not is_id(place_id):
            raise OwnFault("A backup place was asked for by a name that is none.")
        return self.root / place_id

    def _read(self, place_id: str) -> PlaceFile:
        path = self._folder(place_id) / "place"
        return placefile.decode_place(place_id, self._files.read(path, limit=placefile.PLACE_LIMIT))

    def _hint(self, path: Path, limit: int) -> bytes | None:
        try:
            return self._files.read(path, limit=limit)
        except (NotFound, Damaged):
            return None

    def _put(self, path: Path, data: bytes) -> None:
        put(self._files, path, data)


def find(
    place: PlaceFile,
    vault: str,
    volumes: Volumes,
    open_tree: Callable[[Path], WriteOnce],
    others: Collection[str] = (),
) -> tuple[Path, WriteOnce]:
    """Where the place is now: the folder that somebody chose, and the tree of its `base`. Nothing is written.

    First where it was, then at the same path on every volume that is plugged in (a drive letter or the name of a mount
    changes). `others`: ids of the other places known here; two sticks take turns at one path, and that is no alarm.
    Raises NotFound when it is not plugged in, PlaceEmptied when its disk is and the place is not there, Damaged when
    another place or something else lies where it was, Refused when two copies of it are plugged in, CannotWrite and
    StorageFault when the system does not let us look.
    """
    home = Path(place.path)
    fault: NotevaultError | None = None
    try:
        tree, marker = look_for(open_tree, home, vault)
    except (NotFound, Damaged, CannotWrite, StorageFault) as error:
        fault = error
    except OSError:
        fault = StorageFault("The folder of this backup place cannot be looked at.")
    else:
        if marker.place == place.id:
            return home, tree
        if marker.place not in others:
            fault = Damaged(
                "Another backup place than this one lies where it was; nothing was written to it.",
                "`notevault backup add FOLDER` takes that one as well; keep both.",
            )
    found = list(_elsewhere(place, vault, home, volumes, open_tree))
    if len(found) > 1:
        raise Refused(
            "Two copies of this backup place are plugged in, and they cannot be told apart.",
            "Unplug the copy; it is safe to keep, but only one of them can go on.",
        )
    if found:
        return found[0]
    if isinstance(fault, NotFound) and is_emptied(place, volumes):
        raise PlaceEmptied(
            "Its backup is gone from the folder: it was deleted, or moved away.",
            "`notevault backup add DIR` takes the folder that it was moved to, or starts anew.",
        )
    raise fault or NotFound("This backup place is not plugged in; another one lies at its path.", "Plug it in.")


def is_emptied(place: PlaceFile, volumes: Volumes) -> bool:
    """Of a place that is not at its path: whether the disk that it was on is there. Then it was deleted, not unplugged.

    A file system without a number of its own is known again only where it is built in.
    """
    home = Path(place.path)
    for folder in (home, *home.parents):
        try:
            volume = volumes.of(folder)
        except NotFound:
            continue
        except (NotevaultError, OSError):
            return False
        if place.volume is None and volume.identity is None:
            return place.kind == volume.kind and place.kind in ("fixed", "cloud")
        return place.volume == volume.identity
    return False


def _elsewhere(
    place: PlaceFile, vault: str, home: Path, volumes: Volumes, open_tree: Callable[[Path], WriteOnce]
) -> Iterator[tuple[Path, WriteOnce]]:
    """Every volume that has this place, each once, however often it is mounted."""
    steps = home.parts[1:]
    seen: set[int] = set()
    try:
        mounts = volumes.mounts()
    except (NotevaultError, OSError):
        return

    def look_on(mount: Path) -> tuple[Path, WriteOnce, int] | None:
        # How much of the old path belonged to the mount is not known; the longest rest is the likeliest.
        for at in range(len(steps) + 1):
            folder = mount.joinpath(*steps[at:])
            if folder == home:
                continue
            try:
                tree, marker = look_for(open_tree, folder, vault)
                if marker.place == place.id:
                    return folder, tree, volumes.of(folder).device
            except (NotevaultError, OSError):  # somebody else's stick, or a dead one, is no place of ours
                continue
        return None

    for mount in mounts:
        found = in_time((place.id, mount), partial(look_on, mount), LOOK_S)  # one that hangs now is none of ours
        if found is not None and found[2] not in seen:
            seen.add(found[2])
            yield found[:2]
