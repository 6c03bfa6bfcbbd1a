//! What every adapter must pass: the [contract](crate::contract) as tests, for adapters that ship and
//! adapters that are written elsewhere (feature `conformance`).
//!
//! One line makes the tests, one for each case, each on a fresh empty database:
//!
//! ```ignore
//! use covet_drivers::conformance::Setup;
//!
//! async fn fresh() -> covet_drivers::Result<Option<Setup>> {
//!     let folder = tempfile::tempdir().map_err(as_covet)?;
//!     let url = format!("mydb://{}/test.db", folder.path().display());
//!     // What the clean-up holds lives as long as the case.
//!     Ok(Some(Setup::new(url).with_cleanup(async move { drop(folder) })))
//! }
//!
//! covet_drivers::conformance!(fresh);
//! ```
//!
//! `None` says that there is no server to test against; the cases then say so and pass. The database
//! should be one that several connections can share, where the kind has such.
//!
//! The cases speak in [`catalog`](crate::catalog), [`sql`](crate::sql) and [`value`](crate::value)
//! only. What a database says that it lacks (by [`Capabilities`](crate::Capabilities), or by an
//! `Unsupported` error that names it, where the contract allows one) is said aloud and left out;
//! what it does not refuse, it must do right.

mod bed;
mod compare;
mod fixture;
mod session;

pub mod bulk;
pub mod changes;
pub mod connecting;
pub mod dropped;
pub mod errors;
pub mod guards;
pub mod migrations;
pub mod schemas;
pub mod sessions;
pub mod sinks;
pub mod statements;
pub mod text;
pub mod transactions;
pub mod values;
pub mod writes;

pub use bed::{Bed, Failure, Outcome, Setup, run};

/// Makes a failure of the case when a condition does not hold.
macro_rules! check {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Failure::new(format!($($text)+)));
        }
    };
}

pub(crate) use check;

/// The whole suite, one `#[test]` for each case, in a module `conformance`.
///
/// Its argument is a function without arguments whose future gives `Result<Option<Setup>>`: a fresh
/// empty database for each call, or `None` when there is no server.
#[macro_export]
macro_rules! conformance {
    ($fresh:expr) => {
        fn conformance_setup()
        -> $crate::contract::BoxFuture<'static, $crate::Result<::std::option::Option<$crate::conformance::Setup>>> {
            ::std::boxed::Box::pin(async { ($fresh)().await })
        }

        /// The cases of Covet's conformance suite.
        mod conformance {
            $crate::__conformance_modules! {
                connecting {
                    the_adapter_is_known_by_its_schemes
                    an_unknown_parameter_names_the_nearest
                    nothing_shows_a_password
                    many_sessions_side_by_side
                    a_closed_session_leaves_no_lock
                    a_dropped_session_leaves_no_transaction
                }
                values {
                    booleans
                    integers
                    floats
                    texts
                    bytes
                    days_and_times
                    uuids
                    decimals
                    json
                    enums
                    order_is_that_of_the_values
                    decimals_are_reckoned_exactly
                }
                text {
                    compares_and_sorts_by_code_point
                    is_unique_by_code_point
                    without_case_where_it_is_asked_for
                    like_matches_code_points
                    begins_with_a_text
                }
                errors {
                    of_constraints
                    of_names_and_syntax
                    of_values_that_do_not_fit_the_statement
                    never_show_a_value
                }
                statements {
                    null_is_smaller_unless_said_otherwise
                    limits_and_offsets
                    joins_and_subqueries
                    its_own_table_in_a_condition
                    locked_rows
                    names_of_any_kind
                    the_clock
                    as_many_parameters_as_said
                    a_thousand_texts_on_one_session
                    a_statement_outlives_a_change_of_its_table
                }
                writes {
                    counts_are_of_rows_found
                    numbers_given_by_the_database
                    defaults
                    rows_given_back
                    conflict_and_nothing
                    conflict_and_update
                    assignments_read_the_row_before
                    a_script_stops_at_the_first_error
                }
                bulk {
                    any_number_of_rows
                    columns_that_are_left_out
                    several_parts
                    a_refused_row
                    in_a_transaction
                    a_refused_value_names_its_row
                    a_row_of_another_length
                    large_rows
                    a_table_that_changes
                }
                transactions {
                    commit_and_rollback
                    savepoints
                    what_is_out_of_place_is_refused
                    after_a_failed_statement
                    after_a_failed_statement_a_savepoint_helps
                    a_failed_statement_does_nothing
                    isolation_levels
                    read_only
                    concurrent_writers_lose_nothing
                }
                dropped {
                    statements
                    writes
                    many_rows
                    begin
                    commit
                    rollback
                    savepoint
                    script
                    reset
                    rows_half_read
                }
                sinks {
                    a_stop
                    an_error
                    a_stop_in_a_transaction
                    a_stop_among_very_many
                    a_stop_does_not_stop_a_write
                    a_pause_waits_for_a_poll
                }
                sessions {
                    a_reset_ends_a_transaction
                    a_reset_drops_temporary_tables
                    plain_statements_leave_nothing
                    who_is_there
                }
                schemas {
                    is_read_as_it_was_made
                    every_default
                    longest_name
                    foreign_keys_act
                    enums_come_and_go
                }
                changes {
                    tables_are_renamed
                    columns_come_and_go
                    columns_are_renamed
                    columns_change
                    indexes_come_and_go
                    foreign_keys_come_and_go
                    enums_change
                }
                guards {
                    null_where_it_is_no_longer_allowed
                    numbers_that_do_not_fit
                    text_that_is_too_long
                    a_value_takes_the_place_of_null
                    a_new_column_without_a_value
                    rows_that_agree_in_a_new_unique_index
                }
                migrations {
                    a_migration_is_kept
                    a_migration_is_undone
                    one_runner_at_a_time
                    a_lock_ends_with_its_session
                }
            }
        }
    };
}

/// A test for each case; a part of [`conformance!`](crate::conformance!).
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_modules {
    ($($module:ident { $($case:ident)+ })+) => {$(
        mod $module {
            $(
                #[test]
                fn $case() -> ::std::result::Result<(), $crate::conformance::Failure> {
                    $crate::conformance::run(super::super::conformance_setup(), |bed| {
                        ::std::boxed::Box::pin($crate::conformance::$module::$case(bed))
                    })
                }
            )+
        }
    )+};
}

#[cfg(test)]
mod tests {
    /// A case that the macro does not name would never run.
    #[test]
    fn every_case_is_in_the_list() {
        let list = include_str!("mod.rs");
        let mut cases = 0;
        for (file, source) in [
            ("bulk", include_str!("bulk.rs")),
            ("changes", include_str!("changes.rs")),
            ("connecting", include_str!("connecting.rs")),
            ("dropped", include_str!("dropped.rs")),
            ("errors", include_str!("errors.rs")),
            ("guards", include_str!("guards.rs")),
            ("migrations", include_str!("migrations.rs")),
            ("schemas", include_str!("schemas.rs")),
            ("sessions", include_str!("sessions.rs")),
            ("sinks", include_str!("sinks.rs")),
            ("statements", include_str!("statements.rs")),
            ("text", include_str!("text.rs")),
            ("transactions", include_str!("transactions.rs")),
            ("values", include_str!("values.rs")),
            ("writes", include_str!("writes.rs")),
        ] {
            let listed =
                list.split_once(&format!("                {file} {{")).and_then(|(_, rest)| rest.split_once('}'));
            let listed: Vec<&str> = listed.map(|(names, _)| names.split_whitespace().collect()).unwrap_or_default();
            for line in source.lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
                let name = line.split('(').next().unwrap_or_default();
                assert!(listed.contains(&name), "{file}::{name} is not in the list");
                cases += 1;
            }
        }
        assert!(cases > 70);
    }
}
