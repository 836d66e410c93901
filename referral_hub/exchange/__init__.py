"""What the hub does with any resource: one way in, one gate.

What lives here: the single write path for all doors, the gate that admits a change and releases a resource,
search, history, bundles, what a change causes elsewhere, and the Protocols through which the outer rooms
are called. What does not: input and output (`referral_hub.store`, `referral_hub.adapters`,
`referral_hub.web`), and sending (`referral_hub.outbound`).
"""
