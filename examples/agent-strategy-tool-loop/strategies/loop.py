"""An agent strategy in its smallest useful form: ask the model, run the tools it asks for, repeat."""

import json
from collections.abc import Generator
from typing import Any

from dify_plugin.entities.agent import AgentInvokeMessage
from dify_plugin.entities.model.llm import LLMModelConfig
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    PromptMessage,
    SystemPromptMessage,
    ToolPromptMessage,
    UserPromptMessage,
)
from dify_plugin.entities.tool import ToolInvokeMessage, ToolProviderType
from dify_plugin.interfaces.agent import AgentModelConfig, AgentStrategy, ToolEntity
from pydantic import BaseModel


class LoopParameters(BaseModel):
    model: AgentModelConfig
    query: str
    tools: list[ToolEntity] | None = None
    instruction: str | None = None
    maximum_iterations: int = 5


class LoopStrategy(AgentStrategy):
    def _invoke(self, parameters: dict[str, Any]) -> Generator[AgentInvokeMessage, None, None]:
        p = LoopParameters(**parameters)
        tools = {tool.identity.name: tool for tool in p.tools or []}
        offered = self._init_prompt_tools(p.tools)
        messages: list[PromptMessage] = list(p.model.history_prompt_messages)
        if p.instruction:
            messages.insert(0, SystemPromptMessage(content=p.instruction))
        messages.append(UserPromptMessage(content=p.query))

        for round_number in range(1, p.maximum_iterations + 1):
            # The last round offers no tools, so that it ends with an answer instead of one more request.
            last = round_number == p.maximum_iterations
            log = self.create_log_message(
                label=f"Round {round_number}", data={"model": p.model.model}, status=STARTED
            )
            yield log

            answer, calls = "", []
            for chunk in self.session.model.llm.invoke(
                LLMModelConfig(**p.model.model_dump(include=set(LLMModelConfig.model_fields))),
                messages,
                tools=None if last else offered,
                stream=True,
            ):
                text = chunk.delta.message.content
                if isinstance(text, str) and text:
                    answer += text
                    yield self.create_text_message(text)
                calls.extend(chunk.delta.message.tool_calls or [])

            yield self.finish_log_message(
                log=log, data={"answer": answer, "tool_calls": [call.function.name for call in calls]}
            )
            if not calls:
                return
            messages.append(AssistantPromptMessage(content=answer, tool_calls=calls))
            for call in calls:
                result = yield from self._call_tool(tools.get(call.function.name), call)
                messages.append(
                    ToolPromptMessage(content=result, tool_call_id=call.id, name=call.function.name)
                )

    def _call_tool(
        self, tool: ToolEntity | None, call: AssistantPromptMessage.ToolCall
    ) -> Generator[AgentInvokeMessage, None, str]:
        """Runs one tool and returns what the model shall read; a failure is told to the model, which may do better."""
        log = self.create_log_message(
            label=f"Tool {call.function.name}", data={"arguments": call.function.arguments}, status=STARTED
        )
        yield log
        try:
            if tool is None:
                raise LookupError(f"there is no tool named {call.function.name}")
            arguments = json.loads(call.function.arguments or "{}")
            result = "".join(
                readable(message)
                for message in self.session.tool.invoke(
                    provider_type=ToolProviderType(tool.provider_type),
                    provider=tool.identity.provider,
                    tool_name=tool.identity.name,
                    parameters={**tool.runtime_parameters, **arguments},
                    credential_id=tool.credential_id,
                )
            )
        except Exception as error:  # noqa: BLE001 - whatever went wrong is the tool's answer
            yield self.finish_log_message(log=log, status=FAILED, error=str(error))
            return f"The tool failed: {error}"
        yield self.finish_log_message(log=log, data={"result": result})
        return result


STARTED = AgentInvokeMessage.LogMessage.LogStatus.START
FAILED = AgentInvokeMessage.LogMessage.LogStatus.ERROR


def readable(message: ToolInvokeMessage) -> str:
    """What a language model can read of a tool's message."""
    content = message.message
    if isinstance(content, ToolInvokeMessage.TextMessage):
        return content.text
    if isinstance(content, ToolInvokeMessage.JsonMessage):
        return json.dumps(content.json_object, ensure_ascii=False)
    return ""
