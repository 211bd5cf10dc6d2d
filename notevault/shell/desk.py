"""What an open shell works at: the session and what belongs to it, and the few facts that the toolbar shows.

The vault is used by one thread at a time (`run`, `gate`): the log's writer knows one holder, and a draft must not
overtake the revision that replaces it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from notevault.app import reviewing
from notevault.domain import dates
from notevault.domain.settings import Settings
from notevault.errors import NotevaultError
from notevault.shell.alarms import Alarms
from notevault.shell.backup_bar import BackupBar, here
from notevault.shell.backup_job import Jobs
from notevault.shell.control import Channel
from notevault.shell.safe import visible_line
from notevault.shell.toolbar import Bar
from notevault.shell.ui import Ui
from notevault.shell.wording import in_plain_words
from notevault.vault import rekey
from notevault.vault.drafts import Drafts, View
from notevault.vault.env import Env
from notevault.vault.notebook import ClientView, Notebook, NoteView
from notevault.vault.session import Session
from notevault.wiring.locked import LockedSide

T = TypeVar("T")


@dataclass
class Desk:
    env: Env
    side: LockedSide
    ui: Ui
    channel: Channel
    demo: Path | None = None
    exit_code: int = 0
    saved_ms: int | None = None
    sheet_ok: bool = True
    view: View = field(default_factory=View)
    """Where the next child returns to, if the shell is locked now."""
    gate: threading.RLock = field(default_factory=threading.RLock)
    message: list[str] = field(default_factory=list)
    """What home says next."""
    closed_words: str = "locked"
    """The toolbar while no vault is open."""
    retype: str = ""
    """A line that could not be run: it stands at the prompt again, to be mended."""
    alarms: Alarms = field(default_factory=Alarms)
    jobs: Jobs = field(default_factory=Jobs)
    """Long work on backups, beside everything else."""
    _unseen: tuple[int, int] = (0, 0)
    """Findings not looked at, of how many, when that was last counted."""
    _promised: int | None = None
    _session: Session | None = None
    _notebook: Notebook | None = None
    _drafts: Drafts | None = None
    _settings: Settings | None = None

    def __post_init__(self) -> None:
        self.backup = BackupBar(self)

    def __repr__(self) -> str:
        return "Desk(...)"

    # The open vault

    def take(self, session: Session) -> None:
        """A vault is open: the countdown begins."""
        self._session, self._notebook, self._drafts = session, Notebook(session), Drafts(session)
        self.alarms.read_only = session.read_only or ""
        with self.gate:
            self.refresh()
        self.ui.idle.start(self.settings.idle)
        self.ui.news = []
        self.promise()
        self.backup.opened()

    def promise(self) -> None:
        """To be called every second: tell the parent until when this vault may be open. See `overdue`."""
        due = self.ui.idle.due_ms(leaving=self._promised if self.ui.leaving else None)
        if due is not None and due != self._promised:
            self._promised = due
            self.channel.send(f"until {due}")

    def refresh(self) -> None:
        """Read again what the toolbar and the flows go by."""
        self._settings = self.notebook.settings()
        self.sheet_ok = rekey.sheet_confirmed(self.session)

    @property
    def open(self) -> bool:
        return self._session is not None

    @property
    def session(self) -> Session:
        assert self._session is not None
        return self._session

    @property
    def notebook(self) -> Notebook:
        assert self._notebook is not None
        return self._notebook

    @property
    def drafts(self) -> Drafts:
        assert self._drafts is not None
        return self._drafts

    @property
    def settings(self) -> Settings:
        return self._settings or Settings()

    async def run(self, job: Callable[[], T]) -> T:
        """`job` in a thread, alone with the vault."""

        def gated() -> T:
            with self.gate:
                return job()

        return await asyncio.get_running_loop().run_in_executor(None, gated)

    async def clients(self) -> list[ClientView]:
        return await self.run(self.notebook.clients)

    # Words

    def now(self) -> int:
        return self.env.clock.wall_ms()

    def today(self) -> str:
        now = self.now()
        day = dates.day_of(now, self.env.clock.utc_offset_minutes(now))
        return dates.day_words(day, day)

    def day(self, ms: int) -> date:
        """The local day of a moment on this computer."""
        return dates.day_of(ms, self.env.clock.utc_offset_minutes(ms))

    def when(self, ms: int, offset: int) -> str:
        now = self.now()
        return dates.moment_words(ms, offset, dates.day_of(now, self.env.clock.utc_offset_minutes(now)))

    def clock_words(self, ms: int) -> str:
        return f"{dates.local(ms, self.env.clock.utc_offset_minutes(ms)):%H:%M}"

    def moment(self, ms: int) -> str:
        """Of something that happened on this computer: the time today, else day and time."""
        offset = self.env.clock.utc_offset_minutes(ms)
        now = self.now()
        same = dates.day_of(ms, offset) == dates.day_of(now, self.env.clock.utc_offset_minutes(now))
        return self.clock_words(ms) if same else self.when(ms, offset)

    def who(self, client: ClientView, hidden: bool) -> str:
        """One client on a screen: name and code, or the code alone."""
        return client.code if hidden else f"{visible_line(client.name)} {client.code}"

    def bar(self, width: int) -> str:
        """The toolbar; nothing while the vault is locked, but that this is a demo."""
        if not self.open:
            said = "DEMO \u2013 nothing here is kept" if self.demo else self.closed_words
            return f" {said}".ljust(width)
        saved = "" if self.saved_ms is None else f"saved {self.clock_words(self.saved_ms)}"
        return Bar(
            self.ui.idle.words(),
            saved,
            self.backup.bar,
            alarm=self.backup.red,
            sheet=self.sheet_ok,
            read_only=self.session.read_only is not None,
            finding=self.finding,
            demo=self.demo is not None,
        ).text(width)

    def status(self) -> str:
        """The countdown in an editor's bottom line, after what must not be overlooked."""
        return f"FINDING \u2502 {self.ui.idle.words()}" if self.finding else self.ui.idle.words()

    def alarm(self) -> tuple[str, ...]:
        """What an editor's title row says in front of everything, the longest wording first."""
        return self.backup.bar if self.backup.red else ()

    def say(self, *sentences: str) -> None:
        self.message += [each for each in sentences if each]

    def say_fault(self, fault: NotevaultError) -> None:
        self.alarms.heard(fault)
        self.say(in_plain_words(here(f"{fault.sentence} {fault.next_step}".strip())))

    # What must be looked at

    def warnings(self) -> list[str]:
        """To be called by whoever has the vault to himself (`run`), as `look`."""
        self._unseen = len(reviewing.unseen(self.session)), len(self.session.findings)
        return self.alarms.lines(self._unseen[0])

    @property
    def finding(self) -> bool:
        """For the toolbar, at any time: what turned up since the last look counts as not looked at."""
        unseen, known = self._unseen
        return self.open and self.alarms.is_grave(unseen + len(self.session.findings) - known)

    def looked(self) -> None:
        """Everything that there is to warn of was on the screen."""
        reviewing.looked_at(self.session)
        self._unseen = 0, len(self.session.findings)
        self.alarms.clear()


def note_words(desk: Desk, view: NoteView) -> str:
    """As in a title row: session number, date, state."""
    state = "signed" if view.signed else "unsigned"
    return f"session {view.number} \u00b7 {desk.when(view.note.session, view.note.offset)} \u00b7 {state}"
