"""What can be refused about a file of data: the file, its header, its encoding, what is to be written."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class FileNotReadable(LienthongError, code="FIL-001", actor=Actor.OPERATOR):
    """The file is not there, or may not be read."""

    message = "file {path} cannot be read: {reason}"
    hint = "check the name, the folder and the rights of this account"


class FileKindUnknown(LienthongError, code="FIL-002", actor=Actor.AGENCY):
    """The content is not CSV, XLSX or Parquet."""

    message = "file {path} is {kind}, not CSV, XLSX or Parquet"
    hint = "{fix}"


class FileEmpty(LienthongError, code="FIL-003", actor=Actor.AGENCY):
    """There is nothing in the file, or nothing below the names of the columns."""

    message = "file {path} {reason}"
    hint = "export the table again with its header and rows"


class HeaderNotValid(LienthongError, code="FIL-004", actor=Actor.AGENCY):
    """The line with the names of the columns is missing or does not name each column once."""

    message = "file {path}, line {line}: {reason}"
    hint = "{fix}"


class EncodingNotValid(LienthongError, code="FIL-005", actor=Actor.AGENCY):
    """The bytes are not text in the encoding they are read in."""

    message = "file {path}, line {line}: {reason}"
    hint = "{fix}"


class FileChanged(LienthongError, code="FIL-006", actor=Actor.AGENCY):
    """Somebody wrote to the file while it was read."""

    message = "file {path} changed while it was read; nothing was written"
    hint = "wait until the export has ended, or copy the file, then run again"
    transient = True


class LineTooLong(LienthongError, code="FIL-007", actor=Actor.AGENCY):
    """A line of a CSV file is longer than a row can be."""

    message = "file {path}, line {line} is longer than {limit} bytes"
    hint = "a line end is missing, or this is not a CSV file; look at the line and export again"


class ArchiveRefused(LienthongError, code="FIL-008", actor=Actor.AGENCY):
    """A spreadsheet would unpack to more than a spreadsheet of people holds (zip bomb)."""

    message = "file {path} was not opened: {reason}"
    hint = "save the sheet as CSV UTF-8 and use that; do not open the file if you do not know who made it"


class SpreadsheetNotReadable(LienthongError, code="FIL-009", actor=Actor.AGENCY):
    """The spreadsheet is damaged, locked by a password, or too large for the memory allowed."""

    message = "spreadsheet {path} cannot be read: {reason}"
    hint = "{fix}"


class SheetNotFound(LienthongError, code="FIL-010", actor=Actor.STEWARD):
    """The workbook has several sheets and none was named, or none of that name."""

    message = "spreadsheet {path}: {reason}"
    hint = "name one with --sheet; the sheets are: {known}"


class ColumnNotFlat(LienthongError, code="FIL-011", actor=Actor.AGENCY):
    """A Parquet column holds lists, structures or bytes: no cell of a table."""

    message = "file {path}, column {column}: values of type {type_name} are not one text each"
    hint = "export the column as text, or leave it out of the file"


class RequiredNotFound(LienthongError, code="FIL-012", actor=Actor.STEWARD):
    """No column of the file seems to hold what the dataset requires."""

    message = "file {path}: no column found for {missing} of dataset {dataset}"
    hint = (
        "write the proposal to a file with --propose mapping.yaml, decide there, then run with --mapping mapping.yaml"
    )


class MappingOfAnotherFile(LienthongError, code="FIL-013", actor=Actor.STEWARD):
    """The mapping does not fit the file or the dataset asked for."""

    message = "mapping {mapping} does not fit {path}: {reason}"
    hint = "compare the columns of the file with the mapping; --propose mapping.yaml writes a fresh proposal"


class OutputExists(LienthongError, code="FIL-014", actor=Actor.OPERATOR):
    """A file to be written is there already, or is the file to be read."""

    message = "{path} {reason}; nothing was written"
    hint = "{fix}"


class OutputNotWritten(LienthongError, code="FIL-015", actor=Actor.OPERATOR):
    """The output cannot be written: no space, no right, no folder."""

    message = "{path} cannot be written: {reason}; nothing is left half-written"
    hint = "make room on the disk or choose another folder with -o, then run again"


class OptionNotValid(LienthongError, code="FIL-016", actor=Actor.OPERATOR):
    """An option has a value that cannot be used."""

    message = "{option}: {reason}"
    hint = "{fix}"


class FileDamaged(LienthongError, code="FIL-017", actor=Actor.AGENCY):
    """The content breaks off or contradicts itself."""

    message = "file {path} is damaged: {reason}"
    hint = "copy or export the file again and compare the sizes"


class DatasetNotNamed(LienthongError, code="FIL-018", actor=Actor.STEWARD):
    """Neither a dataset nor a mapping says what the rows are."""

    message = "nothing says which dataset the rows of {path} belong to"
    hint = "name it with --dataset; the datasets are: {known}"


class DictionaryDiffers(LienthongError, code="FIL-019", actor=Actor.OPERATOR):
    """A worker of a distributed run has another dictionary than the one that started it."""

    message = "this worker has dictionary {observed}, the run was started with {expected}"
    hint = "install the same version of lienthong, and the same dictionary folder, on every worker"
