"""``python -m referral_hub`` is the command ``referral-hub``."""

from referral_hub.cli import main

if __name__ == "__main__":
    main()
