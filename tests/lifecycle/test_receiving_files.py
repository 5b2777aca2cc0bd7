"""The files of a delivery: every form that is read, and nonsense, which is named with file and line."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkctl.app.receiving_files import read_notices, read_orders, read_scans
from sparkctl.errors import UsageError

ORDER = "po,line,part_number,quantity,ssd,memory\n4500017,10,SPARK-4TB,5,4 TB,128 GB\n"


def written(folder: Path, content: str | bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "text",
    [
        ORDER,
        ORDER.replace(",", ";"),
        ORDER.replace(",", "\t"),
        ORDER.replace("\n", "\r\n"),
        "\ufeff" + ORDER,
        "po,line,part_number,quantity,ssd,memory,sku\n4500017,10,SPARK-4TB,5,4 TB,128 GB,SPARK-4TB\n",
        "\n\n" + ORDER + "\n",
        "PO Number,Pos.,SKU,Qty,SSD Size,RAM,Remark\n4500017,10,SPARK-4TB,5.0,4TB,128,x\n".replace(",128,", ",128GB,"),
        json.dumps([{"po": 4500017, "line": 10, "part": "SPARK-4TB", "qty": 5, "ssd": 4 * 10**12, "ram": "128 GiB"}]),
        json.dumps({"po": "4500017", "item": "10", "mpn": "SPARK-4TB", "qty": "5", "ssd": "4000 GB", "ram": "128GB"}),
    ],
)
def test_an_order_in_every_form(tmp_path: Path, text: str) -> None:
    (line,) = read_orders(written(tmp_path, text))
    assert (line.po, line.line, line.part_number, line.quantity) == ("4500017", "10", "SPARK-4TB", 5)
    assert (line.ssd_bytes, line.memory_bytes) == (4 * 10**12, 128 * 2**30)


def test_a_notice_has_macs_in_one_column_or_several(tmp_path: Path) -> None:
    text = 'PO;Serial No;MAC 1;MAC 2;Carton\nP1;S1;02:51:00:00:00:01;02:51:00:00:00:02;C1\nP1;S2;"a b|c";;\n'
    first, second = read_notices(written(tmp_path, text))
    assert (first.serial, first.macs, first.carton) == ("S1", ["02:51:00:00:00:01", "02:51:00:00:00:02"], "C1")
    assert (second.macs, second.line, second.where) == (["a", "b", "c"], None, f"{tmp_path}/file.csv:3")
    (row,) = read_notices(written(tmp_path, '[{"po": "P1", "serial": "S1", "macs": ["a", "b"]}]'))
    assert row.macs == ["a", "b"]


def test_what_a_scanner_read_is_kept_as_it_was_read(tmp_path: Path) -> None:
    text = 'code,by\n"[)>\x1e06\x1dSSIM1\x1e\x04",ann\n"two\nlines",bob\nescape\x1b[2J,ann\n'
    first, second, third = read_scans(written(tmp_path, text))
    assert (first.codes, first.by) == (["[)><RS>06<GS>SSIM1<RS><EOT>"], "ann")
    assert (second.codes, second.where) == (["two|lines"], f"{tmp_path}/file.csv:3")
    assert (third.codes, third.where) == (["escape\\u001b[2J"], f"{tmp_path}/file.csv:5")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file has no rows"),
        ("po,line,part_number,quantity\n", "the file has no rows"),
        ("hello\nworld\n", ":1: none of its columns is known: hello"),
        ("po,line,part_number,quantity\n1,10,P,many\n", ":2: the quantity is no whole number: many"),
        ("po,line,part_number,quantity\n1,10,P,0\n", ":2: quantity:"),
        ("po,line,part_number,quantity\n1,10,P,9999999\n", ":2: quantity:"),
        ("po,line,part_number,quantity\n1,10,P,-1\n", "no whole number"),
        ("po,line,part_number\n1,10,P\n", ":2: quantity: this is empty, or has no column"),
        ("po,line,part_number,quantity\n1,10,P\n", ":2: the row has 3 cells, the header 4"),
        ("po,line,part_number,quantity\n1,10,P,1\n1,10,Q,1\n", ":3: line 10 of order 1 stands here and at"),
        ('po,line,part_number,quantity\n1,"10,P,1\n', "not valid CSV"),
        ("po,line,part_number,quantity,ssd\n1,10,P,1,big\n", "big is no size"),
        ("po,line,part_number,quantity\n1,10," + "P" * 200 + ",1\n", ":2: part_number:"),
        ("po,line,part_number,quantity\n1,10,P\x1b[2J,1\n", ":2: part_number:"),
        ("po,line,part_number,sku,quantity\n1,10,P,Q,1\n", ":2: two columns say part_number: P and Q"),
        ("[", "not JSON"),
        ("[1]", ":1: this is no object"),
        ('[{"po": {"a": 1}, "line": "1", "part": "P", "qty": 1}]', "neither text nor a whole number"),
        ('[{"po": [[1]], "line": "1", "part": "P", "qty": 1}]', "neither text nor a whole number"),
        ('[{"po": 1.5, "line": "1", "part": "P", "qty": 1}]', "neither text nor a whole number"),
        ('[{"po": "1", "po": "2"}]', "stands twice"),
        ("[" * 5000, "nested deeper"),
        (b"\xff\xfeP\x00", "UTF-16"),
        (b"\0\1\2", "binary"),
        (b"po\xff", "not UTF-8"),
    ],
)
def test_nonsense_is_named_with_file_and_line(tmp_path: Path, text: str | bytes, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        read_orders(path)
    assert words in caught.value.message
    assert str(path) in caught.value.message
    assert "\x1b" not in caught.value.message


def test_all_errors_are_told_by_their_lines(tmp_path: Path) -> None:
    rows = "".join(f"1,{number},P,x\n" for number in range(20))
    with pytest.raises(UsageError) as caught:
        read_orders(written(tmp_path, "po,line,part_number,quantity\n" + rows))
    assert "19 more, in line 3, 4, 5, 6, 7, 8, 9 and others" in str(caught.value.hint)


@pytest.mark.parametrize("path", ["nowhere.csv", ".", "/dev/zero"])
def test_what_is_no_file_is_not_read(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError):
        read_scans(tmp_path / path)


@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda text: f"po,serial,code\n{text}".encode("utf-8", "surrogatepass")),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_bytes_are_rows_or_one_error(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    for read in (read_orders, read_notices, read_scans):
        with suppress(UsageError):
            assert read(path)
