"""Device: a thing of an organisation, in the directory; or a thing of one person, hers like any record of hers.

Source: HL7 FHIR R4 Device; SDOHCC Coordination Platform (Device is read); ``views.md`` 5.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Device",
    subject=("patient",),
    subject_named=True,
    coded_by=("type", "meta.tag"),
    opened=True,
    status_element="status",
    search=(
        Searchable("organization"),
        Searchable("patient"),
        Searchable("status"),
        Searchable("type"),
        Searchable("device-name", "own"),
        Searchable("identifier", "own"),
        Searchable("location", "own"),
        Searchable("manufacturer", "own"),
        Searchable("model", "own"),
        Searchable("udi-carrier", "own"),
        Searchable("udi-di", "own"),
        Searchable("url", "own"),
    ),
    includes=("Device:organization", "Device:patient"),
    interactions=REMOVABLE,
    directory=True,
    keeper="owner",
)
