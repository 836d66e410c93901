CodeSystem: HubSignatureKind
Id: signature-kind
Title: "Kind of signature"
Description: "How she gave a permission. A fingerprint is none of them."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubSignatureKindCodes)
* ^content = #complete
* #drawn "Drawn" "Drawn on a screen."
* #mark "Mark" "A mark or a sign of her own."
* #paper "Paper" "Signed on paper, kept as a scan."
* #spoken "Spoken" "Spoken before a witness: 72 hours at most, where the network takes it."

ValueSet: HubSignatureKindCodes
Id: signature-kind
Title: "Kind of signature"
Description: "Every code of the code system signature-kind."
* ^experimental = false
* include codes from system HubSignatureKind

CodeSystem: HubInterpreterMode
Id: interpreter-mode
Title: "How an interpreter was there"
Description: "In the room, or on a line that has to be held to the end."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubInterpreterModeCodes)
* ^content = #complete
* #in-person "In person"
* #phone "By phone"
* #video "By video"

ValueSet: HubInterpreterModeCodes
Id: interpreter-mode
Title: "How an interpreter was there"
Description: "Every code of the code system interpreter-mode."
* ^experimental = false
* include codes from system HubInterpreterMode

CodeSystem: HubOwnView
Id: own-view
Title: "What she herself says"
Description: "A child's own view, which is always recorded."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubOwnViewCodes)
* ^content = #complete
* #yes "Yes"
* #no "No" "Stands, unless it is urgent health or shelter."
* #too-young "Too young to say"

ValueSet: HubOwnViewCodes
Id: own-view
Title: "What she herself says"
Description: "Every code of the code system own-view."
* ^experimental = false
* include codes from system HubOwnView

CodeSystem: HubSharingEndedReason
Id: sharing-ended-reason
Title: "Why sharing ended early"
Description: "Why a permission ended before its written end without a withdrawal."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubSharingEndedReasonCodes)
* ^content = #complete
* #came-of-age "She came of age" "What somebody else signed for her ends that day."
* #returned "She is back" "After contact was lost no earlier permission runs on."
* #restored "The hub was restored" "What she took back since the backup is not known, so she is asked again."

ValueSet: HubSharingEndedReasonCodes
Id: sharing-ended-reason
Title: "Why sharing ended early"
Description: "Every code of the code system sharing-ended-reason."
* ^experimental = false
* include codes from system HubSharingEndedReason

CodeSystem: HubRecognisedBy
Id: recognised-by
Title: "How she was recognised"
Description: "How a worker knew that it was she who came back."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubRecognisedByCodes)
* ^content = #complete
* #safe-word "By her safe word"
* #face "By her face"

ValueSet: HubRecognisedByCodes
Id: recognised-by
Title: "How she was recognised"
Description: "Every code of the code system recognised-by."
* ^experimental = false
* include codes from system HubRecognisedBy

CodeSystem: HubReviewReason
Id: review-reason
Title: "Why somebody should look"
Description: "Why the hub asks an organisation to look at a permission of its own."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubReviewReasonCodes)
* ^content = #complete
* #sharing-ending "Permission ends soon"
* #sharing-ended "Permission has ended"
* #check-in-due "Check-in is due" "Sharing pauses until she confirms, narrows or ends."

ValueSet: HubReviewReasonCodes
Id: review-reason
Title: "Why somebody should look"
Description: "Every code of the code system review-reason."
* ^experimental = false
* include codes from system HubReviewReason

Extension: HubSigningEvidence
Id: signing-evidence
Title: "Evidence of signing"
Description: "How a permission was given, beside the signed form itself. The version of the form is Consent.policy.uri. It is in no view of another organisation."
Context: Consent, DocumentReference, QuestionnaireResponse
* extension contains
    language 0..1 MS and
    text-digest 0..1 MS and
    signature 0..1 MS and
    reader 0..1 MS and
    explained-back 0..1 MS and
    witness 0..1 and
    interpreter 0..1 MS
* extension[language] ^short = "Language of the form she was shown or read"
* extension[language].value[x] 1..1
* extension[language].value[x] only code
* extension[text-digest] ^short = "SHA-256 of the text she was shown, hexadecimal"
* extension[text-digest].value[x] 1..1
* extension[text-digest].value[x] only string
* extension[signature] ^short = "How she signed"
* extension[signature].value[x] 1..1
* extension[signature].value[x] only code
* extension[signature].valueCode from HubSignatureKindCodes (required)
* extension[reader] ^short = "Which organisation read the form to her; never the one that receives"
* extension[reader].value[x] 1..1
* extension[reader].value[x] only Reference(Organization)
* extension[explained-back] ^short = "Whether she explained it back in her own words"
* extension[explained-back].value[x] 1..1
* extension[explained-back].value[x] only boolean
* extension[witness] ^short = "Who heard a spoken permission"
* extension[witness].value[x] 1..1
* extension[witness].value[x] only Reference(Practitioner or PractitionerRole) or Identifier
* extension[interpreter] ^short = "The interpreter, by agency and staff number; never a name"
* extension[interpreter].extension contains
    agency 1..1 MS and
    staff-number 1..1 MS and
    mode 1..1 MS and
    no-ties 1..1 MS and
    line-held 0..1 MS
* extension[interpreter].extension[agency].value[x] 1..1
* extension[interpreter].extension[agency].value[x] only string
* extension[interpreter].extension[staff-number].value[x] 1..1
* extension[interpreter].extension[staff-number].value[x] only string
* extension[interpreter].extension[mode].value[x] 1..1
* extension[interpreter].extension[mode].value[x] only code
* extension[interpreter].extension[mode].valueCode from HubInterpreterModeCodes (required)
* extension[interpreter].extension[no-ties] ^short = "The interpreter stated: no ties to her, to the case or to anybody in it"
* extension[interpreter].extension[no-ties].value[x] 1..1
* extension[interpreter].extension[no-ties].value[x] only boolean
* extension[interpreter].extension[line-held] ^short = "The line was held to the end; without that the permission was not given"
* extension[interpreter].extension[line-held].value[x] 1..1
* extension[interpreter].extension[line-held].value[x] only boolean

Extension: HubAgreedForHer
Id: agreed-for-her
Title: "Who agreed for her"
Description: "What is attested where a guardian signs or two professionals decide, and what she herself says."
Context: Consent
* extension contains
    own-view 0..1 MS and
    guardian-no-suspect 0..1 MS and
    guardian-not-refused 0..1 MS and
    urgent 0..1 MS
* extension[own-view] ^short = "What she herself says to it"
* extension[own-view].value[x] 1..1
* extension[own-view].value[x] only code
* extension[own-view].valueCode from HubOwnViewCodes (required)
* extension[guardian-no-suspect] ^short = "The guardian is nobody suspected of harming her"
* extension[guardian-no-suspect].value[x] 1..1
* extension[guardian-no-suspect].value[x] only boolean
* extension[guardian-not-refused] ^short = "The guardian is none of those she refuses"
* extension[guardian-not-refused].value[x] 1..1
* extension[guardian-not-refused].value[x] only boolean
* extension[urgent] ^short = "Urgent health or shelter"
* extension[urgent].value[x] 1..1
* extension[urgent].value[x] only boolean

Extension: HubConsentCheckIn
Id: consent-check-in
Title: "Check-in"
Description: "When she was asked again about a permission of more than 90 days and confirmed it. Without one it pauses after 90 days."
Context: Consent
* value[x] 1..1
* value[x] only dateTime

Extension: HubRenewalOf
Id: renewal-of
Title: "Renewal of"
Description: "The permission that this one goes on from: it says the same or less."
Context: Consent
* value[x] 1..1
* value[x] only Reference(Consent)

Extension: HubSharingEnded
Id: sharing-ended
Title: "Sharing ended early"
Description: "When a permission ended before its written end without a withdrawal. The hub writes it."
Context: Consent
* extension contains
    at 1..1 MS and
    reason 1..1 MS
* extension[at].value[x] 1..1
* extension[at].value[x] only dateTime
* extension[reason].value[x] 1..1
* extension[reason].value[x] only code
* extension[reason].valueCode from HubSharingEndedReasonCodes (required)
