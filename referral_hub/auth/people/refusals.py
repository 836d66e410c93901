"""What sign-in refuses: a key of a sentence, so that each language says it.

What lives here: ``Refused``. What does not: the sentences (``texts``), HTTP statuses (``web``).
"""


class Refused(Exception):
    """A step of a sign-in or of an account page that is not taken; nothing was changed but the count of attempts.

    Args:
        sentence: the key of the sentence the page shows. One and the same for an unknown login, a wrong password, an
            account that may not sign in.
        wait_s: seconds after which the next attempt is let through; 0 where it is not about that.
    """

    def __init__(self, sentence: str, wait_s: int = 0) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.wait_s = wait_s
