Invariant: hub-task-1
Description: "A referral that left draft has an owner."
Expression: "status = 'draft' or status = 'cancelled' or status = 'entered-in-error' or owner.exists()"
Severity: #error

Invariant: hub-task-2
Description: "Rejected with a reason of its own list."
Expression: "status = 'rejected' implies statusReason.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/status-reason' and (code = 'at-capacity' or code = 'ineligible' or code = 'cannot-take' or code = 'data-issue' or code = 'redirect')).exists()"
Severity: #error

Invariant: hub-task-3
Description: "Cancelled with a reason of its own list."
Expression: "status = 'cancelled' implies statusReason.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/status-reason' and (code = 'by-source' or code = 'client-declined' or code = 'not-selected' or code = 'claimed-by-other' or code = 'by-target' or code = 'recipient-withdrew' or code = 'closed-by-sender')).exists()"
Severity: #error

Invariant: hub-task-4
Description: "On hold with a reason of its own list."
Expression: "status = 'on-hold' implies statusReason.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/status-reason' and (code = 'waitlisted' or code = 'awaiting-client' or code = 'safety-hold')).exists()"
Severity: #error

Invariant: hub-task-5
Description: "Failed with a reason of its own list."
Expression: "status = 'failed' implies statusReason.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/status-reason' and (code = 'client-unreachable' or code = 'ineligible-after-start')).exists()"
Severity: #error

Invariant: hub-task-6
Description: "Entered in error with a reason of its own list."
Expression: "status = 'entered-in-error' implies statusReason.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/status-reason' and (code = 'wrong-recipient' or code = 'sent-in-error')).exists()"
Severity: #error

Invariant: hub-task-7
Description: "The finer step is one of the status: a step never says more than the status allows."
Expression: "(status = 'requested' implies businessStatus.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/business-status').all(code = 'awaiting-consent' or code = 'sent' or code = 'hub-routing' or code = 'acknowledged' or code = 'awaiting-information' or code = 'overdue' or code = 'sharing-ended')) and (status = 'accepted' implies businessStatus.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/business-status').all(code = 'sharing-ended')) and (status = 'in-progress' implies businessStatus.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/business-status').all(code = 'appointment-scheduled' or code = 'no-show' or code = 'appointment-cancelled' or code = 'contact-made' or code = 'interim-outcome' or code = 'cancellation-requested' or code = 'sharing-ended')) and (status = 'on-hold' implies businessStatus.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/business-status').all(code = 'waitlisted' or code = 'awaiting-client' or code = 'safety-hold' or code = 'sharing-ended')) and (status = 'completed' implies businessStatus.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/business-status').all(code = 'partial')) and ((status = 'draft' or status = 'rejected' or status = 'cancelled' or status = 'failed' or status = 'entered-in-error') implies businessStatus.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/business-status').empty())"
Severity: #error

Invariant: hub-task-8
Description: "Completed with at least one result, or with the reason that no service was needed. A confirmed condition is no result."
Expression: "status = 'completed' implies (output.where(type.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/task-output-type' and code = 'handling-confirmed').empty()).exists() or statusReason.coding.where(system = 'https://referral-hub.example/fhir/CodeSystem/status-reason' and code = 'no-service-needed').exists())"
Severity: #error

Profile: HubReferralTask
Parent: Task
Id: referral-task
Title: "Referral"
Description: "One referral to one recipient: who has it, how far it is, and why it ended. Nothing is reopened; after a no there is a new Task."
* obeys hub-task-1 and hub-task-2 and hub-task-3 and hub-task-4 and hub-task-5 and hub-task-6 and hub-task-7 and hub-task-8
* identifier MS
* identifier ^slicing.discriminator[0].type = #value
* identifier ^slicing.discriminator[0].path = "system"
* identifier ^slicing.rules = #open
* identifier contains placer 0..1 MS
* identifier[placer] ^short = "The number of the referral, the same on both sides"
* identifier[placer].system 1..1
* identifier[placer].system = "https://referral-hub.example/fhir/placer" (exactly)
* identifier[placer].value 1..1
* partOf MS
* status MS
* status from HubReferralTaskStatus (required)
* statusReason MS
* statusReason.text 1..1 MS
* statusReason.coding ^slicing.discriminator[0].type = #value
* statusReason.coding ^slicing.discriminator[0].path = "system"
* statusReason.coding ^slicing.rules = #open
* statusReason.coding contains
    reason 0..1 MS and
    obstacle 0..1 MS
* statusReason.coding[reason] from HubStatusReasonCodes (required)
* statusReason.coding[reason].system 1..1
* statusReason.coding[reason].system = "https://referral-hub.example/fhir/CodeSystem/status-reason" (exactly)
* statusReason.coding[reason].code 1..1
* statusReason.coding[obstacle] ^short = "Which obstacle kept the need unmet; counted for advocacy"
* statusReason.coding[obstacle] from HubUnmetNeedCodes (required)
* statusReason.coding[obstacle].system 1..1
* statusReason.coding[obstacle].system = "https://referral-hub.example/fhir/CodeSystem/unmet-need" (exactly)
* statusReason.coding[obstacle].code 1..1
* businessStatus MS
* businessStatus from HubBusinessStatusCodes (required)
* intent = #order (exactly)
* intent MS
* priority MS
* code 1..1 MS
* code = $taskcode#fulfill
* focus 1..1 MS
* focus only Reference(ServiceRequest)
* for 1..1 MS
* for only Reference(Patient)
* authoredOn 1..1 MS
* requester 1..1 MS
* requester only Reference(Organization or PractitionerRole)
* owner MS
* owner only Reference(Organization)
* restriction MS
* restriction.period MS
* restriction.period ^short = "Its end: until when an answer is asked for"
* input MS
* input ^slicing.discriminator[0].type = #pattern
* input ^slicing.discriminator[0].path = "type"
* input ^slicing.rules = #open
* input contains
    handlingCondition 0..4 MS and
    identityRelease 0..1 MS and
    handoff 0..1 MS and
    additionalContent 0..* MS
* input[handlingCondition].type = HubTaskInputType#handling-condition
* input[handlingCondition].value[x] only code or Coding or CodeableConcept
* input[handlingCondition].value[x] from HubHandlingConditionCodes (required)
* input[identityRelease].type = HubTaskInputType#identity-release
* input[identityRelease].value[x] only code or Coding or CodeableConcept
* input[identityRelease].value[x] from HubIdentityReleaseCodes (required)
* input[handoff].type = HubTaskInputType#handoff
* input[handoff].value[x] only boolean
* input[additionalContent].type = $sdohcc#additional-content
* input[additionalContent].value[x] only Reference
* output MS
* output ^slicing.discriminator[0].type = #pattern
* output ^slicing.discriminator[0].path = "type"
* output ^slicing.rules = #open
* output contains
    handlingConfirmed 0..4 MS and
    attendance 0..1 MS and
    nextDate 0..1 MS and
    needsMore 0..1 MS and
    resultingActivity 0..* MS and
    additionalContent 0..* MS
* output[handlingConfirmed].type = HubTaskOutputType#handling-confirmed
* output[handlingConfirmed].value[x] only code or Coding or CodeableConcept
* output[handlingConfirmed].value[x] from HubHandlingConditionCodes (required)
* output[attendance].type = HubTaskOutputType#attendance
* output[attendance].value[x] only code or Coding or CodeableConcept
* output[attendance].value[x] from HubAttendanceCodes (required)
* output[nextDate].type = HubTaskOutputType#next-date
* output[nextDate].value[x] only date
* output[needsMore].type = HubTaskOutputType#needs-more
* output[needsMore].value[x] only boolean
* output[resultingActivity].type = $sdohcc#resulting-activity
* output[resultingActivity].value[x] only Reference(Procedure) or CodeableConcept
* output[additionalContent].type = $sdohcc#additional-content
* output[additionalContent].value[x] only Reference
