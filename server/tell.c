#include "server/tell.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "server/show_alert.h"

#include <stdlib.h>
#include <string.h>

/* ---- the command */

static void word(struct buf *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                            "@%+=:,./_-#";
	bool bare = *text && *text != '#' && !text[strspn(text, plain)];

	if (out->len)
		buf_addc(out, ' ');
	if (bare) {
		buf_adds(out, text);
		return;
	}
	buf_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *text);
	}
	buf_addc(out, '\'');
}

static void spec(struct buf *out, const char *option, const char *name, const char *tree,
                 const char *ref, const char *config)
{
	char *text = xasprintf("%s=%s#%s%s%s", name, tree, ref, config ? ",config=" : "",
	                       config ? config : "");

	word(out, option);
	word(out, text);
	free(text);
}

/* The culprit against what is before it. */
static void of_suspect(const struct telling *t, struct buf *out)
{
	const struct suspect *s = t->suspect;
	const struct alert_cell *c = &s->cells.at[0];
	char number[24], good[16];

	snprintf(number, sizeof(number), "%lld", (long long)s->proof);
	snprintf(good, sizeof(good), "%.12s", s->parent);
	if (c->emulated) {
		word(out, "repro");
		word(out, "--submission");
		word(out, number);
		word(out, "--kernel");
		word(out, s->kernel);
		word(out, c->case_text);
		return;
	}
	word(out, "submit");
	word(out, "--wait");
	word(out, "--fresh");
	word(out, "--board");
	word(out, c->board);
	word(out, "--case");
	word(out, c->case_text);
	spec(out, "--baseline", good, t->alert->tree, s->parent, t->alert->config);
	spec(out, "--kernel", s->kernel, t->alert->tree, s->commit, t->alert->config);
}

char *tell_command(const struct telling *t)
{
	const struct alert *a = t->alert;
	const struct alert_cell *c = NULL;
	char number[24];
	struct buf out;

	buf_init(&out, 16384);
	for (size_t i = 0; i < t->cells->count && !c; i++)
		if (t->cells->at[i].case_text && str_eq(t->cells->at[i].verdict, "slower"))
			c = &t->cells->at[i];
	word(&out, "foldwatch");
	if (str_eq(a->kind, "missing")) {
		snprintf(number, sizeof(number), "%lld", (long long)a->track);
		word(&out, "track");
		word(&out, "show");
		word(&out, number);
		return buf_take(&out, NULL);
	}
	if (a->signature) {
		snprintf(number, sizeof(number), "%lld", (long long)a->boot);
		word(&out, "log");
		word(&out, "--boot");
		word(&out, number);
		return buf_take(&out, NULL);
	}
	snprintf(number, sizeof(number), "%lld", (long long)(c ? c->submission : a->submission));
	if (t->suspect && t->suspect->cells.count) {
		of_suspect(t, &out);
	} else if (c && c->emulated) {
		word(&out, "repro");
		word(&out, "--submission");
		word(&out, number);
		word(&out, "--kernel");
		word(&out, a->kernel);
		word(&out, c->case_text);
	} else if (c && a->tree && a->base_tree) {
		word(&out, "submit");
		word(&out, "--wait");
		word(&out, "--fresh");
		word(&out, "--board");
		word(&out, c->board);
		word(&out, "--case");
		word(&out, c->case_text);
		spec(&out, "--baseline", a->base, a->base_tree,
		     a->base_commit ? a->base_commit : a->base_ref, a->base_config);
		spec(&out, "--kernel", a->kernel, a->tree, a->commit ? a->commit : a->ref,
		     a->config);
	} else {
		word(&out, "compare");
		word(&out, number);
	}
	return buf_take(&out, NULL);
}

/* ---- JSON */

static void put_json(json_t *o, struct buf *out)
{
	char *text = json_text(o);

	buf_adds(out, text);
	free(text);
	json_decref(o);
}

static char *link_of(const struct telling *t)
{
	return t->public_url ? xasprintf("%s/#/alert/%lld", t->public_url, (long long)t->alert->id)
	                     : NULL;
}

void tell_webhook(const struct telling *t, struct buf *out)
{
	json_t *o = json_object(), *steps, *alert = show_alert(t->alert, t->cells);
	char *url = link_of(t);

	steps = show_alert_steps(&(struct alert_steps){(struct alert_step *)t->step, 1});
	/* As of this step, however the alert went on meanwhile. */
	json_put_str(alert, "state", t->step->to);
	json_object_del(alert, "changed");
	json_object_del(alert, "owner");
	json_put(alert, "bisection", t->bisection ? json_incref(t->bisection) : json_null());
	json_put_str(o, "delivery", t->delivery);
	json_put_str(o, "event", t->step->to);
	json_put(o, "alert", alert);
	json_put(o, "step", json_incref(json_array_get(steps, 0)));
	json_put_str(o, "url", url);
	json_decref(steps);
	put_json(o, out);
	free(url);
}

static void slack_text(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			buf_adds(out, "&amp;");
		else if (*s == '<')
			buf_adds(out, "&lt;");
		else if (*s == '>')
			buf_adds(out, "&gt;");
		else
			buf_addc(out, *s);
	}
}

void tell_slack(const struct telling *t, struct buf *out)
{
	json_t *o = json_object();
	char *url = link_of(t);
	struct buf text;

	buf_init(&text, 64 << 10);
	buf_addf(&text, "foldwatch alert %lld, %s: ", (long long)t->alert->id, t->step->to);
	slack_text(&text, t->alert->title);
	buf_addc(&text, '\n');
	slack_text(&text, t->step->why);
	if (t->step->by) {
		buf_adds(&text, " (");
		slack_text(&text, t->step->by);
		buf_addc(&text, ')');
	}
	if (url) {
		buf_addc(&text, '\n');
		buf_adds(&text, url);
	}
	json_put_str(o, "text", text.data);
	put_json(o, out);
	buf_release(&text);
	free(url);
}
