Instance: HubFind
InstanceOf: OperationDefinition
Usage: #definition
* id = "HealthcareService-find"
* url = "https://referral-hub.example/fhir/OperationDefinition/HealthcareService-find"
* version = "1.0.0"
* name = "HubFind"
* title = "Options for a need"
* status = #draft
* experimental = false
* kind = #operation
* affectsState = false
* description = "Services that could meet a need, those with a place first. It takes nothing that could identify somebody: any other parameter is refused."
* code = #find
* resource = #HealthcareService
* system = false
* type = true
* instance = false
* parameter[+].name = #need
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "*"
* parameter[=].documentation = "A need or a service domain."
* parameter[=].type = #Coding
* parameter[+].name = #country
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "A country, as two letters."
* parameter[=].type = #code
* parameter[+].name = #language
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "A language in which the service can be had."
* parameter[=].type = #code
* parameter[+].name = #age-group
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "For an adult or for a child."
* parameter[=].type = #code
* parameter[=].binding.strength = #required
* parameter[=].binding.valueSet = Canonical(HubAgeGroupCodes)
* parameter[+].name = #with-capacity
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "Only services that say they have a place."
* parameter[=].type = #boolean
* parameter[+].name = #return
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "A searchset of HealthcareService, each with its capacity and how old that word is."
* parameter[=].type = #Bundle
