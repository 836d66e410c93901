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

Profile: HubNoNamePerson
Parent: Patient
Id: no-name-person
Title: "Person of a no-name referral"
Description: "Stands for somebody whose name is not told: adult or child, interpreter or not, and nothing else."
* meta MS
* implicitRules 0..0
* language 0..0
* text 0..0
* contained 0..0
* extension ^slicing.discriminator[0].type = #value
* extension ^slicing.discriminator[0].path = "url"
* extension ^slicing.rules = #closed
* extension contains
    HubNoName named noName 1..1 MS and
    HubAgeGroupExtension named ageGroup 1..1 MS and
    $interpreter named interpreterRequired 0..1 MS
* modifierExtension 0..0
* identifier 0..0
* active 0..0
* name 0..0
* telecom 0..0
* gender 0..0
* birthDate 0..0
* deceased[x] 0..0
* address 0..0
* maritalStatus 0..0
* multipleBirth[x] 0..0
* photo 0..0
* contact 0..0
* communication 0..0
* generalPractitioner 0..0
* managingOrganization 0..0
* link 0..0
