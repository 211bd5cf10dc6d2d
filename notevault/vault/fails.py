"""Failed unlocks: every one is logged, the first five one by one, further ones counted and entered together.

The count lies in a local file. So that nobody silences the log by writing into that file, one is entered in any case
when the log's newest entry about a failed unlock is a minute old.

Where the log keys cannot be had either, a count waits in the local folder (no client data) and is entered at the next
opening as *reported*.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from notevault.auditlog import entry
from notevault.errors import NotevaultError
from notevault.storage.local import LocalState
from notevault.vault.env import Env
from notevault.vault.recorder import Act, Recorder

if TYPE_CHECKING:
    from notevault.vault.session import Session

ONE_BY_ONE = 5  # then once per ten: a child hammering on keys must not grow the log for ever
TOGETHER = 10
PAUSE_MS = 60_000  # but at least once a minute
LOOK_BACK = 16  # entries; further back the last one lies long ago
WHYS = ("passphrase", "secret-missing", "secret-foreign", "keyring", "header", "sheet")


def record(env: Env, local: LocalState, recorder: Recorder, why: str) -> None:
    """Log a failed unlock; when even that fails, keep it for later. Never hides the failure itself."""
    count, waiting = local.fails()
    count, waiting = count + 1, waiting + 1
    try:
        if count <= ONE_BY_ONE or waiting >= TOGETHER or _quiet(env, recorder):
            recorder.record(Act("session.fail", "E", "system", "fail", k={"n": waiting, "why": why}))
            waiting = 0
        local.set_fails(count, waiting)
    except NotevaultError:
        keep(env, local, why)


def _quiet(env: Env, recorder: Recorder) -> bool:
    """Whether the log tells of no failed unlock of the last minute."""
    size, now = recorder.tail.size, env.clock.wall_ms()
    for data in recorder.entries(max(0, size - LOOK_BACK), size):
        found = entry.parse(data)
        if isinstance(found, entry.Entry) and found.ev == "session.fail" and 0 <= now - found.t < PAUSE_MS:
            return False
    return True


def keep(env: Env, local: LocalState, why: str) -> None:
    """The log cannot be written (no keys): a line waits. Best effort: the disk itself may be why."""
    with contextlib.suppress(NotevaultError):
        local.keep_fail(env.clock.wall_ms(), why)


def enter(session: Session) -> None:
    """At an opening: what waited, and what was only counted."""
    acts = [
        Act("session.fail", "E", "system", "reported", k={"at": at, "n": 1, "why": why})
        for at, why in session.local.kept_fails()
        if why in WHYS
    ]
    count, waiting = session.local.fails()
    if waiting:
        acts.append(Act("session.fail", "E", "system", "fail", k={"n": waiting, "why": "passphrase"}))
    if acts:
        session.log_acts(acts)
        session.local.clear_kept_fails()
    if count:
        session.notices.append(sentence(count))
        session.local.set_fails(0)


def sentence(count: int) -> str:
    """As the next opening tells of them."""
    return (
        "There was one failed try to open this vault since you last did."
        if count == 1
        else f"There were {count} failed tries to open this vault since you last did."
    )
