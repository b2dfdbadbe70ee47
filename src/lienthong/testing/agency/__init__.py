"""A provincial agency, the other party of the demo: its own process, its own database, its own rights.

It knows nothing of the platform. It holds a real extract of an enterprise register as it was published, and
synthetic citizens; it grants a reader what a real agency would grant, and goes on working. Run it as
``python -m lienthong.testing.agency``.
"""
