#include "storage/schema.h"

#include <array>
#include <span>

namespace moeprobe {
namespace {

// Times are microseconds since the epoch. Digests are lower-case hexadecimal.
constexpr const char* kInitial = R"sql(
CREATE TABLE job(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL CHECK(state IN ('QUEUED', 'RUNNING', 'CANCELLING',
                                      'SUCCEEDED', 'FAILED', 'CANCELLED')),
  spec BLOB NOT NULL,           -- resolved request, opaque
  request_key TEXT NOT NULL,    -- the same for the same resolved request
  request_id TEXT UNIQUE,       -- makes a submission idempotent
  request_digest TEXT,          -- of the request as it came
  attempt INTEGER NOT NULL DEFAULT 0,
  worker INTEGER,               -- process id
  crash_count INTEGER NOT NULL DEFAULT 0,
  cached INTEGER NOT NULL DEFAULT 0 CHECK(cached IN (0, 1)),
  phase TEXT NOT NULL DEFAULT '',
  fraction REAL NOT NULL DEFAULT 0 CHECK(fraction BETWEEN 0 AND 1),
  layers_done INTEGER NOT NULL DEFAULT 0,
  layer_count INTEGER NOT NULL,
  error_code INTEGER,
  error_message TEXT,
  create_time INTEGER NOT NULL,
  change_time INTEGER NOT NULL,
  start_time INTEGER,
  end_time INTEGER,
  CHECK((end_time IS NOT NULL) = (state IN ('SUCCEEDED', 'FAILED', 'CANCELLED'))),
  CHECK((worker IS NOT NULL) = (state IN ('RUNNING', 'CANCELLING'))),
  CHECK((error_code IS NOT NULL) = (state IN ('FAILED', 'CANCELLED'))),
  CHECK((error_message IS NOT NULL) = (error_code IS NOT NULL)),
  CHECK((start_time IS NOT NULL) = (attempt > 0)),
  CHECK((request_id IS NULL) = (request_digest IS NULL)),
  CHECK(cached = 0 OR state = 'SUCCEEDED')
) STRICT;
CREATE INDEX job_by_state ON job(state, id);
CREATE INDEX job_by_request ON job(request_key, state);

CREATE TABLE transition(
  old TEXT NOT NULL, new TEXT NOT NULL, PRIMARY KEY(old, new)
) STRICT, WITHOUT ROWID;
INSERT INTO transition VALUES
  ('QUEUED', 'RUNNING'), ('QUEUED', 'SUCCEEDED'), ('QUEUED', 'FAILED'),
  ('QUEUED', 'CANCELLED'),
  ('RUNNING', 'QUEUED'), ('RUNNING', 'SUCCEEDED'), ('RUNNING', 'FAILED'),
  ('RUNNING', 'CANCELLING'), ('RUNNING', 'CANCELLED'),
  ('CANCELLING', 'SUCCEEDED'), ('CANCELLING', 'FAILED'),
  ('CANCELLING', 'CANCELLED');

CREATE TABLE event(
  job INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
  sequence INTEGER NOT NULL,
  time INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK(kind IN ('state', 'progress', 'layer', 'warning')),
  text TEXT NOT NULL,           -- state, phase, name prefix or warning
  fraction REAL,
  layers_done INTEGER,
  error_code INTEGER,
  error_message TEXT,
  PRIMARY KEY(job, sequence),
  CHECK((fraction IS NOT NULL) = (kind = 'progress')),
  CHECK((layers_done IS NOT NULL) = (kind = 'progress')),
  CHECK(error_code IS NULL OR kind = 'state'),
  CHECK((error_message IS NULL) = (error_code IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER job_starts_queued BEFORE INSERT ON job
WHEN NEW.state <> 'QUEUED'
BEGIN SELECT RAISE(ABORT, 'a job starts QUEUED'); END;

CREATE TRIGGER job_transition BEFORE UPDATE OF state ON job
WHEN NEW.state <> OLD.state AND NOT EXISTS (
  SELECT 1 FROM transition WHERE old = OLD.state AND new = NEW.state)
BEGIN SELECT RAISE(ABORT, 'illegal transition of a job'); END;

CREATE TRIGGER event_of_creation AFTER INSERT ON job
BEGIN
  INSERT INTO event(job, sequence, time, kind, text)
  VALUES(NEW.id, 1, NEW.change_time, 'state', NEW.state);
END;

CREATE TRIGGER event_of_state AFTER UPDATE OF state ON job
WHEN NEW.state <> OLD.state
BEGIN
  INSERT INTO event(job, sequence, time, kind, text, error_code, error_message)
  SELECT NEW.id, max(sequence) + 1, NEW.change_time, 'state', NEW.state,
         NEW.error_code, NEW.error_message
  FROM event WHERE job = NEW.id;
END;

CREATE TRIGGER event_without_gap BEFORE INSERT ON event
WHEN NEW.sequence <>
  coalesce((SELECT max(sequence) FROM event WHERE job = NEW.job), 0) + 1
BEGIN SELECT RAISE(ABORT, 'an event out of sequence'); END;

CREATE TRIGGER layer_is_counted AFTER INSERT ON event WHEN NEW.kind = 'layer'
BEGIN UPDATE job SET layers_done = layers_done + 1 WHERE id = NEW.job; END;

-- One model on one data set.
CREATE TABLE job_part(
  job INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
  part INTEGER NOT NULL,
  prefix TEXT NOT NULL,
  provenance BLOB,              -- opaque
  PRIMARY KEY(job, part)
) STRICT, WITHOUT ROWID;

-- What was computed once: one probe group of one layer.
CREATE TABLE cache_entry(
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  environment BLOB,             -- of the run that computed it, opaque
  create_time INTEGER NOT NULL
) STRICT;

CREATE TABLE cache_warning(
  entry INTEGER NOT NULL REFERENCES cache_entry(id) ON DELETE CASCADE,
  text TEXT NOT NULL,
  PRIMARY KEY(entry, text)
) STRICT, WITHOUT ROWID;

CREATE TABLE matrix(
  id INTEGER PRIMARY KEY,
  entry INTEGER NOT NULL REFERENCES cache_entry(id) ON DELETE CASCADE,
  name TEXT NOT NULL,           -- without the part's prefix
  probe TEXT NOT NULL,
  data_type TEXT NOT NULL CHECK(data_type IN ('float64', 'float32', 'int64')),
  shape TEXT NOT NULL,          -- "8,8"; empty for a single number
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  npy BLOB,                     -- NULL: in the blob store, by sha256
  summary_count INTEGER,        -- NULL: no summary
  summary_mean REAL,            -- NULL: NaN
  summary_deviation REAL,
  UNIQUE(entry, name),
  CHECK(npy IS NULL OR length(npy) = size_bytes)
) STRICT;

-- What a job needs; `entry` is NULL until it is there.
CREATE TABLE job_group(
  job INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
  part INTEGER NOT NULL,
  layer INTEGER NOT NULL,       -- -1: of the whole model
  probe TEXT NOT NULL,
  entry INTEGER REFERENCES cache_entry(id),
  PRIMARY KEY(job, part, layer, probe)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_group_by_entry ON job_group(entry);

CREATE TABLE dataset(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sha256 TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK(kind IN ('text', 'ids')),
  display_name TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  create_time INTEGER NOT NULL
) STRICT;
CREATE INDEX dataset_by_name ON dataset(display_name);

-- Token ids that a text became.
CREATE TABLE tokenization(
  text_sha256 TEXT NOT NULL,
  tokenizer_sha256 TEXT NOT NULL,
  ids_sha256 TEXT NOT NULL,
  PRIMARY KEY(text_sha256, tokenizer_sha256)
) STRICT, WITHOUT ROWID;

-- Fingerprints of weights, remembered by the stamp of their files.
CREATE TABLE weights_fingerprint(
  stamp TEXT NOT NULL,
  layer INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  PRIMARY KEY(stamp, layer)
) STRICT, WITHOUT ROWID;

-- Fingerprints of token ids as cut.
CREATE TABLE data_fingerprint(
  ids_sha256 TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  sequence_length INTEGER NOT NULL,
  skip_first INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  token_count INTEGER NOT NULL,
  first_ids TEXT NOT NULL,      -- the first 16, "1,2,3"
  PRIMARY KEY(ids_sha256, tokens, sequence_length, skip_first)
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kEstimates = R"sql(
-- What the attempt that a job is at, or was at last, was expected to take.
ALTER TABLE job ADD COLUMN estimated_seconds REAL;

-- Measured by estimated time of finished jobs, a mean that forgets.
CREATE TABLE estimate_ratio(
  kind TEXT PRIMARY KEY,
  ratio REAL NOT NULL CHECK(ratio > 0)
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kTraining = R"sql(
-- What `spec` is.
ALTER TABLE job ADD COLUMN kind TEXT NOT NULL DEFAULT 'analyze'
  CHECK(kind IN ('analyze', 'train'));
)sql";

constexpr const char* kIndexes = R"sql(
-- Warnings and progress of a job, among the events of its layers.
CREATE INDEX event_by_kind ON event(job, kind);

-- What jobs lack.
CREATE INDEX job_group_missing ON job_group(job) WHERE entry IS NULL;
)sql";

constexpr const char* kUsers = R"sql(
-- Who was made known to the server; others may come over Unix sockets.
CREATE TABLE user(
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL CHECK(role IN ('user', 'admin')),
  token_id TEXT UNIQUE,         -- what a token is found by
  token_sha256 TEXT,
  create_time INTEGER NOT NULL,
  expire_time INTEGER,
  last_call_time INTEGER,
  revoke_time INTEGER,
  CHECK((token_sha256 IS NULL) = (token_id IS NULL))
) STRICT, WITHOUT ROWID;

-- Whose a job is; '' where nobody asked before there were users, until the
-- server's own user takes it over. Request ids start with the owner and "/".
ALTER TABLE job ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN private INTEGER NOT NULL DEFAULT 0
  CHECK(private IN (0, 1));

-- Who sees a private job beside its owner.
CREATE TABLE job_reader(
  job INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  PRIMARY KEY(job, name)
) STRICT, WITHOUT ROWID;

-- A data set has a row for each user who uploaded it.
CREATE TABLE owned_dataset(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sha256 TEXT NOT NULL,
  owner TEXT NOT NULL,          -- '' as in `job`
  private INTEGER NOT NULL CHECK(private IN (0, 1)),
  kind TEXT NOT NULL CHECK(kind IN ('text', 'ids')),
  display_name TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  UNIQUE(sha256, owner)
) STRICT;
INSERT INTO owned_dataset
SELECT id, sha256, '', 0, kind, display_name, size_bytes, create_time
FROM dataset;
DROP TABLE dataset;
ALTER TABLE owned_dataset RENAME TO dataset;
CREATE INDEX dataset_by_name ON dataset(display_name);

CREATE TABLE dataset_reader(
  dataset INTEGER NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  PRIMARY KEY(dataset, name)
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kShares = R"sql(
-- Which jobs go first: 0 low, 1 normal, 2 high.
ALTER TABLE job ADD COLUMN priority INTEGER NOT NULL DEFAULT 1
  CHECK(priority IN (0, 1, 2));

-- When the worker that holds it, or held it last, got it.
ALTER TABLE job ADD COLUMN attempt_time INTEGER;

-- What waits, user by user, each in the order of its jobs.
CREATE INDEX job_queue ON job(owner, priority DESC, id, create_time,
                              estimated_seconds)
  WHERE state = 'QUEUED';

-- How many wait.
CREATE TABLE queue_length(
  owner TEXT PRIMARY KEY,
  jobs INTEGER NOT NULL CHECK(jobs >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO queue_length
SELECT owner, count(*) FROM job WHERE state = 'QUEUED' GROUP BY owner;

CREATE TRIGGER queued_job_comes AFTER INSERT ON job
BEGIN
  INSERT INTO queue_length VALUES(NEW.owner, 1)
  ON CONFLICT(owner) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TRIGGER queued_job_goes AFTER UPDATE OF state ON job
WHEN OLD.state = 'QUEUED' AND NEW.state <> 'QUEUED'
BEGIN UPDATE queue_length SET jobs = jobs - 1 WHERE owner = NEW.owner; END;

CREATE TRIGGER queued_job_returns AFTER UPDATE OF state ON job
WHEN OLD.state <> 'QUEUED' AND NEW.state = 'QUEUED'
BEGIN
  INSERT INTO queue_length VALUES(NEW.owner, 1)
  ON CONFLICT(owner) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TRIGGER queued_job_changes_hands AFTER UPDATE OF owner ON job
WHEN NEW.state = 'QUEUED' AND NEW.owner <> OLD.owner
BEGIN
  UPDATE queue_length SET jobs = jobs - 1 WHERE owner = OLD.owner;
  INSERT INTO queue_length VALUES(NEW.owner, 1)
  ON CONFLICT(owner) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TRIGGER queued_job_is_deleted AFTER DELETE ON job
WHEN OLD.state = 'QUEUED'
BEGIN UPDATE queue_length SET jobs = jobs - 1 WHERE owner = OLD.owner; END;

-- What users may have of the workers, and had of late.
CREATE TABLE share(
  owner TEXT PRIMARY KEY,
  weight REAL NOT NULL DEFAULT 1 CHECK(weight > 0),
  seconds REAL NOT NULL DEFAULT 0 CHECK(seconds >= 0)
) STRICT, WITHOUT ROWID;

-- The time that all `seconds` of shares are decayed to: one row.
CREATE TABLE share_time(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  time INTEGER NOT NULL
) STRICT;
INSERT INTO share_time VALUES(1, 0);
)sql";

constexpr const char* kRetention = R"sql(
-- What it takes, and the job that answers for it: of those that it belongs to,
-- the one that had it first. NULL: it belongs to none.
ALTER TABLE cache_entry ADD COLUMN size_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cache_entry ADD COLUMN payer INTEGER;
UPDATE cache_entry SET
  size_bytes = coalesce((
    SELECT sum(size_bytes) FROM matrix WHERE entry = cache_entry.id), 0),
  payer = (SELECT min(job) FROM job_group WHERE entry = cache_entry.id);
CREATE INDEX cache_entry_by_payer ON cache_entry(payer, size_bytes);
CREATE INDEX matrix_in_blob ON matrix(sha256) WHERE npy IS NULL;

-- Models of one training run: a directory, by its name.
CREATE TABLE trained_run(
  name TEXT PRIMARY KEY,
  size_bytes INTEGER NOT NULL DEFAULT 0,
  payer INTEGER                 -- as in `cache_entry`
) STRICT, WITHOUT ROWID;
CREATE INDEX trained_run_by_payer ON trained_run(payer, size_bytes);

-- Runs that a job trains or analyses.
CREATE TABLE job_run(
  job INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
  run TEXT NOT NULL REFERENCES trained_run(name),
  PRIMARY KEY(job, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_run_by_run ON job_run(run);

-- What users answer for; '': nobody.
CREATE TABLE stored_bytes(
  owner TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL CHECK(bytes >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO stored_bytes
SELECT coalesce(owner, ''), sum(size_bytes)
FROM cache_entry LEFT JOIN job ON job.id = payer GROUP BY 1;

CREATE TRIGGER entry_grows AFTER INSERT ON matrix
BEGIN
  UPDATE cache_entry SET size_bytes = size_bytes + NEW.size_bytes
  WHERE id = NEW.entry;
END;

CREATE TRIGGER entry_is_counted AFTER UPDATE OF size_bytes, payer ON cache_entry
BEGIN
  UPDATE stored_bytes SET bytes = bytes - OLD.size_bytes
  WHERE owner = coalesce((SELECT owner FROM job WHERE id = OLD.payer), '');
  INSERT INTO stored_bytes VALUES(
    coalesce((SELECT owner FROM job WHERE id = NEW.payer), ''), NEW.size_bytes)
  ON CONFLICT(owner) DO UPDATE SET bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER entry_goes AFTER DELETE ON cache_entry
BEGIN
  UPDATE stored_bytes SET bytes = bytes - OLD.size_bytes
  WHERE owner = coalesce((SELECT owner FROM job WHERE id = OLD.payer), '');
END;

CREATE TRIGGER entry_is_taken AFTER UPDATE OF entry ON job_group
WHEN NEW.entry IS NOT NULL
BEGIN
  UPDATE cache_entry SET payer = NEW.job
  WHERE id = NEW.entry AND payer IS NULL;
END;

CREATE TRIGGER entry_is_let_go AFTER DELETE ON job_group
WHEN OLD.entry IS NOT NULL
BEGIN
  UPDATE cache_entry SET payer = (
    SELECT min(job) FROM job_group WHERE entry = OLD.entry)
  WHERE id = OLD.entry AND payer = OLD.job;
END;

CREATE TRIGGER run_is_counted AFTER UPDATE OF size_bytes, payer ON trained_run
BEGIN
  UPDATE stored_bytes SET bytes = bytes - OLD.size_bytes
  WHERE owner = coalesce((SELECT owner FROM job WHERE id = OLD.payer), '');
  INSERT INTO stored_bytes VALUES(
    coalesce((SELECT owner FROM job WHERE id = NEW.payer), ''), NEW.size_bytes)
  ON CONFLICT(owner) DO UPDATE SET bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER run_goes AFTER DELETE ON trained_run
BEGIN
  UPDATE stored_bytes SET bytes = bytes - OLD.size_bytes
  WHERE owner = coalesce((SELECT owner FROM job WHERE id = OLD.payer), '');
END;

CREATE TRIGGER run_is_taken AFTER INSERT ON job_run
BEGIN
  UPDATE trained_run SET payer = NEW.job
  WHERE name = NEW.run AND payer IS NULL;
END;

CREATE TRIGGER run_is_let_go AFTER DELETE ON job_run
BEGIN
  UPDATE trained_run SET payer = (
    SELECT min(job) FROM job_run WHERE run = OLD.run)
  WHERE name = OLD.run AND payer = OLD.job;
END;

-- While it is known whose the job was.
CREATE TRIGGER job_lets_go BEFORE DELETE ON job
BEGIN
  DELETE FROM job_group WHERE job = OLD.id;
  DELETE FROM job_run WHERE job = OLD.id;
END;

CREATE TRIGGER stored_bytes_change_hands AFTER UPDATE OF owner ON job
WHEN NEW.owner <> OLD.owner
BEGIN
  INSERT OR IGNORE INTO stored_bytes VALUES(NEW.owner, 0);
  UPDATE stored_bytes SET bytes = bytes
    + iif(owner = NEW.owner, 1, -1) * (
      coalesce((SELECT sum(size_bytes) FROM cache_entry WHERE payer = NEW.id), 0)
      + coalesce((
        SELECT sum(size_bytes) FROM trained_run WHERE payer = NEW.id), 0))
  WHERE owner IN (OLD.owner, NEW.owner);
END;

-- Results that nobody drops, and when and why those of others were dropped.
ALTER TABLE job ADD COLUMN kept INTEGER NOT NULL DEFAULT 0
  CHECK(kept IN (0, 1));
ALTER TABLE job ADD COLUMN drop_time INTEGER
  CHECK(drop_time IS NULL OR (end_time IS NOT NULL AND kept = 0));
ALTER TABLE job ADD COLUMN drop_reason TEXT
  CHECK((drop_reason IS NULL) = (drop_time IS NULL));

CREATE INDEX job_by_end ON job(end_time, id)
  WHERE end_time IS NOT NULL AND kept = 0 AND drop_time IS NULL;
CREATE INDEX dropped_job ON job(id) WHERE drop_time IS NOT NULL;
)sql";

constexpr const char* kMemory = R"sql(
-- Memory that the attempt that a job is at, or waits for, is expected to take.
ALTER TABLE job ADD COLUMN memory_bytes INTEGER CHECK(memory_bytes >= 0);

-- The same as before, with what tells whether there is room for a job.
DROP INDEX job_queue;
CREATE INDEX job_queue ON job(owner, priority DESC, id, create_time,
                              estimated_seconds, memory_bytes)
  WHERE state = 'QUEUED';
)sql";

constexpr const char* kPins = R"sql(
-- Models that are kept in memory.
CREATE TABLE model_pin(
  model TEXT PRIMARY KEY,       -- its name
  owner TEXT NOT NULL,          -- who pinned it
  create_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kHeard = R"sql(
-- When the worker of an attempt last told how far it is, by the clock of
-- attempt_time; NULL: not yet.
ALTER TABLE job ADD COLUMN heard_time INTEGER;
)sql";

constexpr const char* kIdentity = R"sql(
-- What tells this database, and its write-ahead log, from all others.
CREATE TABLE identity(
  id TEXT NOT NULL,             -- random
  log_count INTEGER NOT NULL    -- that were begun since
) STRICT;
INSERT INTO identity VALUES(lower(hex(randomblob(16))), 0);
)sql";

constexpr const char* kTokenIds = R"sql(
-- What is known of token ids without reading them.
CREATE TABLE token_ids(
  sha256 TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  largest INTEGER NOT NULL      -- -1: there are none
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kGroups = R"sql(
-- job_group_by_entry tells it, too: each index of a table without row ids has the
-- key behind its own columns, and what a job lacks has no entry.
DROP INDEX job_group_missing;
)sql";

constexpr std::array<const char*, 13> kMigrations = {
    kInitial, kEstimates, kTraining, kIndexes,  kUsers,    kShares, kRetention,
    kMemory,  kPins,      kHeard,    kIdentity, kTokenIds, kGroups};

}  // namespace

std::span<const char* const> Migrations() { return kMigrations; }

}  // namespace moeprobe
