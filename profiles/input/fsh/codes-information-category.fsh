CodeSystem: HubInformationCategory
Id: information-category
Title: "Information category"
Description: "What a permission can name, in the words of the form. A resource gets its category when it is written; what is in none is very restricted."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubInformationCategoryCodes)
* ^content = #complete
* #identity "Name and identity"
* #contact "Phone and address" "Very restricted element by element."
* #health "Health"
* #mental-health "Mental health and counselling"
* #substance-use "Alcohol and drugs"
* #safety "Safety"
* #housing "Housing"
* #legal-needs "Legal needs"
* #immigration "Immigration" "Very restricted element by element."
* #proceedings "Court and police proceedings" "Very restricted element by element."
* #work-and-education "Work and education"
* #family "Family"
* #material-aid "Money, food and things"
* #plan "Plan"
* #outcome "What came of it"

ValueSet: HubInformationCategoryCodes
Id: information-category
Title: "Information category"
Description: "Every code of the code system information-category."
* ^experimental = false
* include codes from system HubInformationCategory
