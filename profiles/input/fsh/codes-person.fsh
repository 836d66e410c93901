CodeSystem: HubAgeGroup
Id: age-group
Title: "Age group"
Description: "All that a notice says of her age. While her age is in doubt she is presumed a child."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubAgeGroupCodes)
* ^content = #complete
* #adult "Adult"
* #child "Child"

ValueSet: HubAgeGroupCodes
Id: age-group
Title: "Age group"
Description: "Every code of the code system age-group."
* ^experimental = false
* include codes from system HubAgeGroup

CodeSystem: HubShowInNotice
Id: show-in-notice
Title: "Fact shown in a notice"
Description: "What the sender ticked to be told before acceptance; nothing by default."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubShowInNoticeCodes)
* ^content = #complete
* #language "Language"
* #region "Region"
* #gender "Gender"
* #age-band "Age band"

ValueSet: HubShowInNoticeCodes
Id: show-in-notice
Title: "Fact shown in a notice"
Description: "Every code of the code system show-in-notice."
* ^experimental = false
* include codes from system HubShowInNotice

CodeSystem: HubContactChannel
Id: contact-channel
Title: "Channel of contact"
Description: "Ways to reach her that v3-ParticipationMode lacks."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubContactChannelCodes)
* ^content = #complete
* #in-person "In person" "Uses no device of hers."

ValueSet: HubContactChannelCodes
Id: contact-channel
Title: "Channel of contact"
Description: "Every code of the code system contact-channel."
* ^experimental = false
* include codes from system HubContactChannel

ValueSet: HubSafeChannels
Id: safe-channel
Title: "Channels of safe contact"
Description: "How she may be reached: a code of v3-ParticipationMode, or in person. What is not named is not allowed."
* ^experimental = false
* include codes from system HubContactChannel
* include codes from system $participationmode

CodeSystem: HubObservation
Id: observation
Title: "Observation of the hub"
Description: "Observations that steer the hub itself."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubObservationCodes)
* ^content = #complete
* #cannot-sign-now "She cannot sign now" "While the newest one says yes, no permission is signed for her. Never leaves its organisation."
* #contact-lost "Contact with her is lost" "While the newest one says yes, nothing is sent to her and nothing is renewed. Never leaves its organisation."

ValueSet: HubObservationCodes
Id: observation
Title: "Observation of the hub"
Description: "Every code of the code system observation."
* ^experimental = false
* include codes from system HubObservation

CodeSystem: HubCommunicationCategory
Id: communication-category
Title: "Category of a Communication"
Description: "Messages of the hub itself. Ways back and supervision never leave their organisation."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubCommunicationCategoryCodes)
* ^content = #complete
* #ways-back "Ways to come back"
* #supervision "Supervision"
* #correction-request "Request of the person to correct her record"

ValueSet: HubCommunicationCategoryCodes
Id: communication-category
Title: "Category of a Communication"
Description: "Every code of the code system communication-category."
* ^experimental = false
* include codes from system HubCommunicationCategory
