Extension: HubDirectoryListed
Id: directory-listed
Title: "Listed in the directory"
Description: "Her organisation lists this worker in the directory, which every client of the network reads."
Context: Practitioner, PractitionerRole
* value[x] 1..1
* value[x] only boolean

Extension: HubServiceCapacity
Id: service-capacity
Title: "Capacity of a service"
Description: "Whether a service can take somebody now, as of a moment. It is told without any data of a person."
Context: HealthcareService
* extension contains
    status 1..1 MS and
    as-of 0..1 MS and
    note 0..1 MS
* extension[status] ^short = "Whether it has a place"
* extension[status].value[x] 1..1
* extension[status].value[x] only code
* extension[status].valueCode from HubCapacityCodes (required)
* extension[as-of] ^short = "When this was so"
* extension[as-of].value[x] 1..1
* extension[as-of].value[x] only dateTime
* extension[note] ^short = "In words, about the service"
* extension[note].value[x] 1..1
* extension[note].value[x] only string
