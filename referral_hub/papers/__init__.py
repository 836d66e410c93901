"""Papers: what is handed over, signed, posted or kept as a sheet of paper, as a tagged PDF.

What lives here: the permission form, her copy, the printed request for help, the sheet of options, the card, the
fonts and layouts they are set in, and setting them. What does not: sentences (``referral_hub.texts``), who may have
which data (the gate: what comes here was released), routes (``referral_hub.web``).

Each paper is a pure function from plain values to bytes: no clock, no database, no network.

Source: ISO 14289-1 (PDF/UA-1); ``practice.md`` (words on pages and paper); ADR 0041.
"""
