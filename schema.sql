-- foldwatch: the commented truth of what is stored.
--
-- Facts first: what an agent or a person said. They are never rewritten; a
-- column that says how a thing went on (a job's state) moves forward only.
-- Derived tables after: each can be dropped and recomputed from the facts by
-- `foldwatchd rebuild`.
--
-- Times are milliseconds since 1970, UTC, by the server's clock. Hashes are
-- lower-case hex. A JSON column holds canonical JSON.

-- ---------------------------------------------------------------- facts

-- Who may do what. The secret is never stored, only its SHA-256.
CREATE TABLE token (
	id         INTEGER PRIMARY KEY,
	hash       TEXT NOT NULL UNIQUE,          -- sha256 of the token's text
	label      TEXT NOT NULL,                 -- who it is for
	role       TEXT NOT NULL CHECK (role IN ('read','submit','agent','admin')),
	created_ms INTEGER NOT NULL,
	revoked_ms INTEGER                        -- NULL: valid
) STRICT;

-- Content-addressed files under artifacts/: images, vmlinux, configs, consoles.
CREATE TABLE artifact (
	sha256     TEXT PRIMARY KEY,
	bytes      INTEGER NOT NULL,
	created_ms INTEGER NOT NULL
) STRICT;
