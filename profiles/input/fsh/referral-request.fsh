Profile: HubReferralRequest
Parent: ServiceRequest
Id: referral-request
Title: "Request for one service"
Description: "What is asked for, of one recipient. Only its author changes it; who may read how much of it follows from the Task and her permission."
* identifier MS
* basedOn MS
* status MS
* intent MS
* doNotPerform 0..0
* doNotPerform ^comment = "A request not to do something is no referral, and a reader that overlooks it does the opposite."
* category MS
* category ^slicing.discriminator[0].type = #value
* category ^slicing.discriminator[0].path = "coding.system"
* category ^slicing.rules = #open
* category contains information 0..1 MS
* category[information] ^short = "The information category; without it and without a service domain it is very restricted"
* category[information] from HubInformationCategoryCodes (required)
* category[information].coding 1..1
* category[information].coding.system 1..1
* category[information].coding.system = "https://referral-hub.example/fhir/CodeSystem/information-category" (exactly)
* category[information].coding.code 1..1
* priority MS
* code 1..1 MS
* code from HubServiceDomainCodes (preferred)
* orderDetail MS
* orderDetail ^slicing.discriminator[0].type = #pattern
* orderDetail ^slicing.discriminator[0].path = "$this"
* orderDetail ^slicing.rules = #open
* orderDetail contains contact 0..1 MS
* orderDetail[contact] = $sdohcc#contacting-subject-prohibited
* orderDetail[contact] ^short = "Do not contact her: it is arranged otherwise"
* subject only Reference(Patient)
* subject MS
* authoredOn MS
* requester only Reference(Organization or PractitionerRole)
* requester MS
* performer 0..1 MS
* performer only Reference(Organization)
* performer ^comment = "A request is for one recipient. The next one after a no takes its place, with a new Task and a new permission."
* reasonReference MS
* supportingInfo MS
* note MS
