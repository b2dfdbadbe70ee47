from __future__ import annotations

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from lienthong.cli import addresses, codes
from lienthong.dictionary.load import load
from lienthong.dictionary.meanings import MeaningIndex
from lienthong.dictionary.model import CodeListId
from lienthong.dictionary.searching import search
from lienthong.dictionary.shipped import shipped_folder

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def communes():
    return load(shipped_folder("dictionary")).code_lists[CodeListId("don-vi-hanh-chinh-xa")]


def told(*arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(codes.app, list(arguments))
    return result.exit_code, " ".join((result.stdout + result.stderr).split())


def asked(*arguments: str) -> tuple[int, dict]:
    result = RUNNER.invoke(codes.app, [*arguments, "--json"])
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize(("on", "name"), [("2024-01-01", "Phường Liễu Giai"), ("2026-01-01", "Phường Ngọc Hà")])
def test_one_code_is_two_units_on_two_days(on, name):
    code, text = told("lookup", "00008", "--on", on)
    assert code == 0
    assert name in text
    assert asked("lookup", "00008", "--on", on)[1]["meanings"][0]["label"] == name


def test_an_old_commune_is_told_with_its_district():
    meaning = asked("lookup", "00008", "--on", "2024-01-01")[1]["meanings"][0]
    assert (meaning["within_label"], meaning["parent_label"]) == ("Quận Ba Đình", "Thành phố Hà Nội")


def test_without_a_day_a_code_is_refused_and_both_meanings_are_shown():
    code, text = told("lookup", "00008")
    assert code == 1
    assert "DIC-020" in text
    assert "Phường Liễu Giai (until 2025-06-30)" in text
    assert "Phường Ngọc Hà (from 2025-07-01)" in text


def test_a_code_that_means_one_thing_at_all_times_needs_no_day():
    code, answer = asked("lookup", "1", "--list", "gioi-tinh")
    assert code == 0
    assert answer["outcome"] == "one"


def test_between_two_dated_lists_both_meanings_are_shown():
    code, answer = asked("lookup", "32002", "--on", "2024-12-01")
    assert code == 3
    assert answer["outcome"] == "several"
    assert [one["label"] for one in answer["meanings"]] == ["Phường 4", "Phường 2"]


def test_a_retired_code_is_known_on_its_days_and_refused_after():
    assert asked("lookup", "32011", "--on", "2024-02-01")[1]["meanings"][0]["label"] == "Phường 2"
    code, answer = asked("lookup", "32011", "--on", "2025-03-01")
    assert (code, answer["error"]["code"]) == (1, "DIC-021")


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (("lookup", "99999", "--on", "2024-01-01"), "DIC-021"),
        (("lookup", "8", "--on", "2024-01-01"), "DIC-022"),
        (("lookup", "00008", "--on", "2024-01-01", "--list", "khong-co"), "DIC-022"),
        (("lookup", "00008", "--on", "20240101"), "DIC-024"),
        (("lookup", "00008", "--on", "2024-02-30"), "DIC-024"),
        (("convert", "32011", "--from", "2024-01-01", "--to", "2026-01-01"), "DIC-023"),
        (("convert", "00008", "--from", "2024", "--to", "2026-01-01"), "DIC-024"),
        (("list", "khong-co", "--on", "2024-01-01"), "DIC-022"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_code(arguments, refusal):
    code, answer = asked(*arguments)
    assert code == 1
    assert answer["error"]["code"] == refusal


def test_a_conversion_with_one_answer_leaves_with_zero_and_with_several_with_three():
    code, answer = asked("convert", "00006", "--from", "2025-06-30", "--to", "2026-01-01")
    assert (code, answer["outcome"]) == (0, "one")
    assert answer["candidates"] == [{"code": "00008", "label": "Phường Ngọc Hà", "kind": "whole"}]
    code, answer = asked("convert", "00007", "--from", "2025-06-30", "--to", "2026-01-01")
    assert (code, answer["outcome"]) == (3, "several")
    assert len(answer["candidates"]) > 1


def test_people_may_decide_what_land_does_not():
    people = _people_rows()[0]
    arguments = ("convert", people.old, "--from", "2025-06-30", "--to", "2026-01-01")
    assert asked(*arguments)[0] == 3
    code, answer = asked(*arguments, "--people")
    assert (code, answer["candidates"][0]["code"]) == (0, people.new)


def _people_rows():
    lists = load(shipped_folder("dictionary")).code_lists
    return [
        one for one in lists[CodeListId("don-vi-hanh-chinh-xa")].successions if one.kind == "part-area-all-people"
    ]


def test_lists_are_those_of_the_day():
    assert len(asked("list", "province", "--on", "2025-06-30")[1]["codes"]) == 63
    assert len(asked("list", "province", "--on", "2025-07-01")[1]["codes"]) == 34
    assert len(asked("list", "commune", "--on", "2025-07-01")[1]["codes"]) == 3_321
    assert told("list", "commune", "--on", "2025-07-01", "--parent", "96")[1].startswith("64 codes")


def test_names_are_found_with_and_without_diacritics(communes):
    day = date(2026, 1, 1)
    assert [one.code for one in search(communes, "ngoc ha", on=day)] == ["00008"]
    assert [one.code for one in search(communes, "NGỌC HÀ", on=day)] == ["00008"]
    assert asked("search", "ngọc hà", "--on", "2026-01-01")[1]["found"] == 1
    assert "Phường Ngọc Hà" in told("search", "ngoc ha", "--on", "2026-01-01")[1]


def test_exact_diacritics_come_first(communes):
    day = date(2025, 6, 30)
    labels = [one.label for one in search(communes, "Tân Thành", on=day)]
    exact = [label for label in labels if label.endswith(" Tân Thành")]
    assert len(exact) > 1
    assert labels[: len(exact)] == exact
    assert any("Tân Thạnh" in label for label in labels)


def test_nothing_is_found_by_blanks(communes):
    assert search(communes, "  - ") == ()


def test_a_day_before_every_list_has_the_oldest_meaning(communes):
    index = MeaningIndex.of(communes)
    assert [one.label for one in index.on("32002", date(1999, 1, 1))] == ["Phường 4"]


def test_addresses_are_resolved_on_the_command_line():
    result = RUNNER.invoke(addresses.app, ["resolve", "P. Bến Nghé, Q.1, TP.HCM", "--on", "2025-06-30", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)[0]["commune_code"] == "26740"


def test_lines_of_standard_input_are_resolved_and_an_open_one_is_told_by_the_exit_code():
    lines = "Phường Ngọc Hà, Hà Nội\nđâu đó\n"
    result = RUNNER.invoke(addresses.app, ["resolve", "-", "--on", "2026-01-01", "--json"], input=lines)
    assert result.exit_code == 3
    assert [row["outcome"] for row in json.loads(result.stdout)] == ["ONE", "UNKNOWN"]


def test_people_get_a_table_of_addresses():
    result = RUNNER.invoke(addresses.app, ["resolve", "Phường Ngọc Hà, Hà Nội", "--on", "2026-01-01"])
    assert "00008" in result.stdout
    assert RUNNER.invoke(addresses.app, ["resolve", "x", "--on", "hôm nay"]).exit_code == 1


def test_the_same_number_is_another_group_in_the_other_ethnic_list():
    code, found = asked("counterpart", "12", "--list", "dan-toc-1979", "--in", "dan-toc-tong-dieu-tra")
    assert (code, [one["code"] for one in found]) == (0, ["11"])
    text = told("counterpart", "12", "--list", "dan-toc-1979", "--in", "dan-toc-tong-dieu-tra")[1]
    assert "Ê-đê" in text
    assert "Ê Đê" in text


def test_that_there_is_no_counterpart_is_an_answer():
    code, found = asked("counterpart", "3", "--list", "gioi-tinh-qd4750", "--in", "gioi-tinh")
    assert (code, found[0]["code"], found[0]["relation"]) == (3, None, "none")


@pytest.mark.parametrize("code", ["99", "1"])
def test_a_code_no_table_decides_is_refused_with_the_lists_there_are(code):
    done, text = told("counterpart", code, "--list", "dan-toc-1979", "--in", "dan-toc-tong-dieu-tra")
    assert done == 1
    assert "DIC-062" in text
    assert "there are tables to: dan-toc-tong-dieu-tra" in text
