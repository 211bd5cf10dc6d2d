"""Nothing silences the log: no environment variable, no option, no setting. Read from the product's own source.

Whoever adds one of these has to add it here as well, and to think about what it does to the log.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator

import pytest

from notevault.auditlog.events import EVENTS
from notevault.cli.commands import COMMANDS, COMMON
from notevault.domain.settings import Settings
from tests.cli.homes import ROOT, Home

SOURCE = ROOT / "notevault"

# Everything that is read from the environment by name, and what it decides.
VARIABLES = {
    ("adapters/keyring_worker.py", "PYTHON_KEYRING_BACKEND"): "which key store is refused by name",
    ("adapters/machine.py", "XDG_RUNTIME_DIR"): "the memory-backed folder of a remembered session",
    ("adapters/service_systemd.py", "XDG_CONFIG_HOME"): "where a login service of this user is written down",
    ("adapters/service_windows.py", "USERDOMAIN"): "whose scheduled task it is",
    ("adapters/volumes_windows.py", "SYSTEMDRIVE"): "the system's own disk is no plugged-in one",
    ("shell/lent.py", "TERM"): "how a screen is drawn",
    ("shell/terminal.py", "TERM"): "how a screen is drawn",
    ("wiring/locked.py", "PYTHONPATH"): "where a process of our own finds its source",
}
# Where the environment is handed on whole to a process of our own, or read name by name.
WHOLE = {
    "adapters/keyring_call.py": "the key store's helper: the way to the session bus",
    "adapters/keyring_worker.py": "the helper drops what would set attributes of the store",
    "adapters/volumes_cloud.py": "where cloud clients keep their folders",
    "wiring/locked.py": "the shell's child",
}
# No room that has a say in what is logged knows the environment at all.
SILENT_ROOMS = ("app", "auditlog", "cli", "crypto", "domain", "formats", "storage", "vault")
OPTIONS = {
    "--again", "--at", "--born", "--bring-in", "--client", "--code", "--confirm-rollback", "--date",
    "--dry-run", "--entry", "--file", "--from", "--full", "--hours", "--html", "--json", "--key-in-file",
    "--limit", "--list", "--log", "--log-only", "--map", "--name", "--new-passphrase-file", "--newest",
    "--no-input", "--no-places", "--out", "--passphrase-file", "--plain", "--quick", "--remove", "--revision",
    "--salvage", "--sheet", "--template", "--title", "--to", "--vault", "--vault-id", "--year", "--yes",
}  # fmt: skip


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text("utf-8"))


def _is_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ("environ", "environb", "getenv", "getenvb", "putenv")
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(name.name.startswith(("environ", "getenv")) for name in node.names)
    return False


def _name_read(node: ast.AST) -> tuple[ast.AST, str] | None:
    """`x.get("NAME")`, `x["NAME"]` or `getenv("NAME")` of any environment: (the environment's node, the name)."""
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr in ("get", "pop") and _is_environment(func.value):
            return func.value, str(node.args[0].value)
        if _is_environment(func):
            return func, str(node.args[0].value)
    if isinstance(node, ast.Subscript) and _is_environment(node.value) and isinstance(node.slice, ast.Constant):
        return node.value, str(node.slice.value)
    return None


def environment_of(tree: ast.Module) -> tuple[set[str], int]:
    """The names that a module reads by a constant, and how often it touches the environment in any other way."""
    names, known = set(), set()
    for node in ast.walk(tree):
        found = _name_read(node)
        if found is not None:
            known.add(id(found[0]))
            names.add(found[1])
    other = [node for node in ast.walk(tree) if _is_environment(node) and id(node) not in known]
    return names, len(other)


@pytest.mark.slow
def test_the_program_reads_no_environment_variable_but_these() -> None:
    read, whole = set(), set()
    for name, tree in modules():
        names, other = environment_of(tree)
        read |= {(name, each) for each in names}
        if other:
            whole.add(name)
    handed_on = {(where, what) for where, what in VARIABLES if what == "PYTHONPATH"}  # from a copy of the whole
    assert read == set(VARIABLES) - handed_on
    assert whole == set(WHOLE)


def test_no_room_that_decides_what_is_logged_knows_the_environment() -> None:
    for name, tree in modules():
        if name.split("/")[0] in SILENT_ROOMS:
            assert environment_of(tree) == (set(), 0), name


@pytest.mark.parametrize(
    "text",
    [
        'import os\nos.environ["NOTEVAULT_NO_LOG"]',
        'import os\nos.environ.get("NOTEVAULT_NO_LOG", "")',
        'import os\nos.getenv("NOTEVAULT_NO_LOG")',
        'import os\nname = "X"\nos.environ[name]',
        'from os import environ\nenviron["NOTEVAULT_NO_LOG"]',
        'from os import getenv as g\ng("NOTEVAULT_NO_LOG")',
        "import os\ncopy = dict(os.environ)",
    ],
)
def test_the_reading_above_would_find_a_new_one(text: str) -> None:
    assert environment_of(ast.parse(text)) != (set(), 0)


def test_there_are_no_options_but_these() -> None:
    options = {name for command in COMMANDS.values() for name, _ in command.arguments if name.startswith("-")}
    assert options | {name for name, _ in COMMON} == OPTIONS


def test_there_are_no_settings_but_these() -> None:
    assert {each.name for each in dataclasses.fields(Settings)} == {"author", "idle", "template"}


def test_every_kind_of_reading_has_its_event_and_the_recorder_no_way_to_pass_one_over() -> None:
    assert {"record.open", "session.list", "search.run", "audit.disclose"} <= set(EVENTS)
    tree = ast.parse((SOURCE / "vault/recorder.py").read_text("utf-8"))
    (commit,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "commit"]
    calls = [node for node in ast.walk(commit) if isinstance(node, ast.ListComp)]
    built = [each for each in calls if ast.unparse(each).startswith("[build(act) for act in acts")]
    assert [bool(gen.ifs) for each in built for gen in each.generators] == [False]  # every act, no filter


def test_whatever_is_set_around_it_an_opening_is_logged(worked: Home) -> None:
    before = worked.log_size()
    around = {"NOTEVAULT_NO_LOG": "1", "NOTEVAULT_AUDIT": "off", "NO_AUDIT": "1", "DEBUG": "1", "CI": "true"}
    worked.run("client", "list", "--no-input", "--plain", open_it=True, env=around)
    assert worked.log_size() == before + 2  # opened, names shown
