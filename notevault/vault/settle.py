"""After an interrupted run: what was not committed is set aside, never adopted; what was done is said and logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notevault.vault.recorder import Act
from notevault.vault.survey import read_headers

if TYPE_CHECKING:
    from notevault.vault.session import Session


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
    """Records that no entry of any log names: set aside. The catalogue must cover every log of the vault."""
    with session.recorder.writing():  # nobody is in the middle of a commit, and the catalogue has followed
        known = {write.digest for write in session.catalogue.writes()}
        orphans = [digest for digest in session.blobs.digests() if digest not in known]
        for digest in orphans:
            session.blobs.set_aside(digest, session.local, wall_ms=session.env.clock.wall_ms())
    return len(orphans)


def tell(session: Session, settled: int, headers: int, blobs: int) -> None:
    """One entry and one sentence, when there was anything."""
    if not (settled or headers or blobs):
        return
    session.log_acts([Act("crash.settle", "E", "system", k={"blobs": blobs, "bytes": settled, "headers": headers})])
    session.notices.append(
        "The last run ended in the middle of writing. Nothing that was saved is lost;"
        " unfinished pieces were set aside, and unsaved text comes back as a draft."
    )
