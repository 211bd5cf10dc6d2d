"""The house's own promises: one version, small files, contracts that name every room, a README that CI obeys."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import notevault

from .project import ROOT, SOURCE, project, readme_command

# Files above 350 lines, each with the reason why it is better whole.
LONG: dict[str, str] = {}


def test_the_version_is_one_number_everywhere() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", notevault.__version__)
    assert project()["tool"]["hatch"]["version"]["path"] == "notevault/__init__.py"
    newest = re.search(r"^## \[(?:Unreleased\]: )?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert newest[1] == notevault.__version__


def test_the_package_itself_holds_the_version_alone() -> None:
    lines = (SOURCE / "__init__.py").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith('"""')] == [
        f'__version__ = "{notevault.__version__}"'
    ]


def test_no_file_grows_beyond_what_one_reads_in_one_go() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in [*SOURCE.rglob("*.py"), *(ROOT / "packaging").glob("*.py")]
    }
    assert {path: n for path, n in lengths.items() if n > 350 and path not in LONG} == {}
    assert {path for path in LONG if lengths.get(path, 0) <= 350} == set(), "no longer long: take it off the list"


def test_the_contracts_name_every_room() -> None:
    """A room that comes later is to be named in the contract that guards prompt_toolkit."""
    contracts = project()["tool"]["importlinter"]["contracts"]
    guarded = {c["name"]: set(c.get("source_modules", ())) for c in contracts}
    rooms = {f"notevault.{p.stem}" for p in SOURCE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    rooms -= {"notevault.__init__", "notevault.__main__", "notevault.shell"}
    assert guarded["Only the shell draws with prompt_toolkit"] == rooms
    kept = guarded["Storage and backup never reach a key or a text, not even indirectly"]
    assert kept == {"notevault.storage", "notevault.backup"}


def test_the_shells_parent_loads_no_key_no_text_and_no_screen() -> None:
    unwanted = (
        "cryptography argon2 keyring prompt_toolkit notevault.crypto notevault.vault notevault.domain notevault.app"
    )
    code = f"import sys, notevault.shell.parent\nprint(*[m for m in {unwanted.split()!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("name", "command"), [("start", "python3 packaging/run.py"), ("test", "python3 packaging/test.py")]
)
def test_the_readmes_commands_exist_and_are_what_ci_runs(name: str, command: str) -> None:
    assert readme_command(name) == command
    assert (ROOT / command.split()[1]).is_file()
    assert f"readme_command {name})" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_ci_takes_the_commands_from_the_readme_word_for_word() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    taken = re.search(r"^readme_command\(\) \{\n.*?^\}$", script, re.DOTALL | re.MULTILINE)
    assert taken
    for name in ("start", "test"):
        done = subprocess.run(
            ["bash", "-c", f"{taken[0]}\nreadme_command {name}"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout.rstrip("\n") == readme_command(name)


def test_the_licence_is_there_in_full() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert project()["project"]["license"] == "Apache-2.0"
    assert text.lstrip().startswith("Apache License")
    assert "END OF TERMS AND CONDITIONS" in text
