from collections.abc import Mapping
from typing import IO

from dify_plugin import Speech2TextModel
from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import AIModelEntity, FetchFrom, ModelPropertyKey, ModelType
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeBadRequestError, InvokeError


class {{class}}Speech2TextModel(Speech2TextModel):
    def _invoke(self, model: str, credentials: dict, file: IO[bytes], user: str | None = None) -> str:
        """Replace the description below by a call of your API."""
        return f"a recording of {len(file.read())} bytes"

    def validate_credentials(self, model: str, credentials: Mapping) -> None:
        if not credentials.get("api_key"):
            raise CredentialsValidateFailedError("an API key is required")

    def get_customizable_model_schema(self, model: str, credentials: Mapping) -> AIModelEntity:
        """Describes a model that the user typed in by name."""
        return AIModelEntity(
            model=model,
            label=I18nObject(en_us=model),
            fetch_from=FetchFrom.CUSTOMIZABLE_MODEL,
            model_type=ModelType.SPEECH2TEXT,
            model_properties={ModelPropertyKey.FILE_UPLOAD_LIMIT: 25},
        )

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        """Which of your client's exceptions mean what to Dify."""
        return {InvokeBadRequestError: [ValueError, KeyError]}
