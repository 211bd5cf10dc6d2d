"""A note on the screen: begun, opened, taken up again, and left in such a way that nothing of it is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from notevault.app.writing import Writing
from notevault.domain.templates import TEMPLATES, heading_words, template_named, unwritten
from notevault.errors import NotevaultError, NotFound
from notevault.shell.desk import Desk, note_words
from notevault.shell.editor_job import EditorJob, EditorResult
from notevault.shell.note_hooks import NoteHooks
from notevault.shell.safe import visible_line
from notevault.shell.ui import Leave
from notevault.vault.drafts import Draft, View
from notevault.vault.notebook import ClientView, Revision


async def write(desk: Desk, writing: Writing, *, from_draft: bool = False) -> None:
    """The editor until it is closed; raises Leave after the text is safe when the shell is to be locked."""
    client = await desk.run(lambda: desk.notebook.client(writing.client_id))
    hooks = NoteHooks(desk, writing)
    notices = desk.session.notices
    told = len(notices)
    job = EditorJob(
        title=visible_line(client.name),
        code=client.code,
        template=_right_end(desk, writing.note.template),
        text=writing.text,
        cursor=writing.cursor,
        detail=await desk.run(lambda: _detail(desk, writing, client)),
        unsaved=from_draft and writing.unsaved(writing.text),
        aside=lambda text: heading_words(text, TEMPLATES[writing.note.template]),
        sign_warning=lambda text: sign_warning(desk, text, writing.note.template),
    )
    try:
        result = await desk.ui.edit(job, hooks)
    except Exception:
        # Ours or the terminal's: the newest text is known here, and it is worth more than the reason.
        await hooks.settle()
        newest = hooks.newest or ((writing.text, writing.cursor) if from_draft else None)
        if newest is not None:
            await _last_try(desk, writing, EditorResult(*newest, "fault", saved=False))
        raise
    await hooks.settle()
    if writing.base and not writing.unsaved(result.text):
        await desk.run(writing.drop_draft)  # of a text that was undone, or that outlived its revision
    desk.say(*dict.fromkeys(notices[told:]))
    del notices[told:]
    if desk.ui.leaving:
        if await _may_leave(desk, writing, result):
            raise Leave(desk.ui.leaving)
        await write(desk, writing, from_draft=True)
    elif result.reason == "signed":
        desk.say(f"Signed. {client.code}, {desk.when(writing.note.session, writing.note.offset)}.")
    elif not result.saved and writing.unsaved(result.text):
        if not await _kept(desk, writing, result):
            await write(desk, writing, from_draft=True)
    elif writing.base == 0:
        await desk.run(lambda: desk.drafts.drop(writing.note_id))
        desk.say("Nothing was written, so nothing was saved.")
    elif result.text != job.text or from_draft:
        desk.say(f"Saved at {desk.clock_words(desk.saved_ms or desk.now())}. Not signed yet: `sign {client.code}`.")


async def _kept(desk: Desk, writing: Writing, result: EditorResult) -> bool:
    """A draft instead of the revision that failed; False to go back to the text, which nothing else holds then."""
    try:
        await desk.run(lambda: writing.keep(result.text, result.cursor))
    except NotevaultError as fault:
        said = [f"{fault.sentence} {fault.next_step}".strip(), "What you wrote last is on no disk yet."]
        question = "Go back to your text? (No gives it up.)"
        if await _asked(desk, writing, result, "Not saved", said, question, default=True) is not False:
            writing.text, writing.cursor = result.text, result.cursor
            return False
        desk.say("Not saved.")
    else:
        desk.say("Not saved, but kept as a draft.")
    return True


async def _may_leave(desk: Desk, writing: Writing, result: EditorResult) -> bool:
    """The text made safe before a lock. Where no disk takes it, whoever pressed Ctrl-L is asked, on a screen without
    it; False to go back to the text. A lock that nobody pressed is not held up: an open vault is worse.
    """
    try:
        await desk.run(lambda: _seal(desk, writing, result))
    except NotevaultError as fault:
        if desk.ui.leaving != "key":
            _lost(desk, fault)
            return True
        desk.ui.leaving = None  # to be able to ask; a terminal or a parent that goes away meanwhile sets it again
        said = [f"{fault.sentence} {fault.next_step}".strip(), "Locking now would lose what you wrote last."]
        question = "Lock all the same?"
        if await _asked(desk, writing, result, "Not locked yet", said, question, default=False) is not True:
            writing.text, writing.cursor = result.text, result.cursor
            return False
        desk.ui.leaving = desk.ui.leaving or "key"
    return True


async def _asked(
    desk: Desk, writing: Writing, result: EditorResult, title: str, said: list[str], question: str, *, default: bool
) -> bool | None:
    """A question while nothing but this process holds the text: a lock or an end meanwhile tries once more."""
    try:
        return await desk.ui.confirm(title, said, question, default=default)
    except Leave:
        await _last_try(desk, writing, result)
        raise


async def _last_try(desk: Desk, writing: Writing, result: EditorResult) -> None:
    """The way out cannot be held up any more; a text that is lost by it is told of on the next screen."""
    try:
        await desk.run(lambda: _seal(desk, writing, result))
    except NotevaultError as fault:
        _lost(desk, fault)


def _lost(desk: Desk, fault: NotevaultError) -> None:
    desk.channel.send(f"say What was written last could not be kept. {fault.sentence}")


def sign_warning(desk: Desk, text: str, template: str) -> str:
    """What a signature would stand under: headings with nothing below them, and whose name."""
    empty = unwritten(text, TEMPLATES[template])
    said = [f"Nothing is written under {', '.join(empty)}."] if empty else []
    said += [] if desk.settings.author else ["Your name is not set (`settings`): it is signed without one."]
    return " ".join(said)


def _right_end(desk: Desk, template: str) -> str:
    """The title row's right end: the template, and what must not be forgotten."""
    parts = [template if template != "free" else ""]
    parts += ["READ-ONLY"] if desk.session.read_only is not None else []
    parts += ["NOT RECOVERABLE"] if not desk.sheet_ok and desk.demo is None else []
    return " \u00b7 ".join(part for part in parts if part)


def _detail(desk: Desk, writing: Writing, client: ClientView) -> str:
    if writing.base == 0:
        return f"session {client.notes + 1} \u00b7 {desk.when(writing.note.session, writing.note.offset)} \u00b7 new"
    return note_words(desk, desk.notebook.note(writing.note_id))


def _seal(desk: Desk, writing: Writing, result: EditorResult) -> None:
    """First the draft, which needs the least; then the revision, if it can be had; then the place to return to."""
    desk.view = View("note", writing.client_id, writing.note_id, result.cursor)
    fresh = writing.base == 0 and not writing.unsaved(result.text)
    unkept = False
    if writing.unsaved(result.text) or fresh:
        try:
            writing.keep(result.text, result.cursor)
        except NotevaultError:  # drafts and vault may lie on two disks: the other one may have room
            unkept = True
    if not fresh:
        try:
            if writing.save(result.text, result.cursor) is not None:
                desk.saved_ms = desk.now()
        except NotevaultError as fault:
            if unkept:
                raise
            desk.channel.send(f"say The note could not be saved yet; it is kept as a draft. {fault.sentence}")


async def read(desk: Desk, note_id: bytes, revision: Revision | None = None, cursor: int = 0) -> None:
    """The newest, or a revision, to be read, not changed; its opening is logged before its text is shown."""
    if revision is None:
        view, note = await desk.run(lambda: desk.notebook.open_note(note_id))
    else:  # as it was chosen: two laptops may have given one number to two texts
        view = await desk.run(lambda: desk.notebook.note(note_id))
        note = await desk.run(lambda: desk.notebook.open_revision(revision))
    client = await desk.run(lambda: desk.notebook.client(view.client_id))
    shown = note_words(desk, view)
    if revision is not None and replace(note, text="") != view.note:
        shown = f"revision {revision.version} of {view.version} \u00b7 {desk.when(note.session, note.offset)}"
    job = EditorJob(
        title=visible_line(client.name),
        code=client.code,
        template=_right_end(desk, note.template),
        text=note.text,
        cursor=min(cursor, len(note.text)),
        read_only=True,
        detail=shown,
    )
    hooks = _Reading(desk)
    result = await desk.ui.edit(job, hooks)
    if desk.ui.leaving:
        desk.view = View("read", view.client_id, note_id, result.cursor)
        raise Leave(desk.ui.leaving)


class _Reading:
    """Hooks for a text that does not change."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def activity(self) -> None:
        self._desk.ui.idle.activity()

    def on_change(self, text: str, cursor: int) -> None:
        """Never called: the text is read only."""

    def save(self, text: str, cursor: int) -> str:
        return ""

    def sign(self, text: str, cursor: int) -> str:
        return ""

    def status(self) -> str:
        return self._desk.status()

    def alarm(self) -> Sequence[str]:
        return self._desk.alarm()

    def keeping(self) -> tuple[str, str]:
        return "", ""

    def should_close(self) -> str | None:
        return self._desk.ui.leaving


async def open_note(desk: Desk, note_id: bytes, *, change: bool = False) -> None:
    """A kept draft of it first; else unsigned notes to go on writing, signed ones (unless `change`) to read."""
    draft = await desk.run(lambda: _draft_of(desk, note_id))
    if draft is not None:
        await take_up(desk, draft)
        return
    view = await desk.run(lambda: desk.notebook.note(note_id))
    if (view.signed and not change) or desk.session.read_only is not None:
        await read(desk, note_id)
    else:
        await write(desk, await desk.run(lambda: Writing.of_note(desk.notebook, desk.drafts, note_id)))


def _draft_of(desk: Desk, note_id: bytes) -> Draft | None:
    return next((draft for draft in desk.drafts.list() if draft.note == note_id), None)


async def take_up(desk: Desk, draft: Draft, cursor: int | None = None) -> None:
    writing = await desk.run(lambda: Writing.of_draft(desk.notebook, desk.drafts, draft))
    if cursor is not None:
        writing.cursor = min(cursor, len(writing.text))
    if writing.base > draft.base and writing.unsaved(writing.text):
        said = [
            f"Revision {writing.base} of this note was saved after this draft was begun, and its text is another one.",
            "Both are kept: what you save now becomes a revision of its own.",
        ]
        if await desk.ui.confirm("An older draft", said, "Open the draft? (No shows the note.)", default=True) is False:
            await read(desk, draft.note)
            return
    await write(desk, writing, from_draft=True)


async def begin(desk: Desk, client_id: bytes, template: str | None = None, session_ms: int | None = None) -> None:
    chosen = template_named(template or desk.settings.template).name
    await write(
        desk,
        await desk.run(lambda: Writing.new(desk.notebook, desk.drafts, client_id, chosen, session_ms=session_ms)),
    )


async def return_to(desk: Desk, view: View) -> bool:
    """The note that was on the screen at lock, with its cursor; False when there is none to return to."""
    if not view.note:
        return False
    try:
        draft = await desk.run(lambda: _draft_of(desk, view.note))
        if draft is not None:
            await take_up(desk, draft, view.cursor)
        elif view.screen == "read" or desk.session.read_only is not None:
            await read(desk, view.note, cursor=view.cursor)
        else:
            writing = await desk.run(lambda: Writing.of_note(desk.notebook, desk.drafts, view.note))
            writing.cursor = min(view.cursor, len(writing.text))
            await write(desk, writing)
    except NotFound:
        return False
    return True
