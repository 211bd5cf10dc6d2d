"""Starts notevault from this folder: `python3 packaging/run.py [what you would type after notevault]`.

The first start makes an environment of its own beside the program (`.venv/`), with exactly the packages of
requirements.lock; every later one goes straight to the program.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  this file must stay readable for the Python that it refuses
    sys.exit(
        f"notevault needs Python 3.11 or newer; this is Python {sys.version_info[0]}.{sys.version_info[1]}.\n"
        "Install a newer one and start with it, for example: python3.12 packaging/run.py"
    )

import environment

if __name__ == "__main__":
    # -I: nothing in the current folder or in PYTHON* variables can put itself between her and the vault.
    environment.become("run", ["-I", "-m", "notevault", *sys.argv[1:]])
