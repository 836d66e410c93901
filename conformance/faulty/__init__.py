"""The suite tried on servers that are wrong on purpose: each check must notice its own fault.

What lives here: a proxy that bends one behaviour of a sound server, the table of faults, a little server for what
no sound server at hand has. What does not: the checks themselves.
"""
