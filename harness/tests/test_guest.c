// SPDX-License-Identifier: MIT
/*
 * A job in a guest that behaves, and in all the others: which run a failure is put down to, what its evidence says, how
 * often a new guest is started, and that it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake-qemu.h"
#include "guest-tree.h"
#include "guest.h"
#include "judge.h"

static struct run_text texts[3] = {{.name = (char *)"a"}, {.name = (char *)"b"}, {.name = (char *)"c"}};
static struct scenario scenario = {.name = (char *)"s", .runs = texts, .run_count = 3};
static struct plan_run runs[3];
static struct plan plan = {.scenario = &scenario, .runs = runs, .run_count = 3};
static struct guest_state state_of_guest;
static struct guest_world world = {.state = &state_of_guest, .cgroup = "v2"};
static atomic_bool interrupted;

static int prepare(void **state)
{
	if (make_tree(state) < 0)
		return -1;
	fake_prepare(in_tree("starts"));
	for (size_t i = 0; i < 3; i++) {
		runs[i] = (struct plan_run){
			.scenario = &scenario, .run = &texts[i], .scope = SCOPE_MACHINE, .role = ROLE_CONTROL};
		runs[i].name[0] = texts[i].name[0];
		runs[i].expect.exit = (char *)"0";
		environment_init(&runs[i].environment);
		runs[i].environment.deadline_ns = 100000000;
	}
	state_of_guest.options = (struct guest_options){.memory_bytes = 1 << 20, .cpus = 1};
	state_of_guest.image.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	(void)strcpy(state_of_guest.kernel.name, "fake");
	(void)strcpy(state_of_guest.qemu, getenv("ENOMEM_QEMU"));
	return 0;
}

static int clean(void **state)
{
	close(state_of_guest.image.fd);
	return remove_tree(state);
}

static json_t *execute(const char *script)
{
	static const struct plan_run *const all_runs[] = {&runs[0], &runs[1], &runs[2]};
	struct run_context context = {.interrupted = &interrupted};
	fake_plays(script);
	json_t *all = guest_execute(&context, &world, all_runs, 3);
	assert_non_null(all);
	assert_int_equal(json_array_size(all), 3);
	assert_no_child();
	return all;
}

/* "pass fail broken", how many guests it took, what is told of the run that matters. */
static void check(const char *script, const char *verdicts, unsigned starts, size_t run, const char *told)
{
	char text[128] = "";
	json_t *all = execute(script), *item;
	size_t i;
	json_array_foreach (all, i, item) {
		const char *verdict = json_string_value(json_object_get(item, "verdict"));
		(void)strcat(strcat(text, i ? " " : ""), verdict ? verdict : "none");
	}
	char *json = json_dumps(json_array_get(all, run), JSON_COMPACT);
	if (strcmp(text, verdicts) != 0 || fake_starts() != starts || !strstr(json, told))
		fail_msg("'%s': %s (not %s), %u starts (not %u), '%s' in: %s", script, text, verdicts, fake_starts(),
			 starts, told, json);
	free(json);
	/* What comes after in the line has to survive it as well. */
	json_t *judged = judge_scenario(&plan, all);
	assert_non_null(judged);
	json_decref(judged);
}

static void test_good(void **state)
{
	(void)state;
	check("rjmsaeasbebsceccd", "pass pass pass", 1, 0, "\"start\":\"booted\"");
}

static void test_panic(void **state)
{
	(void)state;
	check("rjmsaeasbpx|rjmscecd", "pass fail pass", 2, 1, "\"text\":\"a reason\"");
	check("rjmsaeasbcpx|rjmscecd", "pass fail pass", 2, 1, "\"after\"");
	/* one that QEMU survives, and one with garbage on the wire */
	check("rjmsapcch|rjmsbebscecd", "fail pass pass", 2, 0, "\"kind\":\"panic\"");
	check("rjmsapg|rjmsbebscecd", "fail pass pass", 2, 0, "\"kind\":\"panic\"");
	check("rjmsapx|rjmsbpx|rjmscpx", "fail fail fail", 3, 2, "\"kind\":\"panic\"");
}

static void test_hang(void **state)
{
	(void)state;
	check("rjmsaeasbh|rjmscecd", "pass fail pass", 2, 1, "\"kind\":\"hang\"");
	check("rjmsath|rjmsbebscecd", "fail pass pass", 2, 0, "\"kind\":\"hang\"");
}

static void test_killed(void **state)
{
	(void)state;
	check("rjmsaeasbk|rjmscecd", "pass broken pass", 2, 1, "killed by SIGKILL");
	check("rjmsax|rjmsbebscecd", "broken pass pass", 2, 0, "in the middle of the run (QEMU: exited");
	check("rjmsaeax|rjmsbebscecd", "pass pass pass", 2, 0, "\"name\":\"a\"");
}

static void test_garbled(void **state)
{
	(void)state;
	check("rjmsaeasbg|rjmscecd", "pass broken pass", 2, 1, "garbled");
	check("rjmsaebh|rjmsbebscecd", "broken pass pass", 2, 0, "garbled"); /* another run's evidence */
	check("rjmsasbh|rjmsbebscecd", "broken pass pass", 2, 0, "garbled"); /* two runs at once */
	check("rjmsaEa|rjmsbebscecd", "broken pass pass", 2, 0, "garbled");  /* no verdict in it */
}

static void test_failed(void **state)
{
	(void)state;
	check("rjf", "broken broken broken", 1, 2, "it cannot be");
	check("rjmsaeasbf|rjmscecd", "pass broken pass", 2, 1, "it cannot be");
	check("rjmsaead", "pass broken broken", 1, 1, "knows no such run");
}

/* Two scenarios in one guest: what one of them cannot do is no matter of the other's. */
static void test_scenarios(void **state)
{
	static struct scenario other = {.name = (char *)"other", .runs = &texts[2], .run_count = 1};
	(void)state;
	check("rjFd", "broken broken broken", 1, 2, "it cannot be");
	check("rjmsaeaFd", "pass broken broken", 1, 1, "it cannot be");
	check("rjmsaeasbF|rjmscecd", "pass broken pass", 2, 1, "it cannot be");
	runs[2].scenario = &other;
	json_t *all = execute("rjmsaeaFd");
	assert_string_equal(json_string_value(json_object_get(json_array_get(all, 0), "verdict")), "pass");
	assert_string_equal(json_string_value(json_object_get(json_array_get(all, 1), "reason")), "it cannot be");
	assert_string_equal(json_string_value(json_object_get(json_array_get(all, 2), "reason")),
			    "the guest knows no such run");
	json_decref(all);
	all = execute("rjmscecd"); /* c of s, which nobody asked for */
	assert_string_equal(json_string_value(json_object_get(json_array_get(all, 2), "verdict")), "broken");
	json_decref(all);
	runs[2].scenario = &scenario;
}

/* Nothing of this brings the end nearer: some starts, then the runs are broken and the reason is told. */
static void test_no_progress(void **state)
{
	(void)state;
	check("rjx", "broken broken broken", 4, 0, "fake QEMU gave up");
	check("rjmx", "broken broken broken", 4, 0, "does not start");
	check("rjmcpx", "broken broken broken", 4, 0, "a reason");
	check("rjmg", "broken broken broken", 4, 0, "EBADMSG");
	check("rjea", "broken broken broken", 4, 0, "EBADMSG");
	check("rjszh", "broken broken broken", 4, 0, "EBADMSG");
	check("rjmsaeasax", "pass broken broken", 4 + 0, 1, "does not start");
	check("rjmh|rjmx|rjmx|rjmsaeasbebsced", "pass pass broken", 4, 1, "\"name\":\"b\"");
}

static void test_interrupted(void **state)
{
	(void)state;
	interrupted = true;
	json_t *all = execute("rjmsah"), *first = json_array_get(all, 0);
	interrupted = false;
	assert_string_equal(json_string_value(json_object_get(first, "skipped")), "interrupted");
	json_decref(all);
}

static void probe(const char *script, int expected, unsigned starts, const char *told)
{
	char why[600] = "";
	fake_plays(script);
	memset(&world.machine, 0, sizeof(world.machine));
	int r = guest_world_probe(&world, why, sizeof(why));
	if (r != expected || fake_starts() != starts || !strstr(why, told))
		fail_msg("'%s': %d (not %d), %u starts (not %u): %s", script, r, expected, fake_starts(), starts, why);
	if (r < 0)
		assert_int_equal(world.machine.page_size, 0);
	else
		assert_string_equal(world.machine.kernel_release, "6.1.0-fake");
	assert_no_child();
}

static void test_probe(void **state)
{
	(void)state;
	probe("rjm", 0, 1, "");
	probe("rjf", -EINVAL, 1, "it cannot be");
	probe("rjM", -EBADMSG, 4, "garbled");
	probe("rjX", -EBADMSG, 4, "garbled");
	probe("rjd", -EBADMSG, 4, "garbled");
	probe("rjg", -EBADMSG, 4, "EBADMSG");
	probe("rjcpx", -EPIPE, 4, "a reason");
	probe("rjh|rjx|rjm", 0, 3, "");
	memset(&world.machine, 0, sizeof(world.machine));
}

/* What a guest said when it was booted is believed where nothing else is asked of it, and only if it makes sense. */
static void test_first_word(void **state)
{
	static struct machine m = {.kernel_release = "6.1.0-fake", .page_size = 4096};
	(void)state;
	(void)snprintf(state_of_guest.directory, sizeof(state_of_guest.directory), "%s", in_tree("."));
	put("memory", "");
	put("devices", "");
	guest_state_remember(&state_of_guest, GUEST_STATE_READY, &m, sizeof(m));
	probe("x", 0, 0, "");
	world.swap_bytes = 1 << 20; /* is another world: it is asked */
	probe("jm", 0, 1, "");
	world.swap_bytes = 0;
	guest_state_remember(&state_of_guest, GUEST_STATE_READY, &m, sizeof(m) - 1);
	probe("jm", 0, 1, "");
	memset(&m, 0xff, sizeof(m));
	guest_state_remember(&state_of_guest, GUEST_STATE_READY, &m, sizeof(m));
	probe("jm", 0, 1, "");
	state_of_guest.directory[0] = '\0';
	memset(&world.machine, 0, sizeof(world.machine));
}

int main(int argc, char **argv)
{
	if (is_fake_qemu(argc, argv))
		return play_fake_qemu(argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),        cmocka_unit_test(test_panic),
		cmocka_unit_test(test_hang),        cmocka_unit_test(test_killed),
		cmocka_unit_test(test_garbled),     cmocka_unit_test(test_failed),
		cmocka_unit_test(test_scenarios),   cmocka_unit_test(test_no_progress),
		cmocka_unit_test(test_interrupted), cmocka_unit_test(test_probe),
		cmocka_unit_test(test_first_word),
	};
	return cmocka_run_group_tests_name("guest", tests, prepare, clean);
}
