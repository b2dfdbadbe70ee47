"""Addresses of the portal; they carry names of datasets, rules and tasks, never a value of a record."""

from __future__ import annotations

from django.urls import path

from lienthong.portal import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("truc-tiep/", views.live, name="live"),
    path("bo-du-lieu/<slug:dataset>/", views.dataset, name="dataset"),
    path("bo-du-lieu/<slug:dataset>/quy-tac/<str:rule>/", views.rule, name="rule"),
    path("nhiem-vu/", views.tasks, name="tasks"),
    path("nhiem-vu/<str:task_id>/", views.task, name="task"),
    path("healthz", views.healthz, name="healthz"),
]

handler400 = "lienthong.portal.failures.bad_request"
handler403 = "lienthong.portal.failures.forbidden"
handler404 = "lienthong.portal.failures.page_not_found"
handler500 = "lienthong.portal.failures.server_error"
