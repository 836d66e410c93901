Instance: HubWellbeing
InstanceOf: HubQuestionnaire
Usage: #definition
* insert Instrument(wellbeing, HubWellbeing, [[How are you?]], [[Jak się masz?]])
* description = "The baseline at the start and every follow-up use these same questions, so that they can be compared; what is missing stays missing."
* subjectType = #Patient
* insert Voluntary

* insert Part(time, [[When]], [[Kiedy]])
* insert Choose(time.of-asking, time-of-asking, [[When is this asked?]], [[W jakim momencie o to pytamy?]])

* insert Part(now, [[How is it these days?]], [[Jak jest w ostatnich dniach?]])
* insert Choose(now.sleep, how-it-goes, [[Sleep]], [[Sen]])
* insert Choose(now.health, how-it-goes, [[My body]], [[Moje ciało]])
* insert Choose(now.mood, how-it-goes, [[My mood]], [[Mój nastrój]])
* insert Choose(now.safe, how-it-goes, [[Feeling safe]], [[Poczucie bezpieczeństwa]])
* insert Choose(now.place, how-it-goes, [[The place where I live]], [[Miejsce, w którym mieszkam]])
* insert Choose(now.money, how-it-goes, [[Enough for daily needs]], [[Środki na codzienne potrzeby]])
* insert Choose(now.people, how-it-goes, [[People I can rely on]], [[Ludzie, na których mogę liczyć]])
* insert Choose(now.decide, how-it-goes, [[Deciding for myself]], [[Decydowanie o sobie]])
* insert Choose(now.days, how-it-goes, [[Work, learning or what fills my days]], [[Praca, nauka albo to, co wypełnia moje dni]])
* insert Choose(now.future, how-it-goes, [[Looking ahead]], [[Patrzenie w przyszłość]])

* insert Part(words, [[In your own words]], [[Własnymi słowami]])
* insert Ask(words.better, text, [[What has become better?]], [[Co się poprawiło?]])
* insert Ask(words.wish, text, [[What should change next?]], [[Co powinno zmienić się w następnej kolejności?]])
