/*
 * routes.c - the one table of what the server answers.
 *
 * docs/api.md tells it for people, openapi.c adds the shapes; a test fails
 * when a row is missing in either.
 */
#include "server/api.h"

#include "lib/mem.h"

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)
#define V1  "/api/v1"

/* clang-format off */
static const struct http_route routes[] = {
	{"GET", "/healthz", ROLE_NONE, 0, 0, meta_health,
	 "Whether the server works", "health"},
	{"GET", "/metrics", ROLE_READ, 0, 0, meta_metrics,
	 "Counters as Prometheus text", "metrics"},
	{"GET", V1 "/openapi.json", ROLE_READ, 0, 0, meta_openapi,
	 "This description", "openapi"},

	{"GET", V1 "/artifacts/{sha256}", ROLE_READ, 0, 0, artifact_get,
	 "The bytes with this hash", "artifact_get"},
	{"PUT", V1 "/artifacts/{sha256}", ROLE_AGENT, 64 * GIB, HTTP_BODY_FILE | HTTP_SUBMIT_TOO,
	 artifact_put, "Store bytes under their hash", "artifact_put"},

	{"GET", V1 "/submissions", ROLE_READ, 0, 0, submissions_list,
	 "Submissions, newest first", "submissions_list"},
	{"POST", V1 "/submissions", ROLE_SUBMIT, 32 * MIB, 0, submission_make,
	 "Ask for kernels to be compared", "submission_make"},
	{"GET", V1 "/submissions/latest", ROLE_READ, 0, 0, submission_get,
	 "The newest submission with a finished comparison", "submission_latest"},
	{"GET", V1 "/submissions/{id}", ROLE_READ, 0, 0, submission_get,
	 "One submission with its kernels, jobs and progress", "submission_get"},
	{"POST", V1 "/submissions/{id}/cancel", ROLE_SUBMIT, 4 * KIB, 0, submission_cancel,
	 "Stop a submission", "submission_cancel"},
	{"POST", V1 "/submissions/{id}/boots", ROLE_SUBMIT, 64 * KIB, 0, submission_more,
	 "Add boots to a submission that is done", "submission_more"},
	{"GET", V1 "/submissions/latest/samples", ROLE_READ, 0, 0, submission_samples,
	 "Raw samples of a case of the newest finished submission", "samples_latest"},
	{"GET", V1 "/submissions/{id}/samples", ROLE_READ, 0, 0, submission_samples,
	 "Raw samples of a case", "samples_get"},
	{"GET", V1 "/submissions/latest/profiles", ROLE_READ, 0, 0, submission_profiles,
	 "Instructions by function of a case of the newest finished submission",
	 "profiles_latest"},
	{"GET", V1 "/submissions/{id}/profiles", ROLE_READ, 0, 0, submission_profiles,
	 "Instructions by function of a case", "profiles_get"},

	{"GET", V1 "/comparisons/latest", ROLE_READ, 0, 0, comparison_get,
	 "The comparison of the newest finished submission", "comparison_latest"},
	{"GET", V1 "/comparisons/{id}", ROLE_READ, 0, 0, comparison_get,
	 "The comparison of a submission's kernels", "comparison_get"},

	{"GET", V1 "/kernels", ROLE_READ, 0, 0, kernels_list,
	 "Kernels, newest first", "kernels_list"},
	{"GET", V1 "/kernels/{id}", ROLE_READ, 0, 0, kernel_get,
	 "One kernel", "kernel_get"},
	{"GET", V1 "/configs", ROLE_READ, 0, 0, configs_list,
	 "Named kernel configurations", "configs_list"},
	{"GET", V1 "/cases", ROLE_READ, 0, 0, cases_list,
	 "Benchmarks and their parameters", "cases_list"},

	{"GET", V1 "/boards", ROLE_READ, 0, 0, boards_list,
	 "Boards", "boards_list"},
	{"GET", V1 "/boards/{name}", ROLE_READ, 0, 0, board_get,
	 "One board with its history", "board_get"},
	{"POST", V1 "/boards/{name}/drain", ROLE_ADMIN, 4 * KIB, 0, board_drain,
	 "Give a board no more jobs", "board_drain"},
	{"POST", V1 "/boards/{name}/resume", ROLE_ADMIN, 4 * KIB, 0, board_resume,
	 "Take a board back into service", "board_resume"},
	{"POST", V1 "/boards/{name}/quarantine", ROLE_ADMIN, 4 * KIB, 0, board_quarantine,
	 "Distrust a board until its health check passes", "board_quarantine"},

	{"GET", V1 "/agents", ROLE_READ, 0, 0, agents_list,
	 "Agents", "agents_list"},
	{"PUT", V1 "/agents/{name}", ROLE_AGENT, 256 * KIB, 0, agent_put,
	 "Announce an agent's boards and toolchains", "agent_put"},

	{"GET", V1 "/jobs", ROLE_READ, 0, 0, jobs_list,
	 "Jobs, newest first", "jobs_list"},
	{"GET", V1 "/jobs/{id}", ROLE_READ, 0, 0, job_get,
	 "One job", "job_get"},
	{"POST", V1 "/jobs/claim", ROLE_AGENT, 64 * KIB, 0, job_claim,
	 "Lease the next job", "job_claim"},
	{"PUT", V1 "/jobs/{id}/lease", ROLE_AGENT, 64 * KIB, 0, job_lease,
	 "Renew a lease and say how far the job is", "job_lease"},
	{"GET", V1 "/jobs/{id}/log", ROLE_READ, 0, 0, job_log_get,
	 "A job's log from an offset", "job_log_get"},
	{"POST", V1 "/jobs/{id}/log", ROLE_AGENT, 1 * MIB, 0, job_log_post,
	 "Append to a job's log", "job_log_post"},
	{"POST", V1 "/jobs/{id}/result", ROLE_AGENT, 256 * MIB, 0, job_result,
	 "Answer a job", "job_result"},

	{"POST", V1 "/imports", ROLE_SUBMIT, 256 * MIB, 0, import_make,
	 "Take results that no agent measured", "import_make"},
	{"GET", V1 "/boots/{id}", ROLE_READ, 0, 0, boot_get,
	 "One boot with its runs", "boot_get"},
	{"GET", V1 "/boots/{id}/console", ROLE_READ, 0, 0, boot_console,
	 "A boot's kernel log", "boot_console"},

	{"GET", V1 "/faults", ROLE_READ, 0, 0, faults_list,
	 "Faults that boots showed, and those that are known", "faults_list"},
	{"POST", V1 "/faults", ROLE_ADMIN, 16 * KIB, 0, fault_known,
	 "List a fault as known: boots that hold no others count", "fault_known"},
	{"DELETE", V1 "/faults/{id}", ROLE_ADMIN, 0, 0, fault_end,
	 "End a known fault: its boots count no more", "fault_end"},

	{"GET", V1 "/alerts", ROLE_READ, 0, 0, alerts_list,
	 "Alerts, newest first", "alerts_list"},
	{"GET", V1 "/alerts/{id}", ROLE_READ, 0, 0, alert_get,
	 "One alert with its story", "alert_get"},
	{"POST", V1 "/alerts/{id}/acknowledge", ROLE_SUBMIT, 16 * KIB, 0, alert_acknowledge,
	 "Say that somebody looks after an alert", "alert_acknowledge"},
	{"POST", V1 "/alerts/{id}/dismiss", ROLE_SUBMIT, 16 * KIB, 0, alert_dismiss,
	 "Say that an alert is of no concern", "alert_dismiss"},
	{"POST", V1 "/alerts/{id}/fix", ROLE_SUBMIT, 16 * KIB, 0, alert_fix,
	 "Say that an alert's cause is fixed", "alert_fix"},
	{"POST", V1 "/alerts/{id}/note", ROLE_SUBMIT, 16 * KIB, 0, alert_note,
	 "Add a note to an alert's story", "alert_note"},
	{"POST", V1 "/alerts/{id}/mark", ROLE_SUBMIT, 16 * KIB, 0, alert_mark,
	 "Say that an alert is wrong, or missed something", "alert_mark"},
	{"GET", V1 "/marks", ROLE_READ, 0, 0, marks_list,
	 "What people say of alerts, newest first", "marks_list"},
	{"POST", V1 "/marks", ROLE_SUBMIT, 16 * KIB, 0, mark_missed,
	 "Say that no alert told of something", "mark_missed"},
	{"GET", V1 "/mutes", ROLE_READ, 0, 0, mutes_list,
	 "What is not told for a while", "mutes_list"},
	{"POST", V1 "/mutes", ROLE_ADMIN, 16 * KIB, 0, mute_make,
	 "Tell nothing of boards, cases or branches until a day", "mute_make"},
	{"DELETE", V1 "/mutes/{id}", ROLE_ADMIN, 0, 0, mute_end,
	 "End a mute", "mute_end"},
	{"GET", V1 "/subscriptions", ROLE_ADMIN, 0, 0, subscriptions_list,
	 "Who is told of alerts, without their secrets", "subscriptions_list"},
	{"POST", V1 "/subscriptions", ROLE_ADMIN, 16 * KIB, 0, subscription_make,
	 "Tell somebody of alerts; a secret that is made is shown this once",
	 "subscription_make"},
	{"DELETE", V1 "/subscriptions/{id}", ROLE_ADMIN, 0, 0, subscription_end,
	 "End a subscription", "subscription_end"},
	{"GET", "/feeds/alerts.atom", ROLE_READ, 0, 0, alerts_feed,
	 "The newest alerts as an Atom feed", "alerts_feed"},

	{"GET", V1 "/tokens", ROLE_ADMIN, 0, 0, tokens_list,
	 "All tokens, without their secrets", "tokens_list"},
	{"POST", V1 "/tokens", ROLE_ADMIN, 64 * KIB, 0, token_make,
	 "Make a token; it is shown this once", "token_make"},
	{"DELETE", V1 "/tokens/{id}", ROLE_ADMIN, 0, 0, token_delete,
	 "Revoke a token", "token_delete"},
	{"PUT", V1 "/tokens/{id}/quota", ROLE_ADMIN, 4 * KIB, 0, token_quota,
	 "Limit what a token may use", "token_quota"},
	{"GET", V1 "/quota", ROLE_SUBMIT, 0, 0, quota_get,
	 "What the token may use, and what is used", "quota_get"},
};
/* clang-format on */

const struct http_route *server_routes(size_t *count)
{
	*count = ARRAY_SIZE(routes);
	return routes;
}
