"""What is read off labels: the forms that scanners give, and garbage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.lifecycle.labels import canonical, macs_in, read_label
from sparkctl.model.receiving import ScanRow


def scan(*codes: str, **cells: str) -> ScanRow:
    return ScanRow.model_validate({"where": "scans.csv:2", "codes": list(codes), **cells})


@pytest.mark.parametrize(
    "code",
    [
        "SSIM0000000001 1PSPARK-4TB",
        "[)><RS>06<GS>SSIM0000000001<GS>1PSPARK-4TB<RS><EOT>",
        "[)>{RS}06{GS}1PSPARK-4TB{GS}SSIM0000000001{RS}{EOT}",
        "(21)SIM0000000001(240)SPARK-4TB",
        "(01)09506000134352(21)SIM0000000001(240)SPARK-4TB",
        "]C121SIM0000000001<GS>240SPARK-4TB",
        "]d2010950600013435221SIM0000000001<GS>240SPARK-4TB",
        "SN=SIM0000000001;PN=SPARK-4TB",
        "S/N: sim0000000001 | P/N: spark-4tb",
        "https://example.org/q?sn=SIM0000000001&sku=SPARK-4TB",
        "Serial Number: SIM0000000001, Part Number: SPARK-4TB",
    ],
)
def test_a_code_that_holds_serial_and_part_is_taken_apart(code: str) -> None:
    label = read_label(scan(code))
    assert "SIM0000000001" in label.serials
    assert "SPARK-4TB" in label.parts
    assert not any(word.startswith(("21", "240")) for word in (*label.serials, *label.parts))


def test_what_names_itself_is_not_guessed_about() -> None:
    assert read_label(scan("SN=SIM0000000001")).serials == ["SIM0000000001"]
    assert read_label(scan("(21)SIM0000000001")).serials == ["SIM0000000001"]
    assert read_label(scan("[)><RS>06<GS>SSIM0000000001<RS><EOT>")).serials == ["SIM0000000001"]


def test_a_bare_code_may_begin_with_a_data_identifier_and_may_not() -> None:
    assert read_label(scan("SIM0000000001")).serials == ["SIM0000000001", "IM0000000001"]
    assert read_label(scan(serial="SSIM0000000001")).serials == ["SSIM0000000001", "SIM0000000001"]
    assert read_label(scan(part_number="1PSPARK-4TB")).parts[-1] == "SPARK-4TB"


def test_a_label_that_uses_identifiers_uses_them_for_the_serial_too() -> None:
    assert read_label(scan("SSIM1 1PSPARK")).serials == ["SIM1", "SSIM1"]
    assert read_label(scan("SSIM1", "23S02510001FD01")).serials == ["SIM1", "SSIM1"]
    assert read_label(scan("SSIM1 4012345678901")).serials == ["SSIM1", "SIM1", "4012345678901"]


@pytest.mark.parametrize(
    "text",
    [
        "02:51:00:01:fd:01",
        "02-51-00-01-FD-01",
        "02510001FD01",
        "0251.0001.fd01",
        "23S02510001FD01",
        "MAC=02:51:00:01:FD:01",
    ],
)
def test_macs_in_every_way_that_they_are_written(text: str) -> None:
    assert read_label(scan(text)).macs == ["02510001FD01"]
    assert read_label(scan(mac=text)).macs == ["02510001FD01"]


def test_several_macs_and_none() -> None:
    assert macs_in("02:51:00:01:fd:01, 02:51:00:01:fd:02 02:51:00:01:fd:01") == ["02510001FD01", "02510001FD02"]
    assert macs_in("00:00:00:00:00:00 02:51 nonsense") == []


def test_columns_are_read_like_codes_and_keep_to_their_meaning() -> None:
    label = read_label(scan(serial="S/N: sim 0001", part_number="spark-4tb", asset_tag="A-7", carton="c1", mac="x"))
    assert (label.serials, label.parts, label.macs) == (["SIM0001"], ["SPARK-4TB"], [])
    assert (label.asset_tag, label.carton) == ("A-7", "C1")


@pytest.mark.parametrize(
    "text", ["~~#", "", "    ", "****", "=" * 500, "\\u001b[2J", "ß", "(21)", "]C1", "[)>", "://?", "SN="]
)
def test_garbage_names_no_serial(text: str) -> None:
    assert read_label(scan(text)).serials == []


def test_canonical() -> None:
    assert canonical(" sim 0001 ") == "SIM0001"
    assert canonical("*SIM1*") == "SIM1"
    assert canonical("x" * 65) is None


@given(
    st.lists(
        st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), max_size=80),
        max_size=5,
    )
)
def test_any_text_is_read_and_nothing_comes_of_it_but_values(codes: list[str]) -> None:
    try:
        row = scan(*codes)
    except ValueError:
        return
    label = read_label(row)
    assert all(canonical(value) == value for value in (*label.serials, *label.parts))
    assert all(len(mac) == 12 for mac in label.macs)
