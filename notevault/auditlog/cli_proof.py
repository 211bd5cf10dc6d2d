"""`nvaudit proof`, `check-proof` and `export`: one entry, or a whole log, in the forms that other tools read."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from . import card, entry, plain, proof, tiles
from .cli_evidence import card_from
from .cli_files import absent, inside, may_write, read, write
from .cli_line import line_of
from .cli_stop import CANNOT_WRITE, INTACT, NO_INPUT, TAMPERED, UNDECIDED, USAGE, Stop
from .cli_tools import Tools, audited, opened, the_log
from .fault import Fault
from .folder import Read

_CODES = {"BAD_INDEX": USAGE, "EXISTS": CANNOT_WRITE, "UNWRITABLE": CANNOT_WRITE}  # others are of the log's bytes
_CHECK = "`nvaudit check` tells what is wrong with the log."


def make(given: argparse.Namespace, tools: Tools) -> int:
    """Writes a proof, after checking it as its receiver will."""
    found, out = opened(given.folder, tools.say), Path(given.out)
    may_write(out, "the proof", audited(found), replace=False)
    origin, reader = the_log(found, given.origin, tools.verify)
    text = proof.make(reader, given.entry)
    if isinstance(text, Fault):
        raise _stop(text)
    own = _own_card(reader, origin, tools)
    whole = proof.parse(text)
    held = whole if isinstance(whole, Fault) else proof.check(whole, own.identity_pub, tools.verify, origin)
    if isinstance(held, Fault):
        raise _stop(held)
    write(out, text.encode(), "the proof", replace=False)
    tools.say.out(f"{out}: entry {given.entry:,} of {held.size:,}, log {origin[:8]}")
    tools.say.out("Whoever holds the card checks it with: nvaudit check-proof FILE --card CARD")
    return INTACT


def check(given: argparse.Namespace, tools: Tools) -> int:
    """Exit 0 when the proof holds, 1 when it does not, 2 when it is of another log than the card."""
    found = proof.parse(read(Path(given.file), "a proof", proof.MAX_BYTES))
    if isinstance(found, Fault):
        raise Stop(UNDECIDED, f"{given.file} is not a whole proof: {found.sentence}.", "Ask for the file again.")
    pinned = card_from(given.card)
    if isinstance(pinned, str):
        raise Stop(
            USAGE,
            "A fingerprint is not enough here, for the keys are on the card.",
            "Name the card's file: `audit/<log>/card` in the folder, once you have compared its fingerprint.",
        )
    holder = card.parse(pinned)
    if isinstance(holder, Fault):
        raise Stop(USAGE, f"That is not a card: {holder.sentence}.", "Name the file that holds the card.")
    fault = card.check(holder, holder.vik_pub, tools.verify)
    if fault is not None:
        raise Stop(UNDECIDED, f"The card given does not hold: {fault.sentence}.", "Ask the therapist for it again.")
    held = proof.check(found, holder.identity_pub, tools.verify, holder.origin)
    if isinstance(held, Fault):
        if held.code == "WRONG_ORIGIN":
            raise Stop(UNDECIDED, "The proof is of another log than the card.", "Each log has a card of its own.")
        tools.say.out(f"DOES NOT HOLD: {held.sentence}.")
        return TAMPERED
    one = entry.parse(found.entry)
    if isinstance(one, Fault) or one.i != found.index:
        tools.say.out("DOES NOT HOLD: what stands at that place of the signed log is not an entry of that number.")
        return TAMPERED
    tools.say.out(f"HOLDS: this is entry {found.index:,} of the {held.size:,} that log {held.origin[:8]} had signed.")
    tools.say.out(line_of(one))
    tools.say.out("The card's fingerprint is " + card.spell_fingerprint(card.fingerprint(pinned)))
    tools.say.out("It shows that the entry was signed, not that the log was continued, nor that nothing else was done.")
    tools.say.out(f"Signatures by {tools.signatures_by}.")
    return INTACT


def export(given: argparse.Namespace, tools: Tools) -> int:
    """Writes a log as C2SP tiles into a new folder."""
    found, out = opened(given.folder, tools.say), Path(given.out)
    if not absent(out):
        raise Stop(CANNOT_WRITE, f"{out} is there already; an export replaces nothing.", "Name a new folder.")
    if not out.parent.is_dir():
        raise Stop(CANNOT_WRITE, f"There is no folder {out.parent} to put it in.", "Make it first, or name another.")
    if any(inside(out.parent, one) for one in audited(found)):
        raise Stop(CANNOT_WRITE, f"{out} would lie inside the folder that is checked.", "Name another place.")
    origin, reader = the_log(found, given.origin, tools.verify)
    key = _own_card(reader, origin, tools).identity_pub
    state = tiles.export(reader, out, key, tools.verify, partial(tools.say.progress, "log entries"))
    if isinstance(state, Fault):
        raise _stop(state)
    tools.say.out(f"{out}: {plain.count(state.size, 'entry', 'entries')} of log {origin} as C2SP tiles")
    return INTACT


def _own_card(reader: Read, origin: str, tools: Tools) -> card.Card:
    """The card in the folder, which must hold by itself; whether it is the right one is for whoever has the paper."""
    data = reader("card")
    if data is None:
        raise Stop(NO_INPUT, f"Log {origin[:8]} has no card.", "Was the folder copied whole?")
    found = card.parse(data) if isinstance(data, bytes) else data
    fault = found if isinstance(found, Fault) else card.check(found, found.vik_pub, tools.verify)
    if isinstance(found, Fault) or fault is not None:
        raise _stop(fault or Fault("", ""))
    return found


def _stop(fault: Fault) -> Stop:
    place = f" ({fault.where})" if fault.where else ""
    sentence = f"{fault.sentence[:1].upper()}{fault.sentence[1:]}{place}."
    code = _CODES.get(fault.code, UNDECIDED)  # what a fault proves is for `check` to say
    steps = {USAGE: "Entries count from 0.", CANNOT_WRITE: "Name another place, or make room."}
    return Stop(code, sentence, steps.get(code, _CHECK))
