"""Notifications by rest-hook: one POST to the subscriber's address.

What lives here: the request. What does not: whether and what is told (``outbound.notifying``).

Source: FHIR R4 subscription.html#2.46.7.1; Subscriptions R5 Backport IG 1.1.0, channels.
"""

from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.errors import DeliveryFailed, Unavailable
from referral_hub.exchange.notifications import Kind
from referral_hub.exchange.subscription_asking import Wanted


class RestHook:
    """Posts notifications, guarded like every call to a partner.

    Args:
        http: the guarded client.
    """

    def __init__(self, http: GuardedHttp) -> None:
        self._http = http

    def notify(self, wanted: Wanted, kind: Kind, body: bytes) -> None:
        """Posts one notification with the subscriber's own headers.

        Raises:
            DeliveryFailed: no answer, or one that is not 2xx.
        """
        headers = {"Content-Type": "application/fhir+json", "Accept": "*/*", **dict(wanted.headers)}
        try:
            answer = self._http.request("POST", wanted.endpoint, headers=headers, body=body)
        except Unavailable as failed:
            raise DeliveryFailed("The subscriber's address does not answer.", permanent=False) from failed
        if not 200 <= answer.http_status < 300:
            raise DeliveryFailed(f"The subscriber's address answered {answer.http_status}.", permanent=False)
