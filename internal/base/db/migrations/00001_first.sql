-- +goose Up
-- Tokens in double braces are what the two databases spell differently (dialect_*.go). Times are Unix microseconds.

-- base: audit, feed -------------------------------------------------------------------------------------------------
-- One hash chain for each customer, one for the operator (chain = 'operator').
CREATE TABLE audit_entry (
    chain        TEXT NOT NULL,
    seq          {{int}} NOT NULL,
    at           {{int}} NOT NULL,
    actor        TEXT NOT NULL,
    actor_id     TEXT NOT NULL,
    action       TEXT NOT NULL,
    partner_id   TEXT,
    customer_id  TEXT,
    target_kind  TEXT NOT NULL,
    target_id    TEXT NOT NULL,
    operation_id TEXT,
    detail       TEXT NOT NULL,
    prev_hash    {{blob}} NOT NULL,
    hash         {{blob}} NOT NULL,
    PRIMARY KEY (chain, seq)
) {{strict}};
CREATE INDEX audit_entry_at ON audit_entry (at);
CREATE INDEX audit_entry_customer ON audit_entry (customer_id, at);
CREATE INDEX audit_entry_operation ON audit_entry (operation_id);

CREATE TABLE feed (
    seq         {{pk}},
    at          {{int}} NOT NULL,
    topic       TEXT NOT NULL,
    ref         TEXT NOT NULL,
    partner_id  TEXT,
    customer_id TEXT
) {{strict}};

-- domain/org ------------------------------------------------------------------------------------------------------------
CREATE TABLE operator (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    brand      TEXT NOT NULL,
    created_at {{int}} NOT NULL,
    version    {{int}} NOT NULL
) {{strict}};

CREATE TABLE partner (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    name_key   {{sorted}} NOT NULL,
    brand      TEXT NOT NULL,
    created_at {{int}} NOT NULL,
    deleted_at {{int}},
    version    {{int}} NOT NULL
) {{strict}};

CREATE TABLE customer (
    id                TEXT PRIMARY KEY,
    partner_id        TEXT NOT NULL REFERENCES partner (id),
    name              TEXT NOT NULL,
    name_key          {{sorted}} NOT NULL,
    cloud             TEXT NOT NULL,
    tenant_id         TEXT,
    primary_domain    TEXT,
    country           TEXT,
    time_zone         TEXT,
    billing_reference TEXT,
    seat_limit        {{int}},
    created_at        {{int}} NOT NULL,
    updated_at        {{int}} NOT NULL,
    deleted_at        {{int}},
    version           {{int}} NOT NULL
) {{strict}};
CREATE INDEX customer_partner ON customer (partner_id, name_key);
CREATE INDEX customer_name ON customer (name_key, id);

CREATE TABLE service (
    id           TEXT PRIMARY KEY,
    customer_id  TEXT NOT NULL REFERENCES customer (id),
    kind         TEXT NOT NULL,
    sync         {{bool}} NOT NULL,
    voice_policy TEXT,
    dial_plan    TEXT,
    created_at   {{int}} NOT NULL,
    updated_at   {{int}} NOT NULL,
    deleted_at   {{int}},
    version      {{int}} NOT NULL
) {{strict}};
CREATE UNIQUE INDEX service_kind ON service (customer_id, kind) WHERE deleted_at IS NULL;

CREATE TABLE api_key (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    hash         {{blob}} NOT NULL,
    hint         TEXT NOT NULL,
    level        TEXT NOT NULL,
    partner_id   TEXT,
    customer_id  TEXT,
    role         TEXT NOT NULL,
    created_at   {{int}} NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   {{int}},
    revoked_at   {{int}},
    last_used_at {{int}},
    version      {{int}} NOT NULL
) {{strict}};
CREATE UNIQUE INDEX api_key_hash ON api_key (hash);

CREATE TABLE member (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL,
    email_key     {{sorted}} NOT NULL,
    name          TEXT NOT NULL,
    level         TEXT NOT NULL,
    partner_id    TEXT,
    customer_id   TEXT,
    role          TEXT NOT NULL,
    password_hash TEXT,
    created_at    {{int}} NOT NULL,
    disabled_at   {{int}},
    version       {{int}} NOT NULL
) {{strict}};
CREATE UNIQUE INDEX member_email ON member (email_key);

CREATE TABLE passkey (
    id         {{blob}} PRIMARY KEY,
    member_id  TEXT NOT NULL REFERENCES member (id),
    name       TEXT NOT NULL,
    credential TEXT NOT NULL,
    created_at {{int}} NOT NULL,
    used_at    {{int}}
) {{strict}};

-- A session or one-time sign-in link; only the hash of its token is kept. kind: session, link, ceremony.
CREATE TABLE signin (
    token_hash {{blob}} PRIMARY KEY,
    kind       TEXT NOT NULL,
    actor      TEXT NOT NULL,
    member_id  TEXT,
    created_at {{int}} NOT NULL,
    expires_at {{int}} NOT NULL,
    used_at    {{int}}
) {{strict}};
CREATE INDEX signin_member ON signin (member_id);
CREATE INDEX signin_expires ON signin (expires_at);

-- door/api --------------------------------------------------------------------------------------------------------------
CREATE TABLE idempotency (
    key_id     TEXT NOT NULL,
    key        TEXT NOT NULL,
    route      TEXT NOT NULL,
    body_hash  {{blob}} NOT NULL,
    status     {{int}},
    headers    TEXT,
    body       {{blob}},
    created_at {{int}} NOT NULL,
    PRIMARY KEY (key_id, key)
) {{strict}};

-- engine/operation --------------------------------------------------------------------------------------------------------
CREATE TABLE operation (
    id             TEXT PRIMARY KEY,
    kind           TEXT NOT NULL,
    title          TEXT NOT NULL,
    partner_id     TEXT,
    customer_id    TEXT,
    service_id     TEXT,
    subject        TEXT,
    state          TEXT NOT NULL,
    done           {{int}} NOT NULL,
    total          {{int}} NOT NULL,
    failed_lines   {{int}} NOT NULL,
    input          TEXT NOT NULL,
    memo           TEXT NOT NULL,
    result         TEXT,
    error          TEXT,
    waiting_for    TEXT,
    due_at         {{int}},
    due_why        TEXT,
    attempts       {{int}} NOT NULL,
    cancel_asked   {{bool}} NOT NULL,
    undo_of        TEXT,
    actor          TEXT NOT NULL,
    actor_id       TEXT NOT NULL,
    lease_owner    TEXT,
    lease_until    {{int}},
    fence          {{int}} NOT NULL,
    correlation_id TEXT NOT NULL,
    created_at     {{int}} NOT NULL,
    started_at     {{int}},
    finished_at    {{int}},
    version        {{int}} NOT NULL
) {{strict}};
CREATE INDEX operation_unfinished ON operation (state, due_at) WHERE finished_at IS NULL;
CREATE INDEX operation_customer ON operation (customer_id, created_at);
CREATE INDEX operation_created ON operation (created_at, id);
-- One running sync (or pairing …) for each subject: the second asker is given the first one's operation.
CREATE UNIQUE INDEX operation_subject ON operation (subject) WHERE finished_at IS NULL AND subject IS NOT NULL;

CREATE TABLE operation_step (
    operation_id TEXT NOT NULL REFERENCES operation (id),
    ordinal      {{int}} NOT NULL,
    name         TEXT NOT NULL,
    state        TEXT NOT NULL,
    detail       TEXT NOT NULL,
    started_at   {{int}},
    finished_at  {{int}},
    PRIMARY KEY (operation_id, ordinal)
) {{strict}};
CREATE UNIQUE INDEX operation_step_name ON operation_step (operation_id, name);

CREATE TABLE operation_line (
    operation_id TEXT NOT NULL REFERENCES operation (id),
    line         {{int}} NOT NULL,
    input        TEXT NOT NULL,
    outcome      TEXT NOT NULL,
    error        TEXT,
    PRIMARY KEY (operation_id, line)
) {{strict}};
CREATE INDEX operation_line_failed ON operation_line (operation_id, line) WHERE error IS NOT NULL;

-- Writing to a tenant is serialised by one lease for each (tenant, area).
CREATE TABLE area_lease (
    area         TEXT PRIMARY KEY,
    operation_id TEXT NOT NULL,
    fence        {{int}} NOT NULL,
    until        {{int}} NOT NULL
) {{strict}};

-- engine/plan --------------------------------------------------------------------------------------------------------------
CREATE TABLE change (
    operation_id TEXT NOT NULL REFERENCES operation (id),
    ordinal      {{int}} NOT NULL,
    customer_id  TEXT NOT NULL,
    kind         TEXT NOT NULL,
    kind_version {{int}} NOT NULL,
    key          TEXT NOT NULL,
    action       TEXT NOT NULL,
    before_value TEXT,
    after_value  TEXT,
    state        TEXT NOT NULL,
    mark         TEXT,
    request_id   TEXT,
    error        TEXT,
    due_at       {{int}},
    planned_at   {{int}} NOT NULL,
    intended_at  {{int}},
    sent_at      {{int}},
    applied_at   {{int}},
    finished_at  {{int}},
    PRIMARY KEY (operation_id, ordinal)
) {{strict}};
CREATE INDEX change_thing ON change (customer_id, kind, key);

CREATE TABLE managed (
    customer_id   TEXT NOT NULL,
    kind          TEXT NOT NULL,
    key           TEXT NOT NULL,
    remote_id     TEXT,
    origin        TEXT NOT NULL,
    last_applied  TEXT,
    applied_at    {{int}},
    last_observed TEXT,
    observed_at   {{int}},
    operation_id  TEXT NOT NULL,
    PRIMARY KEY (customer_id, kind, key)
) {{strict}};

-- domain/pairing ------------------------------------------------------------------------------------------------------------
CREATE TABLE pairing (
    customer_id          TEXT PRIMARY KEY REFERENCES customer (id),
    state                TEXT NOT NULL,
    cloud                TEXT NOT NULL,
    tenant_id            TEXT,
    candidate_tenant_id  TEXT,
    tenant_name          TEXT,
    tenant_domains       TEXT NOT NULL,
    app_kind             TEXT NOT NULL,
    application_id       TEXT,
    service_principal_id TEXT,
    cause_code           TEXT,
    cause_detail         TEXT,
    cause_since          {{int}},
    correlation_id       TEXT,
    consented_by         TEXT,
    consented_at         {{int}},
    activated_at         {{int}},
    operation_id         TEXT,
    last_check_at        {{int}},
    next_check_at        {{int}},
    failures             {{int}} NOT NULL,
    created_at           {{int}} NOT NULL,
    updated_at           {{int}} NOT NULL,
    version              {{int}} NOT NULL
) {{strict}};
-- A tenant belongs to one customer (S1.5).
CREATE UNIQUE INDEX pairing_tenant ON pairing (tenant_id) WHERE tenant_id IS NOT NULL;

CREATE TABLE consent_flow (
    state_hash   {{blob}} PRIMARY KEY,
    customer_id  TEXT NOT NULL REFERENCES customer (id),
    service_id   TEXT,
    purpose      TEXT NOT NULL,
    operation_id TEXT,
    app_id       TEXT NOT NULL,
    cloud        TEXT NOT NULL,
    secrets      {{blob}} NOT NULL,
    redirect_uri TEXT NOT NULL,
    tenant_hint  TEXT,
    actor        TEXT NOT NULL,
    actor_id     TEXT NOT NULL,
    created_at   {{int}} NOT NULL,
    expires_at   {{int}} NOT NULL,
    used_at      {{int}}
) {{strict}};

-- Values that only the worker can open; bound to what the columns say.
CREATE TABLE sealed (
    id           TEXT PRIMARY KEY,
    purpose      TEXT NOT NULL,
    customer_id  TEXT NOT NULL,
    cloud        TEXT NOT NULL,
    tenant_id    TEXT NOT NULL,
    app_id       TEXT NOT NULL,
    operation_id TEXT,
    value        {{blob}} NOT NULL,
    redirect_uri TEXT,
    created_at   {{int}} NOT NULL,
    expires_at   {{int}}
) {{strict}};
CREATE INDEX sealed_operation ON sealed (operation_id);

-- domain/directory ------------------------------------------------------------------------------------------------------------
CREATE TABLE tenant_user (
    customer_id      TEXT NOT NULL REFERENCES customer (id),
    id               TEXT NOT NULL,
    upn              TEXT NOT NULL,
    upn_key          {{sorted}} NOT NULL,
    display_name     TEXT NOT NULL,
    name_key         {{sorted}} NOT NULL,
    enabled          {{bool}} NOT NULL,
    usage_location   TEXT,
    account_type     TEXT NOT NULL,
    plans            TEXT NOT NULL,
    products         TEXT NOT NULL,
    licensed         {{bool}} NOT NULL,
    managed          {{bool}} NOT NULL,
    number           TEXT,
    number_type      TEXT,
    voice_policy     TEXT,
    dial_plan        TEXT,
    enterprise_voice {{bool}} NOT NULL,
    on_premises      {{bool}} NOT NULL,
    status           TEXT NOT NULL,
    reason           TEXT NOT NULL,
    directory_hash   {{blob}} NOT NULL,
    voice_hash       {{blob}},
    generation       {{int}} NOT NULL,
    voice_generation {{int}} NOT NULL,
    first_seen_at    {{int}} NOT NULL,
    updated_at       {{int}} NOT NULL,
    removed_at       {{int}},
    version          {{int}} NOT NULL,
    PRIMARY KEY (customer_id, id)
) {{strict}};
CREATE INDEX tenant_user_name ON tenant_user (customer_id, name_key, id);
CREATE INDEX tenant_user_upn ON tenant_user (customer_id, upn_key);
CREATE INDEX tenant_user_number ON tenant_user (customer_id, number);

CREATE TABLE tenant_policy (
    customer_id TEXT NOT NULL REFERENCES customer (id),
    type        TEXT NOT NULL,
    name        TEXT NOT NULL,
    usages      {{int}} NOT NULL,
    generation  {{int}} NOT NULL,
    seen_at     {{int}} NOT NULL,
    PRIMARY KEY (customer_id, type, name)
) {{strict}};

CREATE TABLE tenant_product (
    customer_id TEXT NOT NULL REFERENCES customer (id),
    sku_id      TEXT NOT NULL,
    part_number TEXT NOT NULL,
    bought      {{int}} NOT NULL,
    used        {{int}} NOT NULL,
    plans       TEXT NOT NULL,
    generation  {{int}} NOT NULL,
    PRIMARY KEY (customer_id, sku_id)
) {{strict}};

CREATE TABLE sync_state (
    customer_id    TEXT PRIMARY KEY REFERENCES customer (id),
    generation     {{int}} NOT NULL,
    delta_token    TEXT,
    resume_token   TEXT,
    last_full_at   {{int}},
    last_began_at  {{int}},
    last_done_at   {{int}},
    users          {{int}} NOT NULL,
    changed        {{int}} NOT NULL,
    operation_id   TEXT,
    next_at        {{int}},
    version        {{int}} NOT NULL
) {{strict}};

-- domain/number ------------------------------------------------------------------------------------------------------------
CREATE TABLE number (
    e164             {{sorted}} PRIMARY KEY,
    partner_id       TEXT NOT NULL REFERENCES partner (id),
    customer_id      TEXT REFERENCES customer (id),
    service_id       TEXT REFERENCES service (id),
    number_type      TEXT NOT NULL,
    state            TEXT NOT NULL,
    country          TEXT NOT NULL,
    type             TEXT NOT NULL,
    holder_kind      TEXT,
    holder_id        TEXT,
    holder_name      TEXT,
    operation_id     TEXT,
    voice_policy     TEXT,
    caller_id        TEXT,
    usage            TEXT,
    trunk_id         TEXT,
    location_id      TEXT,
    tags             TEXT NOT NULL,
    quarantine_until {{int}},
    created_at       {{int}} NOT NULL,
    updated_at       {{int}} NOT NULL,
    version          {{int}} NOT NULL
) {{strict}};
CREATE INDEX number_customer ON number (customer_id, e164);
CREATE INDEX number_partner ON number (partner_id, e164);
CREATE INDEX number_holder ON number (customer_id, holder_id);
CREATE INDEX number_state ON number (customer_id, state, e164);

CREATE TABLE number_event (
    seq          {{pk}},
    e164         {{sorted}} NOT NULL,
    at           {{int}} NOT NULL,
    event        TEXT NOT NULL,
    from_state   TEXT,
    to_state     TEXT NOT NULL,
    customer_id  TEXT,
    holder_id    TEXT,
    holder_name  TEXT,
    operation_id TEXT,
    actor        TEXT NOT NULL,
    detail       TEXT NOT NULL
) {{strict}};
CREATE INDEX number_event_number ON number_event (e164, seq);

-- +goose Down
SELECT 1;
