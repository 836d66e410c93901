Instance: HubAssign
InstanceOf: OperationDefinition
Usage: #definition
* id = "Patient-assign"
* url = "https://referral-hub.example/fhir/OperationDefinition/Patient-assign"
* version = "1.0.0"
* name = "HubAssign"
* title = "Let an account work with a person"
* status = #active
* experimental = false
* kind = #operation
* affectsState = true
* description = "Lets an account of the caller's organisation work with a person, confirms that it may, or asks for the caller's own. Who asks for herself waits until a supervisor or a colleague who works with the person confirms, and is told the same whether or not there is such a person."
* code = #assign
* resource = #Patient
* system = false
* type = false
* instance = true
* parameter[+].name = #account
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].type = #string
* parameter[=].documentation = "The account; without it the caller's own."
* parameter[+].name = #assignment
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "One account."
* parameter[=].part[+].name = #account
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #string
* parameter[=].part[=].documentation = "The account."
* parameter[=].part[+].name = #state
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #code
* parameter[=].part[=].documentation = "pending (a second person has to confirm), active or ended."

Instance: HubUnassign
InstanceOf: OperationDefinition
Usage: #definition
* id = "Patient-unassign"
* url = "https://referral-hub.example/fhir/OperationDefinition/Patient-unassign"
* version = "1.0.0"
* name = "HubUnassign"
* title = "End that an account works with a person"
* status = #active
* experimental = false
* kind = #operation
* affectsState = true
* description = "Ends that an account works with a person. It is felt at the account's next request."
* code = #unassign
* resource = #Patient
* system = false
* type = false
* instance = true
* parameter[+].name = #account
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].type = #string
* parameter[=].documentation = "The account; without it the caller's own."
* parameter[+].name = #assignment
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "One account."
* parameter[=].part[+].name = #account
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #string
* parameter[=].part[=].documentation = "The account."
* parameter[=].part[+].name = #state
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #code
* parameter[=].part[=].documentation = "pending (a second person has to confirm), active or ended."

Instance: HubAssignments
InstanceOf: OperationDefinition
Usage: #definition
* id = "Patient-assignments"
* url = "https://referral-hub.example/fhir/OperationDefinition/Patient-assignments"
* version = "1.0.0"
* name = "HubAssignments"
* title = "Who works with a person"
* status = #active
* experimental = false
* kind = #operation
* affectsState = false
* description = "Who of the caller's organisation works with a person, asks to, or did."
* code = #assignments
* resource = #Patient
* system = false
* type = false
* instance = true
* parameter[+].name = #assignment
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "One account."
* parameter[=].part[+].name = #account
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #string
* parameter[=].part[=].documentation = "The account."
* parameter[=].part[+].name = #state
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #code
* parameter[=].part[=].documentation = "pending (a second person has to confirm), active or ended."
* parameter[=].part[+].name = #asked-by
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #string
* parameter[=].part[=].documentation = "The account or the software that asked."
* parameter[=].part[+].name = #confirmed-by
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #string
* parameter[=].part[=].documentation = "The account or the software that confirmed."
* parameter[=].part[+].name = #since
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #instant
* parameter[=].part[=].documentation = "When it became so."
