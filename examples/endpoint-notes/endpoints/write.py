from collections.abc import Mapping

from dify_plugin import Endpoint
from endpoints.access import refusal
from werkzeug import Request, Response

LARGEST_NOTE = 64 * 1024


class WriteNote(Endpoint):
    def _invoke(self, r: Request, values: Mapping, settings: Mapping) -> Response:
        refused = refusal(r, settings)
        if refused:
            return refused
        text = r.get_data()
        if len(text) > LARGEST_NOTE:
            return Response(f"a note has at most {LARGEST_NOTE} bytes\n", status=413, content_type="text/plain")
        self.session.storage.set(f"note-{values['name']}", text)
        return Response("kept\n", status=200, content_type="text/plain")
