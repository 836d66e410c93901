Extension: HubAgeGroupExtension
Id: age-group
Title: "Age group"
Description: "Adult or child, which every notice tells. While her age is in doubt she is presumed a child."
Context: Patient
* value[x] 1..1
* value[x] only code
* valueCode from HubAgeGroupCodes (required)

Extension: HubAgeBandExtension
Id: age-band
Title: "Age band"
Description: "A band of years, as the network defines them. A notice tells it only where the sender ticked it."
Context: Patient
* value[x] 1..1
* value[x] only code or Coding

Extension: HubShowInNoticeExtension
Id: show-in-notice
Title: "Shown in the notice"
Description: "One fact that a recipient may read before it accepts, ticked by the sender. Without it nothing is shown."
Context: Patient
* value[x] 1..1
* value[x] only code
* valueCode from HubShowInNoticeCodes (required)

Extension: HubNoName
Id: no-name-referral
Title: "No-name referral"
Description: "This Patient stands for somebody whose name is not told: nothing but adult or child, and interpreter or not."
Context: Patient
* value[x] 1..1
* value[x] only boolean
* valueBoolean = true

Extension: HubSafeContact
Id: safe-contact
Title: "Safe contact"
Description: "How she may be reached. It is in no view of another organisation; what it does not name is not allowed."
Context: Patient
* extension contains
    channel 0..* MS and
    hours 0..1 MS and
    safe-word 0..1 MS and
    meeting-point 0..1 MS
* extension[channel] ^short = "A channel she allows"
* extension[channel].value[x] 1..1
* extension[channel].value[x] only code
* extension[channel].valueCode from HubSafeChannels (required)
* extension[hours] ^short = "At which hours"
* extension[hours].value[x] 1..1
* extension[hours].value[x] only string
* extension[safe-word] ^short = "The word by which she is known to be herself and alone"
* extension[safe-word].value[x] 1..1
* extension[safe-word].value[x] only string
* extension[meeting-point] ^short = "A place that tells nothing"
* extension[meeting-point].value[x] 1..1
* extension[meeting-point].value[x] only string
