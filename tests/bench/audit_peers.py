"""What the verifier is held against: plain SHA-256 of the same bytes, Go's own packages, and systemd's sealed journal.

A sealed journal needs no running systemd. In a mount namespace of its own, an empty folder over /var/log/journal,
`journalctl --setup-keys` makes the keys and `systemd-journal-remote --seal=yes` writes the journal from a file in
export format; its times are ours, 50 ms apart and so 200 messages to a sealing interval of 10 s, as many as an epoch
of our log has. Each message is one of our entries, byte for byte; it is not compressed. Then `journalctl --verify
--verify-key=...` runs anywhere. Needs root, Linux, and Debian's systemd-journal-remote (tried with systemd 252).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from notevault.auditlog import checkpoint, note
from tests.auditlog.sample import IDENTITY
from tests.bench.audit_logs import ORIGIN, Made, bundles, epoch_key, messages

GO_SOURCE = Path(__file__).with_name("auditbench.go")
GO_PACKAGES = Path("/usr/share/gocode")
REMOTE = Path("/lib/systemd/systemd-journal-remote")
MACHINE_ID = Path("/etc/machine-id")
HASH_ALL = """import hashlib, sys
for name in sys.stdin.read().split(chr(0)):
    with open(name, "rb") as file:
        hashlib.sha256(file.read()).digest()
"""
MAKE_JOURNAL = """set -e
mount --bind "$1" /var/log/journal
journalctl --setup-keys --interval=10s --force >"$2/key" 2>"$2/key.err"
"$3" --seal=yes --split-mode=none --compress=no -o "$2/bench.journal" "$2/export" 2>"$2/remote.err"
"""


def sha_passes(made: Made, folder: Path) -> dict[str, list[str]]:
    """Commands that hash every byte of the log once: Python's hashlib, and `sha256sum` where there is one."""
    listed = folder / "listed"
    listed.write_bytes(b"\0".join(os.fsencode(path) for path in bundles(made.audit)))
    shell = shutil.which("sh") or "sh"
    passes = {"hashlib": [shell, "-c", 'exec "$0" -I -S -c "$1" <"$2"', sys.executable, HASH_ALL, str(listed)]}
    if shutil.which("sha256sum"):
        passes["sha256sum"] = [shell, "-c", 'xargs -0 sha256sum <"$1" >"$2"', shell, str(listed), os.devnull]
    return passes


def go_program(made: Made, folder: Path) -> list[str] | str:
    """The command of the Go program on this log, newly built; or why there is none."""
    go = shutil.which("go")
    if go is None or not (GO_PACKAGES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        return "Go or its x/mod packages are not here (apt-get install golang-go golang-golang-x-mod-dev)"
    program = folder / "auditbench"
    own = {"GO111MODULE": "off", "GOPATH": str(GO_PACKAGES), "GOCACHE": str(folder / "gocache"), "GOPROXY": "off"}
    subprocess.run(
        [go, "build", "-o", str(program), str(GO_SOURCE)], env={**os.environ, **own, "GOFLAGS": ""}, check=True
    )
    found = checkpoint.parse((made.audit / "checkpoint").read_bytes())
    assert isinstance(found, checkpoint.Checkpoint)
    identity = note.verifier_key(checkpoint.name_of(ORIGIN), IDENTITY.pub)
    epoch = note.verifier_key(checkpoint.name_of(ORIGIN, found.epoch), epoch_key(found.epoch).pub)
    return [str(program), str(made.audit), identity, epoch]


def sealed_journal(made: Made, folder: Path) -> list[str] | str:
    """The command that verifies a sealed journal of the same entries; or why there is none."""
    for need, there in (
        ("root", hasattr(os, "geteuid") and os.geteuid() == 0),
        ("journalctl", shutil.which("journalctl") is not None),
        ("unshare", shutil.which("unshare") is not None),
        ("the package systemd-journal-remote", REMOTE.is_file()),
        ("/var/log/journal and /etc/machine-id", Path("/var/log/journal").is_dir() and MACHINE_ID.is_file()),
    ):
        if not there:
            return f"a sealed journal needs {need}"
    keys, out = folder / "keys", folder / "journal"
    (keys / MACHINE_ID.read_text().strip()).mkdir(parents=True)
    out.mkdir()
    with (out / "export").open("wb") as file:
        for part in _exported(made):
            file.write(part)
    apart = ["unshare", "-m", "--propagation", "private", "bash", "-c", MAKE_JOURNAL, "bash"]
    ended = subprocess.run([*apart, keys, out, REMOTE], check=False)
    (out / "export").unlink()
    if ended.returncode:
        said = [(out / name).read_text() for name in ("key.err", "remote.err") if (out / name).is_file()]
        return f"no sealed journal could be made here: {' '.join(' '.join(said).split())[-200:]}"
    key = (out / "key").read_text().split()[-1]
    return ["journalctl", "--quiet", "--verify", f"--verify-key={key}", f"--file={out}/*.journal"]


def _exported(made: Made) -> Iterator[bytes]:
    start = time.time_ns() // 1000 + 1_000_000  # noqa: TID251  no message may be older than the key
    fixed = f"_BOOT_ID={'d4' * 16}\nPRIORITY=6\nSYSLOG_IDENTIFIER=notevault\nMESSAGE=".encode()
    for i, data in enumerate(messages(made)):
        at = 50_000 * i
        yield b"__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n%b%b\n\n" % (start + at, at + 1, fixed, data)
