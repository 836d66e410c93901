Instance: HubCategoryFromSdohcc
InstanceOf: ConceptMap
Usage: #definition
* id = "sdohcc-to-information-category"
* url = "https://referral-hub.example/fhir/ConceptMap/sdohcc-to-information-category"
* version = "1.0.0"
* name = "HubCategoryFromSdohcc"
* title = "SDOHCC categories to information categories"
* status = #active
* experimental = false
* description = "In which information category a resource with a category of SDOHCC falls when it is written."
* group[+].source = "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"
* group[=].target = "https://referral-hub.example/fhir/CodeSystem/information-category"
* group[=].element[+].code = #homelessness
* group[=].element[=].target[+].code = #housing
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #housing-instability
* group[=].element[=].target[+].code = #housing
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #inadequate-housing
* group[=].element[=].target[+].code = #housing
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #utility-insecurity
* group[=].element[=].target[+].code = #housing
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #financial-insecurity
* group[=].element[=].target[+].code = #material-aid
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #food-insecurity
* group[=].element[=].target[+].code = #material-aid
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #language-access
* group[=].element[=].target[+].code = #material-aid
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #material-hardship
* group[=].element[=].target[+].code = #material-aid
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #medical-cost-burden
* group[=].element[=].target[+].code = #material-aid
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #transportation-insecurity
* group[=].element[=].target[+].code = #material-aid
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #digital-access
* group[=].element[=].target[+].code = #material-aid
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #digital-literacy
* group[=].element[=].target[+].code = #work-and-education
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #educational-attainment
* group[=].element[=].target[+].code = #work-and-education
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #employment-status
* group[=].element[=].target[+].code = #work-and-education
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #health-insurance-coverage-status
* group[=].element[=].target[+].code = #health
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #personal-health-literacy
* group[=].element[=].target[+].code = #health
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #stress
* group[=].element[=].target[+].code = #mental-health
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #elder-abuse
* group[=].element[=].target[+].code = #safety
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #intimate-partner-violence
* group[=].element[=].target[+].code = #safety
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #incarceration-status
* group[=].element[=].target[+].code = #proceedings
* group[=].element[=].target[=].equivalence = #wider
* group[=].element[=].target[=].comment = "The hub releases by this broader category."
* group[=].element[+].code = #sdoh-category-unspecified
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[=].target[=].comment = "Very restricted: no category of a permission opens it."
* group[=].element[+].code = #social-connection
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[=].target[=].comment = "Very restricted: no category of a permission opens it."
* group[=].element[+].code = #veteran-status
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[=].target[=].comment = "Very restricted: no category of a permission opens it."
