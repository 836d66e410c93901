Instance: HubFeedback
InstanceOf: HubQuestionnaire
Usage: #definition
* insert Instrument(feedback, HubFeedback, [[What was it like?]], [[Jak było?]])
* description = "Feedback without a name: answers to it carry no subject, no author and no source."
* insert Voluntary
* insert Say(no-name, [[Please write no names, neither yours nor of others. Nobody sees who answered.]], [[Nie podawaj nazwisk, ani swojego, ani innych osób. Nikt nie zobaczy, kto odpowiadał.]])

* insert Part(help, [[The help]], [[Pomoc]])
* insert Choose(help.listened, yes-or-no, [[Did people listen to you?]], [[Czy Cię wysłuchano?]])
* insert Choose(help.understood, yes-or-no, [[Was it clear what was offered?]], [[Czy było jasne, jaka pomoc jest dostępna?]])
* insert Choose(help.could-say-no, yes-or-no, [[Could you say no to something and still get the rest?]], [[Czy można było odmówić jednej rzeczy i nadal korzystać z pozostałych?]])
* insert Choose(help.own-decision, yes-or-no, [[Was it your decision who was told what?]], [[Czy to Twoją decyzją było, komu co przekazano?]])
* insert Choose(help.language, yes-or-no, [[Was the language help good?]], [[Czy pomoc językowa była dobra?]])
* insert Choose(help.result, how-it-goes, [[How well did it fit what you needed?]], [[Jak dobrze odpowiadało to Twoim potrzebom?]])

* insert Part(words, [[In your own words]], [[Własnymi słowami]])
* insert Ask(words.good, text, [[What was good?]], [[Co było dobre?]])
* insert Ask(words.change, text, [[What should be different?]], [[Co powinno wyglądać inaczej?]])

* insert Part(wrong, [[If something was wrong]], [[Jeśli coś było nie tak]])
* insert Choose(wrong.happened, yes-or-no, [[Did somebody go too far, or break a promise?]], [[Czy ktoś przekroczył granicę albo nie dotrzymał obietnicy?]])
* insert Ask(wrong.how-to-complain, display, [[A complaint goes to people who do not work for whoever it is about. Ask any worker, or use the paper by the door.]], [[Skarga trafia do osób, które nie pracują dla tego, kogo dotyczy. Można zapytać kogokolwiek z personelu albo użyć formularza przy drzwiach.]])
