"""Whom to call: the shipped table is whole and not too old, and a wrong one is refused."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from server.commands.doctor import doctor
from server.commands.serve import serve
from server.config import Settings, load
from server.errors import ConfigError
from server.safety import Assessment, wording
from server.safety.help_lines import (
    ANYWHERE,
    OLDEST_DAYS,
    RELEASED,
    HelpLines,
    help_lines,
    help_table,
    parse,
    unverified,
)

UNVERIFIED_AT_MOST = 18
"""Countries whose number was not seen on a page of its own; this may shrink, never grow."""
UNVERIFIED_FOR_CHILDREN_AT_MOST = 22
COUNTRIES = sorted(help_table())
ENTRY = {
    "emergency": "911",
    "emergency_spoken": "9 1 1",
    "name": "the Line",
    "number": "0800 11",
    "spoken": "zero 8 0 0, 1 1",
    "source": "https://example.org",
    "verified": "",
    "children_name": "the Young Line",
    "children_number": "116 111",
    "children_spoken": "1 1 6, 1 1 1",
    "children_source": "https://example.org/young",
    "children_verified": "2026-01-02",
}
NO_CHILDREN = {key: "" for key in ENTRY if key.startswith("children_")}


def table(entry: dict[str, str], country: str = "XX") -> str:
    return f"[{country}]\n" + "".join(f'{key} = "{value}"\n' for key, value in entry.items())


# The shipped table.


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_shipped_entry_names_a_line_and_where_it_was_found(country: str) -> None:
    lines = help_lines(country)
    assert lines.country == country
    assert re.match(r"https?://[\w.-]+", lines.source)
    assert not lines.children_number or re.match(r"https?://[\w.-]+", lines.children_source)
    assert re.fullmatch(r"[*\d ]{3,}", lines.number)
    assert re.fullmatch(r"\d{3}", lines.emergency)


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_sentences_of_every_country_name_its_numbers_without_a_gap(country: str) -> None:
    lines = help_lines(country)
    high = wording(Assessment("high", "ideation"), lines)
    imminent = wording(Assessment("imminent", "plan"), lines)
    assert lines.spoken in high
    assert lines.emergency_spoken in imminent
    assert not re.search(r"[{}]|  | [.,]", high + imminent)


def test_no_shipped_date_is_too_old_and_the_unverified_do_not_grow() -> None:
    dates = [
        day
        for lines in help_table().values()
        for day in (lines.verified, lines.children_verified)
        if day
    ]
    oldest = date.today() - timedelta(days=OLDEST_DAYS)
    assert [day for day in dates if date.fromisoformat(day) < oldest] == []
    assert max(date.fromisoformat(day) for day in dates) == RELEASED
    shipped = help_table().values()
    assert sum(not lines.verified for lines in shipped) <= UNVERIFIED_AT_MOST
    bare = [one for one in shipped if one.children_number and not one.children_verified]
    assert len(bare) <= UNVERIFIED_FOR_CHILDREN_AT_MOST


@pytest.mark.parametrize("country", ["", "ZZ", "AO", "XX", "a", "GBR"])
def test_a_country_without_an_entry_gets_what_works_anywhere(country: str) -> None:
    assert help_lines(country) is ANYWHERE
    assert "1 1 2" in wording(Assessment("imminent", "plan"), help_lines(country))
    assert "find a helpline" in wording(Assessment("high", "ideation"), help_lines(country))


# What a table may be.


def test_a_table_is_read() -> None:
    assert parse(table(ENTRY)) == {"XX": HelpLines(country="XX", **ENTRY)}


def test_a_country_may_have_no_line_for_children() -> None:
    assert parse(table(ENTRY | NO_CHILDREN))["XX"].children_number == ""


@pytest.mark.parametrize("missing", ENTRY)
def test_an_entry_that_lacks_a_field_is_refused(missing: str) -> None:
    rest = {key: value for key, value in ENTRY.items() if key != missing}
    with pytest.raises(ConfigError, match=f"XX .*{missing}"):
        parse(table(rest))


@pytest.mark.parametrize(
    "empty", [key for key in ENTRY if key not in ("verified", "children_verified")]
)
def test_an_entry_with_an_empty_field_is_refused(empty: str) -> None:
    for value in ("", "  "):
        with pytest.raises(ConfigError, match=f"XX have an empty field: {empty}"):
            parse(table(ENTRY | {empty: value}))


@pytest.mark.parametrize("number", ["emergency", "number", "children_number"])
def test_digits_that_are_spoken_otherwise_than_they_are_dialled_are_refused(number: str) -> None:
    spoken = {"emergency": "emergency_spoken", "number": "spoken"}.get(number, "children_spoken")
    for wrong in ("9 9", "zero", f"{ENTRY[spoken]} 1", ENTRY[spoken].replace("1", "7", 1)):
        with pytest.raises(ConfigError, match=f"XX say other digits in {spoken} than in {number}"):
            parse(table(ENTRY | {spoken: wrong}))


@pytest.mark.parametrize("field", ["verified", "children_verified"])
@pytest.mark.parametrize(
    "wrong", ["yesterday", "24.11.2026", "2026-13-01", "2026-02-30", "20261124", "2026-W48-2", " "]
)
def test_what_is_no_date_is_refused(field: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=f"XX have a date in {field} that is not like"):
        parse(table(ENTRY | {field: wrong}))


@pytest.mark.parametrize("field", ["verified", "children_verified"])
def test_a_date_in_the_future_is_refused(field: str) -> None:
    today = RELEASED + timedelta(days=100)
    assert parse(table(ENTRY | {field: today.isoformat()}), today)
    tomorrow = (today + timedelta(days=1)).isoformat()
    with pytest.raises(ConfigError, match=f"XX have a date in {field} that lies in the future"):
        parse(table(ENTRY | {field: tomorrow}), today)


def test_a_clock_that_is_behind_the_release_makes_no_date_one_of_the_future() -> None:
    entry = table(ENTRY | {"verified": RELEASED.isoformat()})
    assert parse(entry, today=date(1970, 1, 1))


@pytest.mark.parametrize("country", ["gb", "GBR", "G", "G1", "ÖÖ", "Great-Britain"])
def test_what_is_no_country_code_is_refused(country: str) -> None:
    with pytest.raises(ConfigError, match="no country code"):
        parse(table(ENTRY, f'"{country}"'))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (table(ENTRY | {"colour": "red"}), "colour"),
        (table(ENTRY).replace('"911"', "911"), "no text in quotes: emergency"),
        ("XX = 3\n", "XX have wrong or missing fields"),
        ("[XX\n", "not TOML"),
        (table(ENTRY) * 2, "not TOML"),
    ],
)
def test_what_is_no_table_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse(text)


def test_what_nobody_verified_lately_is_listed() -> None:
    today = RELEASED + timedelta(days=OLDEST_DAYS)
    old, new = (RELEASED - timedelta(days=1)).isoformat(), RELEASED.isoformat()
    entries = {
        "AA": ENTRY | {"verified": old, "children_verified": new},
        "BB": ENTRY | {"verified": new, "children_verified": ""},
        "CC": ENTRY | NO_CHILDREN | {"verified": ""},
    }
    text = "".join(table(entry, country) for country, entry in entries.items())
    assert unverified(parse(text, today), today) == (["AA", "CC"], ["BB"])


# The house's own.


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "lines.toml"


def settings(own: Path) -> Settings:
    return load(
        profile="fake",
        overrides={
            "server": {"listen": f"unix:{own.parent}/socket"},
            "conversation": {"help_lines": str(own), "country": "GB"},
        },
    )


def test_the_houses_own_lines_replace_and_add_countries(own: Path) -> None:
    own.write_text(table(ENTRY, "GB") + table(ENTRY, "XX"))
    lines = help_table(settings(own).own_help_lines())
    assert help_lines("gb", lines).name == help_lines("XX", lines).name == "the Line"
    assert help_lines("US", lines) is help_lines("US")
    assert help_lines("GB").name == "Samaritans"


def test_a_house_without_its_own_has_the_shipped_lines() -> None:
    assert load(profile="fake").own_help_lines() == ""
    assert help_table() == help_table("")


def test_the_server_does_not_start_without_the_lines_that_it_was_told_of(own: Path) -> None:
    with pytest.raises(ConfigError, match=f"The help lines {own} cannot be read"):
        serve(settings(own))


def test_the_server_does_not_start_with_a_wrong_table(own: Path) -> None:
    own.write_text(table(ENTRY | {"number": ""}))
    with pytest.raises(ConfigError, match="The help lines of XX have an empty field: number"):
        serve(settings(own))


def test_bytes_that_are_no_text_are_told_with_their_name(own: Path) -> None:
    own.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ConfigError, match="not TOML"):
        settings(own).own_help_lines()


def test_the_doctor_counts_what_is_unverified(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own.write_text(table(ENTRY, "GB"))
    doctor(settings(own))
    said = next(line for line in capsys.readouterr().out.splitlines() if "help lines" in line)
    lines, children = unverified(help_table(own.read_text()))
    assert said.startswith(f"ok    help lines: {len(COUNTRIES)} countries")
    assert f"{len(lines)} of the numbers and {len(children)} of those for children" in said
    assert "that of GB too" in said


def test_the_doctor_tells_of_a_wrong_table(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.write_text(table(ENTRY | {"verified": "soon"}))
    assert doctor(settings(own)) == 1
    assert "FAIL  help lines: The help lines of XX" in capsys.readouterr().out
