"""The auditor's state file through her visits: made, brought up to date, never lost, never believed when damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from notevault.auditlog import state
from tests.auditlog import forge
from tests.auditlog.forge import Forge, busy
from tests.auditlog.nvaudit import NOW, Run, contents


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


@pytest.fixture
def vault(tmp_path: Path) -> Forge:
    return busy(tmp_path / "vault", 300)


@pytest.fixture
def paper(vault: Forge, tmp_path: Path) -> Path:
    """The card's file, as the auditor keeps it."""
    path = tmp_path / "card"
    path.write_bytes(vault.card)
    return path


def _grow(vault: Forge, entries: int = 40) -> None:
    log = vault.logs[-1]
    log.day()
    for _ in range(entries):
        log.write()
    vault.store()


def test_three_visits(run: Run, vault: Forge, paper: Path, tmp_path: Path) -> None:
    """First visit, an intact second one, and a third after a rollback."""
    own, log = tmp_path / "state", vault.logs[0]
    said = run("check", vault.folder, "--card", paper, "--state", own)
    assert said.code == 0
    assert f"State file {own}: made" in said.out
    first = state.parse(own.read_bytes())
    assert isinstance(first, state.State)
    assert first.card == vault.fingerprint
    assert first.logs == {log.origin: (state.Head(log.size, log.root(), NOW),)}

    old, seen = contents(vault.folder), log.size
    _grow(vault)
    run.now += 7 * forge.DAY
    said = run("check", vault.folder, "--card", paper, "--state", own)
    assert said.code == 0
    assert "first visit" not in said.out
    assert "brought up to date" in said.out
    second = state.parse(own.read_bytes())
    assert isinstance(second, state.State)
    assert second.logs[log.origin] == (state.Head(seen, log.root(seen), NOW), state.Head(log.size, log.root(), run.now))
    said = run("check", vault.folder, "--card", paper, "--state", own)
    assert said.code == 0
    assert "nothing new since your last visit" in said.out

    kept, newest = own.read_bytes(), log.size
    for path in sorted(vault.folder.rglob("*"), reverse=True):
        if path.is_file():
            path.unlink()
    for name, (data, _) in old.items():
        if (vault.folder / name).is_dir():
            continue
        forge.put(vault.folder / name, data)
    said = run("check", vault.folder, "--card", paper, "--state", own)
    assert said.code == 1
    assert "ROLLED BACK" in said.out
    assert str(newest) in said.out
    assert "your state file" in said.out
    assert "left as it was" in said.out
    assert own.read_bytes() == kept


def test_a_later_visit_needs_only_the_state_file(run: Run, vault: Forge, paper: Path, tmp_path: Path) -> None:
    own = tmp_path / "state"
    run("check", vault.folder, "--card", paper, "--state", own)
    _grow(vault)
    said = run("check", vault.folder, "--state", own)
    assert said.code == 0, said.all
    assert "brought up to date" in said.out


def test_a_log_replaced_as_a_whole_is_found_by_the_state_file(
    run: Run, vault: Forge, paper: Path, tmp_path: Path
) -> None:
    """By somebody with all keys: every signature holds, nothing but what was seen contradicts it."""
    own, log = tmp_path / "state", vault.logs[0]
    run("check", vault.folder, "--card", paper, "--state", own)
    again = Forge(vault.folder)
    other = again.begin()
    other.day()
    for _ in range(log.size + 50):
        other.add("record.open")
    again.store()
    kept = own.read_bytes()
    said = run("check", vault.folder, "--card", paper, "--state", own, "--log-only")
    assert said.code == 1
    assert "FORKED" in said.out
    assert own.read_bytes() == kept


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"x" * 100, b"half"])
def test_a_damaged_state_file_is_not_a_first_visit(
    run: Run, vault: Forge, paper: Path, tmp_path: Path, damage: bytes
) -> None:
    own = tmp_path / "state"
    run("check", vault.folder, "--card", paper, "--state", own)
    own.write_bytes(own.read_bytes()[:50] if damage == b"half" else damage)
    kept = own.read_bytes()
    said = run("check", vault.folder, "--card", paper, "--state", own)
    assert said.code == 2
    assert "cannot be used as your state file" in said.err
    assert "left as it is" in said.err
    assert said.out == ""
    assert own.read_bytes() == kept


def test_the_state_file_of_another_vault_is_refused_and_kept(
    run: Run, vault: Forge, paper: Path, tmp_path: Path
) -> None:
    own = tmp_path / "state"
    run("check", vault.folder, "--card", paper, "--state", own)
    found = state.parse(own.read_bytes())
    assert isinstance(found, state.State)
    other = state.State("e5" * 16, found.vik, found.card, found.logs)
    own.write_bytes(state.dump(other))
    said = run("check", vault.folder, "--card", paper, "--state", own)
    assert said.code == 2
    assert "of another vault" in said.err
    assert own.read_bytes() == state.dump(other)


def test_an_undecided_visit_is_remembered_when_the_log_itself_is_proven(
    run: Run, vault: Forge, paper: Path, tmp_path: Path
) -> None:
    forge.put(vault.folder / "audit" / ("cd" * 16) / "checkpoint", b"of nobody")
    said = run("check", vault.folder, "--card", paper, "--state", tmp_path / "state")
    assert said.code == 2
    assert "made" in said.out
    assert (tmp_path / "state").exists()


def test_a_tampered_first_visit_leaves_no_state(run: Run, vault: Forge, paper: Path, tmp_path: Path) -> None:
    vault.path(vault.logs[0], "open").write_bytes(b"")
    said = run("check", vault.folder, "--card", paper, "--state", tmp_path / "state")
    assert said.code == 1
    assert not (tmp_path / "state").exists()
