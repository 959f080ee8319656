from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage


class {{class}}Tool(Tool):
    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        """Yield as many messages as you like: text, JSON, links, files or variables."""
        query = tool_parameters.get("query", "")
        yield self.create_json_message({"result": "Hello, world!", "query": query})
