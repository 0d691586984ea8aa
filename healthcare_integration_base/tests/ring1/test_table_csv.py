# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import pytest
from hib.protocol import table_csv
from hib.protocol.errors import Rejected
from hypothesis import given
from hypothesis import strategies as st

COLUMNS = ("theirs", "ours", "valid_from")


def cells(data):
    return [row.cells for row in table_csv.read(data, COLUMNS, ("theirs", "ours"))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_office_programs_write_is_read(encoding, separator):
    text = "Theirs;Ours\r\nBX;Schachtel für 10\r\n\r\n".replace(";", separator)
    assert cells(text.encode(encoding)) == [
        {"theirs": "BX", "ours": "Schachtel für 10"}
    ]


def test_lines_are_those_of_the_file():
    data = b'theirs,ours\n\n"a\nb",1\nc,2\n'
    rows = table_csv.read(data, COLUMNS, ("theirs", "ours"))
    assert [row.line for row in rows] == [4, 5]


def test_unknown_columns_are_left_out_and_short_rows_stay_short():
    assert cells(b"note,theirs,ours\nx,BX\n") == [{"theirs": "BX"}]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_header"),
        (b"theirs\nBX\n", "file_header"),
        (b"theirs,ours,ours\n", "file_header"),
        (b"\x00\x01\x02", "file_encoding"),
        (b"\xff\xfe\x00", "file_encoding"),
        ("external_value,internal_value\na\0,b".encode("utf-16"), "file_encoding"),
        (b'theirs,ours\n"BX,1\n', "file_format"),
        (b"x" * (table_csv.MAX_BYTES + 1), "file_too_large"),
        (b"theirs,ours\n" + b"a,b\n" * (table_csv.MAX_ROWS + 1), "file_rows"),
    ],
)
def test_bad_files_are_refused_by_name(data, code):
    with pytest.raises(Rejected) as caught:
        cells(data)
    assert caught.value.code == code


def test_no_cell_is_a_formula_and_it_comes_back_as_it_was():
    bad = "=HYPERLINK(1)"
    data = table_csv.write(("theirs", "ours"), [(bad, "-1"), ("@x", None)])
    assert b"\r\n'=HYPERLINK" in data
    assert cells(data) == [
        {"theirs": bad, "ours": "-1"},
        {"theirs": "@x", "ours": ""},
    ]


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(data):
    try:
        cells(b"theirs,ours\n" + data)
    except Rejected as error:
        assert error.code.startswith("file_")


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=5))
def test_what_is_written_never_starts_a_formula(pairs):
    data = table_csv.write(("theirs", "ours"), pairs).decode("utf-8-sig")
    import csv
    import io

    for row in csv.reader(io.StringIO(data, newline="")):
        assert not any(cell.startswith(table_csv.FORMULA) for cell in row)
