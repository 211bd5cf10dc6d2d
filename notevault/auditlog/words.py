"""A verdict in words: one honest headline, what was checked, what was not, and what no check of a log can tell.

Nothing unchecked reads as a pass: `outcome` takes back an "intact" for which something is missing, whatever the exit
code says, and every headline of an intact log names what it does not cover.
"""

from __future__ import annotations

from . import reach, totals
from .outcome import LogReport, VaultVerdict
from .plain import DAY_MS, count, days, fingerprint, last, number, short, text
from .reach import counted as counted  # for those who ask with it
from .verdict import Finding, Weight

INTACT, TAMPERED, UNDECIDED = "intact", "tampered", "undecided"
TITLES = {INTACT: "INTACT", TAMPERED: "TAMPERED", UNDECIDED: "CANNOT DECIDE"}
EXIT_CODES = {INTACT: 0, TAMPERED: 1, UNDECIDED: 2}

MAX_LINES = 25  # of the summary: one screen
_MAX_PROOFS, _MAX_OPEN, _MAX_NOTES = 6, 3, 3  # leaves five lines each for what was checked and what was not

MEANS = {
    INTACT: (
        "Every entry is one that was signed for this log. None was changed, reordered, or taken out from between since "
        "it was sealed, or since it was seen outside of the vault.",
        "It is no statement about the entries and notes that are named above as not checked or not vouched for.",
    ),
    TAMPERED: (
        "The files contradict a signature, each other, or what was seen of them earlier. That proves a change after "
        "the fact; a mishap such as a failing disk can also be its cause, and who made it is not told by the files.",
        "What this report counts is what was found. Do not rely on it for the entries that the findings name.",
        "Keep this report, the folder as you received it, and your own file of earlier visits; ask for a backup made "
        "before the change.",
    ),
    UNDECIDED: (
        "This is not a pass. Something needed for the judgement was not there, or could not be read.",
        "No change was proven either. See which part is missing, obtain it, and check again.",
    ),
}

CANNOT_TELL = (
    "What was never logged. Acts done without the program, on paper or in other software, are in no log.",
    "About whom an entry is. Entries carry no name, and their details are sealed; a disclosure finds those of one "
    "client and year.",
    "Who sat at the keyboard. Entries name the key that was used, not the person.",
    "Whether the times are right. They are those of the laptop's clock; where that clock was moved, the log says so.",
    "Whether what a note says is true. A sound file is the one that was logged, no more.",
    "What was copied away by a program on an unlocked laptop, or photographed from its screen.",
    "Whether an owner who holds the current keys left out new events, or wrote anew the entries that are neither "
    "sealed nor vouched for from outside.",
)
FIRST_VISIT = (
    "Whether the log was cut, rolled back or replaced before this first visit: nothing seen of it earlier was given. "
    "Keep this visit's state for the next one."
)
OWN = (
    "Made by the vault's owner on her own laptop: it is no auditor's report, and what this laptop remembers vouches "
    "for nothing to anybody else."
)


def doubts(verdict: VaultVerdict) -> list[str]:
    """What forbids to call the vault intact, apart from its findings."""
    found = [f"the entries of log {short(log.verdict.origin)} were not proven" for log in _unproven(verdict)]
    if not counted(verdict):
        found.append("no log was found")
    blobs, headers = verdict.blobs, verdict.headers
    if not verdict.log_only:
        if not blobs.looked and _any_live(counted(verdict)):
            found.append("the notes' files were not looked at")
        if blobs.missing or blobs.changed or blobs.unreadable:
            found.append("not every note's file was found sound")
    if headers.missing or headers.changed:
        found.append("not every key file was found sound")
    if any(log.verdict.exit_code for log in counted(verdict) if log.verdict.proven):
        found.append("a log by itself does not pass")
    if any(seal.state not in ("holds", "unchecked") for log in counted(verdict) for seal in log.seals):
        found.append("a seal does not hold")
    if any(anchor.state in ("contradicts", "beyond") for log in counted(verdict) for anchor in log.anchors):
        found.append("the log is not as it was seen earlier")
    return found


def _any_live(logs: list[LogReport]) -> bool:
    """Is there a note's file that any log wrote and none destroyed?"""
    for first in range(256):
        gone = {digest for log in logs for digest in log.verdict.purged.part(first)}
        if any(digest not in gone for log in logs for digest in log.verdict.written.part(first)):
            return True
    return False


def outcome(verdict: VaultVerdict) -> str:
    """`intact`, `tampered` or `undecided`: the exit code, unless an "intact" is not warranted by what was checked."""
    code = verdict.exit_code
    if code == 0 and doubts(verdict):
        return UNDECIDED
    return {0: INTACT, 1: TAMPERED}.get(code, UNDECIDED)


def headline(verdict: VaultVerdict) -> str:
    """One sentence. It begins with `INTACT`, `TAMPERED` or `CANNOT DECIDE`."""
    return f"{title(verdict)}: {sentence(verdict)}"


def title(verdict: VaultVerdict) -> str:
    """`INTACT (first visit)`, `TAMPERED`: an intact one never without its largest reservations."""
    kind = outcome(verdict)
    but = [("first visit", verdict.first_visit), ("the log alone", verdict.log_only)]
    reservations = ", ".join(word for word, applies in but if applies and kind == INTACT)
    return TITLES[kind] + (f" ({reservations})" if reservations else "")


def sentence(verdict: VaultVerdict) -> str:
    """The headline after its first words."""
    kind = outcome(verdict)
    if kind == INTACT:
        return _intact(verdict)
    alone = " The log alone was looked at, not the notes' files." if verdict.log_only else ""
    if kind == TAMPERED:
        proofs, found = verdict.of(Weight.TAMPERED), totals.by_weight(verdict)
        n, rest = found[Weight.TAMPERED.value] - 1, found[Weight.UNDECIDED.value]
        more = (
            f", and {number(n)} more {'finding that proves' if n == 1 else 'findings that prove'} a change" if n else ""
        )
        also = f"; besides, {count(rest, 'point')} could not be decided" if rest else ""
        return f"{_first(proofs)}{more}{also}.{alone}"
    reasons = [text(finding.sentence, 300) for finding in verdict.of(Weight.UNDECIDED)] or doubts(verdict)
    n = max(len(reasons), totals.by_weight(verdict)[Weight.UNDECIDED.value]) - 1
    more = f", and {count(n, 'more point')}" if n else ""
    return f"{reasons[0].rstrip('.')}{more}. This is not a pass; a change was not proven either.{alone}"


def _first(findings: list[Finding]) -> str:
    return text(findings[0].sentence, 300).rstrip(".") if findings else "the files contradict what was signed"


def _intact(verdict: VaultVerdict) -> str:
    """What it covers, then what it does not: both in the one sentence."""
    logs = counted(verdict)
    size = sum(log.verdict.size for log in logs)
    what = {1: "the log", 2: "both logs"}.get(len(logs), f"all {number(len(logs))} logs")
    covers = f"{what} of {count(size, 'entry', 'entries')} {'is' if len(logs) == 1 else 'are'} as signed"
    if verdict.log_only:
        covers += "; the notes' files were not looked at"
    elif verdict.blobs.looked:
        sound = verdict.blobs.sound
        covers += f", and {count(sound, 'file')} of notes {'is' if sound == 1 else 'are'} as logged"
    else:
        covers += "; by the log there are no notes whose files could be checked"
    unlogged = _unlogged(verdict.blobs.unlogged) if verdict.blobs.unlogged else ""
    parts = [covers, reach.remembered(logs), reach.vouched(logs), reach.sealed(logs), unlogged, reach.before(verdict)]
    return "; ".join(filter(None, parts)) + "."


def _unlogged(n: int) -> str:
    return f"{count(n, 'file')} that no log names; {'it counts' if n == 1 else 'they count'} nowhere"


def _unproven(verdict: VaultVerdict) -> list[LogReport]:
    return [log for log in counted(verdict) if not log.verdict.proven]


def checked(verdict: VaultVerdict) -> list[str]:
    """What was looked at and held, a line each. Never more than was done."""
    lines = []
    if verdict.fingerprint:
        whose = "as it lies in this vault" if verdict.own else "compare it with yours"
        lines.append(f"the card used has the fingerprint {fingerprint(verdict.fingerprint)}; {whose}")
    proven = [log for log in counted(verdict) if log.verdict.proven]
    if proven:
        known = verdict.fingerprint or outcome(verdict) == INTACT  # the second: by the vault's identity or a state file
        size = sum(log.verdict.size for log in proven)
        what = f"{count(size, 'entry', 'entries')} in {count(len(proven), 'log')}, {period(proven)}"
        lines.append(f"{what}: as signed{'' if known else ', though not known by whom'}")
        far = [reach.remembered(proven), reach.vouched(proven), reach.sealed(proven)]
        lines += [*(f"entries: {one}" for one in far if one), *_agreeing(proven)]
    headers = verdict.headers
    basis = "" if proven and not _unproven(verdict) else ", by entries that are not proven"
    if headers.seq and headers.named:
        named = f"{number(headers.sound)} of {number(headers.named)}"
        lines.append(f"key files: {named} that the log names {_is(headers.sound)} there and sound{basis}")
    blobs = verdict.blobs
    if blobs.looked and not verdict.log_only:
        sound = f"{number(blobs.sound)} of {number(blobs.live)} {_is(blobs.sound)}"
        lines.append(f"notes' files: {sound} there and as logged{basis}")
    return lines


def _is(n: int) -> str:
    return "is" if n == 1 else "are"


def _agreeing(logs: list[LogReport]) -> list[str]:
    """What agrees with a log beyond what is vouched for, and lies in the same folder: no word from outside."""
    lines = []
    for log in logs:
        inside = [one.seen for one in log.anchors if one.state == "agrees" and not (one.seen.outside or one.seen.own)]
        longest = max(inside, key=lambda one: one.size, default=None)
        if longest is not None and longest.size > log.anchored:
            lines.append(
                f"log {short(log.verdict.origin)}: up to entry {number(longest.size - 1)} it agrees with"
                f" {text(longest.source, 80)}; that lies in this same folder and is no word from outside"
            )
    return lines


def not_checked(verdict: VaultVerdict) -> list[str]:
    """What nobody may take for checked, a line each."""
    lines = []
    if not verdict.fingerprint:
        lines.append("the card: none was given, or none could be used")
    lines.append(reach.unknown_before(verdict))
    if not verdict.headers.named and any(log.verdict.headers for log in counted(verdict)):
        lines.append("the key files: none are here, so which logs the vault has is not known")
    if verdict.log_only:
        lines.append("the notes' files: only the log was asked for")
    elif not verdict.blobs.looked:
        lines.append("the notes' files: the folder has none, or they were not looked at")
    elif verdict.blobs.unreadable:
        lines.append(f"{count(verdict.blobs.unreadable, 'file')} of notes that could not be read")
    if verdict.blobs.unlogged and not verdict.log_only:
        lines.append(f"{_unlogged(verdict.blobs.unlogged)}")
    for log in verdict.logs:
        lines += _not_checked_of(log)
    if verdict.headers.retired:
        lines.append(f"{count(verdict.headers.retired, 'older key file')}, removed since, as is allowed")
    return lines


def _not_checked_of(log: LogReport) -> list[str]:
    name, lines = short(log.verdict.origin), []
    if log.listed is False:
        return [f"log {name}: the vault's key file does not list it, so it counts nowhere"]
    if not log.verdict.proven:
        return [f"log {name}: its entries are not proven to be those that were signed"]
    for tail, what in ((log.unanchored_tail, "vouched for from outside"), (log.unsealed_tail, "sealed yet")):
        if tail and tail >= log.verdict.size:
            lines.append(f"log {name}: no entry is {what}")
        elif tail:
            lines.append(f"log {name}: {last(tail, 'entry', 'entries')} {_is(tail)} not {what}")
    for states, many in ((log.seals, "seal"), (log.anchors, "state")):
        unchecked = sum(1 for one in states if one.state == "unchecked")
        if unchecked:
            lines.append(f"log {name}: {count(unchecked, many)} whose entries are not here")
    return lines


def period(logs: list[LogReport]) -> str:
    """First to last day of the entries, by the laptop's clock."""
    first = min((log.tally.first_ms for log in logs if log.tally.first_ms is not None), default=None)
    last = max((log.tally.last_ms for log in logs if log.tally.last_ms is not None), default=None)
    if first is None or last is None:
        return "no entries"
    return days(min(first, last) // DAY_MS, max(first, last) // DAY_MS)


def cannot_tell(verdict: VaultVerdict) -> list[str]:
    """What no result of this check can tell."""
    return [FIRST_VISIT if verdict.first_visit else reach.cannot_tell(verdict), *CANNOT_TELL]


def summary(verdict: VaultVerdict, more: str = "") -> list[str]:
    """For the terminal, at most 25 lines: headline, findings with their places, what was checked, what was not.

    `more`: where all of a list that is cut here can be read ("see the report"), if anywhere.
    """
    rest = f": {more}" if more else ""
    lines = [headline(verdict)]
    if outcome(verdict) == UNDECIDED and not verdict.of(Weight.UNDECIDED):
        lines += _cut([f"  open     {text(doubt, 160)}" for doubt in doubts(verdict)], _MAX_OPEN, rest)
    for word, weight, limit in (
        ("proof", Weight.TAMPERED, _MAX_PROOFS),
        ("open ", Weight.UNDECIDED, _MAX_OPEN),
        ("note ", Weight.NOTE, _MAX_NOTES),
    ):
        found = sorted(verdict.of(weight), key=lambda one: one.code != "FIRST_VISIT")  # which is never cut away
        lines += _cut([f"  {word}    {text(one.sentence, 160)}" for one in found], limit, rest)
    room = (MAX_LINES - len(lines) - 2) // 2
    for title, points in (("Checked", checked(verdict)), ("Not checked", not_checked(verdict))):
        lines.append(f"{title}:" if points else f"{title}: nothing")
        lines += _cut([f"  {text(point, 160)}" for point in points], room, rest)
    return lines


def _cut(lines: list[str], limit: int, rest: str) -> list[str]:
    if len(lines) <= limit:
        return lines
    return [*lines[: limit - 1], f"  and {number(len(lines) - limit + 1)} more{rest}"]
