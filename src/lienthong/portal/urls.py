"""Addresses of the portal; they carry names of datasets, rules, tasks and terms, never a value of a record."""

from __future__ import annotations

from django.urls import path

from lienthong.portal import (
    accounts,
    dictionary_files,
    dictionary_views,
    governance_views,
    quality,
    repair_views,
    views,
)

urlpatterns = [
    path("", views.overview, name="overview"),
    path("truc-tiep/", views.live, name="live"),
    path("bo-du-lieu/<slug:dataset>/", views.dataset, name="dataset"),
    path("bo-du-lieu/<slug:dataset>/quy-tac/<str:rule>/", views.rule, name="rule"),
    path("bo-du-lieu/<slug:dataset>/chat-luong/", quality.dataset, name="quality"),
    path("bo-du-lieu/<slug:dataset>/chat-luong.json", quality.dataset_json, name="quality_json"),
    path("lanh-dao/", quality.leader, name="leader"),
    path("chat-luong/cach-tinh/", quality.method, name="quality_method"),
    path("chat-luong/cach-tinh.json", quality.method_json, name="quality_method_json"),
    path("nhiem-vu/", views.tasks, name="tasks"),
    path("nhiem-vu/<str:task_id>/", views.task, name="task"),
    path("sua-du-lieu/", repair_views.queue, name="repairs"),
    path("sua-du-lieu/tiep-nhan/", repair_views.acknowledge, name="repairs_acknowledge"),
    path("sua-du-lieu/<int:number>/", repair_views.case, name="repair"),
    path("sua-du-lieu/<int:number>/bang-ke.xlsx", repair_views.workbook, name="repair_workbook"),
    path("sua-du-lieu/<int:number>/<slug:act>/", repair_views.step, name="repair_step"),
    path("healthz", views.healthz, name="healthz"),
    path("dang-nhap/", accounts.sign_in, name="sign_in"),
    path("dang-xuat/", accounts.sign_out, name="sign_out"),
    path("tai-khoan/", accounts.account, name="account"),
    path("tai-khoan/mat-khau/", accounts.change_password, name="change_password"),
    path("tu-dien/", dictionary_views.terms, name="terms"),
    path("tu-dien/phat-hanh/", dictionary_views.releases, name="releases"),
    path("tu-dien/phat-hanh/ban-toi/", governance_views.release_ahead, name="release_ahead"),
    path("tu-dien/de-xuat/", governance_views.proposals, name="proposals"),
    path("tu-dien/de-xuat/moi/", governance_views.propose_form, name="propose_form"),
    path("tu-dien/de-xuat/tep/", governance_views.propose_upload, name="propose_upload"),
    path("tu-dien/de-xuat/ket-thuc/", governance_views.end_item, name="end_item"),
    path("tu-dien/de-xuat/<int:number>/", governance_views.proposal, name="proposal"),
    path("tu-dien/de-xuat/<int:number>/<slug:act>/", governance_views.decide, name="decide"),
    path("tu-dien/phan-tu/<slug:code>/", dictionary_views.element, name="element"),
    path("tu-dien/mien-gia-tri/<slug:domain>/", dictionary_views.domain, name="domain"),
    path("tu-dien/bo-du-lieu/<slug:dataset>/", dictionary_views.dataset, name="definition"),
    path("tu-dien/bo-du-lieu/<slug:dataset>/schema.json", dictionary_files.schema, name="schema"),
    path("tu-dien/bo-du-lieu/<slug:dataset>/bang.sql", dictionary_files.ddl, name="ddl"),
    path("tu-dien/danh-muc/<slug:list_id>/", dictionary_views.code_list, name="code_list"),
    path("tu-dien/danh-muc/<slug:list_id>.csv", dictionary_files.codes, name="codes"),
    path("tu-dien/danh-muc/<slug:list_id>.xlsx", dictionary_files.codes_workbook, name="codes_workbook"),
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
