"""The long work on backups at the prompt: back up, check, repair, practise. Each gives its result in lines.

It runs in a thread of its own (`backup_job`) and takes the vault only for moments. Errors of one place are said and do
not stop the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from notevault.errors import NotevaultError, NotFound
from notevault.shell.backup_bar import here
from notevault.shell.backup_job import Stop, Work
from notevault.shell.backup_told import checked_lines, problem_lines, state_lines
from notevault.shell.paint import count

if TYPE_CHECKING:
    from notevault.backup.model import PlaceFile
    from notevault.backup.places.adding import Added
    from notevault.backup.places.ground import Ground
    from notevault.shell.desk import Desk

REMOVE_S = 5.0
BUSY_S, BUSY_TRIES = 0.5, 600
"""The worker may be at the same place: it is waited for, five minutes at most."""
Say = Callable[[str], None]


def no_place() -> NotFound:
    return NotFound("There is no backup place yet.", "Type `backup add` and name a folder.")


def ground(desk: Desk) -> Ground:
    from notevault.wiring.backup import ground_of

    return ground_of(desk.side, desk.session.vault_id.hex())


def chosen(desk: Desk, names: Sequence[str]) -> list[PlaceFile]:
    """Those named, all of them without names. NotFound."""
    known = desk.backup.places()
    found = [known.get(name) for name in names] if names else known.all()
    if not found:
        raise no_place()
    return list(dict.fromkeys(found))


def steps(say: Say, what: str) -> Callable[..., None]:
    """A progress callback for the rooms below: parts done and in all, or bytes done, bytes in all and files."""

    def progress(done: int, total: int, files: int | None = None) -> None:
        from notevault.backup.words.plain import size_words

        if files is None:
            say(f"{what}: {done:,} of {total:,}" if total else what)
        else:
            say(f"{what}: {size_words(done)} of {size_words(total)}, {count(files, 'file')}" if total else what)

    return progress


def _enter(desk: Desk) -> None:
    """The results that wait go into the log, through the session that is open; what cannot be entered waits on."""
    from notevault.app import backing

    with desk.gate:
        if desk.open:
            backing.enter(desk.session)
    desk.backup.soon()


def _look_now(desk: Desk) -> None:
    """What was wrong with a place may be mended now: the worker shall not keep to the waiting that it had begun."""
    desk.channel.send("backup now")


def run(desk: Desk, names: Sequence[str]) -> Work:
    def work(say: Say, stop: Stop) -> list[str]:
        from notevault.backup.model import BUSY, SAFE
        from notevault.backup.worker.passing import pass_over, take_round
        from notevault.wiring.backup import way

        base = ground(desk)
        say("looking at the vault")
        now = take_round(base)
        lines = []
        for place in chosen(desk, names):
            for _ in range(BUSY_TRIES):
                report = pass_over(base, place, now, way(base), progress=steps(say, place.name), stop=stop, asked=True)
                if report.verdict != BUSY or stop():
                    break
                say(f"{place.name}: it is being backed up just now")
                sleep(BUSY_S)
                now = take_round(base)  # what she saved meanwhile as well
            if report.verdict == SAFE:
                new = f"{count(report.copied, 'sealed file')} copied" if report.copied else "nothing new"
                lines.append(f"{place.name}: done, {new}; {count(report.files, 'sealed file')} there.")
            else:
                lines += state_lines(desk, place, report.detail)
            lines += problem_lines(desk, report.problems)
        _enter(desk)
        _look_now(desk)
        return lines

    return work


def verify(desk: Desk, names: Sequence[str], how: str) -> Work:
    """`how`: quick, sampled, full."""

    def work(say: Say, stop: Stop) -> list[str]:
        from notevault.backup.worker.passing import check_over, take_round
        from notevault.wiring.backup import way

        base = ground(desk)
        now = take_round(base)
        lines = []
        for place in chosen(desk, names):
            report = check_over(base, place, now.source, way(base), how, progress=steps(say, place.name), stop=stop)
            lines += checked_lines(desk, place, report)
        _enter(desk)
        _look_now(desk)
        return lines

    return work


def add(desk: Desk, folder: Path) -> Added:
    """Make a folder a backup place; entered in the log. Raises what is wrong with it (`backup.adding`)."""
    from notevault.backup.places import adding
    from notevault.wiring.backup import check_is_vault, volumes, way

    base, env = ground(desk), desk.env
    check_is_vault(desk.side, base)
    vault = desk.session.vault_id.hex()
    added = adding.add(
        env.files,
        base.places,
        desk.side.vault,
        desk.side.local_root,
        vault,
        folder,
        None,
        volumes(),
        way(base).open_tree,
        env.entropy,
        desk.now(),
    )
    _told(desk, base, "added")
    return added


def remove(desk: Desk, place: PlaceFile) -> None:
    base = ground(desk)
    with base.places.lock(place.id, REMOVE_S):
        base.places.forget(place.id)
    _told(desk, base, "removed")


def _told(desk: Desk, base: Ground, what: str) -> None:
    from notevault.backup.worker.results import PLACE, Results

    Results.of(base).put(PLACE, "ok", len(base.places.all()), desk.now(), what)
    _enter(desk)


def heal(desk: Desk) -> Work:
    def work(say: Say, stop: Stop) -> list[str]:
        from notevault.backup.heal.away import away
        from notevault.backup.heal.heal import heal as put_back
        from notevault.backup.worker.passing import reach_in_time, refill, take_round, verdict_of
        from notevault.backup.worker.results import HEAL, Results
        from notevault.wiring.backup import volumes, way

        base = ground(desk)
        say("looking at the vault")
        now = take_round(base)
        targets, lines = [], []
        for place in chosen(desk, ()):
            try:
                targets.append(reach_in_time(base, place, now.source, way(base)))
            except NotevaultError as fault:
                left = away(place, base.places.state(place.id), verdict_of(fault), fault)
                lines += [here(left.sentence), *([f"  {here(left.step)}"] if left.matters else [])]
        if not targets:
            raise NotFound("No backup place is within reach, so there is nothing to repair from.", "Plug one in.")
        report = put_back(base, now.source, targets, [], True, steps(say, "mending"), stop)
        refill(base, targets, volumes(), lambda place: steps(say, place.name))
        if report.healed or report.aside or report.lost:
            Results.of(base).put(HEAL, report.outcome, report.healed, desk.now())
        with desk.gate:
            desk.session.replayer().retry_damaged()  # what was put back is found by its words again
        _enter(desk)
        _look_now(desk)
        said = f"{count(report.healed, 'file')} put back, {count(report.aside, 'bad file')} set aside."
        if not (report.healed or report.aside or report.lost):
            said = "Nothing was missing or changed."
        if report.lost:
            lost = count(len(report.lost), "file")
            said = f"{lost} could not be put back: no place that can be reached has a good copy. {said}"
            lines.append("If another backup place or an older copy of the vault exists, plug it in and repair again.")
        lines += ["The backups go on again."] if report.unfrozen else []
        return [said, *lines, *problem_lines(desk, report.problems)]

    return work


def drill(desk: Desk, names: Sequence[str]) -> Work:
    def work(say: Say, stop: Stop) -> list[str]:
        from notevault.app import drilling
        from notevault.backup.worker.passing import reach
        from notevault.wiring.backup import open_tree, way

        base = ground(desk)
        with desk.gate:
            have = drilling.known(desk.session)

        def there(place: PlaceFile) -> PlaceFile:
            return replace(place, path=reach(base, place, None, way(base))[0].path)

        place, done = drilling.practise(
            have, chosen(desk, names), there, open_tree, lambda what, at, all_: steps(say, what)(at, all_), stop
        )
        with desk.gate:
            drilling.enter(desk.session, done)
        drilling.remember(base.places, place, done, desk.now())
        desk.backup.soon()
        now = desk.now()
        return [here(line) for line in done.lines(now, desk.env.clock.utc_offset_minutes(now))]

    return work
