"""What a start costs: Argon2 and HPKE are loaded only when they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("name", ["kdf", "slots", "objects", "stream", "keytable", "subkeys", "signing", "sessionkey"])
def test_importing_a_room_of_crypto_loads_neither_argon2_nor_hpke(name: str) -> None:
    code = (
        f"import sys, notevault.crypto.{name}\n"
        "heavy = [m for m in sys.modules if 'argon2' in m.split('.')[0] or m.endswith('primitives.hpke')]\n"
        "sys.exit(1 if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
