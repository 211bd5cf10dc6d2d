"""What a pair of hands does in the open vault: clients, notes, searches, and the vault itself."""

from __future__ import annotations

from tests.audit_day.acts import (
    BROUGHT_IN,
    CLOSED,
    CREATED,
    CTRL_G,
    CTRL_S,
    EDITOR,
    ENTER,
    FAILED,
    LOOKED,
    OPENED,
    READING,
    REVISED,
    SEARCHED,
    SIGNED,
    Door,
    Expected,
    Note,
    locked,
)  # fmt: skip
from tests.shell.ptyshell import CTRL_L, ESC, F8


class Hand(Door):
    """Its acts; see `acts.Door`."""

    # -- clients

    def add_client(self, name: str, code: str) -> None:
        with self.act(f"add client {code}", CREATED):
            self.line(f"client add {name}", "as you would write it on a folder")
            self.shell.type(ENTER)
            self.shell.until("stands for the name")
            self.shell.type("\x7f" * 8 + code + ENTER)
            self.shell.until("Date of birth")
            self.shell.type(ENTER)
            self.shell.until(f"{code} is made")
        self.notes[code] = []

    def look_at_client(self, code: str) -> None:
        with self.act(f"look at client {code}", OPENED):
            self.line(f"client {code}", "Change name, code or date of birth")
            self.back()

    def end_treatment(self, code: str) -> None:
        with self.act(f"change client {code}", OPENED, REVISED):
            self.line(f"client edit {code}", "Name")
            for then in ("Code", "Born", "Remark", "Is the treatment going on?"):
                self.shell.type(ENTER)
                self.shell.until(then)
            self.shell.type("n")
            self.shell.until(f"{code} is changed")

    def list_clients(self) -> None:
        with self.act("list the clients"):
            self.line("clients", f"Clients ({len(self.notes)})")
            self.back()

    # -- notes

    def lock_writing(self, code: str, text: str) -> None:
        """Ctrl-L over a text that is not saved: it becomes a revision before the lock."""
        with self.act(f"write on, not saved: {code}", OPENED):
            self.line(f"edit {code}", EDITOR)
            self._write(text)
        self._added(code, text)
        self.locks += 1
        with self.act("lock over an open note", REVISED, locked("key"), CLOSED):
            self.shell.type(CTRL_L)
            self.shell.until("Locked.")

    def new_note(self, code: str, text: str) -> None:
        with self.act(f"write a new note: {code}", CREATED):
            self._begin(code)
            self._write(text)
            self.shell.type(ESC)
            self.shell.until("Saved at")
        self.notes[code].append(Note(text))

    def new_note_signed(self, code: str, text: str) -> None:
        """Signed in the editor before it was ever saved: one revision, the first, and it is signed."""
        with self.act(f"write and sign a new note: {code}", CREATED):
            self._begin(code)
            self._write(text)
            self._sign_here()
        self.notes[code].append(Note(text, signed=True))

    def open_note(self, code: str) -> None:
        note = self.notes[code][-1]
        with self.act(f"open a note: {code}", OPENED):
            self.line(f"open {code}", READING if note.signed else EDITOR)
            self.shell.until(note.text.split()[0])
            self.back()

    def edit_note(self, code: str, text: str) -> None:
        with self.act(f"change a note: {code}", OPENED, REVISED):
            self.line(f"edit {code}", EDITOR)
            self._write(text)
            self.shell.type(ESC)
            self.shell.until("Saved at")
        self._added(code, text)

    def edit_twice(self, code: str, first: str, second: str) -> None:
        """Ctrl-S in the middle of the writing."""
        with self.act(f"change a note and save: {code}", OPENED, REVISED):
            self.line(f"edit {code}", EDITOR)
            self._write(first)
            self.shell.type(CTRL_S)
        with self.act(f"write on: {code}", REVISED):
            self._write(second)
            self.shell.type(ESC)
            self.shell.until("Saved at")
        self._added(code, f"{first} {second}")

    def finish_note(self) -> None:
        """Close the note that an unlock came back to; home shows names then."""
        with self.act("close the note", *self.listing()):
            self.back()

    def sign_in_editor(self, code: str, text: str) -> None:
        with self.act(f"change and sign a note: {code}", OPENED, SIGNED):
            self.line(f"edit {code}", EDITOR)
            self._write(text)
            self._sign_here()
        self._added(code, text)
        self.notes[code][-1].signed = True

    def sign(self, code: str) -> None:
        """At the prompt; the newest unsigned note, which is read once more for it."""
        unsigned = [note for note in self.notes[code] if not note.signed]
        with self.act(f"sign a note: {code}", OPENED, SIGNED):
            if len(unsigned) > 1:
                self.line(f"sign {code}", "Sign which note?")
                self.shell.type(ENTER)
                self.shell.until("Sign this note?")
            else:
                self.line(f"sign {code}", "Sign this note?")
            self.shell.type("y")
            self.shell.until("Signed.")
        unsigned[-1].signed = True

    def history(self, code: str) -> None:
        with self.act(f"read an earlier version: {code}", OPENED):
            if len(self.notes[code]) > 1:
                self.line(f"history {code}", "of which note?")
                self.shell.type(ENTER)
                self.shell.until("version ")
            else:
                self.line(f"history {code}", "version ")
            self.shell.type(ENTER)
            self.shell.until(READING)
            self.shell.type(ESC)
            self.shell.until("version ")
            self.back()

    def list_notes(self, code: str) -> None:
        with self.act(f"list the notes: {code}"):
            self.line(f"notes {code}", "Notes: ")
            self.back()

    def drafts(self) -> None:
        with self.act("what is not signed"):
            self.line("drafts", "Not finished or not signed")
            self.back()

    def find(self, word: str) -> int:
        """How many notes hold it, by the hands' own memory; each one shown is a reading."""
        hits = sum(word in note.text.split() for notes in self.notes.values() for note in notes)
        with self.act(f"search, {hits} found", SEARCHED, *[OPENED] * min(hits, 20)):
            if hits:
                self.line(f"find {word}", f"{hits} note{'s' * (hits > 1)} found")
                self.back()
            else:
                self.line(f"find {word}", "Nothing found")
        return hits

    def _begin(self, code: str) -> None:
        self.line(f"new {code}", "1 free")
        self.shell.type("1")
        self.shell.until(EDITOR)

    def _write(self, text: str) -> None:
        self.shell.type(f" {text}" if self.shell.cursor[0] > 1 else text)
        self.shell.until(text.split()[-1])

    def _sign_here(self) -> None:
        self.shell.type(CTRL_G)
        self.shell.until("y signs")
        self.shell.type("y")
        self.shell.until("Signed.")

    def _added(self, code: str, text: str) -> None:
        note = self.notes[code][-1]
        note.text, note.signed = f"{note.text} {text}", False

    # -- the vault

    def hide(self, *, by_key: bool) -> None:
        with self.act("hide or show names"):
            if by_key:
                self.shell.type(F8)
                self.shell.settle()
            else:
                self.line("hide", "ames are ")

    def author(self, name: str) -> None:
        with self.act("settings: name", Expected("settings.change", "U", "admin")):
            self.line("settings", "Your name under signed notes")
            self.shell.type("1")
            self.shell.until("Your name ")
            self.shell.type("\x7f" * 30 + name + ENTER)
            self.shell.until(f"signed notes: {name}")
        self.back()

    def wrong_owner(self, typed: str) -> None:
        """Within the open window: somebody else sits there and wants a passphrase of his own."""
        with self.act("a wrong passphrase in the open vault", FAILED):
            self.line("passphrase", "First the passphrase you have now")
            self.shell.type(typed + ENTER)
            self.shell.until("That is not your passphrase. Nothing was changed.")

    def new_passphrase(self, passphrase: str) -> None:
        k = {"why": "passphrase"}
        with self.act("change the passphrase", Expected("header.write", "U", "admin", k=k)):
            self.line("passphrase", "First the passphrase you have now")
            self.shell.type(self.passphrase + ENTER)
            self.shell.until("Length counts")
            self.shell.type(passphrase + ENTER)
            self.shell.until("The same once more")
            self.shell.type(passphrase + ENTER)
            self.shell.until("The passphrase is changed")
        self.passphrase = passphrase

    def bring_in(self, path: str, rows: list[tuple[str, str]]) -> None:
        """A csv of `rows` (code that is given, text), a client a row: two records each."""
        done = Expected("import.run", "E", "import", k={"n": 2 * len(rows)})
        with self.act("import", *[BROUGHT_IN] * (2 * len(rows)), done):
            self.line(f"import {path}", "Import them now?")
            self.shell.type("y")
            self.shell.until("imported")
        for code, text in rows:
            self.notes[code] = [Note(text)]

    def verify(self) -> None:
        with self.act("verify", Expected("verify.run", "E", "review", k={"bad": 0})):
            self.line("verify", "Nothing was changed, moved or taken away")
            self.back()

    def doctor(self) -> None:
        with self.act("doctor"):
            self.line("doctor", "Doctor")
            self.shell.until("passphrase")
            self.back()

    def audit(self, code: str = "") -> None:
        with self.act("look at the log", LOOKED):
            self.line(f"audit {code}".strip(), "Log: ")
            self.shell.until("the last ")
            self.back()

    def review(self) -> None:
        # All that was entered until now is looked over, and that it is looked at, which is entered first.
        done = Expected("audit.review", "E", "review", k={"n": self.size + 1})
        with self.act("review the log", LOOKED, done):
            self.line("audit review", "Look over the log")
            self.shell.type(ESC)
            self.shell.until("Was all of this you?")
            self.shell.type("y")
            self.shell.until("the log is looked over")
