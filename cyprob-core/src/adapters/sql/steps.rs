//! Steps of refreshes, taken together where the database is a server.

use std::collections::BTreeSet;

use super::together::{Subject, Together};
use super::tx::event_args;
use super::{Arg, Backend, Columns, SqlStore, sql};
use crate::domain::SessionId;
use crate::domain::audit::AuditEvent;
use crate::ports::store::{Advance, StoreError};

/// Steps that wait for each other.
pub(super) type Steps = Together<Step, bool>;

/// One step and the event of it.
pub(super) struct Step {
    step: Advance,
    event: [Arg<'static>; 3],
}

impl Subject for Step {
    type Id = SessionId;

    fn id(&self) -> SessionId {
        self.step.session
    }
}

impl Step {
    /// A step to be taken with others; `None` where it is taken by itself.
    pub(super) fn of<B: Backend>(
        step: &Advance,
        event: &AuditEvent,
    ) -> Result<Option<Self>, StoreError> {
        // The statement records in the log of no organization.
        if B::text(&sql::STEPS).is_empty() || event.org.is_some() {
            return Ok(None);
        }
        Ok(Some(Self {
            step: step.clone(),
            event: event_args(event)?,
        }))
    }
}

impl<B: Backend> SqlStore<B> {
    pub(super) async fn step_taken(&self, step: Step) -> Result<bool, StoreError> {
        let store = self.clone();
        let take = move |steps| {
            let store = store.clone();
            async move { store.steps_taken(steps).await }
        };
        self.steps.call(step, take).await
    }

    /// Which steps held. Where the answer is lost they are sent again, and have not held then if they did before.
    async fn steps_taken(
        &self,
        steps: Vec<Step>,
    ) -> Result<Vec<Result<bool, StoreError>>, StoreError> {
        let ints = |of: fn(&Advance) -> Option<i64>| {
            Arg::Ints(steps.iter().map(|step| of(&step.step)).collect())
        };
        let mut args = vec![
            Arg::ids(steps.iter().map(|step| step.step.session)),
            ints(|step| Some(step.from.into())),
            ints(|step| Some(step.credential_epoch.get().into())),
            ints(|step| Some(step.to.generation.into())),
            ints(|step| Some(step.to.key.get().into())),
            ints(|step| step.to.previous_key.map(|key| key.get().into())),
            ints(|step| Some(step.to.rotated_at.as_micros())),
            ints(|step| Some(step.at.as_micros())),
            ints(|step| Some(step.idle_expires_at.as_micros())),
        ];
        let (mut ids, mut bodies) = (Vec::new(), Vec::new());
        for Step { event, .. } in &steps {
            if let [Arg::Id(Some(id)), _, Arg::Text(Some(body))] = event {
                ids.push(*id);
                bodies.push(Some(body.as_ref()));
            }
        }
        args.extend([Arg::Ids(ids), Arg::Texts(bodies)]);
        let _signal = self.signal();
        let rows = self.fetch_all(&sql::STEPS, &args).await?;
        let mut taken = BTreeSet::new();
        for row in &rows {
            taken.insert(Columns::of(row, "sessions").id::<SessionId>("id")?);
        }
        let held = |step: &Step| Ok(taken.contains(&step.step.session));
        Ok(steps.iter().map(held).collect())
    }
}
