"""The rows of `notevault backup ...` in the table of commands."""

from __future__ import annotations

from notevault.cli.rows import Argument, Command, flag, value

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
    " drill_ms, hurt (files), hurt_log (pieces of the log), handed, more (changes there that the vault does not have),"
    " others (other laptops that back up there too)"
)
_PLACES = " 66 no such backup place"
_PROBLEMS = "problems (each with code, path and detail)"
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
        " made by `notevault backup run`, or by itself while notevault is open. Exit status: 0 it is one now, 64 the"
        " folder or the name cannot be used, 65 it belongs to something else, 66 it is not there, 73 nothing can be"
        " written there, 77 it may not be one (as inside the vault). With --json, one object: saved (the place's id),"
        " what, name, path, kind, fresh.",
    ),
    "backup list": Command(
        "backup_places:list_",
        "the backup places and where they are",
        (),
        "Exit status: 0, also when there is none. With --json, one object a place: name, id, path, kind, added_ms.",
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
        "Nothing in a backup place is ever overwritten or deleted. Can be interrupted and goes on where it was. Once"
        " a day it also reads a part of what lies there again, for two seconds at most. Exit status: 0 all is there,"
        f" 1 a place proves that something was changed or an older vault was put back, 2 stopped to be safe,{_PLACES},"
        " or none is connected, 73 full or not to be written to, 74 it fails or does not answer, 75 another"
        " notevault is at it; a place that is not connected is no failure beside one that is, unless it was named."
        " With --json, one object a place: name, id, verdict, copied, bytes, files, waiting, words, step,"
        f" {_PROBLEMS}.",
    ),
    "backup watch": Command(
        "backup_watch:watch",
        "back up by itself until interrupted (while notevault is open, it does so anyway)",
        (),
        "Where another notevault does so already, it waits for that one to end. Exit status: 0 it was ended, 66"
        " there is no vault, 74 a place did not let go in time, 77 the folder is a copy of the vault. What happens"
        " is said on standard error; with --json nothing else is said.",
    ),
    "backup install-service": Command(
        "backup_watch:install_service",
        "let the computer do `backup watch` by itself after every login",
        (flag("--remove", "stop that, and take the service away"),),
        "Exit status: 0 done, 66 there is no vault, 73 the system did not take or did not stop it, 77 not possible"
        " here. With --json, one object: service (systemd, launchd or scheduled task), state (running, installed,"
        " absent or unknown).",
    ),
    "backup verify": Command(
        "backup_run:verify",
        "look whether what was backed up is still there, byte for byte",
        (
            _SOME,
            flag("--quick", "names and sizes alone"),
            flag("--full", "read every byte (else the part that was not read for longest)"),
        ),
        f"{_LOGGED} Exit status: 0 all there, 1 changed or lost (only on proof), 2 could not be looked at,"
        f"{_PLACES}. With --json, one object a place: name, id, verdict, how, files, bytes, missing, changed, offline,"
        f" words, step, {_PROBLEMS}.",
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
            flag("--salvage", "where the log is damaged: all sealed files that are there, whatever names them"),
            flag("--list", "show what could be restored; write nothing"),
            value("--vault-id", "HEX", "which vault, where a backup place has several: its first 8 digits or more"),
            flag("--key-in-file", "keep this laptop's key in a file, though there is a key store (weaker)"),
            flag("--no-places", "do not go on backing up to these places"),
            flag("--yes", "do not ask"),
        ),
        "Can be interrupted: the same command goes on where it was. --passphrase-file names the NEW passphrase with"
        " --sheet, else the present one. Exit status: 0 it is restored, 64 wrong use, 65 what is there is damaged or"
        " not complete, 66 there is nothing to restore, 73 no room or not to be written to, 77 refused, 130"
        " interrupted. With --json, one object: saved (the vault's id), what, vault (its folder), files, bytes,"
        " missing, state_ms, opened, and where it was opened notes and places; with --list one object a state: at,"
        " at_ms, vault, and of the newest files, bytes, missing.",
    ),
    "backup drill": Command(
        "backup_drill:run",
        "practise: restore a backup in memory, open every record, and compare",
        (_SOME,),
        "Writes no note to any disk; the result is entered in the log. Exit status: 0 all of it came back, 1"
        " something that a restore needs is missing or changed there, or it is not of this vault as it is"
        f" now,{_PLACES}, none is connected, or nothing is backed up there yet. With --json, one object: name,"
        " verdict, records, clients, notes, bytes, behind, findings, words, step.",
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
        " Backups that had stopped go on once nothing in the vault is hurt any more; then all is backed up. Exit"
        " status: 0 all is well again, 1 something is in no copy, or a place is still not of this vault as it is"
        " now, 2 something else is still wrong, or a place could not be healed (a stick that is merely not plugged in,"
        f" and of which nothing bad is known, is no failure),{_PLACES}, or none is connected, 77 the folder is a copy"
        " of the vault."
        " With --json, one object: healed, aside, lost, unfrozen, frozen, brought (changes that were taken in), left"
        f" (changes that a backup has and the vault has not), words, step, {_PROBLEMS}.",
    ),
    "backup remove": Command(
        "backup_places:remove",
        "no longer back up to a place; what lies there stays as it is",
        (_ONE,),
        f"Exit status: 0 done,{_PLACES}, 75 a backup to it is under way. With --json, one object: saved (the place's"
        " id), what, name, path.",
    ),
}
