"""Settings: one file, checked whole, overridden from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.wiring.settings import (
    SettingNotValid,
    SettingsNotFound,
    SettingsNotReadable,
    load_settings,
    password,
)

WHOLE = """
[centre.writer]
url = "postgresql://w@/centre"
password_file = "secrets/w"
[centre.reader]
url = "postgresql://r@/centre"
[centre.gateway]
url = "postgresql://g@/centre"
[gateway]
port = 9001
[[source]]
name = "ca-mau"
url = "postgresql://s@/agency"
mappings = ["mappings/a.yaml"]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "lienthong.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_relative_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, WHOLE), {})
    assert settings.sources[0].mappings == (tmp_path / "mappings/a.yaml",)
    assert settings.centre.password_file == tmp_path / "secrets/w"


def test_defaults_fill_what_is_not_said(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, WHOLE), {})
    assert (settings.gateway.port, settings.portal.host, settings.portal.port) == (9001, "127.0.0.1", 8214)
    assert settings.sources[0].slot == "lienthong_ca_mau"


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    settings = load_settings(
        write(tmp_path, WHOLE), {"LIENTHONG_GATEWAY_PORT": "9100", "LIENTHONG_PORTAL_PORT": "9200"}
    )
    assert (settings.gateway.port, settings.portal.port) == (9100, 9200)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsNotFound):
        load_settings(tmp_path / "none.toml", {})


@pytest.mark.parametrize("text", ["[centre", "a = \x00"])
def test_what_is_not_toml_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsNotReadable):
        load_settings(write(tmp_path, text), {})


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("port = 9001", "port = 99999"), "gateway.port"),
        (("port = 9001", "port = true"), "gateway.port"),
        (("port = 9001", "prot = 9001"), "gateway.prot"),
        (('name = "ca-mau"', 'name = "cà mau"'), "source[0].name"),
        (('mappings = ["mappings/a.yaml"]', "mappings = []"), "source[0].mappings"),
        (('url = "postgresql://w@/centre"', 'url = ""'), "centre.writer.url"),
        (("[centre.gateway]", "[centre.other]"), "centre.other"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_key(tmp_path: Path, change: tuple[str, str], key: str) -> None:
    with pytest.raises(SettingNotValid) as refused:
        load_settings(write(tmp_path, WHOLE.replace(*change)), {})
    assert refused.value.facts["key"] == key


def test_two_links_may_not_share_a_name(tmp_path: Path) -> None:
    link = WHOLE[WHOLE.index("[[source]]") :]
    with pytest.raises(SettingNotValid, match="same name"):
        load_settings(write(tmp_path, WHOLE + link), {})


def test_an_unreadable_password_file_is_named(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, WHOLE), {})
    with pytest.raises(SettingNotValid, match="secrets/w"):
        password(settings.centre)
