//! AWS Secrets Manager.

use super::report::Report;
use crate::config::AwsSection;

/// Looks at the section and at all that it names.
pub(super) async fn look(section: &AwsSection, report: &mut Report) {
    match section.config() {
        Ok(config) => report.found(config.check_up().await),
        Err(error) => report.refuse(error),
    }
}
