// SPDX-License-Identifier: MIT
/*
 * See live.h.
 */
#include "live.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "number.h"
#include "report-text.h"

#define WIDTH_WITHOUT_TERMINAL 80
#define NAME_BEGINS            2 /* columns of the comma before it, and the blank */
#define SECOND_NS              UINT64_C(1000000000)

bool live_possible(FILE *out)
{
	const char *term = getenv("TERM");
	return isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
}

int live_open(FILE *out, struct live *ret)
{
	struct winsize window;
	*ret = (struct live){0};
	if (!live_possible(out))
		return -ENOTTY;
	void *shared =
		mmap(NULL, LIVE_SLOTS * sizeof(*ret->slot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -errno;
	bool known = ioctl(fileno(out), TIOCGWINSZ, &window) == 0 && window.ws_col > 1;
	*ret = (struct live){.out = out,
			     .width = known ? window.ws_col - 1U : WIDTH_WITHOUT_TERMINAL - 1U,
			     .begin_ns = clock_now_ns(),
			     .slot = shared};
	return 0;
}

static void take_away(struct live *live)
{
	if (live->drawn)
		(void)fputs("\r\033[K", live->out);
	live->drawn = false;
}

void live_close(struct live *live)
{
	if (!live->out)
		return;
	take_away(live);
	(void)fflush(live->out);
	(void)munmap(live->slot, LIVE_SLOTS * sizeof(*live->slot));
	*live = (struct live){0};
}

static struct live_limit limit_if_set(enum live_kind kind, uint64_t bound)
{
	bool set = bound != ENVIRONMENT_NOT_SET && bound != ENOMEM_UNLIMITED;
	return set ? (struct live_limit){kind, bound} : (struct live_limit){LIVE_NONE, 0};
}

struct live_limit live_limit_of(const struct plan_run *run)
{
	const struct environment *env = &run->environment;
	const char *cause = run->expect.cause ? run->expect.cause : "";
	if (strcmp(cause, "rlimit-as") == 0)
		return limit_if_set(LIVE_ADDRESS_SPACE, env->rlimit[RLIMIT_AS]);
	if (strcmp(cause, "memcg-max") == 0)
		return limit_if_set(LIVE_GROUP_MEMORY, env->cgroup[CGROUP_MEMORY_MAX]);
	if (strcmp(cause, "memcg-high") == 0)
		return limit_if_set(LIVE_GROUP_MEMORY, env->cgroup[CGROUP_MEMORY_HIGH]);
	if (strcmp(cause, "pids-max") == 0)
		return limit_if_set(LIVE_TASKS, env->cgroup[CGROUP_PIDS_MAX]);
	for (unsigned i = 0; strcmp(cause, "max-map-count") == 0 && i < env->sysctl_count; i++)
		if (strcmp(env->sysctl[i].name, "vm.max_map_count") == 0)
			return (struct live_limit){LIVE_MAPS, strtoull(env->sysctl[i].value, NULL, 10)};
	return (struct live_limit){LIVE_NONE, 0};
}

uint64_t live_in_use(enum live_kind kind, const struct sample *sample)
{
	switch (kind) {
	case LIVE_ADDRESS_SPACE:
		return sample->vm_size;
	case LIVE_GROUP_MEMORY:
		return sample->memory_current;
	case LIVE_TASKS:
		return sample->pids_current;
	case LIVE_MAPS:
		return sample->map_count;
	case LIVE_NONE:
		break;
	}
	return ENOMEM_ABSENT;
}

static int append_use(char *buf, size_t size, const struct live_limit *limit, uint64_t in_use)
{
	char used[32], bound[32];
	bool bytes = limit->kind == LIVE_ADDRESS_SPACE || limit->kind == LIVE_GROUP_MEMORY;
	if (bytes)
		return snprintf(buf, size, ", %s of %s", number_format_bytes(used, sizeof(used), in_use),
				number_format_bytes(bound, sizeof(bound), limit->bound));
	return snprintf(buf, size, ", %s of %s %s", number_format_count(used, sizeof(used), in_use),
			number_format_count(bound, sizeof(bound), limit->bound),
			limit->kind == LIVE_TASKS ? "tasks" : "areas");
}

/* What stands for the rest of a name. */
static const char *mark_of_cut(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "\xe2\x80\xa6" : "...";
}

/* How many bytes of a text so many columns take. */
static size_t columns_end(const char *text, size_t columns)
{
	size_t end = 0;
	for (; text[end]; columns--) {
		if (columns == 0)
			break;
		end++;
		while (((unsigned char)text[end] & 0xc0) == 0x80)
			end++;
	}
	return end;
}

/* A name of a run may be anything, and must not move the cursor. At most width columns, and no character cut in two:
 * where it is cut a mark says so, and where there is room for no letter of it there is nothing. */
static void append_name(const struct plan_run *run, size_t width, char *buf, size_t size)
{
	char name[512];
	(void)snprintf(name, sizeof(name), ", %s: %s", run->scenario->name, run->name);
	for (char *c = name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	const char *mark = "";
	size_t length = strlen(name), end = length;
	if (text_columns(name, length) > width) {
		mark = mark_of_cut();
		const size_t taken = text_columns(mark, strlen(mark));
		end = width > taken + NAME_BEGINS ? columns_end(name, width - taken) : 0;
		mark = end ? mark : "";
	}
	(void)snprintf(buf, size, "%.*s%s", (int)end, name, mark);
}

void live_text(const struct live *live, const struct plan_run *run, uint64_t in_use, unsigned others, uint64_t now_ns,
	       char *buf, size_t size)
{
	char head[96], name[512] = "", use[96] = "", more[32] = "";
	struct live_limit limit = run ? live_limit_of(run) : (struct live_limit){LIVE_NONE, 0};
	const uint64_t seconds = (now_ns - live->begin_ns) / SECOND_NS;
	/* Where it is left, how much there would have been tells nobody how long it takes. */
	if (live->ending)
		(void)snprintf(head, sizeof(head), "%" PRIu64 " s, ending the runs in flight", seconds);
	else
		(void)snprintf(head, sizeof(head), "%" PRIu64 " s, %zu of %zu done", seconds, live->done, live->count);
	if (limit.kind != LIVE_NONE && in_use != ENOMEM_ABSENT)
		(void)append_use(use, sizeof(use), &limit, in_use);
	if (others > 0)
		(void)snprintf(more, sizeof(more), ", and %u more", others);
	/* Where there is no room for all of it, the name is what gives way. */
	size_t fixed = strlen(head) + strlen(use) + strlen(more);
	if (run && fixed < live->width)
		append_name(run, live->width - fixed, name, sizeof(name));
	(void)snprintf(buf, size, "%s%s%s%s", head, name, use, more);
	if (live->width < size && text_columns(buf, strlen(buf)) > live->width)
		buf[columns_end(buf, live->width)] = '\0';
}

void live_draw(struct live *live, const struct plan_run *run, const struct live_slot *slot, unsigned others)
{
	char text[512];
	if (!live->out)
		return;
	live_text(live, run, slot ? slot->in_use : ENOMEM_ABSENT, others, clock_now_ns(), text, sizeof(text));
	(void)fprintf(live->out, "\r%s\033[K\r", text);
	(void)fflush(live->out);
	live->drawn = true;
}
