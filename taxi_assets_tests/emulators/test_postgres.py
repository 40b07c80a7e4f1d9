from __future__ import annotations

import psycopg

from taxi_assets_tests.emulators.postgres import Postgres


def test_rows_are_copied_in_over_loopback_and_seen_through_the_socket(
    postgres_emulator: Postgres,
) -> None:
    with psycopg.connect(postgres_emulator.url) as connection:
        connection.execute("CREATE SCHEMA postgres_proof")
        connection.execute("CREATE TABLE postgres_proof.trips (zone int)")
        with connection.cursor().copy("COPY postgres_proof.trips FROM STDIN") as copy:
            for zone in range(1, 266):
                copy.write_row((zone,))
    through_socket = psycopg.connect(
        host=str(postgres_emulator.socket_folder),
        port=postgres_emulator.port,
        user=postgres_emulator.user,
        dbname=postgres_emulator.database,
    )
    with through_socket as connection:
        found = connection.execute("SELECT count(*), sum(zone) FROM postgres_proof.trips")
        assert found.fetchone() == (265, 265 * 266 // 2)
