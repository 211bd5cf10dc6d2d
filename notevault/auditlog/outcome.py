"""What a check of a whole vault folder comes to: its logs, their seals and anchors, its key files and its notes.

Numbers of entries count from 0, sizes are counts of entries, times are milliseconds since 1970 by the laptop's clock,
days are days since 1970 in UTC. Nothing here names a client.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .verdict import Finding, LogVerdict, Weight

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Fail:
    """Failed unlocks, told of by one entry; `n` of them. `at` differs from `t` where the entry was made later."""

    index: int
    t: int
    at: int
    n: int
    why: str


@dataclass(frozen=True)
class Jump:
    """The laptop's clock was moved by `ms` (`to` ahead or back)."""

    index: int
    t: int
    ms: int
    to: str


@dataclass
class Tally:
    """What one log's entries tell, counted. `fails` and `jumps` are cut at 1000, their totals are not; so are `days`
    (at 20,000, `kept` and `backups` too) and `users` (1000), which only a forged log exceeds. `first_ms`, `last_ms`: of
    the first, last entry.
    """

    first_ms: int | None = None
    last_ms: int | None = None
    days: dict[int, dict[str, int]] = field(default_factory=dict)  # day -> event -> entries
    outcomes: dict[tuple[str, str], int] = field(default_factory=dict)  # (event, outcome) -> entries
    purposes: dict[str, int] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)  # hex8 user ids
    fails: list[Fail] = field(default_factory=list)
    fails_total: int = 0  # failed unlocks, the coalesced ones counted
    jumps: list[Jump] = field(default_factory=list)
    jumps_total: int = 0
    kept: dict[int, int] = field(default_factory=dict)  # day -> last entry that put something into the vault
    backups: dict[int, int] = field(default_factory=dict)  # day -> last entry of a backup with outcome ok
    reported: int = 0  # entries made later than what they tell of


@dataclass(frozen=True)
class SealRef:
    """The seal of one epoch.

    `state`: holds · missing · forged · rewritten · unchecked (its entries or keys are not here).
    """

    epoch: int
    size: int
    t: int | None  # of the entry that closes the epoch
    state: str


@dataclass(frozen=True)
class Seen:
    """A state of a log as it was seen outside of it.

    `source` is a phrase for people ("your state file", "backup place", "the log 1a2b3c4d, which follows it", ...).
    `when`: when it was seen, None where that is not known. `outside` is False for what lay in the folder that is
    checked, and for what the owner's laptop remembers (`own`): it can contradict the log, and vouches for nothing.
    `proven` is False where nobody could check that the log's owner signed it, because its card is not here: it says
    only that there is a log of that name.
    """

    origin: str
    size: int
    root: bytes
    source: str
    when: int | None = None
    outside: bool = True
    proven: bool = True
    own: bool = False


@dataclass(frozen=True)
class AnchorRef:
    """What a state seen outside says of the log as it is now.

    `state`: agrees · contradicts · beyond (more entries than the log has now) · unchecked (the entries that would tell
    are not here).
    """

    seen: Seen
    state: str


@dataclass
class LogReport:
    """One log of the vault."""

    verdict: LogVerdict
    listed: bool | None = None  # by the vault's current header; None where none could be read
    current: bool = False  # the one that the current header says is being written
    tally: Tally = field(default_factory=Tally)
    seals: list[SealRef] = field(default_factory=list)  # at most 10,000; `seals_total` counts all
    anchors: list[AnchorRef] = field(default_factory=list)
    cites: tuple[str, int, bytes] | None = None  # origin, size, root of the log that this one follows
    seals_total: int = 0  # epochs closed
    sealed: int = 0  # the first so many entries are under seals that hold, without a gap
    anchored: int = 0  # the first so many entries agree with an anchor from outside
    disclosed: list[int] = field(default_factory=list)  # entries of the client of a disclosure
    roots: list[bytes | None] = field(default_factory=list, repr=False)  # of the bundles that were read, the last too

    @property
    def unsealed_tail(self) -> int:
        return max(0, self.verdict.size - self.sealed)

    @property
    def unanchored_tail(self) -> int:
        return max(0, self.verdict.size - self.anchored)

    @property
    def remembered(self) -> int:
        """The first so many entries agree with what the owner's own laptop remembers of them."""
        return max((one.seen.size for one in self.anchors if one.seen.own and one.state == "agrees"), default=0)


@dataclass
class BlobTally:
    """The notes' files against the logs. `looked` is False where the folder has none or they were not asked for."""

    looked: bool = False
    live: int = 0  # that the logs say should be there
    sound: int = 0  # there, and of their name
    bytes: int = 0
    missing: int = 0
    changed: int = 0
    unlogged: int = 0
    purged: int = 0  # destroyed, by the logs
    lingering: int = 0  # destroyed, and still there
    unreadable: int = 0


@dataclass
class HeaderTally:
    """The key files that the logs name, and the current one. `seq` is 0 where there is none that holds."""

    seq: int = 0
    named: int = 0
    sound: int = 0
    missing: int = 0
    changed: int = 0
    retired: int = 0  # older ones that are gone: allowed, and said


@dataclass
class VaultVerdict:
    """The outcome of `check_vault`. `findings` holds those of the logs too, each with its log's short name."""

    vault: str = ""  # hex16, "" where no card says it
    fingerprint: str = ""  # of the card that was used, hex16
    checked_ms: int = 0
    first_visit: bool = True  # nothing seen earlier was given
    log_only: bool = False  # the notes' files were not to be looked at
    logs: list[LogReport] = field(default_factory=list)  # the current one last
    headers: HeaderTally = field(default_factory=HeaderTally)
    blobs: BlobTally = field(default_factory=BlobTally)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0
    own: bool = False  # made by the vault's owner on her own laptop, not by an auditor

    @property
    def exit_code(self) -> int:
        """0 intact, 1 tampered (only on proof), 2 cannot decide."""
        weights = {finding.weight for finding in self.findings}
        if Weight.TAMPERED in weights:
            return 1
        counted = [log for log in self.logs if log.listed is not False]
        whole = bool(counted) and all(log.verdict.proven for log in counted)
        return 2 if Weight.UNDECIDED in weights or not whole else 0

    def of(self, weight: Weight) -> list[Finding]:
        return [finding for finding in self.findings if finding.weight is weight]
