"""A laptop died, its vault was restored from an older stick, and a newer stick turns up: as a user lives through it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.homes import Home, empty_home
from tests.cli.test_backup import NEVER
from tests.cli.test_terminal import at_terminal, ending

pytestmark = pytest.mark.disk


@pytest.fixture
def new(worked: Home, tmp_path: Path) -> Home:
    """The new laptop, restored from stick A, with both sticks as its backup places."""
    for name in ("A", "B"):
        (tmp_path / name).mkdir()
        worked.saved("backup", "add", str(tmp_path / name), "--name", f"Stick {name}")
    worked.run("backup", "run", "Stick A")
    worked.saved("note", "add", "--client", "C-014", stdin="Written before the laptop died.\n")
    worked.run("backup", "run", "Stick B")
    home = empty_home(tmp_path / "new laptop")
    words = ["--sheet", str(worked.sheet), *worked.passphrase]
    home.run("backup", "restore", "--from", str(tmp_path / "A"), *words)
    home.saved("note", "add", "--client", "C-014", stdin="Written on the new laptop.\n")
    home.run("backup", "add", str(tmp_path / "B"), "--name", "Stick B")
    return home


@pytest.mark.slow
def test_it_is_said_calmly_and_brought_in_when_asked_for(new: Home) -> None:
    first = new.run("backup", "run").stdout
    assert "It also has 1 change (1 sealed file) that this vault does not have" in first
    assert "also has" not in new.run("backup", "run").stdout, "said once"
    status = new.run("backup", "status")
    assert "-> If you want them: `notevault backup heal --bring-in`." in status.stdout
    assert not NEVER.search(status.stdout)
    assert sum(int(str(one.get("more", 0))) for one in new.objects("backup", "status")) == 1
    healed = new.run("backup", "heal")
    assert "A backup has 1 change (1 sealed file) that this vault does not have" in healed.stderr
    assert "before the laptop died" not in new.run("find", "laptop", open_it=True).stdout
    brought = new.run("backup", "heal", "--bring-in")
    assert "1 change (1 new sealed file) was brought in" in brought.stdout
    assert not NEVER.search(brought.stdout + brought.stderr + healed.stderr)
    found = new.run("find", "written", open_it=True)
    assert "before the laptop died" in found.stdout
    assert "on the new laptop" in found.stdout
    assert "1 note was written or changed there" in found.stderr
    assert "brought in" not in new.run("note", "list", open_it=True).stderr, "said once"
    new.run("verify", open_it=True)
    assert "INTACT" in new.run("audit", "verify").stdout
    assert "also has" not in new.run("backup", "status").stdout
    assert "nothing waits" in new.run("backup", "run").stdout
    (facts,) = new.objects("backup", "heal", "--bring-in")
    assert (facts["brought"], facts["left"]) == (0, 0)


@pytest.mark.slow
def test_at_a_terminal_it_asks_and_enter_leaves_them_there(new: Home) -> None:
    child = at_terminal(new, "backup", "heal")
    child.expect(r"Bring them into the vault\? \[y/N\]")
    child.sendline("")
    _, code = ending(child)
    assert code == 0
    assert "before the laptop died" not in new.run("find", "laptop", open_it=True).stdout
    child = at_terminal(new, "backup", "heal")
    child.expect(r"\[y/N\]")
    child.sendline("y")
    said, code = ending(child)
    assert code == 0
    assert "was brought in" in said
    assert "before the laptop died" in new.run("find", "laptop", open_it=True).stdout
