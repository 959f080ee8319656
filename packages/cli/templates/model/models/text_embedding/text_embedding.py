import hashlib
import time
from collections.abc import Mapping

from dify_plugin import TextEmbeddingModel
from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import (
    AIModelEntity,
    EmbeddingInputType,
    FetchFrom,
    ModelPropertyKey,
    ModelType,
    PriceType,
)
from dify_plugin.entities.model.text_embedding import EmbeddingUsage, TextEmbeddingResult
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeBadRequestError, InvokeError


class {{class}}TextEmbeddingModel(TextEmbeddingModel):
    def _invoke(
        self,
        model: str,
        credentials: dict,
        texts: list[str],
        user: str | None = None,
        input_type: EmbeddingInputType = EmbeddingInputType.DOCUMENT,
    ) -> TextEmbeddingResult:
        """Replace the made-up vectors below by a call of your API."""
        embeddings = [[byte / 255 for byte in hashlib.sha256(text.encode()).digest()] for text in texts]
        return TextEmbeddingResult(
            model=model,
            embeddings=embeddings,
            usage=self._usage(model, credentials, sum(self.get_num_tokens(model, credentials, texts))),
        )

    def get_num_tokens(self, model: str, credentials: dict, texts: list[str]) -> list[int]:
        """An estimate is enough unless your API offers an exact count."""
        return [len(text) // 4 + 1 for text in texts]

    def validate_credentials(self, model: str, credentials: Mapping) -> None:
        if not credentials.get("api_key"):
            raise CredentialsValidateFailedError("an API key is required")

    def get_customizable_model_schema(self, model: str, credentials: Mapping) -> AIModelEntity:
        """Describes a model that the user typed in by name."""
        return AIModelEntity(
            model=model,
            label=I18nObject(en_us=model),
            fetch_from=FetchFrom.CUSTOMIZABLE_MODEL,
            model_type=ModelType.TEXT_EMBEDDING,
            model_properties={ModelPropertyKey.CONTEXT_SIZE: 4096, ModelPropertyKey.MAX_CHUNKS: 1},
        )

    def _usage(self, model: str, credentials: dict, tokens: int) -> EmbeddingUsage:
        price = self.get_price(model, credentials, PriceType.INPUT, tokens)
        return EmbeddingUsage(
            tokens=tokens,
            total_tokens=tokens,
            unit_price=price.unit_price,
            price_unit=price.unit,
            total_price=price.total_amount,
            currency=price.currency,
            latency=time.perf_counter() - self.started_at,
        )

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        """Which of your client's exceptions mean what to Dify."""
        return {InvokeBadRequestError: [ValueError, KeyError]}
