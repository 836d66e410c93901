Invariant: hub-consent-1
Description: "An active permission is signed: who agreed, when, and the signed form."
Expression: "status = 'active' implies (performer.exists() and dateTime.exists() and source.exists())"
Severity: #error

Invariant: hub-consent-2
Description: "An active permission says what it allows: at least one nested permit."
Expression: "status = 'active' implies provision.provision.exists()"
Severity: #error

Invariant: hub-consent-3
Description: "A permit names categories or single things; one that names neither would open everything."
Expression: "class.exists() or data.exists()"
Severity: #error

Profile: HubConsentRelease
Parent: Consent
Id: consent-release
Title: "Permission"
Description: "She allows one unit to have some of her data for one purpose, until a day. The root denies, so a reader that overlooks the nested permits shares nothing."
* insert HubConsentHead
* obeys hub-consent-1 and hub-consent-2
* category[kind] = HubConsentKind#release
* category[disclosure] 1..1
* policy 1..*
* provision MS
* provision.modifierExtension 0..0
* provision.type 1..1 MS
* provision.type = #deny (exactly)
* provision.period 0..0
* provision.actor 0..0
* provision.action 0..0
* provision.securityLabel 0..0
* provision.purpose 0..0
* provision.class 0..0
* provision.code 0..0
* provision.dataPeriod 0..0
* provision.data 0..0
* provision.provision 1..* MS
* provision.provision obeys hub-consent-3
* provision.provision.modifierExtension 0..0
* provision.provision.type 1..1 MS
* provision.provision.type = #permit (exactly)
* provision.provision.period 1..1 MS
* provision.provision.period.end 1..1 MS
* provision.provision.actor 1..1 MS
* provision.provision.actor.role = $participationtype#IRCP
* provision.provision.actor.reference only Reference(Organization)
* provision.provision.actor.reference MS
* provision.provision.securityLabel MS
* provision.provision.purpose 1..1 MS
* provision.provision.purpose from HubPurposeOfUse (extensible)
* provision.provision.class MS
* provision.provision.class from HubInformationCategoryCodes (required)
* provision.provision.code 0..0
* provision.provision.code ^comment = "A permit by code is fragile: text without a code would escape it. Refusals may name codes."
* provision.provision.data MS
* provision.provision.data.meaning = #instance (exactly)
* provision.provision.provision 0..0
