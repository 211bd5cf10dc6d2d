"""The auditor's report as one page for people: no scripts, nothing fetched, made to be printed, signed and filed.

It is made from the JSON report, so that both tell the same; lists are cut here once more, since a page is to be read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from . import html_logs, look, markup, plain, words
from .chart import chart
from .markup import Node, el
from .outcome import VaultVerdict
from .report import Report, dump, report

MAX_FINDINGS = 200

CSP = "default-src 'none'; style-src 'unsafe-inline'"


def page(verdict: VaultVerdict, *, version: str) -> bytes:
    """UTF-8; well-formed XML but for its first line, so that it can be checked and read by programs too."""
    return render(report(verdict, version=version))


def render(found: Report) -> bytes:
    """The page of a report that `report` made."""
    title = f"Audit log report: {found['title']}"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=CSP),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", title),
        markup.style(look.CSS),
    )
    sections: list[Callable[[Report], Node | None]] = [
        _top, _verdict, _findings, _scope, _activity, html_logs.logs, html_logs.events, html_logs.unlocks,
        html_logs.backups, _files, _meaning, _signature,
    ]  # fmt: skip
    body = el("body", el("main", *(section(found) for section in sections)))
    return f"<!DOCTYPE html>\n{el('html', head, body, lang='en')}\n".encode()


def _top(found: Report) -> Node:
    logs = found["logs"]["list"]
    many = len(logs) + found["logs"]["left_out"]
    return el(
        "header",
        el("h1", "Audit log report"),
        el(
            "p", "A check of a notevault vault by its log, without its keys and without any client's name", class_="sub"
        ),
        el("p", el("strong", words.OWN)) if found["own"] else None,
        markup.facts(
            [
                ("Vault", el("code", found["vault"]) if found["vault"] else "not known"),
                ("Fingerprint of the card", _card(found)),
                ("Checked", html_logs.when(found["checked"])),
                ("With", f"{found['program']['name']} {found['program']['version']}; exit code {found['exit_code']}"),
                ("Entries from", f"{found['activity']['period']}, in {plain.count(many, 'log')}" if many else "no log"),
            ]
        ),
    )


def _card(found: Report) -> str | None:
    if not found["card_fingerprint"]:
        return "no card was used"
    return el("code", plain.fingerprint(found["card_fingerprint"]))


def _verdict(found: Report) -> Node:
    kind = found["verdict"]
    sentence = found["sentence"]
    return el(
        "section",
        look.icon(kind),
        el(
            "div",
            el("h2", found["title"], id="verdict"),
            el("p", sentence[:1].upper() + sentence[1:]),
        ),
        class_=f"verdict {kind}",
        aria_labelledby="verdict",
    )


def _findings(found: Report) -> Node:
    rows = found["findings"]["list"]
    if not rows:
        nothing = "There are none" if found["checked_points"] else "There are none, but then nothing could be checked"
        return el("section", el("h2", "Findings"), el("p", f"{nothing}. What was not checked is named below."))
    shown = rows[:MAX_FINDINGS]
    left_out = len(rows) - len(shown) + found["findings"]["left_out"]
    by_weight = found["findings_by_weight"]
    told = [f"{word}: {plain.number(by_weight[name])}" for name, word in _WEIGHTS.items() if by_weight[name]]
    return el(
        "section",
        el("h2", "Findings"),
        markup.table(
            "; ".join(told),
            ("What it means", "Finding", "Entries"),
            [(plain.WEIGHTS[one["weight"]], one["sentence"], _place(one)) for one in shown],
            left_out=left_out,
            kind="findings",
        ),
    )


_WEIGHTS = {
    "tampered": "proof of a change",
    "undecided": "cannot be decided",
    "note": "worth knowing, nothing wrong",
}


def _place(one: dict[str, Any]) -> str:
    if one["first"] < 0:
        return "–"
    if one["last"] <= one["first"]:
        return plain.number(one["first"])
    return f"{plain.number(one['first'])} – {plain.number(one['last'])}"


def _scope(found: Report) -> Node:
    return el(
        "section",
        el("h2", "What was checked, and what was not"),
        el("h3", "Checked"),
        _sentences(found["checked_points"]),
        el("h3", "Not checked, or not vouched for"),
        _sentences(found["not_checked"]),
    )


def _sentences(lines: Sequence[str]) -> Node:
    if not lines:
        return el("p", "Nothing.")
    return markup.bullets([f"{line[:1].upper()}{line[1:]}." for line in lines])


def _activity(found: Report) -> Node:
    bars = found["activity"]["bars"]
    if not bars:
        return el("section", el("h2", "Activity"), el("p", "There are no entries to show.", class_="none"))
    size = found["activity"]["days_a_bar"]
    unit = {1: "One bar for each day", 7: "One bar for each week, from Monday"}.get(size, f"One bar for {size} days")
    note = " Counted are the entries found; not all are proven." if html_logs.unproven(found) else ""
    return el(
        "section",
        el("h2", "Activity by day and by kind"),
        el(
            "figure",
            chart(bars, size),
            el("figcaption", f"{unit}, in UTC by the laptop's clock; height: log entries.{note}"),
        ),
    )


def _files(found: Report) -> Node:
    notes, keys = found["notes"], found["key_files"]
    if found["log_only"]:
        looked: Node = el("p", "The notes' files were not checked: only the log was asked for.")
    elif not notes["looked"]:
        looked = el("p", "The notes' files were not checked: the folder has none, or they were not looked at.")
    else:
        looked = markup.table(
            "Notes' files against the log",
            ("State", "#Files"),
            [(said, plain.number(notes[name])) for name, said in _NOTES if notes[name] or name in ("live", "sound")],
            kind="narrow",
        )
    return el(
        "section",
        el("h2", "Files of the vault"),
        el("div", looked, class_="keep"),
        el("div", _key_files(keys), class_="keep"),
        el("p", f"Read of the notes' files: {plain.count(notes['bytes'], 'byte')}.") if notes["bytes"] else None,
    )


def _key_files(keys: dict[str, Any]) -> Node:
    if not keys["looked"]:
        return el("p", "The key files were not checked: none are here, or no log names one.")
    return markup.table(
        "Key files that the log names",
        ("State", "#Files"),
        [(said, plain.number(keys[name])) for name, said in _KEYS if keys[name] or name in ("named", "sound")],
        kind="narrow",
    )


_NOTES = (
    ("live", "that should be there, by the log"),
    ("sound", "there, and as logged"),
    ("missing", "missing"),
    ("changed", "changed"),
    ("unreadable", "that could not be read"),
    ("unlogged", "that no log knows"),
    ("purged", "destroyed for good, by the log"),
    ("lingering", "destroyed for good, and still there"),
)
_KEYS = (
    ("named", "named"),
    ("sound", "there, and as logged"),
    ("missing", "missing"),
    ("changed", "changed"),
    ("retired", "older ones, removed since"),
)


def _meaning(found: Report) -> Node:
    return el(
        "section",
        el("h2", "What this result means, and what it cannot tell"),
        el("p", el("strong", f"{found['title']}. "), " ".join(found["meaning"])),
        el("h3", "It cannot tell"),
        markup.bullets(found["what_it_cannot_tell"]),
    )


def _signature(found: Report) -> Node | None:
    """It names what is signed, so that it cannot be put under another report. The owner's own report has none."""
    if found["own"]:
        return None
    card = found["card_fingerprint"]
    return el(
        "section",
        el("h2", "Auditor"),
        el("p", "I made this check myself, ", "with the card of this fingerprint." if card else "without a card."),
        markup.facts(
            [
                ("Result", found["title"]),
                ("Vault", el("code", found["vault"]) if found["vault"] else "not known"),
                ("Fingerprint of the card", _card(found)),
                ("Checked", html_logs.when(found["checked"])),
                ("This report as JSON, SHA-256", el("code", hashlib.sha256(dump(found)).hexdigest())),
            ]
        ),
        el("div", el("div", "Name"), el("div", "Place and date"), el("div", "Signature", class_="wide"), class_="sign"),
        class_="keep",
    )
