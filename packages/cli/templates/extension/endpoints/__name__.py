import time
from collections.abc import Generator, Mapping

from dify_plugin import Endpoint
from werkzeug import Request, Response


class {{class}}Endpoint(Endpoint):
    def _invoke(self, r: Request, values: Mapping, settings: Mapping) -> Response:
        """Answers one HTTP request. `values` holds the variable parts of the path, `settings` what the user saved."""

        def count() -> Generator[str, None, None]:
            for number in range(10):
                yield f"{number}<br>"
                time.sleep(0.1)

        return Response(count(), status=200, content_type="text/html")
