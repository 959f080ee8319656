from collections.abc import Mapping

from dify_plugin import Endpoint
from endpoints.access import refusal
from werkzeug import Request, Response


class ReadNote(Endpoint):
    def _invoke(self, r: Request, values: Mapping, settings: Mapping) -> Response:
        refused = refusal(r, settings)
        if refused:
            return refused
        key = f"note-{values['name']}"
        if not self.session.storage.exist(key):
            return Response("there is no such note\n", status=404, content_type="text/plain")
        return Response(self.session.storage.get(key), status=200, content_type="text/plain; charset=utf-8")
