Invariant: hub-disclosure-1
Description: "Exactly one agent asked for it."
Expression: "agent.where(requestor = true).count() = 1"
Severity: #error

Invariant: hub-disclosure-2
Description: "An exchange over REST, or an export that the hub made by itself."
Expression: "type.code = 'rest' or type.code = '110106'"
Severity: #error

Profile: HubDisclosure
Parent: AuditEvent
Id: disclosure
Title: "Disclosure"
Description: "One line of who looked, who got what, and who was refused, as the custodian of the person reads it. Made from the audit rows, never stored twice."
* obeys hub-disclosure-1
* obeys hub-disclosure-2
* type MS
* subtype 1..2 MS
* action 1..1 MS
* recorded MS
* outcome 1..1 MS
* purposeOfEvent MS
* agent 1..4 MS
* agent.who 1..1 MS
* agent.who only Reference(Organization)
* agent.requestor MS
* source.observer only Reference(Organization)
* entity 1..* MS
* entity.what 1..1 MS
* entity ^slicing.discriminator[0].type = #value
* entity ^slicing.discriminator[0].path = "role"
* entity ^slicing.rules = #open
* entity contains
    person 1..1 MS and
    content 0..* MS and
    consent 0..* MS
* entity[person].role 1..1
* entity[person].role = $auditrole#1
* entity[person].what only Reference(Patient)
* entity[content].role 1..1
* entity[content].role = $auditrole#4
* entity[consent].role 1..1
* entity[consent].role = $auditrole#13
* entity[consent].what only Reference(Consent)
