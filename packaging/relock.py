"""Writes requirements.lock and requirements-dev.lock again from pyproject.toml: `python3 packaging/relock.py`.

Exact versions and hashes for Linux, macOS and Windows on Python 3.11 and later. Pins stay as they are unless
pyproject.toml asks for others; `--upgrade` or `--upgrade-package NAME` moves them. Needs the network.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = "uv==0.13.9"
HEAD = "# Exact versions and hashes for every platform, made by packaging/relock.py from pyproject.toml. Do not edit.\n"
# Neither an index nor a host nor a path may enter: where packages come from is each machine's own setting.
FOREIGN = re.compile(r"://|^\s*-(?!-hash=sha256:[0-9a-f]{64}\b)|@\s*file|\\\S|^/", re.MULTILINE)


def compiled(uv: Path, sources: list[Path], old: str, extra: list[str], work: Path) -> str:
    """The lock text for `sources`, preferring the pins in `old`."""
    out = work / "out.lock"
    out.write_text(old, encoding="utf-8")
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--only-binary", ":all:"]
    quiet = ["--no-annotate", "--no-header", "--quiet"]
    subprocess.run([uv, "pip", "compile", *options, *quiet, *extra, *sources, "-o", out], check=True)
    text = out.read_text(encoding="utf-8")
    if found := FOREIGN.search(text):
        sys.exit(f"The new lock would hold {found.group()!r}, which is no pin and no hash; nothing was written.")
    return HEAD + text


def main(extra: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        venv.create(work / "tool", with_pip=True)
        bin_ = work / "tool" / ("Scripts" if sys.platform == "win32" else "bin")
        subprocess.run([bin_ / "python", "-m", "pip", "install", "--quiet", "--only-binary", ":all:", TOOL], check=True)
        project, dev = ROOT / "pyproject.toml", work / "dev.in"
        dev.write_text("\n".join(tomllib.loads(project.read_text(encoding="utf-8"))["dependency-groups"]["dev"]))
        runtime_lock, dev_lock = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
        old, old_dev = (p.read_text(encoding="utf-8") if p.exists() else "" for p in (runtime_lock, dev_lock))
        runtime = compiled(bin_ / "uv", [project], old, extra, work)
        same = work / "same.txt"
        same.write_text(runtime, encoding="utf-8")
        everything = compiled(bin_ / "uv", [project, dev], old_dev, [*extra, "--constraint", str(same)], work)
        runtime_lock.write_text(runtime, encoding="utf-8")
        dev_lock.write_text(everything, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
