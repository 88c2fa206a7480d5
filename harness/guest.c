// SPDX-License-Identifier: MIT
/*
 * The harness's side of a job: start a guest, say what to run, take in what comes, and know what to make of a guest
 * that stops talking. See guest.h.
 */
#include "guest.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "guest-evidence.h"
#include "judge.h"

/* From the start to the first word, and between two runs. A machine under load needs many times the usual. */
#define ANSWER_TIMEOUT_NS UINT64_C(20000000000)
/* What a run may take in a guest beyond its own deadline: staging and snapshots, with an emulated CPU. */
#define RUN_GRACE_NS      UINT64_C(20000000000)
#define STARTS_MAX        4
#define RESTORES_MAX      2

struct conversation {
	const struct run_context *context;
	const struct guest_world *world;
	const struct plan *plan;
	const size_t *index;
	size_t count;
	json_t **result; /* by position in index; NULL until it is there */
	struct vm vm;
	bool cold;
	unsigned starts_failed;
	ssize_t current; /* position of the run the guest is at, -1 for none */
	char why[1024];  /* it did not start the last time */
};

static json_t *seed_json(void)
{
	unsigned char random[24];
	char text[2 * sizeof(random) + 1];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return json_null();
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(text + 2 * i, 3, "%02x", random[i]);
	return json_string(text);
}

json_t *guest_default_sysctls(const struct guest_state *state)
{
	static char name[] = "vm/max_map_count", value[] = VM_EMULATED_MAX_MAP_COUNT,
		    file[] = "default of emulated guests";
	struct profile_setting setting = {.name = name, .value = value, .file = file, .line = 1};
	struct profile defaults = {.item = &setting, .count = state->kvm ? 0 : 1};
	return profile_json(&defaults);
}

static json_t *job_json(const struct guest_world *world, json_t *runs)
{
	json_t *job =
		json_pack("{s:s, s:I, s:I, s:o, s:o}", "cgroup", world->cgroup, "swap", (json_int_t)world->swap_bytes,
			  "time", (json_int_t)time(NULL), "seed", seed_json(), "runs", runs);
	if (job && world->profile && world->profile->count)
		(void)json_object_set_new(job, "sysctl", profile_json(world->profile));
	return job;
}

/* A serial port that is being restored forgets the byte it took in before. */
static int send_job(const struct vm *vm, json_t *job)
{
	json_auto_t *owned = job;
	auto_free char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;
	int r = wire_send_padding(vm->wire_fd);
	if (r < 0)
		return r;
	return text ? wire_send(vm->wire_fd, WIRE_JOB, text, strlen(text)) : -ENOMEM;
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool is_sound(const struct machine *m)
{
	bool sound = is_text(m->kernel_release, sizeof(m->kernel_release)) &&
		     is_text(m->why_no_witness, sizeof(m->why_no_witness)) && m->page_size > 0;
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		sound &= (unsigned)m->cgroup.at[i].version <= CGROUP_V2 &&
			 is_text(m->cgroup.at[i].mount, sizeof(m->cgroup.at[i].mount)) &&
			 is_text(m->cgroup.at[i].parent, sizeof(m->cgroup.at[i].parent));
	return sound;
}

static int take_machine(const struct wire_frame *frame, struct machine *ret)
{
	static struct machine m;
	if (frame->type != WIRE_MACHINE || frame->length != sizeof(m))
		return -EBADMSG;
	memcpy(&m, frame->data, sizeof(m));
	if (!is_sound(&m))
		return -EBADMSG;
	*ret = m;
	return 0;
}

/* "Does not answer", with what the console and QEMU said last. */
static void tell_silence(const struct vm *vm, int error, char *why, size_t size)
{
	char console[400], errors[200];
	vm_console(vm, console, sizeof(console));
	vm_errors(vm, errors, sizeof(errors));
	errors[strcspn(errors, "\n")] = '\0';
	(void)snprintf(why, size, "the guest does not answer (%s)%s%s%s%s", strerrorname_np(-error),
		       errors[0] ? "; QEMU says: " : "", errors, console[0] ? "; the console ends with: " : "",
		       console);
}

static int probe_once(struct guest_world *world, bool cold, char *why, size_t size)
{
	struct vm vm;
	struct wire_frame frame = {0};
	vm_init(&vm);
	int r = guest_state_start(world->state, cold, &vm, why, size);
	if (r < 0)
		return r;
	r = send_job(&vm, job_json(world, json_array()));
	if (r == 0)
		r = vm_receive(&vm, vm_now_ns() + vm_timeout_ns(ANSWER_TIMEOUT_NS), world->state->options.interrupted,
			       &frame);
	if (r < 0) {
		tell_silence(&vm, r, why, size);
	} else {
		if (frame.type == WIRE_FAILED) {
			guest_failed_message(frame.data, why, size);
			r = -EINVAL;
		} else {
			r = take_machine(&frame, &world->machine);
			if (r < 0)
				(void)snprintf(why, size, "the guest's answer is garbled");
		}
		free(frame.data);
	}
	(void)vm_stop(&vm);
	return r;
}

/* After some failed starts from the saved state it is made again; after that, or without one, guests are booted. */
static bool must_boot(struct guest_state *state, unsigned starts_failed)
{
	if (starts_failed < RESTORES_MAX)
		return false;
	return starts_failed > RESTORES_MAX || guest_state_renew(state) < 0;
}

/* What a restored guest finds depends on the state and on these: it need not be asked each time. */
static uint64_t hash_world(const struct guest_world *world)
{
	json_auto_t *sysctls = world->profile ? profile_json(world->profile) : NULL;
	auto_free char *text = sysctls ? json_dumps(sysctls, JSON_COMPACT) : NULL;
	uint64_t hash = hash_bytes(HASH_START, world->cgroup, sizeof(world->cgroup));
	hash = hash_bytes(hash, &world->swap_bytes, sizeof(world->swap_bytes));
	return hash_bytes(hash, text ? text : "", text ? strlen(text) : 0);
}

/* A guest that is asked for nothing special is what it said when it was ready. */
static bool is_as_booted(const struct guest_world *world)
{
	return strcmp(world->cgroup, "v1") != 0 && world->swap_bytes == 0 && !(world->profile && world->profile->count);
}

int guest_world_probe(struct guest_world *world, char *why, size_t size)
{
	static struct machine known;
	char name[40];
	(void)snprintf(name, sizeof(name), "machine-%016" PRIx64, hash_world(world));
	if (guest_state_recall(world->state, is_as_booted(world) ? GUEST_STATE_READY : name, &known, sizeof(known)) ==
		    0 &&
	    is_sound(&known)) {
		world->machine = known;
		return 0;
	}
	int r = -EIO;
	bool cold = !world->state->directory[0];
	for (unsigned i = 0; i < STARTS_MAX && r < 0 && r != -EINVAL && r != -EINTR; i++) {
		cold = cold || must_boot(world->state, i);
		r = probe_once(world, cold, why, size);
	}
	if (r == 0)
		guest_state_remember(world->state, name, &world->machine, sizeof(world->machine));
	return r;
}

static json_t *remaining_runs(const struct conversation *c)
{
	json_t *names = json_array();
	for (size_t i = 0; i < c->count; i++)
		if (!c->result[i])
			(void)json_array_append_new(names, json_string(c->plan->runs[c->index[i]].name));
	return json_pack("[{s:s, s:o}]", "scenario", c->plan->scenario->name, "runs", names);
}

static bool is_finished(const struct conversation *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (!c->result[i])
			return false;
	return true;
}

static ssize_t position_of(const struct conversation *c, const char *name)
{
	for (size_t i = 0; name && i < c->count; i++)
		if (strcmp(c->plan->runs[c->index[i]].name, name) == 0)
			return (ssize_t)i;
	return -1;
}

static void keep(struct conversation *c, size_t position, json_t *evidence)
{
	guest_describe(evidence, c->world, c->cold);
	json_decref(c->result[position]);
	c->result[position] = evidence;
}

/* The guest made no evidence of this run, so we do. */
static void conclude(struct conversation *c, size_t position, json_t *evidence)
{
	char console[GUEST_CONSOLE_BYTES];
	const struct plan_run *run = &c->plan->runs[c->index[position]];
	vm_console(&c->vm, console, sizeof(console));
	guest_add_console(evidence, console);
	(void)judge_run(evidence, run, &c->world->machine);
	keep(c, position, evidence);
}

static void conclude_broken(struct conversation *c, ssize_t position, const char *why)
{
	for (size_t i = 0; i < c->count; i++)
		if (position < 0 ? !c->result[i] : (ssize_t)i == position)
			conclude(c, i, guest_evidence_broken(&c->plan->runs[c->index[i]], why));
}

static void conclude_never_started(struct conversation *c)
{
	char why[sizeof(c->why) + 32];
	(void)snprintf(why, sizeof(why), "the guest does not start: %s", c->why);
	conclude_broken(c, -1, why);
}

/* How long the run that the guest is at may still take. */
static uint64_t deadline(const struct conversation *c)
{
	uint64_t length = vm_timeout_ns(ANSWER_TIMEOUT_NS);
	if (c->current >= 0)
		length = plan_time_ns(&c->plan->runs[c->index[c->current]]) + vm_timeout_ns(RUN_GRACE_NS);
	return vm_now_ns() + length;
}

/* [scenario, run] or [scenario, evidence] */
static json_t *second_of(const struct wire_frame *frame, const struct conversation *c)
{
	json_error_t error;
	json_auto_t *pair = json_loadb(frame->data, frame->length, 0, &error);
	const char *scenario = json_string_value(json_array_get(pair, 0));
	if (!scenario || strcmp(scenario, c->plan->scenario->name) != 0)
		return NULL;
	return json_incref(json_array_get(pair, 1));
}

/* One frame. 0 to go on, 1 when the guest is done, -EBADMSG for what makes no sense. */
static int take_frame(struct conversation *c, const struct wire_frame *frame)
{
	char why[512];
	json_t *item;
	switch (frame->type) {
	case WIRE_MACHINE:
		return 0;
	case WIRE_STARTED:
		if (c->current >= 0)
			return -EBADMSG;
		item = second_of(frame, c);
		c->current = position_of(c, json_string_value(item));
		json_decref(item);
		/* Only a run that is still to be made brings the end nearer. */
		if (c->current >= 0 && c->result[c->current])
			c->current = -1;
		if (c->current < 0)
			return -EBADMSG;
		c->starts_failed = 0;
		return 0;
	case WIRE_RUN:
		item = second_of(frame, c);
		if (c->current < 0 || !json_is_string(json_object_get(item, "verdict")) ||
		    position_of(c, json_string_value(json_object_get(item, "name"))) != c->current) {
			json_decref(item);
			return -EBADMSG;
		}
		keep(c, (size_t)c->current, item);
		c->current = -1;
		return 0;
	case WIRE_DONE:
		if (!is_finished(c))
			conclude_broken(c, -1, "the guest knows no such run");
		return 1;
	case WIRE_FAILED:
		guest_failed_message(frame->data, why, sizeof(why));
		conclude_broken(c, c->current, why);
		return 1;
	default:
		return -EBADMSG;
	}
}

/* The guest stopped talking. What it was at is concluded; before its first run there is only another try. */
static void take_silence(struct conversation *c, int error)
{
	char console[GUEST_CONSOLE_BYTES], why[256];
	vm_console(&c->vm, console, sizeof(console));
	int status = error == -EPIPE ? vm_wait(&c->vm) : -1;
	const char *panic = guest_panic_text(console);
	if (error == -EINTR) {
		for (size_t i = 0; i < c->count; i++)
			if (!c->result[i])
				conclude(c, i, evidence_skipped(&c->plan->runs[c->index[i]], "interrupted"));
		return;
	}
	if (c->current < 0) {
		c->starts_failed++;
		if (c->vm.console_fd >= 0)
			tell_silence(&c->vm, error, c->why, sizeof(c->why));
		return;
	}
	size_t at = (size_t)c->current;
	const struct plan_run *run = &c->plan->runs[c->index[at]];
	c->current = -1;
	if (panic)
		conclude(c, at, guest_evidence_panic(run, panic, console));
	else if (error == -ETIMEDOUT)
		conclude(c, at, guest_evidence_hang(run));
	else if (error == -EBADMSG)
		conclude(c, at, guest_evidence_broken(run, "what the guest sent is garbled"));
	else {
		(void)snprintf(why, sizeof(why), "the guest ended in the middle of the run (QEMU: %s%s)",
			       WIFSIGNALED(status) ? "killed by SIG" : "exited",
			       WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "");
		conclude(c, at, guest_evidence_broken(run, why));
	}
}

/* One guest, for as long as it lives. */
static void converse(struct conversation *c)
{
	c->current = -1;
	vm_init(&c->vm);
	int r = guest_state_start(c->world->state, c->cold, &c->vm, c->why, sizeof(c->why));
	if (r == 0)
		r = send_job(&c->vm, job_json(c->world, remaining_runs(c)));
	uint64_t until = deadline(c);
	while (r == 0) {
		struct wire_frame frame;
		r = vm_receive(&c->vm, until, c->context->interrupted, &frame);
		if (r < 0)
			break;
		r = take_frame(c, &frame);
		free(frame.data);
		until = deadline(c);
	}
	if (r < 0)
		take_silence(c, r);
	(void)vm_stop(&c->vm);
}

json_t *guest_execute(const struct run_context *context, const struct guest_world *world, const struct plan *plan,
		      const size_t *index, size_t count)
{
	struct conversation c = {.context = context, .world = world, .plan = plan, .index = index, .count = count};
	json_t *all = json_array();
	c.result = calloc(count, sizeof(json_t *));
	c.cold = !world->state->directory[0];
	if (!c.result || !all) {
		free(c.result);
		json_decref(all);
		return NULL;
	}
	while (!is_finished(&c)) {
		if (c.starts_failed >= STARTS_MAX) {
			conclude_never_started(&c);
			break;
		}
		c.cold = c.cold || must_boot(world->state, c.starts_failed);
		converse(&c);
	}
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(all, c.result[i]);
	free(c.result);
	return all;
}
