"""Kill -9 while the story runs: what was acknowledged must be there, and what must leave must arrive in order.

``python -m tests.drill`` or ``make drill``. Each part is a file:

``hub``       a hub under ``referral-hub serve``, started again when it dies, and its processes by name
``killer``    kill -9 at random moments
``partners``  a small FHIR server that stands for all partners and writes down what reaches it
``asking``    requests that may get no answer, sent again without doubling, and the memory of every answer
``story``     what the shelter's and the clinics' software does, again and again, in several threads
``verdict``   the looks afterwards
``findings``  their results, counted and in words

What is shown, and what is not: docs/resilience.md.
"""
