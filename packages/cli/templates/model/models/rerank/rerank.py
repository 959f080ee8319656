from collections.abc import Mapping

from dify_plugin import RerankModel
from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import AIModelEntity, FetchFrom, ModelPropertyKey, ModelType
from dify_plugin.entities.model.rerank import RerankDocument, RerankResult
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeBadRequestError, InvokeError


class {{class}}RerankModel(RerankModel):
    def _invoke(
        self,
        model: str,
        credentials: dict,
        query: str,
        docs: list[str],
        score_threshold: float | None = None,
        top_n: int | None = None,
        user: str | None = None,
    ) -> RerankResult:
        """Replace the word count below by a call of your API."""
        wanted = set(query.lower().split())
        ranked = [
            RerankDocument(index=index, text=text, score=len(wanted & set(text.lower().split())) / max(1, len(wanted)))
            for index, text in enumerate(docs)
        ]
        ranked.sort(key=lambda document: document.score, reverse=True)
        kept = [document for document in ranked if score_threshold is None or document.score >= score_threshold]
        return RerankResult(model=model, docs=kept if top_n is None else kept[:top_n])

    def validate_credentials(self, model: str, credentials: Mapping) -> None:
        if not credentials.get("api_key"):
            raise CredentialsValidateFailedError("an API key is required")

    def get_customizable_model_schema(self, model: str, credentials: Mapping) -> AIModelEntity:
        """Describes a model that the user typed in by name."""
        return AIModelEntity(
            model=model,
            label=I18nObject(en_us=model),
            fetch_from=FetchFrom.CUSTOMIZABLE_MODEL,
            model_type=ModelType.RERANK,
            model_properties={ModelPropertyKey.CONTEXT_SIZE: 4096},
        )

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        """Which of your client's exceptions mean what to Dify."""
        return {InvokeBadRequestError: [ValueError, KeyError]}
