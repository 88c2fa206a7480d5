// SPDX-License-Identifier: MIT
/*
 * The answer key: what really happened. It exists nowhere outside the harness before the tool has ended.
 */
#include <string.h>
#include <sys/wait.h>

#include "evidence-internal.h"
#include "hold.h"
#include "judge-check.h"

static json_t *tool_json(const struct hold *h)
{
	json_t *o = json_pack("{s:b, s:b, s:b, s:b}", "deadline_reached", h->expired, "released", h->released,
			      "victim_ended", h->victim_ended, "ended", h->tool.ended);
	if (!h->tool.ended || h->tool.error)
		return o;
	if (WIFEXITED(h->tool.status))
		(void)json_object_set_new(o, "exit", json_integer(WEXITSTATUS(h->tool.status)));
	else
		(void)json_object_set_new(o, "signal", evidence_signal(WTERMSIG(h->tool.status)));
	return o;
}

json_t *hold_key_of(const json_t *evidence, const struct machine *machine, const struct plan *plan,
		    const struct plan_run *run)
{
	const struct scenario *s = plan->scenario;
	json_t *key =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "schema", "enomem-key/1", "enomem", ENOMEM_VERSION,
			  "scenario", s->name, "class", s->class_name ? s->class_name : "", "run", run->name, "kernel",
			  machine->kernel_release, "cgroup", cgroup_system_name(&machine->cgroup));
	if (!key)
		return NULL;
	if (run->case_text)
		(void)json_object_set_new(key, "case", json_string(run->case_text->name));
	(void)json_object_set_new(key, "expected", judge_predicted(run));
	(void)json_object_set_new(key, "observed", judge_shown(json_object_get(evidence, "failing_moment")));
	(void)json_object_set_new(key, "cause", judge_shown(json_object_get(evidence, "cause")));
	(void)json_object_set_new(key, "limits", judge_shown(json_object_get(evidence, "limits")));
	return key;
}

json_t *hold_key(const struct hold *h, const struct plan *plan, const struct plan_run *run)
{
	json_t *key = hold_key_of(h->evidence, h->machine, plan, run);
	if (!key)
		return NULL;
	(void)json_object_set_new(key, "phase", json_string(hold_phase_names[h->phase]));
	(void)json_object_set_new(key, "held", json_string(hold_state_names[h->state]));
	if (h->failures) {
		(void)json_object_set_new(key, "count", json_integer(h->made));
		(void)json_object_set(key, "failures", h->failures);
	}
	if (h->decoys)
		(void)json_object_set(key, "decoys", h->decoys);
	(void)json_object_set_new(key, "as_predicted", json_boolean(h->as_predicted));
	(void)json_object_set_new(key, "tool", tool_json(h));
	return key;
}
