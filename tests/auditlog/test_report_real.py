"""The report of whole vaults on disk, and of other Pythons: real verdicts in, the same bytes out."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from notevault.auditlog import html, report, words
from notevault.auditlog.outcome import DAY_MS, Seen, VaultVerdict
from notevault.auditlog.vaultcheck import check_vault
from tests.auditlog import forge, sample
from tests.auditlog.test_alone import MODULES, pythons

NOW = 1_795_276_920_000  # 21 Nov 2026
VISIT = 1_795_000_000_000  # three days earlier


@pytest.fixture
def vault(tmp_path: Path) -> forge.Forge:
    return forge.busy(tmp_path / "vault", 300, days=15, epochs=3, logs=2)


def check(
    vault: forge.Forge, *, card: bytes | None = None, seen: tuple[Seen, ...] = (), log_only: bool = False
) -> VaultVerdict:
    return check_vault(vault.folder, card=card, seen=seen, verify=sample.verify, now_ms=NOW, log_only=log_only)


def filed(verdict: VaultVerdict) -> tuple[report.Report, str]:
    """The JSON as it is read again, and the text of the page."""
    found: report.Report = json.loads(report.dump(report.report(verdict, version="0.3.0")))
    page = ElementTree.fromstring(html.page(verdict, version="0.3.0"))
    return found, " ".join("".join(page.itertext()).split())


def entries_at(tmp_path: Path, *rows: tuple[str, int, dict[str, object]]) -> report.Report:
    """The report of a log of these events at these times (ms after its first day began)."""
    start = sample.START_MS - sample.START_MS % DAY_MS
    makers = [lambda i: {**sample.fields(i, "vault.create"), "t": start}]
    for event, at, more in rows:
        makers.append(lambda i, ev=event, t=start + at, k=more: {**sample.fields(i, ev), "t": t, **k})  # type: ignore[misc]
    folder = tmp_path / "audit"
    folder.mkdir()
    sample.Log.of(sample.chain(makers)).store(folder)
    verdict = check_vault(folder, card=sample.CARD, verify=sample.verify, log_only=True, now_ms=NOW)
    return filed(verdict)[0]


def test_a_note_written_after_the_days_backup_waits_for_the_next(tmp_path: Path) -> None:
    hour = DAY_MS // 24
    found = entries_at(
        tmp_path,
        ("backup.run", DAY_MS + 8 * hour, {}),
        ("record.write", DAY_MS + 18 * hour, {}),
        ("session.lock", 100 * DAY_MS, {}),
    )
    gaps = found["logs"]["list"][0]["days_without_backup"]
    assert (gaps["days"], gaps["told"]) == (100, True)
    assert [one["days"] for one in gaps["list"]] == [100]


def test_failed_unlocks_beyond_the_list_are_counted_by_the_walk(tmp_path: Path) -> None:
    more: dict[str, object] = {"o": "fail", "k": {"n": 1, "why": "passphrase"}}
    found = entries_at(tmp_path, *[("session.fail", n, more) for n in range(1200)])["logs"]["list"][0]["failed_unlocks"]
    assert (found["total"], len(found["list"]), found["left_out"]) == (1200, 500, 700)


def test_a_sound_vault_is_reported_intact_at_a_second_visit(vault: forge.Forge) -> None:
    first = check(vault, card=vault.card)
    assert words.headline(first).startswith("INTACT (first visit): both logs of ")
    seen = [
        Seen(log.verdict.origin, log.verdict.size, log.verdict.root, "your state file", VISIT) for log in first.logs
    ]
    verdict = check(vault, card=vault.card, seen=tuple(seen))
    found, page = filed(verdict)
    assert found["title"] == "INTACT"
    assert "all of it is vouched for from outside (seen 18 Nov 2026 11:06 UTC)" in found["sentence"]
    assert found["vault"] == first.vault
    for log in found["logs"]["list"]:
        assert sum(log["by_event"].values()) == log["size"] == log["anchored"]
        assert sum(row["n"] for row in log["by_event_and_outcome"]) == log["size"]
        assert sum(sum(row["events"].values()) for row in log["by_day"]["list"]) == log["size"]
        assert any(one["source"] == "your state file" for one in log["anchors"]["list"])
    assert found["notes"]["sound"] == found["notes"]["live"] > 0
    assert "wrong passphrase" in page
    assert found["logs"]["list"][1]["follows"]["origin"] == found["logs"]["list"][0]["origin"]


def test_a_changed_byte_is_reported_with_its_place_and_its_log(vault: forge.Forge) -> None:
    origin = check(vault, card=vault.card).logs[-1].verdict.origin
    open_ = vault.folder / "audit" / origin / "open"
    data = bytearray(open_.read_bytes())
    data[500] ^= 1
    open_.write_bytes(data)
    verdict = check(vault, card=vault.card)
    found, page = filed(verdict)
    assert (found["verdict"], found["exit_code"]) == ("tampered", 1)
    one = found["findings"]["list"][0]
    assert (one["code"], one["origin"]) == ("REWRITTEN", origin)
    assert one["sentence"] in page
    assert words.summary(verdict)[1].startswith("  proof    REWRITTEN between entries ")
    assert "are not proven" in page


def test_without_a_card_nothing_is_a_pass(vault: forge.Forge) -> None:
    verdict = check(vault)
    found, page = filed(verdict)
    assert (found["verdict"], found["exit_code"]) == ("undecided", 2)
    assert "INTACT" not in page
    assert "as signed, though not known by whom" in page


def test_the_log_alone_says_so_in_its_title(vault: forge.Forge) -> None:
    found, page = filed(check(vault, card=vault.card, log_only=True))
    assert found["title"] == "INTACT (first visit, the log alone)"
    assert "The notes' files were not checked: only the log was asked for." in page


def test_a_vault_known_by_its_identity_alone_is_not_said_to_be_unknown(vault: forge.Forge) -> None:
    verdict = check_vault(vault.folder, vik=vault.vik, verify=sample.verify, now_ms=NOW)
    found, _ = filed(verdict)
    assert found["exit_code"] == 0
    assert not any("not known by whom" in line for line in found["checked_points"])
    assert "the card: none was given, or none could be used" in found["not_checked"]


PROGRAM = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from auditlog import html, report, words
from auditlog.outcome import DAY_MS, Fail, LogReport, SealRef, VaultVerdict
from auditlog.verdict import Finding, LogVerdict, Weight
log = LogReport(LogVerdict("ab" * 16, size=30, proven=True), listed=True)
log.tally.days = {20778 + n: {"record.open": 2, "session.fail": 1} for n in range(10)}
log.tally.fails = [Fail(2, 20778 * DAY_MS, 20778 * DAY_MS, 1, "passphrase")]
log.seals = [SealRef(0, 20, 20780 * DAY_MS, "holds")]
verdict = VaultVerdict("a1" * 16, "b2" * 16, 20790 * DAY_MS, logs=[log], findings=[Finding("X", Weight.NOTE, "<b>")])
found = report.report(verdict, version="1")
print(hashlib.sha256(report.dump(found) + html.render(found)).hexdigest(), words.summary(verdict)[0])
"""


def test_every_python_here_makes_the_same_report(tmp_path: Path) -> None:
    (tmp_path / "auditlog").mkdir()
    for module in MODULES:
        shutil.copy(module, tmp_path / "auditlog" / module.name)
    said = set()
    for python in [sys.executable, *pythons()]:
        command = [python, "-I", "-S", "-W", "error", "-c", PROGRAM, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said.add(done.stdout)
    assert len(said) == 1
    assert "INTACT (first visit): the log of 30 entries is as signed" in said.pop()
