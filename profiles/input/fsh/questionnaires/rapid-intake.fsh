Instance: HubRapidIntake
InstanceOf: HubQuestionnaire
Usage: #definition
* insert Instrument(rapid-intake, HubRapidIntake, [[The first minutes]], [[Pierwsze minuty]])
* description = "The first look, in less than three minutes: what is needed tonight. A name to use is enough, and even that may wait."
* subjectType = #Patient
* insert Voluntary
* insert OnlyWhatIsNeeded

* insert Part(now, [[Now]], [[Teraz]])
* insert Choose(unwell, yes-or-no, [[Is anything hurting, or do you feel unwell?]], [[Czy coś boli albo jest Ci niedobrze?]])
* insert Choose(doctor-now, yes-or-no, [[Would you like a doctor or a nurse now?]], [[Czy potrzebny jest teraz lekarz albo pielęgniarka?]])
* insert Ask(allergies, text, [[Is there anything you must not be given, such as a medicine or a food?]], [[Czy jest coś, czego nie wolno Ci podać, na przykład lek lub jedzenie?]])
* insert Ask(medicines, text, [[Do you take medicines, and until when will they last?]], [[Czy przyjmujesz leki i na jak długo wystarczą?]])

* insert Part(you, [[You]], [[Ty]])
* insert Ask(name-to-use, string, [[What may we call you here? Any name will do.]], [[Jak możemy się tu do Ciebie zwracać? Może to być dowolne imię.]])
* insert Choose(age-group, age-group, [[Adult or child? In doubt: child.]], [[Osoba dorosła czy dziecko? W razie wątpliwości: dziecko.]])
* insert Ask(language, string, [[Which language would you like to speak?]], [[W jakim języku chcesz rozmawiać?]])
* insert Choose(interpreter, yes-or-no, [[Would an interpreter help?]], [[Czy przyda się tłumaczka lub tłumacz?]])
* insert Ask(interpreter-wish, string, [[Is there anybody who should not interpret?]], [[Czy jest ktoś, kto nie powinien tłumaczyć?]])

* insert Part(tonight, [[Tonight]], [[Dzisiejsza noc]])
* insert ChooseSome(needs, need, [[What would help tonight?]], [[Co pomogłoby tej nocy?]])
* insert Choose(others, yes-or-no, [[Is somebody with you who needs help as well, such as a child?]], [[Czy jest z Tobą ktoś, kto też potrzebuje pomocy, na przykład dziecko?]])
* insert Ask(do-not, text, [[Is there anything we should not do?]], [[Czy jest coś, czego mamy nie robić?]])

* insert Part(worker, [[For the worker]], [[Dla osoby pracującej]])
* insert Ask(police-present, boolean, [[Police are in the room or next to it.]], [[Policja jest w pokoju lub obok.]])
* insert Ask(alone, boolean, [[She is alone with you and your interpreter.]], [[Osoba jest sama z Tobą i tłumaczem lub tłumaczką.]])
* insert Ask(clear-headed, boolean, [[She is awake and clear-headed.]], [[Osoba jest przytomna i ma jasny umysł.]])
* insert Ask(understands, boolean, [[She understands what you explain.]], [[Osoba rozumie, co wyjaśniasz.]])
