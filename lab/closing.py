"""What is there between `with` and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class Closing:
    """Is closed at the end of its `with`, whatever happened in it."""

    def close(self) -> None:
        """Take everything down."""
        raise NotImplementedError

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
