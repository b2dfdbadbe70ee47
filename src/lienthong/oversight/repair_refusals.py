"""What the repair loop refuses."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class RepairPolicyNotValid(LienthongError, code="OVS-102", actor=Actor.STEWARD):
    """The file of the repair clock cannot be used."""

    message = "repair policy {path} cannot be used: {reason}"
    hint = "correct the file after dictionary/plan/repair.yaml"


class CaseUnknown(LienthongError, code="OVS-110", actor=Actor.STEWARD):
    """There is no case of this number, or it is not one this officer may see."""

    message = "no repair case {number}"
    hint = "lienthong repair list shows the numbers"


class StepNotPossible(LienthongError, code="OVS-111", actor=Actor.STEWARD):
    """The case stands where this step does not lead on from."""

    message = "repair case {number} is {state}: {step} is not possible"
    hint = "lienthong repair show {number} says where it stands and what may follow"


class StepNotYours(LienthongError, code="OVS-112", actor=Actor.STEWARD):
    """The officer has not the role, or acts for the wrong agency, for this step."""

    message = "repair case {number}: {step} is for {whose}"
    hint = "let an officer of that agency with that role do it"


class ReasonMissing(LienthongError, code="OVS-113", actor=Actor.STEWARD):
    """A step that must be explained was not."""

    message = "repair case {number}: {step} needs a reason of {least} to {most} letters"
    hint = "write why, in words somebody else can check; no values of records"


class PlanDayNotValid(LienthongError, code="OVS-114", actor=Actor.AGENCY):
    """The day by which the agency means to have corrected the data is over, or after the deadline."""

    message = "repair case {number}: {day} is not between today and the deadline {due}"
    hint = "plan a day up to the deadline, or ask an assessor for the longer one of hard cases"


class RecordsNotOfCase(LienthongError, code="OVS-115", actor=Actor.AGENCY):
    """A claim names records that are not open in the case."""

    message = "repair case {number}: {count} of the records named are not open in it"
    hint = "name record ids as `lienthong repair show {number}` lists them, or leave them out to claim all"


class RepairStoreFault(LienthongError, code="OVS-120", actor=Actor.OPERATOR):
    """The store of repair cases refused a statement."""

    message = "the store of repair cases refused a statement, SQLSTATE {sqlstate}"
    hint = "run `lienthong centre prepare`; if it stays, report the SQLSTATE"


class RepairStoreAway(LienthongError, code="OVS-121", actor=Actor.OPERATOR):
    """The store of repair cases cannot be reached or is busy."""

    message = "the store of repair cases does not answer, SQLSTATE {sqlstate}"
    hint = "check the centre's database; the same call may work in a moment"
    transient = True


class RepairNotInstalled(LienthongError, code="OVS-122", actor=Actor.OPERATOR):
    """The tables of the repair loop are missing, or the role may not use them."""

    message = "the tables of the repair loop are missing or not open to this role"
    hint = "run `lienthong centre prepare` as the role of [centre.writer]"


class AnswersNotRead(LienthongError, code="OVS-116", actor=Actor.AGENCY):
    """A workbook with an agency's answers cannot be used."""

    message = "answers in {file} cannot be used: {reason}"
    hint = "fill in the two last columns of the workbook that `lienthong repair export` made, nothing else"
