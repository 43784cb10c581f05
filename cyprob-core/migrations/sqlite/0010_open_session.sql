-- PostgreSQL has a function here, which SQLite needs none of.
SELECT 1;
