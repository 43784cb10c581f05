//! Steps of refreshes that are taken together: one message, and one wait for the disk.

use std::collections::BTreeMap;

use super::together::{Subject, Together};
use super::tx::body;
use super::{Arg, Backend, Columns, Scope, SqlStore, sessions, sql};
use crate::domain::SessionId;
use crate::domain::audit::AuditEvent;
use crate::ports::store::{Advance, StoreError};

/// Steps that wait for each other. Of one whose session another transaction has locked nothing came.
pub(super) type Steps = Together<Step, Option<bool>>;

/// One step and the event of it.
#[derive(Clone)]
pub(super) struct Step {
    step: Advance,
    event: AuditEvent,
}

impl Subject for Step {
    type Id = SessionId;
    const SHARED: bool = false;

    fn id(&self) -> SessionId {
        self.step.session
    }
}

type Taken = Vec<Result<Option<bool>, StoreError>>;

impl<B: Backend> SqlStore<B> {
    /// Takes a step with those that come at the same time; whether it held.
    pub(super) async fn step(
        &self,
        step: &Advance,
        event: &AuditEvent,
    ) -> Result<bool, StoreError> {
        let step = Step {
            step: step.clone(),
            event: event.clone(),
        };
        let store = self.clone();
        let take = move |steps| {
            let store = store.clone();
            async move { store.steps_taken(steps).await }
        };
        if let Some(held) = self.steps.call(step.clone(), take).await? {
            return Ok(held);
        }
        // Only this one waits for whoever has the session.
        let alone = self.taken_in_turn(&[step]).await?;
        alone
            .into_iter()
            .next()
            .unwrap_or(Ok(None))
            .map(|held| held == Some(true))
    }

    async fn steps_taken(&self, steps: Vec<Step>) -> Result<Taken, StoreError> {
        // The one statement records in the log of no organization.
        let one = !B::text(&sql::STEPS).is_empty();
        if one && steps.iter().all(|step| step.event.org.is_none()) {
            self.taken_at_once(&steps).await
        } else {
            self.taken_in_turn(&steps).await
        }
    }

    /// Takes steps one after the other, in one transaction.
    async fn taken_in_turn(&self, steps: &[Step]) -> Result<Taken, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let mut taken = Vec::with_capacity(steps.len());
        for Step { step, event } in steps {
            let held = sessions::advance(&mut write, step).await?;
            if held {
                write.record(std::slice::from_ref(event)).await?;
            }
            taken.push(Ok(Some(held)));
        }
        write.commit().await?;
        Ok(taken)
    }

    /// Takes steps by one statement, but for those whose session is locked.
    ///
    /// Where the answer is lost they are sent again, and have not held then if they did before.
    async fn taken_at_once(&self, steps: &[Step]) -> Result<Taken, StoreError> {
        let ints = |of: fn(&Advance) -> Option<i64>| {
            Arg::Ints(steps.iter().map(|step| of(&step.step)).collect())
        };
        let bodies: Result<Vec<String>, _> = steps.iter().map(|step| body(&step.event)).collect();
        let bodies = bodies?;
        let args = [
            Arg::ids(steps.iter().map(|step| step.step.session)),
            ints(|step| Some(step.from.into())),
            ints(|step| Some(step.credential_epoch.get().into())),
            ints(|step| Some(step.to.generation.into())),
            ints(|step| Some(step.to.key.get().into())),
            ints(|step| step.to.previous_key.map(|key| key.get().into())),
            ints(|step| Some(step.to.rotated_at.as_micros())),
            ints(|step| Some(step.at.as_micros())),
            ints(|step| Some(step.idle_expires_at.as_micros())),
            Arg::ids(steps.iter().map(|step| step.event.id)),
            Arg::Texts(bodies.iter().map(|body| Some(body.as_str())).collect()),
        ];
        let _signal = self.signal();
        let rows = self.fetch_all(&sql::STEPS, &args).await?;
        let mut held = BTreeMap::new();
        for row in &rows {
            let row = Columns::of(row, "sessions");
            held.insert(row.id::<SessionId>("id")?, row.get::<bool>("held")?);
        }
        let outcome = |step: &Step| Ok(held.get(&step.step.session).copied());
        Ok(steps.iter().map(outcome).collect())
    }
}
