from collections.abc import Mapping

from dify_plugin import ModerationModel
from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import AIModelEntity, FetchFrom, ModelPropertyKey, ModelType
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeBadRequestError, InvokeError


class {{class}}ModerationModel(ModerationModel):
    def _invoke(self, model: str, credentials: dict, text: str, user: str | None = None) -> bool:
        """True means: do not let this text through. Replace the word list below by a call of your API."""
        return any(word in text.lower() for word in ("forbidden", "banned"))

    def validate_credentials(self, model: str, credentials: Mapping) -> None:
        if not credentials.get("api_key"):
            raise CredentialsValidateFailedError("an API key is required")

    def get_customizable_model_schema(self, model: str, credentials: Mapping) -> AIModelEntity:
        """Describes a model that the user typed in by name."""
        return AIModelEntity(
            model=model,
            label=I18nObject(en_us=model),
            fetch_from=FetchFrom.CUSTOMIZABLE_MODEL,
            model_type=ModelType.MODERATION,
            model_properties={ModelPropertyKey.MAX_CHUNKS: 32, ModelPropertyKey.MAX_CHARACTERS_PER_CHUNK: 2000},
        )

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        """Which of your client's exceptions mean what to Dify."""
        return {InvokeBadRequestError: [ValueError, KeyError]}
