Instance: HubExit
InstanceOf: HubQuestionnaire
Usage: #definition
* insert Instrument(exit, HubExit, [[Finishing for now]], [[Kończymy na teraz]])
* description = "Planning the end together. Nothing closes by itself; whoever finishes can come back."
* subjectType = #Patient
* insert Voluntary
* insert Say(come-back, [[You can come back. A new start needs no reason.]], [[Zawsze można wrócić. Nie trzeba podawać powodu.]])

* insert Part(ready, [[Are you ready?]], [[Czy to dobry moment?]])
* insert Choose(ready.now, yes-or-no, [[Is this a good time to finish?]], [[Czy to dobry czas, aby kończyć?]])
* insert Ask(ready.open, text, [[What is still open?]], [[Co jeszcze pozostaje do zrobienia?]])
* insert ChooseSome(ready.needs, need, [[What will you need afterwards?]], [[Co będzie potrzebne później?]])

* insert Part(later, [[Later]], [[Później]])
* insert Ask(later.who, text, [[Whom can you call when it gets hard?]], [[Do kogo możesz zwrócić się, gdy będzie trudno?]])
* insert Ask(later.signs, text, [[How would you notice that you need help again?]], [[Po czym poznasz, że znów potrzebujesz pomocy?]])
* insert Choose(later.ask, yes-or-no, [[May we ask once more how you are?]], [[Czy możemy jeszcze raz zapytać, jak się masz?]])
* insert Ask(later.how, string, [[If so, how may we reach you safely?]], [[Jeśli tak, jak możemy się bezpiecznie skontaktować?]])

* insert Part(together, [[Making things better]], [[Wspólne ulepszanie]])
* insert Choose(together.ask, yes-or-no, [[May somebody tell you about paid work on making this help better? Saying yes here agrees to nothing else.]], [[Czy ktoś może opowiedzieć Ci o płatnym udziale w ulepszaniu tej pomocy? Odpowiedź „tak” nie oznacza zgody na nic więcej.]])
