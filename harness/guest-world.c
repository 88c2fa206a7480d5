// SPDX-License-Identifier: MIT
/*
 * A world: what its guests are told to be, and what they turn out to be. See guest.h.
 */
#include "guest-world.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "command-plan.h"
#include "guest-evidence.h"

#define RESTORES_MAX 2

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

/* The files of the scenarios that a job names. */
static json_t *cargo_json(const struct guest_cargo *cargo, const json_t *runs)
{
	json_t *files = json_object(), *item;
	size_t i;
	json_array_foreach (runs, i, item) {
		const char *name = json_string_value(json_object_get(item, "scenario"));
		json_t *of_scenario = name ? json_object_get(cargo->files, name) : NULL;
		if (of_scenario)
			(void)json_object_set(files, name, of_scenario);
	}
	return files;
}

json_t *guest_job(const struct guest_world *world, json_t *runs, const struct run_context *context)
{
	json_t *job =
		json_pack("{s:s, s:I, s:I, s:o, s:o}", "cgroup", world->cgroup, "swap", (json_int_t)world->swap_bytes,
			  "time", (json_int_t)time(NULL), "seed", seed_json(), "runs", runs);
	if (job && world->state->options.cargo)
		(void)json_object_set_new(job, "cargo", cargo_json(world->state->options.cargo, runs));
	if (job && world->profile && world->profile->count)
		(void)json_object_set_new(job, "sysctl", profile_json(world->profile));
	if (job && context && context->parameters && context->parameters->count)
		(void)json_object_set_new(job, "parameters", parameters_json(context->parameters));
	if (job && context && context->command)
		(void)json_object_set_new(job, "command",
					  command_to_json(context->command, context->command_deadline_ns));
	if (job && context && context->capture)
		(void)json_object_set_new(job, "capture", json_true());
	if (job && context && context->fix)
		(void)json_object_set(job, "fix", (json_t *)(uintptr_t)context->fix);
	if (job && context && context->look)
		(void)json_object_set_new(job, "triage", json_true());
	return job;
}

int guest_send_job(const struct vm *vm, json_t *job)
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

void guest_tell_silence(const struct vm *vm, int error, char *why, size_t size)
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
	r = guest_send_job(&vm, guest_job(world, json_array(), NULL));
	if (r == 0)
		r = vm_receive(&vm, clock_now_ns() + vm_timeout_ns(GUEST_ANSWER_TIMEOUT_NS),
			       world->state->options.interrupted, &frame);
	if (r < 0) {
		guest_tell_silence(&vm, r, why, size);
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

bool guest_must_boot(struct guest_state *state, unsigned starts_failed)
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
	for (unsigned i = 0; i < GUEST_STARTS_MAX && r < 0 && r != -EINVAL && r != -ENOTSUP && r != -EINTR; i++) {
		cold = cold || guest_must_boot(world->state, i);
		r = probe_once(world, cold, why, size);
	}
	if (r == 0)
		guest_state_remember(world->state, name, &world->machine, sizeof(world->machine));
	return r;
}
