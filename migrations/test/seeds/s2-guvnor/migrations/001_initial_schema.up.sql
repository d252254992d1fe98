CREATE TABLE IF NOT EXISTS incidents (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    status      text NOT NULL CHECK (status IN ('open', 'resolved')),
    severity    smallint NOT NULL,
    team_id     text NOT NULL,
    labels      jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    CHECK ((status = 'resolved') = (resolved_at IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS idx_incidents_labels ON incidents USING gin (labels);
CREATE TABLE IF NOT EXISTS events (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    incident_id uuid NOT NULL REFERENCES incidents (id),
    type        text NOT NULL,
    metadata    jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS signals (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), source text NOT NULL, payload jsonb NOT NULL);
