CodeSystem: HubNeedKind
Id: need
Title: "Need"
Description: "What somebody needs, in plain words. No code says what happened. The property category says which information category it falls in."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubNeedKindCodes)
* ^content = #complete
* ^property.code = #category
* ^property.uri = "https://referral-hub.example/fhir/CodeSystem/information-category"
* ^property.description = "The information category of a need of this kind."
* ^property.type = #code
* #safe-place-tonight "A safe place for tonight"
* #safe-place-tonight ^property.code = #category
* #safe-place-tonight ^property.valueCode = #housing
* #place-to-live "A place to live"
* #place-to-live ^property.code = #category
* #place-to-live ^property.valueCode = #housing
* #food "Food"
* #food ^property.code = #category
* #food ^property.valueCode = #material-aid
* #clothes-and-care-items "Clothes and things for daily care"
* #clothes-and-care-items ^property.code = #category
* #clothes-and-care-items ^property.valueCode = #material-aid
* #phone "A phone of one's own"
* #phone ^property.code = #category
* #phone ^property.valueCode = #material-aid
* #money "Money for daily needs"
* #money ^property.code = #category
* #money ^property.valueCode = #material-aid
* #transport "A way to get there"
* #transport ^property.code = #category
* #transport ^property.valueCode = #material-aid
* #language-help "Help with the language"
* #language-help ^property.code = #category
* #language-help ^property.valueCode = #material-aid
* #health-care-now "Health care now"
* #health-care-now ^property.code = #category
* #health-care-now ^property.valueCode = #health
* #health-care "Health care"
* #health-care ^property.code = #category
* #health-care ^property.valueCode = #health
* #teeth "Care for teeth"
* #teeth ^property.code = #category
* #teeth ^property.valueCode = #health
* #medicines "Medicines"
* #medicines ^property.code = #category
* #medicines ^property.valueCode = #health
* #reproductive-health "Reproductive health"
* #reproductive-health ^property.code = #category
* #reproductive-health ^property.valueCode = #health
* #help-in-crisis "Help in a crisis"
* #help-in-crisis ^property.code = #category
* #help-in-crisis ^property.valueCode = #mental-health
* #someone-to-talk-to "Someone to talk to"
* #someone-to-talk-to ^property.code = #category
* #someone-to-talk-to ^property.valueCode = #mental-health
* #sleep-and-rest "Sleep and rest"
* #sleep-and-rest ^property.code = #category
* #sleep-and-rest ^property.valueCode = #mental-health
* #alcohol-and-drugs "Help with alcohol or drugs"
* #alcohol-and-drugs ^property.code = #category
* #alcohol-and-drugs ^property.valueCode = #substance-use
* #feeling-safe "Being and feeling safe"
* #feeling-safe ^property.code = #category
* #feeling-safe ^property.valueCode = #safety
* #company-on-the-way "Company on the way"
* #company-on-the-way ^property.code = #category
* #company-on-the-way ^property.valueCode = #safety
* #legal-information "To know one's rights"
* #legal-information ^property.code = #category
* #legal-information ^property.valueCode = #legal-needs
* #unpaid-wages "Unpaid wages"
* #unpaid-wages ^property.code = #category
* #unpaid-wages ^property.valueCode = #legal-needs
* #compensation "Compensation"
* #compensation ^property.code = #category
* #compensation ^property.valueCode = #legal-needs
* #no-punishment "Not to be punished for what was forced"
* #no-punishment ^property.code = #category
* #no-punishment ^property.valueCode = #legal-needs
* #residence-status "A right to stay"
* #residence-status ^property.code = #category
* #residence-status ^property.valueCode = #immigration
* #identity-documents "Identity documents"
* #identity-documents ^property.code = #category
* #identity-documents ^property.valueCode = #immigration
* #safe-return "A safe way home"
* #safe-return ^property.code = #category
* #safe-return ^property.valueCode = #immigration
* #support-in-proceedings "Support in proceedings"
* #support-in-proceedings ^property.code = #category
* #support-in-proceedings ^property.valueCode = #proceedings
* #work "Work"
* #work ^property.code = #category
* #work ^property.valueCode = #work-and-education
* #education "School and training"
* #education ^property.code = #category
* #education ^property.valueCode = #work-and-education
* #language-learning "To learn the language"
* #language-learning ^property.code = #category
* #language-learning ^property.valueCode = #work-and-education
* #independent-living "Skills for living alone"
* #independent-living ^property.code = #category
* #independent-living ^property.valueCode = #work-and-education
* #contact-with-family "Contact with family"
* #contact-with-family ^property.code = #category
* #contact-with-family ^property.valueCode = #family
* #finding-family "To find family"
* #finding-family ^property.code = #category
* #finding-family ^property.valueCode = #family
* #child-care "Care for children"
* #child-care ^property.code = #category
* #child-care ^property.valueCode = #family
* #company-and-community "Company and community"
* #company-and-community ^property.code = #category
* #company-and-community ^property.valueCode = #plan
* #culture-and-faith "Own culture and faith"
* #culture-and-faith ^property.code = #category
* #culture-and-faith ^property.valueCode = #plan
* #mentor "A mentor"
* #mentor ^property.code = #category
* #mentor ^property.valueCode = #plan
* #support-after-the-end "Support after the end"
* #support-after-the-end ^property.code = #category
* #support-after-the-end ^property.valueCode = #plan

ValueSet: HubNeedKindCodes
Id: need
Title: "Need"
Description: "Every code of the code system need."
* ^experimental = false
* include codes from system HubNeedKind
