Invariant: hub-organization-1
Description: "A shelter has no address in the directory: its place is nobody's to find."
Expression: "type.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/organization-type' and code = 'shelter').exists() implies address.empty()"
Severity: #error

Profile: HubOrganization
Parent: Organization
Id: organization
Title: "Organisation"
Description: "An organisation of the network or a unit of one. A permission names exactly one unit."
* obeys hub-organization-1
* active MS
* type 1..* MS
* type ^slicing.discriminator[0].type = #value
* type ^slicing.discriminator[0].path = "coding.system"
* type ^slicing.rules = #open
* type contains kind 1..1 MS
* type[kind] from HubOrganizationTypeCodes (required)
* type[kind].coding 1..1
* type[kind].coding.system 1..1
* type[kind].coding.system = "https://referral-hub.example/fhir/CodeSystem/organization-type" (exactly)
* type[kind].coding.code 1..1
* name 1..1 MS
* partOf MS
* endpoint MS

Profile: HubHealthcareService
Parent: HealthcareService
Id: healthcare-service
Title: "Service"
Description: "One kind of help at one place, with whether it can take somebody. Asked for without any data of a person."
* extension contains HubServiceCapacity named capacity 0..1 MS
* active 1..1 MS
* providedBy 1..1 MS
* type 1..* MS
* type from HubServiceDomainCodes (extensible)
* location MS
* name MS
* eligibility MS
* communication MS
* appointmentRequired MS

Profile: HubConfidentialLocation
Parent: Location
Id: confidential-location
Title: "Place that is kept secret"
Description: "A place known by a code name. Nothing in it says where it is or how to get there."
* status MS
* name 1..1 MS
* name ^short = "A code name"
* alias 0..0
* description 0..0
* telecom 0..0
* address 0..0
* position 0..0
* partOf 0..0
* hoursOfOperation 0..0
* endpoint 0..0
* managingOrganization 1..1 MS
