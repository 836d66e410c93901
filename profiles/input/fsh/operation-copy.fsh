Instance: HubCopy
InstanceOf: OperationDefinition
Usage: #definition
* id = "Patient-copy"
* url = "https://referral-hub.example/fhir/OperationDefinition/Patient-copy"
* version = "1.0.0"
* name = "HubCopy"
* title = "Her copy on paper"
* status = #active
* experimental = false
* kind = #operation
* affectsState = false
* description = "Her record in plain words as a tagged PDF (PDF/UA-1): what she allows, who got what, who was refused, and what is written about her. For her, and for the organisation that opened the record. Asked for as application/pdf it is the paper itself, otherwise a Binary."
* code = #copy
* resource = #Patient
* system = false
* type = false
* instance = true
* parameter[+].name = #language
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "Of the copy: en, pl, uk, es or ar. Without it the best of Accept-Language."
* parameter[=].type = #code
* parameter[+].name = #return
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "The paper."
* parameter[=].type = #Binary
