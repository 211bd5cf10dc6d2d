"""What the ground's tests read: the project file, the README's commands, the imports of the source."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "notevault"


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def readme_command(name: str) -> str:
    """The fenced block under `<!-- command: name -->`; "" where there is none."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(rf"^<!-- command: {name} -->\n```sh\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)
    return found[0] if len(found) == 1 else ""


def imports(path: Path) -> set[str]:
    """First names of every absolute import in a file, wherever in it: {"os", "notevault", ...}."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").partition(".")[0])
    return names
