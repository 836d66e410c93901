// The parts an instrument is made of. Nothing is required, so no part says so.

RuleSet: Instrument(id, name, en, pl)
* id = "{id}"
* url = "https://referral-hub.example/fhir/Questionnaire/{id}"
* version = "1.0.0"
* name = "{name}"
* title = "{en}"
* title.extension[0].url = $translation
* title.extension[0].extension[0].url = "lang"
* title.extension[0].extension[0].valueCode = #pl
* title.extension[0].extension[1].url = "content"
* title.extension[0].extension[1].valueString = "{pl}"
* status = #active
* experimental = false
* language = #en

RuleSet: Part(id, en, pl)
* item[+].linkId = "{id}"
* item[=].type = #group
* item[=].text = "{en}"
* item[=].text.extension[0].url = $translation
* item[=].text.extension[0].extension[0].url = "lang"
* item[=].text.extension[0].extension[0].valueCode = #pl
* item[=].text.extension[0].extension[1].url = "content"
* item[=].text.extension[0].extension[1].valueString = "{pl}"

RuleSet: Say(id, en, pl)
* item[+].linkId = "{id}"
* item[=].type = #display
* item[=].text = "{en}"
* item[=].text.extension[0].url = $translation
* item[=].text.extension[0].extension[0].url = "lang"
* item[=].text.extension[0].extension[0].valueCode = #pl
* item[=].text.extension[0].extension[1].url = "content"
* item[=].text.extension[0].extension[1].valueString = "{pl}"

RuleSet: Ask(id, type, en, pl)
* item[=].item[+].linkId = "{id}"
* item[=].item[=].type = #{type}
* item[=].item[=].text = "{en}"
* item[=].item[=].text.extension[0].url = $translation
* item[=].item[=].text.extension[0].extension[0].url = "lang"
* item[=].item[=].text.extension[0].extension[0].valueCode = #pl
* item[=].item[=].text.extension[0].extension[1].url = "content"
* item[=].item[=].text.extension[0].extension[1].valueString = "{pl}"

RuleSet: Choose(id, set, en, pl)
* insert Ask({id}, choice, [[{en}]], [[{pl}]])
* item[=].item[=].answerValueSet = "https://referral-hub.example/fhir/ValueSet/{set}"

RuleSet: ChooseSome(id, set, en, pl)
* insert Choose({id}, {set}, [[{en}]], [[{pl}]])
* item[=].item[=].repeats = true

RuleSet: Voluntary
* insert Say(voluntary, [[You can skip any question or stop at any time. Nothing you answer or leave out decides whether you get help.]], [[Każde pytanie można pominąć i w każdej chwili przerwać. Od odpowiedzi ani od jej braku nie zależy pomoc.]])

RuleSet: OnlyWhatIsNeeded
* insert Say(only-what-is-needed, [[Write only what the next person needs. A court may read this. No question asks what happened.]], [[Zapisz tylko to, co potrzebne następnej osobie. Może to przeczytać sąd. Żadne pytanie nie dotyczy tego, co się wydarzyło.]])
