"""The rows of `notevault audit ...` in the table of commands."""

from __future__ import annotations

from notevault.cli.rows import SAVED, Argument, Command, flag, value

_LOG = value("--log", "NAME", "an older log of this vault, by the first digits of its name")
_FROM: Argument = (
    "--from",
    {
        "metavar": "DIR",
        "action": "append",
        "default": [],
        "dest": "places",
        "help": "a backup place or an older copy: what it has seen of the log must still be there (may be repeated)",
    },
)
_LOG_ONLY = flag("--log-only", "do not look at the notes' files: the log alone")
_AUDIT_STATUS = (
    "Exit status: 0 intact, 1 changed or lost (only on proof), 2 cannot decide. With --json, one object a finding"
    " (finding, sentence, weight, first, last), and last the verdict with its headline."
)

AUDIT: dict[str, Command] = {
    "audit verify": Command(
        "audit:verify",
        "check the whole log as an outsider does, without the passphrase",
        (_FROM, _LOG_ONLY),
        "Against what this laptop keeps of the vault, its key store, and the folders named with --from. The result is"
        " entered in the log; a copy of the vault, which must stay as it is, is checked with `nvaudit check`."
        f" {_AUDIT_STATUS}",
    ),
    "audit review": Command(
        "audit_review:run",
        "look over the log yourself: in the open vault (`notevault`), where you type `audit review`",
    ),
    "audit report": Command(
        "audit:report",
        "the same check, and a report of what the log tells, to read and to file",
        (
            value("--out", "R.json", "write the report to this new file, for programs"),
            value("--html", "R.html", "write it to this new file, as a page to read, print and file"),
            _FROM,
            _LOG_ONLY,
        ),
        f"Without --out and --html the report goes to standard output as JSON. It names no client. {_AUDIT_STATUS}",
    ),
    "audit card": Command(
        "audit_card:run",
        "the card of the log, which an auditor takes along at the first visit",
        (
            value("--out", "F", "write it to this new file: .pdf or .txt to print, else the card itself"),
            _LOG,
        ),
        "Needs no passphrase. The card names nobody and opens nothing; with it `nvaudit` knows this log from any other."
        " With --json: log, vault, fingerprint, vault_fingerprint, begun, current, card (the file's text), file.",
    ),
    "audit disclose": Command(
        "audit_disclose:run",
        "write a file that lets an auditor find one client's entries of one year",
        (
            ("client_code", {"metavar": "CODE", "help": "the client's code, like C-014"}),
            ("--year", {"metavar": "Y", "required": True, "type": "count", "help": "the year (UTC), like 2026"}),
            ("--out", {"metavar": "F", "required": True, "help": "write it to this new file"}),
            flag("--yes", "do not ask"),
        ),
        "Whoever has the file and a copy of the log sees when that client's records were written and opened in that"
        " year, nothing of what they say, and nothing of anybody else. It cannot be taken back; that it was made is"
        " logged first. " + SAVED,
    ),
    "audit proof": Command(
        "audit_export:prove",
        "one entry of the log, with what proves that it stands there",
        (
            ("--entry", {"metavar": "N", "required": True, "type": "index", "help": "its number; the first is 0"}),
            ("--out", {"metavar": "F", "required": True, "help": "write it to this new file"}),
            _LOG,
        ),
        "Needs no passphrase. Checked with `nvaudit check-proof F --card CARD`, without the log. With --json: entry,"
        " file, log, size.",
    ),
    "audit export": Command(
        "audit_export:export",
        "the whole log as a folder of C2SP tiles, for other people's tools",
        (("--out", {"metavar": "DIR", "required": True, "help": "a folder that is not there yet"}), _LOG),
        "Needs no passphrase. With --json: folder, log, size.",
    ),
}
