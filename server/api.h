/*
 * api.h - the handlers that routes.c names, by file.
 */
#ifndef FOLDWATCH_API_H
#define FOLDWATCH_API_H

#include "server/server.h"

/* api_tokens.c */
http_handler tokens_list, token_make, token_delete;
/* api_quota.c */
http_handler quota_get, token_quota, token_quota_get;
/* api_artifacts.c */
http_handler artifact_get, artifact_put;
/* api_meta.c */
http_handler meta_health, meta_metrics, meta_openapi;

/* api_submissions.c */
http_handler submissions_list, submission_make, submission_get, submission_cancel, submission_more,
        submission_samples, submission_profiles;
/* api_compare.c */
http_handler comparison_get;
/* api_kernels.c */
http_handler kernels_list, kernel_get, configs_list, cases_list;
/* api_boards.c */
http_handler boards_list, board_get, board_drain, board_resume, board_quarantine;
http_handler agents_list, agent_put;
/* api_jobs.c */
http_handler jobs_list, job_get, job_claim, job_lease;
/* api_log.c */
http_handler job_log_get, job_log_post;
/* api_result.c */
http_handler job_result;
/* api_boots.c */
http_handler boot_get, boot_console;
/* api_faults.c */
http_handler faults_list, fault_known, fault_end;
/* api_alerts.c */
http_handler alerts_list, alert_get, alert_acknowledge, alert_dismiss, alert_fix, alert_note,
        alert_mark, marks_list, mark_missed;
/* api_bisect.c */
http_handler alert_remeasure, bisection_get, bisection_begin, bisection_cancel;
/* api_tell.c */
http_handler mutes_list, mute_make, mute_end, subscriptions_list, subscription_make,
        subscription_end;
/* api_feed.c */
http_handler alerts_feed;
/* api_tracks.c */
http_handler tracks_list, track_get, track_make, track_pause, track_resume, track_end, track_look;
/* api_history.c */
http_handler histories_list, history_get;
/* api_reference.c */
http_handler reference_list, reference_set, reference_end;
/* api_import.c */
http_handler import_make;

/* The OpenAPI document, made from the route table and openapi.c's schemas. */
json_t *openapi_document(const struct http_route *routes, size_t count);

#endif
