Invariant: hub-questionnaire-1
Description: "Every question may be skipped."
Expression: "repeat(item).where(required = true).empty()"
Severity: #error

Invariant: hub-questionnaire-2
Description: "Every question is asked in words."
Expression: "repeat(item).all(text.exists())"
Severity: #error

Profile: HubQuestionnaire
Parent: Questionnaire
Id: questionnaire
Title: "Instrument"
Description: "Questions that somebody may answer, skip or leave for another day. Help never hangs on an answer."
* obeys hub-questionnaire-1 and hub-questionnaire-2
* url 1..1 MS
* version 1..1 MS
* title 1..1 MS
* status MS
* description 1..1 MS
* subjectType MS
* item 1..* MS
* item.linkId MS
* item.text MS
* item.type MS
* item.answerValueSet MS
* item.answerOption MS
