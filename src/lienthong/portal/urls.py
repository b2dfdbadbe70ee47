"""Addresses of the portal; they carry names of datasets, rules, tasks and terms, never a value of a record."""

from __future__ import annotations

from django.urls import path

from lienthong.portal import dictionary_files, dictionary_views, views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("truc-tiep/", views.live, name="live"),
    path("bo-du-lieu/<slug:dataset>/", views.dataset, name="dataset"),
    path("bo-du-lieu/<slug:dataset>/quy-tac/<str:rule>/", views.rule, name="rule"),
    path("nhiem-vu/", views.tasks, name="tasks"),
    path("nhiem-vu/<str:task_id>/", views.task, name="task"),
    path("healthz", views.healthz, name="healthz"),
    path("tu-dien/", dictionary_views.terms, name="terms"),
    path("tu-dien/phat-hanh/", dictionary_views.releases, name="releases"),
    path("tu-dien/phan-tu/<slug:code>/", dictionary_views.element, name="element"),
    path("tu-dien/mien-gia-tri/<slug:domain>/", dictionary_views.domain, name="domain"),
    path("tu-dien/bo-du-lieu/<slug:dataset>/", dictionary_views.dataset, name="definition"),
    path("tu-dien/bo-du-lieu/<slug:dataset>/schema.json", dictionary_files.schema, name="schema"),
    path("tu-dien/bo-du-lieu/<slug:dataset>/bang.sql", dictionary_files.ddl, name="ddl"),
    path("tu-dien/danh-muc/<slug:list_id>/", dictionary_views.code_list, name="code_list"),
    path("tu-dien/danh-muc/<slug:list_id>.csv", dictionary_files.codes, name="codes"),
    path("tu-dien/danh-muc/<slug:list_id>/<path:code>/", dictionary_views.code, name="code"),
    path("tu-dien/tep/<slug:kind>/<slug:name>.yaml", dictionary_files.item_yaml, name="item_yaml"),
    path("id/code-list/<slug:list_id>", dictionary_files.stable_list, name="stable_list"),
    path("id/code/<slug:list_id>/<str:code>/<str:since>", dictionary_files.stable_code, name="stable_code"),
    path("id/<slug:kind>/<slug:name>/<str:version>", dictionary_files.stable, name="stable"),
]

handler400 = "lienthong.portal.failures.bad_request"
handler403 = "lienthong.portal.failures.forbidden"
handler404 = "lienthong.portal.failures.page_not_found"
handler500 = "lienthong.portal.failures.server_error"
