"""Asking the running demo hub something by hand, as one of its organisations.

What lives here: ``python -m referral_hub.demo.asking BASE CLIENT_ID KEY_FILE PATH``. What does not: the client
(``demo.smart_partner``), where the keys are (the demo prints it).
"""

import argparse
import json
import sys
from pathlib import Path

from joserfc.jwk import import_key

from referral_hub.demo.smart_partner import PartnerFault, SmartPartner

SCOPE = "system/*.cruds"


def main() -> None:
    """Prints the answer to one GET; exit code 1 where there is none."""
    parser = argparse.ArgumentParser(prog="python -m referral_hub.demo.asking", description=__doc__)
    parser.add_argument("base", help="FHIR base, such as http://127.0.0.1:8080/fhir")
    parser.add_argument("client_id", help="as the demo printed it")
    parser.add_argument("key_file", type=Path, help="the organisation's private key, as the demo printed it")
    parser.add_argument("path", help="what is asked for, such as Task or 'Patient?_count=5'")
    given = parser.parse_args()
    key = import_key(json.loads(given.key_file.read_text(encoding="utf-8")))
    try:
        answer = SmartPartner(given.base, given.client_id, key, SCOPE).get(given.path)
    except PartnerFault as fault:
        sys.exit(f"No answer: {fault}.")
    sys.stdout.write(f"{answer.http_status}\n{json.dumps(answer.resource, indent=2, ensure_ascii=False)}\n")


if __name__ == "__main__":
    main()
