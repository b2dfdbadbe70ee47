"""What exports and the import of a term sheet refuse."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class BaseNotValid(LienthongError, code="DIC-059", actor=Actor.OPERATOR):
    """The base of the addresses of items cannot be one."""

    message = "{base} cannot be the base of addresses: {reason}"
    hint = "give a web address that ends with '/', such as https://tudien.example.gov.vn/"


class ExportSubjectUnknown(LienthongError, code="DIC-051", actor=Actor.STEWARD):
    """What should be exported is neither a dataset nor, where lists are exported, a code list."""

    message = "the dictionary has no {kind} {wanted}"
    hint = "there are: {known}"


class ExportNeedsPlace(LienthongError, code="DIC-052", actor=Actor.STEWARD):
    """An export of several files, or of bytes, has no place to go to."""

    message = "the export to {format} cannot be written there: {reason}"
    hint = "give a place with -o: a file for one file, a folder for several"


class NameTooLong(LienthongError, code="DIC-053", actor=Actor.STEWARD):
    """A name of the dictionary does not fit into the other format, which would cut it silently."""

    message = "{kind} {name} does not fit into {format}: at most {limit} bytes"
    hint = "choose a shorter id; a name that is cut may meet another one"


class TextTooLong(LienthongError, code="DIC-054", actor=Actor.STEWARD):
    """A text is longer than a cell of a spreadsheet can hold."""

    message = "the text of sheet {sheet}, row {row}, column {column} has {found} characters; a cell holds {limit}"
    hint = "shorten the text in the dictionary, or export to another format"


class SpreadsheetUnsafe(LienthongError, code="DIC-055", actor=Actor.STEWARD):
    """A spreadsheet would need more than it may: a zip bomb, or simply too large."""

    message = "{file} is not opened: {found} {limit_name}, the limit is {limit}"
    hint = "save only the sheets that are needed into a new .xlsx file; split a large one"


class SpreadsheetNotRead(LienthongError, code="DIC-056", actor=Actor.STEWARD):
    """A file is no spreadsheet of the kind that can be read, or is damaged."""

    message = "{file} cannot be read as .xlsx: {reason}"
    hint = "open it in a spreadsheet program and save it as .xlsx, without a password"


class TermSheetNotFound(LienthongError, code="DIC-057", actor=Actor.STEWARD):
    """No sheet of the workbook has the 25 columns."""

    message = "{file} has no sheet with the 25 columns of a term: {reason}"
    hint = "start from a sheet of our own: lienthong dictionary export xlsx -o terms.xlsx"


class ProposalsInTheWay(LienthongError, code="DIC-058", actor=Actor.STEWARD):
    """The folder for proposals holds something already."""

    message = "folder {folder} is not empty: proposals are written into a folder of their own"
    hint = "give a new folder with -o"
