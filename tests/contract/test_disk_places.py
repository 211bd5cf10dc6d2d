"""What only a real disk can show of a backup place: syncs that fail, full and vanishing disks, kills, links."""

from __future__ import annotations

import ast
import errno
import hashlib
import inspect
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("POSIX only", allow_module_level=True)

import notevault.adapters
from notevault.adapters.files_posix import PosixPlatform
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.adapters.place_platform import Folder
from notevault.adapters.place_posix import PosixFolder, PosixPlaces
from notevault.backup.places.layout import blob, blob_folder
from notevault.errors import CannotWrite, Damaged, DiskFull, NotFound, OwnFault, StorageFault
from notevault.ports import WriteOnce

DEVICE = "d" * 32
REPO = Path(__file__).resolve().parents[2]
ROOM = Path(notevault.adapters.__file__).parent


class Observed(PosixPlaces):
    """The real system, which notes what it does and fails where it is told to."""

    def __init__(self, *, whole: bool = True) -> None:
        super().__init__()
        self.whole = whole
        self.done: list[str] = []
        self.broken: dict[str, int] = {}

    def _note(self, what: str) -> None:
        self.done.append(what)
        if what in self.broken:
            raise OSError(self.broken[what], "broken on purpose")

    def syncs_all(self, root: Folder) -> bool:
        return self.whole and super().syncs_all(root)

    def sync_all(self, root: Folder) -> None:
        self._note("all")
        super().sync_all(root)

    def sync_file(self, fd: int) -> bool:
        self._note("file")
        return super().sync_file(fd)


def files(count: int) -> list[tuple[str, bytes]]:
    data = [n.to_bytes(4, "big") * 1024 for n in range(count)]
    return [(blob(hashlib.sha256(each).hexdigest()), each) for each in data]


def opened(root: Path, platform: PosixPlaces | None = None, *, folders: int = 256) -> DiskPlace:
    """A place that has so many of its folders."""
    place = DiskPlace(root, DEVICE, platform=platform)
    place.make_folders(["blobs", *(blob_folder(n) for n in range(folders))])
    return place


def unfinished(root: Path) -> list[Path]:
    return list(root.glob(".stage-*/*"))


# No way to overwrite or to delete

_HARM = {
    "unlink", "remove", "removedirs", "rmdir", "rmtree", "replace", "rename", "renames", "truncate", "ftruncate",
    "write_bytes", "write_text", "touch", "move", "copyfile", "sendfile", "O_TRUNC", "O_APPEND", "O_RDWR",
}  # fmt: skip
# (file, function): what it may do, and why that harms nothing
_ALLOWED = {
    ("place_posix.py", "drop"): {"unlink"},  # names of unfinished writes only: see the test of it
    ("place_posix.py", "drop_folder"): {"unlink", "rmdir"},  # the same of unfinished folders
    ("place_posix.py", "drop_empty"): {"rmdir"},  # the system refuses it for a folder with anything in it
    ("place_posix.py", "_give_slowly"): {"rename"},  # after looking that the name is free
    ("place_posix.py", "_unlink_second_name"): {"unlink"},  # after seeing the file under its new name
    ("place_windows.py", "drop"): {"unlink"},
    ("place_windows.py", "drop_folder"): {"unlink", "rmdir"},
    ("place_windows.py", "drop_empty"): {"rmdir"},
}


def harmful(path: Path) -> Iterator[tuple[str, str]]:
    """(function, word) of everything that could overwrite or delete."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owner = {
        id(node): function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in _HARM:
            yield owner.get(id(node), ""), node.attr
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("open", "Path.open"):
            yield owner.get(id(node), ""), "open"


def test_nothing_in_a_place_can_be_overwritten_or_deleted() -> None:
    rooms = sorted(ROOM.glob("place_*.py"))
    assert {path.name for path in rooms} >= {"place_files.py", "place_stage.py", "place_tree.py", "place_posix.py"}
    for path in rooms:
        for function, word in harmful(path):
            assert word in _ALLOWED.get((path.name, function), set()), f"{path.name}: {function} uses {word}"


def test_the_search_for_harm_finds_it(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text("def f(p, q):\n    p.replace(q)\n    os.remove(q)\n    shutil.rmtree(q)\n    open(q, 'wb')\n")
    assert {word for _, word in harmful(sample)} == {"replace", "remove", "rmtree", "open"}


def test_every_file_for_writing_is_opened_as_a_new_one() -> None:
    """`open` flags: whatever writes also says O_EXCL."""
    for path in sorted(ROOM.glob("place_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, (ast.Assign, ast.Call)):
                text = ast.unparse(node)
                if "O_WRONLY" in text:
                    assert "O_CREAT" in text
                    assert "O_EXCL" in text
    for call in ("open_write", "open_lock"):  # of the vault's platform: not for here
        assert not any(call in path.read_text(encoding="utf-8") for path in ROOM.glob("place_*.py"))


def test_the_interface_knows_no_overwriting_and_no_deleting() -> None:
    reading = {"root", "names", "listing", "size", "read", "stream"}
    writing = {"durability", "free_bytes", "make_folders", "add", "add_batch", "add_stream", "settle", "set_aside"}
    writing.add("sweep")
    for kind in (WriteOnce, DiskPlace):
        assert {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")} == reading | writing
    assert {name for name, _ in inspect.getmembers(DiskTree) if not name.startswith("_")} == reading


@pytest.mark.parametrize("name", ["VAULT.json", "a" * 64, "..", "blobs", "a" * 16, f"../{'a' * 16}-1"])
def test_only_unfinished_writes_can_be_dropped(tmp_path: Path, name: str) -> None:
    if "/" not in name and name != "..":
        (tmp_path / name).write_bytes(b"kept")
    folder = PosixPlaces().open_root(str(tmp_path))
    for drop in (folder.drop, folder.drop_folder):
        with pytest.raises(OwnFault):
            drop(name)
    folder.close()
    assert [p.read_bytes() for p in tmp_path.iterdir()] in ([], [b"kept"])


def test_an_unfinished_folder_is_dropped_with_its_files_and_with_nothing_else(tmp_path: Path) -> None:
    folder = PosixPlaces().open_root(str(tmp_path))
    ours, deep, link = (tmp_path / f"{n:016x}-1" for n in range(3))
    kept = tmp_path / "kept"
    for each in (ours, deep / "folder", kept):
        each.mkdir(parents=True)
        (each / "file").write_bytes(b"x")
    link.symlink_to(kept)
    folder.drop_folder(ours.name)
    for each in (deep, link):
        with pytest.raises(OSError, match="directory"):
            folder.drop_folder(each.name)
    folder.close()
    assert not ours.exists()
    assert (deep / "folder/file").exists()
    assert (kept / "file").exists()


# Giving a name, on every kind of system


class NoRename(PosixFolder):
    """A system without renameat2."""

    def give(self, name: str, target: Folder, new: str) -> None:
        assert isinstance(target, PosixFolder)
        self._give_slowly(name, target, new)


class NoLink(NoRename):
    """... and without hard links."""

    def _link(self, name: str, target: PosixFolder, new: str) -> None:
        raise OSError(errno.EPERM, "no links")


@pytest.mark.parametrize("kind", [PosixFolder, NoRename, NoLink])
@pytest.mark.parametrize("late", ["nothing", "an empty folder", "a folder with one of its files", "a link"])
def test_a_folder_that_comes_late_takes_nobodys_place(tmp_path: Path, kind: type[PosixFolder], late: str) -> None:
    """Between the look at a folder and its turn somebody else may be there."""
    (first, data), second = files(2)
    folder = (tmp_path / first).parent

    class Late(Observed):
        def open_root(self, root: str) -> PosixFolder:
            return Mine(super().open_root(root).fd)

        def sync_all(self, root: Folder) -> None:
            if not self.done and late == "a link":
                folder.symlink_to(tmp_path / "elsewhere")
            elif not self.done and late != "nothing":
                folder.mkdir()
                if late != "an empty folder":
                    (folder / Path(first).name).write_bytes(data)
            super().sync_all(root)

    class Mine(kind):  # type: ignore[misc, valid-type]
        def sub(self, name: str) -> PosixFolder:
            return Mine(super().sub(name).fd)

    (tmp_path / "elsewhere").mkdir()
    place = DiskPlace(tmp_path, DEVICE, platform=Late())
    place.make_folders(["blobs"])
    batch = [(first, data), second, (f"{Path(first).parent}/more", b"more")]
    if late == "a link":
        with pytest.raises(Damaged):
            place.add_batch(batch)
        assert list((tmp_path / "elsewhere").iterdir()) == []
    else:
        assert place.add_batch(batch) == (2 if late.startswith("a folder") else 3)
        assert [place.read(path, limit=9999) for path, _ in batch] == [data for _, data in batch]
    assert unfinished(tmp_path) == []


def test_where_a_folder_is_not_renamed_at_once_its_files_are_one_by_one(tmp_path: Path) -> None:
    """FAT renames in two writes: a stick pulled out in between would have two names of a whole folder."""
    given: list[str] = []

    class Two(Observed):
        def open_root(self, root: str) -> PosixFolder:
            return Noting(super().open_root(root).fd)

        def moves_folders(self, root: Folder) -> bool:
            return False

    class Noting(PosixFolder):
        def sub(self, name: str) -> PosixFolder:
            return Noting(super().sub(name).fd)

        def give(self, name: str, target: Folder, new: str) -> None:
            given.append(new)
            super().give(name, target, new)

    system = Two()
    place = DiskPlace(tmp_path, DEVICE, platform=system)
    place.make_folders(["blobs"])
    assert place.add_batch(files(20)) == 20
    assert sorted(given) == sorted(Path(path).name for path, _ in files(20))
    if system.syncs_all(PosixFolder(os.open(tmp_path, os.O_RDONLY))):
        assert system.done == ["all", "all"]


def test_a_folder_that_may_not_be_renamed_gets_its_files_one_by_one(tmp_path: Path) -> None:
    class Refusing(Observed):
        def open_root(self, root: str) -> PosixFolder:
            return Narrow(super().open_root(root).fd)

    class Narrow(PosixFolder):
        def sub(self, name: str) -> PosixFolder:
            return Narrow(super().sub(name).fd)

        def give(self, name: str, target: Folder, new: str) -> None:
            if stat.S_ISDIR(self.look(name).st_mode):
                raise OSError(errno.EXDEV, "not over this line")
            super().give(name, target, new)

    place = DiskPlace(tmp_path, DEVICE, platform=Refusing())
    place.make_folders(["blobs"])
    assert place.add_batch(files(20), read_back=True) == 20
    assert [place.read(path, limit=9999) for path, _ in files(20)] == [data for _, data in files(20)]
    assert unfinished(tmp_path) == []


def test_what_somebody_puts_into_an_unfinished_folder_is_in_nobodys_way(tmp_path: Path) -> None:
    """A network disk's index, say."""
    (first, data), *_ = files(1)

    class Indexed(Observed):
        def sync_all(self, root: Folder) -> None:
            if not self.done:
                (tmp_path / first).parent.mkdir()
                for gathered in unfinished(tmp_path):
                    (gathered / "@eaDir").mkdir()
            super().sync_all(root)

    system = Indexed()
    place = DiskPlace(tmp_path, DEVICE, platform=system)
    place.make_folders(["blobs"])
    assert place.add_batch([(first, data)]) == 1
    assert system.done == ["all", "all"]
    assert place.read(first, limit=9999) == data
    for _ in range(2):
        assert place.sweep(1 << 60) == 0
    assert place.add_batch(files(3)) == 2


@pytest.mark.parametrize("kind", [PosixFolder, NoRename, NoLink])
def test_a_name_that_is_taken_stays_taken_on_every_system(tmp_path: Path, kind: type[PosixFolder]) -> None:
    for at, make in enumerate((Path.mkdir, Path.touch, lambda p: p.symlink_to("/nowhere"))):
        folder = kind(os.open(tmp_path, os.O_RDONLY))
        (tmp_path / f"new{at}").write_bytes(b"new")
        make(tmp_path / f"taken{at}")
        before = (tmp_path / f"taken{at}").lstat()
        with pytest.raises(FileExistsError):
            folder.give(f"new{at}", folder, f"taken{at}")
        assert os.path.samestat(before, (tmp_path / f"taken{at}").lstat())
        folder.give(f"new{at}", folder, f"free{at}")
        assert (tmp_path / f"free{at}").read_bytes() == b"new"
        assert not (tmp_path / f"new{at}").exists()
        folder.close()


# Syncs


def test_a_batch_costs_two_syncs_however_large(tmp_path: Path) -> None:
    system = Observed()
    place = opened(tmp_path, system)
    if not system.syncs_all(PosixFolder(os.open(tmp_path, os.O_RDONLY))):
        pytest.skip("no syncfs that tells of failures here")
    assert place.add_batch(files(300)) == 300
    assert system.done == ["all", "all"]


def test_without_a_sync_of_everything_each_file_has_its_own(tmp_path: Path) -> None:
    system = Observed(whole=False)
    place = opened(tmp_path, system)
    assert place.add_batch(files(20)) == 20
    assert system.done == ["file"] * 20
    assert place.add_batch(files(20)) == 0  # kept ones are made durable too: their writer may have died before that
    assert system.done == ["file"] * 60


def test_settling_is_one_sync_or_one_of_every_folder_that_holds_names(tmp_path: Path) -> None:
    opened(tmp_path).add_batch(files(3))
    fast = Observed()
    DiskPlace(tmp_path, DEVICE, platform=fast).settle()
    assert fast.done == ["all"]
    (tmp_path / "quarantine" / "2025-11-21").mkdir(parents=True)
    synced: list[str] = []

    class Folders(Observed):
        def open_root(self, root: str) -> PosixFolder:
            return Synced(super().open_root(root).fd)

    class Synced(PosixFolder):
        def sub(self, name: str) -> PosixFolder:
            return Synced(super().sub(name).fd)

        def sync(self) -> bool:
            synced.append(str(Path(f"/proc/self/fd/{self.fd}").readlink().relative_to(tmp_path)))
            return super().sync()

    DiskPlace(tmp_path, DEVICE, platform=Folders(whole=False)).settle()
    assert sorted(synced) == sorted([".", "blobs", *(blob_folder(n) for n in range(256))])


def test_a_failed_settling_is_told(tmp_path: Path) -> None:
    """Else an anchor would vouch for names that a power cut takes back."""
    opened(tmp_path).add_batch(files(3))
    platform = Observed()
    platform.broken = {"all": errno.EIO}
    with pytest.raises(StorageFault):
        DiskPlace(tmp_path, DEVICE, platform=platform).settle()


@pytest.mark.parametrize("whole", [True, False])
def test_a_failed_sync_gives_no_name_to_anything(tmp_path: Path, whole: bool) -> None:
    system = Observed(whole=whole)
    place = opened(tmp_path, system)
    system.broken = {"all": errno.EIO, "file": errno.EIO}
    with pytest.raises(StorageFault):
        place.add_batch(files(20))
    with pytest.raises(StorageFault):
        place.add(*files(1)[0])
    assert list(tmp_path.glob("blobs/*/*")) == []
    assert unfinished(tmp_path) == []


def test_a_refused_sync_is_noted_and_no_fault(tmp_path: Path) -> None:
    class Refusing(Observed):
        def sync_file(self, fd: int) -> bool:
            return False

    place = opened(tmp_path, Refusing(whole=False))
    assert place.durability == "full"
    assert place.add_batch(files(3)) == 3
    assert place.durability == "reduced"


def test_folders_that_cannot_be_synced_make_durability_reduced(tmp_path: Path) -> None:
    """As on Windows and on some network folders: names may not be on the disk yet when a call returns."""

    class Unsynced(PosixFolder):
        def sub(self, name: str) -> PosixFolder:
            return Unsynced(super().sub(name).fd)

        def sync(self) -> bool:
            return False

    class System(Observed):
        def open_root(self, root: str) -> PosixFolder:
            return Unsynced(super().open_root(root).fd)

    system = System(whole=False)
    assert opened(tmp_path, system).durability == "reduced"
    place = DiskPlace(tmp_path, DEVICE, platform=system)
    assert place.durability == "full", "nothing was asked of the system yet"
    place.add(*files(1)[0])
    assert place.durability == "reduced"
    again = DiskPlace(tmp_path, DEVICE, platform=system)
    again.settle()
    assert again.durability == "reduced"


def test_windows_which_syncs_no_folder_says_so() -> None:
    """Read, not run: it is not this system."""
    tree = ast.parse((ROOM / "place_windows.py").read_text(encoding="utf-8"))
    (folder,) = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == "WindowsFolder")
    (sync,) = (node for node in folder.body if isinstance(node, ast.FunctionDef) and node.name == "sync")
    assert [ast.unparse(line) for line in sync.body] == ["return False"]


def test_what_knows_no_sync_is_no_fault_in_a_place_and_one_in_the_vault() -> None:
    """A place says that its durability is reduced; a note in the vault is acknowledged only when it is durable."""
    reading, writing = os.pipe()
    try:
        assert PosixPlaces().sync_file(writing) is False
        with pytest.raises(OSError, match="Invalid"):
            PosixPlatform().sync_file(writing)
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("gathered", [False, True])
def test_what_comes_back_with_other_bytes_gets_no_name(tmp_path: Path, gathered: bool) -> None:
    class Lying(Observed):
        def sync_all(self, root: Folder) -> None:
            super().sync_all(root)
            for path in [path for path in tmp_path.glob(".stage-*/**/*") if path.is_file()][:1]:
                path.write_bytes(b"\0" * 4096)

    place = opened(tmp_path, Lying(), folders=0 if gathered else 256)
    with pytest.raises(StorageFault):
        place.add_batch(files(20), read_back=True)
    assert list(tmp_path.glob("blobs/*/*")) == []
    assert unfinished(tmp_path) == []


# Permissions and other things in the way


def test_folders_are_private_and_files_too(tmp_path: Path) -> None:
    opened(tmp_path).add_batch(files(3))
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.lstat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_pipe_in_a_files_place_stops_nobody(tmp_path: Path) -> None:
    place = opened(tmp_path)
    os.mkfifo(tmp_path / "blobs" / "aa" / "pipe")
    with pytest.raises(Damaged):
        place.read("blobs/aa/pipe", limit=9)
    with pytest.raises(Damaged):
        place.add("blobs/aa/pipe", b"x")
    assert place.listing("blobs/aa")["pipe"].kind == "other"


def test_a_link_for_the_staging_folder_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (root / f".stage-{DEVICE}").symlink_to(elsewhere)
    place = DiskPlace(root, DEVICE)
    place.make_folders(["blobs/aa"])
    with pytest.raises(Damaged):
        place.add("blobs/aa/x", b"x")
    with pytest.raises(Damaged):
        place.sweep(1 << 60)
    assert list(elsewhere.iterdir()) == []


def test_a_folder_swapped_for_a_link_is_seen_after_a_moment(tmp_path: Path) -> None:
    place = opened(tmp_path)
    place.add("blobs/aa/x", b"x")
    assert place.names("blobs/aa") == {"x"}
    (tmp_path / "blobs" / "aa").rename(tmp_path / "blobs" / "gone")
    (tmp_path / "blobs" / "aa").symlink_to(tmp_path / "blobs" / "gone")
    with pytest.raises(Damaged):  # writing never believes an earlier look
        place.add("blobs/aa/y", b"y")
    with pytest.raises(Damaged):
        DiskTree(tmp_path).names("blobs/aa")


def test_a_link_where_a_folder_should_be_can_be_set_aside(tmp_path: Path) -> None:
    place = opened(tmp_path)
    (tmp_path / "headers").symlink_to(tmp_path / "blobs")
    new = place.set_aside("headers", "2025-11-21")
    assert (tmp_path / new).is_symlink()
    place.make_folders(["headers/log"])
    assert (tmp_path / "headers").is_dir()
    assert not (tmp_path / "headers").is_symlink()


def test_the_stage_folder_goes_when_it_is_empty(tmp_path: Path) -> None:
    place = opened(tmp_path)
    place.add_batch(files(2))
    assert place.sweep(0) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"blobs"}
    assert place.add_batch(files(3)) == 1


def test_names_of_any_length_and_script_can_be_set_aside(tmp_path: Path) -> None:
    place = opened(tmp_path)
    for name in ("x" * 255, "ü" * 127, "Kopie in Konflikt (Eva's Laptop).tmp"):
        (tmp_path / "blobs" / "aa" / name).write_bytes(b"x")
        assert place.size(place.set_aside(f"blobs/aa/{name}", "2025-11-21")) == 1


# Kills


_CHILD = """
import sys
from pathlib import Path
sys.path[:0] = [{repo!r}]
from tests.contract.test_disk_places import files, opened
print("ready", flush=True)
opened(Path({root!r}), folders={folders}).add_batch(files(1500))
"""


@pytest.mark.slow
@pytest.mark.parametrize("folders", [256, 0])
def test_killed_at_any_moment_every_name_has_its_whole_bytes(tmp_path: Path, folders: int) -> None:
    wanted = dict(files(1500))
    for delay in (0.005, 0.02, 0.04, 0.08):
        code = _CHILD.format(repo=str(REPO), root=str(tmp_path), folders=folders)
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        for path in tmp_path.glob("blobs/*/*"):
            assert path.read_bytes() == wanted[path.relative_to(tmp_path).as_posix()]
    place = opened(tmp_path, folders=folders)
    place.add_batch(files(1500))
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.glob("blobs/*/*")} == set(wanted)
    place.sweep(1 << 60)
    assert unfinished(tmp_path) == []


# Sticks, played by file systems in memory


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    point = tmp_path / "stick"
    point.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "notevault-test", str(point)], capture_output=True
    )
    if done.returncode != 0:
        pytest.skip("this system lets nobody mount")
    yield point
    subprocess.run(["umount", "-l", str(point)], capture_output=True)


@pytest.mark.root
def test_a_stick_that_fills_up_keeps_what_it_had_and_nothing_half(stick: Path) -> None:
    root = stick / "notevault"
    root.mkdir()
    place = opened(root)
    assert place.add_batch(files(50)) == 50
    with pytest.raises(DiskFull):
        place.add_batch(files(1000))
    assert len(list(root.glob("blobs/*/*"))) == 50
    assert unfinished(root) == []
    for path, data in files(50):
        assert place.read(path, limit=1 << 20) == data


@pytest.mark.root
def test_a_stick_pulled_out_in_the_middle_is_gone_and_not_made_again(stick: Path) -> None:
    root = stick / "notevault"
    root.mkdir()
    place = opened(root)
    place.add_batch(files(10))

    def items() -> Iterator[tuple[str, bytes]]:
        for at, item in enumerate(files(40)):
            if at == 20:
                subprocess.run(["umount", "-l", str(stick)], check=True)
            yield item

    place.add_batch(items())  # the system lets an open call end on the stick that it still holds
    for attempt in (
        lambda: place.add_batch(files(50)),
        lambda: place.make_folders(["headers/x"]),
        lambda: place.names("anchors"),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert list(stick.iterdir()) == []


@pytest.mark.root
def test_the_folder_below_a_pulled_stick_is_not_taken_for_it(stick: Path) -> None:
    """The same path exists on the disk below, even with a marker in it: it is another file system."""
    (stick / "notevault").mkdir()
    place = opened(stick / "notevault")
    subprocess.run(["umount", "-l", str(stick)], check=True)
    (stick / "notevault" / "blobs" / "aa").mkdir(parents=True)
    with pytest.raises(NotFound):
        place.add("blobs/aa/x", b"x")
    with pytest.raises(NotFound):
        place.names("headers")
    assert not [path for path in (stick / "notevault").rglob("*") if path.is_file()]


@pytest.mark.root
def test_a_read_only_stick_says_so(stick: Path) -> None:
    place = opened(stick)
    place.add_batch(files(2))
    subprocess.run(["mount", "-o", "remount,ro", str(stick)], check=True)
    with pytest.raises(CannotWrite) as told:
        place.add_batch(files(4))
    assert not isinstance(told.value, DiskFull)
    assert place.read(files(1)[0][0], limit=4096) == files(1)[0][1]


class Unreachable(PosixPlaces):
    """A network folder whose connection has ended."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def open_root(self, root: str) -> PosixFolder:
        raise OSError(self.number, "gone")


@pytest.mark.parametrize("name", ["ENOTCONN", "ESTALE", "EHOSTDOWN", "ETIMEDOUT", "ENETUNREACH", "ENODEV"])
def test_a_place_whose_connection_ended_is_absent_and_not_broken(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        DiskPlace(tmp_path, DEVICE, platform=Unreachable(getattr(errno, name))).add("x", b"1")


def test_one_file_that_does_not_come_in_time_is_a_fault_while_the_place_is_there(tmp_path: Path) -> None:
    place = DiskPlace(tmp_path, DEVICE, platform=Unreachable(errno.ETIMEDOUT))
    assert place.size("x") is None  # the root was seen
    with pytest.raises(StorageFault):
        place.add("x", b"1")
