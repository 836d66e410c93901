Instance: lark
InstanceOf: HubPerson
Usage: #example
Title: "The file of the first night"
* extension[ageGroup].valueCode = #adult
* extension[interpreterRequired].valueBoolean = true
* extension[showInNotice][0].valueCode = #language
* extension[safeContact].extension[channel].valueCode = #in-person
* extension[safeContact].extension[hours].valueString = "10:00 to 16:00"
* extension[safeContact].extension[safe-word].valueString = "blue bicycle"
* extension[safeContact].extension[meeting-point].valueString = "reading room of the city library"
* name.use = #anonymous
* name.text = "Lark"

Instance: nobody
InstanceOf: HubNoNamePerson
Usage: #example
Title: "Adult, interpreter needed, tonight"
* extension[noName].valueBoolean = true
* extension[ageGroup].valueCode = #adult
* extension[interpreterRequired].valueBoolean = true

Instance: plan-in-crisis
InstanceOf: HubCarePlan
Usage: #example
Title: "Her plan on the first day"
* status = #active
* intent = #plan
* category[stage] = HubCareStage#crisis
* description = "Sleep first. Then the hand."
* subject = Reference(Patient/lark)

Instance: plan-in-transition
InstanceOf: HubCarePlan
Usage: #example
Title: "Her plan in the second stage"
* status = #active
* intent = #plan
* category[stage] = HubCareStage#transitional
* subject = Reference(Patient/lark)

Instance: plan-at-the-end
InstanceOf: HubCarePlan
Usage: #example
Title: "Her plan towards the end"
* status = #active
* intent = #plan
* category[stage] = HubCareStage#exit
* subject = Reference(Patient/lark)

Instance: plan-in-aftercare
InstanceOf: HubCarePlan
Usage: #example
Title: "She came back after the end: short support under a new plan"
* status = #active
* intent = #plan
* category[stage] = HubCareStage#aftercare
* subject = Reference(Patient/lark)
* replaces = Reference(CarePlan/plan-at-the-end)
* activity.detail.status = #in-progress
* activity.detail.code = HubAftercareAnswer#short-term-support

Instance: cut-on-the-hand
InstanceOf: HubNeed
Usage: #example
Title: "A cut on the hand"
* clinicalStatus = $conditionclinical#active
* category[information] = HubInformationCategory#health
* code = HubNeedKind#health-care-now
* code.text = "cut on the left hand"
* subject = Reference(Patient/lark)
* recordedDate = "2026-11-20"

Instance: first-risk-assessment
InstanceOf: HubRiskAssessment
Usage: #example
Title: "The first look at her safety"
* status = #final
* subject = Reference(Patient/lark)
* occurrenceDateTime = "2026-11-20T12:00:00Z"
* performer = Reference(PractitionerRole/worker-on-duty)
* prediction.outcome.text = "somebody waits near the shelter"
* mitigation = "Leave by the other door. Nobody phones her."

Instance: wellbeing-at-the-start
InstanceOf: HubOutcome
Usage: #example
Title: "How she is at the start: not known"
* status = #final
* category[information] = HubInformationCategory#outcome
* code.text = "wellbeing at the start"
* subject = Reference(Patient/lark)
* effectiveDateTime = "2026-11-20"
* dataAbsentReason = http://terminology.hl7.org/CodeSystem/data-absent-reason#asked-declined
