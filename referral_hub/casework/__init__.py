"""What the practice guide asks a caseworker to do.

What lives here: intake, safety, care plans, matching, handoff, supervision, documents, aftercare, outcomes,
statistics, the directory, and the row types of the portal's lists. What does not: a write path of its own;
resources composed here are handed to `referral_hub.exchange`. Pages are in `referral_hub.web`.
"""
