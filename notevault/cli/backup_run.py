"""backup run, verify, heal: what is done at the places. No passphrase, and no key."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from notevault.adapters.places import user_path
from notevault.backup import model
from notevault.backup.heal.away import Away, away
from notevault.backup.model import CheckReport, HealReport, PlaceFile, Report
from notevault.backup.places.ground import Ground
from notevault.backup.source.reading import read_vault
from notevault.backup.source.source import Source
from notevault.backup.status.status import PROOF
from notevault.backup.words.status import SAYS, counted
from notevault.backup.worker.passing import reach, reach_in_time, refill, tell_check, verdict_of
from notevault.backup.worker.results import HEAL, Results
from notevault.cli.backup_ground import gone, ground_of
from notevault.cli.backup_sample import sampled
from notevault.cli.backup_words import code_of, code_of_all, plug_in_words, size_words, step_of, tell, worst
from notevault.cli.common import Context
from notevault.errors import Interrupted, NotevaultError, NotFound, NoVault, UsageFault
from notevault.ports import WriteOnce
from notevault.wiring import backup as wired

NO_PLACE = "There is no backup place yet."
NO_PLACE_STEP = "`notevault backup add DIR` names one: a folder on a stick, on the network, or kept by a cloud service."


def run(ctx: Context) -> int:
    ground = ground_of(ctx)
    waited = Results.of(ground).count()
    at = [""]

    def began(place: PlaceFile) -> None:
        at[0] = place.name

    with wired.recorder_ready(ctx.side, wanted=_has_a_first(ctx, ground)) as ready:
        try:
            done = wired.run_once(
                ctx.side, ctx.args.names, progress(ctx, lambda: f"Backing up to {at[0]}"), began=began
            )
        except NoVault:
            raise gone(ctx) from None
        except KeyboardInterrupt:
            raise Interrupted("Interrupted.", "What was copied counts; the next backup goes on from there.") from None
        if not done:
            raise NotFound(NO_PLACE, NO_PLACE_STEP)
        with contextlib.suppress(KeyboardInterrupt):  # the backup is made; the look at it has its turn another time
            done = sampled(ground, done)
        for place, report in done:
            _tell_run(ctx, ground, place, report)
        if Results.of(ground).count() > waited:  # what could not be entered before waits for others
            wired.record_results(ctx.side, ground.vault_id, ready=ready)
    return code_of_all([report.verdict for _, report in done], named=bool(ctx.args.names))


def _has_a_first(ctx: Context, ground: Ground) -> bool:
    """Whether a place was never tried yet: then the log will most likely be told, and that can be prepared."""
    with contextlib.suppress(NotevaultError):
        names: list[str] = ctx.args.names
        places = [ground.places.get(name) for name in names] if names else ground.places.all()
        states = [ground.places.state(place.id) for place in places]
        return any(state.verdict == model.WAITING and not state.committed_ms for state in states)
    return False


_NOT_LOOKED = frozenset({
    model.ABSENT, model.BUSY, model.SLOW, model.BROKEN, model.FAULT, model.FOREIGN, model.EMPTIED, model.SOURCE,
})  # fmt: skip


def progress(ctx: Context, what: Callable[[], str]) -> Callable[[int, int, int], None]:
    """Bytes done, bytes in all, files done: a line that redraws itself."""

    def show(done: int, total: int, files: int) -> None:
        if total > 0:
            ctx.out.redraw(f"{what()}: {size_words(done)} of {size_words(total)}, {counted(files, 'file')}")

    return show


def _tell_run(ctx: Context, ground: Ground, place: PlaceFile, report: Report) -> None:
    if report.verdict in _NOT_LOOKED:  # nothing was looked at there: as it was known before
        state = ground.places.state(place.id)
        report = replace(report, files=report.files or state.files, waiting=report.waiting or state.waiting)
    facts: dict[str, object] = {
        "bytes": report.copied_bytes,
        "copied": report.copied,
        "files": report.files,
        "id": place.id,
        "name": place.name,
        "verdict": report.verdict,
        "waiting": report.waiting,
    }
    tell(ctx.out, facts, run_words(place, report), step_of(report.verdict, place.name), report.problems)


def run_words(place: PlaceFile, report: Report) -> str:
    copied = f"{counted(report.copied, 'sealed file')} copied ({size_words(report.copied_bytes)})"
    there = "handed over" if place.kind == "cloud" else "there"
    if report.verdict == model.SAFE:
        done = copied if report.copied else "nothing new"
        return f"{place.name}: {done}; {report.files:,} {there}, nothing waits."
    so_far = f" {copied[:1].upper()}{copied[1:]}." if report.copied else ""
    return f"{place.name}: {report.detail or SAYS[report.verdict].sentence}{so_far}"


# -- verify


def verify(ctx: Context) -> int:
    if ctx.args.quick and ctx.args.full:
        raise UsageFault("--quick and --full cannot both be.", "Leave one of them out.")
    how = "quick" if ctx.args.quick else "full" if ctx.args.full else "sampled"
    ground = ground_of(ctx)
    wired.check_is_vault(ctx.side, ground)
    places = chosen(ctx, ground)
    source = source_of(ctx, ground)
    found = [(place, _check(ctx, ground, place, source, how)) for place in places]
    for place, report in found:
        _tell_check(ctx, place, report)
    wired.record_results(ctx.side, ground.vault_id)
    codes = [_check_code(report) for _, report in found]
    if not ctx.args.names and any(code == 0 for code in codes):
        codes = [code for code, (_, report) in zip(codes, found, strict=True) if report.verdict != model.ABSENT]
    return worst(codes)


def _check_code(report: CheckReport) -> int:
    """1 only where bytes or names prove it; what could not be looked at is 2, not a pass."""
    if report.verdict == model.SAFE:
        return 0
    return 1 if report.missing or report.changed or report.verdict in PROOF else 2


def chosen(ctx: Context, ground: Ground) -> list[PlaceFile]:
    """The places that are named, else all. NotFound."""
    names: list[str] = ctx.args.names
    places = [ground.places.get(name) for name in names] if names else ground.places.all()
    if not places:
        raise NotFound(NO_PLACE, NO_PLACE_STEP)
    return list(dict.fromkeys(places))


def source_of(ctx: Context, ground: Ground) -> Source | None:
    """The vault as it is; None, and said, where it does not hold."""
    try:
        return read_vault(ground)
    except NotevaultError as fault:
        ctx.out.warn(f"The vault itself does not hold, so the places are looked at without it. {fault.sentence}")
        return None


def _check(ctx: Context, ground: Ground, place: PlaceFile, source: Source | None, how: str) -> CheckReport:
    from notevault.backup.checks.verify import verify as verify_place

    try:
        place, tree = reach(ground, place, source, wired.way(ground))
        report = verify_place(
            ground,
            place,
            tree,
            source,
            how,
            progress=progress(ctx, lambda: f"Checking {place.name}"),
        )
    except KeyboardInterrupt:
        raise Interrupted("Interrupted.", "What was checked so far counts; nothing was changed.") from None
    except NotevaultError as fault:
        report = CheckReport(how, verdict_of(fault))
    tell_check(ground, place, source, report, always=how != "quick")
    return report


def _tell_check(ctx: Context, place: PlaceFile, report: CheckReport) -> None:
    facts: dict[str, object] = {
        "bytes": report.bytes,
        "changed": report.changed,
        "files": report.files,
        "how": report.how,
        "id": place.id,
        "missing": report.missing,
        "name": place.name,
        "offline": report.offline,
        "verdict": report.verdict,
    }
    tell(ctx.out, facts, check_words(place, report), step_of(report.verdict, place.name), report.problems)


def check_words(place: PlaceFile, report: CheckReport) -> str:
    looked = counted(report.files, "sealed file")
    if report.verdict == model.SAFE:
        how = "there, with the right size"
        if report.how == "full":
            how = f"as they were, byte for byte ({size_words(report.bytes)})"
        away = f"; {report.offline:,} are kept online only, and were not read" if report.offline else ""
        part = f"; {size_words(report.bytes)} read, and as they were" if report.bytes else ""
        return f"{place.name}: {looked} {how}{away}{part if report.how == 'sampled' else ''}."
    if report.missing or report.changed:
        parts = [f"{report.missing:,} missing"] if report.missing else []
        parts += [f"{report.changed:,} changed"] if report.changed else []
        return f"{place.name}: DAMAGED: {' and '.join(parts)}, of {looked} looked at."
    return f"{place.name}: {SAYS[report.verdict].sentence}"


# -- heal


def heal(ctx: Context) -> int:
    """The vault and every place that is there, and then a backup: what was mended is whole again, and is said to be."""
    from notevault.backup.copies.copies import open_copies
    from notevault.backup.heal.heal import heal as heal_all
    from notevault.cli.backup_bringin import ask_and_bring, brought_words

    if not all(name.strip() for name in ctx.args.places):
        raise UsageFault("--from has no folder.", "Name a backup place, or another copy of the vault.")
    ground = ground_of(ctx)
    wired.check_is_vault(ctx.side, ground)
    vault = ground.vault_id
    folders = [user_path(name) for name in ctx.args.places]
    others = list(open_copies(folders, wired.open_tree, vault).copies) if folders else []
    places = [ground.places.get(name) for name in ctx.args.names] if ctx.args.names else ground.places.all()
    if not places and not others:
        raise NotFound(NO_PLACE, "`--from DIR` names another copy of the vault to take good files from.")
    source = source_of(ctx, ground)
    targets, missed = _reached(ctx, ground, places, source)
    if not targets and not others:
        for one in missed:
            ctx.out.warn(one.sentence)
        raise NotFound(
            "None of the backup places is there, so there is nothing to heal from.",
            "Plug one in, and try again; `--from DIR` names another copy of the vault.",
        )
    try:
        report = heal_all(
            ground, source, targets, others, True, lambda done, total: ctx.out.progress("Healing", done, total)
        )
        brought = ask_and_bring(ctx, ground, [tree for _, tree in targets], others)
        backed = refill(ground, targets, wired.volumes(), lambda at: progress(ctx, lambda: f"Backing up to {at.name}"))
    except KeyboardInterrupt:
        raise Interrupted("Interrupted.", "What was put back stays; the same command goes on.") from None
    frozen, whole = ground.places.frozen() is not None, _is_whole(ground)
    words, step = heal_words(report, missed, backed, frozen=frozen, whole=whole)
    words = " ".join(filter(None, (words, *(one.sentence for one in missed), brought_words(brought))))
    report = replace(report, healed=report.healed + brought.files, problems=(*report.problems, *brought.problems))
    facts: dict[str, object] = {
        "aside": report.aside,
        "brought": brought.changes,
        "frozen": frozen,
        "healed": report.healed,
        "left": brought.left,
        "lost": list(report.lost),
        "unfrozen": report.unfrozen,
    }
    tell(ctx.out, facts, words, step, report.problems)
    _log_heal(ctx, ground, report)
    apart = [code_of(one.verdict) for _, one in backed if one.verdict not in (model.SAFE, model.WAITING)]
    if report.lost or 1 in apart:
        return 1
    left = any(one.matters for one in missed)
    return 2 if frozen or report.problems or apart or left or not whole else 0


def _is_whole(ground: Ground) -> bool:
    try:
        read_vault(ground)
    except NotevaultError:
        return False
    return True


def _reached(
    ctx: Context, ground: Ground, places: Sequence[PlaceFile], source: Source | None
) -> tuple[list[tuple[PlaceFile, WriteOnce]], list[Away]]:
    """The places that are there, and the others. Raises for one that was asked for by name."""
    found: list[tuple[PlaceFile, WriteOnce]] = []
    missed: list[Away] = []
    for place in places:
        try:
            found.append(reach_in_time(ground, place, source, wired.way(ground)))
        except NotevaultError as fault:
            if ctx.args.names:
                raise
            missed.append(away(place, ground.places.state(place.id), verdict_of(fault), fault))
    return found, missed


def heal_words(
    report: HealReport,
    missed: Sequence[Away],
    backed: Sequence[tuple[PlaceFile, Report]] = (),
    *,
    frozen: bool,
    whole: bool = True,
) -> tuple[str, str]:
    """What was done, and what is left to do. `backed`: the backups made after it; `whole`: the vault reads again."""
    parts = [f"{counted(report.healed, 'file')} put back." if report.healed else "Nothing had to be put back."]
    if report.aside:
        were = "was" if report.aside == 1 else "were"
        parts.append(f"{counted(report.aside, 'bad file')} {were} set aside, not deleted.")
    parts += [f"{counted(one.copied, 'sealed file')} backed up to {at.name}." for at, one in backed if one.copied]
    step = ""
    for at, one in backed:
        if one.verdict not in (model.SAFE, model.WAITING, model.SOURCE):
            parts.append(f"{at.name}: {one.detail or SAYS[one.verdict].sentence}")
            step = step or step_of(one.verdict, at.name)
    if not whole:
        parts.append("The vault itself still cannot be used.")
        step = "`notevault backup restore --from DIR --to NEWVAULT` makes a new one of a backup."
    elif report.lost:
        parts.append(f"{counted(len(report.lost), 'file')} could not be found in any copy that is here.")
        step = f"{plug_in_words([one.name for one in missed])}`--from DIR` names another backup or copy of the vault."
    step = step or next((one.step for one in missed if one.matters), "")
    if report.unfrozen:
        parts.append("Backups go on.")
    if frozen:
        parts.append("Backups are still stopped.")
        step = step or "`notevault verify` says what is still wrong with the vault."
    elif report.problems and not step:
        step = "`notevault verify` and `notevault backup verify --full` say what is still wrong."
    return " ".join(parts), step


def _log_heal(ctx: Context, ground: Ground, report: HealReport) -> None:
    if not (report.healed or report.aside or report.lost):
        return
    with contextlib.suppress(NotevaultError):
        Results.of(ground).put(HEAL, report.outcome, report.healed, ctx.side.clock.wall_ms())
    wired.record_results(ctx.side, ground.vault_id)
