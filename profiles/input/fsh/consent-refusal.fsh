Invariant: hub-consent-4
Description: "An exception names single things."
Expression: "class.empty() and securityLabel.empty() and code.empty()"
Severity: #error

Profile: HubConsentRefusal
Parent: Consent
Id: consent-refusal
Title: "Refusal"
Description: "She never allows whoever it names: a unit and all below it, a kind of organisation, a government, or everybody. An exception makes it not apply to single things; it never permits."
* insert HubConsentHead
* category[kind] = HubConsentKind#refusal
* provision 1..1 MS
* provision.type 1..1 MS
* provision.type = #deny (exactly)
* provision.actor MS
* provision.actor ^short = "Whom she refuses; nobody named means everybody"
* provision.actor.role = $participationtype#IRCP
* provision.actor.reference only Reference(Organization)
* provision.actor.reference ^comment = "A kind or a government is a logical reference: identifier system organization-kind or government-of."
* provision.provision MS
* provision.provision obeys hub-consent-4
* provision.provision ^short = "An exception"
* provision.provision.type 1..1
* provision.provision.type = #permit (exactly)
* provision.provision.actor 1..1
* provision.provision.actor.reference only Reference(Organization)
* provision.provision.purpose 1..1
* provision.provision.purpose from HubPurposeOfUse (extensible)
* provision.provision.data 1..*
* provision.provision.data.meaning = #instance (exactly)
* provision.provision.provision 0..0
