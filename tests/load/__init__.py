"""Speed, as ratios to a control in the same run: ``python -m tests.load``. Races: ``python -m tests.load.races``.

What lives here: the measurement and what it needs, each part a file:

``corpus``     invented people in a hub, the requests of each lane, and what the right answer to each is
``lanes``      what a request is, and how its answer is judged
``generator``  processes that ask in a closed loop over their own small HTTP/1.1 client
``served``     starting hub and control, their memory, their processor time, the time to the first answer
``control``    the raw WSGI application the hub is compared with
``bare``       the bare database doing the same rows
``slow_disk``  2 ms more for every fsync
``budget``     what each step of a request costs inside one process
``report``     the tables

What does not: tests (``tests/unit``, ``tests/api``). How it is measured and read: docs/performance.md.
"""
