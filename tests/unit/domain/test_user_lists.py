import csv
import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acmx.domain.errors import FaultyInput
from acmx.domain.identities import MAX_USERS
from acmx.domain.user_lists import COLUMN, read_users

EXAMPLES = Path(__file__).parents[3] / "examples" / "users"
ALICE, BOB = "sip:alice@mc.police.example", "tel:7042;phone-context=mc.police.example"


def faults(content):
    with pytest.raises(FaultyInput) as refused:
        read_users(content, "list.csv")
    return [str(fault) for fault in refused.value.faults]


def test_the_examples_are_read():
    table = read_users((EXAMPLES / "twenty.csv").read_bytes())
    assert table == read_users((EXAMPLES / "twenty.txt").read_bytes())
    assert len(table) == 20
    assert len(read_users((EXAMPLES / "ten-thousand.txt").read_bytes())) == MAX_USERS


_users = st.lists(
    st.from_regex(r"sip:[a-z0-9;,/&=+$]{1,8}@[a-z]{2,5}\.example|tel:\+[0-9]{6,9}", fullmatch=True),
    min_size=1,
    max_size=20,
    unique_by=str.lower,
)
_between = st.sampled_from(["", "\n", "# a comment\n", "   \n"])
_ending = st.sampled_from(["\n", "\r\n"])


@given(_users, st.data())
def test_text_with_comments_and_empty_lines_is_read(users, data):
    text = "".join(f"{data.draw(_between)}  {user} \n" for user in users)
    content = text.replace("\n", data.draw(_ending)).encode(
        data.draw(st.sampled_from(["utf-8", "utf-8-sig"]))
    )
    assert read_users(content) == tuple(users)


@given(_users, st.data())
def test_a_table_is_read_whatever_its_delimiter_and_columns(users, data):
    other = st.text(
        st.characters(codec="utf-8", exclude_characters="\r\n\0#", exclude_categories=["Cs"]), max_size=5
    )
    column, width = data.draw(st.integers(0, 2)), 3
    header = ["unit", "name", "town"]
    header[column] = data.draw(st.sampled_from([COLUMN, COLUMN.upper(), f"{COLUMN} "]))
    written = io.StringIO()
    delimiter, ending = data.draw(st.sampled_from(",;\t")), data.draw(_ending)
    writer = csv.writer(written, delimiter=delimiter, lineterminator=ending)
    writer.writerow(header)
    for user in users:
        writer.writerow([user if place == column else data.draw(other) for place in range(width)])
    assert read_users(written.getvalue().encode()) == tuple(users)


def test_a_single_column_with_its_name_is_a_table():
    assert read_users(f'"mc_service_id"\n"{ALICE}"\n# no\n{BOB}\n'.encode()) == (ALICE, BOB)


@pytest.mark.law(14)
def test_each_fault_names_its_line():
    content = f"# users\n{ALICE}\n\nalice\n{ALICE.replace('police', 'POLICE')}\n".encode()
    assert faults(content) == [
        "list.csv line 4: 'alice' must begin with sip: or sips: or tel:",
        "list.csv line 5: 'sip:alice@mc.POLICE.example' is the same user as line 2",
    ]


def test_the_faults_of_a_table_name_their_lines():
    content = f'name,mc_service_id\n"two\nlines",{ALICE}\nBob\n,\nCarol,carol\n'.encode()
    assert [fault.partition(":")[0] for fault in faults(content)] == ["list.csv line 4", "list.csv line 6"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "list.csv: '[]' must name at least one user"),
        (b"# nobody\n", "list.csv: '[]' must name at least one user"),
        (b"name,unit\nAlice,east\n", "list.csv: 'name,unit' must have a column named mc_service_id"),
        (b"sip:a@b.example\nsip:\xff@b.example\n", "list.csv line 2: must be UTF-8 text"),
        (b'name,mc_service_id\n"open,x\n', "list.csv line 2: is no CSV: unexpected end of data"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(content, expected):
    assert faults(content) == [expected]


def test_more_than_ten_thousand_are_refused():
    content = "".join(f"sip:u{n}@mc.police.example\n" for n in range(MAX_USERS + 1)).encode()
    assert faults(content) == ["list.csv: '10001 users' must name at most 10,000 users"]


@given(st.binary() | st.text().map(str.encode) | st.text().map(lambda t: f"mc_service_id\n{t}".encode()))
def test_no_bytes_break_the_reader(content):
    with suppress(FaultyInput):
        assert read_users(content)
