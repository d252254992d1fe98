CREATE TABLE IF NOT EXISTS escalation_policies (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), policy_config jsonb NOT NULL);
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS escalation_policy_id uuid REFERENCES escalation_policies (id);
CREATE TABLE IF NOT EXISTS audit_logs (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_type text NOT NULL,
    changes     jsonb NOT NULL
);
