"""Runs the tests from this folder: `python3 packaging/test.py [pytest options]`, for example `-m "not slow"`
(`-n0` runs them one by one).

Makes an environment of its own (`.venv/`) from requirements-dev.lock first, as `run.py` does for the program. The files
of the tests lie in memory where Linux offers some; PYTEST_DEBUG_TEMPROOT says where else.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  this file must stay readable for the Python that it refuses
    sys.exit(
        f"notevault needs Python 3.11 or newer; this is Python {sys.version_info[0]}.{sys.version_info[1]}.\n"
        "Install a newer one and test with it, for example: python3.12 packaging/test.py"
    )

import os
import shutil

import environment

MEMORY = "/dev/shm"  # pytest makes a folder of its own there that only this user can enter
ROOM = 3 << 30

if __name__ == "__main__":
    os.chdir(environment.ROOT)
    # One more than there are processors: the tests wait for terminals, clocks and child processes half of their time.
    several = str((os.cpu_count() or 1) + 1)
    # The tests sync thousands of files, and what they prove does not need the disk to be slow.
    if os.path.isdir(MEMORY) and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)
    together = [] if any(option.startswith("-n") for option in sys.argv[1:]) else ["-n", several, "--dist", "worksteal"]
    environment.become("test", ["-m", "pytest", *together, *sys.argv[1:]])
