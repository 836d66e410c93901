CodeSystem: HubCareStage
Id: care-stage
Title: "Stage of the plan"
Description: "A tag that may go back; nothing closes when it does."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubCareStageCodes)
* ^content = #complete
* #crisis "Crisis"
* #transitional "Transitional"
* #exit "Planning the end"
* #aftercare "Aftercare" "After the end: she asked again. A new plan, no old permission."

ValueSet: HubCareStageCodes
Id: care-stage
Title: "Stage of the plan"
Description: "Every code of the code system care-stage."
* ^experimental = false
* include codes from system HubCareStage

CodeSystem: HubAftercareAnswer
Id: aftercare-answer
Title: "Answer to somebody who comes back"
Description: "The three answers of the practice guide when somebody asks again after the end."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubAftercareAnswerCodes)
* ^content = #complete
* #short-term-support "Short-term support"
* #new-crisis-response "A new response to a crisis"
* #referral-elsewhere "A referral to another provider"

ValueSet: HubAftercareAnswerCodes
Id: aftercare-answer
Title: "Answer to somebody who comes back"
Description: "Every code of the code system aftercare-answer."
* ^experimental = false
* include codes from system HubAftercareAnswer

ValueSet: HubPlanActivity
Id: plan-activity
Title: "Activity of a plan"
Description: "What an activity of a plan is: a service, or the answer to somebody who comes back."
* ^experimental = false
* include codes from system HubServiceDomain
* include codes from system HubAftercareAnswer
