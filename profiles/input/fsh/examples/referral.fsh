// Invented people and organisations only.

Instance: hand-injury-request
InstanceOf: HubReferralRequest
Usage: #example
Title: "A clinic is asked to look at a hand"
* status = #active
* intent = #order
* category[information] = HubInformationCategory#health
* priority = #urgent
* code = HubServiceDomain#medical-care
* orderDetail[contact] = $sdohcc#contacting-subject-prohibited
* subject = Reference(Patient/lark)
* authoredOn = "2026-11-20T09:00:00Z"
* requester = Reference(Organization/shelter)
* performer = Reference(Organization/clinic)

Instance: accepted-referral
InstanceOf: HubReferralTask
Usage: #example
Title: "The clinic confirmed the conditions, took the referral and made an appointment"
* identifier[placer].type = $v2table203#PLAC
* identifier[placer].system = "https://referral-hub.example/fhir/placer"
* identifier[placer].value = "4b0a2f0e-5d5e-4d5a-9a6f-0f0c6c9e2f11"
* status = #in-progress
* businessStatus = HubBusinessStatus#appointment-scheduled
* intent = #order
* priority = #urgent
* code = $taskcode#fulfill
* focus = Reference(ServiceRequest/hand-injury-request)
* for = Reference(Patient/lark)
* authoredOn = "2026-11-20T09:05:00Z"
* requester = Reference(Organization/shelter)
* owner = Reference(Organization/clinic)
* restriction.period.end = "2026-11-23T09:05:00Z"
* input[handlingCondition][0].type = HubTaskInputType#handling-condition
* input[handlingCondition][0].valueCode = #no-reminders
* input[handlingCondition][1].type = HubTaskInputType#handling-condition
* input[handlingCondition][1].valueCode = #no-letters
* output[handlingConfirmed][0].type = HubTaskOutputType#handling-confirmed
* output[handlingConfirmed][0].valueCode = #no-reminders
* output[handlingConfirmed][1].type = HubTaskOutputType#handling-confirmed
* output[handlingConfirmed][1].valueCode = #no-letters

Instance: completed-referral
InstanceOf: HubReferralTask
Usage: #example
Title: "She came; next date in two weeks"
* status = #completed
* intent = #order
* priority = #urgent
* code = $taskcode#fulfill
* focus = Reference(ServiceRequest/hand-injury-request)
* for = Reference(Patient/lark)
* authoredOn = "2026-11-20T09:05:00Z"
* requester = Reference(Organization/shelter)
* owner = Reference(Organization/clinic)
* output[attendance].type = HubTaskOutputType#attendance
* output[attendance].valueCode = #came
* output[nextDate].type = HubTaskOutputType#next-date
* output[nextDate].valueDate = "2026-12-04"
* output[needsMore].type = HubTaskOutputType#needs-more
* output[needsMore].valueBoolean = true

Instance: rejected-referral
InstanceOf: HubReferralTask
Usage: #example
Title: "The first clinic is full"
* status = #rejected
* statusReason.coding[reason] = HubStatusReason#at-capacity
* statusReason.coding[obstacle] = HubUnmetNeed#inadequate-funding
* statusReason.text = "no place this week"
* intent = #order
* priority = #urgent
* code = $taskcode#fulfill
* focus = Reference(ServiceRequest/hand-injury-request)
* for = Reference(Patient/lark)
* authoredOn = "2026-11-20T09:05:00Z"
* requester = Reference(Organization/shelter)
* owner = Reference(Organization/first-clinic)

Instance: recall
InstanceOf: HubRecallTask
Usage: #example
Title: "The clinic is asked to stop using what it received, and says what the law makes it keep"
* status = #completed
* intent = #order
* code = HubTaskCode#recall
* authoredOn = "2026-11-24T08:00:00Z"
* requester = Reference(Organization/network)
* owner = Reference(Organization/clinic)
* restriction.period.end = "2026-12-08T08:00:00Z"
* input[recalledReferral].type = HubTaskInputType#recalled-referral
* input[recalledReferral].valueIdentifier.system = "https://referral-hub.example/fhir/placer"
* input[recalledReferral].valueIdentifier.value = "4b0a2f0e-5d5e-4d5a-9a6f-0f0c6c9e2f11"
* output[answer].type = HubTaskOutputType#recall-answer
* output[answer].valueCode = #kept-by-law

Instance: move-to-accepted
InstanceOf: HubMove
Usage: #example
Title: "The clinic took the referral"
* target = Reference(Task/accepted-referral/_history/2)
* recorded = "2026-11-20T10:00:00Z"
* activity = HubActivity#accepted
* agent.who.display = "nurse on duty"
* agent.onBehalfOf = Reference(Organization/clinic)

Instance: disclosure-to-the-clinic
InstanceOf: HubDisclosure
Usage: #example
Title: "The clinic read her record under her permission"
* type = $audittype#rest
* subtype = $restful#read
* action = #R
* recorded = "2026-11-20T10:01:00Z"
* outcome = #0
* purposeOfEvent = $actreason#TREAT
* agent.type = $dicom#110153
* agent.who = Reference(Organization/clinic)
* agent.requestor = true
* source.observer = Reference(Organization/network)
* entity[person].what = Reference(Patient/lark)
* entity[person].type = $auditentity#1
* entity[person].role = $auditrole#1
* entity[content].what = Reference(Patient/lark/_history/1)
* entity[content].role = $auditrole#4
* entity[consent].what = Reference(Consent/permission-for-the-clinic/_history/1)
* entity[consent].role = $auditrole#13
