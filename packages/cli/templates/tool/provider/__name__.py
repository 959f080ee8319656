from typing import Any

from dify_plugin import ToolProvider
from dify_plugin.errors.tool import ToolProviderCredentialValidationError


class {{class}}Provider(ToolProvider):
    def _validate_credentials(self, credentials: dict[str, Any]) -> None:
        """Called when a user saves credentials: make the cheapest call that fails with a wrong key."""
        try:
            # For example: Client(credentials["api_key"]).whoami()
            pass
        except Exception as error:
            raise ToolProviderCredentialValidationError(str(error)) from error

    # Sign-in through the provider (oauth_schema in the YAML file, SDK 0.4.2 or newer):
    #
    # def _oauth_get_authorization_url(self, redirect_uri, system_credentials) -> str: ...
    # def _oauth_get_credentials(self, redirect_uri, system_credentials, request) -> ToolOAuthCredentials: ...
    # def _oauth_refresh_credentials(self, redirect_uri, system_credentials, credentials) -> ToolOAuthCredentials: ...
