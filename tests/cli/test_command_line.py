"""The command line itself: what is refused, what is suggested, what never waits, and every exit code."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.cli.commands import COMMANDS, COMMON, ORDER
from notevault.cli.main import split
from notevault.cli.parser import build
from notevault.errors import UsageFault
from tests.cli.homes import ROOT, Home

# -- words and options

PREFIX = st.lists(
    st.sampled_from([("--json",), ("--plain",), ("--no-input",), ("--vault", "here"), ("--vault=here",)]), max_size=4
)


@given(PREFIX, PREFIX, st.sampled_from(["note list", "client list", "verify", "doctor", "sheet new"]))
def test_options_mean_the_same_before_and_after(
    before: list[tuple[str, ...]], after: list[tuple[str, ...]], name: str
) -> None:
    early = [word for option in before + after for word in option]
    late = [word for option in after for word in option]
    front = [word for option in before for word in option]
    parser = build(name, COMMANDS[name])
    words, options, rest = split([*front, *name.split(), *late])
    assert words == name.split()
    assert vars(parser.parse([*options, *rest])) == vars(parser.parse(early))


@given(st.lists(st.text(max_size=12), max_size=6))
def test_splitting_never_loses_a_word(argv: list[str]) -> None:
    try:
        words, options, rest = split(argv)
    except UsageFault:
        return
    assert sorted([*words, *options, *rest]) == sorted("version" if w == "--version" else w for w in argv) or (
        "--version" in argv
    )


@given(st.lists(st.text(max_size=20), max_size=5), st.sampled_from(sorted(COMMANDS)))
def test_a_usage_fault_never_repeats_what_was_typed(argv: list[str], name: str) -> None:
    secret = "xq7secretzz"
    with pytest.raises(UsageFault) as caught:
        build(name, COMMANDS[name]).parse([*argv, "--hours", secret, "--limit", secret, secret, f"--odd={secret}"])
    assert secret not in caught.value.sentence + caught.value.next_step


def test_every_command_is_on_the_front_page_and_has_help(bare: Home) -> None:
    assert sorted(name for _, names in ORDER for name in names) == sorted(COMMANDS)
    page = bare.run("--help").stdout
    assert bare.run("help").stdout == bare.run("-h").stdout == page
    for name in COMMANDS:
        assert f"  {name} " in page
    for words in (("help", "note", "add"), ("note", "add", "--help"), ("note", "--help", "add")):
        text = bare.run(*words).stdout
        assert text.startswith("usage: notevault note add")
        assert all(option in text for option, _ in COMMON)
    assert "note history" in bare.run("note", "--help").stdout
    assert bare.run("help", "nothing", code=64).stdout == ""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("finde", "find"), ("note lsit", "note list"), ("clients", "client"), ("verfiy", "verify"), ("imoprt", "import")],
)
def test_a_mistyped_command_is_suggested_and_not_run(worked: Home, typed: str, meant: str) -> None:
    before = worked.log_size()
    done = worked.run(*typed.split(), open_it=True, code=64)
    assert f"Did you mean `notevault {meant}`?" in done.stderr
    assert worked.log_size() == before


def test_half_a_command_names_its_other_half(bare: Home) -> None:
    assert "add, list, show, history" in bare.run("note", code=64).stderr


@pytest.mark.parametrize(
    "words",
    [
        ("note", "add", "--client", "C-014", "the confidential words"),
        ("note", "add", "--client", "C-014", "-m", "the confidential words"),
        ("note", "add", "--text=the confidential words", "--client", "C-014"),
        ("--passphrase", "the confidential words", "client", "list"),
        ("client", "list", "--password=the confidential words"),
        ("note", "add", "--passphrase=the confidential words"),
        ("client", "list", "the confidential words"),
        ("client", "list", "--passphrase-fil", "the confidential words"),
        ("the confidential words",),
    ],
)
def test_secrets_and_texts_on_the_command_line_are_refused_and_never_repeated(
    bare: Home, words: tuple[str, ...]
) -> None:
    done = bare.run(*words, code=64)
    assert "confidential" not in done.stdout + done.stderr


def test_help_and_version_cost_no_heavy_import() -> None:
    code = (
        "import sys\nfrom notevault.__main__ import main\n"
        "for argv in (['--help'], ['--version'], ['note', 'add', '--help'], ['nonsense']): main(argv)\n"
        "heavy = {'cryptography', 'argon2', 'prompt_toolkit', 'keyring', 'sqlite3', 'reportlab', 'zxcvbn'}\n"
        "sys.exit(repr(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# -- nothing waits


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 66),
        (("shell",), 66),
        (("--no-input",), 66),
        (("demo",), 64),
        (("client", "list"), 66),
        (("doctor",), 66),
        (("recover",), 66),
        (("init", "--sheet", "sheet.pdf"), 64),
        (("init",), 64),
        (("lock",), 66),
    ],
)
def test_without_a_terminal_and_a_vault_nothing_waits(bare: Home, words: tuple[str, ...], code: int) -> None:
    done = bare.run(*words, code=code)
    assert done.stderr or words == ("doctor",)
    assert not (bare.path / "sheet.pdf").exists()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("client", "list"),
        ("verify",),
        ("sheet", "new", "--sheet", "new.txt"),
        ("sheet", "confirm"),
        ("recover",),
        ("passphrase", "change"),
        ("import", "sheet.txt"),
        ("doctor", "--confirm-rollback"),
    ],
)
def test_without_a_terminal_what_must_be_asked_is_wrong_use(home: Home, words: tuple[str, ...]) -> None:
    assert home.run(*words, code=64).stderr
    assert not (home.path / "new.txt").exists()


@pytest.mark.slow
def test_only_one_thing_comes_from_standard_input(worked: Home) -> None:
    twice = worked.run("note", "add", "--client", "C-014", "--file", "-", "--passphrase-file", "-", code=64, stdin="x")
    assert "standard input" in twice.stderr
    silent = worked.run("note", "add", "--client", "C-014", "--passphrase-file", "-", code=64, stdin="x")
    assert "standard input" in silent.stderr


# -- passphrase files


@pytest.mark.slow
def test_a_passphrase_file_is_its_first_line(worked: Home) -> None:
    from tests.cli.homes import PASSPHRASE

    for text in (PASSPHRASE, f"{PASSPHRASE}\r\nsomething else\n", f"\ufeff{PASSPHRASE}\n"):
        done = worked.run("client", "list", "--passphrase-file", worked.file("p", text))
        assert done.stderr == ""
    assert worked.run("client", "list", "--passphrase-file", "-", stdin=PASSPHRASE + "\n").stderr == ""


@pytest.mark.parametrize("text", ["", "\n", "x" * 4097, b"\xff\xfe\x00"])
def test_a_passphrase_file_that_cannot_be_one_is_refused(worked: Home, text: str | bytes) -> None:
    worked.run("client", "list", "--passphrase-file", worked.file("p", text), code=64)


def test_a_passphrase_file_that_others_can_read_is_remarked_on(worked: Home) -> None:
    from tests.cli.homes import PASSPHRASE

    done = worked.run("client", "list", "--passphrase-file", worked.file("p", PASSPHRASE, 0o644))
    assert "chmod 600" in done.stderr
    assert PASSPHRASE not in done.stderr


# -- exit codes


def blob_of(home: Home) -> Path:
    return max(home.vault.glob("blobs/*/*"))


def test_1_is_for_proof(worked: Home) -> None:
    path = blob_of(worked)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    done = worked.run("verify", open_it=True, code=1)
    (finding, ending) = done.stdout.splitlines()
    assert finding.startswith("BLOB")
    assert path.name[:12] in finding
    assert ending.startswith("NOT INTACT")


def test_2_is_for_what_cannot_be_decided(worked: Home) -> None:
    (worked.local / "device").write_bytes(b"not a device file\n")
    done = worked.run("verify", open_it=True, code=2)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("NOT OPENED: The file in which this laptop keeps where its key")
    assert "`notevault recover`" in done.stderr
    assert "backup heal" not in done.stderr, "no backup has that file"
    assert lines[-1].startswith("CANNOT DECIDE")


@pytest.mark.slow
def test_an_older_copy_is_proven_read_and_not_written_to(worked: Home, tmp_path: Path) -> None:
    old = worked.copy(tmp_path / "old")
    worked.saved("note", "add", "--client", "C-014", stdin="Newer than the copy.")
    shutil.rmtree(worked.vault)
    shutil.copytree(old.vault, worked.vault)
    assert "ROLLED BACK" in worked.run("verify", open_it=True, code=1).stdout
    refused = worked.run("note", "add", "--client", "C-014", stdin="Not now.", open_it=True, code=73)
    assert "read-only" in refused.stderr
    assert "Slept four hours." in worked.run("find", "slept", open_it=True).stdout


def test_65_is_for_damage(worked: Home) -> None:
    for path in worked.vault.glob("headers/*/*"):
        path.write_bytes(path.read_bytes()[:-10])
    worked.run("client", "list", open_it=True, code=65)
    assert worked.run("verify", open_it=True, code=1).stdout.splitlines()[-1].startswith("NOT INTACT")
    worked.run("doctor", code=65)


def test_66_is_for_what_is_not_there(bare: Home) -> None:
    assert "no vault" in bare.run("client", "list", open_it=True, code=66).stderr


def test_69_is_for_a_missing_key_of_this_laptop(worked: Home) -> None:
    worked.key_file.unlink()
    assert "recover" in worked.run("client", "list", open_it=True, code=69).stderr


def test_70_says_where_and_nothing_else(bare: Home) -> None:
    code = (
        "import sys\nfrom notevault.cli import commands, main\n"
        "commands.COMMANDS['boom'] = commands.Command('parser:count', 'a function that cannot take what it is given')\n"
        "sys.exit(main.main(['boom']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=bare.env, cwd=bare.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 70
    assert done.stdout == ""
    assert "(AttributeError at cli/parser.py:" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Context" not in done.stderr


def test_73_is_for_a_place_that_cannot_be_written(bare: Home) -> None:
    name = bare.file("p", "a long and winding passphrase\n")
    bare.run("init", "--sheet", "nowhere/sheet.txt", "--passphrase-file", name, code=73)
    assert not bare.vault.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_74_is_for_an_answer_that_cannot_be_written(worked: Home) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        done = worked.run("client", "list", open_it=True, stdout=full, code=74)
    finally:
        os.close(full)
    assert "could not be written" in done.stderr


@pytest.mark.slow
def test_75_is_for_a_vault_that_another_process_writes_to(worked: Home) -> None:
    with (worked.local / "lock").open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        fcntl.lockf(file, fcntl.LOCK_EX)
        done = worked.run("note", "add", "--client", "C-014", stdin="Waiting.", open_it=True, code=75)
    assert "Another notevault" in done.stderr


def test_77_is_for_a_wrong_passphrase_and_says_nothing_of_damage(worked: Home) -> None:
    done = worked.run("client", "list", "--passphrase-file", worked.file("wrong", "wrong\n"), code=77)
    assert "damage" not in done.stderr
    assert "Caps Lock" in done.stderr


@pytest.mark.slow
def test_130_is_for_an_interrupt(worked: Home) -> None:
    command = [sys.executable, "-m", "notevault", "note", "add", "--client", "C-014"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=worked.env, cwd=worked.path
    )
    assert process.stdin is not None
    process.stdin.write(b"Begun.")
    process.stdin.flush()
    end = time.monotonic() + 60
    while fcntl.ioctl(process.stdin, termios.FIONREAD, bytes(4)) != bytes(4):  # then it waits for the rest of the note
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == b"notevault: Interrupted.\n"


def test_a_reader_that_goes_away_is_no_reason_for_words(worked: Home) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = worked.run("note", "list", open_it=True, stdout=write, code=74)
    finally:
        os.close(write)
    assert done.stderr == ""


@pytest.mark.slow
def test_streams_that_the_caller_closed_are_no_fault_of_ours(worked: Home) -> None:
    flag, name = worked.passphrase
    for closed in ("<&-", ">&-", "2>&-", ">&- 2>&-"):
        command = f"exec {closed}; exec {sys.executable} -m notevault client list {flag} '{name}'"
        done = subprocess.run(
            ["/bin/sh", "-c", command], env=worked.env, cwd=worked.path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (closed, done.stderr)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["~nobody-is-called-so/s.txt", "a" * 300 + ".txt"])
def test_a_place_that_cannot_be_is_a_wrong_use(bare: Home, name: str) -> None:
    for words in (("--vault", name, "note", "list"), ("init", "--sheet", name)):
        assert "No file or folder can have that name." in bare.run(*words, code=64).stderr
