"""What two logs wrote under one number: the vault was brought back from a backup, and later a backup of what had been
saved after it was brought in (`backup.bringin`). Both are kept; here is what tells them apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from notevault.formats.envelope import RecordType
from notevault.vault.index import Catalogue, Write


@dataclass
class BroughtIn:
    """Ids of notes that came with it; of those, the ones changed here too; of clients changed there and here."""

    notes: set[bytes] = field(default_factory=set)
    both: set[bytes] = field(default_factory=set)
    clients: set[bytes] = field(default_factory=set)

    def words(self) -> list[str]:
        """Sentences for who opens the vault; none where there is nothing to tell."""
        said = []
        if self.notes:
            were = _counted(self.notes, "note was", "notes were")
            said.append(f"What was brought in from a backup is here: {were} written or changed there.")
        if self.both:
            were = _counted(self.both, "note was", "notes were")
            said.append(
                f"{were} changed both there and here. Both texts are kept: the note's earlier versions show them."
            )
        if self.clients:
            were = _counted(self.clients, "client", "clients")
            said.append(
                f"The details of {were} were changed both there and here: `notevault client show CODE` shows both."
            )
        return said


def _counted(ids: set[bytes], one: str, many: str) -> str:
    return f"{len(ids):,} {one if len(ids) == 1 else many}"


def brought_in(catalogue: Catalogue, grown: Mapping[str, int]) -> BroughtIn:
    """`grown`: closed logs, and the entry from which on they are new here. Reads every write: for a rare day."""
    found = BroughtIn()
    if not grown:
        return found
    logs: dict[tuple[int, bytes, bytes, int], set[str]] = defaultdict(set)
    fresh: list[Write] = []
    for write in catalogue.writes():
        logs[write.type, write.client, write.object, write.version].add(write.origin)
        if write.i >= grown.get(write.origin, write.i + 1):
            fresh.append(write)
    for write in fresh:
        twice = len(logs[write.type, write.client, write.object, write.version]) > 1
        if write.type == RecordType.NOTE:
            found.notes.add(write.object)
            found.both |= {write.object} if twice else set()
        elif write.type == RecordType.CLIENT and twice:
            found.clients.add(write.client)
    return found


def other_records(catalogue: Catalogue, client: bytes) -> list[Write]:
    """A client's newest record in each log, where two logs went on from one: the oldest first."""
    mine = [each for each in catalogue.writes() if each.type == RecordType.CLIENT and each.client == client]
    logs: dict[int, set[str]] = defaultdict(set)
    for write in mine:
        logs[write.version].add(write.origin)
    since = min((version for version, origins in logs.items() if len(origins) > 1), default=None)
    if since is None:
        return []
    newest: dict[str, Write] = {}
    for write in sorted(mine, key=lambda each: each.version):
        if write.version >= since:
            newest[write.origin] = write
    return sorted(newest.values(), key=lambda each: (each.t, each.i))
