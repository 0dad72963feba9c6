/*
 * openapi_ops.c - what each route takes and answers, by the names in routes.c.
 */
#include "server/openapi.h"

#include "lib/mem.h"

/* clang-format off */
#define PAGE "limit int\nbefore int\n"
#define BYTES "application/octet-stream"
#define SAMPLES "case* str\nboard str\nmetric str\n"
#define TABLES "format json|csv|markdown|text\ntable all|reply|commit|cover|summary\nacross true|false\n" \
	"against baseline|previous\n"

#define ALERTS                                                                                  \
	"state open|new|confirmed|not_reproduced|acknowledged|fixed|dismissed|recovered\n"      \
	"kind slower|fault|missing\nboard str\n"

const struct openapi_op openapi_ops[] = {
	{"health", 200, "Health", NULL, NULL, 0},
	{"metrics", 200, "text/plain", NULL, NULL, 0},
	{"openapi", 200, "application/json", NULL, NULL, 0},
	{"artifact_get", 200, BYTES, NULL, NULL, 206},
	{"artifact_put", 201, "ArtifactKept", BYTES, NULL, 200},
	{"submissions_list", 200, "Submissions", NULL, PAGE, 0},
	{"submission_make", 201, "Submission|DryRun", "SubmissionAsked", "dry_run 1|0|true|false\n", 200},
	{"submission_latest", 200, "Submission", NULL, NULL, 0},
	{"submission_get", 200, "Submission", NULL, NULL, 0},
	{"submission_cancel", 200, "Submission", NULL, NULL, 0},
	{"submission_more", 200, "Submission", "MoreAsked", NULL, 201},
	{"samples_latest", 200, "Samples", NULL, SAMPLES, 0},
	{"samples_get", 200, "Samples", NULL, SAMPLES, 0},
	{"profiles_latest", 200, "Profiles", NULL, "case* str\n", 0},
	{"profiles_get", 200, "Profiles", NULL, "case* str\n", 0},
	{"comparison_latest", 200, "Comparison", NULL, TABLES, 0},
	{"comparison_get", 200, "Comparison", NULL, TABLES, 0},
	{"kernels_list", 200, "Kernels", NULL, PAGE, 0},
	{"kernel_get", 200, "Kernel", NULL, NULL, 0},
	{"configs_list", 200, "Configs", NULL, NULL, 0},
	{"cases_list", 200, "Cases", NULL, NULL, 0},
	{"boards_list", 200, "Boards", NULL, NULL, 0},
	{"board_get", 200, "Board", NULL, NULL, 0},
	{"board_drain", 200, "Board", "Why", NULL, 0},
	{"board_resume", 200, "Board", "WhyPerhaps", NULL, 0},
	{"board_quarantine", 200, "Board", "Why", NULL, 0},
	{"agents_list", 200, "Agents", NULL, NULL, 0},
	{"agent_put", 200, "Agent", "Announcement", NULL, 0},
	{"jobs_list", 200, "Jobs", NULL,
	 "submission int\nstate queued|leased|done|failed|cancelled\n" PAGE, 0},
	{"job_get", 200, "Job", NULL, NULL, 0},
	{"job_claim", 200, "Lease", "Claim", NULL, 204},
	{"job_lease", 200, "Renewed", "Renewal", NULL, 0},
	{"job_log_get", 200, "text/plain", NULL, "offset int\nattempt int\n", 0},
	{"job_log_post", 200, "LogEnd", "text/plain", "attempt* int\noffset* int\n", 0},
	{"job_result", 200, "Taken", "Result", NULL, 0},
	{"import_make", 201, "Imported", "Import", NULL, 200},
	{"boot_get", 200, "Boot", NULL, "against int\n", 0},
	{"boot_console", 200, "text/plain", NULL, NULL, 0},
	{"faults_list", 200, "Faults", NULL, NULL, 0},
	{"fault_known", 201, "KnownFault", "FaultKnown", NULL, 0},
	{"fault_end", 200, "KnownFault", NULL, NULL, 0},
	{"tracks_list", 200, "Tracks", NULL, "state open|active|paused|ended\n" PAGE, 0},
	{"track_make", 201, "Track", "TrackAsked", NULL, 0},
	{"track_get", 200, "Track", NULL, PAGE, 0},
	{"track_pause", 200, "Track", "TrackPause", NULL, 0},
	{"track_resume", 200, "Track", NULL, NULL, 0},
	{"track_end", 200, "Track", "Why", NULL, 0},
	{"track_look", 200, "Track", NULL, NULL, 0},
	{"alerts_list", 200, "Alerts", NULL, ALERTS PAGE, 0},
	{"alert_get", 200, "Alert", NULL, NULL, 0},
	{"alert_acknowledge", 200, "Alert", "AlertWhy", NULL, 0},
	{"alert_dismiss", 200, "Alert", "AlertWhy", NULL, 0},
	{"alert_fix", 200, "Alert", "AlertWhy", NULL, 0},
	{"alert_note", 200, "Alert", "AlertWhy", NULL, 0},
	{"alert_mark", 200, "Alert", "MarkAsked", NULL, 0},
	{"alert_remeasure", 200, "Alert", "WhyPerhaps", NULL, 0},
	{"bisection_get", 200, "Bisection", NULL, NULL, 0},
	{"bisection_begin", 201, "Bisection", "WhyPerhaps", NULL, 0},
	{"bisection_cancel", 200, "Bisection", NULL, NULL, 0},
	{"marks_list", 200, "Marks", NULL, PAGE, 0},
	{"mark_missed", 201, "Mark", "MissedAsked", NULL, 0},
	{"mutes_list", 200, "Mutes", NULL, NULL, 0},
	{"mute_make", 201, "Mute", "MuteAsked", NULL, 0},
	{"mute_end", 200, "Mute", NULL, NULL, 0},
	{"subscriptions_list", 200, "Subscriptions", NULL, NULL, 0},
	{"subscription_make", 201, "Subscription", "SubscriptionAsked", NULL, 0},
	{"subscription_end", 200, "Subscription", NULL, NULL, 0},
	{"alerts_feed", 200, "application/atom+xml", NULL, ALERTS "branch str\n" PAGE, 0},
	{"histories_list", 200, "Histories", NULL, NULL, 0},
	{"history_get", 200, "History", NULL,
	 "case* str\nboard str\nmetric str\nconfig str\nenv str\nfrom int\nuntil int\nbuckets int\n", 0},
	{"reference_list", 200, "References", NULL, NULL, 0},
	{"reference_set", 200, "Reference", "ReferenceAsked", NULL, 0},
	{"reference_end", 200, "Reference", NULL, "board str\n", 0},
	{"tokens_list", 200, "Tokens", NULL, NULL, 0},
	{"token_make", 201, "Token", "TokenAsked", NULL, 0},
	{"token_delete", 200, "Token", NULL, NULL, 0},
	{"token_quota_get", 200, "Quotas", NULL, NULL, 0},
	{"token_quota", 200, "Limits", "LimitsAsked", NULL, 0},
	{"quota_get", 200, "Quotas", NULL, NULL, 0},
};
/* clang-format on */

const size_t openapi_op_count = ARRAY_SIZE(openapi_ops);
