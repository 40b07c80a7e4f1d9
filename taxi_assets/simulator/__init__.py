"""A local TLC: generated months of every era, served over HTTP as TLC's CDN serves them.

It injects faults on request. Of the platform it uses only ``datasets.month``, so that the
specifications and the client can be tested against it.
"""
