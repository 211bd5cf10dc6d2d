"""Log entries in words: a table of all events, what is hidden with the names, repeats folded into one line, weeks."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog.events import EVENTS, OUTCOMES, PURPOSES
from notevault.domain import loglines, logsummary, logwords
from notevault.domain.loglines import days_of, folded
from notevault.domain.logsummary import nights_of, unusual, weeks_of
from notevault.domain.logwords import (
    ANOTHER_LAPTOP,
    EARLIER_LOG,
    WORDS,
    About,
    Fact,
    Who,
    act_words,
    object_words,
    remark_words,
    span_words,
)
from tests.fakes.simple import MORNING_MS
from tests.shell.test_words import NEVER, sentences

TODAY = date(2025, 11, 21)
ANNA = Who("Anna Berg", "C-014")
JON = Who("Jon Lind", "C-031")
MINUTE, DAY = 60_000, 86_400_000
TWELFTH = About(12, MORNING_MS - 4 * DAY, 60)


def fact(event: str, **more: Any) -> Fact:
    return Fact(**({"t": MORNING_MS, "offset": 60, "event": event} | more))


def of_note(event: str, **more: Any) -> Fact:
    about = {"kind": "note", "client": b"a", "record": b"n", "who": ANNA, "about": TWELFTH}
    return fact(event, **(about | more))


def said(one: Fact, *, hidden: bool = False) -> str:
    (line,) = folded([one])
    return line.words(TODAY, hidden=hidden)


TABLE: list[tuple[Fact, str]] = [
    (fact("vault.create", action="C"), "set up the vault"),
    (fact("vault.recover", k={"cites": {"size": 41}, "seq": 2}), "began a new log after the old one of 41 entries"),
    (fact("header.write", k={"why": "passphrase"}), "changed the passphrase"),
    (fact("header.write", k={"why": "pool"}), "made keys ready for new clients"),
    (fact("header.write", k={"why": "sheet"}), "wrote the recovery sheet anew"),
    (fact("header.write", k={"why": "sheet"}, outcome="fail"), "could not write the recovery sheet anew"),
    (fact("session.open", k={"how": "passphrase"}), "unlocked the vault"),
    (fact("session.open", k={"how": "sheet"}), "opened the vault with the recovery sheet"),
    (
        fact("session.open", k={"how": "passphrase", "at": MORNING_MS - DAY}, outcome="reported"),
        "unlocked the vault (entered later; it happened Thu 20 Nov 10:00)",
    ),
    (fact("session.fail", k={"n": 1, "why": "passphrase"}, outcome="fail"), "could not unlock: wrong passphrase"),
    (
        fact("session.fail", k={"n": 3, "why": "passphrase"}, outcome="fail"),
        "could not unlock: wrong passphrase, 3 times",
    ),
    (
        fact("session.fail", k={"n": 1, "why": "keyring"}, outcome="fail"),
        "could not unlock: the system's key store did not give the key",
    ),
    (fact("session.lock", k={"why": "key"}), "locked the vault"),
    (fact("session.lock", k={"why": "idle"}), "the vault locked itself: no key was pressed"),
    (fact("session.lock", k={"why": "exit"}), "locked the vault and left"),
    (fact("session.list"), "looked at lists of names"),
    (
        fact("remember.start", k={"until": MORNING_MS + 90 * MINUTE}),
        "let commands run without the passphrase until 11:30",
    ),
    (fact("remember.end", k={"why": "expiry"}), "the remembered passphrase ran out"),
    (of_note("record.write", action="C"), "wrote  Anna Berg C-014, session 12 of 17 Nov"),
    (of_note("record.write", kind="client", action="C"), "added the client  Anna Berg C-014"),
    (of_note("record.write", kind="client", action="U"), "changed the data of  Anna Berg C-014"),
    (of_note("record.write", purpose="import"), "brought in 1 note of Anna Berg C-014"),
    (of_note("record.write", outcome="fail"), "could not write  Anna Berg C-014, session 12 of 17 Nov"),
    (of_note("record.sign"), "signed  Anna Berg C-014, session 12 of 17 Nov"),
    (of_note("record.open"), "opened  Anna Berg C-014, session 12 of 17 Nov"),
    (of_note("record.open", kind="client"), "opened the page of  Anna Berg C-014"),
    (of_note("record.open", found=True), "saw in a search  Anna Berg C-014, session 12 of 17 Nov"),
    (of_note("record.open", who=None, about=None), "opened  a client this vault does not know, a note"),
    (
        of_note("record.open", elsewhere=ANOTHER_LAPTOP),
        "opened  Anna Berg C-014, session 12 of 17 Nov (on another laptop)",
    ),
    (fact("session.list", elsewhere=EARLIER_LOG), "looked at lists of names (in an earlier log)"),
    (fact("session.list", purpose="review"), "looked at the log"),
    (
        of_note("record.open", about=replace(TWELFTH, title="Intake", held_ms=MORNING_MS - 400 * DAY)),
        "opened  Anna Berg C-014, session 12 of 17 Oct 2024 \u201cIntake\u201d",
    ),
    (
        of_note("record.export", purpose="export"),
        "EXPORTED  Anna Berg C-014, session 12 of 17 Nov (for an export)",
    ),
    (of_note("record.print", outcome="refused"), "was not allowed to print  Anna Berg C-014, session 12 of 17 Nov"),
    (of_note("record.purge"), "destroyed for good  Anna Berg C-014, session 12 of 17 Nov"),
    (
        fact("search.run", words=("river", "caf\u00e9"), hits=3),
        "searched for \u201criver caf\u00e9\u201d: 3 notes found",
    ),
    (fact("search.run", words=("river",), hits=1), "searched for \u201criver\u201d: 1 note found"),
    (fact("sheet.confirm"), "showed that the recovery sheet is on paper"),
    (fact("settings.change"), "changed the settings"),
    (fact("import.run", k={"n": 214}), "finished an import of 214 records"),
    (fact("audit.review", k={"n": 1204, "since": 0}), "looked over the log: 1,204 entries"),
    (
        of_note("audit.disclose", kind="client"),
        "made a file that shows an auditor all acts about  Anna Berg C-014",
    ),
    (fact("verify.run", k={"bad": 0, "n": 12}), "checked the vault"),
    (fact("verify.run", k={"bad": 3, "n": 12}, outcome="fail"), "checked the vault: 3 things did not hold"),
    (fact("crash.settle", k={"blobs": 0, "bytes": 9, "headers": 0}), "put in order what an interrupted run had left"),
    (fact("clock.jump", k={"ms": 120 * MINUTE, "to": "back"}), "the computer's clock was set back by 2 h"),
    (fact("clock.jump", k={"ms": 40 * DAY, "to": "ahead"}), "the computer's clock was set ahead by 40 days"),
    (fact("rollback.confirm", k={"root": "", "seen": 9}), "went on with the vault as it was found"),
    (fact("epoch.close", k={"key": ""}), "the log changed its own key"),
    (fact("backup.run", k={"n": 20}), "backed up: 20 records"),
    (fact("backup.run", k={"n": 0}, outcome="fail"), "could not back up"),
    (fact("backup.verify", k={"n": 7}, outcome="part"), "checked the backup: 7 records, in part"),
    (fact("backup.restore", k={"n": 7}), "restored from a backup: 7 records"),
    (fact("backup.drill", k={"n": 7}), "made a practice restore: 7 records"),
    (fact("backup.run", k={"n": 0}, outcome="refused"), "did not back up, to be safe"),
    (fact("backup.run", k={"n": 1}), "backed up: 1 record"),
    (fact("backup.verify", k={"n": 7}, outcome="fail"), "checked the backup: something did not hold (7 records)"),
    (fact("backup.verify", k={"n": 0}, outcome="fail"), "could not check the backup"),
    (fact("backup.drill", k={"n": 1}, outcome="fail"), "made a practice restore: something did not hold (1 record)"),
    (
        fact("backup.heal", k={"n": 2}, outcome="part"),
        "mended damaged files in the vault or at a backup place: 2, in part",
    ),
    (
        fact("backup.heal", k={"n": 0}, outcome="fail"),
        "could not mend damaged files in the vault or at a backup place",
    ),
    (fact("backup.place", k={"n": 2, "to": "added"}), "named a backup place"),
    (fact("backup.place", k={"n": 1, "to": "removed"}), "took away a backup place"),
    (fact("client.shred", k={"step": "intent"}), "began to destroy a client for good"),
    (fact("client.shred", k={"step": "done"}), "destroyed a client for good"),
    (fact("device.fork"), "began a log of its own for this laptop"),
    (fact("verify.run", k={"bad": 0, "n": 1}, locked=True), "checked the vault (without the passphrase)"),
    (fact("verify.run", k={"bad": 0, "n": 1}, outcome="part"), "checked the vault, in part"),
    (fact("session.lock", k={"why": "idle"}, locked=True), "the vault locked itself: no key was pressed"),
]


@pytest.mark.parametrize(("one", "words"), TABLE, ids=lambda each: each if isinstance(each, str) else "")
def test_an_entry_in_words(one: Fact, words: str) -> None:
    assert said(one) == words


def test_every_event_has_words_of_its_own_and_is_in_the_table() -> None:
    assert set(WORDS) == set(EVENTS)
    assert {one.event for one, _ in TABLE} == set(EVENTS)


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_every_outcome_and_purpose_of_every_event_makes_a_sentence(event: str) -> None:
    values: dict[str, list[Any]] = {"why": [], "how": [], "to": [], "step": []}
    for name, pattern in EVENTS[event].k.items():
        values[name] = re.findall(r"[a-z-]+", pattern) if name in values else [0, 2**53 - 1]
    for outcome in OUTCOMES:
        for purpose in PURPOSES:
            for at in range(max([len(each) for each in values.values()] + [1])):
                k = {name: some[min(at, len(some) - 1)] for name, some in values.items() if some}
                k |= {"at": MORNING_MS} if outcome == "reported" else {}
                one = fact(event, outcome=outcome, purpose=purpose, k=k)
                for each in (one, replace(one, kind="note", client=b"a", record=b"n", who=ANNA, about=TWELFTH)):
                    words = said(each)
                    assert "version does not know" not in words
                    assert words
                    assert not NEVER.search(words)


def test_the_reasons_an_entry_can_give_all_have_their_own_words() -> None:
    for event, name, table in (
        ("session.fail", "why", logwords._FAILED),
        ("session.lock", "why", logwords._LOCKED),
        ("session.open", "how", logwords._HOW),
        ("remember.end", "why", logwords._FORGOT),
        ("header.write", "why", logwords._KEYS),
    ):
        assert set(table) == set(re.findall(r"[a-z-]+", EVENTS[event].k[name]))


@pytest.mark.parametrize("module", [logwords, loglines, logsummary], ids=lambda module: module.__name__)
def test_no_sentence_about_the_log_uses_a_word_of_the_format(module: Any) -> None:
    source = Path(module.__file__).read_text("utf-8")
    assert [text for _, text in sentences(source) if NEVER.search(text)] == []


def test_hidden_names_hide_titles_and_search_words_too() -> None:
    titled = of_note("record.open", about=replace(TWELFTH, title="Anna's intake"))
    assert said(titled, hidden=True) == "opened  C-014, session 12 of 17 Nov"
    searched = fact("search.run", words=("anna",), hits=2)
    assert said(searched, hidden=True) == "searched: 2 notes found"
    imported = of_note("record.write", purpose="import")
    assert "Anna" not in said(imported, hidden=True)
    bad = of_note("record.open", fault="Log entry 3 claims to be made with this vault open, but was not.")
    assert "Anna" not in said(bad, hidden=True)


def test_the_same_act_on_the_same_note_is_one_line_until_there_is_a_pause() -> None:
    at = [0, 5, 10, 29, 80]
    facts = [
        of_note("record.write", t=MORNING_MS + minute * MINUTE, action="C" if minute == 0 else "U") for minute in at
    ]
    lines = list(folded(facts))
    assert [(line.clock, line.words(TODAY, hidden=False)) for line in lines] == [
        ("10:00-10:29", "wrote \u00d74  Anna Berg C-014, session 12 of 17 Nov"),
        ("11:20", "wrote  Anna Berg C-014, session 12 of 17 Nov"),
    ]


def test_another_note_another_client_or_another_outcome_is_never_folded_in() -> None:
    one = of_note("record.open")
    others = [
        replace(one, record=b"m"),
        replace(one, client=b"b", who=JON),
        replace(one, outcome="refused"),
        replace(one, elsewhere=ANOTHER_LAPTOP),
        replace(one, locked=True),
        replace(one, fault="It does not hold."),
        replace(one, event="record.print"),
        replace(one, purpose="review"),
        replace(one, t=one.t + DAY),
    ]
    for other in others:
        assert len(list(folded([one, other]))) == 2


def test_failed_unlocks_are_added_up() -> None:
    tries = [
        fact("session.fail", outcome="fail", k={"n": n, "why": "passphrase"}, t=MORNING_MS + n * 1000)
        for n in (1, 1, 10)
    ]
    (line,) = folded(sorted(tries, key=lambda each: each.t))
    assert line.words(TODAY, hidden=False) == "could not unlock: wrong passphrase, 12 times"
    assert line.loud


def test_what_a_search_showed_stands_in_its_line() -> None:
    facts = [
        fact("search.run", words=("sleep",), hits=3),
        of_note("record.open", found=True),
        of_note("record.open", found=True, client=b"b", record=b"o", who=JON),
        of_note("record.open", found=True, client=b"b", record=b"p", who=JON),
        of_note("record.open"),
    ]
    searched, opened = folded(facts)
    assert searched.words(TODAY, hidden=False) == (
        "searched for \u201csleep\u201d: 3 notes found; shown: Anna Berg C-014, Jon Lind C-031 (2)"
    )
    assert searched.words(TODAY, hidden=True) == "searched: 3 notes found; shown: C-014, C-031 (2)"
    assert opened.words(TODAY, hidden=False).startswith("opened  Anna Berg")


def test_an_import_is_one_line() -> None:
    facts = [of_note("record.write", purpose="import", kind="client", record=b"")]
    facts += [of_note("record.write", purpose="import", record=bytes([n])) for n in range(20)]
    facts += [of_note("record.write", purpose="import", client=b"b", who=JON, record=b"x")]
    (line,) = folded(facts)
    assert line.words(TODAY, hidden=False) == "brought in 21 notes of 2 clients, 1 new client"


def test_days_have_headings_and_a_clock_set_back_is_shown_as_it_was() -> None:
    facts = [
        of_note("record.open", t=MORNING_MS - DAY),
        of_note("record.open"),
        fact("clock.jump", t=MORNING_MS - 30 * DAY, k={"ms": 30 * DAY, "to": "back"}),
        of_note("record.open", t=MORNING_MS - 30 * DAY, record=b"x"),
        of_note("record.open", t=MORNING_MS + MINUTE),
        of_note("record.open", t=2**53 - 1),
    ]
    assert [day.heading(TODAY) for day in days_of(facts)] == [
        "Thu 20 Nov",
        "Today, Fri 21 Nov",
        "Wed 22 Oct",
        "Today, Fri 21 Nov",
        "At no possible time",
    ]


def test_an_entry_that_does_not_hold_is_loud_and_says_what_it_claims() -> None:
    bad = of_note("record.open", fault="Log entry 3 claims to be made with this vault open, but was not.")
    (line,) = folded([bad])
    assert line.loud
    assert line.words(TODAY, hidden=False) == (
        "DOES NOT HOLD: Log entry 3 claims to be made with this vault open, but was not."
        " It says: opened  Anna Berg C-014, session 12 of 17 Nov."
    )
    (unread,) = folded([Fact(0, 0, "", fault="Log entry 3 does not read: no.")])
    assert unread.words(TODAY, hidden=False) == "DOES NOT HOLD: Log entry 3 does not read: no."


def test_a_week_in_one_sentence() -> None:
    facts = [
        of_note("record.open"),
        of_note("record.write", t=MORNING_MS + 9 * 60 * MINUTE),
        fact("search.run", words=("x",), hits=1),
        of_note("record.open", found=True),
        fact("session.fail", t=MORNING_MS - DAY, outcome="fail", k={"n": 3, "why": "passphrase"}),
        of_note("record.open", t=MORNING_MS - 7 * DAY),
        of_note("record.open", fault="It does not hold."),
    ]
    assert [week.words(TODAY) for week in weeks_of(facts)] == [
        "Week of Mon 10 Nov: 1 opened, 0 written, 0 searches, no failed unlock; worked on 1 day, 10:00-10:00.",
        "Week of Mon 17 Nov: 1 opened, 1 written, 1 search, 3 FAILED unlocks; worked on 1 day, 10:00-19:00.",
    ]


def test_nights_are_counted_from_the_evening_on_which_they_began() -> None:
    late = MORNING_MS + 12 * 60 * MINUTE  # 22:00 local
    facts = [
        of_note("record.open", t=late - MINUTE),
        of_note("record.open", t=late),
        of_note("record.open", t=late + 7 * 60 * MINUTE),
        of_note("record.open", t=late + 8 * 60 * MINUTE),
        fact("backup.run", t=late, k={"n": 1}),
    ]
    assert [night.words(TODAY) for night in nights_of(facts)] == ["In the night of Fri 21 Nov, 22:00-05:00: 2 acts"]


def test_what_is_unusual_is_pulled_out_and_what_is_usual_is_not() -> None:
    usual = [
        of_note("record.open"),
        of_note("record.write"),
        fact("session.open", k={"how": "passphrase"}),
        fact("header.write", k={"why": "pool"}),
        fact("verify.run", k={"bad": 0, "n": 1}),
        fact("crash.settle", k={}, locked=True),
    ]
    odd = [
        of_note("record.export", purpose="export"),
        fact("clock.jump", k={"ms": DAY, "to": "back"}),
        fact("session.open", k={"how": "sheet"}),
        fact("session.fail", outcome="fail", k={"n": 1, "why": "passphrase"}),
        fact("header.write", k={"why": "passphrase"}),
        of_note("record.write", fault="It does not hold."),
    ]
    assert unusual(usual) == []
    assert [line.first.event for line in unusual([*usual, *odd])] == [each.event for each in odd]


@given(st.integers(0, 2**53 - 1), st.integers(-1440, 1440), st.sampled_from(sorted(EVENTS)), st.booleans())
def test_no_moment_is_too_strange_to_be_told(t: int, offset: int, event: str, hidden: bool) -> None:
    one = fact(event, t=t, offset=offset, k={"n": t, "ms": t, "until": t, "at": t, "bad": t}, outcome="reported")
    assert act_words(one) + object_words(one, TODAY, hidden=hidden) + remark_words(one, TODAY)
    for day in days_of([one]):
        assert day.heading(TODAY)
        assert day.lines[0].clock
    weeks_of([one])
    nights_of([one])


@pytest.mark.parametrize(
    ("ms", "words"),
    [(45_000, "45 s"), (12 * MINUTE, "12 min"), (120 * MINUTE, "2 h"), (3 * DAY, "3 days"), (-5, "0 s")],
)
def test_a_span_is_said_as_people_say_it(ms: int, words: str) -> None:
    assert span_words(ms) == words
