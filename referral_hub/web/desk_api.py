"""What a person takes back, and what her organisation's people decide: the routes of these operations.

What lives here: reading a request, calling one act, answering. What does not: any rule (``exchange``).

Source: ``interfaces.md`` 4; FHIR R4 operations.html.
"""

from dataclasses import dataclass

from referral_hub.auth.tokens import digest_of
from referral_hub.exchange.deciding import decide
from referral_hub.exchange.desk_counts import desk_counts
from referral_hub.exchange.emergency import open_in_emergency
from referral_hub.exchange.exceptional import begin_compelled, register_request, write_instruction
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.withdrawing import withdraw
from referral_hub.fhir import json_codec
from referral_hub.web.answers import collection, json_reply, resource_reply
from referral_hub.web.desk_parameters import (
    id_of,
    instruction_of,
    order_of,
    question_of,
    said_of,
    text_of,
    wish_of,
)
from referral_hub.web.negotiation import BodySizes
from referral_hub.web.parameters import given_parameters
from referral_hub.web.wire import Asked, Reply


@dataclass(frozen=True, slots=True)
class DeskApi:
    """The operations as routes."""

    hub: Hub
    sizes: BodySizes

    def withdraw(self, asked: Asked, public_id: str) -> Reply:
        """Stops sharing: for one recipient, one kind of information, or everything."""
        digest = digest_of(asked.authorization)
        wish = wish_of(given_parameters(asked, self.sizes))
        return json_reply(json_codec.encode(withdraw(self.hub, digest, public_id, wish)))

    def emergency(self, asked: Asked, public_id: str) -> Reply:
        """Opens what she allowed for an emergency, once."""
        digest = digest_of(asked.authorization)
        reason = text_of(given_parameters(asked, self.sizes), "reason", demanded=True)
        found = open_in_emergency(self.hub, digest, public_id, reason)
        base = self.hub.base
        return json_reply(collection([(f"{one.type}/{one.id}", one.body) for one in found], base))

    def compelled(self, asked: Asked, public_id: str) -> Reply:
        """Writes down what an order or a duty to report demands of a person's record."""
        digest = digest_of(asked.authorization)
        order = order_of(given_parameters(asked, self.sizes))
        return resource_reply(begin_compelled(self.hub, digest, public_id, order))

    def instruction(self, asked: Asked, public_id: str) -> Reply:
        """Writes down what she wants told if she dies or nobody knows where she is."""
        digest = digest_of(asked.authorization)
        wish = instruction_of(given_parameters(asked, self.sizes))
        return resource_reply(write_instruction(self.hub, digest, public_id, wish))

    def external_request(self, asked: Asked) -> Reply:
        """Writes down that somebody outside asked, and the answer."""
        digest = digest_of(asked.authorization)
        given = given_parameters(asked, self.sizes)
        question = question_of(given)
        person = id_of(given, "patient", "Patient")
        told = register_request(self.hub, digest, person, question)
        return json_reply(json_codec.encode(told))

    def counts(self, asked: Asked) -> Reply:
        """Gives how much waits; no person."""
        return json_reply(json_codec.encode(desk_counts(self.hub, digest_of(asked.authorization))))

    def decide(self, asked: Asked, public_id: str) -> Reply:
        """Decides about a Task of the desk."""
        digest = digest_of(asked.authorization)
        decided = decide(self.hub, digest, public_id, said_of(given_parameters(asked, self.sizes)))
        parameter = [{"name": "task", "resource": json_codec.decode_own(decided.task.body)}]
        if decided.copy is not None:
            parameter.append({"name": "copy", "resource": decided.copy})
        return json_reply(json_codec.encode({"resourceType": "Parameters", "parameter": parameter}))
