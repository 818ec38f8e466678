-- The record. What stands here cannot be added later without rewriting history (RECORD.md 11).
--
-- Integers that name something (kind, state, class, band ...) are the codes of the enumerations in `model`; they are never
-- reused. Instants are Unix milliseconds. A mark (an instant on the clock of one generation) is two columns, `..._generation`
-- and `..._wall`. The two dialects of this file differ in types, and in how rows lie, only.

-- Which schema this is, and the oldest server that may still run on it.
CREATE TABLE schema (
    version INTEGER NOT NULL,
    min_server INTEGER NOT NULL
) STRICT;
INSERT INTO schema (version, min_server) VALUES (1, 1);

-- Numbers without gaps in the order of commits: updated inside the transaction that uses them. A sequence would commit out
-- of order, and readers of a stream would lose rows.
CREATE TABLE counter (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    event INTEGER NOT NULL,
    change INTEGER NOT NULL
) STRICT;
INSERT INTO counter (one, event, change) VALUES (1, 0, 0);

-- Process starts. Generation = 1000 x id, plus one for every step of that process's clock.
CREATE TABLE clock_generations (
    id INTEGER PRIMARY KEY,
    began INTEGER NOT NULL
) STRICT;

-- One entry of the configuration, or one that was made for a host: a host or a part of it, and who may poll it now. An entry
-- whose host changed is another entry.
CREATE TABLE registries (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    repositories TEXT NOT NULL, -- JSON list of patterns
    position INTEGER, -- the first that serves a repository is taken; NULL: not configured any more, and serves nothing
    state INTEGER NOT NULL DEFAULT 1,
    state_reason TEXT,
    state_since INTEGER, -- NULL: not listed yet
    lease_owner TEXT,
    lease_epoch INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    UNIQUE (name, host)
) STRICT;

-- Our clock minus the registry's lies in low..=high, per clock generation.
CREATE TABLE clock_offsets (
    registry_id INTEGER NOT NULL REFERENCES registries (id),
    generation INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    PRIMARY KEY (registry_id, generation)
) STRICT;

-- When the newest pass of a repository of the entry ended.
CREATE TABLE registry_checks (
    registry_id INTEGER PRIMARY KEY REFERENCES registries (id),
    finished INTEGER NOT NULL
) STRICT;

CREATE TABLE repositories (
    id INTEGER PRIMARY KEY,
    registry_id INTEGER NOT NULL REFERENCES registries (id),
    host TEXT NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    state INTEGER NOT NULL,
    state_reason TEXT,
    state_since INTEGER NOT NULL,
    refused_missing INTEGER, -- 1: the listing answered 404; 0: 401 or 403
    refused_generation INTEGER,
    refused_wall INTEGER,
    period_id INTEGER, -- the present watch period; NULL: not watched
    watched_since INTEGER,
    late_told INTEGER -- when people were told that it is late; NULL: it is not
) STRICT;
CREATE INDEX repositories_by_registry ON repositories (registry_id);
-- How the repositories of an entry stand, and why some do not stand well.
CREATE INDEX repositories_standing ON repositories (registry_id, state, host, watched_since, period_id)
    WHERE period_id IS NOT NULL OR state = 7;
CREATE INDEX repositories_with_reason ON repositories (registry_id, state) WHERE state_reason IS NOT NULL;
CREATE INDEX repositories_unwatched ON repositories (id) WHERE period_id IS NULL;
CREATE INDEX repositories_watched ON repositories (name) WHERE period_id IS NOT NULL OR state = 7; -- 7: paused

CREATE TABLE watch_periods (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    began INTEGER NOT NULL,
    began_actor_kind INTEGER NOT NULL,
    began_actor_id TEXT NOT NULL,
    began_actor_display TEXT NOT NULL,
    ended INTEGER,
    ended_actor_kind INTEGER,
    ended_actor_id TEXT,
    ended_actor_display TEXT
) STRICT;
CREATE INDEX watch_periods_by_repository ON watch_periods (repository_id, began);

-- The unit of a product's page, a role, a share, a badge.
CREATE TABLE groups (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    source INTEGER NOT NULL -- 1: the configuration file; 2: a person
) STRICT;
CREATE TABLE group_repositories (
    group_id INTEGER NOT NULL REFERENCES groups (id),
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    PRIMARY KEY (group_id, repository_id)
) STRICT;
CREATE INDEX group_repositories_by_repository ON group_repositories (repository_id);

-- Raw hashes: 32 bytes are sha256, 64 are sha512.
CREATE TABLE digests (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE
) STRICT;

-- Manifests and configs that were read once, zstd.
CREATE TABLE content (
    digest_id INTEGER PRIMARY KEY REFERENCES digests (id),
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    zstd BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE tags (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    name TEXT NOT NULL,
    class INTEGER NOT NULL,
    rule TEXT NOT NULL,
    severity_cap INTEGER, -- the rule lets nothing be more severe; NULL: no rule says so
    retention INTEGER NOT NULL, -- 1: by the rule deletions are expected
    family TEXT NOT NULL,
    track TEXT,
    version_key BLOB NOT NULL, -- compares as the versions do
    state INTEGER NOT NULL, -- 0 unread, 1 present, 2 absent
    digest_id INTEGER REFERENCES digests (id), -- what it names; when absent, what it named last
    claimed_id INTEGER REFERENCES digests (id),
    media_type INTEGER,
    verified INTEGER NOT NULL,
    header_untrusted INTEGER NOT NULL,
    listed INTEGER NOT NULL, -- 1: a listing named it in its present life, with the mark that follows as lower end
    listed_generation INTEGER,
    listed_wall INTEGER,
    floor_generation INTEGER,
    floor_wall INTEGER,
    proof_generation INTEGER,
    proof_wall INTEGER,
    prior TEXT, -- JSON of what stood before an unproven claim; short-lived
    band INTEGER NOT NULL,
    band_generation INTEGER,
    band_wall INTEGER,
    last_seq INTEGER NOT NULL,
    first_seen INTEGER,
    baseline INTEGER NOT NULL,
    changed INTEGER,
    UNIQUE (repository_id, name)
) STRICT;
CREATE INDEX tags_by_version ON tags (repository_id, family, version_key DESC);
CREATE INDEX tags_by_name ON tags (name) WHERE class <> 4; -- 4: ignored
CREATE INDEX tags_by_age ON tags (repository_id, family, first_seen);
-- Releases that stood before the watch.
CREATE INDEX tags_that_stood ON tags (repository_id, version_key DESC) WHERE class = 1 AND baseline = 1;

-- How many tags there are of each sort, kept by differences, so that no overview counts tags.
CREATE TABLE tag_counts (
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    band INTEGER NOT NULL,
    class INTEGER NOT NULL,
    state INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (repository_id, band, class, state)
) STRICT;

-- Releases by the UTC day on which they were first seen, baseline apart; kept in the same way.
CREATE TABLE releases_by_day (
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    day INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (repository_id, day)
) STRICT;

-- Of all repositories together, so that the first page need not go over them: sort 1 are the present releases by band, sort 2 the
-- releases by day. Kept in the same way.
CREATE TABLE totals (
    sort INTEGER NOT NULL,
    key INTEGER NOT NULL, -- the band, or the day
    n INTEGER NOT NULL,
    PRIMARY KEY (sort, key)
) STRICT;

-- Append-only.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    recorded INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    tag_id INTEGER REFERENCES tags (id),
    class INTEGER,
    old_id INTEGER REFERENCES digests (id),
    new_id INTEGER REFERENCES digests (id),
    not_before INTEGER,
    not_after INTEGER NOT NULL,
    clock_changed INTEGER NOT NULL,
    verified INTEGER NOT NULL,
    baseline INTEGER NOT NULL,
    source INTEGER NOT NULL,
    source_name TEXT, -- of a backfill
    deleted_by INTEGER,
    group_id INTEGER,
    hint_actor TEXT, -- who and when by the registry's words; never narrows a window
    hint_at INTEGER,
    actor_kind INTEGER NOT NULL,
    actor_id TEXT NOT NULL,
    actor_display TEXT NOT NULL,
    salt BLOB NOT NULL,
    entry BLOB NOT NULL,
    leaf BLOB NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (at, seq);
-- What the first page shows, however often other tags move.
CREATE INDEX events_of_releases ON events (at, seq) WHERE class = 1 AND baseline = 0;
CREATE INDEX events_by_repository ON events (repository_id, seq);
CREATE INDEX events_by_repository_and_time ON events (repository_id, at, seq);
CREATE INDEX events_by_tag ON events (tag_id, seq);
CREATE INDEX events_by_tag_and_time ON events (tag_id, at, seq);
-- Those of repositories, and claims without bytes.
CREATE INDEX events_apart ON events (repository_id, at) WHERE tag_id IS NULL OR verified = 0;
-- For the states that tags left lately.
CREATE INDEX events_left ON events (repository_id, not_after);

-- Who had the history of a repository deleted.
CREATE TABLE purges (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor_kind INTEGER NOT NULL,
    actor_id TEXT NOT NULL,
    actor_display TEXT NOT NULL,
    events INTEGER NOT NULL
) STRICT;

-- What is left of its events, so that the log has no gaps.
CREATE TABLE purged_events (
    seq INTEGER PRIMARY KEY,
    purge_id INTEGER NOT NULL REFERENCES purges (id),
    leaf BLOB NOT NULL
) STRICT;

-- Claims that bytes proved later.
CREATE TABLE event_proofs (
    seq INTEGER PRIMARY KEY REFERENCES events (seq),
    proven_at INTEGER NOT NULL
) STRICT;

-- A tag at a digest between two events: a projection of `events`, rebuilt at will.
CREATE TABLE spans (
    began_seq INTEGER PRIMARY KEY REFERENCES events (seq),
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    tag_id INTEGER NOT NULL REFERENCES tags (id),
    digest_id INTEGER NOT NULL REFERENCES digests (id),
    from_at INTEGER NOT NULL,
    until_at INTEGER,
    began_by INTEGER NOT NULL,
    ended_by INTEGER,
    ended_seq INTEGER,
    baseline INTEGER NOT NULL
) STRICT;
CREATE INDEX spans_by_repository ON spans (repository_id, from_at, began_seq);
CREATE INDEX spans_by_tag ON spans (tag_id, began_seq);
CREATE INDEX spans_by_tag_and_time ON spans (tag_id, from_at, began_seq);
CREATE INDEX spans_by_digest ON spans (digest_id, began_seq);

-- The first release of a repository that a digest was published as: a projection of releases' spans. It has the digest's hash, too:
-- of thousands that a timeline names nearly all are here, side by side.
CREATE TABLE first_releases (
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    digest_id INTEGER NOT NULL REFERENCES digests (id),
    hash BLOB NOT NULL,
    tag TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (repository_id, digest_id)
) STRICT, WITHOUT ROWID;

-- What the timeline draws in one line. A projection of events, but for the number, which readers keep.
CREATE TABLE lanes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given again, whatever is deleted
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    kind INTEGER NOT NULL, -- 0: the repository, which is counted and not drawn; 1: a family of releases; 2: one other tag; 3: a track
    name TEXT NOT NULL,
    family TEXT NOT NULL, -- of releases
    class INTEGER NOT NULL, -- of a tag, what it is now
    position BLOB NOT NULL, -- compares as the lanes of a repository stand
    version BLOB, -- of a track; compares as the tracks of a family do
    tracks INTEGER NOT NULL, -- of a repository
    n INTEGER NOT NULL,
    baseline INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    UNIQUE (repository_id, kind, name)
) STRICT;
CREATE INDEX lanes_in_order ON lanes (repository_id, position);

-- Events of a lane per bucket of 2^level milliseconds: how many, how many of them only say that a tag stood, and the last of
-- them in time. A projection too.
CREATE TABLE rollups (
    lane_id INTEGER NOT NULL REFERENCES lanes (id),
    level INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    n INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    not_before INTEGER,
    kind INTEGER NOT NULL,
    baseline INTEGER NOT NULL,
    tag_id INTEGER NOT NULL,
    digest_id INTEGER,
    PRIMARY KEY (lane_id, level, bucket)
) STRICT, WITHOUT ROWID;

-- When the image of a release that stood before the watch claims to be made.
CREATE TABLE hints (
    tag_id INTEGER PRIMARY KEY REFERENCES tags (id),
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    digest_id INTEGER REFERENCES digests (id),
    created INTEGER -- NULL: it claims nothing that can be true
) STRICT;
CREATE INDEX hints_of_repository ON hints (repository_id, created);

-- What a release is held to. The tag may not exist yet.
CREATE TABLE promises (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    tag TEXT NOT NULL,
    digest_id INTEGER REFERENCES digests (id), -- NULL: retired
    provisional INTEGER NOT NULL,
    stands INTEGER NOT NULL,
    actor_kind INTEGER NOT NULL,
    actor_id TEXT NOT NULL,
    actor_display TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX promises_standing ON promises (repository_id, tag) WHERE stands = 1;
CREATE INDEX promises_history ON promises (repository_id, tag, id);
CREATE INDEX promises_by_digest ON promises (digest_id) WHERE stands = 1;

-- Releases that nobody should use or go back to, by a person's word.
CREATE TABLE do_not_use (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    tag TEXT NOT NULL,
    digest_id INTEGER REFERENCES digests (id), -- what it was held to when that was said; NULL: nothing
    reason TEXT NOT NULL,
    actor_kind INTEGER NOT NULL,
    actor_id TEXT NOT NULL,
    actor_display TEXT NOT NULL,
    at INTEGER NOT NULL,
    lifted INTEGER, -- when somebody took it back; NULL: it stands
    lifted_actor_kind INTEGER,
    lifted_actor_id TEXT,
    lifted_actor_display TEXT
) STRICT;
CREATE UNIQUE INDEX do_not_use_standing ON do_not_use (repository_id, tag) WHERE lifted IS NULL;

-- Addresses of the page that people keep.
CREATE TABLE views (
    name TEXT PRIMARY KEY,
    address TEXT NOT NULL,
    actor_kind INTEGER NOT NULL,
    actor_id TEXT NOT NULL,
    actor_display TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE flags (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given again, whatever is deleted
    kind INTEGER NOT NULL,
    state INTEGER NOT NULL,
    severity INTEGER NOT NULL, -- of what follows, lowered by the rule of the tag
    content_severity INTEGER NOT NULL, -- of the worst other content
    deletion_severity INTEGER NOT NULL, -- of the worst deletion
    comparing INTEGER NOT NULL,
    flapping INTEGER NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    tag_id INTEGER REFERENCES tags (id),
    not_before INTEGER,
    not_after INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    acknowledged_until INTEGER,
    group_id INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX flags_one_of_tag ON flags (tag_id) WHERE state <> 4 AND tag_id IS NOT NULL;
CREATE UNIQUE INDEX flags_one_of_repository ON flags (repository_id, kind) WHERE state <> 4 AND tag_id IS NULL;
CREATE INDEX flags_worst_first ON flags (state, severity, id);
CREATE INDEX flags_of_repository ON flags (repository_id, state, severity, id);
CREATE INDEX flags_of_tag ON flags (tag_id, id);
CREATE INDEX flags_comparing ON flags (id) WHERE comparing = 1;
CREATE INDEX flags_to_expire ON flags (acknowledged_until) WHERE acknowledged_until IS NOT NULL;

CREATE TABLE flag_events (
    flag_id INTEGER NOT NULL REFERENCES flags (id),
    seq INTEGER NOT NULL UNIQUE REFERENCES events (seq),
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    at INTEGER NOT NULL, -- of the event
    restored INTEGER NOT NULL, -- 1: as promised after it
    PRIMARY KEY (flag_id, seq)
) STRICT;
CREATE INDEX flag_events_by_time ON flag_events (repository_id, at, seq);

-- Events of rebuilt tags that wait for a comparison.
CREATE TABLE refreshes (
    seq INTEGER PRIMARY KEY REFERENCES events (seq)
) STRICT;

-- What two digests differ in, told once from their contents.
CREATE TABLE comparisons (
    old_id INTEGER NOT NULL REFERENCES digests (id),
    new_id INTEGER NOT NULL REFERENCES digests (id),
    severity INTEGER NOT NULL,
    words TEXT NOT NULL, -- the difference in a sentence
    body TEXT NOT NULL, -- the whole of it, JSON
    at INTEGER NOT NULL,
    PRIMARY KEY (old_id, new_id)
) STRICT;

-- Append-only.
CREATE TABLE flag_transitions (
    flag_id INTEGER NOT NULL REFERENCES flags (id),
    version INTEGER NOT NULL, -- of the flag after the step
    at INTEGER NOT NULL,
    from_state INTEGER,
    to_state INTEGER NOT NULL,
    actor_kind INTEGER NOT NULL,
    actor_id TEXT NOT NULL,
    actor_display TEXT NOT NULL,
    reason TEXT,
    resolution INTEGER,
    PRIMARY KEY (flag_id, version)
) STRICT;

-- One row a pass, merged away when it can no longer be the last sighting of any tag.
CREATE TABLE passes (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    period_id INTEGER NOT NULL REFERENCES watch_periods (id),
    band INTEGER NOT NULL,
    started_generation INTEGER NOT NULL,
    started_wall INTEGER NOT NULL,
    finished INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    proof INTEGER NOT NULL,
    listed_generation INTEGER,
    listed_wall INTEGER,
    listed_names INTEGER,
    asked INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    unseen TEXT NOT NULL, -- JSON: [[reason, tags], ...]
    unread INTEGER NOT NULL, -- tags that are listed and could never be read
    unread_reason TEXT,
    exceptions TEXT NOT NULL, -- JSON: [tag, ...]
    reason TEXT,
    next INTEGER NOT NULL,
    promised INTEGER NOT NULL, -- freshness
    proof_promised INTEGER NOT NULL, -- time between two proofs
    newest INTEGER NOT NULL, -- 1: of its band. It knows what follows of all before it:
    complete_started INTEGER, -- when the newest started that saw what was promised
    proof_started INTEGER, -- and the newest of them that was a proof
    late_at INTEGER NOT NULL -- when the band is late, unless one comes that sees what was promised
) STRICT;
CREATE INDEX passes_of_band ON passes (repository_id, band, id);
CREATE UNIQUE INDEX passes_newest ON passes (repository_id, band) WHERE newest = 1;
CREATE INDEX passes_late ON passes (late_at) WHERE newest = 1;
CREATE INDEX passes_promised ON passes (band, promised) WHERE newest = 1;

-- Times in which a band could not be observed.
CREATE TABLE gaps (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    band INTEGER NOT NULL,
    from_at INTEGER NOT NULL,
    until_at INTEGER,
    reason TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX gaps_lasting ON gaps (repository_id, band) WHERE until_at IS NULL;
CREATE INDEX gaps_of_repository ON gaps (repository_id, from_at);

-- The one outbox behind the live stream, kept a day.
CREATE TABLE changes (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    ref INTEGER NOT NULL,
    repository_id INTEGER REFERENCES repositories (id), -- NULL: of a registry, or of a job about none that is watched
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX changes_by_time ON changes (at);

-- Work that needs a registry and was asked for.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given again, whatever is deleted
    registry_id INTEGER NOT NULL, -- 0: a host without an entry
    repository_id INTEGER REFERENCES repositories (id), -- NULL: the job is about none that is watched
    subject TEXT NOT NULL, -- what it is about: a repository, or a host
    kind INTEGER NOT NULL,
    state INTEGER NOT NULL,
    request TEXT NOT NULL, -- JSON
    request_hash BLOB NOT NULL, -- sha256 of subject and request: equal ones wait once
    actor_kind INTEGER NOT NULL,
    actor_id TEXT NOT NULL,
    actor_display TEXT NOT NULL,
    created INTEGER NOT NULL,
    finished INTEGER,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    error TEXT,
    result TEXT -- JSON
) STRICT;
CREATE UNIQUE INDEX jobs_waiting_once ON jobs (registry_id, kind, request_hash) WHERE state = 1;
CREATE INDEX jobs_by_state ON jobs (state, id);
CREATE INDEX jobs_ended ON jobs (finished) WHERE finished IS NOT NULL;

-- What notifiers are yet to be told: written with the step that it tells of, gone when messages were made of it.
CREATE TABLE tellings (
    id INTEGER PRIMARY KEY,
    occasion INTEGER NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    flag_id INTEGER REFERENCES flags (id), -- NULL: it is about the repository
    version INTEGER NOT NULL, -- of the flag after the step; of a repository, the instant
    group_id INTEGER,
    at INTEGER NOT NULL,
    reason TEXT
) STRICT;

-- Outbox of notifications: one row for a message and a notifier.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    dedupe_key TEXT NOT NULL UNIQUE,
    notifier TEXT NOT NULL,
    payload TEXT NOT NULL, -- JSON
    state INTEGER NOT NULL, -- 1 waiting, 2 delivered, 3 dead, 4 a test that failed
    attempts INTEGER NOT NULL,
    created INTEGER NOT NULL,
    next INTEGER,
    finished INTEGER,
    failed INTEGER, -- when the last attempt that failed did
    error TEXT
) STRICT;
CREATE INDEX deliveries_waiting ON deliveries (notifier, next) WHERE state = 1;
CREATE INDEX deliveries_by_state ON deliveries (notifier, state, finished);
CREATE INDEX deliveries_failed ON deliveries (notifier, failed) WHERE failed IS NOT NULL;

-- The newest proof of a digest in a repository.
CREATE TABLE proofs (
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    digest_id INTEGER NOT NULL REFERENCES digests (id),
    readiness INTEGER NOT NULL,
    detail TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (repository_id, digest_id)
) STRICT;
