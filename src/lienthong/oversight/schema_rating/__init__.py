"""What a schema makes of data before anybody types a value (đánh giá lược đồ).

A field that is mandatory and that nobody has fills with junk; a position kept in one number is no position. Rules
about tables and columns, one file each, give a rating from 0 to 100 with reasons.
"""
