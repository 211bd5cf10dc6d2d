"""Which logs belong to the vault on this laptop, where copies also have those of others (FORMAT.md sections 3 and 8).

After a restore on a second laptop to the same backup place, that place holds the logs of both. The other one's log is
another history of the same vault: brought into this one, the two would contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from notevault.auditlog import headers
from notevault.auditlog.fault import Fault
from notevault.backup.copies.copies import Copies
from notevault.backup.copies.port import Copy
from notevault.errors import Damaged
from notevault.storage.local import LocalState


def own_logs(local: LocalState, own: Copy, copies: Copies) -> frozenset[str] | None:
    """The log that this laptop wrote last and those that its newest key file lists, wherever that file is; where this
    laptop remembers none, what the newest key file in the vault's own folder lists. None: neither is there, so any.
    """
    try:
        head = local.read_head()
    except Damaged:
        head = None
    if head is not None:
        newest = next(_key_files(copies.copies, copies, head.origin), None)
        if newest is not None:
            return frozenset({head.origin, *newest.origins})
    newest = next(_key_files([own], copies), None)
    if newest is None:
        return None
    return frozenset({newest.origin, *newest.origins} | ({head.origin} if head is not None else set()))


def _key_files(where: Sequence[Copy], copies: Copies, origin: str | None = None) -> Iterator[headers.Header]:
    """Those that hold and are of the vault's identity, the newest first."""
    names = {name for copy in where for name in copy.headers() if origin in (None, name.origin)}
    for name in sorted(names, key=lambda one: (-one.seq, one.origin, one.digest)):
        data = next((data for copy in where if (data := copy.header(name)) is not None), None)
        found = None if data is None else headers.parse(data)
        if found is None or isinstance(found, Fault) or found.vault != copies.vault or found.vik not in copies.viks:
            continue
        if (found.origin, found.seq) == (name.origin, name.seq) and headers.check(found, copies.verify) is None:
            yield found
