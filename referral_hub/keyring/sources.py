"""Where the master key lies: in a file, in the environment, or with a program that fetches it.

What lives here: the three places, and reading the key from the one that is set. What does not: the file itself
(``keyring.master``).

A program is how a key is kept in a hardware module or a cloud's key service: it prints the lines that the file would
hold. It is started without a shell, with nothing on its input, and what it prints is never logged.

Source: ``engine.md`` 4.
"""

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from referral_hub.errors import ConfigurationError
from referral_hub.keyring.master import (
    MasterKey,
    keys_of_file,
    keys_of_text,
    make_master_key,
    read_master_key,
)

COMMAND_S = 20.0
"""Seconds the program may take."""


@dataclass(frozen=True, slots=True)
class MasterSource:
    """The place of the master key, as the settings say.

    Args:
        file: the file; it counts where nothing else is set.
        text: the key itself, from the environment, or empty.
        command: the program and its arguments as one line, or empty.
    """

    file: Path
    text: str = ""
    command: str = ""

    @property
    def kind(self) -> str:
        """Gives ``file``, ``environment`` or ``command``."""
        return "command" if self.command else "environment" if self.text else "file"

    def read(self) -> MasterKey:
        """Gives the master key.

        Raises:
            ConfigurationError: it is not there, or is none; two places are set.
        """
        if self.command and self.text:
            raise ConfigurationError("SECRET_KEY and SECRET_KEY_COMMAND are both set: set one of them.")
        if self.command:
            return MasterKey(self._fetched(), self._fetched)
        if self.text:
            return MasterKey(keys_of_text(self.text))
        return read_master_key(self.file)

    def make(self) -> MasterKey:
        """Gives the master key; where it is to lie in the file and is not there yet, it is made.

        Raises:
            ConfigurationError: as :meth:`read`.
        """
        return make_master_key(self.file) if self.kind == "file" else self.read()

    def keys(self) -> tuple[bytes, ...]:
        """Gives the keys themselves, the one in force first; for a rotation only."""
        if self.kind == "command":
            return self._fetched()
        return keys_of_text(self.text) if self.text else keys_of_file(self.file)

    def _fetched(self) -> tuple[bytes, ...]:
        try:
            done = subprocess.run(  # noqa: S603 -- the operator names the program in the settings
                shlex.split(self.command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=COMMAND_S,
                check=True,
            )
            text = done.stdout.decode("ascii")
        except subprocess.TimeoutExpired:
            raise ConfigurationError("The program that fetches the master key did not end in time.") from None
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError, ValueError):
            raise ConfigurationError("The program that fetches the master key failed.") from None
        return keys_of_text(text)
