"""How notes, clients and times look: one line for people, one object for programs.

Times in objects are ISO 8601 with the offset of then, like 2025-11-17T09:00+01:00.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from notevault.domain.dates import day_of, local, moment_words

if TYPE_CHECKING:
    from notevault.vault.env import Env
    from notevault.vault.notebook import ClientView, NoteView


def iso(ms: int, offset: int) -> str:
    sign = "-" if offset < 0 else "+"
    return f"{local(ms, offset):%Y-%m-%dT%H:%M}{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"


def iso_here(env: Env, ms: int) -> str:
    return iso(ms, env.clock.utc_offset_minutes(ms))


def clock_time(env: Env, ms: int) -> str:
    return f"{local(ms, env.clock.utc_offset_minutes(ms)):%H:%M}"


def when(env: Env, ms: int, offset: int | None = None) -> str:
    """As "Mon 17 Nov 09:00", in the local time of then."""
    now = env.clock.wall_ms()
    today = day_of(now, env.clock.utc_offset_minutes(now))
    return moment_words(ms, env.clock.utc_offset_minutes(ms) if offset is None else offset, today)


def client_facts(env: Env, view: ClientView) -> dict[str, object]:
    client = view.client
    return {
        "active": client.active,
        "born": client.born.isoformat() if client.born else None,
        "code": client.code,
        "created": iso_here(env, client.created),
        "last": None if view.last_ms is None else iso_here(env, view.last_ms),
        "name": client.name,
        "notes": view.notes,
    }


def note_facts(view: NoteView, client: ClientView) -> dict[str, object]:
    note = view.note
    return {
        "client": client.code,
        "id": view.id.hex(),
        "name": client.name,
        "number": view.number,
        "revision": view.version,
        "session": iso(note.session, note.offset),
        "state": "signed" if view.signed else "unsigned",
        "template": note.template,
        "title": note.title,
        "words": view.words,
    }


def note_line(env: Env, view: NoteView, client: ClientView) -> str:
    """id, when, code, name, number of the session, state, words, title."""
    state = "signed" if view.signed else "unsigned"
    words = "1 word" if view.words == 1 else f"{view.words:,} words"
    parts = [view.short, when(env, view.note.session, view.note.offset), client.code, client.name]
    parts += [f"session {view.number}", state, words]
    return "  ".join([*parts, view.note.title] if view.note.title else parts)


def count(number: int, one: str, many: str | None = None) -> str:
    """As "1 note", "2,000 notes"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
