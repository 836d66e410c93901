"""What the network decided about permissions, from its settings and its policy file.

What lives here: opening the file. What does not: what may stand in it (``exchange.consent_policy``), settings
(``referral_hub.settings``).
"""

from typing import Any, cast

from referral_hub.errors import ConfigurationError
from referral_hub.exchange.consent_policy import ConsentLimits, ConsentPolicy, policy_tables
from referral_hub.settings import Settings


def consent_limits(settings: Settings) -> ConsentLimits:
    """Gives the lengths of permissions and all else the network demands of them.

    Raises:
        ConfigurationError: the policy file cannot be read, or says something that is not known.
    """
    return ConsentLimits(settings.consent_default_days, settings.consent_max_days, consent_policy(settings))


def consent_policy(settings: Settings) -> ConsentPolicy:
    """Gives what the network demands of permissions.

    Raises:
        ConfigurationError: the policy file cannot be read, or says something that is not known.
    """
    forms, ages = policy_tables("")
    file = settings.consent_policy_file
    if file is not None:
        try:
            forms, ages = policy_tables(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError("REFERRAL_HUB_CONSENT_POLICY_FILE cannot be read.") from None
    return ConsentPolicy(
        evidence=cast("Any", settings.consent_evidence),
        spoken=cast("Any", settings.spoken_release),
        forms=forms,
        ages=ages,
    )
