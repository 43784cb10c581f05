//! Every table of this crate, and whose rows it holds.

use super::Table;

pub(super) const TABLES: &[Table] = &[
    Table::global("users"),
    Table::global("organizations"),
    Table::global("sessions"),
    Table::global("second_factors"),
    Table::global("recovery_codes"),
    Table::global("factor_enrolments"),
    Table::global("bootstrap"),
    Table::global("failures"),
    Table::global("password_resets"),
    Table::global("email_changes"),
    Table::global("notices"),
    Table::global("spent_uses"),
    Table::tenant("memberships").and_own(),
    Table::tenant("invitations"),
    Table::tenant("grants"),
    Table::tenant("role_reviews"),
    Table::tenant("roles"),
    Table::tenant("service_accounts"),
    Table::tenant("service_keys"),
    Table::mixed("revocations"),
    Table::mixed("audit_outbox"),
];
