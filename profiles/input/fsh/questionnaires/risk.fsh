RuleSet: Worry(id, en, pl)
* insert Part({id}, [[{en}]], [[{pl}]])
* insert Choose({id}.safe, yes-or-no, [[Is there danger at the moment?]], [[Czy w tej chwili jest niebezpiecznie?]])
* insert Ask({id}.worry, text, [[What are you afraid could happen?]], [[Czego się obawiasz, że może się stać?]])
* insert Ask({id}.helps, text, [[What has helped to keep safe so far?]], [[Co do tej pory pomagało w zachowaniu bezpieczeństwa?]])

Instance: HubRisk
InstanceOf: HubQuestionnaire
Usage: #definition
* insert Instrument(risk, HubRisk, [[Your safety]], [[Twoje bezpieczeństwo]])
* description = "Three subjects: herself, her family, others. It ends in a plan she can carry out; a partner gets what to do and what not to do, never a level."
* subjectType = #Patient
* insert Voluntary
* insert OnlyWhatIsNeeded

* insert Worry(you, [[You]], [[Ty]])
* insert Worry(family, [[Your family]], [[Twoja rodzina]])
* insert Worry(others, [[Others]], [[Inne osoby]])

* insert Part(plan, [[A plan you can carry out]], [[Plan, który da się wykonać]])
* insert Ask(plan.do, text, [[What will you do, and what shall we do?]], [[Co zrobisz Ty, a co my?]])
* insert Ask(plan.do-not, text, [[What should nobody do? For example: phone, write, visit.]], [[Czego nikt nie powinien robić? Na przykład: dzwonić, pisać, odwiedzać.]])
* insert Ask(plan.who-may-know, text, [[Who may know where you are?]], [[Kto może wiedzieć, gdzie jesteś?]])
* insert Choose(plan.can-do, yes-or-no, [[Can you carry out this plan?]], [[Czy możesz wykonać ten plan?]])
* insert Ask(plan.again, date, [[When shall we look at it again?]], [[Kiedy spojrzymy na to ponownie?]])
