from collections.abc import Mapping
from typing import Any

from dify_plugin.errors.tool import DatasourceCredentialValidationError
from dify_plugin.interfaces.datasource import DatasourceProvider


class {{class}}Provider(DatasourceProvider):
    def _validate_credentials(self, credentials: Mapping[str, Any]) -> None:
        """Called when a user saves credentials: make the cheapest call that fails with a wrong key."""
        try:
            # For example: Client(credentials["api_key"]).whoami()
            pass
        except Exception as error:
            raise DatasourceCredentialValidationError(str(error)) from error

    # Sign-in through the provider (oauth_schema in the YAML file):
    #
    # def _oauth_get_authorization_url(self, redirect_uri, system_credentials) -> str: ...
    # def _oauth_get_credentials(self, redirect_uri, system_credentials, request) -> DatasourceOAuthCredentials: ...
    # def _oauth_refresh_credentials(self, redirect_uri, system_credentials, credentials) -> DatasourceOAuthCredentials: ...
