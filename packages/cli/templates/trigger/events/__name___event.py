from collections.abc import Mapping
from typing import Any

from dify_plugin.entities.trigger import Variables
from dify_plugin.errors.trigger import EventIgnoreError
from dify_plugin.interfaces.trigger import Event
from werkzeug import Request


class {{class}}TriggerEvent(Event):
    def _on_event(self, request: Request, parameters: Mapping[str, Any], payload: Mapping[str, Any]) -> Variables:
        """Turns a webhook call into the variables of output_schema; EventIgnoreError drops it."""
        event = dict(payload) or request.get_json(silent=True) or {}
        message = str(event.get("message", ""))
        wanted = parameters.get("sample_filter")
        if wanted and wanted not in message:
            raise EventIgnoreError(f"the message does not contain {wanted}")
        return Variables(variables={"message": message, "raw_event": event})
