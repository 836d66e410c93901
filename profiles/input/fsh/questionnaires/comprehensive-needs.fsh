RuleSet: Domain(id, en, pl)
* insert Part({id}, [[{en}]], [[{pl}]])
* insert Choose({id}.now, how-it-goes, [[How is it now?]], [[Jak jest teraz?]])
* insert ChooseSome({id}.needs, need, [[What would help?]], [[Co by pomogło?]])
* insert Ask({id}.words, text, [[In your own words]], [[Własnymi słowami]])

Instance: HubComprehensiveNeeds
InstanceOf: HubQuestionnaire
Usage: #definition
* insert Instrument(comprehensive-needs, HubComprehensiveNeeds, [[What would help]], [[Co by pomogło]])
* description = "One domain after another, in any order and over several days; asked again when things change, and compared."
* subjectType = #Patient
* insert Voluntary
* insert OnlyWhatIsNeeded

* insert Part(first, [[To begin with]], [[Na początek]])
* insert Ask(first.matters, text, [[What matters most to you now?]], [[Co jest teraz dla Ciebie najważniejsze?]])
* insert Ask(first.strengths, text, [[What are you good at, and what gives you strength?]], [[Co dobrze Ci wychodzi i co dodaje Ci sił?]])

* insert Domain(housing, [[A place to live]], [[Mieszkanie]])
* insert Domain(health, [[Health]], [[Zdrowie]])
* insert Domain(mental-health, [[Sleep, mood and thoughts]], [[Sen, nastrój i myśli]])
* insert Domain(safety, [[Being and feeling safe]], [[Bezpieczeństwo]])
* insert Domain(legal, [[Rights and legal help]], [[Prawa i pomoc prawna]])
* insert Domain(immigration, [[Papers and the right to stay]], [[Dokumenty i prawo pobytu]])
* insert Domain(money, [[Money, food and things]], [[Pieniądze, jedzenie i rzeczy]])
* insert Domain(work, [[Work]], [[Praca]])
* insert Domain(education, [[School and training]], [[Nauka i szkolenia]])
* insert Domain(language, [[Language]], [[Język]])
* insert Domain(family, [[Family and children]], [[Rodzina i dzieci]])
* insert Domain(ties, [[People, community, culture and faith]], [[Ludzie, społeczność, kultura i wiara]])

* insert Part(last, [[At last]], [[Na zakończenie]])
* insert Ask(last.do-not, text, [[Is there anything we should not do, or nobody should know?]], [[Czy jest coś, czego mamy nie robić albo czego nikt nie powinien wiedzieć?]])
* insert Ask(last.next, text, [[What should happen first?]], [[Co powinno stać się najpierw?]])
