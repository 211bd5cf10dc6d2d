"""Whatever is damaged in the vault, what she is told to do mends it: `backup heal`, without the passphrase."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from notevault.cli.commands import COMMANDS
from tests.cli.homes import Home

HEAL = "`notevault backup heal`"


@pytest.fixture
def backed(worked: Home, tmp_path: Path) -> Home:
    (tmp_path / "stick").mkdir()
    worked.saved("backup", "add", str(tmp_path / "stick"), "--name", "USB Blue")
    worked.run("backup", "run")
    return worked


def note_lost(home: Home) -> None:
    max(home.vault.glob("blobs/*/*"), key=lambda path: path.stat().st_mtime_ns).unlink()


def log_gone(home: Home) -> None:
    shutil.rmtree(home.vault / "audit")


def log_changed(home: Home) -> None:
    (path,) = home.vault.glob("audit/*/open")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def key_files_gone(home: Home) -> None:
    shutil.rmtree(home.vault / "headers")


def key_file_changed(home: Home) -> None:
    (path,) = home.vault.glob("headers/*/*")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("hurt", [note_lost, log_gone, log_changed, key_files_gone, key_file_changed])
def test_every_damage_names_the_command_that_mends_it(backed: Home, hurt: Callable[[Home], None]) -> None:
    hurt(backed)
    for words in (("verify",), ("doctor",), ("note", "list"), ("backup", "run"), ("audit", "verify")):
        done = backed.run(*words, open_it=words[0] not in ("backup", "audit"), code=None)
        said = done.stdout + done.stderr
        assert HEAL in said or "`notevault doctor` says how to go on" in said, words
        assert "set-up of this vault" not in said
        assert "no notes yet" not in said
    backed.run("backup", "heal")
    assert backed.run("verify", open_it=True).stdout.startswith("INTACT")


@pytest.mark.slow
def test_a_note_whose_file_is_gone_is_no_typing_mistake(backed: Home) -> None:
    sealed = set(backed.vault.glob("blobs/*/*"))
    id_ = backed.saved("note", "add", "--client", "C-014", stdin="Slept well.\n")
    wrong = backed.run("note", "show", "0123456789abcdef", open_it=True, code=66).stderr
    assert HEAL not in wrong, "nothing is amiss"
    backed.run("backup", "run")
    (file,) = set(backed.vault.glob("blobs/*/*")) - sealed
    file.unlink()
    backed.local.joinpath("index").unlink(missing_ok=True)
    lost = backed.run("note", "show", id_[:8], open_it=True, code=66).stderr
    assert f"If it was here before, its file is missing: {HEAL} puts it back, if a backup has it." in lost
    backed.run("backup", "heal")
    assert backed.run("note", "show", id_[:8], open_it=True).stdout == "Slept well.\n"


@pytest.mark.slow
def test_where_the_log_is_gone_nobody_says_that_there_are_no_notes_or_that_nothing_was_set_up(backed: Home) -> None:
    log_gone(backed)
    listed = backed.run("note", "list", open_it=True).stderr
    assert f"No note can be listed: the log is gone or damaged. {HEAL} puts it back from a backup." in listed
    step = f"{HEAL} mends it from a backup. Only where no backup has it: `notevault doctor --confirm-rollback`."
    assert step in backed.run("doctor", open_it=True).stdout
    assert "MISSING: the log of this vault is gone." in backed.run("backup", "run", code=2).stdout
    backed.run("backup", "heal")
    assert len(backed.objects("note", "list")) == 2


def test_a_vault_without_a_note_yet_was_set_up_all_the_same(home: Home) -> None:
    log_gone(home)
    said = home.run("note", "list", open_it=True, code=65).stderr
    assert "MISSING: the log of this vault is gone." in said
    assert HEAL in said


@pytest.mark.slow
def test_a_link_among_the_sealed_files_of_a_place_goes_as_the_advice_says(backed: Home, tmp_path: Path) -> None:
    folder = min(tmp_path.glob("stick/notevault/*/blobs/*"))
    folder.rename(tmp_path / "away")
    folder.symlink_to(tmp_path / "away")
    backed.saved("note", "add", "--client", "C-014", stdin="One more.\n")
    assert "`notevault backup heal 'USB Blue'`" in backed.run("backup", "run", code=2).stdout
    backed.run("backup", "heal", "USB Blue")
    assert "nothing waits" in backed.run("backup", "run").stdout


def test_the_help_of_no_command_has_a_comma_before_a_full_stop() -> None:
    for name, command in COMMANDS.items():
        assert not re.search(r",[.,;]|;[.,;]", command.more), name
