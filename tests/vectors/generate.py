"""Makes the golden vectors, or with --check compares them with the stored ones.

    python tests/vectors/generate.py            write
    python tests/vectors/generate.py --check    exit 1 and name what differs

Every byte follows from FORMAT.md and `drbg.py`, but for the encapsulation in recovery.json: HPKE draws its own
randomness, so the stored one is opened and kept, and a new one is made only where there is none.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[1]))


def spelled(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def own_files() -> dict[str, str]:
    """File name -> text, for every vector of formats and crypto."""
    from tests.vectors.make_bad import all_bad
    from tests.vectors.make_valid import all_valid

    return {name: spelled(content) for name, content in (all_valid() | all_bad()).items()}


def stored_files() -> set[str]:
    """Names of the vectors that are there and ours; those of the log have their own generator."""
    names = {path.name for path in HERE.glob("*.json")} | {f"bad/{path.name}" for path in (HERE / "bad").glob("*.json")}
    return {name for name in names if not name.removeprefix("bad/").startswith("log")}


def write(files: dict[str, str]) -> None:
    (HERE / "bad").mkdir(exist_ok=True)
    for name in stored_files() - files.keys():
        (HERE / name).unlink()
    for name, text in files.items():
        (HERE / name).write_text(text, "ascii")


def differences(files: dict[str, str]) -> list[str]:
    """One line per vector that is missing, left over or different."""
    found = [f"left over: {name}" for name in sorted(stored_files() - files.keys())]
    for name, text in sorted(files.items()):
        path = HERE / name
        if not path.is_file():
            found.append(f"missing: {name}")
        elif path.read_text("ascii") != text:
            found.append(f"different: {name}")
    return found


def main(check: bool) -> int:
    """0 when written, or when all is the same; 1 when anything differs."""
    files = own_files()
    bad = 0
    if check:
        lines = differences(files)
        for line in lines:
            print(line)
        print(f"{len(files)} vectors of formats and crypto: {'the same' if not lines else 'NOT the same'}")
        bad = 1 if lines else 0
    else:
        write(files)
        print(f"{len(files)} vectors of formats and crypto written")
    for name in ("tests.vectors.generate_log", "tests.vectors.generate_tiles"):
        if importlib.util.find_spec(name) is not None:
            bad = importlib.import_module(name).main(check) or bad
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
