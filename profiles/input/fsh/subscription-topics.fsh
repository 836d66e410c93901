// R4 has no SubscriptionTopic: each stands in a Basic, with the elements of R5 as extensions, as the backport guide shows it.

RuleSet: Topic(id, title, type)
* id = "topic-{id}"
* code = $fhirtypes#SubscriptionTopic
* extension[+].url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.url"
* extension[=].valueUri = "https://referral-hub.example/fhir/SubscriptionTopic/{id}"
* extension[+].url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.version"
* extension[=].valueString = "1.0.0"
* extension[+].url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.title"
* extension[=].valueString = "{title}"
* modifierExtension[+].url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.status"
* modifierExtension[=].valueCode = #active
* extension[+].url = "http://hl7.org/fhir/4.3/StructureDefinition/extension-SubscriptionTopic.resourceTrigger"
* extension[=].extension[+].url = "resource"
* extension[=].extension[=].valueUri = "http://hl7.org/fhir/StructureDefinition/{type}"

RuleSet: TopicWhen(interaction)
* extension[=].extension[+].url = "supportedInteraction"
* extension[=].extension[=].valueCode = #{interaction}

RuleSet: TopicCriteria(path, words)
* extension[=].extension[+].url = "fhirPathCriteria"
* extension[=].extension[=].valueString = "{path}"
* extension[=].extension[+].url = "description"
* extension[=].extension[=].valueMarkdown = "{words}"

RuleSet: TopicFilter(type, parameter, words)
* extension[+].url = "http://hl7.org/fhir/4.3/StructureDefinition/extension-SubscriptionTopic.canFilterBy"
* extension[=].extension[+].url = "resource"
* extension[=].extension[=].valueUri = "http://hl7.org/fhir/StructureDefinition/{type}"
* extension[=].extension[+].url = "filterParameter"
* extension[=].extension[=].valueString = "{parameter}"
* extension[=].extension[+].url = "description"
* extension[=].extension[=].valueMarkdown = "{words}"

RuleSet: TopicFilters
* insert TopicFilter(Task, owner, [[Referrals to this organisation.]])
* insert TopicFilter(Task, requester, [[Referrals this organisation asked for.]])
* insert TopicFilter(Task, status, [[Referrals that are now in this status.]])

Instance: HubTopicReferralCreated
InstanceOf: Basic
Usage: #definition
* insert Topic(referral-created, [[A referral was made]], Task)
* insert TopicWhen(create)
* insert TopicWhen(update)
* insert TopicCriteria([[%current.status = 'requested' and (%previous.empty() or %previous.status = 'draft')]], [[A referral was sent: it is requested now and was a draft or nothing before.]])
* insert TopicFilters

Instance: HubTopicReferralMoved
InstanceOf: Basic
Usage: #definition
* insert Topic(referral-moved, [[A referral moved on]], Task)
* insert TopicWhen(update)
* insert TopicCriteria([[%current.status != %previous.status or %current.businessStatus.coding.code != %previous.businessStatus.coding.code]], [[The status or the finer step of a referral changed.]])
* insert TopicFilters

Instance: HubTopicReferralOverdue
InstanceOf: Basic
Usage: #definition
* insert Topic(referral-overdue, [[An answer is late]], Task)
* insert TopicWhen(update)
* insert TopicCriteria([[%current.businessStatus.coding.where(code = 'overdue').exists() and %previous.businessStatus.coding.where(code = 'overdue').empty()]], [[The time of an answer passed while a referral was requested.]])
* insert TopicFilter(Task, owner, [[Referrals to this organisation.]])
* insert TopicFilter(Task, requester, [[Referrals this organisation asked for.]])

Instance: HubTopicConsentWithdrawn
InstanceOf: Basic
Usage: #definition
* insert Topic(consent-withdrawn, [[A permission ended by her word]], Consent)
* insert TopicWhen(update)
* insert TopicCriteria([[%previous.status = 'active' and %current.status = 'inactive']], [[Told to the organisation that keeps the consent alone. A recipient hears by a recall, which names nobody.]])
* insert TopicFilter(Consent, patient, [[Consents of one person.]])

Instance: HubTopicMessageReceived
InstanceOf: Basic
Usage: #definition
* insert Topic(message-received, [[A message came in]], Communication)
* insert TopicWhen(create)
* insert TopicCriteria([[%current.status = 'completed']], [[A message was written to this organisation.]])
* insert TopicFilter(Communication, recipient, [[Messages to this organisation.]])
* insert TopicFilter(Communication, sender, [[Messages from this organisation.]])
