mod kv;
mod login;
mod outage;
mod token;
