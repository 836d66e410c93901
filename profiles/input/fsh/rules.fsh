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

RuleSet: HubConsentHead
* modifierExtension 0..0
* identifier ^example.label = "General"
* identifier ^example.valueIdentifier.system = "urn:ietf:rfc:3986"
* identifier ^example.valueIdentifier.value = "urn:uuid:4b0a2f0e-5d5e-4d5a-9a6f-0f0c6c9e2f11"
* status MS
* scope = $consentscope#patient-privacy
* scope MS
* category MS
* category ^slicing.discriminator[0].type = #pattern
* category ^slicing.discriminator[0].path = "$this"
* category ^slicing.rules = #open
* category contains
    kind 1..1 MS and
    disclosure 0..1 MS and
    document 0..1
* category[disclosure] = $actcode#IDSCL
* category[disclosure] ^short = "Information disclosure, as SDOHCC asks for"
* category[document] = $loinc#59284-0
* patient 1..1 MS
* patient only Reference(Patient)
* dateTime MS
* performer MS
* organization 1..1 MS
* organization only Reference(Organization)
* organization ^short = "The organisation that keeps this consent and ends it"
* source[x] MS
* policy MS
* policy.uri 1..1
* verification 0..0
* verification ^comment = "Reading back is recorded in a QuestionnaireResponse, never as evidence of consent."
