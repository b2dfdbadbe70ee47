"""Due dates, working days and hours (thời hạn, ngày và giờ làm việc); pure functions of their arguments."""

from lienthong.deadlines.calendar import WorkCalendar
from lienthong.deadlines.calendar_file import load_calendar
from lienthong.deadlines.due import Due, DueKind, parse_due
from lienthong.deadlines.workdays import add_workdays, is_workday, workdays_between
from lienthong.deadlines.workhours import OfficeHours, add_work_hours, work_hours_between

__all__ = [
    "Due",
    "DueKind",
    "OfficeHours",
    "WorkCalendar",
    "add_work_hours",
    "add_workdays",
    "is_workday",
    "load_calendar",
    "parse_due",
    "work_hours_between",
    "workdays_between",
]
