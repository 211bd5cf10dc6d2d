"""What came of a practice restore, and its words."""

from __future__ import annotations

from dataclasses import dataclass, field

from notevault.backup.model import HURT, SAFE, WAITING
from notevault.backup.status_words import counted, since_words

NAMED = 50  # findings that are kept in words; the rest are counted


@dataclass
class Drilled:
    """`records` opened, `bytes` read of them. `behind`: changes of this vault that are not in the backup's state, the
    first of them made at `behind_ms`. `findings`: what a restore would miss, in sentences; `more` are not spelled out.
    """

    place: str
    records: int = 0
    bytes: int = 0
    notes: int = 0
    clients: int = 0
    vault_notes: int = 0  # that the vault has now
    behind: int = 0
    behind_ms: int = 0
    verdict: str = SAFE
    findings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    more: int = 0

    @property
    def good(self) -> bool:
        return self.verdict in (SAFE, WAITING)

    @property
    def outcome(self) -> str:
        """As it stands in the log."""
        return "ok" if self.good else "fail"

    def find(self, sentence: str, verdict: str = HURT) -> None:
        """Something that a restore would miss; the first verdict stays."""
        self.verdict = verdict if self.good else self.verdict
        if len(self.findings) < NAMED:
            self.findings.append(sentence)
        else:
            self.more += 1

    def words(self) -> str:
        """The result in a sentence."""
        if not self.good:
            number = len(self.findings) + self.more
            return f"{counted(number, 'thing')} in {self.place} did not hold. The practice restore failed."
        what = f"{counted(self.records, 'record')} of {counted(self.clients, 'client')}"
        return f"All of it came back from {self.place}: {what}, read, opened and compared. Nothing was written."

    def step(self) -> str:
        """What to do now; may be empty."""
        if self.good:
            return ""
        return "`notevault backup heal` mends it from the vault or another backup place; then practise once more."

    def lines(self, now_ms: int, offset_minutes: int) -> list[str]:
        """All there is to say, for people."""
        lines = [self.words()]
        lines.append(
            f"{counted(self.notes, 'note')} there, {self.vault_notes:,} in the vault;"
            f" {_size(self.bytes)} of sealed files read."
        )
        if self.behind:
            since = since_words(self.behind_ms, now_ms, offset_minutes)
            lines.append(f"{counted(self.behind, 'change')} {since} not in it yet.")
        lines += self.findings
        lines += [f"{self.more:,} more of the kind."] if self.more else []
        return [*lines, *self.remarks, *([self.step()] if self.step() else [])]


def _size(n: int) -> str:
    return f"{n / 1e6:,.1f} MB" if n >= 1_000_000 else f"{-(-n // 1000):,} KB"
