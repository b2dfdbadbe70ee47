"""An operator's own rules: read beside the dictionary's, shown and never scored, refused with file and line."""

from __future__ import annotations

import json

import pytest

from lienthong.dictionary.model import DatasetId
from lienthong.errors import LienthongError
from lienthong.wiring.services import read_knowledge
from lienthong.wiring.settings import load_settings

RULE = """
basis: chưa xác định
check: length(ho_va_ten) >= 5
code: CL90
dataset: nhan-khau
element: HoVaTen
error_class: format
examples:
  - name: long enough
    outcome: pass
    values:
      ho_va_ten: Nguyễn Văn An
  - name: too short
    outcome: fail
    values:
      ho_va_ten: Án
level: local
owner: 'Sở thử nghiệm'
remedy:
  en: 'Agency: look at the paper.'
  vi: Đối chiếu giấy tờ gốc.
sentence:
  en: A name has five letters at least
  vi: Họ và tên phải có ít nhất 5 chữ cái
severity: warning
title:
  en: Long name
  vi: Họ tên đủ dài
version: 1
when: ho_va_ten IS NOT NULL
"""


@pytest.fixture
def settings(tmp_path):
    roles = "".join(
        f"[centre.{name}]\nurl = {json.dumps('postgresql://x@localhost/x')}\n"
        for name in ("writer", "reader", "gateway")
    )
    path = tmp_path / "lienthong.toml"
    path.write_text(f'local_rules = "rules"\n{roles}', encoding="utf-8")
    (tmp_path / "rules" / "clean").mkdir(parents=True)
    return load_settings(path, {})


def test_local_rules_stand_beside_the_national_ones_and_do_not_score(settings, tmp_path):
    (tmp_path / "rules" / "clean" / "CL90.yaml").write_text(RULE, encoding="utf-8")
    rules = {rule.name: rule for rule in read_knowledge(settings).rule_sets[DatasetId("nhan-khau")].rules}
    local = rules["CL90:ho_va_ten"]
    assert not local.scored
    assert rules["CP01:ho_va_ten"].scored


def test_a_mistake_in_a_local_rule_is_named_with_its_file(settings, tmp_path):
    (tmp_path / "rules" / "clean" / "CL90.yaml").write_text(RULE.replace("ho_va_ten)", "ho_va_tenn)"), "utf-8")
    with pytest.raises(LienthongError, match="CL90"):
        read_knowledge(settings)


def test_a_local_rule_cannot_take_the_code_of_a_national_one(settings, tmp_path):
    (tmp_path / "rules" / "clean" / "CL20.yaml").write_text(RULE.replace("CL90", "CL20"), "utf-8")
    with pytest.raises(LienthongError, match="CL20"):
        read_knowledge(settings)
