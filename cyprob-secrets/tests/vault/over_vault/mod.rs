mod conformance;
mod kv;
mod login;
mod outage;
mod rotation;
mod token;
mod traces;
