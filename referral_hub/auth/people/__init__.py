"""People's accounts and how they sign in: passwords, second factors, passkeys, codes, browser sessions.

What lives here: every rule of sign-in, and the Changes it causes. What does not: the rows (``exchange.accounts``,
``store.accounts``), pages (``web.sign_in`` and its neighbours), what an account may see (``exchange.gate``), the
authorization server (the rest of ``auth``).
"""
