"""Text written before Unicode, or read in the wrong encoding, becomes Unicode again (chuyển mã tiếng Việt cũ).

* ``syllables``: which words are Vietnamese syllables, by the spelling rules
* ``tables``: the letters of every encoding
* ``convert``: a column of one encoding becomes Unicode
* ``recase``: capitals that TCVN3 could not write
* ``detect``: which encoding a column is in, or that it holds several
* ``binding``: a kernel that reads a column of a declared encoding
"""
