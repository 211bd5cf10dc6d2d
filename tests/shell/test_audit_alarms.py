"""What must not be overlooked stays until it was looked at; a damaged log is called what it is; nobody vouches by
accident.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.adapters.places import default_vault
from notevault.app import alarms_source, auditing, reviewing
from notevault.auditlog import entry
from notevault.errors import Missing, NotFound
from notevault.shell import wording
from notevault.shell.alarms import Alarms
from notevault.shell.screens import NO_ENTER, Confirm
from notevault.storage.blobs import BlobStore
from notevault.storage.layout import VaultPaths
from notevault.vault.recorder import Act
from tests.shell.ptyshell import CTRL_L, ESC, Shell, disk_env, make_vault, open_vault
from tests.shell.test_home import picture, type_into
from tests.shell.test_words import NEVER

STANDINGS = {
    "DAMAGED: its log does not agree with its signed state. REWRITTEN between entries 3-8.": "is damaged",
    "DAMAGED: its log does not agree with its signed state. FORGED: no entry brings the key of its epoch 2.": (
        "Somebody else wrote"
    ),
    "FORGED: the log was carried on from entry 7 on with a key that is not this vault's.": "Somebody else wrote",
    "FORKED: the first 9 log entries are not the ones this laptop has seen.": "not the one this laptop knows",
    "ROLLED BACK: this laptop has seen 9 log entries, the vault now has 7.": "older than it should be",
    "COPY: this is a copy. The vault itself is in /home/a/vault.": "copy of your vault",
    "Something new.": "is damaged",
}


@pytest.fixture
def vault(own_home: Path) -> Path:
    make_vault()
    return own_home


def spoil_the_log() -> None:
    """One digit of an entry."""
    log = next((default_vault() / "audit").iterdir()) / "open"
    data = bytearray(log.read_bytes())
    at = re.compile(rb'"t":[0-9]+').search(data)
    assert at is not None
    data[at.end() - 1] = 48 + (data[at.end() - 1] - 47) % 10
    log.chmod(0o600)
    log.write_bytes(bytes(data))


def blobs() -> list[Path]:
    paths = VaultPaths(default_vault())
    return [paths.blob(digest) for digest in BlobStore(disk_env().files, paths).digests()]


def spoil(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def events() -> list[str]:
    session = open_vault()
    found = [entry.parse(data) for data in session.recorder.entries(0, session.recorder.tail.size)]
    session.close("exit")
    return [each.ev for each in found if isinstance(each, entry.Entry)]


# A log that does not hold, at the door


@pytest.mark.parametrize(("why", "title"), STANDINGS.items())
def test_each_kind_of_damage_has_words_of_its_own_and_none_of_the_format(why: str, title: str) -> None:
    found = wording.standing(why)
    assert title in found.title
    said = " ".join([found.title, found.means, found.detail, *wording.first_steps("/home/a/vault", found.mend)])
    assert not NEVER.search(said)
    assert found.may_go_on == (not why.startswith("COPY"))
    assert ("older copy" in found.means) == why.startswith("ROLLED BACK")
    assert ("`notevault backup heal`" in said) == why.startswith(("DAMAGED", "Something"))
    assert ("`notevault backup restore " in said) == why.startswith("ROLLED BACK")


@given(
    st.lists(st.sampled_from(["slot", "Headers", "blob", "BLOB", "Blobs", "origin", "Epochs", "seal", "anchor", "a"]))
)
def test_no_word_of_the_format_gets_through(words: list[str]) -> None:
    assert not NEVER.search(wording.in_plain_words(" ".join(words)))


@pytest.mark.slow
def test_a_rewritten_log_is_called_damaged_and_going_on_stays_an_alarm_until_it_was_looked_at(vault: Path) -> None:
    spoil_the_log()
    with Shell(rows=50) as shell:
        shell.unlock()
        shell.until("The log of this vault is damaged")
        assert "older copy" not in shell.flat
        assert "First copy the whole folder to another disk" in shell.flat
        assert "Then `notevault backup heal`, in a terminal, mends it from a backup, if there is one." in shell.flat
        assert "a new log begins that cites the old one" in shell.flat
        shell.type("2")
        shell.until("Are you sure? [y or n]")
        shell.type("\r")
        shell.until(NO_ENTER)
        shell.type("y")
        shell.until("Something in this vault does not hold: type `audit`.")
        assert "FINDING: type audit" in shell.text
        assert "hand out the new card (in a terminal: `notevault audit card`)" in shell.flat
        shell.type(CTRL_L)
        shell.until("Locked.")
        shell.unlock()
        shell.until("Something in this vault does not hold: type `audit`.")
        assert "hand out the new card" in shell.flat
        shell.type("audit\r")
        shell.until("this vault went on with a new log")
        shell.type(ESC)
        shell.until("notevault>")
        assert "FINDING" not in shell.text
        assert "new card" not in shell.text
        shell.type("quit\r")
        assert shell.until_ended() == 0
    assert events()[:2] == ["vault.recover", "rollback.confirm"]


# What was found while the shell was closed, or in it


@pytest.mark.slow
def test_a_check_that_found_something_warns_at_the_next_unlock_until_it_was_looked_at(vault: Path) -> None:
    spoil(blobs()[0])
    checked = auditing.check_own(disk_env(), default_vault())
    assert checked.entered
    with Shell(rows=50) as shell:
        shell.unlock()
        shell.until("Something in this vault does not hold: type `audit`.")
        assert "FINDING: type audit" in shell.text
        shell.type("audit\r")
        shell.until("found 1 thing wrong; `verify` names what it is.")
        shell.type(ESC)
        shell.until("notevault>")
        assert "FINDING" not in shell.text
        shell.type(CTRL_L)
        shell.until("Locked.")
        shell.unlock()
        shell.until("notevault>")
        assert "found 1 thing wrong" not in shell.flat
        shell.type("quit\r")
        assert shell.until_ended() == 0


def test_the_alarm_of_a_check_outlives_an_index_that_was_built_anew_but_not_a_look(vault: Path) -> None:
    session = open_vault()
    session.log_acts([Act("verify.run", "E", "review", "fail", k={"bad": 2, "n": 3})])
    session.close("exit")
    session = open_vault()
    assert "found 2 things wrong" in alarms_source.since_looked(session).faults[0]
    assert alarms_source.since_looked(session).faults, "asking is not looking"
    session.log_acts([Act("session.list", "R", "review")])
    alarms_source.looked(session)
    assert alarms_source.since_looked(session).faults == []
    session.catalogue.set_meta(f"alarms {session.origin}", session.recorder.tail.size + 99)
    assert alarms_source.since_looked(session).faults == [], "the log itself says that it was looked at"
    session.log_acts([Act("verify.run", "E", "review", "fail", k={"bad": 1, "n": 3})])
    assert len(alarms_source.since_looked(session).faults) == 1
    session.close("exit")


def test_a_sound_check_and_a_list_of_names_raise_no_alarm_and_silence_none(vault: Path) -> None:
    session = open_vault()
    session.log_acts([Act("verify.run", "E", "review", "fail", k={"bad": 1, "n": 3})])
    session.log_acts([Act("verify.run", "E", "review", k={"bad": 0, "n": 3}), Act("session.list", "R")])
    assert len(alarms_source.since_looked(session).faults) == 1
    session.close("exit")


@pytest.mark.slow
def test_the_shells_own_check_warns_at_once_in_plain_words(vault: Path) -> None:
    spoil(blobs()[0])
    with Shell("plain", rows=120, columns=160) as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type("verify\r")
        shell.until("Enter goes on.")
        assert "1 thing did not hold. `backup heal` puts back what a backup still has" in shell.flat
        assert "RECORD CHANGED: Record " in shell.flat
        said = shell.flat.partition("== Verify")[2]
        assert not NEVER.search(said)
        assert said.count("RECORD CHANGED") == 1, "nothing is said twice"
        shell.type("\r")
        shell.until("Something in this vault does not hold: type `audit`.")
        shell.type("quit\r")
        assert shell.until_ended() == 0


def test_a_note_whose_file_is_missing_is_an_alarm_and_a_mistyped_name_is_none(vault: Path) -> None:
    alarms = Alarms()
    alarms.heard(NotFound("There is no such client."))
    assert not alarms.is_grave(0)
    alarms.heard(Missing("BLOB MISSING: the saved file is not in the vault folder."))
    assert alarms.is_grave(0)
    assert not NEVER.search(" ".join(alarms.sentences()))
    for path in blobs():
        path.unlink()
    with Shell(rows=40) as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type("open c-014\r")
        shell.until("Something in this vault does not hold: type `audit`.")
        assert "FINDING: type audit" in shell.text
        shell.type("quit\r")
        shell.until_ended()


# Vouching


def test_a_question_without_a_default_takes_y_and_n_alone() -> None:
    screen = Confirm("Look", [], "Was all of this you?", default=None)
    assert any("[y or n]" in row for row in picture(screen))
    for _ in range(3):
        screen.act("newline")
        assert not screen.done
    assert any(NO_ENTER in row for row in picture(screen))
    screen.pasted("y")
    type_into(screen, "x ")
    assert not screen.done
    screen.typed("y")
    assert screen.result is True


@pytest.mark.slow
def test_neither_enters_nor_keys_typed_ahead_vouch_for_the_log(vault: Path) -> None:
    with Shell(rows=50) as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type("audit review\r")
        shell.until("Line by line")
        shell.type("\r\ryy")
        shell.until("Was all of this you? [y or n]")
        shell.type("\r\r")
        shell.until(NO_ENTER)
        shell.type(ESC)
        shell.until("The review was not finished")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    assert "audit.review" not in events()


@pytest.mark.slow
def test_in_plain_neither_enters_nor_lines_typed_ahead_vouch_for_the_log(vault: Path) -> None:
    with Shell("plain", rows=120) as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type("audit review\r\ry\ry\r")
        shell.until("Was all of this you? [y or n]")
        shell.type("\r")
        shell.until(NO_ENTER)
        shell.type(".\r")
        shell.until("The review was not finished")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    assert "audit.review" not in events()


@pytest.mark.slow
def test_a_review_names_the_real_moment_of_the_last_one(vault: Path) -> None:
    with Shell("plain", rows=200) as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type("audit review\r")
        shell.until("Enter goes on.")
        assert re.search(r"Everything since \d\d:\d\d today, when the vault was begun\.", shell.flat)
        shell.type("\r")
        shell.until("[y or n]")
        shell.type("y\r")
        shell.until("the log is looked over")
        shell.screen.reset()
        shell.type("audit review\r")
        shell.until("Enter goes on.")
        assert re.search(r"since \d\d:\d\d today, when you looked last, and the hour before that\.", shell.flat)
        shell.type("quit\r")
    session = open_vault()
    assert reviewing.last_review(session) is not None
    read = [entry.parse(data) for data in session.recorder.entries(0, session.recorder.tail.size)]
    (review,) = [each for each in read if isinstance(each, entry.Entry) and each.ev == "audit.review"]
    assert review.k["since"] == reviewing.first_entry(session), "no day before the vault was begun"
    session.close("exit")


@pytest.mark.parametrize("word", ["card", "report", "verify", "disclose", "export", "proof"])
def test_what_belongs_into_a_terminal_is_answered_with_the_place(word: str) -> None:
    from notevault.shell.commands_audit import IN_TERMINAL, _elsewhere

    assert word in IN_TERMINAL
    assert f"`notevault audit {word}`" in _elsewhere(word).sentence


def test_audit_card_in_the_shell_names_the_terminal(vault: Path) -> None:
    with Shell("plain", rows=60, columns=160) as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type("audit card\r")
        shell.until("Type this in a terminal, outside of this window: `notevault audit card`.")
        shell.type("quit\r")
        assert shell.until_ended() == 0
