Invariant: hub-risk-1
Description: "A finished assessment says as of when it holds."
Expression: "status = 'final' implies occurrence.exists()"
Severity: #error

Profile: HubRiskAssessment
Parent: RiskAssessment
Id: risk-assessment
Title: "Risk assessment"
Description: "Risks to her, her family and others, and a plan she can carry out. It is of the category safety; a partner gets actions, never a level."
* obeys hub-risk-1
* status MS
* subject only Reference(Patient or Group)
* subject MS
* occurrence[x] MS
* basis MS
* basis only Reference(RiskAssessment or Observation or QuestionnaireResponse)
* basis ^short = "What it stands on; the assessment it verifies anew"
* performer MS
* prediction MS
* prediction.outcome 1..1 MS
* mitigation MS
