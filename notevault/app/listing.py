"""Why a list of notes is empty: said in the shell and by the commands, for "none yet" is no word for a lost log."""

from __future__ import annotations

from notevault.vault.notebook import Notebook


def why_none(notebook: Notebook) -> str:
    """A sentence where the vault cannot tell its notes; "" where there truly are none."""
    why = notebook.session.read_only
    if why is None:
        return ""
    if why.startswith("DAMAGED"):
        return "No note can be listed: the log is gone or damaged. `notevault backup heal` puts it back from a backup."
    return "There are no notes in this vault as it lies here."
