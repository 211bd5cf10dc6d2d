"""The same everyday acts with jrnl (an encrypted command-line journal) and 5,000 entries, in the same run."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from tests.bench.clockwork import Table, medians, quiet
from tests.bench.vaults import PASSPHRASE, build, texts

ENTRIES = 5000
SECRET = "jrnl password for measuring"


def jrnl_program(folder: Path) -> Path:
    """An environment of its own with jrnl from the package index."""
    venv.create(folder / "venv", with_pip=True)
    scripts = folder / "venv" / "bin"
    subprocess.run([scripts / "pip", "install", "--quiet", "jrnl"], check=True)
    return scripts / "jrnl"


def jrnl_journal(folder: Path, program: Path) -> Callable[[list[str]], Callable[[], object]]:
    """5,000 entries, encrypted; returns what makes an act of its arguments (the password typed at its prompt)."""
    import pexpect

    journal, config = folder / "journal.txt", folder / "jrnl.yaml"
    days = [f"[{2015 + i // 2000}-{1 + i // 28 % 12:02d}-{1 + i % 28:02d} 09:00]" for i in range(ENTRIES)]
    plain = "\n\n".join(f"{day} Session.\n{text}" for day, text in zip(days, texts(ENTRIES), strict=True))
    journal.write_text(plain.replace("\n[", "\n ["), encoding="utf-8")
    config.write_text(
        f"colors: {{body: none, date: none, tags: none, title: none}}\ndefault_hour: 9\ndefault_minute: 0\n"
        f"editor: ''\nencrypt: false\nhighlight: false\nindent_character: '|'\njournals: {{default: {journal}}}\n"
        "linewrap: 79\ntagsymbols: '@'\ntemplate: false\ntimeformat: '%Y-%m-%d %H:%M'\nversion: v4.6\n"
    )
    env = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}

    def run(arguments: list[str], answers: list[str]) -> None:
        child = pexpect.spawn(
            str(program), ["--config-file", str(config), *arguments], env=env, timeout=180, dimensions=(40, 200)
        )
        for answer in answers:
            child.expect("(?i)password|keychain|keyring")
            child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()

    run(["--encrypt"], [SECRET, SECRET, "n"])
    if journal.read_bytes()[:3] == b"[20":
        raise SystemExit("jrnl did not encrypt its journal; this part of the measurement means nothing")
    return lambda arguments: lambda: run(arguments, [SECRET])


def compare(folder: Path, table: Table) -> None:
    """Adding one entry and searching, whole commands with their passphrase, both with 5,000 entries."""
    home = build(folder / "home", ENTRIES)
    secret = folder / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    secret.chmod(0o600)
    ours = [sys.executable, "-P", "-m", "notevault", "--passphrase-file", str(secret)]
    journal = jrnl_journal(folder, jrnl_program(folder))
    taken = medians(
        {
            "our add": quiet([*ours, "note", "add", "--client", "C-0001", "--file", "-"], home.root, b"slept well\n"),
            "their add": journal(["today: slept well"]),
            "our find": quiet([*ours, "find", "hypertension"], home.root),
            "their find": journal(["-contains", "hypertension", "-n", "20"]),
        },
        runs=3,
    )
    table.row("one-shot `note add`, 5,000 notes", taken["our add"], taken["their add"], "jrnl, 5,000 encrypted entries")
    table.row("one-shot `find`, 5,000 notes", taken["our find"], taken["their find"], "jrnl -contains")
