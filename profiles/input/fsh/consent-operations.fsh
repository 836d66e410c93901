Instance: HubTemplate
InstanceOf: OperationDefinition
Usage: #definition
* id = "Consent-template"
* url = "https://referral-hub.example/fhir/OperationDefinition/Consent-template"
* version = "1.0.0"
* name = "HubTemplate"
* title = "Draft of a permission"
* status = #active
* experimental = false
* kind = #operation
* affectsState = false
* description = "A Consent in draft for one person, one recipient and one purpose, with the least that the purpose needs. Nothing is stored."
* code = #template
* resource = #Consent
* system = false
* type = true
* instance = false
* parameter[+].name = #patient
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "The person, as Patient/id."
* parameter[=].type = #string
* parameter[+].name = #recipient
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "The receiving unit, as Organization/id."
* parameter[=].type = #string
* parameter[+].name = #purpose
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "A code of v3-ActReason or of the hub."
* parameter[=].type = #code
* parameter[+].name = #return
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "The way back: the recipient may tell what came of it."
* parameter[=].type = #boolean
* parameter[+].name = #return
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "The draft."
* parameter[=].type = #Consent

Instance: HubConsentPolicy
InstanceOf: SearchParameter
Usage: #definition
* id = "Consent-policy"
* url = "https://referral-hub.example/fhir/SearchParameter/Consent-policy"
* version = "1.0.0"
* name = "HubConsentPolicy"
* status = #active
* experimental = false
* description = "The version of the form a Consent was signed under. An organisation finds its own only."
* code = #policy
* base = #Consent
* type = #uri
* expression = "Consent.policy.uri"
* xpathUsage = #normal

Instance: HubFormCounts
InstanceOf: OperationDefinition
Usage: #definition
* id = "Consent-form-counts"
* url = "https://referral-hub.example/fhir/OperationDefinition/Consent-form-counts"
* version = "1.0.0"
* name = "HubFormCounts"
* title = "How many permissions run under each version of the form"
* status = #active
* experimental = false
* kind = #operation
* affectsState = false
* description = "Numbers for the network's coordinator, small ones hidden; never a person."
* code = #form-counts
* resource = #Consent
* system = false
* type = true
* instance = false
* parameter[+].name = #policy
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "A version of the form beside those of the network's policy file."
* parameter[=].type = #uri
* parameter[+].name = #form
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "One version."
* parameter[=].part[+].name = #policy
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #uri
* parameter[=].part[=].documentation = "Which."
* parameter[=].part[+].name = #state
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #code
* parameter[=].part[=].documentation = "current, retired or unknown."
* parameter[=].part[+].name = #number
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #integer
* parameter[=].part[=].documentation = "How many permissions and refusals were signed under it and not ended; absent where they are few."
