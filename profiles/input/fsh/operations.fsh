Instance: HubAvailableActions
InstanceOf: OperationDefinition
Usage: #definition
* id = "Task-available-actions"
* url = "https://referral-hub.example/fhir/OperationDefinition/Task-available-actions"
* version = "1.0.0"
* name = "HubAvailableActions"
* title = "What can be done next"
* status = #active
* experimental = false
* kind = #operation
* affectsState = false
* description = "The moves this caller may make of a referral now, with the reasons and finer steps each takes."
* code = #available-actions
* resource = #Task
* system = false
* type = false
* instance = true
* parameter[+].name = #action
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "One move."
* parameter[=].part[+].name = #status
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #code
* parameter[=].part[=].documentation = "The status after it."
* parameter[=].part[+].name = #reason
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "*"
* parameter[=].part[=].type = #Coding
* parameter[=].part[=].documentation = "A reason it takes; exactly one of them is given."
* parameter[=].part[+].name = #business-status
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "*"
* parameter[=].part[=].type = #Coding
* parameter[=].part[=].documentation = "A finer step it may set."

Instance: HubPreview
InstanceOf: OperationDefinition
Usage: #definition
* id = "ServiceRequest-preview"
* url = "https://referral-hub.example/fhir/OperationDefinition/ServiceRequest-preview"
* version = "1.0.0"
* name = "HubPreview"
* title = "What a recipient would see"
* status = #active
* experimental = false
* kind = #operation
* affectsState = false
* description = "Exactly what a named recipient would see of a request, its person and what her permission covers. Nothing is stored but the audit line."
* code = #preview
* resource = #ServiceRequest
* system = false
* type = true
* instance = false
* parameter[+].name = #service-request
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "The request."
* parameter[=].type = #Reference
* parameter[+].name = #recipient
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "The organisation that would receive it."
* parameter[=].type = #Reference
* parameter[+].name = #state
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "requested (default) or accepted."
* parameter[=].type = #code
* parameter[+].name = #consent
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "A consent still draft or proposed, read as if it were active; from the organisation that keeps it."
* parameter[=].type = #Reference
* parameter[+].name = #return
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "A collection of what it would see."
* parameter[=].type = #Bundle
