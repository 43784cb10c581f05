//! A worker as a process of its own, over its standard input and output.
//!
//! One process does one job and ends, so that nothing of one organization is
//! ever in the memory of another's. It starts with an empty environment, gives
//! up files before it reads a byte, and has no database and no secrets: it gets
//! rules, facts and a token that permits this one attempt. When it has reported,
//! or its time is up, its whole process group is killed.

mod child;
mod frame;
mod message;
mod process;

pub use child::{WorkerFailure, serve};
pub use frame::{FrameError, MAX_FRAME, read_frame, write_frame};
pub use message::{JobMessage, MessageError, ReportMessage};
pub use process::{ProcessWorkers, WorkerCommand};
