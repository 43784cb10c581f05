-- The three roles of cyprob and its database. Run this once as a superuser,
-- and give each role a password or another way to authenticate.
-- The owner makes and migrates the tables.
CREATE ROLE cyprob_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;
-- The runtime role is what nodes work as: no table is its own, and row level security holds it.
CREATE ROLE cyprob_runtime LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;
-- The auditor reads.
CREATE ROLE cyprob_auditor LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;
CREATE DATABASE cyprob OWNER cyprob_owner ENCODING 'UTF8' TEMPLATE template0;
