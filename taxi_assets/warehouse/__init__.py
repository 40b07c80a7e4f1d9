"""The warehouse: tables whose months are replaced whole, and the IO manager over them.

Belongs here: table shapes, the engines, what a table becomes in an asset's hands. Does not:
objects (``lake``), what is done to a month (``cleaning``).
"""
