"""What starts the runs, and who is told of them.

Belongs here: jobs, the sensors that ask TLC for new and reissued months, schedules, the watch over
months left behind, notifications. Does not: what a run does (``assets``).

    jobs            one per dataset, and the zones
    publication     sensor: months that TLC has newly published → runs
    reissues        sensor: months whose ETag has changed → runs
    schedules       the same by the clock, for who prefers one
    watch           months that failed or never came → a failing run that names them
    notifications   sensors: failures, failed checks, recoveries, new months → channels
    wiring          all of the above for the settings in force

The parts they share: ``history`` (what Dagster has recorded), ``asking`` (what TLC says),
``cursor`` (what a sensor remembers), ``requests`` (a month as a run), ``messages`` and
``channels`` (what is said, and where).
"""
