"""What any process needs: settings, database, broker, object store, live channels, faults, logging, health.

Knows no event: the language of the product is `events`, one layer up.
"""
