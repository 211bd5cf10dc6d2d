"""backup add, list, remove, status, run, verify, heal as a user types them: words, exit codes, --json, the log."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.auditlog import bundle, entry
from notevault.backup import model
from notevault.backup.model import PlaceFile
from notevault.backup.places.registry import Places
from notevault.cli.backup_words import code_of, code_of_all, size_words, worst
from notevault.cli.commands import COMMANDS
from tests.cli.homes import ROOT, Home, empty_home

pytestmark = pytest.mark.disk

NEVER = re.compile(r"\b(destination|slot|header|blob|origin|epoch|seal|anchor|checkpoint|quarantine|verdict)s?\b", re.I)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


@pytest.fixture
def backed(worked: Home, stick: Path) -> Home:
    """A home with one backup at the place USB Blue."""
    worked.saved("backup", "add", str(stick), "--name", "USB Blue")
    worked.run("backup", "run")
    return worked


def told(home: Home) -> list[entry.Entry]:
    """The log's entries about backups, in order."""
    (opened,) = home.vault.glob("audit/*/open")
    entries = bundle.split(opened.read_bytes())
    assert isinstance(entries, list)
    found = [entry.parse(data) for data in entries]
    return [one for one in found if isinstance(one, entry.Entry) and one.ev.startswith("backup.")]


def sealed_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("**/blobs/*/*"))


def spoil(path: Path) -> None:
    size = path.stat().st_size
    path.chmod(0o600)
    path.write_bytes(bytes(size))


def places_of(home: Home) -> Places:
    return Places(DiskFiles(), home.local)


def remember(home: Home, **changes: object) -> PlaceFile:
    """Change what this laptop knows of its first place."""
    places = places_of(home)
    place = replace(places.all()[0], **changes)  # type: ignore[arg-type]
    places.save(place)
    return place


def pluggable(home: Home) -> None:
    """The first place is on a stick, so that it is away and not deleted when its folder is not there."""
    remember(home, kind="removable", volume="another-disk")


def objects(home: Home, *words: str, code: int = 0) -> list[dict[str, object]]:
    """Without any passphrase: these commands need none."""
    return [json.loads(line) for line in home.run(*words, "--json", code=code).stdout.splitlines()]


# -- a place's life


@pytest.mark.slow
def test_from_naming_a_place_to_leaving_it(worked: Home, stick: Path) -> None:
    before = worked.run("backup", "status")
    assert "There is no backup: if this computer is lost, so are your notes." in before.stdout
    assert "`notevault backup add DIR`" in before.stdout
    added = worked.run("backup", "add", str(stick), "--name", "USB Blue")
    assert re.fullmatch(r"saved [0-9a-f]{32}\n", added.stdout)
    assert "same disk as the vault" in added.stderr
    assert worked.run("backup", "list").stdout == f"USB Blue  {stick}\n"
    assert "no backup there yet" in worked.run("backup", "status").stdout
    ran = worked.run("backup", "run").stdout
    files = len(sealed_files(worked.vault))
    assert re.fullmatch(rf"USB Blue: {files} sealed files copied \([0-9.]+ KB\); {files} there, nothing waits.\n", ran)
    assert {path.name for path in sealed_files(stick)} == {path.name for path in sealed_files(worked.vault)}
    assert worked.run("backup", "run", "usb").stdout == f"USB Blue: nothing new; {files} there, nothing waits.\n"
    assert worked.run("backup", "status").stdout == (
        "What was saved is in 1 backup place.\n"
        f"  USB Blue: {files} sealed files safe · last backup just now · not proven yet · same disk · 0 waiting\n"
    )
    worked.saved("note", "add", "--client", "C-014", stdin="One more.\n")
    waits = worked.run("backup", "status").stdout
    assert re.search(r"1 waiting since \d\d:\d\d", waits)
    assert "1 change will be in the next backup" in waits
    assert worked.run("backup", "run").stdout.startswith("USB Blue: 1 sealed file copied")
    gone = worked.run("backup", "remove", "USB Blue")
    assert f"What lies in {stick} stays there as it is" in gone.stderr
    assert "There is no backup place left" in gone.stderr
    assert len(sealed_files(stick)) == files + 1
    assert worked.run("backup", "list").stdout == ""
    worked.run("backup", "remove", "USB Blue", code=66)
    again = worked.run("backup", "add", str(stick))
    assert worked.run("backup", "run").stdout.startswith("stick: nothing new")
    assert again.stdout == added.stdout  # the same place as before


@pytest.mark.slow
def test_every_answer_has_the_keys_that_the_help_promises(backed: Home) -> None:
    (place,) = objects(backed, "backup", "list")
    assert promised("backup list") == set(place)
    (run,) = objects(backed, "backup", "run")
    assert promised("backup run") <= set(run)
    (check,) = objects(backed, "backup", "verify", "--full")
    assert promised("backup verify") <= set(check)
    first, last = objects(backed, "backup", "status")
    assert promised("backup status") <= set(first) | set(last)
    assert {"colour", "words", "step", "frozen"} == set(last)
    (healed,) = objects(backed, "backup", "heal")
    assert promised("backup heal") <= set(healed)


def promised(name: str) -> set[str]:
    """The keys that a command's help names after "With --json"."""
    told_keys = COMMANDS[name].more.split("With --json", 1)[1]
    listed = re.split(r": ", told_keys, maxsplit=1)[1].split(". ")[0]
    bare = re.sub(r"\([^)]*\)", "", listed.replace("; and last the whole", ","))
    return set(re.findall(r"\b[a-z]+(?:_[a-z]+)*\b", bare)) - {"colour"} | ({"colour"} if "status" in name else set())


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.startswith("backup ")])
def test_every_row_has_its_function_and_words_for_people(name: str) -> None:
    command = COMMANDS[name]
    module, function = command.handler.split(":")
    assert callable(getattr(import_module(f"notevault.cli.{module}"), function))
    said = " ".join([command.summary, command.more, *(str(facts.get("help", "")) for _, facts in command.arguments)])
    assert not NEVER.search(re.sub(r"With --json.*", "", said)), said


# -- what is wrong, and what to do


def test_a_folder_that_cannot_be_a_place_is_refused_with_a_sentence(worked: Home, tmp_path: Path) -> None:
    file = tmp_path / "a-file"
    file.write_text("x")
    for folder, code in ((worked.vault, 77), (worked.vault / "blobs", 77), (tmp_path / "nowhere", 66), (file, None)):
        done = worked.run("backup", "add", str(folder), code=code)
        assert done.returncode in (64, 65, 66, 77)
        assert done.stderr.count("\n") == 2  # a sentence and a next step
        assert not NEVER.search(done.stderr.replace(str(folder), ""))
    worked.run("backup", "add", " ", code=64)
    assert worked.run("backup", "list").stdout == ""


@pytest.mark.slow
def test_a_place_that_is_away_is_no_failure_beside_one_that_is_there(backed: Home, stick: Path, tmp_path: Path) -> None:
    (tmp_path / "nas").mkdir()
    backed.run("backup", "add", str(tmp_path / "nas"))
    pluggable(backed)
    stick.rename(tmp_path / "drawer")
    both = backed.run("backup", "run").stdout
    assert "USB Blue: This backup place is not plugged in" in both
    assert "nas: " in both
    assert backed.run("backup", "run", "USB Blue", code=66).stdout.count("-> Plug it in") == 1
    assert not stick.exists()  # nothing was made where it was
    status = backed.run("backup", "status").stdout
    assert "· not connected" in status
    assert status.startswith("What was saved is in 2 backup places.")
    (tmp_path / "nas").rename(tmp_path / "drawer2")
    assert "Its backup is gone from the folder" in backed.run("backup", "run", code=2).stdout
    backed.run("backup", "remove", "nas")
    backed.run("backup", "run", code=66)
    backed.run("backup", "verify", code=2)
    backed.run("backup", "heal", code=66)
    (tmp_path / "drawer").rename(stick)
    assert "USB Blue: nothing new" in backed.run("backup", "run").stdout


def test_without_a_place_or_a_vault_each_command_says_so(worked: Home, tmp_path: Path) -> None:
    bare = empty_home(tmp_path / "bare")
    for words in (("run",), ("verify",), ("heal",)):
        done = worked.run("backup", *words, code=66)
        assert "There is no backup place yet." in done.stderr
        assert "There is no vault in this folder." in bare.run("backup", *words, code=66).stderr
    assert "There is no vault" in bare.run("backup", "status", code=66).stderr
    assert "cannot both be" in worked.run("backup", "verify", "--quick", "--full", code=64).stderr
    assert worked.run("backup", "run", "nothing", code=66).stderr


@pytest.mark.slow
def test_damage_at_a_place_is_proven_told_and_healed(backed: Home, stick: Path) -> None:
    bad, *_ = sealed_files(stick)
    spoil(bad)
    assert backed.run("backup", "verify", "--quick").returncode == 0  # names and sizes are right
    found = backed.run("backup", "verify", "--full", code=1)
    assert re.search(r"USB Blue: DAMAGED: 1 changed, of \d+ sealed files looked at\.", found.stdout)
    status = backed.run("backup", "status", code=1).stdout
    assert "1 backed-up file is missing or changed there." in status
    assert "`notevault backup heal`" in status
    healed = backed.run("backup", "heal").stdout
    assert healed == "1 file put back. 1 bad file was set aside, not deleted.\n"
    assert "as they were, byte for byte" in backed.run("backup", "verify", "--full").stdout
    assert backed.run("backup", "status").stdout.startswith("What was saved is in 1 backup place.")


@pytest.mark.slow
def test_ransomware_over_the_vault_stops_backups_and_heal_puts_all_back(backed: Home, stick: Path) -> None:
    for number in range(6):
        backed.saved("note", "add", "--client", "C-014", stdin=f"note {number}\n")
    backed.run("backup", "run")
    there = {path: path.read_bytes() for path in sealed_files(stick)}
    for path in sealed_files(backed.vault):
        path.chmod(0o600)
        path.write_bytes(b"PAY US")
    stopped = backed.run("backup", "run", code=2).stdout
    assert "All backups have stopped; what is in them was not touched." in stopped
    assert "Unplug your backup places now." in stopped
    status = backed.run("backup", "status", code=2).stdout
    assert re.search(r"^ +\d+ saved files changed or vanished at once", status, re.M)
    assert "USB Blue: STOPPED · " in status
    doctor = backed.run("doctor").stdout
    assert "BAD   backup: " in doctor
    assert {path: path.read_bytes() for path in sealed_files(stick)} == there
    healed = backed.run("backup", "heal").stdout
    assert "Backups go on." in healed
    assert backed.run("backup", "run").returncode == 0
    assert len(backed.objects("note", "list")) == 8


@pytest.mark.slow
def test_a_vault_that_is_gone_altogether_is_put_back_and_not_set_up_anew(backed: Home) -> None:
    notes = len(backed.objects("note", "list"))
    backed.saved("note", "add", "--client", "C-014", stdin="the last one\n")
    backed.run("backup", "run")
    shutil.rmtree(backed.vault)
    gone = backed.run("backup", "run", code=66).stderr
    assert "gone, or nothing of it can be read" in gone
    assert "set-up" not in gone
    assert "backup restore" in gone
    assert "cannot be read as it must be" in backed.run("backup", "status", code=2).stderr
    assert "USB Blue" in backed.run("backup", "list").stdout
    assert "put back." in backed.run("backup", "heal").stdout
    assert len(backed.objects("note", "list")) == notes + 1


@pytest.mark.slow
def test_what_the_backup_has_not_all_of_is_not_put_back_as_if_it_were_all(backed: Home) -> None:
    backed.saved("note", "add", "--client", "C-014", stdin="never backed up\n")
    backed.run("verify", open_it=True)
    shutil.rmtree(backed.vault)
    half = backed.run("backup", "heal", code=2).stdout
    assert "The vault itself still cannot be used." in half
    assert "`notevault backup restore --from DIR --to NEWVAULT`" in half


@pytest.mark.slow
def test_an_older_vault_put_back_is_not_backed_up_over_the_newer_backup(backed: Home, tmp_path: Path) -> None:
    shutil.copytree(backed.vault, tmp_path / "old")
    backed.saved("note", "add", "--client", "C-014", stdin="newer\n")
    backed.run("backup", "run")
    shutil.rmtree(backed.vault)
    shutil.copytree(tmp_path / "old", backed.vault)
    size = backed.log_size()
    done = backed.run("backup", "run", code=1).stdout
    assert "It holds newer notes than this vault" in done
    for words in (("backup", "verify", "--full"), ("backup", "verify"), ("_record", "--vault", str(backed.vault))):
        backed.run(*words)
    backed.run("backup", "heal", code=1)
    backed.run("backup", "run", code=1)
    assert backed.log_size() == size, "an entry would make two logs of which neither goes on from the other"
    assert "backup restore" in done
    assert "NEWER THAN THE VAULT" in backed.run("backup", "status", code=1).stdout


@pytest.mark.slow
def test_a_copy_of_the_vault_is_neither_healed_nor_checked_against_its_places(backed: Home, tmp_path: Path) -> None:
    backed.objects("note", "list")  # from then on this laptop knows where its vault lies
    shutil.copytree(backed.vault, tmp_path / "copy")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for word in ("heal", "verify", "run"):
        told = backed.run("backup", word, "--vault", str(tmp_path / "copy"), code=77).stderr
        assert "copy of the vault" in told
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_a_backup_that_was_deleted_from_its_disk_is_red_and_is_replaced_by_adding_the_folder_again(
    backed: Home, stick: Path
) -> None:
    shutil.rmtree(stick / "notevault")
    for words in (("status",), ("run",), ("verify",)):
        told = backed.run("backup", *words, code=2).stdout
        assert "Its backup is gone from the folder" in told
        assert "`notevault backup add DIR`" in told
    doctor = backed.run("doctor").stdout
    assert "is unplugged" not in doctor
    assert "No backup place has a good backup" in doctor
    assert not (stick / "notevault").exists()
    backed.saved("backup", "add", str(stick))
    backed.run("backup", "run")
    assert backed.run("backup", "list").stdout.count("\n") == 1
    assert backed.run("backup", "status").stdout.startswith("What was saved is in 1 backup place.")


@pytest.mark.slow
def test_healing_is_no_success_while_a_place_that_should_be_there_could_not_be_healed(
    backed: Home, stick: Path, tmp_path: Path
) -> None:
    (tmp_path / "nas").mkdir()
    backed.saved("backup", "add", str(tmp_path / "nas"))
    backed.run("backup", "run")
    shutil.rmtree(stick / "notevault")
    healed = backed.run("backup", "heal", code=2).stdout
    assert "USB Blue could not be healed. Its backup is gone from the folder" in healed
    assert "-> If it was moved: `notevault backup add DIR`" in healed
    shutil.rmtree(stick)
    pluggable(backed)
    places = places_of(backed)
    (blue,) = [place for place in places.all() if place.name == "USB Blue"]
    places.save_state(blue.id, replace(places.state(blue.id), verdict="hurt", hurt=1))
    healed = backed.run("backup", "heal", code=2).stdout
    assert "USB Blue could not be healed." in healed
    assert "-> Plug in USB Blue or connect to it, then `notevault backup heal` again." in healed
    places.save_state(blue.id, replace(places.state(blue.id), verdict="safe", hurt=0))
    healed = backed.run("backup", "heal").stdout
    assert (
        healed == "Nothing had to be put back. USB Blue is not there, so it was not looked at.\n"
    )  # sticks take turns


@pytest.mark.slow
def test_what_no_copy_has_stays_said_and_a_place_that_is_gone_for_good_is_no_dead_end(
    backed: Home, stick: Path, tmp_path: Path
) -> None:
    (tmp_path / "drawer").mkdir()
    backed.saved("backup", "add", str(tmp_path / "drawer"), "--name", "Old Stick")
    backed.run("backup", "run")
    (tmp_path / "drawer").rename(tmp_path / "lost")
    known = set(sealed_files(backed.vault))
    for number in range(6):
        backed.saved("note", "add", "--client", "C-014", stdin=f"never backed up {number}\n")
    for path in set(sealed_files(backed.vault)) - known:
        path.unlink()
    backed.run("backup", "run", code=2)
    for _ in range(2):
        healed = backed.run("backup", "heal", code=1).stdout
        assert "Backups are still stopped." in healed
        assert "`notevault backup remove 'Old Stick'`" in healed
    backed.run("backup", "remove", "Old Stick")
    assert "Backups go on." in backed.run("backup", "heal", code=1).stdout
    assert backed.run("backup", "run").returncode == 0
    status = backed.run("backup", "status").stdout
    assert "6 saved files are in no copy" in status
    assert "`notevault backup heal --from DIR`" in status
    (whole,) = objects(backed, "backup", "status")[-1:]
    assert whole["colour"] == "amber"


# -- the log, the doctor, the auditor


@pytest.mark.slow
def test_what_was_done_stands_in_the_log_and_nothing_to_do_does_not(worked: Home, stick: Path) -> None:
    worked.run("backup", "add", str(stick))
    worked.run("backup", "run")
    files = len(sealed_files(stick))
    size = worked.log_size()
    worked.run("backup", "run")
    worked.run("backup", "run")
    assert worked.log_size() == size  # nothing new: no event
    worked.run("backup", "verify", "--full")
    spoil(sealed_files(stick)[0])
    worked.run("backup", "verify", "--full", code=1)
    worked.run("backup", "heal")
    worked.run("backup", "remove", "stick")
    found = [(one.ev, one.o, one.k) for one in told(worked)]
    assert [event for event, _, _ in found] == [
        "backup.place",
        "backup.run",
        "backup.verify",
        "backup.verify",
        "backup.heal",
        "backup.place",
    ]
    assert [outcome for _, outcome, _ in found] == ["ok", "ok", "ok", "fail", "ok", "ok"]
    assert (found[0][2], found[-1][2]) == ({"n": 1, "to": "added"}, {"n": 0, "to": "removed"})
    assert found[1][2] == {"n": files}
    assert found[4][2] == {"n": 1}
    assert not list((worked.local / "backup" / "results").iterdir())
    assert worked.run("verify", open_it=True).returncode == 0


@pytest.mark.slow
def test_the_doctor_knows_the_rule_of_three(worked: Home, stick: Path, tmp_path: Path) -> None:
    def items() -> dict[str, tuple[str, str]]:
        return {str(one["topic"]): (str(one["state"]), str(one["sentence"])) for one in worked.objects("doctor")}

    assert items()["backup"][0] == "bad"
    worked.run("backup", "add", str(stick), "--name", "USB Blue")
    worked.run("backup", "run")
    one = items()
    assert one["backup"] == ("good", "What was saved is in 1 backup place.")
    assert one["backup copies"][0] == "warn"
    assert one["backup disk"] == (
        "warn",
        "USB Blue lies on the vault's own disk: when that fails or is stolen, both are gone.",
    )
    assert one["unplugged backup"][0] == "warn"
    assert one["practice restore"][0] == "warn"
    (tmp_path / "nas").mkdir()
    worked.run("backup", "add", str(tmp_path / "nas"))
    worked.run("backup", "run")
    pluggable(worked)
    stick.rename(tmp_path / "drawer")
    worked.run("backup", "run")
    two = items()
    assert two["backup copies"] == ("good", "2 backup places, and the vault itself.")
    assert two["unplugged backup"][0] == "good"


@pytest.mark.slow
def test_a_backup_place_vouches_for_the_log_by_itself(worked: Home, stick: Path) -> None:
    *_, before = objects(worked, "audit", "verify")
    assert before["vouched"] == 0
    worked.run("backup", "add", str(stick))
    worked.run("backup", "run")
    *_, after = objects(worked, "audit", "verify")
    assert after["verdict"] == "intact"
    assert int(str(after["vouched"])) > 0


# -- no key in reach, and codes


@pytest.mark.slow
def test_no_command_of_these_imports_anything_that_knows_a_key(backed: Home) -> None:
    code = (
        "import sys\nfrom notevault.__main__ import main\n"
        "for words in ('list', 'run', 'status', 'verify', 'verify --full', 'heal', 'remove nothing'):\n"
        "    main(['backup', *words.split()])\n"
        "rooms = ('notevault.vault', 'notevault.crypto', 'notevault.app', 'notevault.domain', 'cryptography',\n"
        "         'argon2', 'keyring', 'prompt_toolkit', 'watchdog', 'sqlite3')\n"
        "heavy = [name for name in sys.modules if name.startswith(rooms)]\n"
        "sys.exit(repr(heavy) if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=backed.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_verdict_has_its_exit_code() -> None:
    assert {verdict: code_of(verdict) for verdict in model.VERDICTS} == {
        "safe": 0, "waiting": 0, "absent": 66, "busy": 75, "slow": 74, "full": 73, "read-only": 73, "broken": 74,
        "fault": 70, "hurt": 1, "ahead": 1, "forked": 1, "foreign": 2, "planted": 2, "shrunk": 2, "emptied": 2,
        "source": 2, "frozen": 2,
    }  # fmt: skip
    assert worst([0, 66, 2, 73]) == 2
    assert worst([0, 74, 1]) == 1
    assert worst([]) == worst([0]) == 0
    assert code_of_all(["safe", "absent"], named=False) == 0
    assert code_of_all(["safe", "absent"], named=True) == 66
    assert code_of_all(["absent", "absent"], named=False) == 66
    assert code_of_all(["absent", "full"], named=False) == 73


def test_sizes_are_said_in_round_numbers() -> None:
    assert [size_words(n) for n in (0, 999, 1000, 8_400, 113_000_000, 2_340_000_000)] == [
        "0 bytes", "999 bytes", "1.0 KB", "8.4 KB", "113.0 MB", "2.3 GB",
    ]  # fmt: skip
