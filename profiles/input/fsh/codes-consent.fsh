CodeSystem: HubConsentKind
Id: consent-kind
Title: "Kind of consent"
Description: "Whether a Consent is a permission or a refusal. Fixed when it is made; a Consent without it is an import."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubConsentKindCodes)
* ^content = #complete
* #release "Permission" "She allows one unit to have some of her data for one purpose."
* #refusal "Refusal" "She never allows whoever it names; it may carry exceptions, which never permit by themselves."

ValueSet: HubConsentKindCodes
Id: consent-kind
Title: "Kind of consent"
Description: "Every code of the code system consent-kind."
* ^experimental = false
* include codes from system HubConsentKind

CodeSystem: HubPurpose
Id: purpose
Title: "Purpose"
Description: "For what data are asked and given, beside the purposes of v3-ActReason. No purpose implies another. A network adds further ones with its clients."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubPurposeCodes)
* ^content = #fragment
* #first-night "The first night" "A permission lasts at most 7 days."
* #shelter-placement "A place in a shelter" "At most 30 days."
* #health-care "Health care" "At most 90 days."
* #therapy "Therapy" "At most 180 days where the network has a written legal note."
* #court-support "Support in court" "At most 180 days where the network has a written legal note."
* #legal-representation "Legal representation" "At most 180 days where the network has a written legal note."
* #immigration-representation "Representation in immigration matters" "At most 180 days where the network has a written legal note."
* #compensation "Compensation" "At most 180 days where the network has a written legal note."

ValueSet: HubPurposeCodes
Id: purpose
Title: "Purpose"
Description: "Every code of the code system purpose."
* ^experimental = false
* include codes from system HubPurpose

ValueSet: HubPurposeOfUse
Id: purpose-of-use
Title: "Purpose of use"
Description: "What a permission may name as its purpose: a purpose of the hub or one of v3-ActReason."
* ^experimental = false
* include codes from system HubPurpose
* include codes from system $actreason

CodeSystem: HubHubSensitivity
Id: hub-sensitivity
Title: "Sensitivity tags of the hub"
Description: "Labels that v3-ActCode lacks. They stand in the hub's columns and never in what leaves."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubHubSensitivityCodes)
* ^content = #complete
* #THB "Record of a person in the network" "Stands on everything about a person: a record here tells as much."
* #LOCATION "Where she is"
* #IMMIGRATION "Immigration"
* #PROCEEDINGS "Proceedings"
* #SAFE-CONTACT "How she may be reached"

ValueSet: HubHubSensitivityCodes
Id: hub-sensitivity
Title: "Sensitivity tags of the hub"
Description: "Every code of the code system hub-sensitivity."
* ^experimental = false
* include codes from system HubHubSensitivity

ValueSet: HubSensitivity
Id: sensitivity
Title: "Sensitivity"
Description: "Every sensitivity the hub labels with: its own tags and those of v3-ActCode that it knows."
* ^experimental = false
* include codes from system HubHubSensitivity
* $actcode#ETH
* $actcode#ETHUD
* $actcode#HIV
* $actcode#LOCIS
* $actcode#OPIOIDUD
* $actcode#PSY
* $actcode#PSYTHPN
* $actcode#SDV
* $actcode#SEX
* $actcode#STD
* $actcode#SUD
* $actcode#VIO
