"""kill -9 of a real process at every step of a restore, and the same command again: the same notes, one vault."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.app import opening
from notevault.auditlog.vaultcheck import check_vault
from notevault.backup.places.registry import Places
from notevault.crypto import signing
from notevault.vault.notebook import Notebook
from tests.backup import vaults
from tests.backup.handmade import lay
from tests.backup.restoring_run import NEW_PASSPHRASE, bring_back
from tests.backup.vaults import Made

ROOT = Path(__file__).resolve().parents[2]
MOST = 400  # steps; a restore has fewer
PARTS = 4  # the steps are shared out, so that several processors can work


def killed_at(step: int, home: Path, to: Path, made: Made, stick: Path) -> bool:
    """Whether the process was killed at that step; False when it was over before."""
    words = ["-m", "tests.backup.restoring_run", str(home), str(to), str(step), made.sheet, str(stick)]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def whole(home: Path, to: Path) -> set[str]:
    session = opening.open_vault(vaults._env(home), to, NEW_PASSPHRASE, shell=False)
    assert session.read_only is None, session.read_only
    assert not session.findings
    book = Notebook(session)
    texts = {book.open_note(view.id)[1].text for view in book.notes()}
    verdict = check_vault(to, vik=session.header.vik, verify=signing.verify)
    assert verdict.exit_code == 0, verdict.findings
    session.close("exit")
    return texts


def in_order(made: Made, home: Path, to: Path, stick: Path) -> bool:
    """Whether the place is this laptop's own, and the restore is in the log."""
    places = Places(DiskFiles(), vaults._env(home).local_root / made.hex).all()
    logs = [path.read_bytes() for path in to.glob("audit/*/open")]
    return [one.path for one in places] == [str(stick)] and any(b'"ev":"backup.restore"' in data for data in logs)


@pytest.mark.slow
@pytest.mark.parametrize("share", range(PARTS))
def test_killed_at_every_step_a_restore_completes(tmp_path: Path, share: int) -> None:
    made = vaults.small(tmp_path / "home", notes=3)
    before = made.texts()
    lay(made.vault, made.hex, tmp_path / "stick")
    blobs = {path.name: path.read_bytes() for path in made.vault.glob("blobs/*/*")}
    kept = {path: path.read_bytes() for path in (tmp_path / "stick").rglob("*") if path.is_file()}
    killed = 0
    for step in range(1 + share, MOST, PARTS):
        home, to = tmp_path / f"laptop-{step}", tmp_path / f"laptop-{step}/notes"
        if not killed_at(step, home, to, made, tmp_path / "stick"):
            break
        killed += 1
        if to.exists():
            found = {path.name: path.read_bytes() for path in to.glob("blobs/*/*")}
            assert found == blobs, f"step {step}: the folder has its name only when it is whole"
        if (home / "notes.restoring/journal").exists() or not to.exists():
            bring_back(home, to, made.sheet, [tmp_path / "stick"])
            assert not (home / "notes.restoring").exists()
        assert whole(home, to) == before, f"step {step}"
        assert in_order(made, home, to, tmp_path / "stick"), f"step {step}"
        beside = {path.name for path in home.glob("notes.restoring/**/*") if path.is_file()}
        assert beside <= {"rest"}, f"step {step}: nothing but what means nothing without the journal"
    else:
        pytest.fail("the restore has more steps than were tried")
    assert killed >= 12, "some fifty steps in all"
    assert {path: path.read_bytes() for path in (tmp_path / "stick").rglob("*") if path.is_file()} == kept


@pytest.mark.slow
def test_killed_again_and_again_a_restore_still_completes(tmp_path: Path) -> None:
    made = vaults.small(tmp_path / "home", notes=3)
    before = made.texts()
    lay(made.vault, made.hex, tmp_path / "stick")
    home, to = tmp_path / "laptop", tmp_path / "laptop/notes"
    for step in (3, 30, 9, 60, 25, 70, 18, 30):
        if not killed_at(step, home, to, made, tmp_path / "stick"):
            break
    if (home / "notes.restoring/journal").exists() or not to.exists():
        bring_back(home, to, made.sheet, [tmp_path / "stick"])
    assert whole(home, to) == before
    assert in_order(made, home, to, tmp_path / "stick")
