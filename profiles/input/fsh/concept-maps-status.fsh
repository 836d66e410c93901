Instance: HubBusinessStatusToBser
InstanceOf: ConceptMap
Usage: #definition
* id = "business-status-to-bser"
* url = "https://referral-hub.example/fhir/ConceptMap/business-status-to-bser"
* version = "1.0.0"
* name = "HubBusinessStatusToBser"
* title = "Finer steps to BSeR"
* status = #active
* experimental = false
* description = "To the business status of BSeR 2.0.0-ballot; the published 1.0.0 has other codes."
* group[+].source = "https://referral-hub.example/fhir/CodeSystem/business-status"
* group[=].target = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
* group[=].element[+].code = #awaiting-consent
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #sent
* group[=].element[=].target[+].code = #2.0
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #hub-routing
* group[=].element[=].target[+].code = #2.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code from creation to acceptance."
* group[=].element[+].code = #acknowledged
* group[=].element[=].target[+].code = #2.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code from creation to acceptance."
* group[=].element[+].code = #awaiting-information
* group[=].element[=].target[+].code = #2.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has no code for a question back."
* group[=].element[+].code = #overdue
* group[=].element[=].target[+].code = #2.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has no code for a missed time."
* group[=].element[+].code = #appointment-scheduled
* group[=].element[=].target[+].code = #5.1.1
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #no-show
* group[=].element[=].target[+].code = #5.1.2
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #appointment-cancelled
* group[=].element[=].target[+].code = #5.1.3
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #contact-made
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #interim-outcome
* group[=].element[=].target[+].code = #5.1.4
* group[=].element[=].target[=].equivalence = #inexact
* group[=].element[=].target[=].comment = "BSeR tells that the event is completed and a note follows."
* group[=].element[+].code = #cancellation-requested
* group[=].element[=].target[+].code = #5.2
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #waitlisted
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #awaiting-client
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #safety-hold
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #partial
* group[=].element[=].target[+].code = #7.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for every completion."
* group[=].element[+].code = #sharing-ended
* group[=].element[=].target[+].equivalence = #unmatched
* group[+].source = "https://referral-hub.example/fhir/CodeSystem/status-reason"
* group[=].target = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
* group[=].element[+].code = #at-capacity
* group[=].element[=].target[+].code = #4.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for a declined request."
* group[=].element[+].code = #ineligible
* group[=].element[=].target[+].code = #4.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for a declined request."
* group[=].element[+].code = #cannot-take
* group[=].element[=].target[+].code = #4.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for a declined request."
* group[=].element[+].code = #data-issue
* group[=].element[=].target[+].code = #4.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for a declined request."
* group[=].element[+].code = #redirect
* group[=].element[=].target[+].code = #4.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for a declined request."
* group[=].element[+].code = #by-source
* group[=].element[=].target[+].code = #6.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for a cancelled one."
* group[=].element[+].code = #client-declined
* group[=].element[=].target[+].code = #6.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for a cancelled one."
* group[=].element[+].code = #not-selected
* group[=].element[=].target[+].code = #6.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for a cancelled one."
* group[=].element[+].code = #claimed-by-other
* group[=].element[=].target[+].code = #6.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for a cancelled one."
* group[=].element[+].code = #by-target
* group[=].element[=].target[+].code = #6.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for a cancelled one."
* group[=].element[+].code = #recipient-withdrew
* group[=].element[=].target[+].code = #6.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for a cancelled one."
* group[=].element[+].code = #client-unreachable
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #ineligible-after-start
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #waitlisted
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #awaiting-client
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #safety-hold
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #wrong-recipient
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #sent-in-error
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #closed-by-sender
* group[=].element[=].target[+].code = #6.0
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "BSeR has one code for a cancelled one."
* group[=].element[+].code = #no-service-needed
* group[=].element[=].target[+].equivalence = #unmatched

Instance: HubBusinessStatusTo360x
InstanceOf: ConceptMap
Usage: #definition
* id = "business-status-to-360x"
* url = "https://referral-hub.example/fhir/ConceptMap/business-status-to-360x"
* version = "1.0.0"
* name = "HubBusinessStatusTo360x"
* title = "Finer steps to 360X"
* status = #active
* experimental = false
* description = "To the transactions of IHE 360X rev 1.2 as its FHIR crosswalk restates them. They have no code system, so the target names none."
* group[+].source = "https://referral-hub.example/fhir/CodeSystem/business-status"
* group[=].element[+].code = #awaiting-consent
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #sent
* group[=].element[=].target[+].code = #PCC-55
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #hub-routing
* group[=].element[=].target[+].code = #PCC-55
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "360X knows one sender and one recipient."
* group[=].element[+].code = #acknowledged
* group[=].element[=].target[+].code = #PCC-55
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "360X has no message for received."
* group[=].element[+].code = #awaiting-information
* group[=].element[=].target[+].code = #PCC-55
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "360X has no message for a question back."
* group[=].element[+].code = #overdue
* group[=].element[=].target[+].code = #PCC-55
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "360X has no message for a missed time."
* group[=].element[+].code = #appointment-scheduled
* group[=].element[=].target[+].code = #PCC-60
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #no-show
* group[=].element[=].target[+].code = #PCC-61
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #appointment-cancelled
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #contact-made
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #interim-outcome
* group[=].element[=].target[+].code = #PCC-59
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #cancellation-requested
* group[=].element[=].target[+].code = #PCC-58
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The recipient confirms the cancellation with the same transaction."
* group[=].element[+].code = #waitlisted
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #awaiting-client
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #safety-hold
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #partial
* group[=].element[=].target[+].code = #PCC-57
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "360X has one message for every outcome."
* group[=].element[+].code = #sharing-ended
* group[=].element[=].target[+].equivalence = #unmatched
* group[+].source = "https://referral-hub.example/fhir/CodeSystem/status-reason"
* group[=].element[+].code = #at-capacity
* group[=].element[=].target[+].code = #PCC-56
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "PCC-56 with ORC-5 CA; the reason goes to ORC-16."
* group[=].element[+].code = #ineligible
* group[=].element[=].target[+].code = #PCC-56
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "PCC-56 with ORC-5 CA; the reason goes to ORC-16."
* group[=].element[+].code = #cannot-take
* group[=].element[=].target[+].code = #PCC-56
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "PCC-56 with ORC-5 CA; the reason goes to ORC-16."
* group[=].element[+].code = #data-issue
* group[=].element[=].target[+].code = #PCC-56
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "PCC-56 with ORC-5 CA; the reason goes to ORC-16."
* group[=].element[+].code = #redirect
* group[=].element[=].target[+].code = #PCC-56
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "PCC-56 with ORC-5 CA; the reason goes to ORC-16."
* group[=].element[+].code = #by-source
* group[=].element[=].target[+].code = #PCC-58
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "360X has one cancellation."
* group[=].element[+].code = #client-declined
* group[=].element[=].target[+].code = #PCC-58
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "360X has one cancellation."
* group[=].element[+].code = #not-selected
* group[=].element[=].target[+].code = #PCC-58
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "360X has one cancellation."
* group[=].element[+].code = #claimed-by-other
* group[=].element[=].target[+].code = #PCC-58
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "360X has one cancellation."
* group[=].element[+].code = #by-target
* group[=].element[=].target[+].code = #PCC-56
* group[=].element[=].target[=].equivalence = #inexact
* group[=].element[=].target[=].comment = "360X lets a recipient decline after it accepted; the hub calls that failed or cancelled by the recipient."
* group[=].element[+].code = #recipient-withdrew
* group[=].element[=].target[+].code = #PCC-56
* group[=].element[=].target[=].equivalence = #inexact
* group[=].element[=].target[=].comment = "360X lets a recipient decline after it accepted; the hub calls that failed or cancelled by the recipient."
* group[=].element[+].code = #client-unreachable
* group[=].element[=].target[+].code = #PCC-56
* group[=].element[=].target[=].equivalence = #inexact
* group[=].element[=].target[=].comment = "360X lets a recipient decline after it accepted; the hub calls that failed or cancelled by the recipient."
* group[=].element[+].code = #ineligible-after-start
* group[=].element[=].target[+].code = #PCC-56
* group[=].element[=].target[=].equivalence = #inexact
* group[=].element[=].target[=].comment = "360X lets a recipient decline after it accepted; the hub calls that failed or cancelled by the recipient."
* group[=].element[+].code = #waitlisted
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #awaiting-client
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #safety-hold
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #wrong-recipient
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #sent-in-error
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #closed-by-sender
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #no-service-needed
* group[=].element[=].target[+].equivalence = #unmatched

Instance: HubBusinessStatusToCow
InstanceOf: ConceptMap
Usage: #definition
* id = "business-status-to-cow"
* url = "https://referral-hub.example/fhir/ConceptMap/business-status-to-cow"
* version = "1.0.0"
* name = "HubBusinessStatusToCow"
* title = "Finer steps to Clinical Order Workflows"
* status = #active
* experimental = false
* description = "To the example codes of Clinical Order Workflows 1.0.0-ballot."
* group[+].source = "https://referral-hub.example/fhir/CodeSystem/business-status"
* group[=].target = "http://hl7.org/fhir/uv/cow/CodeSystem/temp"
* group[=].element[+].code = #awaiting-consent
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #sent
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #hub-routing
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #acknowledged
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #awaiting-information
* group[=].element[=].target[+].code = #awaiting-information
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #overdue
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #appointment-scheduled
* group[=].element[=].target[+].code = #visit-scheduled
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #no-show
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #appointment-cancelled
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #contact-made
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #interim-outcome
* group[=].element[=].target[+].code = #preliminary-outcome
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #cancellation-requested
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #waitlisted
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #awaiting-client
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #safety-hold
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #partial
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #sharing-ended
* group[=].element[=].target[+].equivalence = #unmatched

Instance: HubBusinessStatusToAuErequesting
InstanceOf: ConceptMap
Usage: #definition
* id = "business-status-to-au-erequesting"
* url = "https://referral-hub.example/fhir/ConceptMap/business-status-to-au-erequesting"
* version = "1.0.0"
* name = "HubBusinessStatusToAuErequesting"
* title = "Finer steps to AU eRequesting"
* status = #active
* experimental = false
* description = "To the business status of AU eRequesting."
* group[+].source = "https://referral-hub.example/fhir/CodeSystem/business-status"
* group[=].target = "http://terminology.hl7.org.au/CodeSystem/task-business-status"
* group[=].element[+].code = #awaiting-consent
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #sent
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #hub-routing
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #acknowledged
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #awaiting-information
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #overdue
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #appointment-scheduled
* group[=].element[=].target[+].code = #service-booked
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #no-show
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #appointment-cancelled
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #contact-made
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #interim-outcome
* group[=].element[=].target[+].code = #preliminary-results
* group[=].element[=].target[=].equivalence = #inexact
* group[=].element[=].target[=].comment = "There a laboratory result, here any first answer."
* group[=].element[+].code = #cancellation-requested
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #waitlisted
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #awaiting-client
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #safety-hold
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #partial
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #sharing-ended
* group[=].element[=].target[+].equivalence = #unmatched
* group[+].source = "https://referral-hub.example/fhir/CodeSystem/status-reason"
* group[=].target = "http://terminology.hl7.org.au/CodeSystem/task-business-status"
* group[=].element[+].code = #at-capacity
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #ineligible
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #cannot-take
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #data-issue
* group[=].element[=].target[+].code = #request-data-issue
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #redirect
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #by-source
* group[=].element[=].target[+].code = #request-cancelled-placer
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #client-declined
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #not-selected
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #claimed-by-other
* group[=].element[=].target[+].code = #request-claimed
* group[=].element[=].target[=].equivalence = #equivalent
* group[=].element[+].code = #by-target
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #recipient-withdrew
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #client-unreachable
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #ineligible-after-start
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #waitlisted
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #awaiting-client
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #safety-hold
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #wrong-recipient
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #sent-in-error
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #closed-by-sender
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[+].code = #no-service-needed
* group[=].element[=].target[+].equivalence = #unmatched
