"""New York's taxi trips, month by month, from TLC's site to a lake and a warehouse.

Rooms (arrows point one way, downwards):

    definitions            what exists, per environment
    assets, automation     the Dagster assets; what runs them and when
    lake, warehouse        where months are kept
    cleaning, tlc          what happens to a month; where it comes from
    datasets               what TLC publishes, as data

``datasets``, ``tlc`` and ``cleaning`` know nothing of Dagster and serve a notebook as well.
"""
