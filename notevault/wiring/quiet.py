"""Short processes of this program without a terminal, ended after a while and always waited for."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence


def start(command: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """It may get ready, and waits with its work until its input ends: `finish` ends it, and so does our own end.

    Raises OSError.
    """
    return subprocess.Popen(  # noqa: S603 - this program itself, with words of our own
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,  # says nothing: its end is seen at once, where waiting for a process looks now and then
        stderr=subprocess.DEVNULL,
        env=dict(env),
        start_new_session=True,  # an interrupt typed in the terminal is for others
    )


def finish(process: subprocess.Popen[bytes], limit_s: float) -> None:
    """Returns when it has ended, after `limit_s` seconds at most; at once when it was finished before."""
    if process.stdin is None or process.stdin.closed:
        return
    with process:
        try:
            process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if process.poll() is None:
                end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """At once, whatever it is at; also one that has ended."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
