"""What the matching of names refuses."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class RegistryUnknown(LienthongError, code="STD-040", actor=Actor.STEWARD):
    """No code list has this id, so there is nothing to match names with."""

    message = "there is no registry {wanted}"
    hint = "a registry is a code list of the dictionary, such as: {known}"


class NamesColumnMissing(LienthongError, code="STD-041", actor=Actor.STEWARD):
    """The file has no such column."""

    message = "file {file} has no column {column}"
    hint = "its columns are: {columns}"


class NamesFileUnreadable(LienthongError, code="STD-042", actor=Actor.STEWARD):
    """The file is not there, or is no CSV in UTF-8."""

    message = "file {file} cannot be read as CSV: {reason}"
    hint = "save it as CSV in UTF-8, with the names of the columns in the first line"
