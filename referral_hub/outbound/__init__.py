"""What leaves later, by itself, and what is fetched from partners.

What lives here: delivery, polling, subscriptions, recall, export and timers. Everything that leaves asks
the gate once more at the moment of departure; everything fetched enters by the ordinary write path. What
does not: the channels themselves, which are in `referral_hub.adapters`.
"""
