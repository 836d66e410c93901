"""The demo: an invented network plays one story through the real interfaces, and every step is verified.

What lives here: the door to it. What does not: the order of everything (``demo.playing``), the network
(``demo.network``), its processes (``demo.servers``), the story (``demo.first_days`` and the chapters after it),
how it is told and proved (``demo.stage``). The second clinic's own server (``demo.ehr``) is a process of its own
and imports none of these.

Source: ``practice.md`` (the story the demo tells); ``interfaces.md`` 1 and 2.
"""

from pathlib import Path


def run(*, check: bool, port: int, data_dir: Path | None = None) -> int:
    """Plays the story, and unless only checked keeps serving until Ctrl-C.

    Args:
        check: True to end after the last step.
        port: where the hub listens on this machine; 0 for any free port.
        data_dir: where the hub is kept, an empty or new directory; None for one that is gone afterwards.

    Returns:
        the exit code: 0 when every step was as it must be, else 1.
    """
    from referral_hub.demo.playing import play

    return play(check=check, port=port, data_dir=data_dir)
