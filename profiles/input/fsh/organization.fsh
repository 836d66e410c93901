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
