from collections.abc import Generator, Mapping

from dify_plugin import LargeLanguageModel
from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import AIModelEntity, FetchFrom, ModelPropertyKey, ModelType
from dify_plugin.entities.model.llm import LLMMode, LLMResult, LLMResultChunk, LLMResultChunkDelta
from dify_plugin.entities.model.message import AssistantPromptMessage, PromptMessage, PromptMessageTool
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeBadRequestError, InvokeError


class {{class}}LargeLanguageModel(LargeLanguageModel):
    def _invoke(
        self,
        model: str,
        credentials: dict,
        prompt_messages: list[PromptMessage],
        model_parameters: dict,
        tools: list[PromptMessageTool] | None = None,
        stop: list[str] | None = None,
        stream: bool = True,
        user: str | None = None,
    ) -> LLMResult | Generator[LLMResultChunk, None, None]:
        """Replace the echo below by a call of your API."""
        words = self._text_of(prompt_messages[-1:]).split(" ")
        usage = self._calc_response_usage(
            model, credentials, self.get_num_tokens(model, credentials, prompt_messages, tools), len(words)
        )
        if not stream:
            return LLMResult(
                model=model,
                prompt_messages=prompt_messages,
                message=AssistantPromptMessage(content=" ".join(words)),
                usage=usage,
            )

        def chunks() -> Generator[LLMResultChunk, None, None]:
            for index, word in enumerate(words):
                last = index == len(words) - 1
                yield LLMResultChunk(
                    model=model,
                    prompt_messages=prompt_messages,
                    delta=LLMResultChunkDelta(
                        index=index,
                        message=AssistantPromptMessage(content=word if last else f"{word} "),
                        usage=usage if last else None,
                        finish_reason="stop" if last else None,
                    ),
                )

        return chunks()

    def get_num_tokens(
        self,
        model: str,
        credentials: dict,
        prompt_messages: list[PromptMessage],
        tools: list[PromptMessageTool] | None = None,
    ) -> int:
        """An estimate is enough unless your API offers an exact count."""
        return len(self._text_of(prompt_messages)) // 4

    def validate_credentials(self, model: str, credentials: Mapping) -> None:
        if not credentials.get("api_key"):
            raise CredentialsValidateFailedError("an API key is required")

    def get_customizable_model_schema(self, model: str, credentials: Mapping) -> AIModelEntity:
        """Describes a model that the user typed in by name."""
        return AIModelEntity(
            model=model,
            label=I18nObject(en_us=model),
            fetch_from=FetchFrom.CUSTOMIZABLE_MODEL,
            model_type=ModelType.LLM,
            features=[],
            model_properties={ModelPropertyKey.MODE: LLMMode.CHAT.value, ModelPropertyKey.CONTEXT_SIZE: 4096},
            parameter_rules=[],
        )

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        """Which of your client's exceptions mean what to Dify."""
        return {InvokeBadRequestError: [ValueError, KeyError]}

    @staticmethod
    def _text_of(messages: list[PromptMessage]) -> str:
        return "\n".join(message.content for message in messages if isinstance(message.content, str))
