CodeSystem: HubOrganizationType
Id: organization-type
Title: "Kind of organisation"
Description: "What an organisation of the network is."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubOrganizationTypeCodes)
* ^content = #complete
* #clinic "Clinic"
* #coordinator "Coordinator of the network"
* #education "Education"
* #employment "Employment service"
* #housing "Housing service"
* #immigration "Immigration adviser or office"
* #interpreter "Interpreters"
* #law-enforcement "Law enforcement"
* #legal-aid "Legal aid"
* #shelter "Shelter" "Its place is in no directory."
* #social-services "Social services"

ValueSet: HubOrganizationTypeCodes
Id: organization-type
Title: "Kind of organisation"
Description: "Every code of the code system organization-type."
* ^experimental = false
* include codes from system HubOrganizationType

CodeSystem: HubCapacity
Id: capacity
Title: "Capacity"
Description: "Whether a service can take somebody now. The codes are those of SDOHCC."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubCapacityCodes)
* ^content = #complete
* #capacity "Has capacity"
* #no-capacity "No capacity"
* #waitlist "Waiting list"
* #additional-assessment-required "Has to assess first"

ValueSet: HubCapacityCodes
Id: capacity
Title: "Capacity"
Description: "Every code of the code system capacity."
* ^experimental = false
* include codes from system HubCapacity

CodeSystem: HubUnmetNeed
Id: unmet-need
Title: "Obstacle to help"
Description: "Why a need stayed unmet; counted for advocacy, never a precondition of anything."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubUnmetNeedCodes)
* ^content = #complete
* #excluded-by-policy "Excluded by a policy"
* #inadequate-funding "Not enough money"
* #ill-fitting-support "The support does not fit"
* #no-support "There is no such support"

ValueSet: HubUnmetNeedCodes
Id: unmet-need
Title: "Obstacle to help"
Description: "Every code of the code system unmet-need."
* ^experimental = false
* include codes from system HubUnmetNeed
