Invariant: hub-answers-1
Description: "Feedback stands beside nobody's name: no subject, no author, no source, no encounter, and nothing it is part of."
Expression: "questionnaire.startsWith('https://referral-hub.example/fhir/Questionnaire/feedback') implies (subject.empty() and author.empty() and source.empty() and encounter.empty() and basedOn.empty() and partOf.empty())"
Severity: #error

Profile: HubAnswers
Parent: QuestionnaireResponse
Id: answers
Title: "Answers"
Description: "What somebody answered, as far as she wanted to; in-progress until she says it is enough."
* obeys hub-answers-1
* basedOn MS
* questionnaire 1..1 MS
* status MS
* subject only Reference(Patient)
* subject MS
* authored MS
* author MS
* source MS
* item MS
