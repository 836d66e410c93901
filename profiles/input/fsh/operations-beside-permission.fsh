Instance: HubEmergency
InstanceOf: OperationDefinition
Usage: #definition
* id = "Patient-emergency"
* url = "https://referral-hub.example/fhir/OperationDefinition/Patient-emergency"
* version = "1.0.0"
* name = "HubEmergency"
* title = "Open in an emergency"
* status = #active
* experimental = false
* kind = #operation
* affectsState = true
* description = "Gives a clinic, once, the clinical findings the person allowed beforehand for an emergency. Her own organisation and she herself are told who and why; a second person looks at it within 24 hours. What was not allowed looks like what is not there."
* code = #emergency
* resource = #Patient
* system = false
* type = false
* instance = true
* parameter[+].name = #reason
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "Why, in words."
* parameter[=].type = #string
* parameter[+].name = #return
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "A collection of the findings."
* parameter[=].type = #Bundle

Instance: HubCompelledDisclosure
InstanceOf: OperationDefinition
Usage: #definition
* id = "Patient-compelled-disclosure"
* url = "https://referral-hub.example/fhir/OperationDefinition/Patient-compelled-disclosure"
* version = "1.0.0"
* name = "HubCompelledDisclosure"
* title = "Order or duty to report"
* status = #active
* experimental = false
* kind = #operation
* affectsState = true
* description = "Writes down what an order or a duty to report demands. Nothing is copied until a second person confirms it by $decide; the hub sends it nowhere."
* code = #compelled-disclosure
* resource = #Patient
* system = false
* type = false
* instance = true
* parameter[+].name = #order-kind
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "court-order, warrant, statute, mandatory-report, subpoena or authority-request. The last two take the advice of counsel."
* parameter[=].type = #code
* parameter[+].name = #legal-basis
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "The law and paragraph."
* parameter[=].type = #string
* parameter[+].name = #asked-by
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "Who asks."
* parameter[=].type = #string
* parameter[+].name = #record
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "*"
* parameter[=].documentation = "Type/id of one record, then the elements to be copied, with spaces between."
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
* parameter[+].name = #return
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "What a second person confirms or refuses."
* parameter[=].type = #Task

Instance: HubExternalRequest
InstanceOf: OperationDefinition
Usage: #definition
* id = "external-request"
* url = "https://referral-hub.example/fhir/OperationDefinition/external-request"
* version = "1.0.0"
* name = "HubExternalRequest"
* title = "Request from outside"
* status = #active
* experimental = false
* kind = #operation
* affectsState = true
* description = "Writes down that somebody outside asked about somebody. The answer is that it is neither confirmed nor denied, whether the person is known or not; any other answer takes a second person."
* code = #external-request
* system = true
* type = false
* instance = false
* parameter[+].name = #asker-kind
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "government, court, police, consulate, family, journalist or other."
* parameter[=].type = #code
* parameter[+].name = #asked-by
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "Who asks; never about whom."
* parameter[=].type = #string
* parameter[+].name = #patient
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "The Patient of this organisation it is about, where the worker says so."
* parameter[=].type = #Reference
* parameter[+].name = #other-answer
* parameter[=].use = #in
* parameter[=].min = 0
* parameter[=].max = "1"
* parameter[=].documentation = "What else is to be answered, and why."
* parameter[=].type = #string
* parameter[+].name = #answer
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "What is to be answered: neither-confirm-nor-deny."
* parameter[=].type = #code
* parameter[+].name = #entry
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "The Task of the entry."
* parameter[=].type = #Reference
* parameter[+].name = #status
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "completed, or ready while another answer waits for a second person."
* parameter[=].type = #code

Instance: HubInstruction
InstanceOf: OperationDefinition
Usage: #definition
* id = "Patient-instruction"
* url = "https://referral-hub.example/fhir/OperationDefinition/Patient-instruction"
* version = "1.0.0"
* name = "HubInstruction"
* title = "If I die or disappear"
* status = #active
* experimental = false
* kind = #operation
* affectsState = true
* description = "Writes down what she wants told, and to whom, if she dies or nobody knows where she is. Without it nothing is told to anybody."
* code = #instruction
* resource = #Patient
* system = false
* type = false
* instance = true
* parameter[+].name = #asker-kind
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "government, court, police, consulate, family, journalist or other."
* parameter[=].type = #code
* parameter[+].name = #after-days
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "How long nobody must have known where she is; 0 is at once."
* parameter[=].type = #integer
* parameter[+].name = #tell
* parameter[=].use = #in
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "What may be said, in her words."
* parameter[=].type = #string
* parameter[+].name = #return
* parameter[=].use = #out
* parameter[=].min = 1
* parameter[=].max = "1"
* parameter[=].documentation = "Her word, as it is kept."
* parameter[=].type = #Task
