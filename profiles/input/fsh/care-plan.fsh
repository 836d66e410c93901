Profile: HubCarePlan
Parent: CarePlan
Id: care-plan
Title: "Her plan"
Description: "Her plan at one of three stages (crisis, transitional, planning the end) or in aftercare. Going back is an ordinary change and closes nothing."
* status MS
* intent = #plan (exactly)
* category 1..* MS
* category ^slicing.discriminator[0].type = #value
* category ^slicing.discriminator[0].path = "coding.system"
* category ^slicing.rules = #open
* category contains stage 1..1 MS
* category[stage] from HubCareStageCodes (required)
* category[stage].coding 1..1
* category[stage].coding.system 1..1
* category[stage].coding.system = "https://referral-hub.example/fhir/CodeSystem/care-stage" (exactly)
* category[stage].coding.code 1..1
* description MS
* description ^comment = "Her own words: very restricted, her organisation's only."
* subject only Reference(Patient)
* subject MS
* period MS
* author MS
* addresses MS
* goal MS
* activity MS
* activity.detail MS
* activity.detail.code MS
* activity.detail.code from HubPlanActivity (preferred)
