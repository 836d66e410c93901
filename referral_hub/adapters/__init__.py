"""One module per outside interface.

What lives here: partners' FHIR servers, HL7 v2, CDA, HSDS, HTCDS, CSV files, e-mail notices and PDF, each
able to send what the gate released or to turn what came in into resources. What does not: knowledge of
another adapter, and any decision about sending (`referral_hub.outbound`, `referral_hub.exchange.gate`).
"""
