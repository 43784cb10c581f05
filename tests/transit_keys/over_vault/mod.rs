mod conformance;
mod custody;
mod outage;
mod plane;
mod timing;
mod traces;
