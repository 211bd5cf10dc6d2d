"""The shell, the demo, version and help."""

from __future__ import annotations

import sys

from notevault import __version__
from notevault.cli.common import Context
from notevault.errors import NoVault, UsageFault


def shell(ctx: Context) -> int:
    return _shell(ctx, demo=False)


def demo(ctx: Context) -> int:
    return _shell(ctx, demo=True)


def _shell(ctx: Context, *, demo: bool) -> int:
    """Never waits where nobody can answer: NoVault or UsageFault instead."""
    if ctx.args.json or ctx.args.passphrase_file is not None:
        raise UsageFault(
            "The shell asks for the passphrase itself and answers people, not programs.",
            "Leave --json and --passphrase-file out, or name a command: `notevault --help`.",
        )
    if not demo and not (ctx.side.vault / "headers").is_dir():
        from notevault.cli.backup_ground import gone, remembered

        if remembered(ctx) is not None:  # never a set-up over what can be brought back
            raise gone(ctx)
    if ctx.args.no_input or not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        if not demo and not (ctx.side.vault / "headers").is_dir():
            raise NoVault("There is no vault in this folder, and no terminal to set one up at.", _SET_UP)
        raise UsageFault("The shell needs a terminal.", "`notevault --help` shows the commands that do not.")
    from notevault.shell.parent import main as parent_main

    return parent_main(ctx.side, plain=ctx.args.plain, demo=demo)


_SET_UP = "`notevault init --sheet OUT.pdf --passphrase-file F` makes one; --vault DIR names another folder."


def version(ctx: Context) -> int:
    ctx.out.row({"version": __version__}, f"notevault {__version__}")
    return 0


def help_(ctx: Context) -> int:
    from notevault.cli.main import print_help

    print_help(ctx.args.words)
    return 0
