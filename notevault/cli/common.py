"""What every command works with: its options, the output, the ports, and the vault it opens for one act."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING

from notevault.cli import asking
from notevault.cli.output import Output
from notevault.errors import NotevaultError, OwnFault, Refused, UsageFault, WrongSecret

if TYPE_CHECKING:
    from notevault.vault.env import Env
    from notevault.vault.notebook import Notebook
    from notevault.vault.session import Session
    from notevault.wiring.locked import LockedSide

TRIES = 3  # at a terminal; each failed one is logged
NOT_INTACT = (
    "`notevault backup heal` puts back what a backup still has. Until then do not save into the vault; what heal cannot"
    " mend: `notevault backup restore --from DIR --to NEWVAULT`."
)
GONE = "`notevault backup heal` puts back from a backup what is gone."
SALVAGED = "That is the old log, from before it was salvaged; the new one is whole. Go on working."
"""After a check that found something."""


class Context:
    def __init__(self, args: argparse.Namespace, side: LockedSide) -> None:
        self.args = args
        self.side = side
        self.out = Output(args.json, args.plain)
        self._check_dashes()

    def _check_dashes(self) -> None:
        found = 0
        for value in vars(self.args).values():
            found += (value == "-") if not isinstance(value, list) else value.count("-")
        if found > 1:
            raise UsageFault(
                "Only one thing can come from standard input: `-` is given more than once.",
                "Put one of them into a file that only you can read, or type it at the prompt.",
            )

    @property
    def takes_stdin(self) -> bool:
        """Whether `-` is already given for something."""
        return any(value == "-" for value in vars(self.args).values())

    @property
    def can_ask(self) -> bool:
        return asking.can_ask(self.args.no_input)

    @cached_property
    def env(self) -> Env:
        from notevault.wiring.unlocked import make_env

        return make_env(self.side, on_wait=self.out.say, key_in_file=getattr(self.args, "key_in_file", False))

    # -- passphrases

    def given_passphrase(self) -> str | None:
        """From --passphrase-file, None without it."""
        name = self.args.passphrase_file
        return None if name is None else asking.secret_from(name, "the passphrase", self.out.warn)

    def passphrase(self, prompt: str = "Passphrase: ") -> str:
        given = self.given_passphrase()
        if given is not None:
            return given
        if not self.can_ask:
            raise asking.need_terminal(
                "The passphrase is needed", "Name a file with --passphrase-file F, or run `notevault remember` first."
            )
        return asking.hidden(prompt)

    def new_passphrase(self, name: str | None, option: str, *, patient: bool = False) -> str:
        """A passphrase to be set: from the file, or typed twice. UsageFault when it is too easy. `patient`: asked until
        one is set, since much was typed before it (a recovery sheet).
        """
        from notevault.app.opening import check_new_passphrase

        if name is not None:
            text = asking.secret_from(name, "the new passphrase", self.out.warn)
            check_new_passphrase(text)
            return text
        if not self.can_ask:
            raise asking.need_terminal("A new passphrase is needed", f"Name a file with {option} F.")
        for left in count(1) if patient else reversed(range(TRIES)):
            text = asking.hidden("New passphrase (nothing is shown while you type): ")
            try:
                check_new_passphrase(text)
            except UsageFault as fault:
                if not left:
                    raise
                self.out.say(f"{fault.sentence} {fault.next_step}")
                continue
            if asking.hidden("The same once more: ") == text:
                return text
            self.out.say("The two are not the same." + (" Once more; Ctrl-C ends it." if patient else ""))
        raise UsageFault("No new passphrase was set.", "Start again when you have one at hand.")

    # -- the vault, open for one act

    @contextmanager
    def session(self, *, passphrase_needed: bool = False, keep_okm: bool = False) -> Iterator[Session]:
        """`passphrase_needed`: a remembered session is not enough, since the act changes what opens the vault."""
        from notevault.app import oneshot

        session = self.open_now(passphrase_needed=passphrase_needed, keep_okm=keep_okm)
        yield from self._hold(session, oneshot.finish)

    @contextmanager
    def holding(self, session: Session) -> Iterator[Session]:
        """As `session`, for one that is open already."""
        from notevault.app import oneshot

        yield from self._hold(session, oneshot.finish)

    def _hold(self, session: Session, finish: Callable[[Session], list[NotevaultError]]) -> Iterator[Session]:
        from notevault.wiring.unlocked import lock_memory

        lock_memory()
        self.tell(session)
        told = len(session.notices)
        try:
            yield session
        finally:
            for notice in session.notices[told:]:
                self.out.warn(notice)
            for fault in finish(session):
                self.out.warn(fault.sentence)

    @contextmanager
    def notebook(self) -> Iterator[Notebook]:
        from notevault.vault.notebook import Notebook

        with self.session() as session:
            yield Notebook(session)

    def open_now(self, *, passphrase_needed: bool = False, keep_okm: bool = False) -> Session:
        """As `session`, for the caller to close."""
        from notevault.app import oneshot, opening

        vault = self.side.vault
        given = self.given_passphrase()
        if given is None and not passphrase_needed and oneshot.may_be_remembered(self.env, vault):
            try:
                return opening.open_vault(self.env, vault, None, shell=False, progress=self.reading)
            except Refused:
                pass  # it has ended, or the passphrase was changed elsewhere: it is asked for
        if given is None:
            oneshot.alleged_vault(self.env, vault)  # before anything is asked: is there a vault at all
        for left in reversed(range(TRIES)):
            text = given if given is not None else self.passphrase()
            try:
                return opening.open_vault(self.env, vault, text, shell=False, keep_okm=keep_okm, progress=self.reading)
            except WrongSecret as fault:
                if given is not None or not left:
                    raise
                self.out.say(f"{fault.sentence} {fault.next_step}")
        raise OwnFault("The vault was neither opened nor refused.")

    def reading(self, done: int, total: int) -> None:
        if total > 2048:  # fewer are read before anyone has looked
            self.out.progress("Reading the vault", done, total)

    def tell(self, session: Session) -> None:
        """What a user has to know about this opening."""
        from notevault.cli.show import clock_time
        from notevault.vault import salvage

        self.out.clear()
        if session.until_ms is not None:
            self.out.say(f"Opened by the remembered session until {clock_time(session.env, session.until_ms)}.")
        for notice in session.notices:
            self.out.warn(notice)
        if session.read_only is not None:
            step = "" if session.is_copy else " `notevault doctor` says how to go on."
            self.out.warn(f"This vault is read-only. {session.read_only}{step}")
        if session.findings:
            one = len(session.findings) == 1
            count, them = ("One thing", "it") if one else (f"{len(session.findings)} things", "them")
            if salvage.nothing_lost(session):
                self.out.say(f"{count} did not hold in the old log, from before it was salvaged. The new one is whole.")
            else:
                self.out.warn(
                    f"{count} in this vault did not hold what was promised: `notevault verify` names {them}, `notevault"
                    f" backup heal` puts {them} back, if a backup has {them}."
                )
