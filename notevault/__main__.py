"""The one door: `notevault` and its hidden words. Everything heavy is imported only where it is used.

Hidden words, for processes of our own: `_keyring` (the helper that talks to the system's key store), `_child` (the
shell's unlocked half), `_worker` (backs up beside a shell) and `_record` (enters in the log what backups did).
"""

from __future__ import annotations

import sys

from notevault import __version__


def main(argv: list[str]) -> int:
    if argv in (["--version"], ["version"]):
        sys.stdout.write(f"notevault {__version__}\n")
        return 0
    word = argv[0] if argv else ""
    if word == "_keyring":
        from notevault.wiring.locked import protect_process

        protect_process()
        from notevault.adapters.keyring_worker import main as keyring_main

        return keyring_main() or 0
    if word == "_child":
        from notevault.shell.child import main as child_main

        return child_main(argv[1:])
    if word == "_worker":
        from notevault.wiring.backup_worker import worker_main

        return worker_main(argv[1:])
    if word == "_record":
        from notevault.cli.record import main as record_main

        return record_main(argv[1:])
    from notevault.cli.main import main as cli_main

    return cli_main(argv)


def run() -> None:
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:  # before the command line's own guard stands: no traceback
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    run()
