CodeSystem: HubBusinessStatus
Id: business-status
Title: "Finer step of a referral"
Description: "Steps within Task.status. On the wire Task.status keeps to the codes that SDOHCC allows."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubBusinessStatusCodes)
* ^content = #complete
* #awaiting-consent "Waiting for a permission" "Requested; nothing leaves until there is a permission."
* #sent "Sent" "Requested; the recipient reads the notice."
* #hub-routing "Passed on to a recipient" "Requested; the hub asks a recipient in its own name and reports back."
* #acknowledged "Received by the recipient" "Requested; the wire status stays requested."
* #awaiting-information "The recipient asked for more" "Requested; the clock is paused."
* #overdue "Later than agreed" "Requested; nobody answered in time."
* #appointment-scheduled "Appointment made"
* #no-show "The meeting did not happen"
* #appointment-cancelled "Appointment cancelled"
* #contact-made "Contact made"
* #interim-outcome "First result"
* #cancellation-requested "The sender asks to stop"
* #waitlisted "On a waiting list"
* #awaiting-client "Waiting for her"
* #safety-hold "Paused for safety"
* #partial "Done in part" "Completed; of several recipients at least one gave a result, and at least one did not."
* #sharing-ended "Permission has ended" "The time of the permission is over; the referral and its appointments stand."

ValueSet: HubBusinessStatusCodes
Id: business-status
Title: "Finer step of a referral"
Description: "Every code of the code system business-status."
* ^experimental = false
* include codes from system HubBusinessStatus

CodeSystem: HubStatusReason
Id: status-reason
Title: "Reason of a status"
Description: "Why a referral was refused, cancelled, paused, failed or entered in error."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubStatusReasonCodes)
* ^content = #complete
* #at-capacity "No place"
* #ineligible "Conditions not met"
* #cannot-take "Cannot take it" "Says no more: a conflict of interest is never named."
* #data-issue "Something in the request does not fit"
* #redirect "Another place fits better" "Names no agency."
* #by-source "Cancelled by the sender"
* #client-declined "She does not want it"
* #not-selected "Another offer was chosen"
* #claimed-by-other "Another recipient took it"
* #by-target "Cancelled by the recipient"
* #recipient-withdrew "The recipient cannot go on"
* #client-unreachable "She could not be reached"
* #ineligible-after-start "Conditions turned out not to be met"
* #waitlisted "On a waiting list"
* #awaiting-client "Waiting for her"
* #safety-hold "Paused for safety"
* #wrong-recipient "Sent to the wrong recipient"
* #sent-in-error "Sent by mistake"
* #closed-by-sender "Closed by the sender" "All that a recipient reads of a cancellation that it did not make itself."
* #no-service-needed "No service was needed" "The one reason that completes a referral without a result."

ValueSet: HubStatusReasonCodes
Id: status-reason
Title: "Reason of a status"
Description: "Every code of the code system status-reason."
* ^experimental = false
* include codes from system HubStatusReason

ValueSet: HubRejectionReasons
Id: rejection-reason
Title: "Reasons of a refusal"
Description: "Task.statusReason of rejected."
* ^experimental = false
* HubStatusReason#at-capacity
* HubStatusReason#ineligible
* HubStatusReason#cannot-take
* HubStatusReason#data-issue
* HubStatusReason#redirect

ValueSet: HubSenderCancelReasons
Id: cancellation-reason-sender
Title: "Reasons of a cancellation by the sender"
Description: "Task.statusReason of cancelled, set by the requester."
* ^experimental = false
* HubStatusReason#by-source
* HubStatusReason#client-declined
* HubStatusReason#not-selected
* HubStatusReason#claimed-by-other

ValueSet: HubOwnerCancelReasons
Id: cancellation-reason-owner
Title: "Reasons of a cancellation by the recipient"
Description: "Task.statusReason of cancelled, set by the owner; recipient-withdrew only after acceptance."
* ^experimental = false
* HubStatusReason#by-target
* HubStatusReason#recipient-withdrew

ValueSet: HubCancelReasons
Id: cancellation-reason
Title: "Reasons of a cancellation"
Description: "Task.statusReason of cancelled, whoever set it, with the one reason that a recipient reads."
* ^experimental = false
* HubStatusReason#by-source
* HubStatusReason#client-declined
* HubStatusReason#not-selected
* HubStatusReason#claimed-by-other
* HubStatusReason#by-target
* HubStatusReason#recipient-withdrew
* HubStatusReason#closed-by-sender

ValueSet: HubFailureReasons
Id: failure-reason
Title: "Reasons of a failure"
Description: "Task.statusReason of failed."
* ^experimental = false
* HubStatusReason#client-unreachable
* HubStatusReason#ineligible-after-start

ValueSet: HubHoldReasons
Id: hold-reason
Title: "Reasons of a pause"
Description: "Task.statusReason of on-hold."
* ^experimental = false
* HubStatusReason#waitlisted
* HubStatusReason#awaiting-client
* HubStatusReason#safety-hold

ValueSet: HubErrorReasons
Id: error-reason
Title: "Reasons of an error"
Description: "Task.statusReason of entered-in-error."
* ^experimental = false
* HubStatusReason#wrong-recipient
* HubStatusReason#sent-in-error

ValueSet: HubReferralTaskStatus
Id: referral-task-status
Title: "Status of a referral"
Description: "The codes of Task.status that SDOHCC allows: not received, not ready."
* ^experimental = false
* $taskstatus#draft
* $taskstatus#requested
* $taskstatus#accepted
* $taskstatus#rejected
* $taskstatus#cancelled
* $taskstatus#in-progress
* $taskstatus#on-hold
* $taskstatus#failed
* $taskstatus#completed
* $taskstatus#entered-in-error
