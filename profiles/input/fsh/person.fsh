Invariant: hub-person-1
Description: "A name in use anonymous is one text: parts of a name would give her away."
Expression: "use = 'anonymous' implies (text.exists() and family.empty() and given.empty())"
Severity: #error

Profile: HubPerson
Parent: Patient
Id: person
Title: "Person"
Description: "Her record in the organisation that opened it: a name she chose is enough. What others read of it is a view."
* extension contains
    HubAgeGroupExtension named ageGroup 1..1 MS and
    HubAgeBandExtension named ageBand 0..1 and
    HubShowInNoticeExtension named showInNotice 0..4 and
    HubSafeContact named safeContact 0..1 MS and
    $interpreter named interpreterRequired 0..1 MS
* identifier MS
* name MS
* name obeys hub-person-1
* telecom MS
* telecom ^comment = "Very restricted: leaves only where her permission names V."
* gender MS
* birthDate MS
* birthDate ^comment = "Never forced; a year is enough."
* address MS
* address ^comment = "Very restricted: leaves only where her permission names V."
* communication MS
* photo 0..0
* link MS
