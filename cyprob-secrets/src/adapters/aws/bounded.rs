//! Answers are read up to a bound.

use aws_sdk_secretsmanager::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_secretsmanager::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_secretsmanager::error::BoxError;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;

use crate::domain::SecretValue;

/// The most bytes of an answer: every byte of a secret escaped as `\u0000`, and a little around it.
const MOST: usize = 6 * SecretValue::MAX_LEN + 16_384;

/// Ends an answer with an error where it goes on past the bound.
#[derive(Debug)]
pub(super) struct Bounded;

impl Intercept for Bounded {
    fn name(&self) -> &'static str {
        "Bounded"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _runtime_components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response_mut();
        let body = Limited::new(answer.take_body(), MOST);
        *answer.body_mut() = SdkBody::from_body_1_x(body);
        Ok(())
    }
}
