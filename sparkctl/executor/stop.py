"""Why a run ends before its last node: a person, or its own deadline."""

import asyncio

from sparkctl.model.vocabulary import Cause


class Stop:
    """Set once; visits under way and nodes that wait end with its cause."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.cause = Cause.INTERRUPTED
        self.words = "the run was stopped"

    def set(self, cause: Cause = Cause.INTERRUPTED, words: str = "the run was stopped") -> None:
        """End the run; the first reason counts."""
        if not self._event.is_set():
            self.cause, self.words = cause, words
            self._event.set()

    def is_set(self) -> bool:
        """Whether the run is to end."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Return when it is."""
        await self._event.wait()
