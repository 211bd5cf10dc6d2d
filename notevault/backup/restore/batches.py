"""Many small files to a disk: the next batch is read and hashed while the one before is written and synced."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from notevault.ports import WriteOnce

BATCH_FILES, BATCH_BYTES = 2048, 32 << 20  # each batch costs a sync, and waits in memory until then


class Batches:
    """For one thread. As a context manager it ends with its last write over, whatever happened; nothing more is sent.

    What a write raises comes out of the next call. A file counts when `flush` has returned after it.
    """

    def __init__(self, place: WriteOnce) -> None:
        self._place = place
        self._pool = ThreadPoolExecutor(1)
        self._writing: Future[int] | None = None
        self._batch: list[tuple[str, bytes]] = []
        self._bytes = 0

    def __enter__(self) -> Batches:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def put(self, path: str, data: bytes) -> None:
        self._batch.append((path, data))
        self._bytes += len(data)
        if len(self._batch) >= BATCH_FILES or self._bytes >= BATCH_BYTES:
            self._send()

    def flush(self) -> None:
        """Everything so far is durable, and the place may be used by others until the next `put`."""
        self._send()
        self._wait()

    def _send(self) -> None:
        self._wait()
        if self._batch:
            self._writing = self._pool.submit(self._place.add_batch, self._batch)
            self._batch, self._bytes = [], 0

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()
