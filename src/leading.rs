//! What one process of a deployment does for all: the audit logs, their sinks, the runs.
//!
//! Another process takes it over as soon as this one leads no more. What is
//! under way then is dropped; the files are asked for before each write, and
//! what goes to the store is compared there with what it was thought to be.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::Action;
use cyprob_core::ports::Term;
use cyprob_core::ports::store::StoreError;
use cyprob_plugins::service::runs::RunsTask;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::audit_log::Audit;
use crate::{ControlPlane, StartError, error_chain};

/// How often the lead is asked for while another process has it.
const TAKE_EVERY: Duration = Duration::from_millis(500);

/// Leads when nobody else does.
#[derive(Debug)]
pub(crate) struct Leading {
    duties: Arc<Mutex<Option<Duties>>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// A process that hands out no runs any more; the logs go on until they are stopped.
#[derive(Debug)]
pub(crate) struct LogsOnly {
    plane: ControlPlane,
    duties: Option<Duties>,
}

/// The work of one term.
#[derive(Debug)]
struct Duties {
    plane: ControlPlane,
    term: Arc<dyn Term>,
    runs: Option<RunsTask>,
    audit_stop: watch::Sender<bool>,
    audit: JoinHandle<()>,
    sink_stop: watch::Sender<bool>,
    sinks: Vec<JoinHandle<()>>,
}

impl Leading {
    /// Records the start, leads if nobody does, and waits for the lead otherwise.
    ///
    /// # Errors
    ///
    /// [`StartError`]; nothing runs then and nothing was changed.
    pub(crate) async fn start(plane: &ControlPlane) -> Result<Self, StartError> {
        let term = plane.parts().leadership.take().await?;
        let duties = match begin(plane, term.clone()).await {
            Ok(duties) => Arc::new(Mutex::new(duties)),
            Err(error) => {
                plane.parts().audit.hand_over();
                if let Some(term) = term {
                    term.resign().await;
                }
                return Err(error);
            }
        };
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(lead(plane.clone(), Arc::clone(&duties), stopped));
        Ok(Self { duties, stop, task })
    }

    /// Waits for the lead no more, and ends the runs.
    pub(crate) async fn stop_runs(self, plane: &ControlPlane) -> LogsOnly {
        self.stop.send_replace(true);
        // It only ends early by a panic, which was logged.
        let _ = self.task.await;
        let mut duties = self.duties.lock().await.take();
        if let Some(runs) = duties.as_mut().and_then(|duties| duties.runs.take()) {
            runs.stop().await;
        }
        LogsOnly {
            plane: plane.clone(),
            duties,
        }
    }
}

impl LogsOnly {
    /// Places, signs, publishes and delivers what was recorded until now, and gives up the lead.
    pub(crate) async fn stop(self) {
        let Some(duties) = self.duties else {
            self.plane.parts().audit.hand_over();
            return;
        };
        duties.audit_stop.send_replace(true);
        let _ = duties.audit.await;
        duties.sink_stop.send_replace(true);
        for sink in duties.sinks {
            let _ = sink.await;
        }
        self.plane.parts().audit.hand_over();
        duties.term.resign().await;
    }
}

impl Duties {
    async fn begin(plane: &ControlPlane, term: Arc<dyn Term>) -> Result<Self, StoreError> {
        let runs = plane.parts().plugin_runs.start().await?;
        let (audit_stop, stopped) = watch::channel(false);
        let (sink_stop, sinks_stopped) = watch::channel(false);
        let sinks = Audit::start_sinks(plane, &sinks_stopped);
        let worker = plane.clone();
        let audit = tokio::spawn(async move { worker.parts().audit.run(stopped).await });
        Ok(Self {
            plane: plane.clone(),
            term,
            runs,
            audit_stop,
            audit,
            sink_stop,
            sinks,
        })
    }

    /// Stops at once, because another process may do it now.
    async fn abandon(self) {
        self.plane.parts().audit.hand_over();
        // The runs under way give up at their fences; nobody waits for them.
        drop(self.runs);
        for task in self.sinks.into_iter().chain([self.audit]) {
            task.abort();
            let _ = task.await;
        }
    }
}

/// Records the start; of the leader, once the logs and the store belong together.
async fn begin(
    plane: &ControlPlane,
    term: Option<Arc<dyn Term>>,
) -> Result<Option<Duties>, StartError> {
    let Some(term) = term else {
        plane.record(Action::SystemStarted).await?;
        return Ok(None);
    };
    let audit = &plane.parts().audit;
    audit.take_over(Arc::clone(&term)).await;
    match audit.recover().await {
        Err(error) if error.is_final() => return Err(error.into()),
        // A disk that is full, for example: the work goes on when it is not.
        Err(error) => {
            let chain = error_chain(&error);
            tracing::error!(%chain, "the audit logs are not up to date yet");
        }
        Ok(()) => {}
    }
    plane.record(Action::SystemStarted).await?;
    Ok(Some(Duties::begin(plane, term).await?))
}

/// Waits for the end of the term, and then for the next one, until the end is asked for.
async fn lead(
    plane: ControlPlane,
    slot: Arc<Mutex<Option<Duties>>>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let term = slot
            .lock()
            .await
            .as_ref()
            .map(|duties| Arc::clone(&duties.term));
        if let Some(term) = term {
            tokio::select! {
                () = term.over() => {}
                () = told(&mut stopped) => return,
            }
            tracing::warn!("another process may lead now");
            if let Some(duties) = slot.lock().await.take() {
                duties.abandon().await;
            }
        }
        tokio::select! {
            taken = take_over(&plane) => *slot.lock().await = taken,
            () = told(&mut stopped) => return,
        }
    }
}

/// Asks for the lead once, and takes up its work; waits a while if that was not to be.
async fn take_over(plane: &ControlPlane) -> Option<Duties> {
    let parts = plane.parts();
    match parts.leadership.take().await {
        Ok(Some(term)) => {
            parts.audit.take_over(Arc::clone(&term)).await;
            match Duties::begin(plane, Arc::clone(&term)).await {
                Ok(duties) => {
                    tracing::warn!("this process leads now");
                    return Some(duties);
                }
                Err(error) => {
                    let chain = error_chain(&error);
                    tracing::error!(%chain, "the lead cannot be taken up");
                    parts.audit.hand_over();
                    term.resign().await;
                }
            }
        }
        Ok(None) => {}
        Err(error) => {
            tracing::debug!(chain = %error_chain(&error), "nobody can be asked for the lead");
        }
    }
    sleep(TAKE_EVERY).await;
    None
}

/// Returns when the end is asked for, or nobody is left who could ask.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}
