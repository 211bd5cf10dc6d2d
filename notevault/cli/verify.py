"""verify: everything against the log, with a place for each finding."""

from __future__ import annotations

from notevault.app import checking
from notevault.backup.words.plain import size_words
from notevault.cli.common import NOT_INTACT, SALVAGED, Context
from notevault.cli.show import count
from notevault.errors import Damaged, Tampered
from notevault.vault.verify import Verdict, verify


def run(ctx: Context) -> int:
    try:
        with ctx.session() as session:
            verdict = verify(session, ctx.out.progress)
            return _tell(ctx, verdict)
    except (Damaged, Tampered) as fault:
        # It could not even be opened: what can be said without keys is still said, place by place.
        verdict = checking.check_locked(ctx.env, ctx.side.vault)
        # That alone is no proof: the file at fault may be one of this laptop's own, or of a newer notevault.
        where = verdict.findings if isinstance(fault, Tampered) else verdict.undecided
        where.insert(0, ("NOT OPENED", fault.sentence))
        code = _tell(ctx, verdict)
        if code == 2:
            ctx.out.say(fault.next_step)
        return code


def _tell(ctx: Context, verdict: Verdict) -> int:
    for weight, found in (("tampered", verdict.findings), ("undecided", verdict.undecided)):
        for code, sentence in found:
            line = sentence if sentence.startswith(code) else f"{code}: {sentence}"
            ctx.out.row({"finding": code, "sentence": sentence, "weight": weight}, line)
    for note in verdict.notes:
        ctx.out.row({"finding": "NOTE", "sentence": note, "weight": "note"}, f"NOTE: {note}")
    words = {0: "intact", 1: "tampered", 2: "undecided"}[verdict.exit_code]
    looked = (
        f"{count(verdict.blobs, 'record')} ({size_words(verdict.bytes)}),"
        f" {count(verdict.entries, 'log entry', 'log entries')}, {count(verdict.headers, 'key file')}"
    )
    ending = {
        0: f"INTACT: {looked}; all as signed.",
        1: f"NOT INTACT: {count(len(verdict.findings), 'finding')} in {looked}.",
        2: f"CANNOT DECIDE: {count(len(verdict.undecided), 'thing')} could not be checked; {looked} looked at.",
    }[verdict.exit_code]
    facts: dict[str, object] = {
        "bytes": verdict.bytes,
        "entries": verdict.entries,
        "findings": len(verdict.findings),
        "key_files": verdict.headers,
        "records": verdict.blobs,
        "undecided": len(verdict.undecided),
        "verdict": words,
    }
    ctx.out.row(facts, ending)
    if verdict.exit_code == 1:
        ctx.out.say(SALVAGED if verdict.salvaged else NOT_INTACT)
    return verdict.exit_code
