"""`audit` in the real shell: what was done is told in words with names, warnings stay until it was looked at."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from notevault.adapters.places import default_vault
from notevault.app import reviewing
from notevault.app.reviewing import Recent
from notevault.auditlog import entry
from notevault.crypto import kdf
from notevault.domain import clients, dates
from notevault.domain.loglines import days_of
from notevault.domain.logwords import About, Fact, Who
from notevault.domain.notes import Note
from notevault.shell.commands_audit import _View
from notevault.shell.paint import plain
from notevault.storage.blobs import BlobStore
from notevault.storage.layout import VaultPaths
from notevault.vault import found, rekey
from notevault.vault.items import LOG, LogItem
from notevault.vault.notebook import Notebook
from notevault.vault.recorder import Act, LogSigner, Recorder
from notevault.vault.survey import open_log, survey
from tests.fakes.simple import MORNING_MS, FakeClock
from tests.shell.ptyshell import COST, CTRL_L, ESC, F8, PASSPHRASE, UP, Shell, disk_env, make_vault, open_vault

DAY_MS = 86_400_000
HOSTILE = "Evil \u202eanna\u200b\u2066x"
"""As far as a title may go: direction overrides and what has no width."""


@pytest.fixture
def vault(own_home: Path) -> Path:
    make_vault()
    return own_home


def thief() -> Recorder:
    """As somebody with the log's keys, and not the vault's."""
    env = disk_env()
    seen = survey(env, default_vault())
    assert seen.device is not None
    value = env.stores.open(seen.device.store, seen.device.vault, seen.device.device).get([LOG])[0]
    assert value is not None
    item = LogItem.decode(value)
    log, tail = open_log(env, seen.paths, seen.local, seen.header, item.origin)
    signer = LogSigner.for_log(item, log, tail)
    assert signer is not None
    return Recorder(env, log, signer, bytes(8), tail)


def plant(act: Act) -> None:
    """One that nobody with the vault's keys made."""
    thief().record(act)


def forge(act: Act) -> None:
    """One that claims to be made with the vault open."""
    recorder = thief()
    recorder.sealer = _Forger()
    recorder.record(act)


class _Forger:
    def seal(self, fields: dict[str, object], act: Act, origin: str) -> dict[str, object]:
        return fields

    def mac(self, fields: dict[str, object], origin: str) -> dict[str, object]:
        return {**fields, "g": 1, "h": "0" * 32}


def lines(shell: Shell) -> list[str]:
    """The rows that begin with a time, without it; loud ones with their mark."""
    rows = [row.rstrip() for row in shell.screen.display]
    found = [re.fullmatch(r" ([! ]) (\d\d:\d\d)(?:-\d\d:\d\d)? +(.*)", row) for row in rows]
    return [f"{each[1]}{each[3]}".strip() for each in found if each]


def today() -> date:
    clock = disk_env().clock
    return dates.day_of(clock.wall_ms(), clock.utc_offset_minutes(clock.wall_ms()))


@pytest.mark.slow
def test_what_was_done_is_told_exactly_and_with_names(vault: Path) -> None:
    with Shell(rows=40) as shell:
        shell.unlock()
        shell.to_new_note()
        shell.type("Came late today.")
        shell.until("late today.")
        shell.type(ESC)
        shell.until("Saved at")
        shell.type("open c-014\r")
        shell.until("late today.")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("find slept\r")
        shell.until("1 note found")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type(CTRL_L)
        shell.until("Locked.")
        shell.type("a wrong one\r")
        shell.until("That is not the passphrase.")
        shell.unlock()
        shell.until("There was one failed try")
        assert "type `audit`" not in shell.flat, "a slip of her own is no alarm"
        shell.type("audit\r")
        shell.until("Log: the last 7 days")
        now = today()
        yesterday = date.fromordinal(now.toordinal() - 1)
        older, newer = (f"{day.day} {day:%b}" for day in (yesterday, now))
        told = lines(shell)
        begun = told.index("unlocked the vault")
        assert told[:begun] == [
            "set up the vault",
            "added the client  Anna Berg C-014",
            f"wrote  Anna Berg C-014, session 1 of {older}",
            "showed that the recovery sheet is on paper",
            "locked the vault and left",
        ]
        assert told[begun:] == [
            "unlocked the vault",
            "looked at lists of names",
            f"wrote  Anna Berg C-014, session 2 of {newer}",
            f"opened  Anna Berg C-014, session 2 of {newer}",
            "searched for \u201cslept\u201d: 1 note found; shown: Anna Berg C-014",
            "locked the vault",
            "!could not unlock: wrong passphrase",
            "unlocked the vault",
            "looked at lists of names",
            "looked at the log",
        ]
        shell.type(F8)
        shell.until(lambda: "Anna" not in shell.text)
        assert f"opened  C-014, session 2 of {newer}" in lines(shell)
        assert "searched: 1 note found; shown: C-014" in lines(shell)
        assert "slept" not in shell.text
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("audit c-014\r")
        shell.until("Log: C-014, the last 90 days")
        assert "unlocked" not in shell.text
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0
        outside = re.split(rb"\x1b\[\?1049[hl]", shell.raw)[::2]
        assert len(outside) == 2
        assert all(b"Anna" not in part for part in outside), "nothing of it is left in the window"


@pytest.mark.slow
def test_each_look_at_the_log_is_in_it(vault: Path) -> None:
    with Shell("plain", rows=200) as shell:
        shell.unlock()
        shell.until("notevault>")
        for _ in range(2):
            shell.type("audit 3\r")
            shell.until("Enter goes on.")
            assert "wrote  Anna Berg C-014, session 1" in shell.text
            shell.type("\r")
            shell.until(lambda: shell.text.rstrip().endswith("notevault>"))
            shell.screen.reset()
        shell.type("audit 0\r")
        shell.until("no number of days")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    session = open_vault()
    events = [entry.parse(data) for data in session.recorder.entries(0, session.recorder.tail.size)]
    listed = [each.pu for each in events if isinstance(each, entry.Entry) and each.ev == "session.list"]
    assert listed == ["care", "review", "review"]
    session.close("exit")


@pytest.mark.slow
def test_a_planted_entry_is_a_warning_everywhere_until_it_was_looked_at(vault: Path) -> None:
    plant(Act("verify.run", "E", "review", k={"bad": 0, "n": 3}))
    forge(Act("sheet.confirm", "E", "admin"))
    with Shell(rows=40) as shell:
        shell.unlock()
        shell.until("The log has a finding: type `audit`.")
        assert "FINDING: type audit" in shell.text
        shell.type("xyz")
        shell.until("xyz")
        assert "The log has a finding" in shell.text, "a warning is not a message that goes with the next key"
        shell.type(ESC)
        shell.until(lambda: "xyz" not in shell.text)
        shell.type("open c-014\r")
        shell.until("FINDING \u2502 locks in")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("audit\r")
        shell.until("DOES NOT HOLD")
        assert "claims to be made with this vault open, but was not. It says: showed that" in shell.flat
        assert "checked the vault (without the passphrase)" in lines(shell)
        shell.type(ESC)
        shell.until("notevault>")
        assert "FINDING" not in shell.text
        assert "has a finding" not in shell.text
        shell.type(CTRL_L)
        shell.until("Locked.")
        shell.unlock()
        shell.until("notevault>")
        assert "FINDING" not in shell.text
        shell.type("audit 2\r")
        shell.until("DOES NOT HOLD")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0


@pytest.mark.slow
def test_what_turns_up_while_the_shell_is_open_warns_at_once(vault: Path) -> None:
    with Shell(rows=40) as shell:
        shell.unlock()
        shell.until("notevault>")
        assert "FINDING" not in shell.text
        forge(Act("sheet.confirm", "E", "admin"))
        shell.type("open c-014\r")
        shell.until("Slept four hours.")
        shell.until("FINDING \u2502 locks in")
        shell.type(ESC)
        shell.until("The log has a finding: type `audit`.")
        shell.type("audit\r")
        shell.until("DOES NOT HOLD")
        shell.type(ESC)
        shell.until("notevault>")
        paths = VaultPaths(default_vault())
        store = BlobStore(disk_env().files, paths)
        for digest in store.digests():
            path = paths.blob(digest)
            path.chmod(0o600)
            path.write_bytes(path.read_bytes()[:-1] + b"?")
        shell.type("open c-014\r")
        shell.until("Something in this vault does not hold: type `audit`.")
        assert "FINDING: type audit" in shell.text
        shell.type("audit\r")
        shell.until("Look at this")
        shell.type(ESC)
        shell.until("notevault>")
        assert "FINDING" not in shell.text
        shell.type("quit\r")
        shell.until_ended()


@pytest.mark.slow
def test_many_failed_tries_stay_on_home_until_they_were_looked_at(vault: Path) -> None:
    with Shell(rows=40) as shell:
        for _ in range(3):
            shell.until("Passphrase")
            shell.type("a wrong one\r")
            shell.until("That is not the passphrase.")
        shell.unlock()
        shell.until("There were 3 failed tries to open this vault since you last did: type `audit`.")
        shell.type("audit\r")
        shell.until("could not unlock: wrong passphrase, 3 times")
        shell.type(ESC)
        shell.until("notevault>")
        assert "failed tries" not in shell.text
        shell.type("quit\r")
        assert shell.until_ended() == 0


def old_vault(days: int) -> None:
    """Begun that long ago, and left then."""
    real = disk_env()
    clock = FakeClock(real.clock.wall_ms() - days * DAY_MS, real.clock.boot_ms(), 0)
    session, _ = found.create(replace(real, clock=clock), default_vault(), kdf.normalise(PASSPHRASE), COST)
    book = Notebook(session)
    view = book.add_client(clients.new_client("Anna Berg", "C-014", None, clock.wall_ms()))
    book.add_note(view.id, Note("Slept four hours.", clock.wall_ms(), 0, clock.wall_ms(), clock.wall_ms()))
    rekey.confirm_sheet(session)
    assert session.close("exit") == []


@pytest.mark.slow
def test_a_review_is_asked_for_after_thirty_days_and_recorded_when_all_of_it_was_hers(own_home: Path) -> None:
    old_vault(31)
    with Shell(rows=50) as shell:
        shell.unlock()
        shell.until("Look over the last month: `audit review`.")
        shell.type("audit review\r")
        shell.until("Week by week")
        assert "You have not looked over the log before." in shell.flat
        assert "Worth a second look" in shell.text
        shell.until("wrote Anna Berg C-014, session 1")
        shell.type("\r")
        shell.until("Was all of this you? [y or n]")
        shell.type("n")
        shell.until("Change the passphrase, in a place where nobody looks on.")
        shell.type("\r")
        shell.until("2 Later")
        shell.type("2")
        shell.until("Not recorded as looked over.")
        assert "Look over the last month" in shell.text
        shell.type("audit review\r")
        shell.until("Week by week")
        shell.type("\r")
        shell.until("Was all of this you? [y or n]")
        shell.type("y")
        shell.until("the log is looked over")
        assert "Look over the last month" not in shell.text
        shell.type("audit\r")
        shell.until("looked over the log:")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type(CTRL_L)
        shell.until("Locked.")
        shell.unlock()
        shell.until("notevault>")
        assert "Look over the last month" not in shell.text
        shell.type("quit\r")
        assert shell.until_ended() == 0
    session = open_vault()
    assert reviewing.last_review(session) is not None
    session.close("exit")


def test_a_new_vault_asks_for_no_review(vault: Path) -> None:
    with Shell("plain", rows=60) as shell:
        shell.unlock()
        shell.until("notevault>")
        assert "audit review" not in shell.flat
        shell.type("quit\r")
        assert shell.until_ended() == 0


@pytest.mark.slow
def test_in_plain_the_review_is_read_asked_and_recorded(own_home: Path) -> None:
    old_vault(40)
    with Shell("plain", rows=200) as shell:
        shell.unlock()
        shell.until("Look over the last month: `audit review`.")
        shell.type("audit review\r")
        shell.until("Enter goes on.")
        assert "1 written" in shell.flat
        shell.type("\r")
        shell.until("Was all of this you? [y or n]")
        shell.type("y\r")
        shell.until("the log is looked over")
        shell.type("quit\r")
        assert shell.until_ended() == 0


@pytest.mark.slow
def test_hostile_text_is_shown_and_steers_nothing(vault: Path) -> None:
    session = open_vault()
    book = Notebook(session)
    now = session.env.clock.wall_ms()
    anna = book.clients()[0]
    book.add_note(anna.id, Note("x", now, 0, now, now, title=HOSTILE))
    session.close("exit")
    with Shell(rows=40, columns=120) as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type("audit\r")
        shell.until("Evil")
        assert "\u201cEvil \u27e8202E\u27e9anna\u27e8200B\u27e9\u27e82066\u27e9x\u201d" in shell.text
        assert not set("\u202e\u200b\u2066") & set(shell.raw.decode("utf-8", "replace"))
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0


@pytest.mark.parametrize("hidden", [False, True])
def test_not_even_text_that_no_record_may_hold_reaches_the_terminal(hidden: bool) -> None:
    bad = "Anna\x1b]0;owned\x07\r\n! 09:00  nothing happened\u202e"
    about = About(1, MORNING_MS, 0, bad)
    facts = (
        Fact(MORNING_MS, 0, "record.open", kind="note", who=Who(bad, "C-1"), about=about),
        Fact(MORNING_MS, 0, "record.open", kind="note", who=Who(bad, "C-1"), about=about, fault=bad),
        Fact(MORNING_MS, 0, "search.run", words=(bad,), hits=1),
    )
    view = _View(Recent(facts, 3, 0, (bad,)), days_of(facts), [bad], date(2025, 11, 21))
    for rows in (view.lines(80, hidden, ""), view.review(80, hidden, [])):
        text = "".join(plain(row) for row in rows)
        assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs")]
        assert not any(plain(row).startswith("! 09:00  nothing") for row in rows), "no line can be made up"


@pytest.mark.slow
def test_a_long_log_opens_at_its_end_and_scrolls_up(vault: Path) -> None:
    session = open_vault()
    book = Notebook(session)
    now = session.env.clock.wall_ms()
    anna = book.clients()[0]
    for number in range(30):
        book.add_note(anna.id, Note(f"Note {number}", now - number * DAY_MS, 0, now, now))
    session.close("exit")
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type("audit\r")
        shell.until("\u2191 more")
        assert "Today" not in shell.text.splitlines()[0]
        assert "set up the vault" not in shell.text
        for _ in range(60):
            shell.type(UP)
        shell.until("set up the vault")
        shell.until("\u2193 more")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0
