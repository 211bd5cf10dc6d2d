"""backup drill: a practice restore from any backup place within reach, in memory, with the vault's own keys."""

from __future__ import annotations

from dataclasses import replace

from notevault.app import drilling
from notevault.app.drilled import Drilled
from notevault.backup.model import PlaceFile
from notevault.backup.worker.passing import reach
from notevault.cli.backup_words import code_of
from notevault.cli.common import Context
from notevault.errors import NotFound
from notevault.wiring import backup as wired


def run(ctx: Context) -> int:
    """0 when all of it came back, 1 when something that a restore needs is missing or changed there."""
    ground = wired.ground_of(ctx.side)
    places = [ground.places.get(name) for name in ctx.args.names] or ground.places.all()
    if not places:
        raise NotFound("There is no backup place yet.", "`notevault backup add DIR` names one.")
    ways = wired.way(ground)

    def there(place: PlaceFile) -> PlaceFile:
        return replace(place, path=reach(ground, place, None, ways)[0].path)

    with ctx.session() as session:
        have = drilling.known(session)
        place, done = drilling.practise(have, places, there, wired.open_tree, ctx.out.progress, lambda: False)
        drilling.enter(session, done)
    drilling.remember(ground.places, place, done, ctx.side.clock.wall_ms())
    _tell(ctx, done)
    return 0 if done.good else code_of(done.verdict)


def _tell(ctx: Context, done: Drilled) -> None:
    now = ctx.side.clock.wall_ms()
    words, *rest = done.lines(now, ctx.side.clock.utc_offset_minutes(now))
    facts: dict[str, object] = {
        "behind": done.behind,
        "bytes": done.bytes,
        "clients": done.clients,
        "findings": done.findings,
        "name": done.place,
        "notes": done.notes,
        "records": done.records,
        "step": done.step(),
        "verdict": done.verdict,
        "words": words,
    }
    ctx.out.row(facts, "\n".join([words, *(f"  {line}" for line in rest)]))
