Instance: first-minutes
InstanceOf: HubAnswers
Usage: #example
Title: "The first night: two questions answered, the others left"
* questionnaire = "https://referral-hub.example/fhir/Questionnaire/rapid-intake|1.0.0"
* status = #in-progress
* subject = Reference(Patient/lark)
* authored = "2026-11-20T02:14:00Z"
* item[0].linkId = "you"
* item[0].item[0].linkId = "name-to-use"
* item[0].item[0].answer.valueString = "Lark"
* item[1].linkId = "tonight"
* item[1].item[0].linkId = "needs"
* item[1].item[0].answer[0].valueCoding = HubNeedKind#safe-place-tonight
* item[1].item[0].answer[1].valueCoding = HubNeedKind#health-care-now

Instance: feedback-without-a-name
InstanceOf: HubAnswers
Usage: #example
Title: "Feedback of nobody in particular"
* questionnaire = "https://referral-hub.example/fhir/Questionnaire/feedback|1.0.0"
* status = #completed
* item[0].linkId = "help"
* item[0].item[0].linkId = "help.could-say-no"
* item[0].item[0].answer.valueCoding = HubAnswer#yes
* item[1].linkId = "words"
* item[1].item[0].linkId = "words.change"
* item[1].item[0].answer.valueString = "shorter waiting"
