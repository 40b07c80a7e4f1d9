"""An independent implementation of the specifications in pandas, to check the generated SQL.

It states names, types, codes and rules a second time and must use nothing of
``taxi_assets.datasets`` or ``taxi_assets.cleaning``. Each line of a layout is a canonical column,
its kind and its published names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

_TAXI_MONEY = """
fare_amount           float fare_amount Fare_Amt
extra                 float extra surcharge
mta_tax               float mta_tax
tip_amount            float tip_amount Tip_Amt
tolls_amount          float tolls_amount Tolls_Amt
"""
YELLOW = f"""
vendor_id             vendor VendorID vendor_id vendor_name
pickup_at             time  tpep_pickup_datetime pickup_datetime Trip_Pickup_DateTime
dropoff_at            time  tpep_dropoff_datetime dropoff_datetime Trip_Dropoff_DateTime
passenger_count       int   passenger_count Passenger_Count
trip_distance         float trip_distance Trip_Distance
pickup_zone_id        int   PULocationID
dropoff_zone_id       int   DOLocationID
pickup_longitude      float pickup_longitude Start_Lon
pickup_latitude       float pickup_latitude Start_Lat
dropoff_longitude     float dropoff_longitude End_Lon
dropoff_latitude      float dropoff_latitude End_Lat
rate_code_id          int   RatecodeID rate_code Rate_Code
store_and_fwd_flag    yesno store_and_fwd_flag store_and_forward
payment_type          payment payment_type Payment_Type
{_TAXI_MONEY}
improvement_surcharge float improvement_surcharge
congestion_surcharge  float congestion_surcharge
airport_fee           float airport_fee Airport_fee
cbd_congestion_fee    float cbd_congestion_fee
total_amount          float total_amount Total_Amt
request_source        text  request_source
"""
GREEN = f"""
vendor_id             int   VendorID
pickup_at             time  lpep_pickup_datetime
dropoff_at            time  lpep_dropoff_datetime
passenger_count       int   passenger_count
trip_distance         float trip_distance
pickup_zone_id        int   PULocationID
dropoff_zone_id       int   DOLocationID
rate_code_id          int   RatecodeID
store_and_fwd_flag    text  store_and_fwd_flag
payment_type          int   payment_type
trip_type             int   trip_type
{_TAXI_MONEY}
ehail_fee             float ehail_fee
improvement_surcharge float improvement_surcharge
congestion_surcharge  float congestion_surcharge
cbd_congestion_fee    float cbd_congestion_fee
total_amount          float total_amount
request_source        text  request_source
"""
FHV = """
dispatching_base_num  text dispatching_base_num
affiliated_base_num   text Affiliated_base_number
pickup_at             time pickup_datetime
dropoff_at            sent dropOff_datetime dropoff_datetime
pickup_zone_id        int  PUlocationID PULocationID
dropoff_zone_id       int  DOlocationID DOLocationID
shared_ride_flag      int  SR_Flag
"""
FHVHV = """
license_num           text  hvfhs_license_num
dispatching_base_num  text  dispatching_base_num
originating_base_num  text  originating_base_num
request_at            time  request_datetime
on_scene_at           time  on_scene_datetime
pickup_at             time  pickup_datetime
dropoff_at            time  dropoff_datetime
pickup_zone_id        int   PULocationID
dropoff_zone_id       int   DOLocationID
trip_distance         float trip_miles
trip_seconds          int   trip_time
base_passenger_fare   float base_passenger_fare
tolls                 float tolls
black_car_fund        float bcf
sales_tax             float sales_tax
congestion_surcharge  float congestion_surcharge
airport_fee           float airport_fee
cbd_congestion_fee    float cbd_congestion_fee
tips                  float tips
driver_pay            float driver_pay
shared_request_flag   text  shared_request_flag
shared_match_flag     text  shared_match_flag
access_a_ride_flag    text  access_a_ride_flag
wav_request_flag      text  wav_request_flag
wav_match_flag        text  wav_match_flag
"""
LAYOUTS = {"yellow": YELLOW, "green": GREEN, "fhv": FHV, "fhvhv": FHVHV}

Mask = npt.NDArray[np.bool_]
_TEXT = pd.StringDtype("pyarrow")


def clean(
    dataset: str, month: str, table: pa.Table, suffix: str = "parquet"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The trips and the rejects of a month's published rows."""
    frame = pd.DataFrame(index=pd.RangeIndex(table.num_rows))
    for line in filter(None, LAYOUTS[dataset].splitlines()):
        name, kind, *published = line.split()
        here = [each for each in published if each in table.column_names]
        assert len(here) <= 1
        values = table[here[0]].to_pylist() if here else [None] * table.num_rows
        frame[name] = _KINDS[kind](values)
    frame["source_month"] = pd.Timestamp(f"{month}-01").as_unit("ms")
    frame["source_file"] = pd.array([f"{dataset}_tripdata_{month}.{suffix}"] * len(frame), _TEXT)
    frame["quality_flags"] = _named(_flags(dataset, month, frame), len(frame))
    frame["reject_reasons"] = _named(_reasons(month, frame), len(frame))
    frame["source_row"] = pd.array(range(len(frame)), "Int64")
    rejected = frame["reject_reasons"].notna()
    return frame[~rejected].drop(columns=["reject_reasons", "source_row"]), frame[rejected]


def assert_same_rows(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    """Rows, columns and types are equal, in any order of the rows."""
    columns = list(wanted.columns)
    assert list(found.columns) == columns
    pd.testing.assert_frame_equal(
        found.sort_values(columns, ignore_index=True),
        wanted.sort_values(columns, ignore_index=True),
        check_exact=True,
    )


def _ints(values: list[object]) -> pd.api.extensions.ExtensionArray:
    return pd.array([None if v is None else int(float(str(v))) for v in values], "Int64")


def _floats(values: list[object]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _texts(values: list[object]) -> pd.api.extensions.ExtensionArray:
    texts = [None if value is None else str(value).strip(" ").upper() or None for value in values]
    return pd.array(texts, _TEXT)


def _times(values: list[object]) -> pd.Series:
    return pd.to_datetime(pd.Series(values, dtype=object)).astype("datetime64[us]")


def _sent_times(values: list[object]) -> pd.Series:
    times = _times(values)
    return times.mask(times == pd.Timestamp("1989-01-01"))


def _vendors(values: list[object]) -> pd.api.extensions.ExtensionArray:
    return _ints([{"CMT": 1, "VTS": 2, "DDS": 3}.get(str(value), value) for value in values])


def _payments(values: list[object]) -> pd.api.extensions.ExtensionArray:
    """Names by their first two letters: CASH, Cash, CAS and CSH all mean cash."""
    words = {"cr": 1, "ca": 2, "cs": 2, "no": 3, "di": 4, "un": 5, "na": 5, "vo": 6}
    return _ints([words.get(str(value)[:2].lower(), value) if value else value for value in values])


def _yes_or_no(values: list[object]) -> pd.api.extensions.ExtensionArray:
    words = {"0": "N", "0.0": "N", "1": "Y", "1.0": "Y"}
    return _texts([None if value is None else words.get(str(value), value) for value in values])


_KINDS: Mapping[str, Callable[[list[object]], Any]] = {
    "int": _ints,
    "float": _floats,
    "text": _texts,
    "time": _times,
    "sent": _sent_times,
    "vendor": _vendors,
    "payment": _payments,
    "yesno": _yes_or_no,
}


def _reasons(month: str, frame: pd.DataFrame) -> dict[str, Mask]:
    start = pd.Timestamp(f"{month}-01")
    end = start + pd.offsets.MonthBegin()
    month_away = pd.Timedelta(days=31)
    pickup, dropoff = frame["pickup_at"], frame["dropoff_at"]
    return {
        "pickup_missing": _mask(pickup.isna()),
        "pickup_far_from_month": _mask(
            (pickup < start - month_away) | (pickup >= end + month_away)
        ),
        "dropoff_before_pickup": _mask(pickup - dropoff > pd.Timedelta(hours=1)),
    }


def _flags(dataset: str, month: str, frame: pd.DataFrame) -> dict[str, Mask]:
    start = pd.Timestamp(f"{month}-01")
    pickup, dropoff = frame["pickup_at"], frame["dropoff_at"]
    early, lasts = pickup - dropoff, dropoff - pickup
    flags = {
        "pickup_outside_month": _mask(
            pickup.notna() & ((pickup.dt.year != start.year) | (pickup.dt.month != start.month))
        ),
        "dropoff_just_before_pickup": _mask(
            (early > pd.Timedelta(0)) & (early <= pd.Timedelta(hours=1))
        ),
        "zero_duration": _mask(lasts == pd.Timedelta(0)),
        "long_trip": _mask(lasts > pd.Timedelta(hours=12)),
    }
    if dataset != "fhv":
        distance = frame["trip_distance"]
        flags["zero_distance"] = _mask(distance == 0)
        flags["negative_distance"] = _mask(distance < 0)
        flags["implausible_distance"] = _mask(distance > 200)
    if dataset == "fhvhv":
        flags["negative_fare"] = _mask(frame["base_passenger_fare"] < 0)
    if dataset in ("yellow", "green"):
        flags["negative_amount"] = _mask(frame["total_amount"] < 0)
        flags["zero_passengers"] = _mask(frame["passenger_count"] == 0)
        flags["passengers_unknown"] = _mask(frame["passenger_count"].isna())
    flags |= _zone_flags(dataset, month, frame)
    if dataset != "fhv":
        flags["unknown_code"] = _unknown_code(dataset, frame)
    if dataset == "yellow":
        flags["outside_nyc"] = _outside(frame)
    return flags


def _zone_flags(dataset: str, month: str, frame: pd.DataFrame) -> dict[str, Mask]:
    ends = {"pickup": frame["pickup_zone_id"], "dropoff": frame["dropoff_zone_id"]}
    unknown = np.zeros(len(frame), np.bool_)
    outside = np.zeros(len(frame), np.bool_)
    for end, zone in ends.items():
        not_yet = (dataset == "yellow" and month < "2011-01") or (
            dataset == "fhv" and end == "dropoff" and month < "2017-06"
        )
        if not not_yet:
            unknown |= _mask(zone.isna() | zone.isin([264, 265]))
        outside |= _mask((zone < 1) | (zone > 265))
    return {"unknown_zone": unknown, "zone_out_of_range": outside}


def _unknown_code(dataset: str, frame: pd.DataFrame) -> Mask:
    flags = [name for name in frame.columns if name.endswith("_flag")]
    codes = {name: ["Y", "N"] for name in flags}
    if dataset != "fhvhv":
        codes["request_source"] = ["A", "CC", "EH0004", "EH0010", "HV0003", "HV0005"]
    if dataset == "fhvhv":
        codes["license_num"] = ["HV0002", "HV0003", "HV0004", "HV0005"]
    unknown = np.zeros(len(frame), np.bool_)
    for name, known in codes.items():
        text = frame[name]
        unknown |= _mask(text.notna() & ~text.isin(known))
    return unknown


def _outside(frame: pd.DataFrame) -> Mask:
    outside = np.zeros(len(frame), np.bool_)
    for end in ("pickup", "dropoff"):
        longitude, latitude = frame[f"{end}_longitude"], frame[f"{end}_latitude"]
        outside |= _mask((longitude < -74.3) | (longitude > -73.65))
        outside |= _mask((latitude < 40.45) | (latitude > 40.95))
    return outside


def _mask(condition: pd.Series) -> Mask:
    """As in SQL, NULL does not match."""
    return condition.fillna(False).to_numpy(np.bool_)


def _named(masks: Mapping[str, Mask], rows: int) -> pd.api.extensions.ExtensionArray:
    names = [
        ",".join(name for name, mask in masks.items() if mask[row]) or None for row in range(rows)
    ]
    return pd.array(names, _TEXT)
