"""What a check of a log comes to: findings with their weight and place, and what an intact log tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from .digests import Digests, Remaining


class Weight(Enum):
    """How much a finding proves."""

    TAMPERED = "tampered"  # bytes contradict a signature or each other: proof
    UNDECIDED = "undecided"  # something needed for the judgement is not here
    NOTE = "note"  # worth telling, nothing wrong


@dataclass(frozen=True)
class Finding:
    """`sentence` is complete and names the place; `first` and `last` are entry numbers, -1 where none is meant.

    Codes of one log: REWRITTEN MISSING TRUNCATED FORGED MALFORMED ROLLED_BACK FORKED · NO_CARD NO_CHECKPOINT UNREADABLE
    UNPINNED NOT_SEALED OLDER_STATE MOVING · UNCOMMITTED NOT_SEALED_YET · MORE. Those of a vault: see `vaultcheck`.
    """

    code: str
    weight: Weight
    sentence: str
    first: int = -1
    last: int = -1

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class HeaderRef:
    """A header file that an entry names."""

    index: int
    seq: int
    digest: str
    size: int


@dataclass
class LogVerdict:
    """The outcome of `check_log`. Digests are 64 hex digits. Sizes and sets cover entries up to the signed size only.

    `proven` says that the entries read are exactly those that the checkpoint was signed over; without it, `written` and
    the like are what was found, not what was logged.
    """

    origin: str
    vault: str = ""
    size: int = 0  # signed
    found: int = 0  # entries read
    root: bytes = b""  # signed
    epoch: int = 0
    raw: bytes = field(default=b"", repr=False)  # the checkpoint that was judged, byte for byte
    proven: bool = False
    findings: list[Finding] = field(default_factory=list)
    written: Digests = field(default_factory=Digests)  # blob digest -> file size
    purged: Digests = field(default_factory=Digests)  # with a purge signature that holds
    purges_unchecked: int = 0  # beyond those whose signatures were tried
    headers: list[HeaderRef] = field(default_factory=list)  # at most `walk.MAX_HEADERS`
    counts: dict[str, int] = field(default_factory=dict)  # event -> entries

    @property
    def live(self) -> Mapping[str, int]:
        """Blobs that this log wrote and did not purge. With several origins: all written minus all purged."""
        return Remaining(self.written, self.purged)

    @property
    def exit_code(self) -> int:
        """0 intact, 1 tampered (only on proof), 2 cannot decide."""
        weights = {finding.weight for finding in self.findings}
        if Weight.TAMPERED in weights:
            return 1
        return 2 if Weight.UNDECIDED in weights or not self.proven else 0


def add(found: list[Finding], finding: Finding, most: int) -> None:
    """Add it, unless it is there, or `most` of its code and weight are: then one more says that there are more.

    Each code and each weight has room of its own, so that a thousand trifles never crowd out a proof.
    """
    if finding in found:
        return
    if sum(one.code == finding.code and one.weight is finding.weight for one in found) < most:
        found.append(finding)
        return
    more = Finding("MORE", finding.weight, f"There are more such findings ({finding.code}) than are listed")
    found += [] if more in found else [more]


def entries(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first}-{last}"
