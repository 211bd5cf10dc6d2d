"""The command `nvaudit` itself: its words, its exit codes, and what happens when the world does not play along."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notevault import __version__
from notevault.auditlog import cli, cli_line, cli_say, cli_words, ed25519, plain
from notevault.auditlog.events import EVENTS, OUTCOMES, PURPOSES
from notevault.auditlog.version import version
from tests.auditlog import forge, sample
from tests.auditlog.forge import Forge, busy
from tests.auditlog.nvaudit import PROGRAM, ROOT, Run, program

posix = pytest.mark.skipif(sys.platform == "win32", reason="pipes and signals as POSIX has them")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return busy(tmp_path_factory.mktemp("nvaudit") / "vault", 300)


def test_help_and_version_end_well(run: Run) -> None:
    for word in ("--help", "-h", "help"):
        said = run(word)
        assert (said.code, said.err) == (0, "")
        assert all(f"nvaudit {command}" in said.out for command in cli_words.COMMANDS)
        assert max(map(len, said.out.splitlines())) < 80
    assert run("--version").out == f"nvaudit {__version__}\n"
    assert version() == __version__


@pytest.mark.parametrize("command", [*cli_words.COMMANDS[:-2], "witness new", "cosign"])
def test_every_command_has_its_help(run: Run, command: str) -> None:
    said = run(*command.split(), "--help")
    assert said.code == 0
    assert f"usage: nvaudit {command}" in said.out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "Nothing was asked for"),
        (["chek", "x"], "Did you mean `nvaudit check`?"),
        (["verify", "x"], "Did you mean `nvaudit check`?"),
        (["frobnicate"], "`nvaudit --help`"),
        (["--card", "x", "check"], "The command comes first"),
        (["check"], "This is still needed: FOLDER"),
        (["check", "x", "--carrd", "y"], "Did you mean --card?"),
        (["check", "x", "--card", "1a2b", "3c4d", "5e6f"], "A fingerprint goes in quotes"),
        (["check", "x", "y"], "This is not known here: y"),
        (["check", "x", "--log"], "Did you mean --log-only?"),
        (["witness"], "witness new NAME"),
        (["witness", "old"], "witness new NAME"),
        (["proof", "x", "--entry", "-1", "--out", "y"], "--entry"),
        (["proof", "x", "--entry", "three", "--out", "y"], "an entry's number is 0, 1, 2"),
        (["check", "a\0b"], "zero byte"),
    ],
)
def test_a_wrong_command_line_is_64_with_a_sentence_and_a_step(run: Run, argv: list[str], words: str) -> None:
    said = run(*argv)
    assert said.code == 64
    assert said.out == ""
    assert words in said.err
    assert said.err.startswith("nvaudit: ")
    assert len(said.err.splitlines()) == 2


def test_a_folder_without_a_log_is_66_with_a_step(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "hollow" / "audit").mkdir(parents=True)
    for folder, words in (
        (tmp_path / "nowhere", "is not there"),
        (tmp_path / "file", "is not a folder"),
        (tmp_path / "empty", "there is no log in it"),
        (tmp_path / "hollow", "there is no log in it"),
        ("", "not the name of a folder"),
    ):
        for command in (["check"], ["card"], ["entries"], ["export", "--out", tmp_path / "x"]):
            said = run(command[0], folder, *command[1:])
            assert said.code == 66, folder
            assert words in said.err
            assert len(said.err.splitlines()) == 2
            assert said.out == ""


def test_the_logs_alone_or_one_of_them_will_do(run: Run, vault: Forge) -> None:
    for folder in (vault.folder / "audit", vault.logs[0].folder):
        said = run("check", folder, "--card", vault.fingerprint, "--log-only")
        assert "as signed" in said.out
        assert run("card", folder).code == 0


def test_a_backup_place_with_one_vault_is_looked_into(run: Run, tmp_path: Path) -> None:
    inner = tmp_path / "place" / "notevault" / sample.VAULT
    busy(inner, 20)
    said = run("card", tmp_path / "place")
    assert said.code == 0
    assert f"looking at {inner}" in said.err
    busy(tmp_path / "place" / "notevault" / ("0" * 32), 20)
    said = run("card", tmp_path / "place")
    assert said.code == 66
    assert str(inner) in said.err


@posix
def test_names_in_any_encoding_give_sentences_not_exceptions(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9 \x1b[31m\n")
    said = program("check", odd)
    assert said.code == 66
    assert "\x1b" not in said.err
    busy(odd, 20)
    said = program("check", odd, "--card", forge.Forge(tmp_path / "x").vik.hex()[:32])
    assert said.code in (1, 2)
    said = program("card", odd, env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"})
    assert said.code == 0
    assert "\x1b" not in said.all


@posix
def test_a_reader_that_goes_away_changes_neither_the_verdict_nor_the_report(vault: Forge, tmp_path: Path) -> None:
    for command in (["check", "--out", str(tmp_path / "r.json")], ["entries"]):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [*PROGRAM, command[0], str(vault.folder), "--card", vault.fingerprint, *command[1:]],
            cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, timeout=60,
        )  # fmt: skip
        os.close(writer)
        assert (done.returncode, done.stderr) == (0, b""), command
    assert (tmp_path / "r.json").stat().st_size > 1000


@posix
def test_closed_streams_are_no_fault_of_ours(vault: Forge) -> None:
    for closing in (">&-", "2>&-", ">&- 2>&-", "<&-"):
        line = f'"$@" {closing}'
        argv = ["sh", "-c", line, "sh", *PROGRAM, "check", str(vault.folder), "--card", vault.fingerprint]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, timeout=60)
        assert done.returncode == 0, closing
        assert b"Traceback" not in done.stderr
        assert b"Exception" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_the_answer_is_74_but_never_hides_tampering(tmp_path: Path) -> None:
    vault = busy(tmp_path / "vault", 30)
    argv = [*PROGRAM, "check", str(vault.folder), "--card", vault.fingerprint]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(argv, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 74
        assert b"could not be written" in done.stderr
        assert b"Traceback" not in done.stderr
        vault.path(vault.logs[0], "open").write_bytes(b"")
        done = subprocess.run(argv, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 1


@pytest.mark.slow
@posix
def test_an_interrupt_is_130_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    """Ctrl-C at a terminal, once the progress line shows that the work has begun."""
    import pexpect

    vault = busy(tmp_path / "vault", 40_000, blobs=False)
    out = tmp_path / "out"
    out.mkdir()
    argv = [*PROGRAM[1:], "check", str(vault.folder), "--card", vault.fingerprint]
    child = pexpect.spawn(
        PROGRAM[0], [*argv, "--out", str(out / "r.json"), "--state", str(out / "state")], cwd=str(ROOT), timeout=60,
        encoding="utf-8",
    )  # fmt: skip
    child.expect("log entries: [0-9,]+ of 40,")
    child.sendintr()
    child.expect("Interrupted.")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert "Traceback" not in child.before
    assert list(out.iterdir()) == []


def test_a_fault_of_our_own_is_70_without_a_word_of_the_exception(
    run: Run, vault: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret words of an exception")

    monkeypatch.setitem(cli._HANDLERS, "card", "broken:broken")
    module = type(sys)("notevault.auditlog.broken")
    module.broken = broken  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "notevault.auditlog.broken", module)
    said = run("card", vault.folder)
    assert said.code == 70
    assert "ZeroDivisionError" in said.err
    assert "says nothing about the log" in said.err
    assert "secret words" not in said.all


def test_a_broken_cryptography_is_passed_over(tmp_path: Path) -> None:
    """A build that panics, one that accepts everything, and one that is not there."""
    bodies = {
        "panics": "class Panic(BaseException): pass\nraise Panic('built for another machine')",
        "accepts": "",
        "absent": None,
    }
    accepts = (
        "class Ed25519PublicKey:\n    from_public_bytes = classmethod(lambda c, b: c())\n    verify = lambda *a: None"
    )
    for name, body in bodies.items():
        inner = tmp_path / name / "cryptography" / "hazmat" / "primitives" / "asymmetric"
        if body is not None:
            inner.mkdir(parents=True)
            for folder in (inner, *list(inner.parents)[:3]):
                (folder / "__init__.py").write_text("")
            (tmp_path / name / "cryptography" / "__init__.py").write_text(body)
            (tmp_path / name / "cryptography" / "exceptions.py").write_text("class InvalidSignature(Exception): pass")
            (inner / "ed25519.py").write_text(accepts)
        else:
            (tmp_path / name).mkdir()
        code = "from notevault.auditlog.cli import verifier; print(verifier()[1])"
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / name), str(ROOT)])}
        flags = ["-S"] if body is None else []
        done = subprocess.run(
            [sys.executable, *flags, "-c", code], env=env, capture_output=True, text=True, cwd=tmp_path
        )
        assert done.stdout == "nvaudit's own Ed25519\n", (name, done.stderr)


def test_the_quick_verifier_is_used_where_it_is_sound() -> None:
    verify, by = cli.verifier()
    assert by == "the package cryptography"
    for check in (verify, ed25519.verify):
        assert check(cli._PUB, b"", cli._SIG)
        assert not check(cli._PUB, b"x", cli._SIG)
        assert not check(b"short", b"", cli._SIG)


def test_every_event_outcome_and_purpose_has_its_words() -> None:
    assert set(cli_line.WORDS) == set(EVENTS) == set(plain.EVENTS)
    assert set(plain.OUTCOMES) == set(OUTCOMES)
    assert set(plain.PURPOSES) == set(PURPOSES)


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_every_event_is_told_on_one_line_that_fits_a_screen(event: str) -> None:
    from notevault.auditlog import entry

    for outcome in ("ok", "reported"):
        fields = sample.fields(7, event, o=outcome)
        if outcome == "reported":
            fields["k"] = {**fields.get("k", {}), "at": sample.START_MS - 1000}
        one = entry.parse(entry.encode(fields))
        assert isinstance(one, entry.Entry)
        line = cli_line.line_of(one)
        assert "\n" not in line
        assert len(line) < 160
        assert event not in line, "in words"
        assert ("on 2025-11-21 15:59:59" in line) == (outcome == "reported")


def test_a_time_beyond_all_calendars_is_still_told() -> None:
    assert cli_line.moment(2**53 - 1) == "9007199254740991 ms"
    assert cli_line.moment(sample.START_MS) == "2025-11-21 16:00:00"


@pytest.mark.parametrize(
    ("done", "total", "seconds", "line"),
    [
        (0, 10, 0.0, "notes: 0 of 10"),
        (512_000, 1_000_000, 0.5, "notes: 512,000 of 1,000,000"),
        (500_000, 1_000_000, 5.0, "notes: 500,000 of 1,000,000 · 100,000 a second · about 5 s left"),
        (100, 10_000_000, 2.0, "notes: 100 of 10,000,000 · 50 a second · about 55.6 h left"),
        (600, 12_000, 6.0, "notes: 600 of 12,000 · 100 a second · about 2 min left"),
        (10, 10, 5.0, "notes: 10 of 10 · 2 a second"),
        (700, 0, 7.0, "notes: 700 · 100 a second"),
    ],
)
def test_progress_tells_a_rate_only_once_it_means_something(done: int, total: int, seconds: float, line: str) -> None:
    assert cli_say.progress_line("notes", done, total, seconds) == line


@given(st.text())
def test_no_text_commands_a_terminal(text: str) -> None:
    shown = cli_say.harmless(text)
    assert all(ch.isprintable() or ch in "\n\t" or "\ud800" <= ch <= "\udfff" for ch in shown)
    if text.isprintable():
        assert shown == text


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([*cli_words.COMMANDS, "new", "--card", "--out", "--state", "--entry", "", "\0", "x" * 300])
    )
)
def test_no_command_line_ends_in_a_traceback(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, argv: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*argv).code in (0, 64, 66, 73, 74)
