"""After an interrupted run: what was not committed is set aside, never adopted; what was done is said and logged.

Nothing leaves the vault on a guess. Files that no log entry names are moved only where this laptop's log is the only
one, nothing in it was refused, and the catalogue has followed it under the writer lock; everywhere else they stay,
since another laptop's log may be on its way. What was set aside comes back when a log turns out to name it.
"""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from notevault.errors import Damaged, NotevaultError
from notevault.formats.ids import Digest
from notevault.vault.recorder import Act
from notevault.vault.survey import read_headers

if TYPE_CHECKING:
    from notevault.vault.session import Session

LARGEST = 72 << 20  # bytes; a larger file is no record of ours, and is not copied about


def settle_log(session: Session) -> tuple[int, int]:
    """The log's tail beyond its checkpoint, and headers of ours that no entry names: (bytes, headers) set aside."""
    recorder = session.recorder
    with recorder.writing():
        settled = recorder.settle()
        headers = 0
        for candidate, header in read_headers(session.env, session.paths)[0]:
            newer = header.seq >= session.header.seq and candidate.digest != session.header_digest
            if newer and header.vik == session.header.vik and header.origin == session.origin:
                session.headers.set_aside(candidate, session.local, wall_ms=session.env.clock.wall_ms())
                headers += 1
    return settled, headers


def settle_blobs(session: Session) -> int:
    """Records that no entry names, where that can be known: how many were set aside. Raises nothing for odd files."""
    with session.recorder.writing():  # nobody is in the middle of a commit, and the catalogue has followed
        if not _alone(session):
            return 0
        known = {write.digest for write in session.catalogue.writes()}
        count = 0
        for digest in [digest for digest in session.blobs.digests() if digest not in known]:
            try:
                if (session.blobs.size(digest) or 0) <= LARGEST:
                    session.blobs.set_aside(digest, session.local, wall_ms=session.env.clock.wall_ms())
                    count += 1
            except Damaged:
                continue  # a link or a folder under a record's name: `verify` tells of it
    return count


def _alone(session: Session) -> bool:
    """Whether ours is the only log there is, and everything in it was understood."""
    logs = set(session.env.files.names(session.paths.all_audit))
    covered = session.catalogue.covered(session.origin)
    whole = covered is not None and covered[0] == session.recorder.tail.size
    return whole and logs == {session.origin} == set(session.header.origins) and not session.catalogue.refused()


def bring_back(session: Session, digest: str) -> bool:
    """A record that a log names and that was set aside here: put back in its place. Whether it was."""
    for data in session.local.kept_copies(digest):
        session.blobs.put(data)
        return True
    return False


def unnamed(session: Session, known: Container[str]) -> list[Digest]:
    """Files in the place of records that none of `known` is, for a report; nothing is moved."""
    return [digest for digest in session.blobs.digests() if digest not in known]


def tell(session: Session, settled: int, headers: int, blobs: int) -> None:
    """One entry and one sentence, when there was anything. A failure to log it never stops an opening."""
    if not (settled or headers or blobs):
        return
    session.notices.append(
        "The last run ended in the middle of writing. What was saved is there;"
        " unfinished pieces were set aside, and unsaved text comes back as a draft."
    )
    try:
        session.log_acts([Act("crash.settle", "E", "system", k={"blobs": blobs, "bytes": settled, "headers": headers})])
    except NotevaultError as fault:
        session.notices.append(fault.sentence)
