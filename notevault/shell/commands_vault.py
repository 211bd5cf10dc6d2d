"""The vault itself at the prompt: import, verify, doctor, passphrase, settings, help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from notevault.adapters.places import user_path
from notevault.app import doctoring, importing, opening
from notevault.app.doctoring import Item
from notevault.domain.imported import ImportedNote
from notevault.domain.importing import FILE_LIMIT, parse
from notevault.domain.templates import TEMPLATES
from notevault.errors import NotevaultError, NotFound, UsageFault
from notevault.shell import owner, wizard, wording
from notevault.shell.backup_bar import HALTED, here
from notevault.shell.complete import BACKUP, BACKUP_ABOUT, COMMANDS
from notevault.shell.desk import Desk
from notevault.shell.paint import Row, columns, count, wrapped
from notevault.shell.ui import Progress, options, rows_of
from notevault.vault import verify

if TYPE_CHECKING:
    from notevault.backup.status.overview import Overview

NAMED = 50
"""Findings that are spelled out."""
MEND = "`backup heal` puts back what a backup still has; copy the vault folder away first, as it is."
SALVAGED = "That is the old log, from before it was salvaged; the new one is whole. Go on working."
HELP_KEYS = (
    ("F1", "this help"),
    ("F8", "hide or show names, on every screen"),
    ("Ctrl-L", "lock, on every screen"),
    ("Tab", "take the marked offer"),
    ("Esc", "go back; nothing is lost"),
    ("Enter", "open the marked row, or run the line"),
)
HELP_PLAIN = (
    ("a number", "open that row, or take that choice"),
    (".", "go back; nothing is lost. Ctrl-C does the same"),
    ("Enter", "take what stands in brackets"),
    ("home", "the list again"),
    ("Ctrl-L", "and Enter: lock"),
    ("Ctrl-D", "lock and leave"),
)
MORE_PLAIN = "`help` and a command tells more about it. In a note, an unknown letter lists what can be done."
MORE = "`help` and a command tells more about it. In a note, F1 shows the editor's keys."
HELP_MORE = {
    "open": "Opens the newest note of a client. A signed note is shown to be read; `edit` changes it.",
    "new": "Begins a note dated now. A name that nobody has yet makes a new client, after asking.",
    "edit": "Opens the newest note to be changed, a signed one too: the signed version stays in the history.",
    "find": "Finds notes that hold every word; its beginning is enough. The search is logged, its words sealed.",
    "client": "`client anna` shows her page, `client add NAME` makes a client, `client edit anna` changes her data.",
    "import": "Reads .txt, .md and .csv files. You see what would come in before anything is saved.",
    "sign": "Vouches for a note. A later change makes a new version that is unsigned again.",
    "audit": "Who opened, wrote and searched what, and when: the last 7 days. `audit 30` goes back 30 days,"
    " `audit anna` shows one client, `audit review` goes over all since the last review and asks whether it was you."
    " For an auditor, in a terminal: `notevault audit --help`.",
    "backup": "Where your notes are safe besides this computer. `backup` alone shows it and offers what can be done:"
    " `backup add` names a place, `backup run` backs up now, `backup verify` checks, `backup drill` practises a"
    " restore, `backup heal` repairs. While notevault is open it backs up by itself, also while it is locked.",
    "verify": "Reads everything and checks that nothing was changed, moved or taken away.",
    "settings": "Your name under signed notes, the minutes until the lock, the usual template.",
    "quit": "Saves, locks and leaves. Closing the window does the same.",
}


async def show_help(desk: Desk, rest: str) -> None:
    word, plain = rest.lower(), desk.ui.is_plain
    known = {name: (takes, about) for name, takes, about in COMMANDS}
    if word in known:
        takes, about = known[word]
        lines = [f"{word} {takes}".strip(), "", about, "", HELP_MORE.get(word, "")]
        if word == "backup":
            lines += ["", *(f"backup {each}: {BACKUP_ABOUT[each]}" for each in BACKUP)]
        await desk.ui.page(f"Help: {word}", rows_of(*lines))
        return

    def rows(width: int, _hidden: bool) -> list[Row]:
        listed: list[Row] = [[("class:heading", "Keys")]]
        listed += [[("class:key", f"  {key:<11}"), ("", what)] for key, what in (HELP_PLAIN if plain else HELP_KEYS)]
        prompt = "At the prompt" if plain else "At the prompt (a few letters and Tab are enough)"
        listed += [[("", "")], [("class:heading", prompt)]]
        for name, takes, about in COMMANDS:
            listed.append([("class:key", f"  {name:<11}"), ("", columns([(takes, 9), (about, max(10, width - 24))]))])
        listed += [[("", "")], *wrapped(MORE_PLAIN if plain else MORE, width)]
        return listed

    await desk.ui.page("Help", rows)


async def check(desk: Desk, _rest: str) -> None:
    """`verify`, with its progress and its verdict in words."""

    def job(say: Progress) -> verify.Verdict:
        with desk.gate:
            return verify.verify(desk.session, lambda what, done, total: say(f"{what}: {done:,} of {total:,}"))

    verdict = await desk.ui.work("Verify", ["Reading everything and checking that nothing was changed\u2026"], job)
    said = {
        0: "Nothing was changed, moved or taken away.",
        1: f"{_things(verdict.findings)} did not hold. {SALVAGED if verdict.salvaged else MEND}",
        2: f"{_things(verdict.undecided)} could not be checked.",
    }[verdict.exit_code]
    entries = count(verdict.entries, "log entry").replace("entrys", "entries")
    lines = [said, "", f"{entries} and {count(verdict.blobs, 'record')} looked at."]
    for title, found in (("Did not hold:", verdict.findings), ("Not checked:", verdict.undecided)):
        if found:
            lines += ["", title, *(f"  {wording.found_words(*each)}" for each in found[:NAMED])]
        if found[NAMED:]:
            lines.append(f"  {len(found) - NAMED:,} more; `notevault verify` in a terminal names them.")
    if verdict.notes:
        lines += ["", "Besides:", *(f"  {wording.in_plain_words(each)}" for each in verdict.notes[:NAMED])]
    if verdict.findings:
        desk.alarms.found([wording.found_words(*each) for each in verdict.findings[:NAMED]])
    await desk.ui.page("Verify", rows_of(*lines))


def _things(found: Sequence[object]) -> str:
    return count(len(found), "thing")


_STEPS = {
    "recovery sheet": "Type `sheet`: it makes one, or checks the one you have.",
    "passphrase": "Type `passphrase` to set it anew.",
    "records": "Type `verify`: it names them. `backup heal` puts back what a backup still has.",
}
"""What `notevault doctor` advises in commands, as one does it here at the prompt."""


def _backups(desk: Desk) -> Callable[[], Overview]:
    """The look at the backups, taken before the vault is: a place that hangs must not hold her up."""
    from notevault.wiring.backup import overview_of

    try:
        seen = overview_of(desk.side)
    except NotevaultError as fault:
        kept = fault

        def raise_it() -> Overview:
            raise kept

        return raise_it
    return lambda: seen


async def doctor(desk: Desk, _rest: str) -> None:
    """What `notevault doctor` says, of the vault that is open."""

    def job(_say: Progress) -> list[Item]:
        backups = None if desk.demo is not None else _backups(desk)
        with desk.gate:
            inside = doctoring.look_inside(desk.session)
            known = {item.topic for item in inside} - {"drafts"}
            outside = doctoring.look(desk.env, desk.side.vault, backups)[0]
            return [item for item in outside if item.topic not in known] + inside

    halted = [Item("automatic backup", "bad", HALTED)] if desk.backup.halted else []
    items = halted + await desk.ui.work("Doctor", ["Looking at the vault and this laptop\u2026"], job)

    def rows(width: int, _hidden: bool) -> list[Row]:
        listed: list[Row] = []
        for item in items:
            mark = {"warn": "!", "bad": "!!", "unknown": "?"}.get(item.state, "")
            label = f"{mark:<3}{item.topic[:18]:<19}"
            style = "class:heading" if mark.startswith("!") else ""
            told = wrapped(item.sentence, min(width, 78) - len(label), style)
            step = _STEPS.get(item.topic, item.step) if mark else item.step
            told += wrapped(here(step), min(width, 78) - len(label)) if step else []
            heads = [label, *[" " * len(label)] * (len(told) - 1)]
            listed += [[("class:key", head), *row] for head, row in zip(heads, told, strict=True)]
        return listed

    await desk.ui.page("Doctor", rows)


async def passphrase(desk: Desk, _rest: str) -> None:
    desk.session.check_writable()
    if not await owner.asked(desk, "A new passphrase"):
        return
    text = await wizard.new_passphrase(desk, "A new passphrase")
    if text is None:
        desk.say("The passphrase is as it was.")
        return

    def job(_say: Progress) -> None:
        with desk.gate:
            opening.change_passphrase(desk.session, text)

    await desk.ui.work("A new passphrase", ["Changing the passphrase\u2026"], job)
    desk.say("The passphrase is changed. Your recovery sheet still works.")


async def settings(desk: Desk, _rest: str) -> None:
    while True:
        now = desk.settings
        picked = await desk.ui.choose(
            "Settings",
            [],
            options(
                f"Your name under signed notes: {now.author or '(none)'}",
                f"Locks after {now.idle} minutes without a key",
                f"Usual template: {now.template}",
                "Back",
            ),
            numbered=True,
        )
        changed = now
        if picked == 0:
            author = await desk.ui.ask(
                "Settings",
                [],
                "Your name",
                initial=now.author,
                check=lambda text, now=now: _fault(replace(now, author=text.strip())),  # type: ignore[misc]
            )
            changed = now if author is None else replace(now, author=author.strip())
        elif picked == 1:
            minutes = await wizard.ask_idle(desk, "Settings")
            changed = now if minutes is None else replace(now, idle=minutes)
        elif picked == 2:
            names = list(TEMPLATES)
            at = await desk.ui.choose(
                "Usual template", [], options(*names), selected=names.index(now.template), numbered=True
            )
            changed = now if at is None else replace(now, template=names[at])
        else:
            return
        if changed != now:
            await desk.run(lambda changed=changed: desk.notebook.save_settings(changed))  # type: ignore[misc]
            await desk.run(desk.refresh)
            desk.ui.idle.start(desk.settings.idle)


def _fault(_made: object) -> str | None:
    return None


async def import_file(desk: Desk, rest: str) -> None:
    """`import FILE`: what would come in, then the question, then the work."""
    desk.session.check_writable()
    name = rest or await desk.ui.ask("Import", ["A .txt, .md or .csv file with notes."], "File")
    if not name:
        return
    path = user_path(name.strip().strip("'\""))
    notes, warnings = await desk.run(lambda: _read(path))
    if not notes:
        raise UsageFault("There is not one note in this file.", " ".join(warnings))
    plan = await desk.run(lambda: importing.preview(desk.notebook, notes))
    if not plan.notes:
        desk.say("Nothing was imported: all of it is here already.")
        return
    counts = f"{len(plan.new):,} new, {len(plan.known):,} here already"
    text = [f"{count(plan.notes, 'note')} of {count(len(plan.owners), 'client')}: {counts}."]
    if plan.left_out:
        text.append(f"{count(plan.left_out, 'further note')} already here: left out.")
    if plan.undated:
        text.append(f"{count(plan.undated, 'note')} without a date: dated today and marked as undated.")
    if plan.close:
        codes = ", ".join(code for _, code in plan.close[:6])
        text.append(f"{count(len(plan.close), 'new name')} close to that of a client here: {codes}.")
    text += [*warnings, *plan.warnings]
    if not await desk.ui.confirm("Import", text, "Import them now?", default=False):
        desk.say("Nothing was imported.")
        return

    def job(say: Progress) -> tuple[int, int]:
        with desk.gate:
            return importing.run(desk.notebook, plan, lambda done, total: say(f"{done:,} of {count(total, 'note')}"))

    made, saved = await desk.ui.work("Import", ["Sealing the notes\u2026"], job)
    desk.saved_ms = desk.now()
    desk.say(
        f"{count(saved, 'note')} imported, {count(made, 'client')} made; all unsigned.",
        "The file is still readable by anyone who gets at this disk: delete it when all is well, also from the trash.",
    )


def _read(path: Path) -> tuple[list[ImportedNote], list[str]]:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        raise NotFound("There is no file of that name.", "Type its whole path.") from None
    except OSError as fault:
        raise UsageFault(f"The file cannot be read ({fault.strerror}).", "Choose another file.") from None
    plan = parse(path.name, data)
    return list(plan.notes), list(plan.warnings)
