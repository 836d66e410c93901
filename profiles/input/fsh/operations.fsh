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

Instance: HubRevoke
InstanceOf: OperationDefinition
Usage: #definition
* id = "Consent-revoke"
* url = "https://referral-hub.example/fhir/OperationDefinition/Consent-revoke"
* version = "1.0.0"
* name = "HubRevoke"
* title = "End a consent"
* status = #active
* experimental = false
* kind = #operation
* affectsState = true
* description = "Ends a consent now. Nothing else of it is judged, so this always goes through; no Task and no appointment is cancelled."
* code = #revoke
* resource = #Consent
* system = false
* type = false
* instance = true
* parameter[+].name = #hold-recall
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "Hearing of it could harm her: the doors close now, the recall waits for a supervisor."
* parameter[=].type = #boolean
* parameter[+].name = #how
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "How she said it: oral, written or app."
* parameter[=].type = #code
* parameter[+].name = #return
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "The consent as it is now."
* parameter[=].type = #Consent

Instance: HubDisclosures
InstanceOf: OperationDefinition
Usage: #definition
* id = "Patient-disclosures"
* url = "https://referral-hub.example/fhir/OperationDefinition/Patient-disclosures"
* version = "1.0.0"
* name = "HubDisclosures"
* title = "Who got what"
* status = #active
* experimental = false
* kind = #operation
* affectsState = false
* description = "Who received what of her record, who was refused, and what recipients answered to a recall. For the organisation that opened the record."
* code = #disclosures
* resource = #Patient
* system = false
* type = false
* instance = true
* parameter[+].name = #disclosure
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "One line."
* parameter[=].part[+].name = #when
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #instant
* parameter[=].part[=].documentation = "When."
* parameter[=].part[+].name = #what
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #code
* parameter[=].part[=].documentation = "The interaction."
* parameter[=].part[+].name = #outcome
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #code
* parameter[=].part[=].documentation = "disclosed, refused or failed."
* parameter[=].part[+].name = #recipient
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #Reference
* parameter[=].part[=].documentation = "Who received it or asked for it."
* parameter[=].part[+].name = #by
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #Reference
* parameter[=].part[=].documentation = "Whose act it was."
* parameter[=].part[+].name = #purpose
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #code
* parameter[=].part[=].documentation = "For what."
* parameter[=].part[+].name = #reason
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #string
* parameter[=].part[=].documentation = "Why it was refused or failed."
* parameter[=].part[+].name = #resource
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "*"
* parameter[=].part[=].type = #uri
* parameter[=].part[=].documentation = "What it was about."
* parameter[=].part[+].name = #consent
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "*"
* parameter[=].part[=].type = #uri
* parameter[=].part[=].documentation = "The consents it stood on."
* parameter[+].name = #recall
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "One recall."
* parameter[=].part[+].name = #recipient
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #Reference
* parameter[=].part[=].documentation = "Who was asked."
* parameter[=].part[+].name = #status
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #code
* parameter[=].part[=].documentation = "How far it is."
* parameter[=].part[+].name = #answer
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 0
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #code
* parameter[=].part[=].documentation = "deleted, kept-by-law or never-opened."

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
