"""Every sentence people read, in each language.

What lives here: the words of pages, forms, notices and paper, and the designations of the hub's own codes.
What does not: layout (`referral_hub.web`) and the wording of errors, which is where the error is raised.
"""
