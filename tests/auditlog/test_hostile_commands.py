"""A folder whose owner works against the auditor: what `nvaudit` prints, signs, remembers and where it writes."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from notevault.auditlog import bundle, card, checkpoint, cli, cosign, entry, state
from notevault.auditlog.cli_card import pasted
from tests.auditlog import sample
from tests.auditlog.forge import FastKey, Forge, busy
from tests.auditlog.nvaudit import NOW, Run

posix = pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not have")


class Watched(io.StringIO):
    """A stream whose first words, which come when the check is over, make somebody act on the folder."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act = act

    def write(self, text: str) -> int:
        act, self._act = self._act, lambda: None
        act()
        return super().write(text)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


@pytest.fixture
def vault(tmp_path: Path) -> Forge:
    made = Forge(tmp_path / "vault")
    log = made.begin()
    log.add("session.open")
    for _ in range(20):
        log.add("record.open", client="C-1")
    log.add("record.export", client="C-1")
    (tmp_path / "card").write_bytes(made.card)
    return made.store()


def words(*argv: object) -> list[str]:
    return [str(word) for word in argv]


def test_a_witness_signs_the_very_bytes_that_were_judged(vault: Forge, run: Run, tmp_path: Path) -> None:
    """When the check is done, a state of another log takes the place: same size, same root, another's keys."""
    log, key, out = vault.logs[0], tmp_path / "key", tmp_path / "seen"
    run("witness", "new", "auditor.example", "--out", key)
    identity, first = FastKey("another identity"), FastKey("another epoch")
    other = card.origin_of(identity.pub, first.pub)
    evil = checkpoint.make(other, log.size, log.root(), 0, identity.sign, first.sign, identity.pub, first.pub)
    argv = words(
        "cosign", vault.folder, "--key", key, "--card", tmp_path / "card", "--state", tmp_path / "state", "--out", out
    )
    with contextlib.redirect_stderr(Watched(lambda: log.sign(evil))):
        assert cli.main(argv, clock=lambda: NOW) == 0
    assert vault.path(log, "checkpoint").read_bytes() == evil, "it was there in time"
    signed = cosign.parse(out.read_bytes())
    assert isinstance(signed, cosign.Cosigned)
    assert signed.raw.startswith(log.signed())
    assert signed.checkpoint.origin == log.origin


def test_entries_that_changed_after_the_check_are_not_shown_as_checked(vault: Forge, tmp_path: Path) -> None:
    log = vault.logs[0]
    forged = [*log.entries[:-1], entry.encode({**sample.fields(log.size - 1, "search.run"), "p": "0" * 32})]

    def act() -> None:
        vault.path(log, "open").write_bytes(bundle.pack(forged))

    out, err = Watched(act), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(words("entries", vault.folder, "--card", tmp_path / "card"), clock=lambda: NOW)
    assert code == 2
    assert "  search " not in out.getvalue(), "what nobody checked is not printed"
    assert "changed between the check and the printing" in err.getvalue()


def test_a_disclosed_clients_entries_are_those_that_were_checked(vault: Forge, tmp_path: Path) -> None:
    log = vault.logs[0]
    (tmp_path / "disclosure").write_bytes(vault.disclosure("C-1", 2025))

    def act() -> None:
        vault.path(log, "open").write_bytes(bundle.pack(log.entries[:5] + log.entries[6:] + log.entries[5:6]))

    out = Watched(act)
    argv = words("entries", vault.folder, "--card", tmp_path / "card", "--disclosure", tmp_path / "disclosure")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert cli.main(argv, clock=lambda: NOW) == 2
    assert "open a record" not in out.getvalue()


def test_entries_of_an_unchanged_log_of_several_bundles_are_all_shown(run: Run, tmp_path: Path) -> None:
    made = busy(tmp_path / "vault", 700, epochs=2)
    (tmp_path / "card").write_bytes(made.card)
    said = run("entries", made.folder, "--card", tmp_path / "card")
    assert (said.code, said.out.count(" · ")) == (0, made.logs[0].size)


def test_with_more_logs_than_the_state_file_holds_the_current_one_is_remembered(run: Run, tmp_path: Path) -> None:
    made = Forge(tmp_path / "vault")
    for _ in range(state.MAX_LOGS + 1):
        made.recover() if made.logs else made.begin()
    current = made.logs[-1]
    for _ in range(20):
        current.add("session.open")
    made.store()
    paper, kept = tmp_path / "card", tmp_path / "state"
    paper.write_bytes(made.card)
    said = run("check", made.folder, "--card", paper, "--state", kept, "--log-only", "--quiet")
    assert (said.code, said.out) == (2, "")
    assert "of 1 more nothing was remembered" in said.err
    remembered = state.load(kept)
    assert isinstance(remembered, state.State)
    assert remembered.logs[current.origin][-1].size == current.size
    current.entries, current.leaves = current.entries[:11], current.leaves[:11]
    made.store()
    assert run("check", made.folder, "--state", kept, "--log-only", "--quiet").code == 1, "rolled back since"


def test_a_full_state_file_makes_room_for_the_log_that_is_being_written() -> None:
    heads = {f"{k:032x}": (state.Head(5, bytes(32), 1000 + k),) for k in range(state.MAX_LOGS)}
    full = state.State("a1" * 16, "b2" * 32, "c3" * 16, heads)
    roomy = state.with_room(full, "f" * 32)
    assert heads.keys() - roomy.logs.keys() == {f"{0:032x}"}, "the one that rested longest"
    assert state.with_room(full, f"{7:032x}") is full
    grown = state.with_visit(roomy, "f" * 32, 1, bytes(32), 5000)
    assert isinstance(grown, state.State)
    assert state.parse(state.dump(grown)) == grown


@posix
@pytest.mark.parametrize("name", ["Vault Berg; touch PWNED #", "$(touch PWNED)", "it's", "a&b", "-rf"])
def test_the_command_to_paste_names_one_folder_and_runs_nothing_else(run: Run, tmp_path: Path, name: str) -> None:
    Forge(tmp_path / name).begin().vault.store()
    typed = tmp_path / name
    last = run("card", typed).out.rstrip().splitlines()[-1]
    assert shlex.split(last, comments=True)[:3] == ["nvaudit", "check", str(typed)]
    assert shlex.split(pasted(name, windows=False)) == [name if name[0] != "-" else os.path.join(".", name)]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("C:\\audit\\one", "C:\\audit\\one"), ("C:\\Dr Berg & co", '"C:\\Dr Berg & co"'), ("a$(calc)", "FOLDER"),
     ("%PATH%", "FOLDER"), ("a'b", "FOLDER"), ("a\nb", "FOLDER"), ("", '""')],
)  # fmt: skip
def test_on_windows_a_folder_is_quoted_or_left_to_be_typed(name: str, shown: str) -> None:
    assert pasted(name, windows=True) == shown


@posix
@pytest.mark.parametrize(
    "odd", ["x\nINTACT: all of it is sealed", "a\x1b]0;owned\x07\x1b[2Jb", "a\rINTACT", "a\u202eb"]
)
def test_a_folders_name_never_looks_like_an_answer(run: Run, tmp_path: Path, odd: str) -> None:
    folder = tmp_path / odd
    made = Forge(folder)
    made.begin()
    made.store()
    (tmp_path / "card").write_bytes(made.card)
    page = ["--html", tmp_path / "page.html", "--out", folder / "x"]
    for argv in (["check", folder], ["card", folder], ["check", folder / "headers"], ["check", folder, *page],
                 ["export", folder, "--out", tmp_path / f"{odd} tiles"],
                 ["check", folder, "--card", tmp_path / "card", "--state", tmp_path / f"{odd} state"]):  # fmt: skip
        said = run(*argv)
        assert not [ch for ch in said.all if not ch.isprintable() and ch != "\n"], argv
        assert not [line for line in said.all.splitlines() if line.startswith("INTACT: all of it is sealed")], argv


def test_nothing_is_written_into_the_folder_that_was_named_nor_into_a_place_of_anchors(
    run: Run, tmp_path: Path
) -> None:
    """The vault lies further down in the stick that was named."""
    stick, place = tmp_path / "stick", tmp_path / "place"
    made = Forge(stick / "notevault" / sample.VAULT)
    log = made.begin()
    made.store()
    log.anchor(place / "anchors")
    paper = tmp_path / "card"
    paper.write_bytes(made.card)
    for folder in (stick, place, place / "anchors"):
        for option in ("--state", "--out", "--html"):
            said = run("check", stick, "--card", paper, "--anchors", place, option, folder / "x")
            assert (said.code, (folder / "x").exists()) == (73, False), option
    assert run("proof", stick, "--entry", 0, "--out", stick / "x").code == 73
    assert run("export", stick, "--out", stick / "x").code == 73
    assert sorted(path.name for path in stick.iterdir()) == ["notevault"]
    assert run("check", stick, "--card", paper, "--anchors", place, "--state", tmp_path / "state").code == 0


def test_an_export_of_a_log_that_does_not_hold_writes_nothing_at_all(run: Run, tmp_path: Path) -> None:
    """Not even for a moment: a small folder could fill a disk."""
    made = busy(tmp_path / "vault", 700)
    log, out = made.logs[0], tmp_path / "out"
    out.mkdir()
    before = out.stat().st_mtime_ns
    vault_open = made.path(log, "open")
    vault_open.write_bytes(vault_open.read_bytes()[:-9] + b"123456789")
    assert run("export", made.folder, "--out", out / "tiles").code == 2
    assert out.stat().st_mtime_ns == before, "nothing was ever made in it"
