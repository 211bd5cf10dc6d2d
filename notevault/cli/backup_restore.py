"""backup restore: the vault back from its backups, on a computer that may never have seen it.

Everything that needs an answer is asked before the copying begins; only a laptop's own passphrase is asked after it.
Every question can be answered with Enter alone. The same command goes on from any point until it has said `saved`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from notevault.adapters.places import user_path
from notevault.app import oneshot, opening, restored, restoring
from notevault.app.restoring import Known
from notevault.backup.copies.copies import Choice, Copies
from notevault.backup.restore import rest as restore_rest
from notevault.backup.restore import restore as copying
from notevault.backup.restore.plan import Building, Journal, check_target, same
from notevault.backup.restore.rest import Rest
from notevault.backup.restore.restore import Restored
from notevault.backup.restore.salvage import Salvage
from notevault.backup.words.plain import quoted
from notevault.cli import asking, sheets
from notevault.cli import backup_restore_end as ending
from notevault.cli.backup_restore_choose import check_outside, choose, find, moment
from notevault.cli.backup_restore_phase import Phase, between_batches
from notevault.cli.backup_restore_words import Rate, list_states
from notevault.cli.common import TRIES, Context
from notevault.errors import NotevaultError, UsageFault, WrongSecret
from notevault.formats.sheet import SheetCode
from notevault.vault.session import Session
from notevault.wiring.backup import open_place, open_tree

_SEALED = "The notes are back, but still locked."


def run(ctx: Context) -> int:
    phase = Phase()
    with phase.told():
        return _run(ctx, phase)


def _run(ctx: Context, phase: Phase) -> int:
    folders = list(dict.fromkeys(user_path(name).resolve() for name in ctx.args.places))
    at_ms = None if ctx.args.at is None else moment(ctx, ctx.args.at)
    to = ctx.side.vault if ctx.args.to is None else user_path(ctx.args.to).resolve()
    if not ctx.args.list:
        if not to.name:
            raise UsageFault(f"{to} is a whole disk.", f"Name a new folder on it, like {to / 'vault'}.")
        rest = restore_rest.left(ctx.env.files, to)
        if rest is not None and rest.folders == restore_rest.sayable(folders) and at_ms is None and not ctx.args.newest:
            return _go_on(ctx, phase, folders, to, rest)
    ctx.out.say("Looking into the backups…")
    copies, code = find(ctx, folders)
    if ctx.args.list:
        return list_states(ctx, _pinned(ctx, folders, copies, None), at_ms)
    check_outside(ctx, to, folders, copies.vault)
    building = Building(to)
    begun = building.read(ctx.env.files)
    check_target(ctx.env.files, to, begun, building)  # before anything is asked
    known = restoring.known_of(ctx.env, copies.vault, to, ctx.side.vault)
    code = code or _sheet(ctx, known)
    copies = _pinned(ctx, folders, copies, code)
    choice = choose(ctx, copies, begun, at_ms)
    if begun is not None:
        same(begun, Journal.of(copies.vault, choice), building)
    if code is not None:
        restoring.try_sheet(copies, choice, code)
        ctx.out.say("The recovery sheet opens this backup.")
    take_over = known.living is None or _take_over(ctx, known.living)
    job = _Job(ctx, phase, folders, to, known, code, take_over)
    job.ask_new()
    return job.run(copies, choice)


def _go_on(ctx: Context, phase: Phase, folders: list[Path], to: Path, rest: Rest) -> int:
    """Everything is copied: the backups are not needed any more."""
    ctx.out.say("Going on with the interrupted restore: everything is copied.")
    known = restoring.known_of(ctx.env, rest.vault, to, ctx.side.vault)
    code = None
    if not rest.opened:
        code = _sheet(ctx, known)
        if code is not None:
            oneshot.try_sheet(ctx.env, to, code)
            ctx.out.say("The recovery sheet opens this backup.")
    take_over = rest.opened or known.living is None or _take_over(ctx, known.living)
    job = _Job(ctx, phase, folders, to, known, code, take_over, rest.opened)
    job.ask_new()
    copied = Restored(to, rest.files, 0, rest.missing, rest.highest, again=True)
    begun = Building(to).read(ctx.env.files)
    return job.end(copied, 0 if begun is None else begun.at_ms)


# -- before


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
    if code is not None:
        return restoring.find_by_sheet(folders, open_tree, copies.vault, code)
    identity = restoring.identity_of(ctx.env, copies.vault)
    return copies if identity is None else restoring.find(folders, open_tree, copies.vault, identity)


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
    phase: Phase
    folders: list[Path]
    to: Path
    known: Known
    code: SheetCode | None
    take_over: bool
    opened: bool = False  # by an earlier run: it is this laptop's own already
    entries: int = 0  # of the log that could not be read
    salvage: bool = False
    passphrase: str | None = None

    def ask_new(self) -> None:
        if self.code is not None and self.take_over:
            ctx = self.ctx
            self.passphrase = ctx.new_passphrase(ctx.args.passphrase_file, "--passphrase-file", patient=True)

    def run(self, copies: Copies, choice: Choice | Salvage) -> int:
        self.salvage = isinstance(choice, Salvage)
        if isinstance(choice, Choice) and choice.newer is not None:
            self.entries = choice.newer.entries
        copied = self._copy(copies, choice)
        if not self.salvage:
            for sentence in restoring.doubts(self.ctx.env, copied, restoring.identity_in(copies, choice)):
                self.ctx.out.warn(sentence)
        return self.end(copied, choice.last_ms)

    def end(self, copied: Restored, state_ms: int) -> int:
        ctx = self.ctx
        self.phase.locked(f"Run the same command again, or {self._by_sheet()}.", self._is_own)
        session = self._open(copied)
        facts: dict[str, object] = {
            "bytes": sum(one.size for one in ending.blobs_of(self.to)),
            "files": copied.files,
            "missing": copied.missing,
            "opened": session is not None,
            "state_ms": state_ms,
            "vault": str(self.to),
        }
        if session is None:
            ctx.out.saved(self.known.vault, "restore", **facts)
            self._tell_locked()
            return 0
        self.phase.opened()
        with ctx.holding(session):
            places = (
                restored.Registered() if ctx.args.no_places else ending.register(ctx, self.to, session, self.folders)
            )
            back = restored.back(session)
            ctx.out.saved(self.known.vault, "restore", **facts, notes=back.notes, places=places.added)
            self.phase.saved()
            copying.finish(ctx.env.files, self.to)
            ending.tell_back(ctx, session, back, state_ms, self.entries)
        ending.tell_places(ctx, self.to, self.known.vault, places, missing=copied.missing)
        new = ", with the new passphrase. The sheet stays valid." if self.code is not None else "."
        ctx.out.say(f"This laptop opens the vault now{new}\nGo on working: `{self._words()}`")
        return 0

    def _copy(self, copies: Copies, choice: Choice | Salvage) -> Restored:
        ctx, rate, count = self.ctx, Rate(self.ctx.side.clock), choice.live.count
        with between_batches() as stop:
            copied = copying.restore(
                copies,
                choice,
                self.to,
                ctx.env.files,
                open_place,
                progress=lambda done, of, files: ctx.out.redraw(rate.line(done, of, files, count)),
                stop=stop,
                may_miss=self._may_miss,
                folders=self.folders,
            )
        ctx.out.clear()
        if not copied.again:
            ctx.out.say(f"{copied.files:,} sealed files are in {self.to}{rate.took(copied.bytes)}.")
        if copied.missing:
            files = "One file is" if copied.missing == 1 else f"{copied.missing:,} files are"
            ctx.out.warn(
                f"{files} not among them. When a backup turns up that has what is missing, `notevault backup heal"
                " --from DIR` puts it in."
            )
        return copied

    def _may_miss(self, missing: int) -> bool:
        ctx = self.ctx
        ctx.out.clear()
        if ctx.args.yes or ctx.args.newest:
            return True
        files = "One file is" if missing == 1 else f"{missing:,} files are"
        ctx.out.say(f"{files} missing or damaged in every folder named. All others are copied.")
        return ctx.can_ask and asking.yes(
            "Go on without? What is missing can be added later, should another backup have it.", default=True
        )

    def _open(self, copied: Restored) -> Session | None:
        """None where it stays locked. Whatever goes wrong is told with what is there already."""
        try:
            return self._opened(copied)
        except NotevaultError as fault:
            again = f"Run the same command again, or {self._by_sheet()}."
            raise type(fault)(f"{_SEALED} {fault.sentence}", again) from None

    def _opened(self, copied: Restored) -> Session | None:
        ctx = self.ctx
        if not self.take_over:
            restoring.leave_as_copy(self.known)
            copying.finish(ctx.env.files, self.to)
            return None
        if self.code is not None and self.passphrase is not None:
            ctx.out.say("Making the vault this laptop's own; this takes a few seconds.")
            return restoring.recover_here(ctx.env, copied, self.code, self.passphrase, None, ctx.reading)
        given = ctx.given_passphrase()
        if self.salvage or self.known.device is None or (given is None and not ctx.can_ask):
            return None
        prompt = "Your passphrase: " if self.opened else "Your passphrase (as on this laptop until now): "
        for left in reversed(range(TRIES)):
            text = given if given is not None else ctx.passphrase(prompt)
            try:
                if self.opened:
                    return opening.open_vault(ctx.env, self.to, text, shell=False, progress=ctx.reading)
                return restoring.open_here(ctx.env, self.known, copied, text, ctx.reading)
            except WrongSecret as fault:
                if given is not None or not left:
                    raise
                ctx.out.say(f"{fault.sentence} {fault.next_step}")
        return None

    def _is_own(self) -> bool:
        rest = restore_rest.left(self.ctx.env.files, self.to)
        return rest is not None and rest.opened

    def _by_sheet(self) -> str:
        return f"open it with your recovery sheet: `{self._words('recover')}`"

    def _words(self, *words: str) -> str:
        """A command as it must be typed for this vault."""
        usual = self.ctx.side.vault == self.to and self.ctx.args.vault is None
        return " ".join(["notevault", *words] if usual else ["notevault", *words, "--vault", quoted(str(self.to))])

    def _tell_locked(self) -> None:
        if self.known.living is not None and not self.take_over:
            self.ctx.out.say(f"It is a copy, to be read: `{self._words()}`. The vault itself is as it was.")
            return
        self.ctx.out.say(
            f"{_SEALED} Next: `{self._words('recover')}`, with the recovery sheet. It asks for a new passphrase; then\n"
            "this computer opens the vault, and the backups go on."
        )
