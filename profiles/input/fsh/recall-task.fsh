Profile: HubRecallTask
Parent: Task
Id: recall-task
Title: "Recall"
Description: "Asks a recipient to stop using what it received. It names nobody: only the numbers of referrals the recipient already holds."
* status from HubReferralTaskStatus (required)
* status MS
* intent = #order (exactly)
* code 1..1 MS
* code = HubTaskCode#recall
* description 0..0
* focus 0..0
* for 0..0
* encounter 0..0
* authoredOn 1..1 MS
* requester 1..1 MS
* requester only Reference(Organization)
* owner 1..1 MS
* owner only Reference(Organization)
* reasonCode 0..0
* reasonReference 0..0
* restriction MS
* input MS
* input ^slicing.discriminator[0].type = #pattern
* input ^slicing.discriminator[0].path = "type"
* input ^slicing.rules = #closed
* input contains
    recalledReferral 0..* MS and
    recalledRecord 0..* MS and
    recalledCategory 0..* MS and
    asks 0..* MS and
    reminded 0..*
* input[recalledReferral].type = HubTaskInputType#recalled-referral
* input[recalledReferral].value[x] only Identifier
* input[recalledRecord].type = HubTaskInputType#recalled-record
* input[recalledRecord].value[x] only Identifier
* input[recalledCategory].type = HubTaskInputType#recalled-category
* input[recalledCategory].value[x] only code
* input[asks].type = HubTaskInputType#recall-asks
* input[asks].value[x] only code
* input[reminded].type = HubTaskInputType#reminded
* input[reminded].value[x] only dateTime
* output MS
* output ^slicing.discriminator[0].type = #pattern
* output ^slicing.discriminator[0].path = "type"
* output ^slicing.rules = #open
* output contains answer 0..1 MS
* output[answer].type = HubTaskOutputType#recall-answer
* output[answer].value[x] only code or Coding or CodeableConcept
* output[answer].value[x] from HubRecallAnswerCodes (required)
