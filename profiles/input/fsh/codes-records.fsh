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
* #withdrawn.in-person "Permission withdrawn face to face"
* #withdrawn.phone "Permission withdrawn by telephone"
* #withdrawn.code "Permission withdrawn by the code alone"
* #withdrawn-in-part "One kind of information withdrawn"
* #withdrawn-in-part.in-person "One kind of information withdrawn face to face"
* #withdrawn-in-part.phone "One kind of information withdrawn by telephone"
* #withdrawn-in-part.written "One kind of information withdrawn in writing"
* #withdrawn-in-part.app "One kind of information withdrawn on a page"

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
* #task-report "Outcome told to the source"
* #task-update "Status sent" "A change of a referral was sent to a partner."
* #task-copy "Copy of a source's request" "It could not be fetched."
* #alert "Alert" "Somebody of the organisation should look."
* #withdraw "Everything taken back by the code alone" "Refused: the code belongs to nobody, or is locked."
* #compelled-disclosure "Copy handed over by order" "Confirmed by two people."
* #emergency-opening "Opened in an emergency" "By a permission she gave beforehand."
* #assign-asked "Asks to work with her" "A second person confirms it."
* #assign "Works with her from now on"
* #unassign "Works with her no more"
* #oauth-client "Software registered or changed"
* #oauth-approve "Software allowed by a person" "She, or somebody of the staff, let a software act for her."
* #oauth-token "Access token given to software"
* #oauth-revoke "Access of software ended"
* #oauth-launch "Software opened out of the hub"
* #sign-in "Signed in"
* #sign-out "Signed out"
* #second-factor "Second step of signing in set up or used"
* #account "Account changed"
* #withdraw-code "Code to take back permissions used or changed"
* #subscription-notification "Subscriber told of a change"
* #export "Bulk export asked for or fetched"
* #erase "Record made unreadable" "The person's key was destroyed."
* #backup "Backup made"
* #restore "Restored from a backup"
* #print "Printed or copied" "By a member of staff of her organisation; she is told."
* #list-export "In a list that was taken out" "By a member of staff of her organisation; she is told."

ValueSet: HubAuditInteractionCodes
Id: audit-interaction
Title: "Interaction of the hub"
Description: "Every code of the code system audit-interaction."
* ^experimental = false
* include codes from system HubAuditInteraction
