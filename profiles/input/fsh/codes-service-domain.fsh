CodeSystem: HubServiceDomain
Id: service-domain
Title: "Service domain"
Description: "Services of the practice guide. The property category says which information category a request for one falls in."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubServiceDomainCodes)
* ^content = #complete
* ^property.code = #category
* ^property.uri = "https://referral-hub.example/fhir/CodeSystem/information-category"
* ^property.description = "The information category of a request for this service."
* ^property.type = #code
* #emergency-accommodation "Emergency accommodation"
* #emergency-accommodation ^property.code = #category
* #emergency-accommodation ^property.valueCode = #housing
* #transitional-housing "Transitional housing"
* #transitional-housing ^property.code = #category
* #transitional-housing ^property.valueCode = #housing
* #long-term-housing "Long-term housing"
* #long-term-housing ^property.code = #category
* #long-term-housing ^property.valueCode = #housing
* #medical-care "Medical care"
* #medical-care ^property.code = #category
* #medical-care ^property.valueCode = #health
* #emergency-medical-care "Emergency medical care"
* #emergency-medical-care ^property.code = #category
* #emergency-medical-care ^property.valueCode = #health
* #dental-care "Dental care"
* #dental-care ^property.code = #category
* #dental-care ^property.valueCode = #health
* #reproductive-health-care "Reproductive health care"
* #reproductive-health-care ^property.code = #category
* #reproductive-health-care ^property.valueCode = #health
* #counselling "Counselling"
* #counselling ^property.code = #category
* #counselling ^property.valueCode = #mental-health
* #psychological-therapy "Psychological therapy"
* #psychological-therapy ^property.code = #category
* #psychological-therapy ^property.valueCode = #mental-health
* #psychiatric-care "Psychiatric care"
* #psychiatric-care ^property.code = #category
* #psychiatric-care ^property.valueCode = #mental-health
* #crisis-support "Crisis support"
* #crisis-support ^property.code = #category
* #crisis-support ^property.valueCode = #mental-health
* #substance-use-treatment "Substance use treatment"
* #substance-use-treatment ^property.code = #category
* #substance-use-treatment ^property.valueCode = #substance-use
* #safety-planning "Safety planning"
* #safety-planning ^property.code = #category
* #safety-planning ^property.valueCode = #safety
* #accompaniment "Accompaniment"
* #accompaniment ^property.code = #category
* #accompaniment ^property.valueCode = #safety
* #legal-aid "Legal aid"
* #legal-aid ^property.code = #category
* #legal-aid ^property.valueCode = #legal-needs
* #compensation "Compensation"
* #compensation ^property.code = #category
* #compensation ^property.valueCode = #legal-needs
* #unpaid-wages "Unpaid wages"
* #unpaid-wages ^property.code = #category
* #unpaid-wages ^property.valueCode = #legal-needs
* #immigration-advice "Immigration advice"
* #immigration-advice ^property.code = #category
* #immigration-advice ^property.valueCode = #immigration
* #identity-documents "Identity documents"
* #identity-documents ^property.code = #category
* #identity-documents ^property.valueCode = #immigration
* #criminal-proceedings-support "Support in criminal proceedings"
* #criminal-proceedings-support ^property.code = #category
* #criminal-proceedings-support ^property.valueCode = #proceedings
* #employment-support "Employment support"
* #employment-support ^property.code = #category
* #employment-support ^property.valueCode = #work-and-education
* #education "Education"
* #education ^property.code = #category
* #education ^property.valueCode = #work-and-education
* #language-course "Language course"
* #language-course ^property.code = #category
* #language-course ^property.valueCode = #work-and-education
* #independent-living-skills "Independent living skills"
* #independent-living-skills ^property.code = #category
* #independent-living-skills ^property.valueCode = #work-and-education
* #family-support "Family support"
* #family-support ^property.code = #category
* #family-support ^property.valueCode = #family
* #family-tracing "Family tracing"
* #family-tracing ^property.code = #category
* #family-tracing ^property.valueCode = #family
* #child-care "Child care"
* #child-care ^property.code = #category
* #child-care ^property.valueCode = #family
* #interpretation "Interpretation"
* #interpretation ^property.code = #category
* #interpretation ^property.valueCode = #material-aid
* #material-aid "Material aid"
* #material-aid ^property.code = #category
* #material-aid ^property.valueCode = #material-aid
* #financial-aid "Financial aid"
* #financial-aid ^property.code = #category
* #financial-aid ^property.valueCode = #material-aid
* #food-and-clothing "Food and clothing"
* #food-and-clothing ^property.code = #category
* #food-and-clothing ^property.valueCode = #material-aid
* #transport "Transport"
* #transport ^property.code = #category
* #transport ^property.valueCode = #material-aid
* #case-management "Case management"
* #case-management ^property.code = #category
* #case-management ^property.valueCode = #plan
* #community-activities "Community activities"
* #community-activities ^property.code = #category
* #community-activities ^property.valueCode = #plan
* #mentoring "Mentoring"
* #mentoring ^property.code = #category
* #mentoring ^property.valueCode = #plan
* #aftercare "Aftercare"
* #aftercare ^property.code = #category
* #aftercare ^property.valueCode = #plan

ValueSet: HubServiceDomainCodes
Id: service-domain
Title: "Service domain"
Description: "Every code of the code system service-domain."
* ^experimental = false
* include codes from system HubServiceDomain
