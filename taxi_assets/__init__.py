"""New York's taxi trips, month by month, from TLC's site to a lake and a warehouse.

Layers; each imports only from those below:

    definitions            everything, assembled from the settings
    assets, automation     the Dagster assets; jobs, sensors, schedules, notifications
    lake, warehouse        storage
    cleaning, tlc          cleaning a month; downloading it
    datasets               specifications of what TLC publishes

``datasets``, ``tlc`` and ``cleaning`` import no Dagster and can be used in a notebook.
docs/development.md lists all packages and modules.
"""
