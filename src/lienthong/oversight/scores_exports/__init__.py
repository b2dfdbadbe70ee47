"""Scores in the words of others: quality in a data contract, measurements of a catalogue, events of a lineage."""
