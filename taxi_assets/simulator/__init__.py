"""A local TLC: generated months of every era, served over HTTP as TLC's CDN serves them.

Belongs here: what TLC publishes (stated without the specifications, so that those can be tested
against it), how its server behaves, and faults on demand. Does not: anything of the platform
itself beyond ``datasets.month.Month``.
"""
