"""Rules of PostgreSQL, whose tests run a real server: what a server in use adds to it."""

from __future__ import annotations

from taxi_assets_tests.service_rules import Mutation, ServiceRule

__all__ = ["RULES"]

_DOCS = "https://www.postgresql.org/docs/current"
_WAREHOUSE = "taxi_assets/warehouse"
_TESTS = "taxi_assets_tests/warehouse"
_SWAP = f"{_TESTS}/test_postgres_swap.py"
_KEPT = f"{_TESTS}/test_postgres_kept.py"
_SILENCE = f"{_TESTS}/test_postgres_silence.py"
_ERRORS = f"{_TESTS}/test_postgres_errors.py"

RULES: tuple[ServiceRule, ...] = (
    ServiceRule(
        rule=(
            "Attaching a partition builds each index of the table that the attached one has no "
            "equivalent of, while readers wait; it fails for a CHECK or NOT NULL that is missing."
        ),
        source=f"{_DOCS}/sql-altertable.html#SQL-ALTERTABLE-ATTACH-PARTITION",
        stand_in=f"{_SWAP}:test_attaching_scans_no_rows_and_builds_no_index",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_load.py",
            old="            like_partition(connection, incoming, name, month)\n",
            new="",
            test=f"{_SWAP}::test_attaching_scans_no_rows_and_builds_no_index",
        ),
    ),
    ServiceRule(
        rule=(
            "Attaching scans all rows of the table, unless a CHECK of its own implies the "
            "partition's bound, including NOT NULL."
        ),
        source=f"{_DOCS}/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE",
        stand_in=f"{_SWAP}:test_attaching_scans_no_rows_and_builds_no_index",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_partition.py",
            old="CHECK ({column} IS NOT NULL AND {column} = {day})",
            new="CHECK ({column} = {day})",
            test=f"{_SWAP}::test_attaching_scans_no_rows_and_builds_no_index",
        ),
    ),
    ServiceRule(
        rule=(
            "ACCESS EXCLUSIVE, which dropping a partition takes on its table, conflicts with every "
            "reader, and who waits for it makes all later readers wait too."
        ),
        source=f"{_DOCS}/explicit-locking.html#LOCKING-TABLES",
        stand_in=f"{_SWAP}:test_readers_get_through_while_a_load_waits_for_an_idle_session",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_tries.py",
            old='CHANGING: Final = Limits(lock="2s"',
            new='CHANGING: Final = Limits(lock="100s"',
            test=f"{_SWAP}::test_readers_get_through_while_a_load_waits_for_an_idle_session",
        ),
    ),
    ServiceRule(
        rule=(
            "After `deadlock_timeout` (1 s) of waiting, a session looks for a deadlock, and ends "
            "itself if there is one: a reader, if it is the first to look."
        ),
        source=f"{_DOCS}/runtime-config-locks.html#GUC-DEADLOCK-TIMEOUT",
        stand_in=f"{_SWAP}:test_a_reader_of_both_tables_in_any_order_is_no_victim_of_a_load",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_load.py",
            old='_NEXT_LOCK = "500ms"',
            new='_NEXT_LOCK = "5s"',
            test=f"{_SWAP}::test_a_reader_of_both_tables_in_any_order_is_no_victim_of_a_load",
        ),
    ),
    ServiceRule(
        rule=(
            "VACUUM and ANALYZE, also automatic ones, hold SHARE UPDATE EXCLUSIVE, which a swap "
            "must wait for."
        ),
        source=f"{_DOCS}/routine-vacuuming.html#AUTOVACUUM",
        stand_in=f"{_SWAP}:test_a_swap_waits_for_a_vacuum_before_it_makes_readers_wait",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_load.py",
            old="        lock_out_vacuum(connection, each.incoming, each.name, month)\n",
            new="        pass\n",
            test=f"{_SWAP}::test_a_swap_waits_for_a_vacuum_before_it_makes_readers_wait",
        ),
    ),
    ServiceRule(
        rule="Privileges belong to the table, and are gone with it when it is dropped.",
        source=f"{_DOCS}/ddl-priv.html",
        stand_in=f"{_KEPT}:test_grants_and_the_comment_of_a_month_are_kept",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_partition.py",
            old="    for grant in inherited:\n        connection.execute(grant)\n",
            new="",
            test=f"{_KEPT}::test_grants_and_the_comment_of_a_month_are_kept",
        ),
    ),
    ServiceRule(
        rule=(
            "A table on which a view or a function depends is not dropped (2BP01); triggers, "
            "policies and statistics are dropped with it, without a word."
        ),
        source=f"{_DOCS}/ddl-depend.html",
        stand_in=f"{_KEPT}:test_what_depends_on_a_month_alone_is_named_before_rows_are_copied",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_load.py",
            old="        require_replaceable(connection, name, month)\n",
            new="        pass\n",
            test=f"{_KEPT}::test_what_depends_on_a_month_alone_is_named_before_rows_are_copied",
        ),
    ),
    ServiceRule(
        rule=(
            "Only its owner, and members of the owning role, can alter or drop a table: no "
            "privilege that can be granted includes it."
        ),
        source=f"{_DOCS}/ddl-priv.html",
        stand_in=f"{_KEPT}:test_the_error_for_a_table_of_another_owner_says_so",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_errors.py",
            old='    Rule({"42501"}, _OWN, pattern=_NOT_OWNER),\n',
            new="",
            test=f"{_ERRORS}::test_a_missing_privilege_and_another_owner_are_told_apart",
        ),
    ),
    ServiceRule(
        rule=(
            "A partitioned table has no statistics by autovacuum, and a new table has none before "
            "its first ANALYZE."
        ),
        source=f"{_DOCS}/routine-vacuuming.html#VACUUM-FOR-STATISTICS",
        stand_in=f"{_KEPT}:test_a_month_has_a_brin_index_of_its_pickup_times_and_statistics",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_load.py",
            old='sql.SQL("ANALYZE {}").format(incoming.identifier)',
            new='"SELECT"',
            test=f"{_KEPT}::test_a_month_has_a_brin_index_of_its_pickup_times_and_statistics",
        ),
    ),
    ServiceRule(
        rule=(
            "A role, a database or the server can have a `statement_timeout` and others, which "
            "end a COPY of any size."
        ),
        source=f"{_DOCS}/runtime-config-client.html#GUC-STATEMENT-TIMEOUT",
        stand_in=f"{_ERRORS}:impatient_url",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_connection.py",
            old='        "statement_timeout": limits.statement,\n',
            new="",
            test=f"{_ERRORS}::test_a_role_s_timeouts_end_no_load_and_no_read",
        ),
    ),
    ServiceRule(
        rule=(
            "57014 (a cancelled statement), 25P03 and 25P04 (timeouts of a session and of a "
            "transaction) say nothing about the rows."
        ),
        source=f"{_DOCS}/errcodes-appendix.html",
        stand_in=f"{_ERRORS}:test_a_code_has_its_meaning",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_errors.py",
            old='    transient("57014", "25P03", "25P04"),\n',
            new="",
            test=f"{_ERRORS}::test_a_code_has_its_meaning",
        ),
    ),
    ServiceRule(
        rule=(
            "A COMMIT waits until a synchronous standby has confirmed it, however long that takes."
        ),
        source=f"{_DOCS}/warm-standby.html#SYNCHRONOUS-REPLICATION",
        stand_in=f"{_SILENCE}:test_a_commit_that_waits_for_a_standby_is_not_waited_for",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_connection.py",
            old="        self._limit = _COMMIT_SECONDS\n",
            new="",
            test=f"{_SILENCE}::test_a_commit_that_waits_for_a_standby_is_not_waited_for",
        ),
    ),
    ServiceRule(
        rule=(
            "Keepalives and `tcp_user_timeout` end a connection only if nothing is acknowledged "
            "any more: not one to a proxy whose server is gone."
        ),
        source=f"{_DOCS}/libpq-connect.html#LIBPQ-PARAMKEYWORDS",
        stand_in=f"{_TESTS}/silent_proxy.py:SilentProxy",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_connection.py",
            old="doubted = not self._is_working()",
            new="doubted = False",
            test=f"{_SILENCE}::test_a_load_through_a_silent_proxy_ends_and_the_next_one_succeeds",
        ),
    ),
    ServiceRule(
        rule="The encoding of a connection is that of the database, unless the client sets one.",
        source=f"{_DOCS}/multibyte.html#MULTIBYTE-AUTOMATIC-CONVERSION",
        stand_in=f"{_ERRORS}:latin_url",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_connection.py",
            old='    "client_encoding": "utf8",',
            new="",
            test=f"{_ERRORS}::test_text_is_the_same_in_a_database_of_another_encoding",
        ),
    ),
    ServiceRule(
        rule="Names are cut off after 63 bytes, without an error.",
        source=f"{_DOCS}/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS",
        stand_in=f"{_TESTS}/test_postgres_names.py:_tables",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_schema.py",
            old="NAME_BYTES: Final = 63",
            new="NAME_BYTES: Final = 128",
            test=f"{_TESTS}/test_postgres_names.py::"
            "test_a_table_name_that_is_too_long_is_refused_before_anything_is_made",
        ),
    ),
    ServiceRule(
        rule="Times reach the year 294276, and days 5874897; CSV, and Python's dates, 9999.",
        source=f"{_DOCS}/datatype-datetime.html",
        stand_in=f"{_ERRORS}:test_a_year_that_no_reader_knows_is_refused_and_nothing_is_loaded",
        mutation=Mutation(
            file=f"{_WAREHOUSE}/postgres_copy.py",
            old="            _check_years(batch, path)\n",
            new="",
            test=f"{_ERRORS}::test_a_year_that_no_reader_knows_is_refused_and_nothing_is_loaded",
        ),
    ),
)
