"""The checks, one module per area; each check names the requirements it proves.

What lives here: asking a server and saying what is wrong. What does not: how they are run (``conformance.runner``),
what they work with (``conformance.lab``). A check asks for what the server claims and nothing else; where the
server claims nothing it ends as omitted.
"""
