"""Counters in memory that the load's processes share: one writer each, any number of readers, no locks."""

import mmap
import os
from types import TracebackType
from typing import Self


class Counters:
    """An array of 64-bit counters behind a descriptor that children inherit."""

    def __init__(self, count: int, fd: int | None = None) -> None:
        """Without `fd`, make them; with it, open those that a parent made."""
        self.fd = os.memfd_create("counters") if fd is None else fd
        if fd is None:
            os.ftruncate(self.fd, 8 * count)
        self._memory = mmap.mmap(self.fd, 8 * count)
        self.values = memoryview(self._memory).cast("Q")

    def total(self) -> int:
        """All of them together."""
        return sum(self.values)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.values.release()
        self._memory.close()
        os.close(self.fd)
