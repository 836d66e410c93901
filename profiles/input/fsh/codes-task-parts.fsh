CodeSystem: HubTaskCode
Id: task-code
Title: "Code of a Task"
Description: "Tasks of the hub that are no referral."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubTaskCodeCodes)
* ^content = #complete
* #recall "Recall" "Asks a recipient to stop using what it received; names nobody."
* #case-review "Case review" "Never leaves the organisation that wrote it."
* #complaint "Complaint" "Never leaves the organisation that wrote it."
* #external-request "Request from outside" "Never leaves the organisation that wrote it."
* #withdrawal "Permission taken back" "For her own organisation's people: she said it herself, or a call is still to be checked."
* #held-recall "Recall that waits" "A supervisor lets it go or drops it, within 30 days."
* #recall-unanswered "Recall without an answer" "A supervisor settles it with the recipient."
* #compelled-disclosure "Order or duty to report" "Two people; a copy for a hand, never sent by the hub."
* #absence-instruction "If I die or disappear" "What she wants told, and to whom; without it nothing."
* #emergency-opening "Opening in an emergency" "A second person looks at it within 24 hours."
* #wrong-person "About the wrong person" "Somebody got or sent something about the wrong person; a supervisor looks at it within 24 hours."

ValueSet: HubTaskCodeCodes
Id: task-code
Title: "Code of a Task"
Description: "Every code of the code system task-code."
* ^experimental = false
* include codes from system HubTaskCode

CodeSystem: HubTaskInputType
Id: task-input-type
Title: "Kind of input of a Task"
Description: "What goes along with a referral."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubTaskInputTypeCodes)
* ^content = #complete
* #handling-condition "Condition of handling" "The recipient confirms it before acceptance."
* #identity-release "When identity is released" "Immediate: before acceptance, where the permission covers it."
* #handoff "Handoff" "The sender stays responsible until the recipient says in-progress."
* #recalled-referral "Referral that is recalled" "The placer number the recipient already holds."
* #recalled-record "Record that is recalled" "The address at which the recipient read it."
* #recalled-category "Kind of information that is recalled" "Only this kind; another permission covers the rest."
* #recall-asks "What a recall asks" "stop-using, delete (or name the law that forbids it), pass-on."
* #reminded "Reminded of" "When the hub asked again."

ValueSet: HubTaskInputTypeCodes
Id: task-input-type
Title: "Kind of input of a Task"
Description: "Every code of the code system task-input-type."
* ^experimental = false
* include codes from system HubTaskInputType

CodeSystem: HubTaskOutputType
Id: task-output-type
Title: "Kind of output of a Task"
Description: "What a recipient answers."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubTaskOutputTypeCodes)
* ^content = #complete
* #handling-confirmed "Condition confirmed" "One for each condition; no result of the referral."
* #attendance "Came or did not come"
* #next-date "Next date"
* #needs-more "Needs more help"
* #recall-answer "Answer to a recall"

ValueSet: HubTaskOutputTypeCodes
Id: task-output-type
Title: "Kind of output of a Task"
Description: "Every code of the code system task-output-type."
* ^experimental = false
* include codes from system HubTaskOutputType

CodeSystem: HubHandlingCondition
Id: handling-condition
Title: "Condition of handling"
Description: "What the sender asks the recipient to confirm before it accepts."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubHandlingConditionCodes)
* ^content = #complete
* #no-reminders "No automatic reminders"
* #no-portal "No portal, proxy access or national account" "Where the law allows withholding."
* #no-letters "No letters"
* #no-onward-exchange "No onward exchange"

ValueSet: HubHandlingConditionCodes
Id: handling-condition
Title: "Condition of handling"
Description: "Every code of the code system handling-condition."
* ^experimental = false
* include codes from system HubHandlingCondition

CodeSystem: HubIdentityRelease
Id: identity-release
Title: "When identity is released"
Description: "Without it identity is released after acceptance."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubIdentityReleaseCodes)
* ^content = #complete
* #immediate "Before acceptance" "Only as far as her permission covers it."

ValueSet: HubIdentityReleaseCodes
Id: identity-release
Title: "When identity is released"
Description: "Every code of the code system identity-release."
* ^experimental = false
* include codes from system HubIdentityRelease

CodeSystem: HubAttendance
Id: attendance
Title: "Attendance"
Description: "Whether she came. Nothing more goes back without a wider permission."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubAttendanceCodes)
* ^content = #complete
* #came "Came"
* #did-not-come "Did not come"

ValueSet: HubAttendanceCodes
Id: attendance
Title: "Attendance"
Description: "Every code of the code system attendance."
* ^experimental = false
* include codes from system HubAttendance

CodeSystem: HubRecallAnswer
Id: recall-answer
Title: "Answer to a recall"
Description: "What a recipient did with the data it had received."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubRecallAnswerCodes)
* ^content = #complete
* #deleted "Deleted"
* #kept-by-law "Kept as the law demands"
* #never-opened "Never opened"

ValueSet: HubRecallAnswerCodes
Id: recall-answer
Title: "Answer to a recall"
Description: "Every code of the code system recall-answer."
* ^experimental = false
* include codes from system HubRecallAnswer

CodeSystem: HubDeskPart
Id: desk-part
Title: "Part of a Task of the desk"
Description: "What an organisation's own people write down in Tasks that never leave it."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubDeskPartCodes)
* ^content = #complete
* #about "What it is about" "The id of a Consent or a Task."
* #after-days "Days nobody must have known where she is"
* #answer "Answer that was given"
* #asked-by "Who asks" "Never about whom."
* #asker-kind "Kind of asker"
* #category "Kind of information"
* #counsel "What counsel advised"
* #decided-as "Role of whoever decided"
* #decided-by "Account that decided"
* #decision "What was decided"
* #decision-reason "Why it was decided so"
* #handed-over "Version that was handed over"
* #how "How she said it"
* #identity-check-needed "It is still to be checked who called"
* #legal-basis "Law and paragraph"
* #notice "Whether she was told beforehand"
* #notice-note "How and when she was told, or why not"
* #opened "Record that was opened"
* #order-kind "Kind of order"
* #other-answer "Answer that waits for a second person"
* #reason "Why"
* #recipient "Organisation it concerns"
* #record "Record and elements that are demanded"
* #recorded-by "Account that began it"
* #tell "What may be said, in her words"

ValueSet: HubDeskPartCodes
Id: desk-part
Title: "Part of a Task of the desk"
Description: "Every code of the code system desk-part."
* ^experimental = false
* include codes from system HubDeskPart
