"""The watch over log lines notices what it has to notice, and nothing else."""

import itertools
import logging

import pytest

from tests import builders
from tests.log_watch import LogWatch, personal_values

_NUMBER = itertools.count()
PERSON = {
    "resourceType": "Patient",
    "id": "0b4f2f1e-8c1c-4a9d-9f64-0d7f3c9b6f10",
    "name": [{"family": "Wrona", "given": ["Halszka"]}],
    "telecom": [{"system": "phone", "value": "+48 555 010 203"}],
    "birthDate": "1994-05-06",
    "address": [{"line": ["Lipowa 7"], "city": "Gniezno", "state": "PL-30"}],
    "contact": [{"name": {"family": "Sowa"}}],
}


def watched() -> tuple[LogWatch, logging.Logger]:
    watch, logger = unfed()
    watch.sent(PERSON)
    return watch, logger


def unfed() -> tuple[LogWatch, logging.Logger]:
    """Gives a watch of its own, on a logger that no other handler hears."""
    watch = LogWatch()
    logger = logging.getLogger(f"watched.{next(_NUMBER)}")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(watch)
    return watch, logger


@pytest.mark.parametrize(
    "said", ["Wrona", "Halszka", "+48 555 010 203", "1994-05-06", "Lipowa 7", "Gniezno", "Sowa"]
)
def test_a_line_that_says_who_is_noticed_once(said: str) -> None:
    watch, logger = watched()
    logger.debug("asked for %s", said)
    assert len(watch.found()) == 1
    assert watch.found() == []


def test_a_trace_that_says_who_is_noticed() -> None:
    watch, logger = watched()
    try:
        raise ValueError("no such person: Wrona")
    except ValueError:
        logger.exception("failed")
    assert watch.found()


def test_a_line_from_before_the_value_was_known_is_noticed_too() -> None:
    watch, logger = unfed()
    logger.info("Wrona came in")
    assert watch.found() == []
    watch.sent(PERSON)
    assert watch.found()


def test_ids_and_words_that_only_contain_a_name_are_no_hits() -> None:
    watch, logger = watched()
    logger.info("read of Patient/%s by Wronasoft", PERSON["id"])
    assert watch.found() == []


def test_free_text_about_a_person_is_personal() -> None:
    values = set(personal_values(builders.service_request("Patient/1", "o")))
    assert {"wound on the left hand", "She sleeps badly."} <= values


@pytest.mark.attack("S-35")
def test_this_very_run_is_watched(caplog: pytest.LogCaptureFixture) -> None:
    from tests.log_watch import WATCH

    assert WATCH in logging.getLogger().handlers
    logging.getLogger("referral_hub.test").debug("heard at the lowest level")
    assert "referral_hub.test: heard at the lowest level" in WATCH.lines
    assert caplog is not None
