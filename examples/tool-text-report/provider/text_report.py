from typing import Any

from dify_plugin import ToolProvider


class TextReportProvider(ToolProvider):
    """The tools need no account, so every set of credentials is accepted."""

    def _validate_credentials(self, credentials: dict[str, Any]) -> None:
        return None
