RuleSet: HubInformationSlice
* category MS
* category ^slicing.discriminator[0].type = #value
* category ^slicing.discriminator[0].path = "coding.system"
* category ^slicing.rules = #open

RuleSet: HubInformationCoding
* category[information].coding 1..1
* category[information].coding.system 1..1
* category[information].coding.system = "https://referral-hub.example/fhir/CodeSystem/information-category" (exactly)
* category[information].coding.code 1..1
