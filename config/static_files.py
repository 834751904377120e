from __future__ import annotations

from typing import Any, ClassVar

from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise; what the finders list is read once a process.

    Each client of a test makes its own middleware, and listing all files takes a tenth of a second.
    """

    listed: ClassVar[dict[str, Any]] = {}

    def add_files_from_finders(self) -> None:
        if not self.listed:
            super().add_files_from_finders()
            self.listed.update(self.files)
        self.files.update(self.listed)
