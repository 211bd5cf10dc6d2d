"""The sealed snapshot of the catalogue: a stream object in the local folder (docs/FORMAT.md section 5, type 6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from notevault.crypto import stream
from notevault.errors import Damaged, NotFound
from notevault.formats.envelope import RecordType
from notevault.formats.ids import NO_CLIENT, NO_OBJECT
from notevault.formats.keytable import INDEX, KeyTable
from notevault.storage.local import LocalState
from notevault.vault.env import Env
from notevault.vault.index import Catalogue

if TYPE_CHECKING:
    from notevault.vault.session import Session

CHUNK_LOG2 = 20  # 1 MiB: a snapshot is read whole, larger chunks mean fewer calls


def write(session: Session) -> None:
    image = session.catalogue.image()

    def source() -> Iterator[bytes]:
        yield image

    sealed = stream.seal_stream(
        session.keys.table.current(INDEX)[1],
        session.vault_id,
        RecordType.SNAPSHOT,
        NO_CLIENT,
        NO_OBJECT,
        1,
        source,
        len(image),
        CHUNK_LOG2,
        session.env.entropy,
    )
    session.local.write_index(sealed)


def read(env: Env, local: LocalState, vault_id: bytes, table: KeyTable) -> Catalogue | None:
    """None when there is none or it does not open: the caller rebuilds."""
    try:
        size = local.index_size()
        if size is None:
            return None
        image = stream.open_stream(
            table.current(INDEX)[1],
            vault_id,
            local.stream_index(1 << CHUNK_LOG2),
            size,
            type=RecordType.SNAPSHOT,
            client=NO_CLIENT,
            object=NO_OBJECT,
            version=1,
        )
        return Catalogue.load(image)
    except (Damaged, NotFound):
        return None
