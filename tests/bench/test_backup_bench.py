"""The measurements of backups run, at a size that takes seconds; every tool gives back what it was given."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backup import vaults
from tests.bench import backup, backup_peers
from tests.bench.clockwork import Table

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="measured where there are cp and sync")


@pytest.mark.slow
def test_backups_are_measured_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backup.measure(tmp_path / "room", Table(), blobs=40, large=1, growth=60, rounds=0)
    said = capsys.readouterr().out
    for row in ("first backup, 40", "no-op, 40", "10 new files, 60", "full verification, 40", "restore, 60"):
        assert row in said
    for name in ("rsync", "restic", "borg"):
        assert f"growth of back: {name}" in said or f"# not measured against {name}: it is not here" in said
    assert "growth of back: notevault" in said


def test_a_peer_that_is_not_installed_is_told_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    tools, missing = backup_peers.found(tmp_path / "vault", tmp_path / "home", tmp_path)
    assert [tool.name for tool in tools] == ["notevault"]
    assert [sentence for sentence in missing if "apt-get install restic" in sentence]


def test_a_tool_that_gives_back_less_ends_the_measurement(tmp_path: Path) -> None:
    bench = backup.Bench(tmp_path / "room", 5, 0, Table())
    (cp,) = (tool for tool in bench.tools if tool.name == "cp")
    script = 'cp -r "$0" "$1" && rm "$1"/blobs/*/*'
    bench.tools = [replace(cp, back=lambda store, to: ["sh", "-c", script, str(store), str(to)])]
    with pytest.raises(SystemExit, match="cp gave back"):
        bench.run(0)


def test_a_command_that_fails_ends_the_measurement_with_its_words(tmp_path: Path) -> None:
    made = vaults.synthetic(tmp_path / "home")
    tools, _ = backup_peers.found(made.vault, made.home, tmp_path)
    command = ["sh", "-c", "echo the disk is full; exit 7"]
    with pytest.raises(SystemExit, match=r"the disk is full[\s\S]*ended with 7"):
        backup.once(command, tools[0], tmp_path)


def test_the_folders_are_weighed_by_their_files(tmp_path: Path) -> None:
    made = vaults.synthetic(tmp_path / "home", [1000, 2000])
    assert backup.Bench.weigh(made.vault / "blobs") == (2, 3000)
    shutil.rmtree(made.vault / "blobs")
    assert backup.Bench.weigh(made.vault / "blobs") == (0, 0)
