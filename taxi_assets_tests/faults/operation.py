"""What a run does with a lake or a warehouse, an operation at a time, and what it leaves.

``run`` does it as a run of the month does, so that it can be done again after a fault; ``state``
says what is there, by the readers that do not use the code under test.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from taxi_assets_tests.faults.stores import Place

__all__ = ["Operation"]


class Operation(ABC):
    """In a place of its own.

    ``prepare`` creates what is there before. ``state`` is ``old``, ``new`` or what is wrong.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.files = place.folder / "files"
        self.files.mkdir()

    @abstractmethod
    def prepare(self) -> None: ...

    @abstractmethod
    def run(self) -> None: ...

    @abstractmethod
    def state(self) -> str: ...

    @abstractmethod
    def left(self) -> Iterator[str]:
        """What is there that should not, after an undisturbed ``run``."""

    def leftovers(self) -> list[str]:
        """The same, with temporary files."""
        temporary = [path.name for path in self.place.temporary.rglob("*") if path.is_file()]
        return [*self.left(), *(f"temporary file {name}" for name in temporary)]
