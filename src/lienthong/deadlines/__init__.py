"""Due dates and working days (thời hạn, ngày làm việc); pure functions of their arguments."""

from lienthong.deadlines.due import Due, DueKind, parse_due
from lienthong.deadlines.workdays import add_workdays, is_workday, workdays_between

__all__ = ["Due", "DueKind", "add_workdays", "is_workday", "parse_due", "workdays_between"]
