from collections.abc import Mapping

from dify_plugin import ModelProvider


class OpenAIEndpointProvider(ModelProvider):
    """Each model carries its own server and key, so there is nothing to check for the provider as a whole."""

    def validate_provider_credentials(self, credentials: Mapping) -> None:
        return None
