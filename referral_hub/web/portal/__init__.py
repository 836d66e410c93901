"""The portal: what staff and the person do at a browser.

What lives here: one module per group of pages, and ``frame``, which every page stands in. What does not: any rule or
decision (``exchange``, ``casework``), signing in (``web.sign_in``), sentences (``texts``), layout (``web/templates``).

A page asks and writes as software does, with the token digest of its seat (``auth.people.portal_tokens``): the same
interactions, the same gate, the same audit. There is no other way from a page to the data.
"""
