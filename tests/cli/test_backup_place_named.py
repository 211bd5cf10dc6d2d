"""Who has nothing but the stick, and names it, or a copy of it, where a vault belongs: told, and nothing done."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.backup.handmade import lay
from tests.cli.homes import Home, empty_home
from tests.cli.test_backup_restore import BOTH, fresh, notes

pytestmark = pytest.mark.disk


@pytest.fixture
def stick(worked: Home, tmp_path: Path) -> Path:
    folder = tmp_path / "my stick"
    lay(worked.vault, worked.local.name, folder)
    return folder


@pytest.fixture
def new(worked: Home, tmp_path: Path) -> Home:
    home = empty_home(tmp_path / "new")
    shutil.copy(worked.sheet, home.sheet)
    return home


def all_of(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in [folder, *folder.rglob("*")]}


def test_recover_in_a_place_writes_nothing_and_names_the_command(new: Home, stick: Path, worked: Home) -> None:
    before = all_of(stick)
    base = stick / "notevault" / worked.local.name
    for folder in (base, base.parent, stick):
        said = new.run("recover", "--vault", str(folder), "--sheet", str(new.sheet), *fresh(new), code=77)
        assert "is a backup place" in said.stderr
        assert f'notevault backup restore --from "{folder}" --to NEWFOLDER' in said.stderr
    assert all_of(stick) == before
    assert not list((new.path / ".local").rglob("*"))


def test_every_command_refuses_a_place(new: Home, stick: Path) -> None:
    before = all_of(stick)
    for words in (
        ("note", "list"), ("verify",), ("doctor",), ("find", "sleep"), ("audit", "verify"), ("backup", "run"),
        ("init", "--sheet", "new.pdf"), ("backup", "add", str(new.path)), ("lock",), (),
    ):  # fmt: skip
        said = new.run("--vault", str(stick), "--no-input", *words, code=77)
        assert "is a backup place" in said.stderr, words
    assert all_of(stick) == before


@pytest.mark.slow
def test_a_place_copied_to_where_the_vault_belongs_is_restored_from_and_not_recovered(
    new: Home, stick: Path, worked: Home
) -> None:
    shutil.copytree(stick / "notevault" / worked.local.name, new.vault)
    before = all_of(new.vault)
    said = new.run("recover", "--sheet", str(new.sheet), *fresh(new), code=77)
    assert f'--from "{new.vault}" --to NEWFOLDER' in said.stderr
    to = new.path / "back"
    new.run(
        "backup", "restore", "--from", str(new.vault), "--to", str(to), "--sheet", str(new.sheet), *fresh(new),
    )  # fmt: skip
    assert notes(new, "--vault", str(to)) == BOTH
    assert all_of(new.vault) == before


def test_help_names_the_restore_where_somebody_looks_for_recover(new: Home) -> None:
    assert "notevault backup restore --from DIR" in " ".join(new.run("help", "recover").stdout.split())


def test_a_new_sheet_is_told_with_what_the_old_one_still_opens(worked: Home) -> None:
    said = worked.run("sheet", "new", "--sheet", "new.txt", open_it=True).stderr
    words = " ".join(said.split())
    assert "Destroy the sheet before it" in words
    assert "it still opens all notes, later ones too" in words
    assert "make a new vault and import your notes into it" in words
