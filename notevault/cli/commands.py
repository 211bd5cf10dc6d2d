"""The table of commands: what each takes, which function does it, and what its help says. Nothing is imported for it.

`handler` is `module:function` in `notevault.cli`; the function takes a `Context` and returns the exit code.
"""

from __future__ import annotations

from notevault.cli.commands_audit import AUDIT
from notevault.cli.commands_backup import BACKUP
from notevault.cli.rows import SAVED, Argument, Command, flag, value

__all__ = ["COMMANDS", "COMMON", "GROUPS", "ORDER", "Argument", "Command", "front_page", "group_page"]

_NOTE_KEYS = (
    "With --json, one object a line: id, client (code), name, session (time), number (of the session), revision, state"
    " (signed or unsigned), template, title, words"
)
_CLIENT_KEYS = "code, name, born, created, last (newest session), notes (how many), active"
_CODE: Argument = ("--client", {"metavar": "CODE", "help": "the client's code, like C-014"})
_ID: Argument = ("id", {"metavar": "ID", "help": "the note's id, or at least its first 4 digits"})
_KEY_IN_FILE = flag("--key-in-file", "keep this laptop's key in a file, though there is a key store (weaker)")

COMMANDS: dict[str, Command] = {
    "shell": Command("start:shell", "open the vault and write (the same as notevault alone)"),
    "demo": Command("start:demo", "try it out with made-up clients; nothing is left behind"),
    "init": Command(
        "setup:init",
        "make a vault and its recovery sheet",
        (value("--sheet", "OUT", "write the recovery sheet to this new .pdf or .txt file"), _KEY_IN_FILE),
        "The sheet is a secret in a file: print it, then delete the file. Not before `notevault sheet confirm` does the"
        " vault count as recoverable. " + SAVED,
    ),
    "sheet new": Command(
        "setup:sheet_new",
        "replace a lost recovery sheet",
        (value("--sheet", "OUT", "write the new sheet to this new .pdf or .txt file"),),
        SAVED,
    ),
    "sheet confirm": Command(
        "setup:sheet_confirm",
        "show that you have the sheet: typed in, it must open the vault",
        (value("--sheet", "FILE", "read it from a text file, or from standard input with -"),),
        SAVED,
    ),
    "recover": Command(
        "setup:recover",
        "open a vault's folder that was brought along with the recovery sheet, and make it this laptop's own",
        (
            value(
                "--sheet", "FILE", "read the sheet from a text file, or from standard input with -; else it is typed"
            ),
            _KEY_IN_FILE,
        ),
        "With a backup place use `notevault backup restore --from DIR` instead: a place itself is never opened."
        " --passphrase-file names the NEW passphrase. " + SAVED,
    ),
    "passphrase change": Command(
        "setup:passphrase_change",
        "set another passphrase",
        (value("--new-passphrase-file", "F", "the new passphrase is the first line of this file"),),
        SAVED,
    ),
    "client add": Command(
        "clients:add",
        "add a client",
        (
            ("name", {"metavar": "NAME", "help": "the name as on a folder; - reads it from standard input"}),
            value("--code", "C", "a code of your own (else the next free one, like C-015)"),
            value("--born", "DATE", "date of birth, like 1980-05-17"),
            flag("--yes", "add the client even if there is one of this name"),
        ),
        "Prints the new client's code. " + SAVED,
    ),
    "client list": Command(
        "clients:list_", "all clients, by name", (), f"With --json, one object a line: {_CLIENT_KEYS}."
    ),
    "client show": Command(
        "clients:show",
        "one client's own page",
        (("client_code", {"metavar": "CODE", "help": "the client's code, like C-014"}),),
        f"With --json: {_CLIENT_KEYS}, remark.",
    ),
    "note add": Command(
        "notes:add",
        "save a note that is written already",
        (
            ("--client", {"metavar": "CODE", "required": True, "help": "the client's code, like C-014"}),
            value("--file", "F", "the text is in this file; - or nothing means standard input"),
            value("--date", "D", "date of the session, like 2025-11-17 or 2025-11-17 09:00 (else now)"),
            value("--title", "T", "a title (it is seen in the terminal's history: nothing private)"),
            value("--template", "T", "SOAP, DAP, BIRP or free"),
        ),
        "The text comes from a file or a pipe, never from the command line, where other programs can see it. Prints the"
        " note's id once it is safe on the disk. " + SAVED,
    ),
    "note list": Command(
        "notes:list_",
        "notes, the newest session first",
        (_CODE, value("--limit", "N", "at most so many", type="count")),
        _NOTE_KEYS + ".",
    ),
    "note show": Command(
        "notes:show",
        "a note's text (logged)",
        (_ID, value("--revision", "N", "an earlier revision; `note history` lists them", type="count")),
        _NOTE_KEYS + ", author, modified, text. Without it the text alone goes to standard output.",
    ),
    "note history": Command(
        "notes:history",
        "a note's revisions, oldest first",
        (_ID,),
        "With --json, one object a line: id, revision, saved (time), state.",
    ),
    "find": Command(
        "notes:find",
        "notes that have all of these words (or their beginnings)",
        (
            (
                "words",
                {"metavar": "WORDS", "nargs": "+", "help": "what to look for; - reads the words from standard input"},
            ),
            _CODE,
            value("--limit", "N", "show at most so many (else 20)", type="count"),
        ),
        "Searches are logged, their words sealed. " + _NOTE_KEYS + ", excerpt.",
    ),
    "import": Command(
        "importer:run",
        "bring in notes from .txt, .md and .csv files",
        (
            ("files", {"metavar": "FILE", "nargs": "+", "help": "a text file is one note, a row of a .csv too"}),
            value("--map", "MAP", "columns of a .csv: name=COLUMN,text=COLUMN[,date=,born=,title=,order=dmy|mdy]"),
            ("--client", {"metavar": "CODE", "help": "all of them are this client's"}),
            flag("--dry-run", "show what would happen; write nothing"),
            flag("--again", "also notes that are here already: the same words, client and day"),
            flag("--yes", "do not ask"),
        ),
        "First shows what would come in, then asks. The files themselves stay readable: delete them afterwards."
        ' With --json: {"saved": N, "what": "import", "clients": MADE, "notes": N}; with --dry-run: notes, clients_new,'
        " clients_known, here (left out), nameless, undated, similar, warnings.",
    ),
    "verify": Command(
        "verify:run",
        "check every record and every log entry",
        (),
        "Exit status: 0 intact, 1 changed or lost (only on proof), 2 cannot decide. With --json, one object a finding"
        " (finding, sentence, weight), and last the verdict (intact, tampered or undecided) with its counts.",
    ),
    "doctor": Command(
        "doctor:run",
        "look at the vault's surroundings: keys, permissions, sheet, lock",
        (flag("--confirm-rollback", "go on with an older copy of the vault that was put back"),),
        "Without the passphrase it says what it can. With --json, one object a line: topic, state (good, note, warn,"
        " bad, unknown), sentence, step.",
    ),
    **BACKUP,
    **AUDIT,
    "remember": Command(
        "session:remember",
        "let commands open the vault without the passphrase for some hours",
        (value("--hours", "N", "1 to 8 (else 4)", type="count"),),
        SAVED,
    ),
    "lock": Command("session:lock", "end what `remember` began", (), 'With --json: {"ended": true or false}.'),
    "version": Command("start:version", "print the version", (), 'With --json: {"version": V}.'),
    "help": Command(
        "start:help_",
        "this page, or the help of one command",
        (("words", {"metavar": "COMMAND", "nargs": "*", "help": "like: note add"}),),
    ),
}

GROUPS: dict[str, str] = {
    "sheet": "the recovery sheet",
    "passphrase": "what opens the vault",
    "client": "the people in treatment",
    "note": "notes and their revisions",
    "backup": "copies of the vault elsewhere, sealed, that nothing overwrites",
    "audit": "the log of what was done, for somebody who must not take your word for it",
}

COMMON: tuple[Argument, ...] = (
    value("--vault", "DIR", "the vault's folder (else the usual place)"),
    value("--passphrase-file", "F", "the passphrase is the first line of this file; - means standard input"),
    flag("--json", "answer in JSON, one object a line"),
    flag("--no-input", "never ask anything"),
    flag("--plain", "no full-screen views, no lines that redraw themselves"),
)

ORDER = (
    (
        "Every day",
        (
            "shell",
            "note add",
            "note list",
            "note show",
            "note history",
            "find",
            "client add",
            "client list",
            "client show",
        ),
    ),
    ("In between", ("import", "remember", "lock")),
    ("The vault", ("init", "sheet confirm", "sheet new", "recover", "passphrase change", "verify", "doctor")),
    (
        "Backups",
        (
            "backup status",
            "backup add",
            "backup list",
            "backup remove",
            "backup run",
            "backup watch",
            "backup install-service",
            "backup verify",
            "backup drill",
            "backup heal",
            "backup restore",
        ),
    ),
    (
        "For an auditor",
        ("audit verify", "audit report", "audit card", "audit disclose", "audit proof", "audit export", "audit review"),
    ),
    ("Else", ("demo", "version", "help")),
)


def front_page() -> str:
    """`notevault --help`."""
    lines = ["notevault: a vault for clinical notes", "", f"  {'notevault':<24}opens the vault, or sets one up"]
    for title, names in ORDER:
        lines += ["", f"{title}:"]
        lines += [f"  {name:<24}{COMMANDS[name].summary}" for name in names]
    lines.append("")
    lines.append("With every command, before or after it:")
    for name, facts in COMMON:
        lines.append(f"  {name + ' ' + str(facts.get('metavar', '')):<24}{facts['help']}")
    lines += [
        "",
        "`notevault help COMMAND` says more. Answers go to standard output, messages to standard error.",
        "Exit status: 0 done, 1 tampered, 2 cannot decide, 64 wrong use, 65 damaged, 66 not there,",
        "69 this laptop's key unavailable, 70 our own fault, 73 cannot write, 74 input/output error,",
        "75 in use, 77 wrong passphrase or refused, 130 interrupted.",
    ]
    return "\n".join(lines) + "\n"


def group_page(group: str) -> str:
    """`notevault note --help`."""
    lines = [f"notevault {group}: {GROUPS[group]}", ""]
    lines += [f"  {name:<24}{command.summary}" for name, command in COMMANDS.items() if name.split()[0] == group]
    return "\n".join([*lines, "", f"`notevault help {group} ...` says more of each."]) + "\n"
