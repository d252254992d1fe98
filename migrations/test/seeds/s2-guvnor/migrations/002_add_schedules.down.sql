DROP TABLE IF EXISTS audit_logs;
ALTER TABLE incidents DROP COLUMN IF EXISTS escalation_policy_id;
DROP TABLE IF EXISTS escalation_policies;
