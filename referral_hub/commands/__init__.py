"""The commands of ``referral-hub``, one module per group.

What lives here: reading options, calling one function, telling the result. What does not: what a command does
(``referral_hub.founding``, ``partners``, ``checks``, ``serving``), and what happens to errors (``referral_hub.cli``).

A module here imports what it works with inside its functions, so that ``--help`` and wrong usage answer at once.
"""
