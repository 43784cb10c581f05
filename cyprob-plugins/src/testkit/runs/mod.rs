//! What every store of plugins and runs and every queue must do, one function per behaviour.
//!
//! Each function takes empty [`Stores`], fails by a panic that names what was
//! expected, and takes no sleep. Those with "of many" in their name start
//! racers together: run them on a runtime of several threads, as
//! [`runs_conformance!`](crate::runs_conformance) does.

pub mod objects;
mod plg_3;
pub mod plugins;
pub mod queue;
pub mod requests;
mod scoped;
pub mod tenants;
mod tokens;
mod world;

pub use plg_3::plg_3_no_interleaving_loses_a_run_or_takes_two_results;
pub use scoped::pages_of_runs_are_what_the_scope_admits;
pub use tokens::TableTokens;
pub use world::Stores;

/// Makes one test per behaviour for stores of your own.
///
/// The argument is an expression whose future gives empty
/// [`Stores`](crate::testkit::runs::Stores) and what must outlive them, such as a
/// temporary folder. The calling crate needs tokio with `macros` and `rt-multi-thread`.
///
/// ```
/// # // Only the form is shown: the tests themselves are made under `cfg(test)`.
/// use cyprob_core::adapters::memory::MemoryStore;
/// use cyprob_plugins::adapters::memory::MemoryRuns;
/// use cyprob_plugins::testkit::runs::Stores;
///
/// cyprob_plugins::runs_conformance!(async {
///     let outbox = std::sync::Arc::new(MemoryStore::new());
///     let runs = MemoryRuns::new(outbox.clone());
///     (Stores::of(runs, outbox), ())
/// });
/// ```
#[macro_export]
macro_rules! runs_conformance {
    ($make:expr) => {
        $crate::runs_conformance! { @all $make;
            plugins {
                a_plugin_comes_back_as_it_was
                the_same_file_again_changes_nothing
                a_version_has_one_content
                a_new_version_takes_the_place_disabled
                an_earlier_version_can_come_back
                enabling_is_recorded_once
                enabled_plugins_come_in_order_up_to_the_limit
                a_removed_plugin_is_gone
                plugins_come_in_pages
                of_many_contents_of_one_version_one_wins
                a_change_whose_event_fails_is_not_made
            }
            requests {
                a_run_comes_back_as_it_was
                the_same_key_gives_the_first_run
                a_key_of_another_request_is_used
                a_key_tells_what_it_was_used_for
                keys_are_each_requesters_own
                of_many_requests_with_one_key_one_is_queued
                each_organization_has_so_many_open
                a_run_is_cancelled_once
                runs_come_in_pages_the_newest_first
                findings_come_in_pages_in_their_order
                a_run_keeps_what_it_pinned
                a_change_whose_event_fails_is_not_made
            }
            queue {
                the_oldest_run_comes_first
                organizations_take_turns
                a_job_is_what_was_asked_for
                a_taken_run_is_due_when_its_lease_ends
                an_extended_lease_lasts
                of_many_takers_one_gets_the_run
                a_taker_with_an_old_view_gets_nothing
                a_stale_fence_changes_nothing
                a_result_is_taken_once
                of_many_results_one_is_taken
                only_attempts_that_count_are_counted
                a_cancelled_run_takes_no_result
                reclaiming_ends_every_lease
                a_change_whose_event_fails_is_not_made
            }
            objects {
                a_scope_decides_what_is_read
                a_scope_decides_what_is_cancelled
                a_scope_decides_what_is_created
                whether_there_is_a_run_is_told_of_each
                a_key_of_a_run_outside_is_hidden
                cursors_outside_neither_skip_nor_tell
                tags_of_another_organization_are_nothing
                no_person_has_no_own_runs
            }
            tenants {
                another_organization_sees_nothing
                another_organization_changes_nothing
                an_event_of_another_organization_is_refused
            }
        }
    };
    (@all $make:expr; $($subject:ident { $($behaviour:ident)* })*) => {$(
        mod $subject {
            #[allow(unused_imports)]
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $behaviour() {
                let (stores, _alive) = $make.await;
                $crate::testkit::runs::$subject::$behaviour(stores)
                    .await
                    .unwrap();
            })*
        }
    )*};
}
