"""Packs the auditor's program as one file: `python3 packaging/nvaudit.py [--out FILE]`, by default `nvaudit.pyz` here.

The same sources give the same bytes with every Python from 3.9 on, on every system: names sorted, one date, one mode,
nothing compressed (compressors differ), line ends as in the repository. So anybody can build it again and compare:
`python3 packaging/nvaudit.py --check nvaudit.pyz` (exit 0 the same, 1 another).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "nvaudit"
FIRST_LINE = b"#!/usr/bin/env python3\n"
DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip archive can say
MODE = 0o100644

MAIN = """\
import sys

if sys.version_info < (3, 9):
    sys.stderr.write("nvaudit: This is Python %d.%d, and Python 3.9 or newer is needed.\\n" % sys.version_info[:2])
    sys.stderr.write("  Install a newer one and start with it, for example: python3.12 nvaudit.pyz\\n")
    sys.exit(69)  # 1 would say that something was tampered with
try:
    from nvaudit.cli import main

    code = main()
except KeyboardInterrupt:
    code = 130
except Exception:
    sys.stderr.write("nvaudit: The program does not start: its file is not whole. This says nothing about the log.\\n")
    sys.stderr.write("  Get it again, and compare its SHA-256.\\n")
    code = 70
sys.exit(code)
"""


def build(root: Path = ROOT) -> bytes:
    """The bytes of `nvaudit.pyz` from the sources under `root`."""
    files = {f"{PACKAGE}/{path.name}": _text(path) for path in (root / "notevault" / "auditlog").glob("*.py")}
    files[f"{PACKAGE}/_version.py"] = f'VERSION = "{version(root)}"\n'.encode()
    files["__main__.py"] = MAIN.encode()
    files["LICENSE"] = _text(root / "LICENSE")
    archive = io.BytesIO()
    archive.write(FIRST_LINE)
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_STORED) as packed:  # "a": what stands before stays
        for name in sorted(files):
            info = zipfile.ZipInfo(name, DATE)
            info.create_system = 3  # Unix, wherever it is built
            info.external_attr = MODE << 16
            packed.writestr(info, files[name])
    return archive.getvalue()


def version(root: Path = ROOT) -> str:
    """As `notevault/__init__.py` has it; read, not imported."""
    found = re.search(r'^__version__ = "([0-9A-Za-z.+-]+)"$', _text(root / "notevault/__init__.py").decode(), re.M)
    if not found:
        raise SystemExit("notevault/__init__.py has no line __version__")
    return found[1]


def _text(path: Path) -> bytes:
    return path.read_bytes().replace(b"\r\n", b"\n")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Packs the auditor's program nvaudit as one file.")
    parser.add_argument("--out", type=Path, default=Path("nvaudit.pyz"), metavar="FILE")
    parser.add_argument("--check", type=Path, metavar="FILE", help="compare FILE to a fresh build; nothing is written")
    given = parser.parse_args(argv)
    fresh = build()
    digest = hashlib.sha256(fresh).hexdigest()
    if given.check is not None:
        try:
            there = hashlib.sha256(given.check.read_bytes()).hexdigest()
        except OSError as error:
            print(f"{given.check} cannot be read: {error.strerror}", file=sys.stderr)
            return 66
        same = there == digest
        print(f"{there}  {given.check}")
        print(f"{digest}  built from these sources, version {version()}: {'the same' if same else 'ANOTHER PROGRAM'}")
        return 0 if same else 1
    part = given.out.with_name(f"{given.out.name}.part")
    part.write_bytes(fresh)
    part.chmod(0o755)
    os.replace(part, given.out)
    print(f"{digest}  {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
