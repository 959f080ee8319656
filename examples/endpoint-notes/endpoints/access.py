import hmac
from collections.abc import Mapping

from werkzeug import Request, Response


def refusal(request: Request, settings: Mapping) -> Response | None:
    """The answer to a caller without the right token, or nothing."""
    expected = f"Bearer {settings.get('token', '')}"
    if hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
        return None
    return Response("the bearer token is missing or wrong\n", status=401, content_type="text/plain")
