"""What `nvaudit check` leaves behind: whole files, for their owner only, and never where they could do harm."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.auditlog.forge import Forge, busy
from tests.auditlog.nvaudit import Run, contents

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and modes as POSIX has them")


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


def test_reports_are_written_whole_and_for_their_owner_only(
    run: Run, vault: Forge, paper: Path, tmp_path: Path
) -> None:
    out, page = tmp_path / "r.json", tmp_path / "r.html"
    said = run("check", vault.folder, "--card", paper, "--out", out, "--html", page)
    assert said.code == 0
    assert json.loads(out.read_bytes())["exit_code"] == 0
    assert page.read_bytes().startswith(b"<!DOCTYPE html>")
    assert said.out.count("SHA-256 ") == 2
    if sys.platform != "win32":
        assert out.stat().st_mode & 0o777 == page.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card", "r.html", "r.json", "vault"]


@pytest.mark.parametrize("option", ["--out", "--html"])
def test_a_report_replaces_nothing_and_names_a_name_that_is_free(
    run: Run, vault: Forge, paper: Path, tmp_path: Path, option: str
) -> None:
    """Not the report of the visit before, and not the auditor's secret key."""
    for name, next_one in (("my.key", "my-2025-12-31.key"), ("r-2025-12-31.json", "r-2025-12-31-2.json")):
        (tmp_path / name).write_bytes(b"precious")
        said = run("check", vault.folder, "--card", paper, option, tmp_path / name)
        assert (said.code, said.out) == (73, "")
        assert f"for example {next_one}." in said.err
        assert (tmp_path / name).read_bytes() == b"precious"


def test_a_report_is_written_of_a_tampered_log_too(run: Run, vault: Forge, paper: Path, tmp_path: Path) -> None:
    vault.path(vault.logs[0], "open").write_bytes(b"")
    out, page = tmp_path / "r.json", tmp_path / "r.html"
    assert run("check", vault.folder, "--card", paper, "--out", out, "--html", page).code == 1
    found = json.loads(out.read_bytes())
    assert (found["verdict"], found["exit_code"]) == ("tampered", 1)
    assert b"TAMPERED" in page.read_bytes()


def test_quiet_says_nothing_and_reports_all(run: Run, vault: Forge, paper: Path, tmp_path: Path) -> None:
    said = run("check", vault.folder, "--card", paper, "--quiet", "--out", tmp_path / "r.json")
    assert (said.code, said.all) == (0, "")
    assert (tmp_path / "r.json").exists()


@pytest.mark.parametrize("option", ["--out", "--html", "--state"])
def test_nothing_is_written_into_the_folder_that_is_checked(
    run: Run, vault: Forge, paper: Path, tmp_path: Path, option: str
) -> None:
    before = contents(vault.folder)
    places = [vault.folder / "x", vault.logs[0].folder / "x", vault.folder / "audit" / ".." / "x"]
    if sys.platform != "win32":
        (tmp_path / "door").symlink_to(vault.folder)
        places.append(tmp_path / "door" / "audit" / "x")
    for place in places:
        said = run("check", vault.folder, "--card", paper, option, place)
        assert said.code == 73, place
        assert "inside the folder that is checked" in said.err
        assert said.out == ""
    for named in (vault.folder / "audit", vault.logs[0].folder):
        said = run("check", named, "--card", paper, option, vault.folder / "x")
        assert said.code == 73, "it is the whole vault that stays as it is"
    assert contents(vault.folder) == before


@posix
@pytest.mark.parametrize("option", ["--out", "--html", "--state"])
def test_nothing_is_written_through_a_link_or_over_anything_but_a_file(
    run: Run, vault: Forge, paper: Path, tmp_path: Path, option: str
) -> None:
    target = tmp_path / "precious"
    target.write_bytes(b"precious")
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "dangling", "folder", "pipe", "nowhere/x"):
        said = run("check", vault.folder, "--card", paper, option, tmp_path / name)
        assert said.code == 73, name
        assert said.out == ""
    assert target.read_bytes() == b"precious"
    assert not (tmp_path / "elsewhere").exists()


@posix
def test_a_report_that_cannot_be_written_is_73_but_never_hides_tampering(run: Run, vault: Forge, paper: Path) -> None:
    """/proc is a folder where nobody can make a file, root included."""
    if not Path("/proc/self").is_dir():
        pytest.skip("no /proc here")
    said = run("check", vault.folder, "--card", paper, "--out", "/proc/self/r.json")
    assert said.code == 73
    assert said.out.startswith("INTACT")
    assert "could not be written" in said.err
    vault.path(vault.logs[0], "open").write_bytes(b"")
    said = run("check", vault.folder, "--card", paper, "--out", "/proc/self/r.json")
    assert said.code == 1
    assert "could not be written" in said.err


def test_no_file_is_taken_for_two_things(run: Run, vault: Forge, paper: Path, tmp_path: Path) -> None:
    same = tmp_path / "x"
    kept = paper.read_bytes()
    for argv in (
        ["--out", same, "--html", same],
        ["--out", same, "--state", same],
        ["--out", paper],
        ["--state", paper],
        ["--html", tmp_path / "." / "card"],
    ):
        said = run("check", vault.folder, "--card", paper, *argv)
        assert said.code == 64, argv
        assert "name the same file" in said.err
    assert paper.read_bytes() == kept
    assert not same.exists()


@pytest.mark.parametrize("option", ["--card", "--disclosure", "--cosigned"])
def test_what_is_given_must_be_what_it_is_called(
    run: Run, vault: Forge, paper: Path, tmp_path: Path, option: str
) -> None:
    witness = ["--witness", "auditor.example+96db3b11+BBHvSKWD3GlzZpYTsYzzFmLkFdJzTnOJzUWNvtf1QZ4t"]
    more = witness if option == "--cosigned" else []
    (tmp_path / "big").write_bytes(b"x" * 100_000)
    (tmp_path / "odd").write_bytes(bytes(range(256)))
    for name, codes in (("absent", {66}), ("", {64}), ("big", {64}), ("odd", {2, 64})):
        said = run("check", vault.folder, "--card", paper, option, tmp_path / name, *more)
        assert said.code in codes, (name, said.all)
        assert said.out == ""
    assert run("check", vault.folder, "--card", "6019 5cc3 1578 21d4").code == 64
