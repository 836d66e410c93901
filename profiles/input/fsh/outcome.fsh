Invariant: hub-outcome-1
Description: "An outcome is told, or that it is not known: one of both, so that silence is not taken for a result."
Expression: "value.exists() or dataAbsentReason.exists() or component.exists()"
Severity: #error

Profile: HubOutcome
Parent: Observation
Id: outcome
Title: "Outcome"
Description: "What came of it: at the start, at a change of stage, at the end. Not known is an answer."
* obeys hub-outcome-1
* status MS
* insert HubInformationSlice
* category 1..*
* category contains information 1..1 MS
* insert HubInformationCoding
* category[information].coding.code = #outcome (exactly)
* basedOn MS
* code MS
* subject 1..1 MS
* subject only Reference(Patient)
* effective[x] 1..1 MS
* effective[x] only dateTime or Period
* value[x] MS
* dataAbsentReason MS
* derivedFrom MS
