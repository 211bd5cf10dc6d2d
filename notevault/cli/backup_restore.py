"""backup restore: the vault back from its backups, on a computer that may never have seen it.

Everything that needs an answer is asked before the copying begins; only a laptop's own passphrase is asked after it.
Every question can be answered with Enter alone.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from notevault.adapters.places import user_path
from notevault.app import restoring
from notevault.app.restoring import Known
from notevault.backup import restore as copying
from notevault.backup.copies import Choice, Copies
from notevault.backup.restore import Restored
from notevault.backup.restore_plan import Building, Decision, Journal, check_target, decide, decide_again, same
from notevault.cli import asking, sheets
from notevault.cli.backup_restore_words import Rate, list_states, question, state_words
from notevault.cli.common import TRIES, Context
from notevault.domain.dates import day_of, parse_moment, to_ms
from notevault.errors import Damaged, Interrupted, NotevaultError, UsageFault, WrongSecret
from notevault.formats.sheet import SheetCode
from notevault.vault.session import Session
from notevault.wiring.backup import open_place, open_tree, volumes

_SEALED = "The notes are back, but still locked."


def run(ctx: Context) -> int:
    folders = list(dict.fromkeys(user_path(name).resolve() for name in ctx.args.places))
    ctx.out.say("Looking into the backups…")
    copies = restoring.find(folders, open_tree, None if ctx.args.vault_id is None else ctx.args.vault_id.lower())
    at_ms = None if ctx.args.at is None else _moment(ctx, ctx.args.at)
    if ctx.args.list:
        return list_states(ctx, _pinned(ctx, folders, copies, None), at_ms)
    to = _target(ctx, folders)
    building = Building(to)
    begun = building.read(ctx.env.files)
    check_target(ctx.env.files, to, begun, building)  # before anything is asked
    known = restoring.known_of(ctx.env, copies.vault, to, ctx.side.vault)
    code = _sheet(ctx, known)
    copies = _pinned(ctx, folders, copies, code)
    choice = _choose(ctx, copies, begun, at_ms)
    if begun is not None:
        same(begun, Journal.of(copies.vault, choice), building)
    if code is not None:
        restoring.try_sheet(copies, choice, code)
        ctx.out.say("The recovery sheet opens this backup.")
    take_over = known.living is None or _take_over(ctx, known.living)
    job = _Job(ctx, folders, to, known, code, take_over)
    if code is not None and take_over:
        job.passphrase = ctx.new_passphrase(ctx.args.passphrase_file, "--passphrase-file")
    return job.run(copies, choice)


# -- before


def _moment(ctx: Context, text: str) -> int:
    """The last millisecond of the day, or of the minute, that was typed."""
    env = ctx.env
    now = env.clock.wall_ms()
    typed = parse_moment(text, day_of(now, env.clock.utc_offset_minutes(now)))
    day, minute = (typed.day + timedelta(days=1), 0) if typed.minute is None else (typed.day, typed.minute + 1)
    offset = typed.offset
    if offset is None:
        offset = env.clock.utc_offset_minutes(to_ms(typed.day, typed.minute or 0, 0))
    return to_ms(day, minute, offset) - 1


def _target(ctx: Context, folders: list[Path]) -> Path:
    """Where the vault goes. UsageFault inside a backup, or around one."""
    to = ctx.side.vault if ctx.args.to is None else user_path(ctx.args.to).resolve()
    for folder in folders:
        if to.is_relative_to(folder) or folder.is_relative_to(to):
            raise UsageFault(
                "The vault must not be restored into its own backup.", "Name a new folder elsewhere with --to."
            )
    if to.is_relative_to(ctx.side.local_root) or ctx.side.local_root.is_relative_to(to):
        raise UsageFault(
            f"{to} is where notevault keeps what belongs to this computer alone.", "Name another folder with --to."
        )
    return to


def _sheet(ctx: Context, known: Known) -> SheetCode | None:
    """What is on the sheet; None where this laptop's own key is tried, or the notes stay locked for now."""
    if ctx.args.sheet is not None:
        return sheets.read_code(ctx)
    if known.device is not None or not ctx.can_ask or ctx.args.yes:
        return None
    ctx.out.say(
        "This computer has no key of its own for this vault; the recovery sheet opens it.\n"
        "Without the sheet the notes are brought back all the same, and stay locked until you have it."
    )
    return sheets.read_code(ctx) if asking.yes("Is your recovery sheet at hand?", default=True) else None


def _pinned(ctx: Context, folders: list[Path], copies: Copies, code: SheetCode | None) -> Copies:
    """Of the vault that the sheet, or this laptop, knows: whoever can write to a backup could lay another one there."""
    identity = restoring.identity_of(ctx.env, copies.vault) if code is None else code.fingerprint
    return copies if identity is None else restoring.find(folders, open_tree, copies.vault, identity)


def _choose(ctx: Context, copies: Copies, begun: Journal | None, at_ms: int | None) -> Choice:
    if begun is not None and begun.vault == copies.vault and at_ms is None and not ctx.args.newest:
        again = decide_again(copies, begun)
        if again is not None:
            ctx.out.say(f"Going on with the interrupted restore, {state_words(ctx.env, again)}.")
            return again
    decision = decide(copies, at_ms=at_ms, newest=ctx.args.newest)
    if decision.choice.strangers:
        ctx.out.warn("Something that is not of this vault lies in the backups too; it was left out.")
    if decision.question and not ctx.args.yes:
        return _asked(ctx, decision)
    ctx.out.say(f"The backup is {state_words(ctx.env, decision.choice)}.")
    if decision.why:
        ctx.out.warn(f"{decision.why[:1].upper()}{decision.why[1:]}.")
    return decision.choice


def _asked(ctx: Context, decision: Decision) -> Choice:
    """Damaged (65) where nobody can answer."""
    if not ctx.can_ask:
        older = ""
        if decision.other is not None:
            older = f"; --at takes the complete one {state_words(ctx.env, decision.other)}"
        raise Damaged(
            f"The newest backup is not complete: {decision.why}. Nothing was restored.",
            "Wait until the rest has arrived, name another backup place with a further --from, or choose:"
            f" --newest takes what is there{older}.",
        )
    ctx.out.say(question(ctx.env, decision))
    if asking.yes("Take everything that is there?", default=True):
        return decision.choice
    if decision.other is not None:
        words = state_words(ctx.env, decision.other)
        if asking.yes(f"Take the complete one {words} instead?", default=False):
            return decision.other
    raise Interrupted("Nothing was restored.", "Run the same command again once the rest has arrived.")


def _take_over(ctx: Context, living: Path) -> bool:
    """Whether the restored vault takes the place of one that is still on this computer."""
    if ctx.args.yes:
        return True
    ctx.out.say(
        f"This computer has the vault itself, in {living}.\n"
        "The restored one can be a copy to look things up in, which can only be read; or it takes the other's place,\n"
        "and notes are written in it from now on. The folder of the other is left as it is either way."
    )
    return ctx.can_ask and asking.yes("Let the restored one take its place?", default=False)


# -- copying, and after it


@dataclass
class _Job:
    ctx: Context
    folders: list[Path]
    to: Path
    known: Known
    code: SheetCode | None
    take_over: bool
    passphrase: str | None = None

    def run(self, copies: Copies, choice: Choice) -> int:
        restored = self._copy(copies, choice)
        for sentence in restoring.doubts(self.ctx.env, restored, restoring.identity_in(copies, choice)):
            self.ctx.out.warn(sentence)
        session = self._open(restored)
        copying.finish(self.ctx.env.files, self.to)
        facts: dict[str, object] = {
            "bytes": restored.bytes,
            "files": restored.files,
            "missing": restored.missing,
            "opened": session is not None,
            "state_ms": choice.last_ms,
            "vault": str(self.to),
        }
        if session is None:
            self.ctx.out.saved(self.known.vault, "restore", **facts)
            self._tell_locked()
            return 0
        with self.ctx.holding(session):
            facts["notes"] = session.catalogue.count_notes()
            places = [] if self.ctx.args.no_places else self._register()
            self.ctx.out.saved(self.known.vault, "restore", **facts, places=places)
            self._tell(choice, places)
        return 0

    def _copy(self, copies: Copies, choice: Choice) -> Restored:
        ctx, rate = self.ctx, Rate(self.ctx.side.clock)
        with _interruptible() as stop:
            restored = copying.restore(
                copies,
                choice,
                self.to,
                ctx.env.files,
                open_place,
                progress=lambda done, of, files: ctx.out.redraw(rate.line(done, of, files, choice.live.count)),
                stop=stop,
                may_miss=self._may_miss,
            )
        ctx.out.clear()
        if not restored.again:
            ctx.out.say(f"{restored.files:,} sealed files are in {self.to}{rate.took(restored.bytes)}.")
        if restored.missing:
            ctx.out.warn(
                f"{restored.missing:,} files are not among them. When a backup turns up that has them,"
                " `notevault backup heal --from DIR` puts them in."
            )
        return restored

    def _may_miss(self, missing: int) -> bool:
        ctx = self.ctx
        ctx.out.clear()
        if ctx.args.yes or ctx.args.newest:
            return True
        ctx.out.say(f"{missing:,} files are damaged in every folder named. All others are copied.")
        return ctx.can_ask and asking.yes(
            "Go on without them? They can be added later, should another backup have them.", default=True
        )

    def _open(self, restored: Restored) -> Session | None:
        """None where it stays locked. Whatever goes wrong is told with what is there already."""
        try:
            return self._opened(restored)
        except KeyboardInterrupt:
            raise Interrupted(_SEALED, f"Run the same command again, or {self._by_sheet()}.") from None
        except NotevaultError as fault:
            again = f"Run the same command again, or {self._by_sheet()}."
            raise type(fault)(f"{_SEALED} {fault.sentence}", again) from None

    def _opened(self, restored: Restored) -> Session | None:
        ctx = self.ctx
        if not self.take_over:
            restoring.leave_as_copy(self.known)
            return None
        if self.code is not None and self.passphrase is not None:
            ctx.out.say("Making the vault this laptop's own; this takes a few seconds.")
            return restoring.recover_here(ctx.env, restored, self.code, self.passphrase, None, ctx.reading)
        if self.known.device is None or not (ctx.can_ask or ctx.args.passphrase_file):
            return None
        given = ctx.given_passphrase()
        for left in reversed(range(TRIES)):
            text = given if given is not None else ctx.passphrase("Your passphrase (as on this laptop until now): ")
            try:
                return restoring.open_here(ctx.env, self.known, restored, text, ctx.reading)
            except WrongSecret as fault:
                if given is not None or not left:
                    raise
                ctx.out.say(f"{fault.sentence} {fault.next_step}")
        return None

    def _by_sheet(self) -> str:
        return f"open it with your recovery sheet: `{self._words('recover')}`"

    def _register(self) -> list[str]:
        ctx = self.ctx
        added, remarks = restoring.register(ctx.env, self.known, self.to, self.folders, volumes(), open_place)
        for remark in remarks:
            ctx.out.warn(remark)
        return added

    def _words(self, *words: str) -> str:
        """A command as it must be typed for this vault."""
        usual = self.ctx.side.vault == self.to and self.ctx.args.vault is None
        return " ".join(["notevault", *words] if usual else ["notevault", *words, "--vault", f'"{self.to}"'])

    def _tell_locked(self) -> None:
        if self.known.living is not None and not self.take_over:
            self.ctx.out.say(f"It is a copy, to be read: `{self._words()}`. The vault itself is as it was.")
            return
        self.ctx.out.say(
            f"{_SEALED} Next: `{self._words('recover')}`, with the recovery sheet. It asks for a new passphrase, and\n"
            "this computer opens the vault from then on."
        )

    def _tell(self, choice: Choice, places: list[str]) -> None:
        say = self.ctx.out.say
        new = self.code is not None
        say("This laptop opens the vault now" + (", with the new passphrase. The sheet stays valid." if new else "."))
        say(
            f"It is {state_words(self.ctx.env, choice)}. What was written after that, and had not reached this backup,"
            " is not in it."
        )
        if places:
            say(f"Backups go on to: {', '.join(places)}.")
        else:
            say("There is no backup place on this laptop yet: `notevault backup add DIR`.")
        say(f"Go on working: `{self._words()}`")


@contextmanager
def _interruptible() -> Iterator[copying.Stop]:
    """Ctrl-C, a closed terminal and a request to end are seen between two batches of files: nothing is left half."""
    asked: list[int] = []
    ends = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda got, _: asked.append(got)) for number in ends}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
