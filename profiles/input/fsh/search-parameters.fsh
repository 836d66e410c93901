// Parameters that implementation guides add to R4; all others are R4's own.

Instance: HubTaskOutput
InstanceOf: SearchParameter
Usage: #definition
* id = "Task-output"
* url = "https://referral-hub.example/fhir/SearchParameter/Task-output"
* version = "1.0.0"
* name = "HubTaskOutput"
* status = #active
* experimental = false
* description = "What a Task names as its result. A recipient's results are found by the recipient alone."
* code = #output
* base = #Task
* type = #reference
* expression = "(Task.output.value as Reference)"
* xpathUsage = #normal
* target[+] = #Appointment
* target[+] = #Condition
* target[+] = #DocumentReference
* target[+] = #Observation
* target[+] = #Procedure
* target[+] = #ServiceRequest

Instance: HubServiceRequestSupportingInfo
InstanceOf: SearchParameter
Usage: #definition
* id = "ServiceRequest-supporting-info"
* url = "https://referral-hub.example/fhir/SearchParameter/ServiceRequest-supporting-info"
* version = "1.0.0"
* name = "HubServiceRequestSupportingInfo"
* status = #active
* experimental = false
* description = "What a request names as its background. Its author's own requests only."
* code = #supporting-info
* base = #ServiceRequest
* type = #reference
* expression = "ServiceRequest.supportingInfo"
* xpathUsage = #normal
* target[+] = #Condition
* target[+] = #Consent
* target[+] = #DocumentReference
* target[+] = #Observation
* target[+] = #RiskAssessment
