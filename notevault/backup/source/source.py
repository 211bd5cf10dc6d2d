"""The vault as backups see it: without keys, and nothing of it believed that is not signed and does not give its root.

    key files -> whose vault, which logs are its own (`identity`)
    card, checkpoint, entries -> each log, proven (`storage.logread`)
    entries -> live files, key files (`live`; only what the cache does not know yet is gone through)

The checkpoints are read first, then nothing that they do not cover: what is written meanwhile belongs to the next pass.
A log that was believed once and does not hold any more stops everything: `LogDamaged`. One that was already beyond
belief when the vault was recovered (cited with size 0) is only told of, in `faults`; so is one that a recovery from an
incomplete copy left shorter than it is cited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from notevault.auditlog import checkpoint
from notevault.auditlog.fault import Fault
from notevault.backup.model import Head, Waiting
from notevault.backup.source import cache as livecache
from notevault.backup.source import keyfiles as identity
from notevault.backup.source.cache import NamedKeyFile
from notevault.backup.source.live import Live
from notevault.backup.source.log import LogSource, waiting_in
from notevault.backup.source.walking import Survey
from notevault.errors import Damaged, LogDamaged, NotevaultError, NotFound, NoVault
from notevault.formats.ids import is_origin
from notevault.ports import Files
from notevault.storage.layout import VaultPaths

__all__ = ["NamedKeyFile", "Source", "Waiting", "read_source"]

SAVE_AFTER = 256  # entries gone through anew: saving the cache costs a sync, going through these costs 3 ms
MOST_VAULTS = 8  # whose key files lie in one folder; more are nobody's accident


@dataclass(frozen=True)
class Source:
    """One look at the vault. `current`: the log being written. `closed`: logs that another one continues. `faults`:
    sentences about logs that are listed and do not count. `headers`: those that entries name, less the ones that only
    a replaced recovery sheet still needs (`identity.given_up`).
    """

    vault: str
    current: str
    heads: dict[str, Head]
    checkpoints: dict[str, bytes] = field(repr=False)
    live: Live = field(repr=False)
    headers: tuple[NamedKeyFile, ...] = field(repr=False)
    closed: frozenset[str]
    faults: dict[str, str]
    files: Files = field(repr=False)
    paths: VaultPaths = field(repr=False)
    _logs: dict[str, LogSource] = field(repr=False)
    _totals: dict[str, Waiting] = field(repr=False)

    def log(self, origin: str) -> LogSource:
        return self._logs[origin]

    def entries(self, origin: str, start: int, stop: int) -> Iterator[bytes]:
        """Proven against the signed root, bundle by bundle. Raises LogDamaged."""
        return self._logs[origin].entries(start, stop)

    def since(self, heads: Mapping[str, Head]) -> Waiting:
        """What the logs have beyond these states: nothing beyond a larger one; one of another way does not count.

        Raises nothing of ours. A log that does not hold where it would have to be read counts as a whole, and `fault`
        says so: the vault is damaged, whatever a place is like.
        """
        changes, first, fault = 0, 0, ""
        for origin, log in self._logs.items():
            known = heads.get(origin)
            if known is not None and (known.size > log.size or known == self.heads[origin]):
                continue
            found = self._totals[origin]
            try:
                if known is not None and log.had(known):
                    found = Waiting(*waiting_in(log.entries(known.size, log.size)))
            except NotevaultError as damage:
                fault = fault or damage.sentence
            changes += found.changes
            first = min(filter(None, (first, found.first_ms)), default=0)
        return Waiting(changes, first, fault)

    def moved(self) -> bool:
        """Has anything been written since this look? Then what is missing here may just have been destroyed rightly."""
        try:
            return any(log.signed_now() != self.checkpoints[origin] for origin, log in self._logs.items())
        except NotevaultError:
            return True


def read_source(
    files: Files, vault: Path, cache: Path | None, *, vik: bytes | None = None, vault_id: str | None = None
) -> Source:
    """A look at the vault in this folder. `cache`: where `live` is kept. `vik`: the identity that this device opened
    last (`identity.remembered`), `vault_id` in hex: what must lie there, where it is known.

    Raises NoVault; Damaged and LogDamaged with the place, where the vault does not hold; CannotWrite and StorageFault
    as the system says.
    """
    paths = VaultPaths(vault)
    kept = livecache.load(files, cache)
    found = identity.read_key_files(files, paths, {} if kept is None else kept.key_files)
    read: list[Survey] = []
    never: NotevaultError | None = None
    for name, viks in identity.groups(found, vik, vault_id)[:MOST_VAULTS]:
        try:
            read.append(Survey(files, paths, name, viks, found, kept))
        except (NoVault, NotFound) as fault:  # key files of an unfinished set-up, or of another vault
            never = fault
    if not read:
        raise _nothing(files, paths, never, opened=vik is not None)
    if len(read) > 1:
        raise Damaged(
            "Two vaults lie in one folder, and this laptop has opened neither yet.",
            "Open the vault once with `notevault`; backups then know which one is yours.",
        )
    survey = read[0]
    walked = survey.walk()
    if cache is not None and (walked.anew >= SAVE_AFTER or walked.whole or survey.new_key_files):
        livecache.save(files, cache, walked.kept)
    gone = identity.given_up(walked.kept.key_files.values(), survey.current)
    return Source(
        vault=survey.vault,
        current=survey.current.origin,
        heads={origin: Head(log.size, log.root) for origin, log in survey.logs.items()},
        checkpoints={origin: log.checkpoint for origin, log in survey.logs.items()},
        live=walked.kept.live,
        headers=tuple(one for one in walked.kept.named if f"{one.origin}/{one.seq:08d}-{one.digest}" not in gone),
        closed=survey.closed,
        faults=survey.faults,
        files=files,
        paths=paths,
        _logs=survey.logs,
        _totals={origin: Waiting(log.changes, log.first_ms) for origin, log in walked.kept.logs.items()},
    )


def _nothing(files: Files, paths: VaultPaths, never: NotevaultError | None, *, opened: bool) -> NotevaultError:
    """Nothing is believed: because there is no vault, or because what says whose it is, is gone. `opened`: this device
    opened it once, so its set-up was finished.
    """
    logs = [name for name in files.names(paths.all_audit) if is_origin(name)]
    for origin in logs:
        try:
            signed = checkpoint.parse(files.read(paths.checkpoint(origin), limit=checkpoint.MAX_BYTES))
        except NotevaultError:
            continue
        if isinstance(signed, Fault) or signed.size:
            return LogDamaged(
                "MISSING: the vault's notes are there, but not the key files that belong to them.",
                "Keep the folder as it is; `notevault backup heal` puts back what a backup place has.",
            )
    if opened and never is not None:
        return LogDamaged(
            "MISSING: the log of this vault is gone.",
            "Keep the folder as it is; `notevault backup heal` puts back what a backup place has.",
        )
    return never or NoVault("There is no vault in this folder.")
