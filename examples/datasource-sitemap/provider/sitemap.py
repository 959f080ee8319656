from collections.abc import Mapping
from typing import Any

from dify_plugin.interfaces.datasource import DatasourceProvider


class SitemapProvider(DatasourceProvider):
    """Public pages need no account; the user agent is all there is to set."""

    def _validate_credentials(self, credentials: Mapping[str, Any]) -> None:
        if "\n" in str(credentials.get("user_agent") or ""):
            raise ValueError("the user agent must be a single line")
