"""The rules of each FHIR type, as data.

What lives here: one module per type, named as the type, with its profile, search parameters, includes,
categories and lifecycle table, and `catalog`, the list of the types served. What does not: SQL
(`referral_hub.store`), HTTP (`referral_hub.web`), and the question who may see a resource
(`referral_hub.access`).
"""
