Profile: HubMove
Parent: Provenance
Id: move
Title: "Move"
Description: "Who moved a referral or ended a consent, when, and to which version. Only its own organisation reads it."
* target 1..1 MS
* target only Reference(Task or Consent)
* target ^short = "The version that the move made"
* recorded MS
* activity 1..1 MS
* activity.coding 1..1
* activity.coding.system 1..1
* activity.coding.system = "https://referral-hub.example/fhir/CodeSystem/activity" (exactly)
* activity.coding.code 1..1
* activity ^comment = "The status reached, a dot, the finer step: accepted, requested.overdue, withdrawn.oral."
* agent 1..1 MS
* agent.who 1..1 MS
* agent.onBehalfOf only Reference(Organization)
* agent.onBehalfOf MS
