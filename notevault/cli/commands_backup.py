"""The rows of `notevault backup ...` in the table of commands."""

from __future__ import annotations

from notevault.cli.rows import SAVED, Argument, Command, flag, value

_SOME: Argument = ("names", {"metavar": "NAME", "nargs": "*", "help": "only these backup places (else all)"})
_ONE: Argument = ("name", {"metavar": "NAME", "help": "the backup place's name, as `notevault backup list` shows it"})
_FROM: Argument = (
    "--from",
    {
        "metavar": "DIR",
        "action": "append",
        "required": True,
        "dest": "places",
        "help": "a backup place, or any copy of the vault; several together mend each other's gaps (may be repeated)",
    },
)
_PLACE = (
    "With --json, one object a place: name, id, path, kind, colour (green, amber or red), verdict, words, detail, step,"
    " files, bytes, waiting, waiting_ms (the first that waits), committed_ms, passed_ms, proven_ms (its oldest part),"
    " drill_ms, hurt, handed, more (changes there that the vault does not have)"
)
_LOGGED = "The result is entered in the log of the vault; no passphrase is needed."

BACKUP: dict[str, Command] = {
    "backup add": Command(
        "backup_places:add",
        "name a folder to back up to: on a stick, on the network, or kept by a cloud service",
        (
            ("folder", {"metavar": "DIR", "help": "the folder, which must be there already"}),
            value("--name", "N", "a name for it, like USB Blue (else the folder's)"),
        ),
        "What is written there is sealed: whoever has the folder learns neither a name nor a word. The first backup is"
        " made by `notevault backup run`, or by itself while notevault is open. " + SAVED,
    ),
    "backup list": Command(
        "backup_places:list_",
        "the backup places and where they are",
        (),
        "With --json, one object a place: name, id, path, kind, added_ms.",
    ),
    "backup status": Command(
        "backup_places:status",
        "what is safe where, since when, what waits, and what to do",
        (),
        f"{_PLACE}; and last the whole: colour, words, step, frozen. Exit status: 0 while all is green or amber, 1 when"
        " a place proves that something was changed or an older vault was put back, 2 for any other red.",
    ),
    "backup run": Command(
        "backup_run:run",
        "back up now what is not in a backup yet",
        (_SOME,),
        "Nothing in a backup place is ever overwritten or deleted. Can be interrupted and goes on where it was."
        " With --json, one object a place: name, verdict, copied, bytes, files, waiting, words, step, problems.",
    ),
    "backup watch": Command(
        "backup_watch:watch",
        "back up by itself until interrupted (while notevault is open, it does so anyway)",
    ),
    "backup install-service": Command(
        "backup_watch:install_service",
        "let the computer do `backup watch` by itself after every login",
        (flag("--remove", "stop that, and take the service away"),),
        'With --json: {"service": KIND, "state": STATE}.',
    ),
    "backup verify": Command(
        "backup_run:verify",
        "look whether what was backed up is still there, byte for byte",
        (
            _SOME,
            flag("--quick", "names and sizes alone"),
            flag("--full", "read every byte (else the part that was not read for longest)"),
        ),
        f"{_LOGGED} Exit status: 0 all there, 1 changed or lost (only on proof), 2 could not be looked at. With --json,"
        " one object a place: name, verdict, how, files, bytes, missing, changed, offline, words, step, problems.",
    ),
    "backup restore": Command(
        "backup_restore:run",
        "bring the vault back from its backups, into a new folder",
        (
            _FROM,
            value("--to", "NEWVAULT", "the new folder (else the vault's usual place, where nothing may be yet)"),
            value("--sheet", "F", "open it with the recovery sheet in this text file, or from standard input with -"),
            value("--at", "DATE", "as it was at the end of that day, like 2026-03-31, or 2026-03-31 14:00"),
            flag("--newest", "the newest state, though parts of it have not arrived"),
            flag("--list", "show what could be restored; write nothing"),
            value("--vault-id", "HEX", "which vault, where a backup place has several"),
            flag("--key-in-file", "keep this laptop's key in a file, though there is a key store (weaker)"),
            flag("--no-places", "do not go on backing up to these places"),
            flag("--yes", "do not ask"),
        ),
        "Can be interrupted: the same command goes on where it was. --passphrase-file names the NEW passphrase with"
        " --sheet, else the present one. " + SAVED,
    ),
    "backup drill": Command(
        "backup_drill:run",
        "practise: restore a backup in memory, open every record, and compare",
        (_SOME,),
        "Writes no note to any disk; the result is entered in the log. With --json, one object: name, verdict, records,"
        " bytes, behind, words, step.",
    ),
    "backup heal": Command(
        "backup_run:heal",
        "put back what is missing or changed, in the vault and its backup places, from any good copy",
        (
            _SOME,
            (
                "--from",
                {
                    "metavar": "DIR",
                    "action": "append",
                    "default": [],
                    "dest": "places",
                    "help": "another backup place or copy of the vault to take good files from (may be repeated)",
                },
            ),
            flag(
                "--bring-in",
                "also take in what a backup has that was saved after the one from which the vault was restored",
            ),
        ),
        "Every file is known by its own checksum, so no passphrase is needed. Bad files are set aside, not deleted."
        " Backups that had stopped go on once nothing in the vault is hurt any more. Exit status: 0 all is well again,"
        " 1 something is in no copy, 2 something else is still wrong. With --json: healed, aside, lost, unfrozen,"
        " frozen, brought (changes that were taken in), left (changes that a backup has and the vault has not), words,"
        " step, problems.",
    ),
    "backup remove": Command(
        "backup_places:remove",
        "no longer back up to a place; what lies there stays as it is",
        (_ONE,),
        SAVED,
    ),
}
