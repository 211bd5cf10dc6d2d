"""How far a log is vouched for, sealed and remembered, and since when anything is known of it: in words.

No pass goes without the last. Two checks a minute apart prove a minute: what lay before the first look at a log, nobody
who looked can tell, however often she comes again.
"""

from __future__ import annotations

from typing import Optional

from .outcome import LogReport, Seen, VaultVerdict
from .plain import count, number, when

_Cited = tuple[Optional[tuple[str, int, bytes]], Optional[int]]  # noqa: UP045  (evaluated, and Python 3.9)


def counted(verdict: VaultVerdict) -> list[LogReport]:
    """The logs that the vault's key file lists, or all where that is not known."""
    return [log for log in verdict.logs if log.listed is not False]


def vouched(logs: list[LogReport]) -> str:
    """Up to where states seen outside of the folder agree with it."""
    agreeing = [one.seen for log in logs for one in log.anchors if one.state == "agrees" and one.seen.outside]
    seen = max((one.when for one in agreeing if one.when is not None and one.size), default=None)
    return _reach("vouched for from outside", [(log.anchored, log.verdict.size) for log in logs], seen, "seen")


def sealed(logs: list[LogReport]) -> str:
    """Up to where seals hold, so that even today's keys cannot have rewritten it."""
    times = [seal.t for log in logs for seal in log.seals if seal.state == "holds" and seal.t is not None]
    reach = [(log.sealed, log.verdict.size) for log in logs]
    return _reach("sealed", reach, max(times, default=None), "closed")


def remembered(logs: list[LogReport]) -> str:
    """How much agrees with the memory of the owner's laptop, which is not outside; "" where nothing does."""
    size = sum(log.verdict.size for log in logs)
    done = sum(min(log.remembered, log.verdict.size) for log in logs)
    if not done:
        return ""
    what = "it agrees" if done >= size else f"{number(done)} of its {count(size, 'entry', 'entries')} agree"
    return f"{what} with what this laptop remembers"


def _reach(word: str, reach: list[tuple[int, int]], ms: int | None, seen: str) -> str:
    done = sum(min(covered, size) for covered, size in reach)
    size = sum(size for _, size in reach)
    date = f" ({seen} {when(ms)})" if ms is not None and done else ""
    if done <= 0:
        return f"nothing of it is {word}"
    if done >= size:
        return f"all of it is {word}{date}"
    if len(reach) == 1:
        few = "one" if size - done == 1 else number(size - done)
        return f"{word} up to entry {number(done - 1)}{date}, not the last {few}"
    return f"{word} for {number(done)} entries{date}, not for {number(size - done)}"


def first_seen(verdict: VaultVerdict) -> int | None:
    """Since when (ms) somebody outside has seen the log as it is; None where no state that agrees bears a date.

    That a later log of the same vault cites it tells when that log says so, not that anybody saw it.
    """
    cited: set[_Cited] = {(log.cites, log.tally.first_ms) for log in verdict.logs if log.cites is not None}
    seen = [one.seen for log in counted(verdict) for one in log.anchors if one.state == "agrees" and one.seen.outside]
    dated = [one for one in seen if one.when is not None and one.size and not _cited(one, cited)]
    return min((one.when for one in dated if one.when is not None), default=None)


def _cited(one: Seen, cited: set[_Cited]) -> bool:
    return ((one.origin, one.size, one.root), one.when) in cited


def before(verdict: VaultVerdict) -> str:
    """The end of a headline: from when on anything is known."""
    if verdict.first_visit:
        return "a first visit, so a log cut, rolled back or replaced before it would not show"
    ms = first_seen(verdict)
    if ms is not None:
        return f"before {when(ms)}, when it was first seen, nothing is known"
    if _own_alone(verdict):
        return "a log put back together with this laptop's memory would not show"
    return "what agrees with it bears no date, so of the time before this check nothing is known"


def unknown_before(verdict: VaultVerdict) -> str:
    """The same as a line of what was not checked."""
    what, ms = "a log cut, rolled back or replaced before", first_seen(verdict)
    if verdict.first_visit:
        return f"{what} this check: nothing seen earlier was given (first visit)"
    if ms is not None:
        return f"{what} it was first seen, {when(ms)}"
    if _own_alone(verdict):
        return "a log put back together with what this laptop remembers of it"
    return f"{what} this check: what agrees with it bears no date"


def cannot_tell(verdict: VaultVerdict) -> str:
    """The same as a sentence about what no check can tell, at a later visit."""
    ms = first_seen(verdict)
    if _own_alone(verdict):
        return "Whether the log was put back together with all that this laptop remembers of it."
    since = f"it was first seen, {when(ms)}" if ms is not None else "this check: what agrees with it bears no date"
    return f"Whether the log was cut, rolled back or replaced before {since}."


def _own_alone(verdict: VaultVerdict) -> bool:
    """Is this laptop's memory all that agrees?"""
    return verdict.own and not any(log.anchored for log in counted(verdict))
