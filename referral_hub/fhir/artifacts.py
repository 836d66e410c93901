"""The hub's own FHIR definitions as files: profiles, extensions, codes, maps, operations, questionnaires.

What lives here: where those files are, both in an installed package and in the project's own tree. What does not:
what the server makes of them (``fhir.definitions``, ``exchange``); their sources, which are FSH under ``profiles/``.
"""

from functools import cache
from pathlib import Path

_IN_THE_PACKAGE = Path(__file__).with_name("artifacts")
_IN_THE_TREE = Path(__file__).resolve().parents[2] / "profiles" / "generated"


def artifacts_folder() -> Path:
    """Gives the folder with the hub's own definitions: one JSON file each, named ``Type-id.json``.

    An installed hub carries them inside its package; a hub run from the project's tree reads what is committed
    under ``profiles/generated``. There are no examples among them.

    Raises:
        FileNotFoundError: neither folder is there; the installation is not whole.

    >>> (artifacts_folder() / "StructureDefinition-referral-task.json").is_file()
    True
    """
    for folder in (_IN_THE_PACKAGE, _IN_THE_TREE):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the hub's own FHIR definitions are missing: install it anew")


@cache
def artifact_files() -> tuple[Path, ...]:
    """Gives every file of that folder, sorted by name.

    >>> [file.name for file in artifact_files() if file.name.startswith("CapabilityStatement-")]
    ['CapabilityStatement-hub.json']
    """
    return tuple(sorted(artifacts_folder().glob("*.json")))
