"""Runs the tests from this folder: `python3 packaging/test.py [pytest options]`, for example `-m "not slow"`
(`-n0` runs them one by one).

Makes an environment of its own (`.venv/`) from requirements-dev.lock first, as `run.py` does for the program.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  this file must stay readable for the Python that it refuses
    sys.exit(
        f"notevault needs Python 3.11 or newer; this is Python {sys.version_info[0]}.{sys.version_info[1]}.\n"
        "Install a newer one and test with it, for example: python3.12 packaging/test.py"
    )

import os

import environment

if __name__ == "__main__":
    os.chdir(environment.ROOT)
    # Two at once: the tests wait for terminals and child processes more than they compute.
    together = [] if any(option.startswith("-n") for option in sys.argv[1:]) else ["-n", "2", "--dist", "worksteal"]
    environment.become("test", ["-m", "pytest", *together, *sys.argv[1:]])
