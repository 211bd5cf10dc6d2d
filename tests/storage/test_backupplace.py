"""A backup place is known for what it is by whatever folder of it is named; nothing else is taken for one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from notevault.app import opening
from notevault.errors import Refused
from notevault.formats import sheet
from notevault.storage import backupplace
from tests.backup import vaults
from tests.backup.handmade import lay
from tests.backup.vaults import Made


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return vaults.small(tmp_path / "home", 1)


def base_of(made: Made, stick: Path) -> Path:
    lay(made.vault, made.hex, stick)
    return stick / "notevault" / made.hex


def test_a_place_is_known_by_any_of_its_folders(made: Made, tmp_path: Path) -> None:
    base = base_of(made, tmp_path / "stick")
    for folder in (base, base.parent, tmp_path / "stick"):
        assert backupplace.found_in(folder) == base


@pytest.mark.parametrize("left", ["VAULT.json", "anchors", "parts"])
def test_any_one_mark_of_a_place_is_enough(made: Made, tmp_path: Path, left: str) -> None:
    base = base_of(made, tmp_path / "stick")
    (base / "VAULT.json").write_bytes(b"{}\n")
    (log,) = (base / "audit").iterdir()
    (log / "parts").mkdir(exist_ok=True)
    if left != "VAULT.json":
        (base / "VAULT.json").unlink()
    if left != "anchors":
        shutil.rmtree(base / "anchors")
    if left != "parts":
        shutil.rmtree(log / "parts")
    assert backupplace.found_in(base) == base
    with pytest.raises(Refused, match="backup place"):
        backupplace.refuse(base)


def test_a_vault_is_none_whatever_lies_in_it(made: Made, tmp_path: Path) -> None:
    base = base_of(made, tmp_path / "stick")
    assert backupplace.found_in(made.vault) is None
    (made.vault / "VAULT.json").write_bytes(b"{}\n")
    shutil.copytree(base / "anchors", made.vault / "anchors")
    shutil.copytree(base.parent, made.vault / "notevault")
    assert backupplace.found_in(made.vault) is None
    made.session().close("exit")


def test_a_folder_of_other_things_is_none(made: Made, tmp_path: Path) -> None:
    for folder in (tmp_path / "not there", tmp_path, made.home, made.vault / "audit"):
        assert backupplace.found_in(folder) is None
    file = tmp_path / "file"
    file.write_bytes(b"x")
    assert backupplace.found_in(file) is None


def test_whoever_opens_recovers_or_founds_one_is_refused_before_anything_is_written(made: Made, tmp_path: Path) -> None:
    base = base_of(made, tmp_path / "stick")
    code, env = sheet.decode(made.sheet), made.env()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "stick").rglob("*")}
    for folder in (base, base.parent, tmp_path / "stick"):
        with pytest.raises(Refused, match="backup place"):
            opening.recover_vault(env, folder, code.seed, code.fingerprint, made.passphrase)
        with pytest.raises(Refused, match="backup place"):
            opening.open_vault(env, folder, made.passphrase, shell=False)
        with pytest.raises(Refused, match="backup place"):
            opening.set_up(env, folder, made.passphrase)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "stick").rglob("*")} == before
