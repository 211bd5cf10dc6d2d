"""What came of a practice restore: its words, and what is remembered of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from notevault.backup.model import AHEAD, ALARMS, FORKED, HURT, SAFE, WAITING, PlaceState
from notevault.backup.words.plain import size_words, step_words
from notevault.backup.words.status import counted, since_words
from notevault.backup.worker.results import DRILL

NAMED = 50  # findings that are kept in words; the rest are counted
_OTHER = {
    AHEAD: "it is newer than this vault: an older copy of the vault was put back on this computer",
    FORKED: "this vault and that one were both written to since they were one",
}
"""Everything there is sound, and is not what this vault goes on from."""


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
    bad: int = 0  # sealed files that are missing or changed there

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
        what = f"{counted(self.records, 'record')} of {counted(self.clients, 'client')}"
        if self.verdict in _OTHER:
            return f"All of it came back from {self.place} ({what}). But {_OTHER[self.verdict]}."
        if not self.good:
            number = len(self.findings) + self.more
            return f"{counted(number, 'thing')} in {self.place} did not hold. The practice restore failed."
        return f"All of it came back from {self.place}: {what}, read, opened and compared. Nothing was written."

    def step(self) -> str:
        """What to do now; may be empty."""
        if self.good:
            return ""
        if self.verdict in _OTHER:
            return step_words(self.verdict, self.place)
        return "`notevault backup heal` mends it from the vault or another backup place; then practise once more."

    def lines(self, now_ms: int, offset_minutes: int) -> list[str]:
        """All there is to say, for people."""
        lines = [self.words()]
        lines.append(
            f"{counted(self.notes, 'note')} there, {self.vault_notes:,} in the vault;"
            f" {size_words(self.bytes)} of sealed files read."
        )
        if self.behind:
            since = since_words(self.behind_ms, now_ms, offset_minutes)
            lines.append(f"{counted(self.behind, 'change')} {since} not in it yet.")
        lines += [] if self.verdict in _OTHER else self.findings
        lines += [f"{self.more:,} more of the kind."] if self.more else []
        return [*lines, *self.remarks, *([self.step()] if self.step() else [])]

    def after(self, state: PlaceState, now_ms: int) -> PlaceState:
        """What this device then knows of the place: a failure stands until it was mended and practised once more."""
        told = {**state.told, DRILL: (self.outcome, now_ms)}
        if self.good:
            return replace(state, drill_ms=now_ms, told=told)
        if self.verdict in _OTHER:
            known = state.verdict in ALARMS
            verdict, since = (state.verdict, state.verdict_ms) if known else (self.verdict, now_ms)
            return replace(state, drill_ms=0, verdict=verdict, verdict_ms=since, told=told)
        return replace(state, drill_ms=0, hurt=max(state.hurt, self.bad, 1), told=told)


def failed_ms(state: PlaceState) -> int:
    """When the last practice restore from there failed; 0 where the last one did not."""
    outcome, at = state.told.get(DRILL, ("", 0))
    return at if outcome == "fail" and not state.drill_ms else 0
