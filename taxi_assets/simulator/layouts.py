"""The first schema of each layout of a published file; ``eras`` has the later changes."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

__all__ = [
    "F64",
    "FHVHV_2019",
    "FHVHV_TEXTS",
    "FHV_2015",
    "GREEN_2014",
    "I64",
    "LARGE",
    "LOCATIONS_2023",
    "NULL",
    "STR",
    "TAXI_2023",
    "YELLOW_2009",
    "YELLOW_2010",
    "YELLOW_2011",
    "Columns",
]

NULL = pa.null()
I32 = pa.int32()
I64 = pa.int64()
F64 = pa.float64()
STR = pa.string()
LARGE = pa.large_string()
TIME = pa.timestamp("us")

Columns = Mapping[str, pa.DataType]


_AMOUNTS_2009 = ("mta_tax", "Tip_Amt", "Tolls_Amt", "Total_Amt")
_AMOUNTS_2010 = ("surcharge", "mta_tax", "tip_amount", "tolls_amount", "total_amount")

YELLOW_2009: Columns = {
    "vendor_name": STR,
    "Trip_Pickup_DateTime": STR,
    "Trip_Dropoff_DateTime": STR,
    "Passenger_Count": I64,
    "Trip_Distance": F64,
    "Start_Lon": F64,
    "Start_Lat": F64,
    "Rate_Code": F64,
    "store_and_forward": F64,
    "End_Lon": F64,
    "End_Lat": F64,
    "Payment_Type": STR,
    "Fare_Amt": F64,
    "surcharge": F64,
    **dict.fromkeys(_AMOUNTS_2009, F64),
}

YELLOW_2010: Columns = {
    "vendor_id": STR,
    "pickup_datetime": TIME,
    "dropoff_datetime": TIME,
    "passenger_count": I64,
    "trip_distance": F64,
    "pickup_longitude": F64,
    "pickup_latitude": F64,
    "rate_code": STR,
    "store_and_fwd_flag": STR,
    "dropoff_longitude": F64,
    "dropoff_latitude": F64,
    "payment_type": STR,
    "fare_amount": F64,
    **dict.fromkeys(_AMOUNTS_2010, F64),
}

YELLOW_2011: Columns = {
    "VendorID": I64,
    "tpep_pickup_datetime": TIME,
    "tpep_dropoff_datetime": TIME,
    "passenger_count": I64,
    "trip_distance": F64,
    "RatecodeID": I64,
    "store_and_fwd_flag": STR,
    "PULocationID": I64,
    "DOLocationID": I64,
    "payment_type": I64,
    "fare_amount": F64,
    "extra": F64,
    "mta_tax": F64,
    "tip_amount": F64,
    "tolls_amount": F64,
    "improvement_surcharge": F64,
    "total_amount": F64,
    "congestion_surcharge": NULL,
    "airport_fee": NULL,
}

GREEN_2014: Columns = {
    "VendorID": I64,
    "lpep_pickup_datetime": TIME,
    "lpep_dropoff_datetime": TIME,
    "store_and_fwd_flag": STR,
    "RatecodeID": I64,
    "PULocationID": I64,
    "DOLocationID": I64,
    "passenger_count": I64,
    "trip_distance": F64,
    "fare_amount": F64,
    "extra": F64,
    "mta_tax": F64,
    "tip_amount": F64,
    "tolls_amount": F64,
    "ehail_fee": F64,
    "improvement_surcharge": F64,
    "total_amount": F64,
    "payment_type": I64,
    "trip_type": F64,
    "congestion_surcharge": NULL,
}

FHV_2015: Columns = {
    "dispatching_base_num": STR,
    "pickup_datetime": TIME,
    "dropOff_datetime": TIME,
    "PUlocationID": F64,
    "DOlocationID": F64,
    "SR_Flag": NULL,
    "Affiliated_base_number": STR,
}

FHVHV_2019: Columns = {
    "hvfhs_license_num": STR,
    "dispatching_base_num": STR,
    "originating_base_num": STR,
    "request_datetime": TIME,
    "on_scene_datetime": TIME,
    "pickup_datetime": TIME,
    "dropoff_datetime": TIME,
    "PULocationID": I64,
    "DOLocationID": I64,
    "trip_miles": F64,
    "trip_time": I64,
    "base_passenger_fare": F64,
    "tolls": F64,
    "bcf": F64,
    "sales_tax": F64,
    "congestion_surcharge": F64,
    "airport_fee": NULL,
    "tips": F64,
    "driver_pay": F64,
    "shared_request_flag": STR,
    "shared_match_flag": STR,
    "access_a_ride_flag": STR,
    "wav_request_flag": STR,
    "wav_match_flag": NULL,
}

FHVHV_TEXTS = (*(name for name, kind in FHVHV_2019.items() if kind == STR), "wav_match_flag")
LOCATIONS_2023: Columns = {"PULocationID": I32, "DOLocationID": I32}
TAXI_2023: Columns = {
    "VendorID": I32,
    "passenger_count": I64,
    "RatecodeID": I64,
    "store_and_fwd_flag": LARGE,
    **LOCATIONS_2023,
}
