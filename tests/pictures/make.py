"""`python -m tests.pictures.make`: goes through the README's five minutes in a real terminal and draws each screen.

The people and the texts are made up.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from tests.pictures.svg import draw

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
PASSPHRASE = "copper meadow wanders slowly"
NOTE = (
    "Client described intermittent catastrophizing about examinations; slept four hours, woke at three"
    " and lay thinking of all that may go wrong. Named the thought, did not argue with it."
)


def journey(stick: Path) -> None:
    from tests.shell.ptyshell import CTRL_L, ESC, Shell  # after HOME is set

    with Shell() as shell:

        def picture(name: str, title: str) -> None:
            shell.read(0.4)
            FOLDER.joinpath(f"{name}.svg").write_text(draw(shell.screen, title), encoding="utf-8")

        def go(keys: str, until: str) -> None:
            shell.type(keys)
            shell.until(until)
            shell.read(0.2)

        shell.until("Set up a new vault")
        go("1", "Passphrase")
        shell.type(PASSPHRASE)
        shell.until("very good")
        picture("1-setup", "notevault: set-up")
        go("\r", "Once more")
        go(PASSPHRASE + "\r", "Your vault is ready")
        go("\r", "Show it here")
        go("3", "seven lines")
        picture("2-sheet", "notevault: the recovery sheet of a vault that no longer exists")
        groups = [found for line in shell.screen.display for found in re.findall(r"\b[0-9A-Z]{5}\b", line)][:21]
        shell.type("\r")
        for number in (1, 2, 3):
            shell.until(f"check {number} of 3")
            asked = re.search(r"\(group (\d+)\)", shell.flat)
            assert asked is not None, "a group is asked for by its number"
            shell.type(groups[int(asked[1]) - 1] + "\r")
        go("", "Your name")
        go("Dr. Ada Winter\r", "Minutes")
        go("\r", "Name a backup place now")
        shell.type("1")
        shell.until(lambda: "Folder" in shell.flat or "Another folder" in shell.flat)
        if (found := re.search(r"(\d)\s+Another folder", shell.flat)) is not None:  # this computer has a stick
            go(found[1], "Enter go on")
        go(f"{stick}\r", "done,")
        go("\r", "notevault>")
        go("new Anna Berg\r", "Name")
        go("\r", "Code")
        go("\r", "Born")
        go("1988-04-02\r", "SOAP")
        go("2", "Subjective")
        shell.type(NOTE)
        shell.until("not argue with it")
        go("\x13", "saved")
        picture("3-editor", "notevault: a note being written")
        go(CTRL_L, "Locked")
        picture("4-locked", "notevault: locked")
        go(PASSPHRASE + "\r", "not argue with it")
        go(ESC, "notevault>")
        for name, words in (("Jon Lind", "Slept well, less worry at work."), ("Mira Sand", "Sleep log brought.")):
            go(f"new {name}\r", "Name")
            go("\r", "Code")
            go("\r", "Born")
            go("\r", "free")
            go("1", "^S save")
            shell.type(words)
            shell.until(words[-8:])
            go(ESC, "notevault>")
        shell.until("\u2502 backup just now")  # by itself
        picture("6-home", "notevault: home")
        go("find sle\r", "slept")
        picture("5-find", "notevault: notes found by a word")
        go(ESC, "notevault>")
        go(CTRL_L, "Locked")
        go("a slip of the hand\r", "That is not the passphrase")
        go(PASSPHRASE + "\r", "notevault>")
        go("open lind\r", "less worry")
        go(ESC, "notevault>")
        go("audit\r", "Log: the last 7 days")
        picture("7-audit", "notevault: what was done, in words")
        go(ESC, "notevault>")
        go("backup run\r", "USB Blue: done")
        go("\r", "notevault>")
        go("backup verify full\r", "every byte read")
        go("\r", "notevault>")
        go("backup\r", "1 Back up now")
        picture("8-backup", "notevault: what is safe where, and what can be done")
        go(ESC, "notevault>")
        go("quit\r", "")
        shell.until_ended()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # so that home and stick are two disks
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True, dir=memory) as home,  # the backup may just be ending
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as media,
    ):
        for variable in [name for name in os.environ if name.startswith("XDG_") or name.startswith("DBUS_")]:
            del os.environ[variable]
        os.environ["HOME"] = home
        stick = Path(media) / "USB Blue"
        stick.mkdir()
        journey(stick)
    for path in sorted(FOLDER.glob("*.svg")):
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
