"""When growth of a log is worth a commit at a place: each costs two small files that stay there for ever.

what grew                                     committed
a file is named (a record, a key file)        at once
reading, opening, locking                     15 minutes after the last commit
nothing but backups' own results              a day after it
"""

from __future__ import annotations

import re

from notevault.backup.model import Head, PlaceState
from notevault.backup.source.log import waiting_in
from notevault.backup.source.source import Source

QUIET_MS = 15 * 60 * 1000
OWN_MS = 24 * 3600 * 1000
_OWN = re.compile(rb'"ev":"(?:backup\.[a-z]+|verify\.run)"')


def is_due(source: Source, origin: str, there: Head | None, state: PlaceState, now_ms: int) -> bool:
    """Whether this log's present state is to be committed. `there`: the newest of its states at the place."""
    head = source.heads[origin]
    if there is None:
        return head.size > 0
    if there.size >= head.size:
        return False
    age = now_ms - state.committed_ms
    if not 0 <= age < QUIET_MS:
        if not 0 <= age < OWN_MS:
            return True
        return any(_OWN.search(data) is None for data in source.entries(origin, there.size, head.size))
    return waiting_in(source.entries(origin, there.size, head.size))[0] > 0
