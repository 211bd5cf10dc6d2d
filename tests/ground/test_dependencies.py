"""Every package we use is declared, has its reason, and is pinned with hashes."""

from __future__ import annotations

import re
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from .project import ROOT, SOURCE, imports, project

RUNTIME = [Requirement(r) for r in project()["project"]["dependencies"]]
DEV = [Requirement(r) for r in project()["dependency-groups"]["dev"]]
IMPORTED_AS = {"argon2-cffi": "argon2"}
PIN = re.compile(r"([a-z0-9-]+)==(\S+)(?: ; ([^\\]+?))?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


def pins(lock: str) -> dict[str, tuple[str, str, str]]:
    """name -> (version, marker, hashes), after every line was accounted for."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    body = re.sub(r"\A(?:#.*\n)+", "", text)
    assert not PIN.sub("", body), f"{lock} holds something that is neither a pin nor a hash"
    found = PIN.findall(body)
    assert len({name for name, *_ in found}) == len(found)
    return {name: (version, marker, hashes) for name, version, marker, hashes in found}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_no_host_no_index_and_no_path(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert pins(lock)
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash=)", text, re.MULTILINE)


@pytest.mark.parametrize(("lock", "wanted"), [("requirements.lock", RUNTIME), ("requirements-dev.lock", RUNTIME + DEV)])
def test_every_declared_package_is_pinned_within_its_limits(lock: str, wanted: list[Requirement]) -> None:
    pinned = pins(lock)
    for requirement in wanted:
        version, _, _ = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(Version(version)), f"{requirement} but {version} is pinned"


def test_tests_run_on_the_very_packages_that_the_program_runs_on() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_every_declared_package_has_one_line_of_reason() -> None:
    page = (ROOT / "docs" / "adr" / "0001-dependencies.md").read_text(encoding="utf-8")
    reasons = re.findall(r"^\| `([^`]+)` \| (.+) \|$", page, re.MULTILINE)
    assert sorted(name for name, _ in reasons) == sorted(canonicalize_name(r.name) for r in RUNTIME + DEV)
    assert all(len(reason) > 20 for _, reason in reasons)


def test_every_imported_package_is_declared() -> None:
    declared = {IMPORTED_AS.get(r.name, r.name.replace("-", "_")) for r in RUNTIME}
    allowed = declared | sys.stdlib_module_names | {"notevault", "__future__"}
    undeclared = {
        f"{path.relative_to(ROOT)}: {name}" for path in SOURCE.rglob("*.py") for name in imports(path) - allowed
    }
    assert not undeclared


def test_the_audit_log_needs_only_the_standard_library() -> None:
    for path in (SOURCE / "auditlog").rglob("*.py"):
        allowed = sys.stdlib_module_names | ({"cryptography"} if path.name == "cli.py" else set())
        assert imports(path) <= allowed, path.name
