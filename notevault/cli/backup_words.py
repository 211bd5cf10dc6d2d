"""What the commands of backups have in common: exit codes, lines for people, facts for --json."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from notevault.backup import model
from notevault.backup.model import Problem
from notevault.backup.words.plain import problem_words, quoted, size_words
from notevault.backup.words.plain import step_words as step_of
from notevault.cli.output import Output

__all__ = ["code_of", "code_of_all", "plug_in_words", "problem_words", "size_words", "step_of", "tell", "worst"]

SHOWN = 5  # problems that are named one by one; --json has them all
_CODES = {
    model.SAFE: 0,
    model.WAITING: 0,
    model.ABSENT: 66,
    model.BUSY: 75,
    model.SLOW: 74,
    model.FULL: 73,
    model.READ_ONLY: 73,
    model.BROKEN: 74,
    model.FAULT: 70,
    model.HURT: 1,
    model.AHEAD: 1,
    model.FORKED: 1,
}
"""The other alarms say that something is wrong without proving who changed what: 2."""
_WORST = (1, 2, 70, 73, 74, 75, 66)


def code_of(verdict: str) -> int:
    return _CODES.get(verdict, 2)


def worst(codes: Iterable[int]) -> int:
    found = set(codes)
    return next((code for code in _WORST if code in found), max(found, default=0))


def code_of_all(verdicts: Sequence[str], *, named: bool) -> int:
    """Of several places. Unless it was asked for by name, one that is not plugged in is no failure beside one that is:
    sticks take turns.
    """
    codes = [code_of(verdict) for verdict in verdicts]
    if not named and any(code == 0 for code in codes):
        codes = [code for verdict, code in zip(verdicts, codes, strict=True) if verdict != model.ABSENT]
    return worst(codes)


def plug_in_words(away: Sequence[str]) -> str:
    """Before a file is given up for lost every place that is known is asked: also one that is gone for good."""
    if not away:
        return ""
    removed = " and ".join(f"`notevault backup remove {quoted(name)}`" for name in away)
    is_ = "it is" if len(away) == 1 else "they are"
    return (
        f"Plug in {' and '.join(away)}, and heal again. If {is_} gone for good: {removed}, and heal again; what no copy"
        " has is then given up, and backups go on. "
    )


def tell(out: Output, facts: dict[str, object], line: str, step: str, problems: Sequence[Problem] = ()) -> None:
    """A place's line, what was found there, and what to do."""
    lines = [line]
    lines += [f"        {words}" for words in map(problem_words, problems[:SHOWN]) if words]
    if len(problems) > SHOWN:
        lines.append(f"        and {len(problems) - SHOWN:,} more")
    lines += [f"        -> {step}"] if step else []
    told = [{"code": one.code, "detail": one.detail, "path": one.path} for one in problems]
    out.row({**facts, "problems": told, "step": step, "words": line}, "\n".join(lines))
