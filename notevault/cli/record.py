"""`notevault _record --vault DIR`: enters in the log what backups did while nobody had the vault open.

A process of its own for a second or two, from the end of its input on: it gets the log's keys from the key store, opens
no vault, waits for no dialog, and says nothing. What it cannot enter waits for the next one, or for the next opening.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from notevault.errors import NotevaultError
from notevault.wiring.locked import locked_side, protect_process

PATIENCE_S = 5.0  # for the key store in all; a locked one has not answered by then, and is not asked to


def main(argv: Sequence[str]) -> int:
    """0 when nothing is left waiting, else the exit code of what was in the way."""
    protect_process()
    if len(argv) != 2 or argv[0] != "--vault":
        return 64
    try:
        side = locked_side(argv[1])
        from notevault.app.backing import record_results
        from notevault.wiring.unlocked import make_quiet_env

        if sys.stdin is not None:  # whoever started it says that it is time by ending this; nothing is ever in it
            sys.stdin.buffer.read()
        record_results(make_quiet_env(side, PATIENCE_S), side.vault)
    except NotevaultError as fault:
        return fault.exit_code
    except Exception:  # noqa: BLE001  nobody reads what it says, and a traceback could hold a path
        return 70
    return 0
