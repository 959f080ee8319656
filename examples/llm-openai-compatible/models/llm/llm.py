"""Chat models of an OpenAI-compatible server, streamed chunk by chunk."""

import json
from collections.abc import Generator, Iterator
from typing import Any

import httpx
from dify_plugin import LargeLanguageModel
from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import (
    AIModelEntity,
    FetchFrom,
    ModelFeature,
    ModelPropertyKey,
    ModelType,
    ParameterRule,
    ParameterType,
)
from dify_plugin.entities.model.llm import LLMMode, LLMResult, LLMResultChunk, LLMResultChunkDelta
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    PromptMessage,
    PromptMessageTool,
    ToolPromptMessage,
)
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeAuthorizationError,
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeError,
    InvokeRateLimitError,
    InvokeServerUnavailableError,
)

# An answer may pause for long while the model thinks; a server that accepts no connection is given up early.
TIMEOUT = httpx.Timeout(connect=10, read=300, write=60, pool=10)


class OpenAIEndpointModel(LargeLanguageModel):
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
        body: dict[str, Any] = {
            **model_parameters,
            "model": model,
            "stream": stream,
            "messages": [to_openai(message) for message in prompt_messages],
        }
        if stream:
            body["stream_options"] = {"include_usage": True}
        if tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {"name": t.name, "description": t.description, "parameters": t.parameters},
                }
                for t in tools
            ]
        if stop:
            body["stop"] = stop
        if user:
            body["user"] = user
        if stream:
            return self._streamed(model, credentials, body)
        return self._whole(model, credentials, prompt_messages, body)

    def _streamed(self, model: str, credentials: dict, body: dict) -> Generator[LLMResultChunk, None, None]:
        """The chunks of one answer; errors of the connection become those that Dify knows, also in mid-stream."""
        try:
            yield from self._chunks(model, credentials, body)
        except httpx.TransportError as error:
            raise InvokeConnectionError(f"the model server cannot be reached: {error}") from error

    def _chunks(self, model: str, credentials: dict, body: dict) -> Generator[LLMResultChunk, None, None]:
        calls = ToolCalls()
        finish_reason: str | None = None
        prompt_tokens = completion_tokens = index = 0
        with client(credentials) as http, http.stream("POST", "chat/completions", json=body) as response:
            if response.status_code != httpx.codes.OK:
                response.read()
                raise refused(response)
            for event in events(response.iter_lines()):
                usage = event.get("usage")
                if usage:
                    prompt_tokens = usage.get("prompt_tokens") or 0
                    completion_tokens = usage.get("completion_tokens") or 0
                for choice in event.get("choices") or []:
                    delta = choice.get("delta") or {}
                    finish_reason = choice.get("finish_reason") or finish_reason
                    calls.add(delta.get("tool_calls") or [])
                    if delta.get("content"):
                        yield chunk(model, index, delta["content"])
                        index += 1
        yield LLMResultChunk(
            model=model,
            delta=LLMResultChunkDelta(
                index=index,
                message=AssistantPromptMessage(content="", tool_calls=calls.finished()),
                usage=self._calc_response_usage(model, credentials, prompt_tokens, completion_tokens),
                finish_reason=finish_reason or "stop",
            ),
        )

    def _whole(
        self, model: str, credentials: dict, prompt_messages: list[PromptMessage], body: dict
    ) -> LLMResult:
        with client(credentials) as http:
            response = http.post("chat/completions", json=body)
        if response.status_code != httpx.codes.OK:
            raise refused(response)
        answer = response.json()
        message = answer["choices"][0]["message"]
        usage = answer.get("usage") or {}
        calls = ToolCalls()
        calls.add(message.get("tool_calls") or [])
        return LLMResult(
            model=model,
            prompt_messages=prompt_messages,
            message=AssistantPromptMessage(content=message.get("content") or "", tool_calls=calls.finished()),
            usage=self._calc_response_usage(
                model, credentials, usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
            ),
        )

    def get_num_tokens(
        self,
        model: str,
        credentials: dict,
        prompt_messages: list[PromptMessage],
        tools: list[PromptMessageTool] | None = None,
    ) -> int:
        """An estimate of four characters per token: the tokenizer of an unknown server is unknown as well."""
        text = json.dumps([to_openai(message) for message in prompt_messages], ensure_ascii=False)
        return max(1, len(text) // 4)

    def validate_credentials(self, model: str, credentials: dict) -> None:
        try:
            with client(credentials) as http:
                response = http.post(
                    "chat/completions",
                    json={"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": "ping"}]},
                )
        except (httpx.HTTPError, ValueError) as error:
            raise CredentialsValidateFailedError(f"the server cannot be reached: {error}") from error
        if response.status_code != httpx.codes.OK:
            raise CredentialsValidateFailedError(str(refused(response)))

    def get_customizable_model_schema(self, model: str, credentials: dict) -> AIModelEntity:
        return AIModelEntity(
            model=model,
            label=I18nObject(en_US=model),
            model_type=ModelType.LLM,
            fetch_from=FetchFrom.CUSTOMIZABLE_MODEL,
            features=[ModelFeature.MULTI_TOOL_CALL, ModelFeature.STREAM_TOOL_CALL],
            model_properties={
                ModelPropertyKey.MODE: LLMMode.CHAT.value,
                ModelPropertyKey.CONTEXT_SIZE: int(credentials.get("context_size") or 8192),
            },
            parameter_rules=[
                ParameterRule(
                    name="temperature",
                    use_template="temperature",
                    label=I18nObject(en_US="Temperature"),
                    type=ParameterType.FLOAT,
                ),
                ParameterRule(
                    name="max_tokens",
                    use_template="max_tokens",
                    label=I18nObject(en_US="Maximum tokens"),
                    type=ParameterType.INT,
                    min=1,
                    max=131072,
                    default=1024,
                ),
            ],
        )

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        return {
            InvokeConnectionError: [httpx.ConnectError, httpx.TimeoutException],
            InvokeServerUnavailableError: [InvokeServerUnavailableError, httpx.RemoteProtocolError],
            InvokeRateLimitError: [InvokeRateLimitError],
            InvokeAuthorizationError: [InvokeAuthorizationError],
            InvokeBadRequestError: [InvokeBadRequestError, ValueError, KeyError],
        }


class ToolCalls:
    """Puts tool calls together that arrive in pieces: the first piece names the function, later ones add arguments."""

    def __init__(self) -> None:
        self._calls: dict[int, dict[str, str]] = {}

    def add(self, pieces: list[dict]) -> None:
        for position, piece in enumerate(pieces):
            call = self._calls.setdefault(piece.get("index", position), {"id": "", "name": "", "arguments": ""})
            function = piece.get("function") or {}
            call["id"] = piece.get("id") or call["id"]
            call["name"] = function.get("name") or call["name"]
            call["arguments"] += function.get("arguments") or ""

    def finished(self) -> list[AssistantPromptMessage.ToolCall]:
        return [
            AssistantPromptMessage.ToolCall(
                id=call["id"] or call["name"],
                type="function",
                function=AssistantPromptMessage.ToolCall.ToolCallFunction(
                    name=call["name"], arguments=call["arguments"] or "{}"
                ),
            )
            for _, call in sorted(self._calls.items())
        ]


def client(credentials: dict) -> httpx.Client:
    base_url = str(credentials.get("base_url") or "").strip()
    if not base_url.startswith(("http://", "https://")):
        raise ValueError("the credential 'base_url' must start with http:// or https://")
    key = credentials.get("api_key")
    return httpx.Client(
        base_url=base_url.rstrip("/") + "/",
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=TIMEOUT,
    )


def refused(response: httpx.Response) -> InvokeError:
    """The error that tells the caller whose fault an answer other than 200 is, with the server's own words."""
    try:
        detail = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        detail = response.text[:500]
    text = f"{response.status_code} from the model server: {detail}"
    if response.status_code in (401, 403):
        return InvokeAuthorizationError(text)
    if response.status_code == 429:
        return InvokeRateLimitError(text)
    if response.status_code >= 500:
        return InvokeServerUnavailableError(text)
    return InvokeBadRequestError(text)


def events(lines: Iterator[str]) -> Iterator[dict]:
    """The JSON of each server-sent event, up to [DONE]."""
    for line in lines:
        if not line.startswith("data:"):
            continue
        data = line[5:].strip()
        if data == "[DONE]":
            return
        event = json.loads(data)
        if event.get("error"):
            raise InvokeServerUnavailableError(str(event["error"].get("message") or event["error"]))
        yield event


def chunk(model: str, index: int, text: str) -> LLMResultChunk:
    return LLMResultChunk(
        model=model, delta=LLMResultChunkDelta(index=index, message=AssistantPromptMessage(content=text))
    )


def to_openai(message: PromptMessage) -> dict:
    content: Any = message.content
    if isinstance(content, list):
        content = "".join(part.data for part in content if part.type.value == "text")
    out: dict[str, Any] = {"role": message.role.value, "content": content or ""}
    if isinstance(message, AssistantPromptMessage) and message.tool_calls:
        out["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }
            for call in message.tool_calls
        ]
    if isinstance(message, ToolPromptMessage):
        out["tool_call_id"] = message.tool_call_id
    return out
