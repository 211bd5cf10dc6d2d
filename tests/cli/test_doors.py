"""Set-up, sheet, recovery, passphrase, remembered session: what opens the vault, as a script sees it."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from notevault.adapters.machine import _is_private_memory
from tests.cli.homes import Home, empty_home

OTHER = "nine green umbrellas sing softly"


@pytest.fixture
def memory() -> Iterator[dict[str, str]]:
    """A memory-backed runtime folder for the program, as a login session has one."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="notevault-tests-", dir="/dev/shm"))
    except OSError:
        pytest.skip("this system has no /dev/shm to stand in for a login session's runtime folder")
    try:
        if not _is_private_memory(folder):
            pytest.skip("/dev/shm is not memory-backed here")
        yield {"XDG_RUNTIME_DIR": str(folder)}
    finally:
        shutil.rmtree(folder)


@pytest.mark.slow
def test_a_vault_is_set_up_confirmed_and_used_without_a_terminal(bare: Home) -> None:
    name = bare.file("p", OTHER + "\n")
    done = bare.run("init", "--sheet", "my sheet.txt", "--passphrase-file", name, "--json")
    (said,) = [json.loads(line) for line in done.stdout.splitlines()]
    sheet = bare.path / "my sheet.txt"
    assert said["what"] == "vault"
    assert said["saved"] == bare.local.name
    assert said["sheet"] == str(sheet)
    assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
    assert said["key_store"] == "file"
    for words in ("only your passphrase to guess", "in a file", "NOT RECOVERABLE", str(sheet), str(bare.vault)):
        assert words in done.stderr
    assert "NOT RECOVERABLE" in bare.run("doctor").stdout
    bare.run("sheet", "confirm", "--sheet", str(sheet), "--passphrase-file", name)
    assert "NOT RECOVERABLE" not in bare.run("doctor").stdout
    assert bare.run("verify", "--passphrase-file", name).stdout.startswith("INTACT")
    assert OTHER not in done.stdout + done.stderr
    for path in bare.path.rglob("*"):
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600) or path == bare.path / "run", path


def test_a_second_vault_is_not_made_over_a_first(home: Home) -> None:
    done = home.run("init", "--sheet", "second.txt", open_it=True, code=77)
    assert "a vault in this folder already" in done.stderr
    assert not (home.path / "second.txt").exists()


@pytest.mark.parametrize(
    "words", [("--sheet", "sheet.doc"), ("--sheet", "vault/sheet.txt"), ("--sheet", "passphrase.txt")]
)
def test_a_sheet_goes_only_to_a_new_text_or_pdf_file_outside_the_vault(bare: Home, words: tuple[str, ...]) -> None:
    name = bare.file("passphrase.txt", OTHER)
    (bare.path / "vault").mkdir()
    bare.run("init", *words, "--vault", str(bare.path / "vault"), "--passphrase-file", name, code=64)
    assert (bare.path / "passphrase.txt").read_text() == OTHER
    assert list((bare.path / "vault").iterdir()) == []


def test_an_easy_passphrase_is_refused_and_leaves_nothing_behind(bare: Home) -> None:
    done = bare.run("init", "--sheet", "s.pdf", "--passphrase-file", bare.file("p", "password1"), code=64)
    assert "too easy" in done.stderr
    assert not (bare.path / "s.pdf").exists()
    assert not bare.vault.exists()


def test_a_sheet_with_a_slip_names_the_group_and_confirms_nothing(home: Home) -> None:
    text = home.sheet.read_text()
    line = next(line for line in text.splitlines() if line.strip().startswith("3 "))
    group = line.split()[1]
    slip = text.replace(group, group[:4] + ("A" if group[4] != "A" else "B"))
    done = home.run("sheet", "confirm", "--sheet", home.file("slip.txt", slip), open_it=True, code=64)
    assert "Group 7 (line 3)" in done.stderr
    assert group not in done.stderr
    assert (
        "PDF" in home.run("sheet", "confirm", "--sheet", home.file("s.txt", "%PDF-1.4"), open_it=True, code=64).stderr
    )
    assert "NOT RECOVERABLE" in home.run("doctor").stdout


@pytest.mark.slow
def test_the_vault_alone_opens_elsewhere_with_the_sheet_only(worked: Home, tmp_path: Path) -> None:
    there = empty_home(tmp_path / "there")
    there.vault.parent.mkdir(parents=True)
    shutil.copytree(worked.vault, there.vault)
    assert "made on another one" in there.run("client", "list", open_it=True, code=69).stderr
    name = there.file("new", OTHER + "\n")
    done = there.run("recover", "--sheet", "-", "--passphrase-file", name, stdin=worked.sheet.read_text())
    assert done.stdout == f"saved {worked.local.name}\n"
    assert "Slept four hours." in there.run("find", "slept", "--passphrase-file", name).stdout
    assert there.run("verify", "--passphrase-file", name).stdout.startswith("INTACT")
    assert "NOT RECOVERABLE" not in there.run("doctor").stdout
    there.run("client", "list", open_it=True, code=77)  # the old laptop's passphrase is not this one's


@pytest.mark.slow
def test_a_new_sheet_replaces_the_old_one(worked: Home) -> None:
    id_ = worked.saved("sheet", "new", "--sheet", "new.txt")
    assert len(id_) == 32
    old = worked.run("sheet", "confirm", "--sheet", str(worked.sheet), open_it=True, code=77)
    assert "replaced by a newer one" in old.stderr
    worked.run("sheet", "confirm", "--sheet", "new.txt", open_it=True)
    worked.run("sheet", "new", "--sheet", "new.pdf", open_it=True)
    assert (worked.path / "new.pdf").read_bytes().startswith(b"%PDF")
    looked = worked.run("doctor").stdout
    assert "NOT RECOVERABLE" in looked
    assert "One guess at your passphrase costs 64 MiB of memory" in looked
    assert "Argon" not in looked


@pytest.mark.slow
def test_another_passphrase_takes_the_place_of_the_first(worked: Home) -> None:
    name = worked.file("new", OTHER + "\n")
    worked.saved("passphrase", "change", "--new-passphrase-file", name)
    worked.run("client", "list", open_it=True, code=77)
    assert "Anna Berg" in worked.run("client", "list", "--passphrase-file", name).stdout
    weak = worked.file("weak", "12345678\n")
    worked.run("passphrase", "change", "--new-passphrase-file", weak, "--passphrase-file", name, code=64)


@pytest.mark.slow
def test_a_remembered_session_opens_until_it_is_locked_and_says_so(worked: Home, memory: dict[str, str]) -> None:
    done = worked.run("remember", "--hours", "1", open_it=True, env=memory)
    assert done.stdout == f"saved {worked.local.name}\n"
    opened = worked.run("client", "list", env=memory)
    assert "Anna Berg" in opened.stdout
    assert opened.stderr.startswith("Opened by the remembered session until ")
    assert "Commands need no passphrase" in worked.run("doctor", env=memory).stdout
    worked.run("passphrase", "change", "--new-passphrase-file", worked.file("n", OTHER), code=64, env=memory)
    before = worked.log_size()
    assert worked.run("lock", env=memory).stdout == "locked\n"
    assert worked.log_size() == before + 1
    worked.run("client", "list", code=64, env=memory)


def test_locking_when_nothing_is_remembered_says_so(worked: Home) -> None:
    done = worked.run("lock", "--json")
    assert json.loads(done.stdout) == {"ended": False}


def test_without_a_folder_in_memory_nothing_is_remembered(worked: Home, on_disk: Path) -> None:
    disk = {"XDG_RUNTIME_DIR": str(on_disk)}
    assert "power-off" in worked.run("remember", open_it=True, code=77, env=disk).stderr


def test_hours_beyond_a_working_day_are_refused(worked: Home, memory: dict[str, str]) -> None:
    worked.run("remember", "--hours", "9", open_it=True, code=77, env=memory)
    worked.run("client", "list", code=64, env=memory)


# -- doctor and the older copy


def test_doctor_names_what_is_amiss(worked: Home) -> None:
    (worked.vault / "blobs").chmod(0o755)
    synced = worked.path / "Dropbox (Private)"
    subprocess.run(["cp", "-a", str(worked.vault), str(synced)], check=True)
    done = worked.run("doctor", "--vault", str(synced))
    assert "Dropbox keeps in step" in done.stdout
    assert str(synced / "blobs") in done.stdout
    assert "Not opened" in done.stdout


def test_doctor_says_more_of_an_open_vault_and_each_matter_once(worked: Home) -> None:
    items = worked.objects("doctor")
    assert all(set(item) == {"sentence", "state", "step", "topic"} for item in items)
    topics = [str(item["topic"]) for item in items]
    assert len(topics) == len(set(topics))
    assert {"vault", "state", "idle lock", "recovery sheet", "permissions", "place", "disk", "memory"} <= set(topics)
    assert next(item for item in items if item["topic"] == "this laptop's key")["state"] == "warn"


def test_doctor_of_a_vault_that_does_not_open_says_why_and_the_rest(worked: Home) -> None:
    done = worked.run("doctor", "--passphrase-file", worked.file("wrong", "wrong\n"), code=77)
    assert "does not open this vault" in done.stdout
    assert "recovery sheet" in done.stdout
    worked.key_file.unlink()
    assert "BAD" in worked.run("doctor").stdout
