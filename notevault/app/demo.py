"""A throw-away vault to try things out: made-up clients, made-up notes, dated around today."""

from __future__ import annotations

from pathlib import Path

from notevault.app import opening
from notevault.crypto import kdf
from notevault.domain.clients import Client
from notevault.domain.demo_notes import CLIENTS, NOTES
from notevault.domain.notes import Note
from notevault.domain.settings import Settings
from notevault.vault import rekey
from notevault.vault.env import Env
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session

COST = kdf.KdfParams(64 * kdf.MIB, 4, 4)
"""The least that the policy takes: there is nothing to protect, and nobody should wait."""
_DAY = 86_400_000


def make(env: Env, vault: Path, passphrase: str) -> Session:
    """A vault with all of it in, open. Raises as `opening.set_up`."""
    session, _ = opening.set_up(env, vault, passphrase, COST)
    notebook = Notebook(session)
    notebook.save_settings(Settings("Dr. M. Example", 10, "SOAP"))
    now = env.clock.wall_ms()
    offset = env.clock.utc_offset_minutes(now)
    midnight = (now + offset * 60_000) // _DAY * _DAY - offset * 60_000
    people = {code: Client(name, code, born, now, remark) for code, name, born, remark in CLIENTS}
    items: list[tuple[Client | bytes, Note]] = []
    for code, days_ago, minute, template, signed, text in NOTES:
        held = midnight - days_ago * _DAY + minute * 60_000
        held = min(held, now)
        note = Note(text, held, offset, held, held, template=template, author="Dr. M. Example")
        items.append((people[code], note.signed("Dr. M. Example", held) if signed else note))
    notebook.import_all(items)
    rekey.confirm_sheet(session)  # a demo's paper would open nothing tomorrow
    return session
