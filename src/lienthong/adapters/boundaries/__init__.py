"""Boundaries of communes from a file of the operator: GeoJSON, or GeoParquet (ranh giới hành chính)."""
