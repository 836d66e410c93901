"""Where things are kept: the same on SQLite and on PostgreSQL.

What lives here: the schema and its migrations, the statements, search SQL, sealing and opening of bodies,
the application of a Change with its guards, grants, outbox, OAuth rows and audit rows. What does not: any
decision; what arrives here has passed `referral_hub.exchange.gate`.
"""
