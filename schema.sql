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

-- Limits of a token, by its newest row. NULL: the configuration's; 0: none.
CREATE TABLE token_quota (
	id          INTEGER PRIMARY KEY,
	token_id    INTEGER NOT NULL REFERENCES token(id),
	submissions INTEGER,                      -- open at a time
	jobs        INTEGER,                      -- waiting at a time
	boots       INTEGER,                      -- asked for in 24 hours
	bytes       INTEGER,                      -- of uploads that are stored
	by_whom     TEXT NOT NULL,                -- label of a token
	at_ms       INTEGER NOT NULL
) STRICT;
CREATE INDEX token_quota_token ON token_quota(token_id, id);

-- Content-addressed files under artifacts/: images, vmlinux, configs, consoles.
CREATE TABLE artifact (
	sha256     TEXT PRIMARY KEY,
	bytes      INTEGER NOT NULL,
	by_whom    TEXT,                          -- submitter who sent it first; NULL: an agent, the server
	created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX artifact_by ON artifact(by_whom, bytes) WHERE by_whom IS NOT NULL;

-- Lines of Kconfig that were asked for: named fragment sets as they were when
-- the submission came, or a submitter's own text.
CREATE TABLE config_text (
	sha256     TEXT PRIMARY KEY,
	text       TEXT NOT NULL
) STRICT;

-- A benchmark with its parameters, in canonical form: `fork/order=9,size=1G`.
CREATE TABLE bench_case (
	id         INTEGER PRIMARY KEY,
	text       TEXT NOT NULL UNIQUE
) STRICT;

-- A request: kernels, boards, cases, a plan.
CREATE TABLE submission (
	id           INTEGER PRIMARY KEY,
	submitter    TEXT NOT NULL,               -- label of the token that sent it
	idem_key     TEXT,                        -- Idempotency-Key it came with
	content_hash TEXT NOT NULL,               -- sha256 of the canonical request
	title        TEXT NOT NULL,
	baseline     INTEGER NOT NULL,            -- submission_kernel.pos
	threshold    REAL,                        -- fraction; NULL: the board's default
	priority     INTEGER NOT NULL,
	reuse        INTEGER NOT NULL,
	rebuild      INTEGER NOT NULL DEFAULT 0,  -- its kernels are built anew
	across       INTEGER NOT NULL DEFAULT 0,  -- boots of different environments are compared
	boots        INTEGER,                     -- NULL: the board's default
	runs         INTEGER NOT NULL,
	iterations   INTEGER NOT NULL,
	warmup       INTEGER NOT NULL,
	layouts      INTEGER NOT NULL,            -- of each kernel that is built, 1: as its tree links it
	plan         TEXT NOT NULL,               -- foldbench's plan, as it is sent
	memory_bytes INTEGER NOT NULL,            -- of a guest, equal for all kernels
	imported     INTEGER NOT NULL,            -- self-reported results, no jobs
	state        TEXT NOT NULL CHECK (state IN
	             ('resolving','building','booting','done','failed','cancelled')),
	why          TEXT,
	planned      INTEGER NOT NULL,            -- its boots are laid out
	asked_boots  INTEGER NOT NULL DEFAULT 0,  -- that it may begin with, before they are laid out
	part_of      INTEGER REFERENCES submission(id), -- whose kernels in some of its cases are measured again
	created_ms   INTEGER NOT NULL,
	ended_ms     INTEGER,
	UNIQUE (submitter, idem_key)
) STRICT;
CREATE INDEX submission_open ON submission(id) WHERE ended_ms IS NULL;
CREATE INDEX submission_failed ON submission(id) WHERE state = 'failed';
CREATE INDEX submission_part ON submission(part_of, id) WHERE part_of IS NOT NULL;

-- One buildable variant: commit x config x toolchain, or a prebuilt image.
CREATE TABLE kernel (
	id            INTEGER PRIMARY KEY,
	key           TEXT NOT NULL,              -- content key (server/schedule.h says over what)
	domain        TEXT NOT NULL,              -- trust domain whose caches built it
	tree          TEXT,                       -- NULL: a prebuilt image
	commit_id     TEXT,
	subject       TEXT,
	config_sha256 TEXT REFERENCES config_text(sha256),
	config_name   TEXT,
	config_whole  INTEGER NOT NULL,
	toolchain     TEXT,
	compiler      TEXT,                       -- first line of --version
	state         TEXT NOT NULL CHECK (state IN ('building','ready','failed')),
	why           TEXT,
	image         TEXT,                       -- artifacts
	vmlinux       TEXT,
	config_file   TEXT,                       -- the .config that came out
	image_bytes   INTEGER,
	build_id      TEXT,
	build_ids     TEXT,                       -- those a boot may report, separated by a space
	section_hash  TEXT,                       -- over all allocated sections: equal = same binary
	config_hash   TEXT,                       -- of the .config without its comments
	linker        TEXT,
	release       TEXT,
	objects       INTEGER,
	seconds       REAL,
	trusted       INTEGER NOT NULL DEFAULT 0, -- built without a sandbox, on the agent owner's word
	sandbox       TEXT,
	imported      INTEGER NOT NULL DEFAULT 0,
	layout        INTEGER NOT NULL DEFAULT 0, -- 0: as its tree links it; else relinked (agent/relink.h)
	family        TEXT,                       -- content key of layout 0; NULL: it is its own
	gaps          INTEGER,                    -- between objects, as the agent counted them
	gap_bytes     INTEGER,
	created_ms    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX kernel_key ON kernel(key) WHERE state <> 'failed';
CREATE INDEX kernel_config ON kernel(config_sha256, id);
CREATE INDEX kernel_commit ON kernel(commit_id, created_ms) WHERE commit_id IS NOT NULL;
CREATE INDEX kernel_section ON kernel(section_hash, created_ms) WHERE section_hash IS NOT NULL;
CREATE INDEX kernel_image ON kernel(image, created_ms) WHERE image IS NOT NULL;

CREATE TABLE submission_kernel (
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	pos           INTEGER NOT NULL,
	name          TEXT NOT NULL,
	tree          TEXT,
	ref           TEXT,
	config_sha256 TEXT REFERENCES config_text(sha256),
	config_name   TEXT,
	config_whole  INTEGER NOT NULL,
	toolchain     TEXT,
	image         TEXT,
	commit_id     TEXT,                       -- what the ref was when it was resolved
	source        TEXT,                       -- of a patch: the tree of its files, by git
	subject       TEXT,
	kernel_id     INTEGER REFERENCES kernel(id),
	state         TEXT NOT NULL CHECK (state IN ('new','resolving','building','ready','failed')),
	why           TEXT,
	validates     INTEGER,                    -- pos of the kernel whose code this one checks; NULL: compared
	patches       INTEGER NOT NULL DEFAULT 0, -- of the submission's series that it holds
	built_only    INTEGER NOT NULL DEFAULT 0, -- built to see that it builds, and not booted
	searched      INTEGER NOT NULL DEFAULT 0, -- it was, until a search took it for a step
	base_of       TEXT,                       -- the kernel whose merge base with ref it is
	PRIMARY KEY (submission_id, pos),
	UNIQUE (submission_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX submission_kernel_kernel ON submission_kernel(kernel_id);
CREATE INDEX submission_kernel_ref ON submission_kernel(ref, submission_id);
CREATE INDEX submission_kernel_commit ON submission_kernel(commit_id);

-- An ordered list of patches, on the baseline: its kernels come when it is resolved.
CREATE TABLE series (
	submission_id    INTEGER PRIMARY KEY REFERENCES submission(id),
	bundle           TEXT,                    -- artifact: the commits; of patches: once they are applied
	patches          TEXT,                    -- artifact: mails with patches; NULL: it came as commits
	every            INTEGER NOT NULL,        -- all prefixes are booted, not only marks and tip
	steps            INTEGER,                 -- prefixes that a search may boot; NULL: by its length
	tip_config       TEXT REFERENCES config_text(sha256), -- the tip is booted with this as well
	tip_config_name  TEXT,
	tip_config_whole INTEGER NOT NULL,
	check_config     TEXT REFERENCES config_text(sha256), -- the tip is validated with this
	check_config_name TEXT
) STRICT;

-- Names for rows of its table: the kernel that holds so many patches.
CREATE TABLE series_mark (
	submission_id INTEGER NOT NULL REFERENCES series(submission_id),
	position      INTEGER NOT NULL,           -- 1: the first patch
	name          TEXT NOT NULL,
	PRIMARY KEY (submission_id, position),
	UNIQUE (submission_id, name)
) STRICT, WITHOUT ROWID;

-- Its patches as commits, as an agent found or made them.
CREATE TABLE series_patch (
	submission_id INTEGER NOT NULL REFERENCES series(submission_id),
	position      INTEGER NOT NULL,
	commit_id     TEXT NOT NULL,
	source        TEXT,                       -- the tree of its files, by git
	subject       TEXT NOT NULL,
	author        TEXT NOT NULL,
	patch_id      TEXT,                       -- git patch-id --stable; NULL: it changes nothing
	PRIMARY KEY (submission_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX series_patch_commit ON series_patch(commit_id);
CREATE INDEX series_patch_id ON series_patch(patch_id, submission_id) WHERE patch_id IS NOT NULL;

-- Whom the trailers of a patch name (Signed-off-by, Reported-by, Cc, ...).
CREATE TABLE series_person (
	submission_id INTEGER NOT NULL REFERENCES series(submission_id),
	position      INTEGER NOT NULL,           -- series_patch
	address       TEXT NOT NULL,              -- x@example.org, in plain form (lib/mailbox.h)
	PRIMARY KEY (submission_id, position, address)
) STRICT, WITHOUT ROWID;

-- Prefixes that are booted to find the patches that matter: each in the middle of an
-- interval whose ends differ (server/search.h).
CREATE TABLE series_step (
	submission_id INTEGER NOT NULL REFERENCES series(submission_id),
	number        INTEGER NOT NULL,           -- 1: the first
	position      INTEGER NOT NULL,           -- patches that it holds
	low           INTEGER NOT NULL,           -- those that the interval's ends hold
	high          INTEGER NOT NULL,
	laid          INTEGER NOT NULL,           -- its boots are asked for, or cannot be
	at_ms         INTEGER NOT NULL,
	PRIMARY KEY (submission_id, number),
	UNIQUE (submission_id, position)
) STRICT, WITHOUT ROWID;

-- Its kernels in the layouts above 0, where it asks for any.
CREATE TABLE submission_layout (
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	pos           INTEGER NOT NULL,           -- submission_kernel.pos
	layout        INTEGER NOT NULL,
	kernel_id     INTEGER NOT NULL REFERENCES kernel(id),
	PRIMARY KEY (submission_id, pos, layout)
) STRICT, WITHOUT ROWID;
CREATE INDEX submission_layout_kernel ON submission_layout(kernel_id);

CREATE TABLE submission_case (
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	pos           INTEGER NOT NULL,
	case_id       INTEGER NOT NULL REFERENCES bench_case(id),
	PRIMARY KEY (submission_id, pos),
	UNIQUE (submission_id, case_id)
) STRICT, WITHOUT ROWID;

-- What an agent announced last. A board, toolchain or tree it no longer
-- announces is not offered.
CREATE TABLE agent (
	name       TEXT PRIMARY KEY,
	version    TEXT NOT NULL,
	builds     INTEGER NOT NULL,
	bench      TEXT,                          -- build-id of its foldbench
	seen_ms    INTEGER NOT NULL
) STRICT;

CREATE TABLE agent_toolchain (
	agent      TEXT NOT NULL REFERENCES agent(name),
	name       TEXT NOT NULL,
	compiler   TEXT NOT NULL,
	PRIMARY KEY (agent, name)
) STRICT, WITHOUT ROWID;

-- Prefixes of tree URLs that it may fetch from.
CREATE TABLE agent_tree (
	agent      TEXT NOT NULL REFERENCES agent(name),
	prefix     TEXT NOT NULL,
	PRIMARY KEY (agent, prefix)
) STRICT, WITHOUT ROWID;

-- A machine that boots kernels.
CREATE TABLE board (
	name          TEXT PRIMARY KEY,
	agent         TEXT NOT NULL REFERENCES agent(name),
	kind          TEXT NOT NULL,
	profile       TEXT,
	labels        TEXT NOT NULL,              -- " virtual ci ": each between spaces
	metric        TEXT NOT NULL,
	deterministic INTEGER NOT NULL,
	emulated      INTEGER NOT NULL,
	untrusted     INTEGER NOT NULL,           -- boots kernels of untrusted submitters
	capabilities  TEXT NOT NULL,              -- JSON
	description   TEXT NOT NULL,
	identity      TEXT NOT NULL,              -- sha256 over what makes its numbers comparable
	offered       INTEGER NOT NULL,
	state         TEXT NOT NULL CHECK (state IN ('active','drained','quarantined')),
	why           TEXT,
	infra_streak  INTEGER NOT NULL DEFAULT 0  -- infra failures since the last boot that came up
) STRICT;
CREATE INDEX board_agent ON board(agent);

CREATE TABLE board_event (
	id         INTEGER PRIMARY KEY,
	board      TEXT NOT NULL REFERENCES board(name),
	event      TEXT NOT NULL CHECK (event IN ('announced','drained','resumed','quarantined',
	           'infra','healthy','unhealthy','mismatch')),
	why        TEXT,
	by_whom    TEXT,                          -- label of a token; NULL: the server
	job_id     INTEGER,
	submission_id INTEGER,                    -- mismatch: whose boots differed
	at_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX board_event_board ON board_event(board, id);

CREATE TABLE submission_board (
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	pos           INTEGER NOT NULL,
	board         TEXT NOT NULL REFERENCES board(name),
	PRIMARY KEY (submission_id, pos),
	UNIQUE (submission_id, board)
) STRICT, WITHOUT ROWID;

-- A unit of work leased to an agent.
CREATE TABLE job (
	id             INTEGER PRIMARY KEY,
	kind           TEXT NOT NULL CHECK (kind IN ('resolve','build','boot','walk')),
	purpose        TEXT NOT NULL CHECK (purpose IN ('work','health','confirm','validate')),
	submitter      TEXT NOT NULL,             -- in whose turn it is done; '': in nobody's, a check
	state          TEXT NOT NULL CHECK (state IN ('queued','leased','done','failed','cancelled')),
	urgency        INTEGER NOT NULL,          -- checks before work, then the submission's priority
	seq            INTEGER NOT NULL,          -- order within the submission: A B B A
	submission_id  INTEGER REFERENCES submission(id),
	kernel_id      INTEGER REFERENCES kernel(id),
	name           TEXT,                      -- the kernel's in its submission
	domain         TEXT NOT NULL,
	tree           TEXT,                      -- resolve, build
	ref            TEXT,
	base_of        TEXT,                      -- resolve: the commit whose merge base with ref is asked
	toolchain      TEXT,                      -- build: only an agent with this compiler
	compiler       TEXT,
	board          TEXT REFERENCES board(name), -- boot, with all below
	plan           TEXT,                      -- NULL: the submission's
	metric         TEXT,
	memory_bytes   INTEGER,
	phase          INTEGER,
	phase_pages    INTEGER,
	replicate      INTEGER NOT NULL DEFAULT 0,
	about          INTEGER,                   -- confirm: the failed job; health: first of its group
	baseline       INTEGER NOT NULL DEFAULT 0, -- the kernel is its submission's baseline
	attempt        INTEGER NOT NULL DEFAULT 0, -- fences late answers
	agent          TEXT REFERENCES agent(name),
	nonce          TEXT,                      -- of this attempt
	lease_until_ms INTEGER,
	infra_failures INTEGER NOT NULL DEFAULT 0,
	class          TEXT CHECK (class IN ('infra','build','boot','kernel','bench')),
	why            TEXT,
	step           TEXT,                      -- how far it says it is
	done           INTEGER,
	total          INTEGER,
	created_ms     INTEGER NOT NULL,
	started_ms     INTEGER,                   -- of this attempt
	ended_ms       INTEGER
) STRICT;
-- A lane's jobs in their order: a claim looks at the first of each lane.
CREATE INDEX job_queue ON job(submitter, board, urgency, submission_id, seq, id)
	WHERE state = 'queued';
CREATE INDEX job_leased ON job(lease_until_ms) WHERE state = 'leased';
CREATE INDEX job_agent ON job(agent, id) WHERE state = 'leased';
CREATE INDEX job_submission ON job(submission_id, state);
CREATE INDEX job_kernel ON job(kernel_id, kind);
CREATE INDEX job_board ON job(board, state);
CREATE INDEX job_kind ON job(kind, state, id);
CREATE INDEX job_boots ON job(submitter, created_ms) WHERE kind = 'boot';
CREATE INDEX job_about ON job(about) WHERE about IS NOT NULL;

-- Answers that came with an Idempotency-Key, for repeats.
CREATE TABLE job_result (
	job_id       INTEGER NOT NULL REFERENCES job(id),
	idem_key     TEXT NOT NULL,
	content_hash TEXT NOT NULL,
	state        TEXT NOT NULL,               -- what was answered
	boot_id      INTEGER,
	PRIMARY KEY (job_id, idem_key)
) STRICT, WITHOUT ROWID;

-- The conditions of a boot, by the sha256 of their canonical JSON: what must be equal
-- for numbers to be compared (boot.env_id), and what the kernel under test brings along
-- (boot.traits_id). server/result_env.c says which is which.
CREATE TABLE environment (
	env_id     TEXT PRIMARY KEY,
	body       TEXT NOT NULL
) STRICT;

-- One boot of one kernel on one board.
CREATE TABLE boot (
	id            INTEGER PRIMARY KEY,
	job_id        INTEGER REFERENCES job(id), -- NULL: imported
	attempt       INTEGER NOT NULL,
	submission_id INTEGER REFERENCES submission(id), -- that asked for it first
	kernel_id     INTEGER NOT NULL REFERENCES kernel(id),
	board         TEXT NOT NULL,              -- 'self-reported' for imports, which is no board
	board_identity TEXT NOT NULL,             -- board.identity at that time
	env_id        TEXT REFERENCES environment(env_id),
	traits_id     TEXT REFERENCES environment(env_id),
	purpose       TEXT NOT NULL,
	baseline      INTEGER NOT NULL,
	plan_sha256   TEXT NOT NULL,
	memory_bytes  INTEGER NOT NULL,
	phase         INTEGER,
	phase_pages   INTEGER,
	replicate     INTEGER NOT NULL,
	valid         INTEGER NOT NULL,
	why           TEXT,                       -- must stand where valid is 0
	class         TEXT,
	reached       TEXT,
	metric        TEXT,
	unit          TEXT,
	better        TEXT,
	nonce         TEXT,
	build_id      TEXT,
	boot_uuid     TEXT,                       -- the kernel's boot_id
	bench         TEXT,                       -- build-id of foldbench
	seconds       REAL,
	console       TEXT,                       -- artifact, zstd
	console_bytes INTEGER,
	profile       TEXT,                       -- artifact, zstd of JSON: instructions by function
	taint_before  INTEGER,
	taint_after   INTEGER,
	imported      INTEGER NOT NULL,
	idem_key      TEXT,                       -- imports
	content_hash  TEXT,                       -- imports
	created_ms    INTEGER NOT NULL
) STRICT;
CREATE INDEX boot_reuse ON boot(kernel_id, board, phase, replicate);
CREATE INDEX boot_board ON boot(board, id);
CREATE INDEX boot_job ON boot(job_id);
CREATE INDEX boot_import ON boot(idem_key) WHERE idem_key IS NOT NULL;

CREATE TABLE boot_fault (
	boot_id    INTEGER NOT NULL REFERENCES boot(id),
	pos        INTEGER NOT NULL,
	line       INTEGER NOT NULL,
	kind       TEXT NOT NULL,
	function   TEXT,
	text       TEXT NOT NULL,
	fatal      INTEGER NOT NULL,
	PRIMARY KEY (boot_id, pos)
) STRICT, WITHOUT ROWID;

-- A result that could not be read, as it came (zstd).
CREATE TABLE boot_raw (
	boot_id    INTEGER PRIMARY KEY REFERENCES boot(id),
	result     BLOB NOT NULL
) STRICT;

-- The boots that answer a submission: its own and those it reuses.
CREATE TABLE submission_boot (
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	boot_id       INTEGER NOT NULL REFERENCES boot(id),
	reused        INTEGER NOT NULL,
	PRIMARY KEY (submission_id, boot_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX submission_boot_boot ON submission_boot(boot_id);

-- Boots that somebody asked for when its comparison was there: phases from `first` on. Its
-- verdicts on that board are exploratory from then on.
CREATE TABLE submission_more (
	id            INTEGER PRIMARY KEY,
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	board         TEXT NOT NULL REFERENCES board(name),
	first         INTEGER NOT NULL,
	boots         INTEGER NOT NULL,           -- of the baseline, and of each kernel that was chosen
	by_whom       TEXT NOT NULL,              -- label of a token
	at_ms         INTEGER NOT NULL
) STRICT;
CREATE INDEX submission_more_submission ON submission_more(submission_id, board);

-- A walk: the commits between two of a tree, as an agent found them; asked for by what
-- follows a branch and by what looks for the commit behind a change. One that brought a
-- branch no point goes, with its job, when the next of the branch has ended.
CREATE TABLE walk (
	id          INTEGER PRIMARY KEY,
	job_id      INTEGER UNIQUE REFERENCES job(id), -- that does it
	submitter   TEXT NOT NULL,                -- whose trust domain fetches it
	tree        TEXT NOT NULL,
	ref         TEXT NOT NULL,                -- where it leads: a branch, tag or commit
	since       TEXT,                         -- commit that it begins behind; NULL: the tip alone
	state       TEXT NOT NULL CHECK (state IN ('asked','done','failed')),
	why         TEXT,                         -- of a failure
	tip         TEXT,                         -- what the ref was; with all below once it is done
	base        TEXT,                         -- merge base of since and tip; NULL: there is none
	linear      INTEGER,                      -- since is an ancestor of the tip: base is since
	omitted     INTEGER NOT NULL DEFAULT 0,   -- oldest commits left out, beyond WALK_COMMITS_MAX
	asked_ms    INTEGER NOT NULL,
	answered_ms INTEGER
) STRICT;
CREATE INDEX walk_branch ON walk(ref, tree, submitter);

-- From behind its base to its tip, oldest first, in an order in which parents come before
-- their children. Of a rebased branch: the new stack.
CREATE TABLE walk_commit (
	walk_id   INTEGER NOT NULL REFERENCES walk(id),
	position  INTEGER NOT NULL,               -- 1: the oldest
	commit_id TEXT NOT NULL,
	source    TEXT NOT NULL,                  -- the tree of its files, by git
	subject   TEXT NOT NULL,
	author    TEXT NOT NULL,
	parents   INTEGER NOT NULL,               -- 2 and more: a merge
	mainline  INTEGER NOT NULL DEFAULT 1,     -- on the line of first parents from the tip
	patch_id  TEXT,                           -- git patch-id --stable; NULL: a merge, or it changes nothing
	known     INTEGER NOT NULL,               -- its patch-id is between base and since as well
	PRIMARY KEY (walk_id, position)
) STRICT, WITHOUT ROWID;

-- A branch that is followed.
CREATE TABLE track (
	id         INTEGER PRIMARY KEY,
	tree       TEXT NOT NULL,
	branch     TEXT NOT NULL,
	every_ms   INTEGER NOT NULL,              -- between two looks
	mode       TEXT NOT NULL CHECK (mode IN ('tips','all','merges')), -- commits that are points
	request    TEXT NOT NULL,                 -- JSON: a submission without its kernels
	config     TEXT NOT NULL,                 -- JSON: of its kernels, as in a submission
	toolchain  TEXT,
	release    TEXT,                          -- ref that the tip is also held against
	submitter  TEXT NOT NULL,                 -- label of the token that added it
	admin      INTEGER NOT NULL,              -- and what it may: boards of trusted submitters
	state      TEXT NOT NULL CHECK (state IN ('active','paused','ended')),
	why        TEXT,                          -- of the last look, where it failed
	blocked    TEXT,                          -- why its points cannot be asked for
	stop_why   TEXT,                          -- of a pause or an end, by whom
	stop_by    TEXT,
	until_ms   INTEGER,                       -- of a pause: it goes on by itself then
	tip        TEXT,                          -- that the last look saw
	looked_ms  INTEGER,                       -- when it succeeded
	fails      INTEGER NOT NULL DEFAULT 0,    -- looks that failed since
	next_ms    INTEGER NOT NULL,              -- when it is looked at again
	wake_ms    INTEGER NOT NULL,              -- when the server has something to do for it
	walk_id    INTEGER REFERENCES walk(id),   -- that is under way
	created_ms INTEGER NOT NULL,
	changed_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX track_branch ON track(tree, branch, submitter) WHERE state <> 'ended';
CREATE INDEX track_wake ON track(wake_ms) WHERE state <> 'ended';
CREATE INDEX track_walk ON track(walk_id) WHERE walk_id IS NOT NULL;

-- Commits of a track that are measured, in the order of the branch: by the graph where it
-- grows, by when it was seen where it is rebased.
CREATE TABLE track_point (
	track_id      INTEGER NOT NULL REFERENCES track(id),
	position      INTEGER NOT NULL,           -- grows along the branch
	commit_id     TEXT NOT NULL,
	kind          TEXT NOT NULL CHECK (kind IN ('tip','commit','base')),
	walk_id       INTEGER NOT NULL REFERENCES walk(id), -- that found it
	walk_position INTEGER,                    -- walk_commit; NULL: a base
	rebased       INTEGER NOT NULL,           -- the point before is no ancestor
	submission_id INTEGER REFERENCES submission(id), -- it against the point before; NULL: it waits
	release_id    INTEGER REFERENCES submission(id), -- it against the track's release
	filled        INTEGER NOT NULL DEFAULT 0, -- put into a hole while boards were idle
	hole          INTEGER NOT NULL DEFAULT 0, -- commits of the main line between the point before and it
	note          TEXT,                       -- what is said of it
	seen_ms       INTEGER NOT NULL,
	PRIMARY KEY (track_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX track_point_submission ON track_point(submission_id);
CREATE INDEX track_point_release ON track_point(release_id) WHERE release_id IS NOT NULL;
CREATE INDEX track_point_walk ON track_point(walk_id);
CREATE INDEX track_point_filled ON track_point(track_id, seen_ms) WHERE filled = 1;
CREATE INDEX track_point_hole ON track_point(track_id, hole, position) WHERE hole > 0;
CREATE INDEX track_point_commit ON track_point(commit_id, track_id);

-- A pinned kernel that boards boot every night, so that histories go on over a change of
-- environment. Of several that match a board the newest counts.
CREATE TABLE reference (
	id       INTEGER PRIMARY KEY,
	board    TEXT,                            -- a pattern of names; NULL: all
	kernel   TEXT NOT NULL,                   -- JSON: of a submission; an image, or a whole commit id
	cases    TEXT NOT NULL,                   -- JSON: of a submission
	hour     INTEGER NOT NULL,                -- at which a night begins, UTC
	by_whom  TEXT NOT NULL,                   -- label of a token
	at_ms    INTEGER NOT NULL,
	ended_ms INTEGER,                         -- NULL: it is in force
	ended_by TEXT
) STRICT;

-- Nights of a board, and changes of what makes its numbers comparable: what was asked for.
CREATE TABLE reference_night (
	board         TEXT NOT NULL REFERENCES board(name),
	night_ms      INTEGER NOT NULL,           -- when it began
	reference_id  INTEGER NOT NULL REFERENCES reference(id),
	identity      TEXT NOT NULL,              -- board.identity and its foldbench's build-id
	submission_id INTEGER REFERENCES submission(id), -- NULL: nothing yet
	why           TEXT,                       -- why not
	at_ms         INTEGER NOT NULL,
	PRIMARY KEY (board, night_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX reference_night_submission ON reference_night(submission_id);

-- One process execution of a case, with its raw samples: a zstd frame of
-- little-endian 64-bit integers in the order taken, warm-up first.
CREATE TABLE run (
	id           INTEGER PRIMARY KEY,
	boot_id      INTEGER NOT NULL REFERENCES boot(id),
	case_id      INTEGER NOT NULL REFERENCES bench_case(id),
	number       INTEGER NOT NULL,
	state        TEXT NOT NULL CHECK (state IN ('valid','skip','invalid')),
	why          TEXT,
	warmup       INTEGER NOT NULL,
	batch        INTEGER,                     -- calls in a sample
	windows      INTEGER NOT NULL,            -- summed in a sample; numbers are of one
	empty_window INTEGER,
	count        INTEGER NOT NULL,            -- samples
	samples      BLOB,
	evidence     TEXT,                        -- JSON
	UNIQUE (boot_id, case_id, number)
) STRICT;
CREATE INDEX run_without_number ON run(boot_id) WHERE state <> 'valid';
CREATE INDEX run_of_windows ON run(boot_id) WHERE windows > 1;

-- Faults that an operator has listed as known: boots that hold no others count.
-- A row is a listing, or the end of one; neither is ever changed.
CREATE TABLE known_fault (
	id         INTEGER PRIMARY KEY,
	ends       INTEGER UNIQUE REFERENCES known_fault(id), -- NULL: a listing
	signature  TEXT NOT NULL,                 -- KIND:FUNCTION:FILE (lib/place.h)
	board      TEXT,                          -- a pattern of names; NULL: any
	branch     TEXT,                          -- of REF, or of TREE#REF where it has a #; NULL: any
	why        TEXT,                          -- of a listing
	until_ms   INTEGER,                       -- of a listing: boots made before it
	by_whom    TEXT NOT NULL,                 -- label of a token
	at_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX known_fault_signature ON known_fault(signature);

-- Something worth telling: one cause is one alert, however many cases and boards
-- show it. Its story is alert_step, of which `state` is where the last one led.
CREATE TABLE alert (
	id            INTEGER PRIMARY KEY,
	kind          TEXT NOT NULL CHECK (kind IN ('slower','fault','missing')),
	cause         TEXT NOT NULL UNIQUE,       -- server/alerts.h says over what
	title         TEXT NOT NULL,
	submission_id INTEGER REFERENCES submission(id), -- that showed it first
	kernel        TEXT,                       -- its name there
	boot_id       INTEGER REFERENCES boot(id), -- fault: that showed it first
	signature     TEXT,                       -- fault
	track_id      INTEGER REFERENCES track(id), -- missing
	state         TEXT NOT NULL CHECK (state IN ('new','confirmed','not_reproduced',
	              'acknowledged','fixed','dismissed','recovered')),
	owner         TEXT,                       -- who acknowledged it
	created_ms    INTEGER NOT NULL,
	changed_ms    INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_state ON alert(state, id);
CREATE INDEX alert_submission ON alert(submission_id);

-- Each step of an alert; a note leads to where it came from.
CREATE TABLE alert_step (
	id         INTEGER PRIMARY KEY,
	alert_id   INTEGER NOT NULL REFERENCES alert(id),
	from_state TEXT,                          -- NULL: it was made
	to_state   TEXT NOT NULL,
	why        TEXT NOT NULL,
	by_whom    TEXT,                          -- label of a token; NULL: the server
	at_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_step_alert ON alert_step(alert_id, id);

-- Where an alert shows: cells that moved, as the newest comparison of its kernels has
-- them; of a fault, the first boot of each board.
CREATE TABLE alert_cell (
	alert_id      INTEGER NOT NULL REFERENCES alert(id),
	pos           INTEGER NOT NULL,
	submission_id INTEGER REFERENCES submission(id),
	boot_id       INTEGER REFERENCES boot(id), -- fault
	board         TEXT NOT NULL,
	case_text     TEXT,                       -- with all below: not of a fault
	metric        TEXT,
	verdict       TEXT CHECK (verdict IN ('slower','faster')),
	base_mean     REAL,
	mean          REAL,
	change        REAL,
	low           REAL,
	high          REAL,
	boots         INTEGER,
	mute_id       INTEGER REFERENCES mute(id), -- NULL: it is told
	PRIMARY KEY (alert_id, pos)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_cell_mute ON alert_cell(mute_id) WHERE mute_id IS NOT NULL;

-- Submissions that the server made by itself for an alert: to measure it again, or on the
-- way to the commit behind it.
CREATE TABLE alert_work (
	submission_id INTEGER PRIMARY KEY REFERENCES submission(id),
	alert_id      INTEGER NOT NULL REFERENCES alert(id),
	purpose       TEXT NOT NULL CHECK (purpose IN ('remeasure','ends','step','proof')),
	why           TEXT NOT NULL,
	by_whom       TEXT,                       -- label of a token; NULL: the server
	board         TEXT,                       -- remeasure: its largest cell when it began
	case_text     TEXT,
	metric        TEXT,
	before        REAL,                       -- that cell's change
	state         TEXT NOT NULL CHECK (state IN ('open','done','failed','cancelled')),
	stands        INTEGER,                    -- remeasure that is done: it was slower again
	begun_ms      INTEGER NOT NULL,
	ended_ms      INTEGER
) STRICT;
CREATE INDEX alert_work_alert ON alert_work(alert_id, submission_id);
CREATE INDEX alert_work_open ON alert_work(submission_id) WHERE state = 'open';

-- The search for the commit behind an alert.
CREATE TABLE bisection (
	id            INTEGER PRIMARY KEY,
	alert_id      INTEGER NOT NULL REFERENCES alert(id),
	state         TEXT NOT NULL CHECK (state IN
	              ('walking','ends','searching','proving','done','gave_up','cancelled')),
	why           TEXT,                       -- what it waits for, or how it ended
	by_whom       TEXT,                       -- label of a token; NULL: the server
	tree          TEXT NOT NULL,
	good          TEXT NOT NULL,              -- commits: the ends
	bad           TEXT NOT NULL,
	board         TEXT NOT NULL,              -- that decides
	case_text     TEXT,                       -- of the cell that decides; NULL: a fault, by presence
	metric        TEXT,
	walk_id       INTEGER REFERENCES walk(id), -- where its candidates come from; NULL: a series
	omitted       INTEGER NOT NULL DEFAULT 0, -- commits before the first candidate, left out by the walk
	submission_id INTEGER REFERENCES submission(id), -- it waits for
	tries         INTEGER NOT NULL DEFAULT 0, -- of that, after infra trouble
	next_ms       INTEGER NOT NULL DEFAULT 0, -- nothing is asked before
	ends_id       INTEGER REFERENCES submission(id), -- that measured both ends
	proof_id      INTEGER REFERENCES submission(id), -- that measured the culprit against its parent
	good_binary   TEXT,                       -- kernel.section_hash of the ends
	bad_binary    TEXT,
	need          INTEGER,                    -- fault: boots without it that are good
	rate          REAL,                       -- fault: share of the bad end's boots that showed it
	shared        INTEGER NOT NULL DEFAULT 0, -- a commit lay between the ends
	first         INTEGER,                    -- positions of the result: one of first..culprit
	culprit       INTEGER,
	confidence    REAL,                       -- that all steps answered right
	step_id       INTEGER REFERENCES alert_step(id), -- that told the result
	created_ms    INTEGER NOT NULL,
	ended_ms      INTEGER
) STRICT;
CREATE UNIQUE INDEX bisection_open ON bisection(alert_id) WHERE ended_ms IS NULL;
CREATE INDEX bisection_due ON bisection(next_ms) WHERE ended_ms IS NULL;
CREATE INDEX bisection_walk ON bisection(walk_id) WHERE walk_id IS NOT NULL;
CREATE INDEX bisection_alert ON bisection(alert_id, id);

-- Its candidates, pinned: behind the good end, oldest first, the last is the bad end.
CREATE TABLE bisection_commit (
	bisection_id INTEGER NOT NULL REFERENCES bisection(id),
	position     INTEGER NOT NULL,            -- 1: the oldest
	commit_id    TEXT NOT NULL,
	subject      TEXT NOT NULL,
	author       TEXT NOT NULL,
	weight       REAL NOT NULL,               -- how suspect it is
	answer       TEXT CHECK (answer IN ('good','bad','skip')), -- NULL: not looked at
	binary       TEXT,                        -- kernel.section_hash, once it was built
	PRIMARY KEY (bisection_id, position)
) STRICT, WITHOUT ROWID;

-- Commits that it looked at, and what that came to.
CREATE TABLE bisection_step (
	bisection_id  INTEGER NOT NULL REFERENCES bisection(id),
	number        INTEGER NOT NULL,           -- 1: the first
	position      INTEGER NOT NULL,           -- bisection_commit
	submission_id INTEGER REFERENCES submission(id), -- the last that was made for it
	asked         INTEGER NOT NULL,           -- boots of the commit, so far
	outcome       TEXT CHECK (outcome IN ('good','bad','skip')), -- NULL: it runs
	midway        INTEGER NOT NULL DEFAULT 0, -- clearly neither end
	boots         INTEGER NOT NULL DEFAULT 0, -- that were made for it
	used          INTEGER,                    -- boots or phases that the answer rests on
	llr           REAL,                       -- ln of bad's likelihood over good's (lib/stat/sprt.h)
	level         REAL,                       -- 0: as the good end, 1: as the bad
	spread        REAL,                       -- that it was held against
	why           TEXT,
	begun_ms      INTEGER NOT NULL,
	ended_ms      INTEGER,
	PRIMARY KEY (bisection_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX bisection_step_submission ON bisection_step(submission_id);

-- What people say of the service's judgement, for the figures of its quality.
CREATE TABLE alert_mark (
	id            INTEGER PRIMARY KEY,
	mark          TEXT NOT NULL CHECK (mark IN ('missed','wrong')),
	alert_id      INTEGER REFERENCES alert(id),
	submission_id INTEGER REFERENCES submission(id), -- missed: where it stands
	board         TEXT,
	case_text     TEXT,
	why           TEXT NOT NULL,
	by_whom       TEXT NOT NULL,
	at_ms         INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_mark_alert ON alert_mark(alert_id) WHERE alert_id IS NOT NULL;

-- Cells that are not told for a while. An alert is made all the same.
CREATE TABLE mute (
	id         INTEGER PRIMARY KEY,
	board      TEXT,                          -- patterns; NULL: any
	case_glob  TEXT,
	branch     TEXT,                          -- as of known_fault
	why        TEXT NOT NULL,
	until_ms   INTEGER NOT NULL,
	by_whom    TEXT NOT NULL,
	at_ms      INTEGER NOT NULL,
	ended_ms   INTEGER,                       -- NULL: it was not ended before
	ended_by   TEXT
) STRICT;

-- Who is told of what. `address` of a webhook and `secret` are secrets: of a URL only
-- scheme and host are ever shown.
CREATE TABLE subscription (
	id         INTEGER PRIMARY KEY,
	channel    TEXT NOT NULL CHECK (channel IN ('mail','webhook','slack')),
	address    TEXT NOT NULL,                 -- x@example.org, or a URL
	shown      TEXT NOT NULL,                 -- what may be shown of it
	secret     TEXT,                          -- webhook: key of its signatures
	branch     TEXT,                          -- patterns; NULL: any
	board      TEXT,
	case_glob  TEXT,
	min_size   REAL,                          -- fraction; NULL: any
	direction  TEXT NOT NULL CHECK (direction IN ('slower','any')),
	by_whom    TEXT NOT NULL,
	at_ms      INTEGER NOT NULL,
	ended_ms   INTEGER,                       -- NULL: it is in force
	ended_by   TEXT
) STRICT;

-- Steps on their way to subscriptions, made in the transaction of the step. A receiver
-- gets each at least once, and knows a repeat by its `delivery`.
CREATE TABLE outbox (
	id              INTEGER PRIMARY KEY,
	delivery        TEXT NOT NULL UNIQUE,     -- random
	alert_id        INTEGER NOT NULL REFERENCES alert(id),
	step_id         INTEGER NOT NULL REFERENCES alert_step(id),
	subscription_id INTEGER NOT NULL REFERENCES subscription(id),
	channel         TEXT NOT NULL,
	state           TEXT NOT NULL CHECK (state IN ('waiting','sent','dead')),
	attempts        INTEGER NOT NULL,
	why             TEXT,                     -- of the last failure
	next_ms         INTEGER NOT NULL,
	created_ms      INTEGER NOT NULL,
	ended_ms        INTEGER,                  -- sent, or given up
	UNIQUE (step_id, subscription_id)
) STRICT;
CREATE INDEX outbox_due ON outbox(channel, next_ms, id) WHERE state = 'waiting';
CREATE INDEX outbox_alert ON outbox(alert_id, id);
CREATE INDEX outbox_failing ON outbox(subscription_id) WHERE state = 'waiting' AND attempts > 0;

-- ---------------------------------------------------------------- derived

-- One submitter's jobs of one urgency for a board, or for the agents that resolve and build
-- (''). server/store_share.h says whose turn it is.
CREATE TABLE lane (
	board      TEXT NOT NULL,
	submitter  TEXT NOT NULL,
	urgency    INTEGER NOT NULL,
	begun_ms   INTEGER NOT NULL,              -- its newest start; 0: none yet
	PRIMARY KEY (board, submitter, urgency)
) STRICT, WITHOUT ROWID;

-- How much of a board's time a submitter used lately.
CREATE TABLE usage (
	board      TEXT NOT NULL,
	submitter  TEXT NOT NULL,
	heat       REAL NOT NULL,                 -- log2 of milliseconds that halve every hour, grown to 1970
	PRIMARY KEY (board, submitter)
) STRICT, WITHOUT ROWID;

-- Where in the source a fault was, from the console and the kernel's vmlinux.
CREATE TABLE boot_place (
	boot_id    INTEGER NOT NULL REFERENCES boot(id),
	pos        INTEGER NOT NULL,              -- boot_fault.pos
	function   TEXT,
	file       TEXT,                          -- that was compiled to it; NULL: unknown
	place      TEXT,                          -- "include/linux/rmap.h:208", as near as can be told
	signature  TEXT NOT NULL,
	decoded    INTEGER NOT NULL,              -- by the vmlinux
	never      TEXT,                          -- why it can never be a known fault
	why        TEXT,                          -- why it was not decoded
	PRIMARY KEY (boot_id, pos)
) STRICT, WITHOUT ROWID;
CREATE INDEX boot_place_signature ON boot_place(signature);

-- A valid run's numbers after its warm-up, of one window. The run itself is the fact it saw.
CREATE TABLE run_stat (
	boot_id    INTEGER NOT NULL REFERENCES boot(id),
	case_id    INTEGER NOT NULL,
	number     INTEGER NOT NULL,
	median     REAL NOT NULL,
	mean       REAL NOT NULL,
	sd         REAL,
	iterations INTEGER NOT NULL,
	PRIMARY KEY (boot_id, case_id, number)
) STRICT, WITHOUT ROWID;

-- What a comparison came to. `last_boot` is the newest boot it saw.
CREATE TABLE comparison (
	submission_id INTEGER PRIMARY KEY REFERENCES submission(id),
	last_boot     INTEGER NOT NULL,
	last_known    INTEGER NOT NULL,           -- newest row of known_fault about its faults; 0: none; -1: to be computed anew
	complete      INTEGER NOT NULL,
	body          TEXT NOT NULL               -- docs/api.md's COMPARISON
) STRICT;
CREATE INDEX comparison_open ON comparison(submission_id) WHERE complete = 0;

CREATE INDEX comparison_outdated ON comparison(submission_id) WHERE last_known < 0;

-- Boots that count for a submission though they have faults: all of them known.
CREATE TABLE boot_known (
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	boot_id       INTEGER NOT NULL REFERENCES boot(id),
	known_id      INTEGER NOT NULL REFERENCES known_fault(id),
	last_boot     INTEGER NOT NULL,
	PRIMARY KEY (submission_id, boot_id, known_id)
) STRICT, WITHOUT ROWID;

-- Boots that later evidence made invalid for a submission: its replicates differ.
CREATE TABLE boot_void (
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	boot_id       INTEGER NOT NULL REFERENCES boot(id),
	why           TEXT NOT NULL,
	last_boot     INTEGER NOT NULL,
	PRIMARY KEY (submission_id, boot_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX boot_void_boot ON boot_void(boot_id);

-- Cells of a comparison, the baseline's own among them.
CREATE TABLE cell (
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	pos           INTEGER NOT NULL,
	board         TEXT NOT NULL,
	case_text     TEXT NOT NULL,
	metric        TEXT NOT NULL,
	kernel        TEXT NOT NULL,              -- its name in the submission
	env_id        TEXT,                       -- of the boots behind it; NULL: there are none
	mean          REAL,
	base_mean     REAL,
	std_rel       REAL,
	change        REAL,
	low           REAL,
	high          REAL,
	level         REAL,
	at_most       REAL,
	mean_change   REAL,
	tau           REAL,
	floor         REAL,
	layouts       INTEGER NOT NULL,
	boots         INTEGER NOT NULL,
	invalid_boots INTEGER NOT NULL,
	runs          INTEGER NOT NULL,
	skewed        INTEGER NOT NULL,
	needed        INTEGER,
	verdict       TEXT NOT NULL,
	why           TEXT,
	last_boot     INTEGER NOT NULL,
	PRIMARY KEY (submission_id, pos)
) STRICT, WITHOUT ROWID;

-- What was counted beside the time of a cell.
CREATE TABLE cell_covariate (
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	pos           INTEGER NOT NULL,
	cell          INTEGER NOT NULL,           -- cell.pos
	name          TEXT NOT NULL,
	base_mean     REAL,
	mean          REAL,
	change        REAL,
	last_boot     INTEGER NOT NULL,
	PRIMARY KEY (submission_id, pos)
) STRICT, WITHOUT ROWID;

-- Boots whose numbers a comparison left out.
CREATE TABLE cell_thrown (
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	pos           INTEGER NOT NULL,
	board         TEXT NOT NULL,
	kernel        TEXT NOT NULL,
	boot_id       INTEGER NOT NULL,
	phase         INTEGER NOT NULL,
	why           TEXT NOT NULL,
	signature     TEXT,                       -- of its first fault
	last_boot     INTEGER NOT NULL,
	PRIMARY KEY (submission_id, pos)
) STRICT, WITHOUT ROWID;

-- In what the environments differ that a comparison was asked to reach across.
CREATE TABLE cell_across (
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	pos           INTEGER NOT NULL,
	board         TEXT NOT NULL,
	kernel        TEXT NOT NULL,
	field         TEXT NOT NULL,              -- board.qemu
	one           TEXT,                       -- the baseline's; NULL: absent
	other         TEXT,                       -- the kernel's
	last_boot     INTEGER NOT NULL,
	PRIMARY KEY (submission_id, pos)
) STRICT, WITHOUT ROWID;

-- Sentences about a comparison as a whole.
CREATE TABLE cell_note (
	submission_id INTEGER NOT NULL REFERENCES submission(id),
	pos           INTEGER NOT NULL,
	text          TEXT NOT NULL,
	last_boot     INTEGER NOT NULL,
	PRIMARY KEY (submission_id, pos)
) STRICT, WITHOUT ROWID;

-- The patches of a series that matter, by cell: between the two prefixes around them it
-- is slower or faster.
CREATE TABLE series_effect (
	submission_id INTEGER NOT NULL REFERENCES series(submission_id),
	pos           INTEGER NOT NULL,
	board         TEXT NOT NULL,
	case_text     TEXT NOT NULL,
	metric        TEXT NOT NULL,
	kernel        TEXT NOT NULL,              -- their names in the submission
	against       TEXT NOT NULL,
	first         INTEGER NOT NULL,           -- it is one of the patches first..last,
	last          INTEGER NOT NULL,           -- or some of them together
	verdict       TEXT NOT NULL CHECK (verdict IN ('slower','faster')),
	change        REAL NOT NULL,
	low           REAL,
	high          REAL,
	why           TEXT,                       -- it is not one patch
	last_boot     INTEGER NOT NULL,
	PRIMARY KEY (submission_id, pos)
) STRICT, WITHOUT ROWID;

-- The numbers of one series along a track: of the same code, its config, on one board in one
-- environment. A new environment begins another.
CREATE TABLE history (
	id             INTEGER PRIMARY KEY,
	track_id       INTEGER NOT NULL REFERENCES track(id),
	board          TEXT NOT NULL,
	case_text      TEXT NOT NULL,
	metric         TEXT NOT NULL,
	config         TEXT NOT NULL,             -- config_text; '': a prebuilt image
	env_id         TEXT NOT NULL,
	config_name    TEXT,
	unit           TEXT NOT NULL,
	deterministic  INTEGER NOT NULL,
	more_is_better INTEGER NOT NULL,
	points         INTEGER NOT NULL,
	-- Of its newest window (lib/stat/history.h), with all below.
	class          TEXT NOT NULL CHECK (class IN ('drift','variance','step','transient','steady')),
	level          REAL,
	UNIQUE (track_id, board, case_text, metric, config, env_id)
) STRICT;

-- A kernel's number at a point of the track. `last_boot` is the newest boot it saw.
CREATE TABLE history_point (
	history_id    INTEGER NOT NULL REFERENCES history(id),
	position      INTEGER NOT NULL,           -- track_point
	value         REAL NOT NULL,
	spread        REAL,                       -- cell.std_rel
	boots         INTEGER NOT NULL,           -- behind it; 0: carried
	carried       INTEGER NOT NULL,           -- it was not booted: the binary of another point's
	tau           REAL,                       -- as its comparison had it
	against       INTEGER,                    -- the point that it was compared with, and what came of it
	change        REAL,
	low           REAL,
	high          REAL,
	moved         INTEGER NOT NULL,           -- slower or faster
	kernel_id     INTEGER NOT NULL,
	submission_id INTEGER NOT NULL,
	last_boot     INTEGER NOT NULL,
	PRIMARY KEY (history_id, position)
) STRICT, WITHOUT ROWID;

-- Points of HISTORY_BLOCK positions beside one another, so that a long history is shown
-- without reading each.
CREATE TABLE history_block (
	history_id INTEGER NOT NULL REFERENCES history(id),
	block      INTEGER NOT NULL,              -- position / HISTORY_BLOCK
	points     INTEGER NOT NULL,
	low        REAL NOT NULL,
	high       REAL NOT NULL,
	total      REAL NOT NULL,                 -- of their values
	PRIMARY KEY (history_id, block)
) STRICT, WITHOUT ROWID;

-- Where a history changes, and points that lie apart from their neighbours.
CREATE TABLE history_change (
	history_id INTEGER NOT NULL REFERENCES history(id),
	position   INTEGER NOT NULL,              -- first point of the new level
	class      TEXT NOT NULL CHECK (class IN ('step','transient','outlier')),
	before     REAL NOT NULL,                 -- the levels
	after      REAL NOT NULL,
	change     REAL,
	low        REAL,                          -- NULL: there is no interval
	high       REAL,
	score      REAL,                          -- lib/stat/history.h; NULL: on a deterministic board
	PRIMARY KEY (history_id, position)
) STRICT, WITHOUT ROWID;

-- Boots of a point's own kernel that were thrown out.
CREATE TABLE history_fault (
	track_id      INTEGER NOT NULL REFERENCES track(id),
	board         TEXT NOT NULL,
	position      INTEGER NOT NULL,           -- track_point
	boot_id       INTEGER NOT NULL,
	submission_id INTEGER NOT NULL,
	why           TEXT NOT NULL,
	signature     TEXT,                       -- of its first fault
	PRIMARY KEY (track_id, position, board, boot_id)
) STRICT, WITHOUT ROWID;
