CodeSystem: HubActivity
Id: activity
Title: "Activity of a move"
Description: "What a Provenance of the hub tells: the status reached, a dot, the finer step."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubActivityCodes)
* ^content = #complete
* #draft "Draft"
* #requested "Requested"
* #accepted "Accepted"
* #rejected "Rejected"
* #cancelled "Cancelled"
* #in-progress "In progress"
* #on-hold "On hold"
* #failed "Failed"
* #completed "Completed"
* #entered-in-error "Entered in error"
* #accepted.sharing-ended "Accepted, sharing ended"
* #completed.partial "Completed, done in part"
* #in-progress.appointment-cancelled "In progress, appointment cancelled"
* #in-progress.appointment-scheduled "In progress, appointment scheduled"
* #in-progress.cancellation-requested "In progress, cancellation requested"
* #in-progress.contact-made "In progress, contact made"
* #in-progress.interim-outcome "In progress, interim outcome"
* #in-progress.no-show "In progress, no show"
* #in-progress.sharing-ended "In progress, sharing ended"
* #on-hold.awaiting-client "On hold, awaiting client"
* #on-hold.safety-hold "On hold, safety hold"
* #on-hold.sharing-ended "On hold, sharing ended"
* #on-hold.waitlisted "On hold, waitlisted"
* #requested.acknowledged "Requested, acknowledged"
* #requested.awaiting-consent "Requested, awaiting consent"
* #requested.awaiting-information "Requested, awaiting information"
* #requested.hub-routing "Requested, passed on to a recipient"
* #requested.overdue "Requested, overdue"
* #requested.sent "Requested, sent"
* #requested.sharing-ended "Requested, sharing ended"
* #withdrawn "Permission withdrawn"
* #withdrawn.oral "Permission withdrawn by word"
* #withdrawn.written "Permission withdrawn in writing"
* #withdrawn.app "Permission withdrawn on a page"

ValueSet: HubActivityCodes
Id: activity
Title: "Activity of a move"
Description: "Every code of the code system activity."
* ^experimental = false
* include codes from system HubActivity

CodeSystem: HubAuditInteraction
Id: audit-interaction
Title: "Interaction of the hub"
Description: "What an AuditEvent tells where no FHIR interaction fits."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubAuditInteractionCodes)
* ^content = #complete
* #preview "Preview" "The author looked at what a recipient would see."
* #task-notice "Notice sent" "A referral was sent to a partner."
* #recall "Recall sent"
* #alert "Alert" "Somebody of the organisation should look."

ValueSet: HubAuditInteractionCodes
Id: audit-interaction
Title: "Interaction of the hub"
Description: "Every code of the code system audit-interaction."
* ^experimental = false
* include codes from system HubAuditInteraction
