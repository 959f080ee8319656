import json
import time
from collections.abc import Mapping
from typing import Any

from dify_plugin.entities.provider_config import CredentialType
from dify_plugin.entities.trigger import EventDispatch, Subscription, UnsubscribeResult
from dify_plugin.errors.trigger import TriggerProviderCredentialValidationError
from dify_plugin.interfaces.trigger import Trigger, TriggerSubscriptionConstructor
from werkzeug import Request, Response

WEEK = 7 * 24 * 60 * 60


class {{class}}Trigger(Trigger):
    def _dispatch_event(self, subscription: Subscription, request: Request) -> EventDispatch:
        """Says which events a webhook call means, and what the caller is answered."""
        payload = request.get_json(silent=True)
        if not isinstance(payload, dict):
            # Pings and calls of strangers mean no event; raise TriggerDispatchError for what must not happen.
            response = Response(json.dumps({"status": "no JSON object"}), status=400, mimetype="application/json")
            return EventDispatch(events=[], response=response)
        events = [{{py event_name}}] if str(payload.get("type", "")).startswith("my-event-type") else []
        response = Response(json.dumps({"status": "ok"}), status=200, mimetype="application/json")
        return EventDispatch(events=events, response=response, payload=payload)


class {{class}}SubscriptionConstructor(TriggerSubscriptionConstructor):
    def _validate_api_key(self, credentials: Mapping[str, Any]) -> None:
        if not credentials.get("api_key"):
            raise TriggerProviderCredentialValidationError("an API key is required")

    def _create_subscription(
        self,
        endpoint: str,
        parameters: Mapping[str, Any],
        credentials: Mapping[str, Any],
        credential_type: CredentialType,
    ) -> Subscription:
        """Registers `endpoint` at the provider; what must be remembered goes into properties."""
        return Subscription(
            expires_at=int(time.time()) + WEEK,
            endpoint=endpoint,
            parameters=parameters,
            properties={"external_id": "example-subscription", "events": parameters.get("events", [])},
        )

    def _delete_subscription(
        self,
        subscription: Subscription,
        credentials: Mapping[str, Any],
        credential_type: CredentialType,
    ) -> UnsubscribeResult:
        return UnsubscribeResult(success=True, message="unsubscribed")

    def _refresh_subscription(
        self,
        subscription: Subscription,
        credentials: Mapping[str, Any],
        credential_type: CredentialType,
    ) -> Subscription:
        return subscription.model_copy(update={"expires_at": int(time.time()) + WEEK})
