from collections.abc import Mapping
from typing import Any

from dify_plugin.entities.trigger import Variables
from dify_plugin.errors.trigger import EventIgnoreError
from dify_plugin.interfaces.trigger import Event
from werkzeug import Request


class MessageEvent(Event):
    def _on_event(self, request: Request, parameters: Mapping[str, Any], payload: Mapping[str, Any]) -> Variables:
        wanted = parameters.get("topic")
        topic = str(payload.get("topic") or "")
        if wanted and topic != wanted:
            raise EventIgnoreError
        return Variables(variables={"topic": topic, "text": str(payload.get("text") or "")})
