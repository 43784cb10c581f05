//! The use cases of identity.md, each over every store of this crate.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test reports by panicking"
)]

mod bootstrap;
mod hasher;
mod house;
mod invitations;
mod members;
mod passwords;
mod refresh;
mod role_reviews;
mod sign_in;

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
        a_change_ends_every_other_session
        a_change_without_keeping_ends_all_sessions
        a_wrong_current_password_is_recorded_and_changes_nothing
        a_weak_new_password_costs_no_hash
        of_two_changes_at_once_one_wins
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
    bootstrap {
        of_many_at_once_one_wins
        a_token_is_good_for_30_minutes_and_until_the_next
        the_door_stays_closed
        the_first_record_of_the_system_log_says_who
        asvs_6_3_2_a_new_deployment_has_no_account
    }
}
