//! The use cases of identity.md, each over every store of this crate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking"
)]

mod accounts;
mod bootstrap;
mod deployment_roles;
mod emails;
mod factor_attacks;
mod factors;
mod hasher;
mod house;
mod invitations;
mod machines;
mod members;
mod passwords;
mod post;
mod refresh;
mod resets;
mod role_reviews;
mod roles;
mod sign_in;
mod step_up;
mod throttle;

/// Runs each test over each store.
macro_rules! over_every_store {
    ($($subject:ident { $($test:ident)* })*) => {
        mod memory {
            $(mod $subject { $(
                #[tokio::test]
                async fn $test() {
                    crate::$subject::$test(crate::house::House::memory()).await;
                }
            )* })*
        }
        mod sqlite {
            $(mod $subject { $(
                #[tokio::test]
                async fn $test() {
                    crate::$subject::$test(crate::house::House::sqlite().await).await;
                }
            )* })*
        }
        mod over_postgres {
            $(mod $subject { $(
                #[tokio::test]
                async fn $test() {
                    crate::$subject::$test(crate::house::House::postgres().await).await;
                }
            )* })*
        }
    };
}

over_every_store! {
    sign_in {
        every_refusal_costs_one_hash_and_says_the_same
        refusals_of_strangers_are_counted_into_one_event
        the_only_organization_is_implied_and_a_foreign_one_is_not_found
        an_account_that_changes_during_the_hash_opens_no_session
        a_password_under_old_parameters_is_hashed_anew
        a_full_hasher_is_busy_and_nothing_is_stored
        asvs_6_2_10_no_password_ends_by_date
        asvs_7_1_2_no_sign_in_ends_another_session
        asvs_7_2_3_sessions_share_nothing_and_draw_at_least_128_bits
    }
    refresh {
        the_current_token_moves_the_session_on
        the_previous_token_gets_the_same_pair_within_the_grace
        the_grace_is_not_extended
        the_previous_token_after_the_grace_is_theft
        an_older_token_is_theft_and_ends_the_session
        a_forged_or_malformed_token_changes_nothing
        an_unused_session_ends_after_its_idle_time
        a_used_session_ends_after_its_absolute_time
        a_new_server_key_signs_nobody_out
        a_foreign_organization_does_not_use_the_token_up
        an_organization_asks_for_a_new_sign_in_after_its_longest_session
    }
    passwords {
        asvs_6_2_2_a_change_ends_every_other_session
        a_change_without_keeping_ends_all_sessions
        a_wrong_current_password_is_recorded_and_changes_nothing
        a_weak_new_password_costs_no_hash
        of_two_changes_at_once_one_wins
        asvs_6_2_3_a_change_asks_for_the_current_password
        asvs_6_2_8_a_password_is_checked_exactly_as_received
        asvs_6_2_11_every_organization_of_the_person_is_context
        asvs_6_2_12_a_disclosed_password_is_refused_everywhere
        a_list_that_cannot_be_read_passes_no_password
    }
    factors {
        setting_one_up_ends_every_other_session
        asvs_6_5_1_a_code_signs_in_once
        of_two_sign_ins_with_one_code_one_wins
        a_wrong_password_learns_nothing_of_the_factor
        an_enrolment_is_its_sessions_alone_and_expires
        asvs_7_5_1_a_present_factor_is_shown_for_another
        a_factor_goes_only_by_factor_and_password
        new_recovery_codes_void_the_old
        asvs_6_4_3_a_new_password_keeps_the_factor
    }
    factor_attacks {
        asvs_6_3_7_whatever_happens_to_a_factor_is_told
        asvs_6_4_3_a_reset_by_mail_keeps_the_factor
        asvs_6_3_1_guesses_at_a_new_factor_slow_down
        a_sign_in_that_a_new_factor_overtakes_opens_nothing
        a_step_up_freshens_its_own_session_alone
        a_disabled_person_shows_and_sets_up_nothing
        what_showed_a_removed_factor_shows_nothing
        without_a_factor_no_way_leads_into_an_organization_that_requires_one
        asvs_6_3_1_guesses_at_a_code_slow_down_apart
    }
    step_up {
        a_step_up_renews_the_sign_in_and_rotates_the_tokens
        asvs_7_5_3_who_has_a_factor_steps_up_with_it
        asvs_6_5_6_the_administrator_resets_a_lost_factor
        asvs_6_3_3_an_organization_lets_in_who_has_a_factor
        a_machine_needs_no_factor_and_says_nothing_of_it
        no_secret_reaches_an_event_or_debug
    }
    invitations {
        a_new_person_becomes_an_unverified_member
        a_token_is_good_once
        a_token_is_good_for_72_hours
        a_withdrawn_invitation_is_not_good
        an_account_gets_no_credential_from_an_invitation
        another_person_and_an_unverified_one_cannot_accept
        the_inviters_rights_are_asked_again
        an_inviter_who_goes_while_the_password_is_hashed_invites_nobody
        nobody_invites_into_a_role_above_their_own
        of_two_acceptances_at_once_one_wins
    }
    members {
        the_last_owner_stays
        two_owners_cannot_remove_each_other
        an_administrator_cannot_touch_an_owner
        a_change_ends_the_tokens_of_that_organization_alone
    }
    role_reviews {
        a_review_is_opened_and_signed_with_its_events
        a_review_of_other_roles_is_not_signed_and_says_what_changed
        who_changed_the_roles_and_signs_for_them_is_seen
        a_machine_stands_for_nothing
    }
    throttle {
        asvs_6_3_1_failed_sign_ins_slow_down
        asvs_6_3_8_an_unknown_name_is_slowed_down_like_a_known_one
        every_spelling_of_a_name_is_slowed_down_together
        many_at_once_are_no_way_around
        a_full_hasher_is_no_failure
        asvs_6_3_1_a_hundred_failures_switch_it_off_for_strangers_alone
        an_administrator_switches_it_on_again
        a_changed_password_switches_it_on_again
        a_stolen_session_guesses_no_faster_and_delays_nobody
        a_recognised_client_signs_in_at_once
        a_forged_or_foreign_device_token_is_none
        a_device_token_of_another_person_is_none
        a_device_token_ends_with_its_time
        a_changed_password_ends_every_device_token_but_the_new_one
        a_thief_of_a_device_token_guesses_ten_times
        failures_of_a_device_are_its_own
        asvs_6_3_1_an_address_tries_so_many_names_and_then_one_a_second
        asvs_6_3_1_turning_through_ipv6_addresses_helps_nobody
        who_signs_in_uses_nothing_up
        a_flood_from_the_same_address_keeps_no_recognised_client_out
        refused_early_is_counted_into_the_trail
        forged_refresh_tokens_delay_no_session_of_this_node
        guessed_invitations_and_bootstraps_are_slowed_down
        a_restart_forgets_no_failure
        nodes_share_their_counters_within_two_flushes
        of_many_nodes_one_records_that_it_is_switched_off
        nothing_is_written_for_who_succeeds_or_fails_once_in_between
        quiet_counters_are_swept_and_those_at_the_bound_stay
        a_clock_set_back_or_forth_locks_nobody_out
        asvs_16_3_1_many_names_that_fail_at_once_are_one_event_and_its_end
    }
    resets {
        asvs_6_4_3_a_reset_by_mail_ends_all_sessions_and_keeps_the_rest
        asvs_6_3_8_a_request_says_and_stores_the_same_for_every_address
        asvs_6_3_1_one_network_asks_for_few_resets_and_guesses_few_tokens
        asvs_6_4_1_a_reset_token_is_good_once_for_its_time
        a_token_is_dead_after_any_credential_change
        a_weak_password_leaves_the_token_good
        a_refused_token_is_counted
        no_token_is_shown_by_events_or_debug
    }
    emails {
        asvs_6_3_7_the_old_address_is_told_and_can_object
        a_new_address_ends_all_sessions_and_signs_in
        an_unverified_address_is_verified_by_mail
        the_answer_does_not_tell_whose_an_address_is
        a_wrong_password_asks_for_nothing_and_is_recorded
        a_reset_token_dies_with_the_address_it_went_to
    }
    accounts {
        asvs_7_4_2_a_disabled_account_has_no_session_left
        the_last_administrator_cannot_be_disabled
        asvs_7_4_5_sessions_end_for_a_person_an_organization_and_everyone
        looking_at_accounts_is_recorded
        an_administrator_is_let_in_again_by_the_operator
        asvs_6_3_5_a_sign_in_from_a_new_device_is_told
    }
    post {
        a_notice_outlives_a_server_that_is_away
        a_letter_is_tried_again_until_it_expires
        what_waits_is_bounded
    }
    roles {
        asvs_8_2_1_nobody_defines_more_than_they_hold
        built_in_names_and_unknown_permissions_are_refused
        asvs_8_3_2_an_edit_ends_the_tokens_and_new_ones_carry_its_version
        a_role_is_not_given_in_a_version_that_was_not_seen
        of_two_who_edit_what_they_saw_at_once_one_is_told
        a_role_in_use_says_who_uses_it
        who_has_an_own_role_gives_as_far_as_it_reaches
        an_invitation_counts_by_what_the_roles_permit_when_it_is_accepted
    }
    deployment_roles {
        what_is_held_under_a_condition_is_not_handed_on
        an_organization_s_own_role_comes_before_the_deployment_s
        a_role_that_left_the_policy_opens_nothing
        who_manages_members_under_a_condition_invites_nobody
    }
    machines {
        a_key_is_exchanged_for_its_account_s_role_and_no_longer_than_a_token_lives
        a_key_that_is_not_good_says_nothing_and_is_counted
        a_key_always_has_an_end_within_the_bound
        two_keys_change_over_and_a_revoked_one_ends_at_once
        a_machine_holds_no_more_than_who_made_it_and_owns_nothing
        a_machine_outlives_its_owner_s_membership
        a_deleted_machine_ends_at_once_with_its_keys
        a_machine_invites_by_its_own_rights_and_not_its_owner_s
        guessed_keys_are_slowed_down_where_they_come_from
        a_key_and_a_machine_are_their_own_organization_s
        no_secret_of_a_key_is_shown_or_kept
    }
    bootstrap {
        of_many_at_once_one_wins
        a_token_is_good_for_30_minutes_and_until_the_next
        the_door_stays_closed
        the_first_record_of_the_system_log_says_who
        asvs_6_3_2_a_new_deployment_has_no_account
    }
}
