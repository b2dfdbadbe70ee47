"""What the analytical copy refuses, and who can act."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class CopyDamaged(LienthongError, code="CEN-401", actor=Actor.OPERATOR):
    """The copy is not what its manifest says."""

    message = "the analytical copy in {path} is damaged: {reason}"
    hint = "nothing at the centre is concerned; build it anew: lienthong copy rebuild"


class CopyShapeDiffers(LienthongError, code="CEN-402", actor=Actor.OPERATOR):
    """The dictionary has changed since the copy was made."""

    message = "the copy of dataset {dataset} has other columns than the dictionary of today"
    hint = "build it anew: lienthong copy rebuild {dataset}"


class CopyFolderRefused(LienthongError, code="CEN-403", actor=Actor.OPERATOR):
    """The folder cannot hold personal data, or cannot be written."""

    message = "the folder {path} cannot hold an analytical copy: {reason}"
    hint = "give a folder of your own that nobody else may open: chmod 700"


class CopyUnderWay(LienthongError, code="CEN-404", actor=Actor.OPERATOR):
    """Another process writes the same copy."""

    message = "another process is writing the copy in {path}"
    hint = "wait for it and try again"
    transient = True


class CopyMissing(LienthongError, code="CEN-405", actor=Actor.OPERATOR):
    """There is no copy in the folder yet."""

    message = "there is no copy of dataset {dataset} in {path}"
    hint = "make it: lienthong copy run {dataset}"


class CopyAhead(LienthongError, code="CEN-406", actor=Actor.OPERATOR):
    """The copy holds batches that the centre does not."""

    message = "the copy of dataset {dataset} is at batch {copied}, the centre only at {centre}"
    hint = "the centre was restored from a backup, or is another one: lienthong copy rebuild {dataset}"
