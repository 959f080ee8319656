import hashlib
import hmac

from dify_plugin.entities.trigger import EventDispatch, Subscription
from dify_plugin.errors.trigger import TriggerDispatchError, TriggerValidationError
from dify_plugin.interfaces.trigger import Trigger
from werkzeug import Request, Response

SIGNATURE_HEADER = "X-Signature-256"


class SignedWebhookTrigger(Trigger):
    """Lets a webhook in when the signature over the exact bytes of its body is right."""

    def _dispatch_event(self, subscription: Subscription, request: Request) -> EventDispatch:
        secret = str(subscription.properties.get("secret") or "")
        body = request.get_data()
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        received = request.headers.get(SIGNATURE_HEADER, "")
        if not secret or not hmac.compare_digest(received.encode(), expected.encode()):
            raise TriggerValidationError(f"the header {SIGNATURE_HEADER} is missing or does not fit the body")
        payload = request.get_json(silent=True)
        if not isinstance(payload, dict):
            raise TriggerDispatchError("the body must be a JSON object")
        return EventDispatch(
            user_id=str(payload.get("sender") or ""),
            events=["message"],
            payload=payload,
            response=Response("accepted\n", status=202, content_type="text/plain"),
        )
