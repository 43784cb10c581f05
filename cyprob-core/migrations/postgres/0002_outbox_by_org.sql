-- The trail of one organization shows what waits for it, however much waits for others.
CREATE INDEX audit_outbox_by_org ON audit_outbox (org_id, place);
