"""Who may see what, as arithmetic.

What lives here: the principal, OAuth scopes, consent provisions and the rows they compile to, the decision,
security labels, views and redaction. What does not: a clock, a network or a store; the time is an argument.
The only caller of the decision and of redaction is `referral_hub.exchange.gate`.
"""
