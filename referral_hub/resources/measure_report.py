"""MeasureReport: what was counted. About one person it is a record of hers; a count of several is its author's.

A summary or a list of subjects is in no view: few people in a cell are people one knows.

Source: HL7 FHIR R4 MeasureReport; ``practice.md`` 12 and 18 (counts, threshold 11).
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

INDIVIDUAL = "individual"

DEFINITION = ResourceDefinition(
    type_name="MeasureReport",
    subject=("subject",),
    coded_by=("meta.tag",),
    opened=True,
    status_element="status",
    date_elements=("period", "date"),
    search=(
        Searchable("patient"),
        Searchable("subject"),
        Searchable("status"),
        Searchable("date"),
        Searchable("period"),
        Searchable("evaluated-resource", "own"),
        Searchable("identifier", "own"),
        Searchable("measure", "own"),
        Searchable("reporter", "own"),
    ),
    includes=("MeasureReport:patient", "MeasureReport:subject"),
    interactions=REMOVABLE,
)
