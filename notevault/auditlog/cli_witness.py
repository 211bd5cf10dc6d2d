"""`nvaudit witness new` and `cosign`: a key of the auditor's own, and her signature under a state that she has checked.

The order of a cosignature: the log is proven and continues what the state file remembers; the state file remembers this
state too, durably; only then it is signed. So one key never signs two states that do not continue each other.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from . import checkpoint, plain, sign25519, words
from . import cosign as cosigning
from .cli_evidence import state_from
from .cli_files import distinct, may_write, read, write
from .cli_run import advance, gather, judge, trusted
from .cli_stop import INTACT, OWN_FAULT, TAMPERED, UNDECIDED, USAGE, Stop
from .cli_tools import Tools, one_origin
from .fault import Fault
from .outcome import LogReport, VaultVerdict
from .verdict import Weight

MAX_KEY = 2048


def new(given: argparse.Namespace, tools: Tools) -> int:
    """A secret key into a new file, its public half on standard output."""
    out = Path(given.out)
    may_write(out, "the secret key", replace=False)
    seed = os.urandom(32)  # noqa: TID251  the auditor's own machine; this program has no ports
    signer = cosigning.Signer(given.name, sign25519.public_key(seed), seed)
    try:
        secret, public = cosigning.signer_text(signer), cosigning.witness_text(signer.witness)
    except ValueError:
        raise Stop(USAGE, "A name holds no spaces and no plus sign.", "For example: auditor.example") from None
    write(out, secret.encode() + b"\n", "the secret key", replace=False)
    tools.say.err(f"The secret key is in {out}: keep it to yourself. The public key, for everybody else:")
    tools.say.out(public)
    return INTACT


def cosign(given: argparse.Namespace, tools: Tools) -> int:
    """Exit 0 only when it was signed."""
    out, key, path = Path(given.out), Path(given.key), Path(given.state)
    distinct([("--state", path), ("--out", out)], [("--key", key), ("--card", Path(given.card))])
    signer = cosigning.parse_signer(_text(key), sign25519.public_key)
    if isinstance(signer, Fault):
        raise Stop(USAGE, f"{key} does not hold your secret key: {signer.sentence}.", "Make one: nvaudit witness new")
    evidence = gather(given, tools)
    may_write(out, "the signed state", evidence.untouchable, replace=False)
    verdict = judge(evidence, tools, log_only=True)
    for line in words.summary(verdict):
        tools.say.err(line)
    log = _chosen(verdict, given.origin)
    if verdict.of(Weight.TAMPERED):
        raise Stop(TAMPERED, "Nothing was signed: the log was tampered with.", "Keep the folder as it is.")
    if not any(one is log for one in trusted(evidence, verdict)):
        raise Stop(UNDECIDED, "Nothing was signed: the log is not proven.", "The points above say what is missing.")
    data = log.verdict.raw  # the very bytes that were judged: by now others may lie in the folder
    found = checkpoint.parse(data)
    if isinstance(found, Fault) or (found.origin, found.size, found.root) != (
        log.verdict.origin, log.verdict.size, log.verdict.root,
    ):  # fmt: skip
        raise Stop(OWN_FAULT, "Nothing was signed: what was judged does not read again.", "Please report this.")
    advance(evidence, verdict, tools)
    _remembered(path, log)
    signed = cosigning.make(
        data, signer.name, signer.pub, lambda message: sign25519.sign(signer.seed, message), tools.clock() // 1000
    )
    write(out, signed, "the signed state", replace=False)
    count = plain.count(log.verdict.size, "entry", "entries")
    tools.say.out(f"{out}: log {plain.short(log.verdict.origin)} with {count}, signed as {signer.name}")
    return INTACT


def _text(path: Path) -> str:
    return read(path, "a secret key", MAX_KEY).decode("utf-8", "replace").strip()


def _chosen(verdict: VaultVerdict, wanted: str | None) -> LogReport:
    """By the first digits of its name, else the one that is being written (which is the last)."""
    if not verdict.logs:
        raise Stop(UNDECIDED, "Nothing was signed: there is no log here.", "The points above say what is missing.")
    if wanted is None:
        return verdict.logs[-1]
    name = one_origin([log.verdict.origin for log in verdict.logs], wanted)
    return next(log for log in verdict.logs if log.verdict.origin == name)


def _remembered(path: Path, log: LogReport) -> None:
    """Look again: what is signed must be what the file remembers as the newest."""
    found = state_from(path)
    heads = found.logs.get(log.verdict.origin, ()) if found is not None else ()
    if not heads or (heads[-1].size, heads[-1].root) != (log.verdict.size, log.verdict.root):
        raise Stop(OWN_FAULT, "Nothing was signed: the state file does not hold this state.", "Please report this.")
