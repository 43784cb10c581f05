//! What every identity store must do, one function per behaviour.
//!
//! Each function takes an empty store, fails by a panic that names what was
//! expected, and takes no sleep. Those with "race" in their text start their
//! racers on a barrier, so run them on a runtime of several threads, as
//! [`identity_store_conformance!`](crate::identity_store_conformance) does.

pub mod accesses;
pub mod accounts;
pub mod bootstrap;
pub mod emails;
pub mod failures;
pub mod grants;
mod harness;
pub mod invitations;
pub mod members;
pub mod notices;
pub mod openings;
pub mod orgs;
pub mod outbox;
pub mod passwords;
pub mod resets;
pub mod reviews;
pub mod revocations;
pub mod role_grants;
pub mod roles;
pub mod second_factor;
pub mod service_accounts;
pub mod service_keys;
pub mod sessions;
pub mod standing;
pub mod tenants;
pub mod users;
mod world;

/// Makes one test per behaviour for a store of your own.
///
/// The argument is an expression whose future gives an empty store and what
/// must outlive it, such as a temporary folder. The calling crate needs tokio
/// with `macros` and `rt-multi-thread`.
///
/// ```
/// # // Only the form is shown: the tests themselves are made under `cfg(test)`.
/// use cyprob_core::adapters::memory::MemoryStore;
///
/// cyprob_core::identity_store_conformance!(async { (MemoryStore::new(), ()) });
/// ```
#[macro_export]
macro_rules! identity_store_conformance {
    ($make:expr) => {
        $crate::identity_store_conformance! { @all $make;
            bootstrap {
                the_door_opens_once_to_the_armed_token
                a_token_opens_until_its_time_and_a_new_one_replaces_it
                of_many_founders_one_wins
                the_door_stays_shut_when_its_first_administrator_goes
            }
            users {
                an_account_comes_back_as_it_was
                who_is_not_there_is_none
                a_rehash_replaces_the_same_form_alone
                memberships_come_by_slug
            }
            passwords {
                a_new_password_ends_all_but_the_kept_session
                a_new_password_without_a_kept_session_ends_all
                only_an_own_live_session_can_be_kept
                a_password_checked_at_another_epoch_loses
                of_many_new_passwords_one_wins
            }
            orgs {
                an_organization_comes_back_as_it_was
                a_taken_slug_changes_nothing
                of_many_for_one_slug_one_wins
                what_an_update_leaves_out_stays
                organizations_come_in_pages
                asking_for_a_factor_ends_weak_grants
                a_cursor_of_any_bytes_is_answered
            }
            members {
                a_new_role_grows_the_epoch_and_is_revoked
                a_role_checked_against_another_loses
                the_last_owner_stays
                two_owners_who_demote_each_other_leave_one
                an_epoch_outlives_its_membership
                a_removed_member_is_gone_with_the_grants
                members_come_in_pages
            }
            invitations {
                an_invitation_comes_back_as_it_was
                a_stranger_accepts_and_gets_an_account
                a_person_with_an_account_accepts
                an_invitation_that_is_not_open_is_gone
                of_many_who_accept_one_is_let_in
                a_taken_address_leaves_it_open
                a_member_already_leaves_it_open
                it_is_withdrawn_once
                of_withdrawal_and_acceptance_one_wins
                invitations_come_in_pages
            }
            sessions {
                a_session_comes_back_as_it_was
                a_step_moves_one_generation
                a_step_that_does_not_hold_changes_nothing
                of_many_steps_one_wins
                a_session_ends_once_and_by_its_owner_alone
                the_others_end_and_the_named_one_stays
                live_sessions_come_in_pages
            }
            openings {
                a_session_opens_with_its_grant_its_events_and_its_notice
                a_session_of_an_older_epoch_is_not_opened
                a_session_that_races_a_new_password_does_not_outlive_it
                a_session_that_races_a_required_factor_gets_no_grant
                a_session_of_a_disabled_account_is_not_opened
            }
            grants {
                a_grant_is_opened_once
                a_session_opens_with_its_first_grant
                of_many_first_grants_one_is_new
                an_ended_grant_stays_ended
                ending_a_grant_leaves_the_rest
                a_list_shows_live_grants_of_live_sessions
                grants_come_in_pages
                a_weak_session_gets_no_grant_where_a_factor_is_required
            }
            accesses {
                an_access_tells_policy_version_and_grant
                a_grant_is_the_sessions_own
                who_belongs_nowhere_has_no_access
                renewals_at_once_keep_people_and_organizations_apart
            }
            reviews {
                the_mapping_is_of_those_who_are_members
                an_open_review_comes_back_and_is_replaced
                a_review_is_signed_once_and_stays
                a_review_of_other_roles_is_not_signed
                of_many_signers_one_wins
                who_changed_a_role_last_is_known
                reviews_come_in_pages
                a_review_is_its_organizations_alone
            }
            standing {
                a_token_stands_in_all_its_parts
                a_token_falls_with_its_session
                a_token_falls_with_its_grant
                a_token_falls_with_its_membership
            }
            revocations {
                every_kind_lives_until_its_time
                sweeping_drops_what_is_past
            }
            failures {
                counters_add_up_apart
                a_success_sets_to_nought_what_was_before
                a_counter_at_its_bound_is_recorded_once
                counters_are_cleared_with_their_event
                sweeping_forgets_the_quiet_and_the_light
                of_many_nodes_no_failure_is_lost
            }
            resets {
                a_token_resets_once_and_ends_everything
                a_token_is_dead_after_its_time_and_at_another_epoch
                a_new_token_comes_after_the_interval_beside_the_last
                of_many_requests_one_is_given_a_token
                who_may_not_reset_gets_no_token
                of_many_uses_of_one_token_one_wins
            }
            emails {
                a_confirmed_address_is_the_persons_and_ends_everything
                an_own_address_is_only_verified
                a_change_is_dead_after_its_time_and_at_another_epoch
                a_new_change_replaces_the_open_one_after_the_interval
                an_address_that_is_taken_meanwhile_changes_nothing
                of_many_for_one_address_one_wins
                an_objection_takes_the_change_and_all_later_ones_back
                an_objection_is_open_for_its_time
                an_address_is_kept_while_its_person_may_object
                nobody_objects_from_an_unverified_address
                sweeping_drops_changes_that_are_over
            }
            accounts {
                a_disabled_account_is_over_and_comes_back
                the_last_administrator_stays
                two_administrators_who_disable_each_other_leave_one
                everybodys_sessions_end_with_one_revocation
                a_persons_sessions_end_with_one_revocation
                an_organizations_grants_end_and_older_sessions_get_none
                accounts_come_in_pages
                clients_come_newest_first
            }
            notices {
                a_notice_is_stored_with_its_event_alone
                a_notice_is_claimed_once_and_dropped
            }
            second_factor {
                a_factor_comes_into_force_by_its_own_session
                an_enrolment_is_confirmed_by_its_own_session_alone
                a_new_enrolment_replaces_the_sessions_earlier_one
                an_enrolment_begins_in_an_own_live_session_alone
                who_has_a_factor_shows_it_for_another
                a_new_factor_replaces_the_old_with_its_codes
                of_many_confirmations_one_wins
                a_step_is_used_once_and_none_before_it
                a_recovery_code_is_used_once
                of_many_uses_of_one_code_one_wins
                a_code_of_a_session_that_is_not_opened_stays_good
                a_step_up_renews_the_sign_in
                a_step_up_that_does_not_hold_changes_nothing
                a_removed_factor_is_gone_with_its_codes
                a_required_factor_stays_and_is_reset
                a_reset_ends_every_session
                a_reset_beside_new_recovery_codes_fails_nobody
                a_new_password_keeps_the_factor
                new_recovery_codes_replace_the_old
                of_many_new_sets_of_codes_one_is_left
            }
            outbox {
                events_come_in_the_order_of_their_recording
                an_event_comes_back_as_it_was
                what_waits_for_a_log_comes_newest_first
                discarding_takes_out_what_is_named
                of_many_recorders_no_event_is_lost_or_torn
                a_change_whose_event_fails_is_taken_back
            }
            roles {
                a_role_comes_back_as_it_was
                a_taken_name_changes_nothing
                of_many_for_one_name_one_wins
                roles_come_in_pages
                an_organization_defines_a_bounded_number
                an_edit_makes_the_next_version_and_ends_those_before
                an_edit_checked_against_another_version_loses
                of_many_edits_of_one_version_one_wins
                another_organization_has_none_of_it
            }
            role_grants {
                a_role_given_in_another_version_is_not_given
                a_grant_never_follows_the_edit_it_was_not_checked_against
                a_role_that_somebody_has_stays
                a_role_that_nobody_has_goes
                of_deletion_and_grant_one_wins
            }
            service_accounts {
                an_account_comes_back_as_it_was
                accounts_come_in_pages
                a_change_grows_the_epoch_and_is_revoked
                a_change_checked_at_another_epoch_loses
                of_many_changes_at_one_epoch_one_wins
                an_owner_who_leaves_is_told_and_another_takes_over
                a_deleted_account_is_gone_with_its_keys
                another_organization_has_none_of_them
            }
            service_keys {
                two_keys_live_and_a_third_is_refused
                a_dead_key_makes_room
                of_many_new_keys_two_are_good
                a_key_is_made_for_the_account_that_was_checked
                a_revoked_key_is_gone
                a_use_is_kept_by_the_hour
                a_use_of_what_has_changed_is_none
                no_use_follows_a_deletion
                another_organization_touches_no_key
            }
            tenants {
                another_organization_sees_nothing
                another_organization_changes_nothing
                an_organization_that_is_not_there_has_nothing
            }
        }
    };
    (@all $make:expr; $($subject:ident { $($behaviour:ident)* })*) => {$(
        mod $subject {
            #[allow(unused_imports)]
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $behaviour() {
                let (store, _alive) = $make.await;
                let store = ::std::sync::Arc::new(store);
                $crate::testkit::identity_store::$subject::$behaviour(store)
                    .await
                    .unwrap();
            })*
        }
    )*};
}
