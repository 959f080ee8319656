from dify_plugin import ModelProvider
from dify_plugin.errors.model import CredentialsValidateFailedError


class {{class}}ModelProvider(ModelProvider):
    def validate_provider_credentials(self, credentials: dict) -> None:
        """Called when a user saves the provider's credentials: make the cheapest call that fails with a wrong key."""
        if not credentials.get("api_key"):
            raise CredentialsValidateFailedError("an API key is required")
