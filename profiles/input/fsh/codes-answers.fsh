CodeSystem: HubAnswer
Id: answer
Title: "Answer"
Description: "Answers of the hub's instruments. Not wanting to say is an answer like any other."
* ^experimental = false
* ^caseSensitive = true
* ^valueSet = Canonical(HubAnswerCodes)
* ^content = #complete
* insert Answer(yes, [[Yes]], [[tak]])
* insert Answer(no, [[No]], [[nie]])
* insert Answer(not-sure, [[Not sure]], [[nie wiem]])
* insert Answer(rather-not-say, [[Rather not say]], [[wolę nie mówić]])
* insert Answer(very-hard, [[Very hard]], [[bardzo trudno]])
* insert Answer(hard, [[Hard]], [[trudno]])
* insert Answer(so-so, [[So-so]], [[raz lepiej, raz gorzej]])
* insert Answer(good, [[Good]], [[dobrze]])
* insert Answer(very-good, [[Very good]], [[bardzo dobrze]])
* insert Answer(at-the-start, [[At the start]], [[na początku]])
* insert Answer(at-a-change-of-stage, [[At a change of stage]], [[przy zmianie etapu]])
* insert Answer(at-the-end, [[At the end]], [[na koniec]])
* insert Answer(in-aftercare, [[In aftercare]], [[po zakończeniu]])

RuleSet: Answer(code, en, pl)
* #{code} "{en}"
* #{code} ^designation[0].language = #pl
* #{code} ^designation[0].value = "{pl}"

ValueSet: HubAnswerCodes
Id: answer
Title: "Answer"
Description: "Every code of the code system answer."
* ^experimental = false
* include codes from system HubAnswer

ValueSet: HubYesOrNo
Id: yes-or-no
Title: "Yes or no"
Description: "Yes, no, not sure, or rather not say."
* ^experimental = false
* HubAnswer#yes
* HubAnswer#no
* HubAnswer#not-sure
* HubAnswer#rather-not-say

ValueSet: HubHowItGoes
Id: how-it-goes
Title: "How it goes"
Description: "Five steps from very hard to very good, or rather not say."
* ^experimental = false
* HubAnswer#very-hard
* HubAnswer#hard
* HubAnswer#so-so
* HubAnswer#good
* HubAnswer#very-good
* HubAnswer#rather-not-say

ValueSet: HubTimeOfAsking
Id: time-of-asking
Title: "Time of asking"
Description: "When an instrument is used: at the start, at a change of stage, at the end, in aftercare."
* ^experimental = false
* HubAnswer#at-the-start
* HubAnswer#at-a-change-of-stage
* HubAnswer#at-the-end
* HubAnswer#in-aftercare
