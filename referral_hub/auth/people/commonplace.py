"""Passwords that everybody thinks of first.

What lives here: words and patterns that make a password easy to guess, and the question whether one is made of
them. What does not: length, which is the rule that counts (``auth.people.passwords``).

The words are our own list, written for this hub: what people type when asked for a password in English and Polish
offices, the rows of a keyboard, the calendar. No published list of leaked passwords is copied. A password is refused
where nothing but such words, digits and signs is left of it, so ``Password2026!!`` is, and a sentence is not.

Source: NIST SP 800-63B-4, 3.1.1.2 (compare with commonly used, expected or compromised values).
"""

import re
from collections.abc import Iterable

_WORDS = (
    "1q2w3e4r5t6y 1qaz2wsx3edc 1q2w3e4r "
    "password passwort passwd pass haslo zaq qwerty qwertz qwertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm "
    "yxcvbnm qazwsx edcrfv wsxedc admin administrator root user guest login logon access welcome witaj "
    "hello czesc letmein secret sekret tajne tajemnica test tester testing demo example sample default "
    "changeme change temp temporary new start master manager office biuro computer komputer internet "
    "server system network hub referral referrals shelter clinic klinika legal aid coordinator caseworker "
    "supervisor lawyer doctor nurse hospital szpital help pomoc safe safety iloveyou love kocham cie "
    "kochamcie kochanie angel aniolek princess ksiezniczka sunshine slonko dragon smok monkey shadow "
    "football pilka futbol baseball hockey soccer batman superman pokemon starwars matrix michael daniel "
    "andrew jennifer jessica ashley anna maria marta kasia basia ania tomek michal mateusz bartek marcin "
    "polska poland warszawa krakow ukraine ukraina kyiv kiev spain espana england london berlin europe "
    "world monday tuesday wednesday thursday friday saturday sunday poniedzialek wtorek sroda czwartek "
    "piatek sobota niedziela january february march april may june july august september october november "
    "december styczen luty marzec kwiecien maj czerwiec lipiec sierpien wrzesien pazdziernik listopad "
    "grudzien spring summer autumn fall winter wiosna lato jesien zima trustno one whatever nothing nic "
    "blank null none abc abcd abcde abcdef abcdefg abcdefgh xyz aaa the my is a i me to your and our it "
    "you"
)
_COMMON = tuple(sorted(set(_WORDS.split()), key=len, reverse=True))
_LOOKS = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"}
)
_POLISH = str.maketrans("ąćęłńóśźż", "acelnoszz")
_RUNS = ("0123456789012345", "9876543210987654", "abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba")
FEWEST_SIGNS = 5
"""Different characters a password has at least."""


def is_commonplace(password: str, expected: Iterable[str] = ()) -> bool:
    """Tells whether a password is one of the first that somebody would try.

    Args:
        password: normalised.
        expected: what is known of its owner and the hub: the login, the organisation's name.

    >>> [is_commonplace(text) for text in ("Password2026!!", "P@ssw0rd1234", "aaaaaaaaaaaab", "123456789012")]
    [True, True, True, True]
    >>> is_commonplace("lamp tomato quietly seven"), is_commonplace("anna.nowak.2026", ["anna.nowak@clinic.example"])
    (False, True)
    """
    plain = password.casefold().translate(_POLISH)
    if len(set(plain)) < FEWEST_SIGNS:
        return True
    known = [
        word for text in expected for word in _words(text.casefold().translate(_POLISH)) if len(word) > 2
    ]
    # "p@ssw0rd1234": what stands at the end is no letter in disguise, what stands between is.
    forms = (plain, plain.translate(_LOOKS), re.sub(r"[\W\d_]+$", "", plain).translate(_LOOKS))
    return any(not _left(form, known) for form in forms)


def _repeats(text: str) -> bool:
    """Tells whether a text is one short piece again and again."""
    return len(text) > 1 and (text + text).find(text, 1) <= min(6, len(text) - 1)


def _left(text: str, known: list[str]) -> str:
    """Gives the letters that are neither of a common word nor of a run."""
    for run in _RUNS:
        for length in range(min(len(text), len(run)), 3, -1):
            for at in range(len(run) - length + 1):
                text = text.replace(run[at : at + length], " ")
    for word in (*sorted(known, key=len, reverse=True), *_COMMON):
        if word in text:
            text = (
                text.replace(word, " ") if len(word) > 3 else re.sub(rf"(?<![a-z]){word}(?![a-z])", " ", text)
            )
    return re.sub(r"[^a-z\u00df-\uffff]", "", text) if len(text.replace(" ", "")) else ""


def _words(text: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", text)
