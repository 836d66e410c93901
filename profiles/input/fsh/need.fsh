Profile: HubNeed
Parent: Condition
Id: need
Title: "Need"
Description: "A need or a health problem, of one information category. No field asks what happened."
* insert HubInformationSlice
* category 1..*
* category contains information 1..1 MS
* category[information] from HubInformationCategoryCodes (required)
* insert HubInformationCoding
* clinicalStatus MS
* verificationStatus MS
* code 1..1 MS
* code from HubNeedKindCodes (preferred)
* subject only Reference(Patient)
* subject MS
* recordedDate MS
* note MS
