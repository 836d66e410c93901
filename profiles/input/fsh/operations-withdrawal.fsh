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
* parameter[=].documentation = "How she said it: oral, in-person, phone, written or app."
* parameter[=].type = #code
* parameter[+].name = #return
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "The consent as it is now."
* parameter[=].type = #Consent

Instance: HubWithdraw
InstanceOf: OperationDefinition
Usage: #definition
* id = "Patient-withdraw"
* url = "https://referral-hub.example/fhir/OperationDefinition/Patient-withdraw"
* version = "1.0.0"
* name = "HubWithdraw"
* title = "Stop sharing"
* status = #active
* experimental = false
* kind = #operation
* affectsState = true
* description = "Stops sharing in one act: for one recipient, one kind of information, or everything. Nothing stored is judged, so this always goes through; no referral and no appointment is cancelled; saying it again changes nothing."
* code = #withdraw
* resource = #Patient
* system = false
* type = false
* instance = true
* parameter[+].name = #recipient
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "An Organization; every unit below it is meant too. Without it: every recipient."
* parameter[=].type = #Reference
* parameter[+].name = #category
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "A code of information-category. Without it: everything that is shared."
* parameter[=].type = #code
* parameter[+].name = #how
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "in-person, phone, written, app or code. From the person's own token it is always app."
* parameter[=].type = #code
* parameter[+].name = #identity-checked
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "False: it is still to be checked who called; sharing stops all the same."
* parameter[=].type = #boolean
* parameter[+].name = #hold-recall
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "Hearing of it could harm her: the doors close now, the recall waits for a supervisor, at most 30 days."
* parameter[=].type = #boolean
* parameter[+].name = #hold-reason
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "Why it waits, for her own organisation."
* parameter[=].type = #string
* parameter[+].name = #acknowledged
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "From this moment nothing more is given."
* parameter[=].type = #instant
* parameter[+].name = #ended
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "A Consent that ended."
* parameter[=].type = #Reference
* parameter[+].name = #narrowed
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "A Consent that goes on without the kind of information."
* parameter[=].type = #Reference
* parameter[+].name = #asking-back
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "soon: recipients who received something are asked to stop using it; held: a supervisor decides."
* parameter[=].type = #code
* parameter[+].name = #still-open
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "A referral that stays as it is. Whether she still wants to go there is a separate question, and her answer a separate act."
* parameter[=].type = #Reference
* parameter[+].name = #offered-refusal
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "A refusal of everybody as a draft that is not stored: hers to say, never said for her."
* parameter[=].type = #Consent

Instance: HubDecide
InstanceOf: OperationDefinition
Usage: #definition
* id = "Task-decide"
* url = "https://referral-hub.example/fhir/OperationDefinition/Task-decide"
* version = "1.0.0"
* name = "HubDecide"
* title = "Decide"
* status = #active
* experimental = false
* kind = #operation
* affectsState = true
* description = "Decides about a Task of the desk. Which decisions there are depends on its kind; some take a supervisor, some a second person."
* code = #decide
* resource = #Task
* system = false
* type = false
* instance = true
* parameter[+].name = #decision
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "noted; settled; release or drop; confirm or refuse; justified or not-justified."
* parameter[=].type = #code
* parameter[+].name = #reason
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "Why."
* parameter[=].type = #string
* parameter[+].name = #counsel
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "What counsel advised."
* parameter[=].type = #string
* parameter[+].name = #notice
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "Whether she was told beforehand: told, attempted, not-safe or not-allowed."
* parameter[=].type = #code
* parameter[+].name = #notice-note
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "How and when she was told, or why not."
* parameter[=].type = #string
* parameter[+].name = #task
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "The Task as it is now."
* parameter[=].type = #Task
* parameter[+].name = #copy
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "The copy for a hand, where an order was confirmed."
* parameter[=].type = #Bundle

Instance: HubDeskCounts
InstanceOf: OperationDefinition
Usage: #definition
* id = "desk-counts"
* url = "https://referral-hub.example/fhir/OperationDefinition/desk-counts"
* version = "1.0.0"
* name = "HubDeskCounts"
* title = "How much waits"
* status = #active
* experimental = false
* kind = #operation
* affectsState = false
* description = "How many recalls, orders, requests and openings wait or were decided. Numbers alone, for coordinators and supervisors."
* code = #desk-counts
* system = true
* type = false
* instance = false
* parameter[+].name = #count
* parameter[=].use = #out
* parameter[=].min = 0
* parameter[=].max = "*"
* parameter[=].documentation = "One number."
* parameter[=].part[+].name = #organization
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #Reference
* parameter[=].part[=].documentation = "The organisation."
* parameter[=].part[+].name = #kind
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #code
* parameter[=].part[=].documentation = "The kind of Task."
* parameter[=].part[+].name = #status
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #code
* parameter[=].part[=].documentation = "Its status, or overdue."
* parameter[=].part[+].name = #number
* parameter[=].part[=].use = #out
* parameter[=].part[=].min = 1
* parameter[=].part[=].max = "1"
* parameter[=].part[=].type = #integer
* parameter[=].part[=].documentation = "How many."
