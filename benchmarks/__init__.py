"""What a month costs, beside the least it could cost: ``make bench``."""
