"""The report's tables about logs: their states, seals and outside states; what their entries tell, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import markup, plain
from .markup import Node, el

MAX_ROWS = 40  # of one table on the page
NO_BACKUPS = "none was set up, or none has ever got through to the log"

Rows = list[tuple[dict[str, Any], dict[str, Any]]]


def when(found: dict[str, Any] | None) -> str:
    return plain.when(None if found is None else found["ms"])


def counted(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [log for log in found["logs"]["list"] if log["listed"] is not False]


def unproven(found: dict[str, Any]) -> bool:
    return any(not log["proven"] for log in counted(found))


def logs(found: dict[str, Any]) -> Node:
    """All logs in one table, then each by itself."""
    rows = [
        (
            el("code", plain.short(log["origin"])),
            plain.number(log["size"]),
            _state(log),
            _reach(log["sealed"], log["size"]),
            _reach(log["anchored"], log["size"]),
        )
        for log in found["logs"]["list"]
    ]
    if not rows:
        return el("section", el("h2", "Logs"), el("p", "No log was found.", class_="none"))
    heads = ("Log", "#Entries", "State", "Sealed", "Vouched for from outside")
    return el(
        "section",
        el("h2", "Logs"),
        el("p", "A sealed entry cannot be written anew even with today's keys; one vouched for from outside agrees "
           "with a copy that the laptop does not hold. Entries are numbered from 0."),
        markup.table("Logs of this vault, the present one last", heads, rows, left_out=found["logs"]["left_out"]),
        *(_one(log) for log in found["logs"]["list"]),
    )  # fmt: skip


def _state(log: dict[str, Any]) -> str:
    if log["listed"] is False:
        return "not listed by the vault: counts nowhere"
    if not log["proven"]:
        return f"not proven; {plain.number(log['found'])} found"
    return "as signed, in use" if log["current"] else "as signed"


def _reach(covered: int, size: int) -> str:
    if covered <= 0:
        return "nothing"
    return "all" if covered >= size else f"up to entry {plain.number(covered - 1)}"


def _one(log: dict[str, Any]) -> Node:
    period = log["period"]
    follows = log["follows"]
    facts: list[tuple[str, str | None]] = [
        ("Name in full", el("code", f"notevault/{log['origin']}")),
        ("First and last entry", f"{when(period['first'])} – {when(period['last'])}" if period["first"] else "–"),
        ("Root, hexadecimal", el("code", log["root"]["hex"] or "–")),
        ("Root, base64", el("code", log["root"]["b64"] or "–")),
        ("Epoch (signing key)", plain.number(log["epoch"])),
        ("Clinicians' keys seen", plain.number(log["users"])),
    ]
    if follows:
        size = plain.count(follows["size"], "entry", "entries")
        facts.append(("Follows", f"log {plain.short(follows['origin'])} at {size}"))
    if log["entered_later"]:
        facts.append(("Entered later", f"{plain.count(log['entered_later'], 'entry', 'entries')} tell of earlier acts"))
    if log["gaps"]["list"]:
        facts.append(("Gaps", _gaps(log["gaps"])))
    if log["disclosed"]["list"]:
        facts.append(("Of the disclosed client", _numbers(log["disclosed"])))
    return el(
        "section",
        el("h3", "Log ", el("code", plain.short(log["origin"]))),
        markup.facts(facts),
        _seals(log),
        _anchors(log),
    )


def _gaps(gaps: dict[str, Any]) -> str:
    shown = [f"{plain.number(one['first'])} to {plain.number(one['last'])}" for one in gaps["list"][:10]]
    rest = len(gaps["list"]) - len(shown) + gaps["left_out"]
    return f"entries {', '.join(shown)}" + (f" and {plain.number(rest)} more" if rest else "")


def _numbers(found: dict[str, Any]) -> str:
    shown = [plain.number(index) for index in found["list"][:100]]
    rest = len(found["list"]) - len(shown) + found["left_out"]
    total = len(found["list"]) + found["left_out"]
    more = f" and {plain.number(rest)} more" if rest else ""
    return f"{plain.count(total, 'entry', 'entries')}: {'; '.join(shown)}{more}"


def _seals(log: dict[str, Any]) -> Node:
    seals = log["seals"]
    if not seals["total"]:
        return el("p", "No stretch of this log is closed, so it has no seals.", class_="none")
    shown = seals["list"][-MAX_ROWS:]
    rows = []
    for run in shown:
        first, last = run["first"], run["last"]
        one = run["n"] == 1
        rows.append(
            (
                plain.number(first["epoch"])
                if one
                else f"{plain.number(first['epoch'])} – {plain.number(last['epoch'])}",
                plain.SEALS.get(run["state"], run["state"]),
                plain.number(last["size"]),
                when(last["closed"]) if one else f"{when(first['closed'])} – {when(last['closed'])}",
            )
        )
    left_out = seals["total"] - sum(run["n"] for run in shown)
    heads = ("Seal", "State", "#Entries under it", "Closed")
    return markup.table(f"Seals: {plain.number(seals['total'])}", heads, rows, left_out=left_out)


def _anchors(log: dict[str, Any]) -> Node:
    anchors = log["anchors"]
    if not anchors["total"]:
        return el("p", "No other state of this log was given or found.", class_="none")
    shown = anchors["list"][:MAX_ROWS]
    left_out = len(anchors["list"]) - len(shown) + anchors["left_out"]
    rows = [
        (
            one["source"][:1].upper() + one["source"][1:],
            plain.ANCHORS.get(one["state"], one["state"]) + _whence(one),
            plain.number(one["size"]),
            when(one["seen"]),
            el("code", one["root"]["hex"][:16]),
        )
        for one in shown
    ]
    heads = ("Seen in", "State", "#Entries", "When", "Root begins")
    return markup.table(f"Other states of this log: {plain.number(anchors['total'])}", heads, rows, left_out=left_out)


def _whence(anchor: dict[str, Any]) -> str:
    if anchor["own"]:
        return "; vouches for nothing to others"
    return "" if anchor["outside"] else "; it lay in this folder"


def events(found: dict[str, Any]) -> Node:
    """Counts by event and outcome, and by purpose, over all logs that count."""
    table: dict[str, dict[str, int]] = {}
    purposes: dict[str, int] = {}
    for log in counted(found):
        for one in log["by_event_and_outcome"]:
            row = table.setdefault(one["event"], {})
            row[one["outcome"]] = row.get(one["outcome"], 0) + one["n"]
        for purpose, n in log["by_purpose"].items():
            purposes[purpose] = purposes.get(purpose, 0) + n
    if not table:
        return el("section", el("h2", "What the entries tell"), el("p", "There are no entries.", class_="none"))
    outcomes = [name for name in plain.OUTCOMES if any(name in row for row in table.values())]
    outcomes += sorted({name for row in table.values() for name in row} - set(outcomes))
    known = list(plain.EVENTS)
    order = sorted(table, key=lambda event: (known.index(event) if event in known else len(known), event))
    rows = [
        (
            plain.word(plain.EVENTS, event),
            *(plain.number(table[event][name]) if table[event].get(name) else "" for name in outcomes),
            plain.number(sum(table[event].values())),
        )
        for event in order
    ]
    totals = [sum(row.get(name, 0) for row in table.values()) for name in outcomes]
    rows.append(("All", *(plain.number(n) for n in totals), plain.number(sum(totals))))
    heads = ("Event", *(f"#{plain.word(plain.OUTCOMES, name)}" for name in outcomes), "#all")
    by_purpose = sorted(purposes.items(), key=lambda row: (-row[1], row[0]))
    return el(
        "section",
        el("h2", "What the entries tell"),
        el("p", "Not all of these entries are proven: counted is what was found.") if unproven(found) else None,
        markup.table("Entries by event and outcome", heads, rows, kind="sums"),
        markup.table(
            "Entries by purpose of use",
            ("Purpose", "#Entries"),
            [(plain.word(plain.PURPOSES, purpose), plain.number(n)) for purpose, n in by_purpose],
            kind="narrow",
        ),
    )


def unlocks(found: dict[str, Any]) -> Node:
    """Failed unlocks and clock jumps, the newest last."""
    fails, jumps = _gather(found, "failed_unlocks"), _gather(found, "clock_jumps")
    reasons: dict[str, int] = {}
    for _, one in fails[0]:
        reasons[one["why"]] = reasons.get(one["why"], 0) + one["n"]
    told = [f"{plain.word(plain.FAILS, why)}: {plain.number(n)}" for why, n in sorted(reasons.items())]
    cut = f", of {plain.number(fails[2])} in all" if sum(reasons.values()) < fails[2] else ""
    return el(
        "section",
        el("h2", "Failed unlocks and clock"),
        el("p", f"By reason{cut}: {'; '.join(told)}.") if told else None,
        _list(
            found, fails, "Failed unlocks", "No failed unlock is logged.", ("When", "Why", "#Number", "#Entry"),
            lambda one: (
                when(one["happened"]), plain.word(plain.FAILS, one["why"]), plain.number(one["n"]),
                plain.number(one["entry"]),
            ),
        ),
        _list(
            found, jumps, "Clock jumps", "The log tells of no clock jump.", ("Logged", "The clock was moved", "#Entry"),
            lambda one: (
                when(one["logged"]), f"{one['to']} by {plain.lasting(one['ms'])}", plain.number(one["entry"]),
            ),
        ),
    )  # fmt: skip


def backups(found: dict[str, Any]) -> Node:
    """Days at whose end something was in no backup."""
    silent = [log for log in counted(found) if not log["days_without_backup"]["told"]]
    if silent and len(silent) == len(counted(found)):
        told = f"{'This log tells' if len(silent) == 1 else 'These logs tell'} of no backup"
        return el("section", el("h2", "Days without backup"), el("p", f"{told} ({NO_BACKUPS}).", class_="none"))
    days = sum(log["days_without_backup"]["days"] for log in counted(found))
    told = f"On {plain.count(days, 'day')} something written had reached no backup by midnight (UTC), by the log."
    return el(
        "section",
        el("h2", "Days without backup"),
        el("p", told) if days else None,
        _list(
            found,
            _gather(found, "days_without_backup"),
            "Spans of days before a backup",
            "By the log, nothing written was left waiting for a backup over midnight (UTC).",
            ("Days", "#How many"),
            lambda one: (one["words"], plain.number(one["days"])),
            kind="dates narrow",
        ),
    )


def _gather(found: dict[str, Any], name: str) -> tuple[Rows, int, int]:
    """Rows with their logs; how many are cut; the total."""
    rows = [(log, one) for log in counted(found) for one in log[name]["list"]]
    left_out = sum(log[name]["left_out"] for log in counted(found))
    total = sum(log[name].get("total", len(log[name]["list"]) + log[name]["left_out"]) for log in counted(found))
    return rows, left_out, total


def _list(
    found: dict[str, Any],
    gathered: tuple[Rows, int, int],
    caption: str,
    none: str,
    heads: Iterable[str],
    cells: Callable[[dict[str, Any]], tuple[str | None, ...]],
    kind: str = "dates",
) -> Node:
    rows, left_out, total = gathered
    if not counted(found):
        return el("p", f"{caption}: there is no log to tell.", class_="none")
    if not rows and not total:
        return el("p", f"{none} Not all of its entries are proven." if unproven(found) else none, class_="none")
    shown = rows[-MAX_ROWS:]
    many = len(counted(found)) > 1
    return markup.table(
        f"{caption}: {plain.number(total)}",
        (*heads, *(("Log",) if many else ())),
        [(*cells(one), *((el("code", plain.short(log["origin"])),) if many else ())) for log, one in shown],
        left_out=len(rows) - len(shown) + left_out,
        kind=kind,
    )
