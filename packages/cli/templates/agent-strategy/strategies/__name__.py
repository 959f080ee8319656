import json
from collections.abc import Generator
from typing import Any

from dify_plugin.entities.agent import AgentInvokeMessage
from dify_plugin.entities.model.llm import LLMModelConfig
from dify_plugin.entities.model.message import AssistantPromptMessage, ToolPromptMessage, UserPromptMessage
from dify_plugin.interfaces.agent import AgentModelConfig, AgentStrategy, ToolEntity
from pydantic import BaseModel, Field


class Parameters(BaseModel):
    query: str
    model: AgentModelConfig
    tools: list[ToolEntity] = Field(default_factory=list)
    maximum_iterations: int = 3


class {{class}}AgentStrategy(AgentStrategy):
    def _invoke(self, parameters: dict[str, Any]) -> Generator[AgentInvokeMessage, None, None]:
        """Asks the model, runs the tools it calls, and asks again until it answers in words."""
        params = Parameters(**{**parameters, "tools": parameters.get("tools") or []})
        tools = {tool.identity.name: tool for tool in params.tools}
        messages: list = [*params.model.history_prompt_messages, UserPromptMessage(content=params.query)]

        for iteration in range(params.maximum_iterations):
            # Without tools in the last round the model has to answer.
            last = iteration == params.maximum_iterations - 1
            answer, calls = "", []
            for chunk in self.session.model.llm.invoke(
                model_config=LLMModelConfig(**params.model.model_dump(mode="json")),
                prompt_messages=messages,
                tools=[] if last else self._init_prompt_tools(params.tools),
                stream=True,
            ):
                calls.extend(chunk.delta.message.tool_calls or [])
                if isinstance(chunk.delta.message.content, str) and chunk.delta.message.content:
                    answer += chunk.delta.message.content
                    yield self.create_text_message(chunk.delta.message.content)
            if not calls:
                return

            messages.append(AssistantPromptMessage(content=answer, tool_calls=calls))
            for call in calls:
                messages.append(
                    ToolPromptMessage(
                        content=self._run_tool(tools, call.function.name, call.function.arguments),
                        tool_call_id=call.id,
                        name=call.function.name,
                    )
                )

    def _run_tool(self, tools: dict[str, ToolEntity], name: str, arguments: str) -> str:
        tool = tools.get(name)
        if tool is None:
            return f"there is no tool named {name}"
        try:
            results = self.session.tool.invoke(
                provider_type=tool.provider_type,
                provider=tool.identity.provider,
                tool_name=tool.identity.name,
                parameters={**tool.runtime_parameters, **json.loads(arguments or "{}")},
            )
            return "".join(str(result.message) for result in results)
        except Exception as error:
            return f"tool {name} failed: {error}"
