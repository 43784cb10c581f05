//! The closed catalogue of actions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text names no action of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no action of the catalogue")]
pub struct UnknownAction;

macro_rules! actions {
    ($($(#[$doc:meta])+ $name:ident $text:literal;)+) => {
        /// What was done or tried. The list is closed: a new action is a change of this type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub enum Action {
            $($(#[$doc])+ $name,)+
        }

        impl Action {
            /// Every action of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The dotted name that the audit trail shows.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }

        impl FromStr for Action {
            type Err = UnknownAction;

            fn from_str(text: &str) -> Result<Self, UnknownAction> {
                match text {
                    $($text => Ok(Self::$name),)+
                    _ => Err(UnknownAction),
                }
            }
        }
    };
}

actions! {
    /// The first administrator came to be; the first record of a deployment.
    DeploymentBootstrapped "deployment.bootstrapped";
    /// The control plane started.
    SystemStarted "system.started";
    /// The control plane stopped in an orderly way.
    SystemStopped "system.stopped";
    /// The store's schema was brought to a version.
    SystemMigrated "system.migrated";
    /// The configuration in force at a start, by its digest.
    SystemConfigured "system.configured";
    /// An operator ran an administration command on the machine.
    AdminCommand "admin.command";
    /// A signing key came into use.
    KeyCreated "key.created";
    /// A new key of a token ring was published, which signs after its lead.
    TokenKeyRotated "token_key.rotated";
    /// A key of a token ring was revoked; its tokens ended.
    TokenKeyRevoked "token_key.revoked";
    /// A request was refused for want of a permission or a live sign-in.
    AccessDenied "access.denied";
    /// A person signed in.
    SessionOpened "session.opened";
    /// A sign-in failed.
    SessionRefused "session.refused";
    /// A session's tokens were renewed.
    SessionRefreshed "session.refreshed";
    /// A refresh was refused.
    SessionRefreshRefused "session.refresh_refused";
    /// A used refresh token came back: the session was ended.
    SessionTheftDetected "session.theft_detected";
    /// A person signed out.
    SessionClosed "session.closed";
    /// A person ended one of their other sessions.
    SessionRevoked "session.revoked";
    /// A person ended all of their other sessions.
    SessionsRevoked "session.revoked_others";
    /// A session got its first token for an organization.
    GrantOpened "grant.opened";
    /// An organization ended a session's access to it.
    GrantEnded "grant.ended";
    /// An account was made.
    UserCreated "user.created";
    /// A password was changed.
    PasswordChanged "user.password_changed";
    /// A token that resets a password was asked for.
    PasswordResetRequested "user.password_reset_requested";
    /// A password was set by a token from a mail, or such a token was refused.
    PasswordReset "user.password_reset";
    /// A change of the address, or its verification, was asked for.
    EmailChangeRequested "user.email_change_requested";
    /// A change of the address was refused.
    EmailChangeRefused "user.email_change_refused";
    /// The address was changed.
    EmailChanged "user.email_changed";
    /// The address was shown to be the person's.
    EmailVerified "user.email_verified";
    /// A change of the address was taken back by the holder of the one before.
    EmailChangeObjected "user.email_change_objected";
    /// An account was switched off.
    UserDisabled "user.disabled";
    /// An account was switched on.
    UserEnabled "user.enabled";
    /// Accounts were looked at by the deployment's administrator.
    UsersRead "user.read";
    /// The deployment's administrator ended sessions, of a person, an organization or everyone.
    SessionsEnded "session.ended_many";
    /// A password change was refused.
    PasswordChangeRefused "user.password_change_refused";
    /// So many attempts at an account failed that strangers cannot sign in to it.
    SignInSwitchedOff "sign_in.switched_off";
    /// An administrator let strangers sign in to an account again.
    SignInSwitchedOn "sign_in.switched_on";
    /// Many more accounts than usual began to be tried at once.
    SignInSurgeBegan "sign_in.surge_began";
    /// No more accounts than usual are tried any more.
    SignInSurgeEnded "sign_in.surge_ended";
    /// A person began to set up a second factor.
    FactorEnrolmentBegun "factor.enrolment_begun";
    /// A second factor came into force.
    FactorActivated "factor.activated";
    /// A person removed their second factor.
    FactorRemoved "factor.removed";
    /// The deployment's administrator removed a person's second factor.
    FactorReset "factor.reset";
    /// A signed-in person showed a wrong second factor.
    FactorRefused "factor.refused";
    /// A recovery code was used up.
    RecoveryCodeUsed "factor.recovery_code_used";
    /// A person got new recovery codes in place of the old.
    RecoveryCodesReplaced "factor.recovery_codes_replaced";
    /// A signed-in person showed a credential again.
    SessionSteppedUp "session.stepped_up";
    /// A signed-in person showed a wrong password for that.
    SessionStepUpRefused "session.step_up_refused";
    /// An organization was made.
    OrgCreated "org.created";
    /// An organization's name or policy was changed.
    OrgUpdated "org.updated";
    /// A person became a member.
    MemberAdded "member.added";
    /// A member's role was changed.
    MemberRoleChanged "member.role_changed";
    /// A member was removed.
    MemberRemoved "member.removed";
    /// An invitation was made.
    InvitationCreated "invitation.created";
    /// An invitation was withdrawn.
    InvitationRevoked "invitation.revoked";
    /// An invitation was accepted.
    InvitationAccepted "invitation.accepted";
    /// A review of an organization's roles was opened.
    RoleReviewOpened "role_review.opened";
    /// A person signed a review of an organization's roles.
    RoleReviewSigned "role_review.signed";
    /// An organization defined a role.
    RoleCreated "role.created";
    /// What a role permits was changed; the tokens in it ended.
    RoleEdited "role.edited";
    /// A role was deleted.
    RoleDeleted "role.deleted";
    /// A service account was made.
    ServiceAccountCreated "service_account.created";
    /// A service account got another role, or another person answers for it; its tokens ended.
    ServiceAccountChanged "service_account.changed";
    /// A service account was deleted; its keys and tokens ended.
    ServiceAccountDeleted "service_account.deleted";
    /// A key of a service account was made.
    ServiceKeyCreated "service_key.created";
    /// A key of a service account was revoked; its tokens ended.
    ServiceKeyRevoked "service_key.revoked";
    /// A key was exchanged for an access token.
    ServiceKeyExchanged "service_key.exchanged";
    /// A secret of an organization got a new value, or its first.
    SecretStored "secret.stored";
    /// A secret of an organization got a value that was drawn here and shown to nobody.
    SecretRotated "secret.rotated";
    /// A secret of an organization was deleted, with all its versions.
    SecretDeleted "secret.deleted";
    /// A secret was read, once or several times, or its reading was refused.
    SecretRead "secret.read";
    /// The audit trail was read.
    AuditRead "audit.read";
    /// The audit trail was exported.
    AuditExported "audit.exported";
    /// A plugin was installed.
    PluginInstalled "plugin.installed";
    /// A plugin file was refused.
    PluginRefused "plugin.refused";
    /// A plugin was enabled.
    PluginEnabled "plugin.enabled";
    /// A plugin was disabled.
    PluginDisabled "plugin.disabled";
    /// A plugin was removed.
    PluginRemoved "plugin.removed";
    /// A run was asked for.
    RunCreated "run.created";
    /// A worker took a run.
    RunStarted "run.started";
    /// A run's attempt was lost and the run went back to the queue.
    RunRetried "run.retried";
    /// A run ended with its findings stored.
    RunSucceeded "run.succeeded";
    /// A run ended in an error of its own.
    RunFailed "run.failed";
    /// A run was cancelled.
    RunCancelled "run.cancelled";
    /// A run lost its last attempt.
    RunDied "run.dead";
    /// A worker's message was refused.
    RunResultRefused "run.result_refused";
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        action.as_str().to_owned()
    }
}

impl TryFrom<String> for Action {
    type Error = UnknownAction;

    fn try_from(text: String) -> Result<Self, UnknownAction> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse::<Action>().unwrap(), *action);
        }
        assert!("session.unheard_of".parse::<Action>().is_err());
    }
}
