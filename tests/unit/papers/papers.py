"""One of each paper, about invented people, for tests."""

from collections.abc import Callable
from datetime import date

from referral_hub.papers.come_back_card import ComeBackCard, come_back_card
from referral_hub.papers.her_copy import Group, HerCopy, Section, her_copy
from referral_hub.papers.options_sheet import Option, OptionsSheet, options_sheet
from referral_hub.papers.permission_form import Interpreter, PermissionForm, Signed, permission_form
from referral_hub.papers.printed_referral import PrintedReferral, printed_referral

DAY = date(2026, 11, 24)


def blank(language: str, words: str = "House 3") -> bytes:
    return permission_form(PermissionForm(language, "pl", DAY, words, stop_phone="+48 555 01 00"))


def signed(language: str, words: str = "Kitchen Street Clinic") -> bytes:
    interpreter = Interpreter(words, "4711", "uk", "phone")
    return permission_form(
        PermissionForm(
            language, "en", DAY, words, words, "TREAT", ("identity", "health"), ("contact",), date(2027, 2, 22),
            date(2027, 1, 22), words, stop_phone=words, stop_address="https://hub.example/stop",
            signed=Signed("mark", DAY, words, words, explained_back=True, interpreter=interpreter), name_used=words,
        )
    )  # fmt: skip


def referral(language: str, words: str = "adult, hand injury, tonight") -> bytes:
    return printed_referral(
        PrintedReferral(
            language, DAY, words, words, "R-4711", words, "urgent", ((words, words),), DAY, "RIVER-42", "+48 555 01 00"
        )
    )  # fmt: skip


def options(language: str, words: str = "doctor") -> bytes:
    first = Option(words, (words, words), ("pl", "vi"), words, "few", date(2026, 11, 20), words, (words,))
    return options_sheet(OptionsSheet(language, DAY, words, (first, Option("Harbour Clinic"))))


def card(language: str, words: str = "Notes and More") -> bytes:
    return come_back_card(ComeBackCard(language, words, "+48 555 01 00", words, words, words))


def copy(language: str, words: str = "Lark") -> bytes:
    groups = (Group(words, ((words, words),)), Group("", ((words, words), (words, words))))
    sections = (Section(words, groups, ""), Section("Never", (), words))
    return her_copy(HerCopy(language, DAY, words, sections, is_part=True))


PAPERS: dict[str, Callable[..., bytes]] = {
    "blank": blank, "signed": signed, "referral": referral, "options": options, "card": card, "copy": copy,
}  # fmt: skip
