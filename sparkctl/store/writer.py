"""Writing to the store from asyncio without stopping the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from sparkctl.model.run import RunRecord
from sparkctl.model.sweep import SweepReport
from sparkctl.store.store import Store


class AsyncWriter:
    """One thread that writes, in the order of the calls; every call returns when its data is on disk.

    Whoever awaits is slowed down to the speed of the disk, so no more records wait than there are callers. A caller
    that is cancelled while it waits does not take its record with it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._jobs: set[asyncio.Future[None]] = set()

    async def add_record(self, record: RunRecord) -> None:
        """Store a record as `Store.add_record` does."""
        await self._write(lambda: self._store.add_record(record))

    async def finish_run(self, report: SweepReport) -> None:
        """Close the run as `Store.finish_run` does, after all records that were given before."""
        await self._write(lambda: self._store.finish_run(report))

    async def close(self) -> None:
        """Wait for what is still being written; raises its first error, which no caller was there to receive."""
        results = await asyncio.gather(*self._jobs, return_exceptions=True)
        self._jobs.clear()
        self._thread.shutdown()
        for result in results:
            if result is not None:
                raise result

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _write(self, work: Callable[[], None]) -> None:
        job = asyncio.get_running_loop().run_in_executor(self._thread, work)
        self._jobs.add(job)
        try:
            await asyncio.shield(job)
        finally:
            if job.done():
                self._jobs.discard(job)
