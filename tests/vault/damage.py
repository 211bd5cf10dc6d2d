"""Doing damage to a vault's files, and seeing what opening and verifying say of it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from notevault.errors import Damaged, NotevaultError, NotFound
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from notevault.vault.verify import Verdict, verify
from tests.vault.build import FIRST, SECOND, House

CODES = {
    "HEADER", "HEADER MISSING", "CARD", "BLOB CHANGED", "BLOB MISSING", "BLOB SEAL", "UNLOGGED BLOB", "UNAUTHENTIC",
    "LOG MISSING", "UNLISTED", "REWRITTEN", "MISSING", "TRUNCATED", "FORGED", "MALFORMED", "ROLLED_BACK", "FORKED",
    "NOT_SEALED", "NO_CHECKPOINT", "NO_CARD", "UNREADABLE", "READ ONLY", "MOVING",
}  # fmt: skip


def opened_texts(session: Session) -> set[str]:
    """Every note that opens; the others raise an error of ours."""
    book, found = Notebook(session), set()
    for view in book.notes():
        with contextlib.suppress(Damaged, NotFound):
            found.add(book.open_note(view.id)[1].text)
    return found


def found_out(house: House) -> tuple[Session | None, Verdict | None]:
    """Open and verify: refused with a sentence, or opened and named. Nothing else may come out of it."""
    try:
        session = house.unlock(None)
    except NotevaultError as fault:
        if not fault.sentence or not fault.next_step:
            raise
        return None, None
    verdict = verify(session)
    assert verdict.exit_code != 0
    assert {code for code, _ in (*verdict.findings, *verdict.undecided)} <= CODES
    assert all(sentence for _, sentence in (*verdict.findings, *verdict.undecided))
    assert opened_texts(session) <= {FIRST, SECOND}
    return session, verdict


def role(path: Path) -> str:
    if "blobs" in path.parts:
        return "blob"
    return "header" if "headers" in path.parts else path.name


def files_of(house: House, wanted: str) -> list[Path]:
    return [path for path in house.vault_files() if role(path) == wanted]


def flipped(house: House, path: Path, at: int, bit: int = 0x01) -> House:
    trial = house.copy()
    data = bytearray(trial.files.raw(path))
    data[at] ^= bit
    trial.files.put_raw(path, bytes(data))
    return trial


def without_index(house: House) -> House:
    for path in [path for path in house.files.tree() if path.name == "index"]:
        house.files.drop_raw(path)
    return house
