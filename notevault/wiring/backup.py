"""Where the mirror meets the real disk and the real clock: nothing here holds a key, and nothing asks for one.

A vault is known by what lies in its own folder (key files, else the cards of its logs); that is *alleged* and used only
to find this device's own folder. What is copied is believed by signatures (backup/source/source.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from subprocess import Popen

from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.adapters.volumes import this_volumes
from notevault.auditlog import card as cards
from notevault.auditlog import ed25519
from notevault.auditlog import headers as key_files
from notevault.auditlog.fault import Fault
from notevault.backup import model
from notevault.backup.model import PlaceFile, Report
from notevault.backup.places.ground import Ground
from notevault.backup.places.patience import PatientVolumes
from notevault.backup.places.registry import Places
from notevault.backup.status import overview
from notevault.backup.status.overview import Overview
from notevault.backup.words.plain import quoted
from notevault.backup.worker import schedule
from notevault.backup.worker.hand import Job, patiently
from notevault.backup.worker.passing import Round, Way, pass_over, slow, take_round
from notevault.backup.worker.results import Results
from notevault.errors import NotevaultError, NoVault, Refused
from notevault.formats.ids import is_origin
from notevault.ports import Files, Volumes
from notevault.storage.headers import HeaderStore
from notevault.storage.layout import VaultPaths
from notevault.storage.local import LocalState
from notevault.wiring import quiet
from notevault.wiring.locked import LockedSide, self_command, self_environment

RECORD_S = 30.0
"""How long the process that enters results in the log may take: it asks no dialog, and the key store gets 5 s."""
FRESH_MS = 60_000
BUSY_MS, AGAIN_S = 5000, 0.25
"""How long, and how often, a place is asked for at which another notevault is at work."""
_TRIED = 8  # key files looked at for the vault's name, the newest first


def vault_hex_of(side: LockedSide, files: Files | None = None) -> str:
    """The vault's id, 32 hex digits, as a key file with a sound signature of its own says it, else a log's card.

    Raises NoVault where neither is there.
    """
    files = files or DiskFiles()
    found = list(dict.fromkeys(_alleged(files, VaultPaths(side.vault))))
    known = [each for each in found if files.size(side.local_root / each / "device") is not None]
    if not found:
        raise NoVault("There is no vault in this folder.")
    return (known or found)[0]


def _alleged(files: Files, paths: VaultPaths) -> list[str]:
    found = []
    store = HeaderStore(files, paths)
    for candidate in store.candidates()[:_TRIED]:
        with suppress(NotevaultError):
            header = key_files.parse(store.read(candidate))
            if not isinstance(header, Fault) and key_files.check(header, ed25519.verify) is None:
                found.append(header.vault)
                break
    for origin in files.names(paths.all_audit):
        if is_origin(origin):
            with suppress(NotevaultError):
                card = cards.parse(files.read(paths.card(origin), limit=cards.MAX_BYTES))
                if not isinstance(card, Fault) and cards.check(card, card.vik_pub, ed25519.verify) is None:
                    found.append(card.vault)
    return found


def open_place(path: Path, device: str | None = None) -> DiskPlace:
    """A folder to which files can be added. `device`: 32 hex digits; names the staging folder."""
    entropy = SystemEntropy()
    return DiskPlace(path, device or entropy.draw(16).hex(), entropy=entropy)


def open_tree(path: Path) -> DiskTree:
    """A folder to be read."""
    return DiskTree(path)


@cache
def volumes() -> Volumes:
    """Without those that do not answer. One for the whole process, which remembers which they are."""
    return PatientVolumes(this_volumes())


def ground_of(side: LockedSide, vault_hex: str | None = None) -> Ground:
    """What a pass stands on. Raises NoVault."""
    files = DiskFiles()
    vault = vault_hex or vault_hex_of(side, files)
    local = side.local_root / vault
    return Ground(
        files=files,
        clock=side.clock,
        places=Places(files, local),
        vault=side.vault,
        vault_tree=open_tree(side.vault),
        device=device_of(files, local),
    )


def device_of(files: Files, local: Path) -> str:
    """The id of this device, 32 hex digits; where it never opened the vault, a number for this run alone."""
    with suppress(NotevaultError):
        device = LocalState(files, local).read_device()
        if device is not None:
            return device.device.hex()
    return SystemEntropy().draw(16).hex()


def check_is_vault(side: LockedSide, ground: Ground) -> None:
    """Raises Refused for a copy of a vault that itself lies elsewhere: the places are not the copy's.

    An older copy would look like a rolled-back vault at all of them.
    """
    vault_hex = ground.vault_id
    place = LocalState(ground.files, ground.local).place()
    if place is None or place == str(side.vault):
        return
    try:
        other = _alleged(ground.files, VaultPaths(Path(place)))
    except NotevaultError:
        return
    if vault_hex in other:
        raise Refused(
            f"This folder is a copy of the vault, which itself lies in {place}; copies are not backed up.",
            f"Name the vault's own folder: --vault {quoted(place)}",
        )


def overview_of(side: LockedSide, ground: Ground | None = None) -> Overview:
    """How safe everything is at this moment. Raises NoVault and what the local folder raises."""
    return overview.look(ground or ground_of(side), open_tree, volumes())


# -- one backup, its results, and the worker's process


def way(ground: Ground) -> Way:
    return Way(volumes(), lambda path: open_place(path, ground.device))


def run_once(
    side: LockedSide,
    names: Sequence[str] | None = None,
    progress: Callable[..., None] | None = None,
    *,
    stop: Callable[[], bool] = lambda: False,
    began: Callable[[PlaceFile], None] | None = None,
) -> list[tuple[PlaceFile, Report]]:
    """One backup now, of the places named (all without names), one after the other; `began` is told of each.

    An absent or broken place is a verdict in its report. Results for the log are queued (then call `record_results`).
    Raises NoVault; Refused for a copy of the vault; NotFound for a name that no place has.
    """
    ground = ground_of(side)
    check_is_vault(side, ground)
    places = [ground.places.get(name) for name in names] if names else ground.places.all()
    done: list[tuple[PlaceFile, Report]] = []
    if not places:
        return done
    now = take_round(ground)
    for place in dict.fromkeys(places):
        if began is not None:
            began(place)
        report = _once(ground, place, now, progress, stop)
        with suppress(NotevaultError):  # removed meanwhile
            place = ground.places.get(place.id)
        done.append((place, report))
    return done


def _once(
    ground: Ground, place: PlaceFile, now: Round, progress: Callable[..., None] | None, stop: Callable[[], bool]
) -> Report:
    """A place that hangs is given up after a while, so that the next one has its turn; one where another notevault is
    at work is waited for a moment.
    """

    def work(job: Job, moved: Callable[..., None], stopped: Callable[[], bool]) -> Report:
        def went_on(*numbers: int) -> None:
            moved()
            if progress is not None:
                progress(*numbers)

        def ends() -> bool:
            return stop() or stopped()

        return pass_over(ground, job.place, now, way(ground), progress=went_on, stop=ends)

    until = ground.clock.boot_ms() + BUSY_MS
    while True:
        report = patiently(work, Job(schedule.PASS, place, now), ground.clock, schedule.SLOW_MS)
        if not isinstance(report, Report):
            slow(ground, place)
            return Report(model.SLOW, detail="It has not answered for minutes; the backup goes on elsewhere.")
        if report.verdict != model.BUSY or ground.clock.boot_ms() >= until or stop():
            return report
        time.sleep(AGAIN_S)


def record_results(
    side: LockedSide, vault_hex: str | None = None, *, old: bool = False, ready: Popen[bytes] | None = None
) -> None:
    """Have the results that wait entered in the log, by a short process that has the log's keys and asks nothing.

    Nothing is started where the newest is older than a minute and `old` is not asked for: it could not be entered then,
    and waits for the worker's next try or the next opening. `ready`: that process, started before. Returns when it has
    ended, after 30 s at most. Raises nothing.
    """
    with suppress(NotevaultError, OSError):
        if ready is None:
            vault = vault_hex or vault_hex_of(side)
            waiting = Results(DiskFiles(), side.local_root / vault / "backup").waiting()
            since = 0 if old else side.clock.wall_ms() - FRESH_MS
            if not any(result.at_ms >= since for result in waiting):
                return
            ready = _recorder(side)
        quiet.finish(ready, RECORD_S)


@contextmanager
def recorder_ready(side: LockedSide, *, wanted: bool) -> Iterator[Popen[bytes] | None]:
    """The process that `record_results` needs, getting ready while a backup runs; None where it is not `wanted` or does
    not start. Where it was not needed it is ended: it has done nothing yet.
    """
    process = None
    with suppress(OSError):
        process = _recorder(side) if wanted else None
    try:
        yield process
    finally:
        if process is not None:
            quiet.end(process)


def _recorder(side: LockedSide) -> Popen[bytes]:
    return quiet.start(self_command("_record", "--vault", str(side.vault)), self_environment())
