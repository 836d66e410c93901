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
