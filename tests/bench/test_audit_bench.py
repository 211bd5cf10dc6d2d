"""The measurements of the audit log run, at a size that takes seconds; what they measure is a log that is whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from notevault.auditlog.check import check_log, folder_reader
from tests.auditlog.sample import verify
from tests.bench import audit, audit_logs
from tests.bench.clockwork import Table

pytestmark = pytest.mark.skipif(not hasattr(os, "posix_spawnp"), reason="measured where children can be waited for")


@pytest.mark.parametrize("kind", ["mixed", "writes"])
@pytest.mark.parametrize("size", [1, 199, 200, 256, 512, 801])
def test_a_log_made_for_measuring_is_whole(tmp_path: Path, size: int, kind: str) -> None:
    made = audit_logs.make(tmp_path / "vault", size, kind)
    found = check_log(folder_reader(made.audit), audit_logs.ORIGIN, made.card.read_bytes(), None, verify)
    assert (found.exit_code, found.findings, found.found) == (0, [], size)
    assert len(list(audit_logs.messages(made))) == size
    assert len(list((made.audit / "seals").iterdir())) == size // audit_logs.EPOCH


def test_the_files_of_a_log_made_for_measuring_are_those_it_says(tmp_path: Path) -> None:
    made = audit_logs.make(tmp_path / "vault", 3000, blobs=True)
    found = check_log(folder_reader(made.audit), audit_logs.ORIGIN, made.card.read_bytes(), None, verify)
    there = {path.name for path in (made.root / "blobs").rglob("*") if path.is_file()}
    assert there == set(found.live)
    assert len(there) < made.written  # some were destroyed


@pytest.mark.slow
def test_the_audit_log_is_measured_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit.measure(tmp_path / "room", 700, Table(), count=0, files=400)
    said = capsys.readouterr().out
    for row in ("nvaudit check, 700 entries ", "all writes", "400 entries, ", "append one entry", "load the log"):
        assert row in said
    for peer in ("Go", "journalctl"):
        assert f"# {peer} " in said or f"not measured against {peer}: " in said


@pytest.mark.slow
def test_a_verdict_that_was_not_expected_ends_the_measurement(tmp_path: Path) -> None:
    made = audit_logs.make(tmp_path / "vault", 300)
    bundle = made.audit / "entries" / "000"
    data = bytearray(bundle.read_bytes())
    data[1000] ^= 1
    bundle.write_bytes(data)
    (tmp_path / "card").write_bytes(made.card.read_bytes())
    command = audit.check_command(audit.programs(tmp_path)[0], made, tmp_path, "--log-only")
    with pytest.raises(SystemExit, match="ended with 1, 0 was expected"):
        audit.once(command, tmp_path)
