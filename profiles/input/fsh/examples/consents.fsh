Instance: permission-for-the-clinic
InstanceOf: HubConsentRelease
Usage: #example
Title: "We may tell the clinic: 30 days, name and health"
* status = #active
* scope = $consentscope#patient-privacy
* category[kind] = HubConsentKind#release
* category[disclosure] = $actcode#IDSCL
* category[document] = $loinc#59284-0
* patient = Reference(Patient/lark)
* dateTime = "2026-11-20T08:55:00Z"
* performer = Reference(Patient/lark)
* organization = Reference(Organization/shelter)
* sourceAttachment.contentType = #text/plain
* sourceAttachment.data = "UmVhZCBhbG91ZC4gU2lnbmVkIHdpdGggYSBtYXJrLg=="
* policy.uri = "https://referral-hub.example/policy/permission/v1"
* provision.type = #deny
* provision.provision.type = #permit
* provision.provision.period.start = "2026-11-20T08:55:00Z"
* provision.provision.period.end = "2026-12-20T08:55:00Z"
* provision.provision.actor.role = $participationtype#IRCP
* provision.provision.actor.reference = Reference(Organization/clinic)
* provision.provision.purpose = $actreason#TREAT
* provision.provision.class[0] = HubInformationCategory#identity
* provision.provision.class[1] = HubInformationCategory#health

Instance: permission-for-one-letter
InstanceOf: HubConsentRelease
Usage: #example
Title: "One letter, one office, one purpose"
* status = #active
* scope = $consentscope#patient-privacy
* category[kind] = HubConsentKind#release
* category[disclosure] = $actcode#IDSCL
* patient = Reference(Patient/lark)
* dateTime = "2026-11-22T08:55:00Z"
* performer = Reference(Patient/lark)
* organization = Reference(Organization/shelter)
* sourceAttachment.contentType = #text/plain
* sourceAttachment.data = "UmVhZCBhbG91ZC4gU2lnbmVkIHdpdGggYSBtYXJrLg=="
* policy.uri = "https://referral-hub.example/policy/permission/v1"
* provision.type = #deny
* provision.provision.type = #permit
* provision.provision.period.start = "2026-11-22T08:55:00Z"
* provision.provision.period.end = "2026-12-22T08:55:00Z"
* provision.provision.actor.role = $participationtype#IRCP
* provision.provision.actor.reference = Reference(Organization/office)
* provision.provision.securityLabel = $confidentiality#V
* provision.provision.purpose = HubPurpose#immigration-representation
* provision.provision.data.meaning = #instance
* provision.provision.data.reference = Reference(DocumentReference/letter)

Instance: never-any-government
InstanceOf: HubConsentRefusal
Usage: #example
Title: "Never any government office, but for one letter"
* status = #active
* scope = $consentscope#patient-privacy
* category[kind] = HubConsentKind#refusal
* category[document] = $loinc#59284-0
* patient = Reference(Patient/lark)
* dateTime = "2026-11-20T08:40:00Z"
* performer = Reference(Patient/lark)
* organization = Reference(Organization/shelter)
* policy.uri = "https://referral-hub.example/policy/permission/v1"
* provision.type = #deny
* provision.actor.role = $participationtype#IRCP
* provision.actor.reference.type = "Organization"
* provision.actor.reference.identifier.system = "https://referral-hub.example/fhir/organization-kind"
* provision.actor.reference.identifier.value = "governmental"
* provision.provision.type = #permit
* provision.provision.actor.role = $participationtype#IRCP
* provision.provision.actor.reference = Reference(Organization/office)
* provision.provision.purpose = HubPurpose#immigration-representation
* provision.provision.data.meaning = #instance
* provision.provision.data.reference = Reference(DocumentReference/letter)
