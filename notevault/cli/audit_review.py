"""audit review: only in the open vault, where a person reads it; here the way there is named."""

from __future__ import annotations

from typing import NoReturn

from notevault.cli.common import Context
from notevault.errors import UsageFault


def run(_ctx: Context) -> NoReturn:
    raise UsageFault(
        "The log is looked over in the open vault, not on the command line.",
        "Type `notevault`, give your passphrase, and type `audit review` there.",
    )
