// SPDX-License-Identifier: MIT
/*
 * Finding kernels: what of a cache counts, what "all", a series, a release, "newest" and a path mean, and that every
 * refusal names what to type.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>

#include "guest-kernel.h"
#include "guest-tree.h"

static void entry(const char *directory, const char *series, const char *release, const char *image)
{
	char path[300], text[300];
	(void)snprintf(path, sizeof(path), "cache/kernels/%s/about", directory);
	(void)snprintf(text, sizeof(text), "source=somewhere\nseries=%s\nrelease=%s\n", series, release);
	put(path, text);
	(void)snprintf(path, sizeof(path), "cache/kernels/%s/%s", directory, image);
	put(path, "an image");
}

static void fill(void)
{
	entry("6.1.0-9-cloud-amd64", "6.1", "6.1.0-9-cloud-amd64", "vmlinux");
	entry("6.1.0-56-cloud-amd64", "6.1", "6.1.0-56-cloud-amd64", "vmlinux");
	entry("5.10.0-46-cloud-amd64", "5.10", "5.10.0-46-cloud-amd64", "vmlinuz");
	entry("7.2.13+deb14-cloud-amd64", "7.2", "7.2.13+deb14-cloud-amd64", "vmlinux");
	entry("6.12.117+deb12-cloud-amd64", "6.12", "6.12.117+deb12-cloud-amd64", "vmlinux");
}

/* "5.10/5.10.0-46 ..." as found, in order. */
static void found(const char *spec, const char *expected)
{
	struct guest_kernel *k = NULL;
	char *text = NULL;
	size_t count = 0, length = 0;
	FILE *errors = open_messages(), *out = open_memstream(&text, &length);
	int r = guest_kernels_find(spec, errors, &k, &count);
	(void)fclose(errors);
	if (r != 0)
		fail_msg("%s: %d, %s", spec, r, messages);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%.*s", i ? " " : "", (int)strcspn(k[i].release, "-+"), k[i].release);
	(void)fclose(out);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s, not %s", spec, text, expected);
	free(text);
	free(k);
}

static void refused(const char *spec, int error, const char *told)
{
	struct guest_kernel *k = (struct guest_kernel *)tree;
	size_t count = 77;
	FILE *errors = open_messages();
	int r = guest_kernels_find(spec, errors, &k, &count);
	(void)fclose(errors);
	if (r != error)
		fail_msg("%s: %d, %s", spec, r, messages);
	assert_told(told);
	assert_int_equal(strncmp(messages, "enomem: ", 8), 0);
	assert_ptr_equal(k, tree); /* untouched */
	assert_int_equal(count, 77);
}

static void test_names(void **state)
{
	(void)state;
	fill();
	found("all", "5.10.0 6.1.0 6.1.0 6.12.117 7.2.13");
	found("5.10", "5.10.0");
	found("7.2,5.10", "7.2.13 5.10.0"); /* as asked */
	found("newest", "7.2.13");
	found("6.1.0-9-cloud-amd64", "6.1.0");
	/* each once */
	found("6.1,6.1", "6.1.0");
	found("newest,7.2", "7.2.13");
	found("7.2,all", "7.2.13 5.10.0 6.1.0 6.1.0 6.12.117");
	found("all,5.10,all", "5.10.0 6.1.0 6.1.0 6.12.117 7.2.13");
}

static void test_series(void **state)
{
	struct guest_kernel *k = NULL, one;
	size_t count = 0;
	(void)state;
	fill();
	/* the newest of a series, by version and not by text */
	assert_int_equal(guest_kernels_find("6.1", stderr, &k, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(k->release, "6.1.0-56-cloud-amd64");
	assert_string_equal(k->name, "6.1");
	assert_string_equal(k->image, in_tree("cache/kernels/6.1.0-56-cloud-amd64/vmlinux"));
	assert_string_equal(k->modules, in_tree("cache/kernels/6.1.0-56-cloud-amd64/modules"));
	free(k);
	assert_int_equal(guest_kernels_find("6.1.0-9-cloud-amd64", stderr, &k, &count), 0);
	assert_string_equal(k->release, "6.1.0-9-cloud-amd64");
	free(k);
	assert_int_equal(guest_kernel_default(&one), 0);
	assert_string_equal(one.release, "6.1.0-56-cloud-amd64");
	/* the uncompressed image where there are both */
	put("cache/kernels/5.10.0-46-cloud-amd64/vmlinux", "an image");
	assert_int_equal(guest_kernels_find("5.10", stderr, &k, &count), 0);
	assert_non_null(strstr(k->image, "/vmlinux"));
	assert_null(strstr(k->image, "/vmlinuz"));
	free(k);
}

static void test_default(void **state)
{
	struct guest_kernel one = {.name = "untouched"};
	(void)state;
	assert_int_equal(guest_kernel_default(&one), -ENOENT);
	assert_string_equal(one.name, "untouched");
	entry("5", "5.10", "5.10.0-46", "vmlinux");
	entry("7", "7.2", "7.2.13", "vmlinux");
	assert_int_equal(guest_kernel_default(&one), 0);
	assert_string_equal(one.name, "7.2");
}

static void test_unknown(void **state)
{
	(void)state;
	refused("6.1", -ENOENT, "ci/kernels 6.1");
	refused("all", -ENOENT, "no kernel in the cache\nHint: ci/kernels, or");
	refused("", -ENOENT, "no kernel in the cache\nHint: ci/kernels, or");
	refused("newest", -ENOENT, "ci/kernels newest");
	fill();
	refused("9.9", -ENOENT,
		"kernel '9.9': not in the cache, which has 5.10 6.1 6.1 6.12 7.2\nHint: ci/kernels 9.9");
	refused("6.1,9.9", -ENOENT, "9.9");
	refused("6", -ENOENT, "kernel '6'");
	refused("6.1 ", -ENOENT, "'6.1 '");
	refused("", -ENOENT, "which has 5.10");
	refused(",,,", -ENOENT, "Hint: ci/kernels, or name an image: --guest=/boot/vmlinuz-");
}

static void test_too_many(void **state)
{
	char spec[2000] = "", name[32];
	(void)state;
	memset(spec, 'x', sizeof(spec) - 1);
	refused(spec, -E2BIG, "at most 32 kernels");
	spec[0] = '\0';
	for (int i = 0; i < 33; i++) {
		(void)snprintf(name, sizeof(name), "k%d", i);
		put(name, "an image");
		(void)snprintf(spec + strlen(spec), sizeof(spec) - strlen(spec), "%s/%s,", tree, name);
	}
	refused(spec, -E2BIG, "at most 32 kernels");
}

/* An entry that is not complete does not count. */
static void test_broken(void **state)
{
	(void)state;
	entry("a", "6.1", "6.1.1", "vmlinux");
	put("cache/kernels/b/vmlinux", "no about");
	put("cache/kernels/c/about", "series=6.3\nrelease=6.3.1\n"); /* no image */
	put("cache/kernels/d/about", "series=6.4\n");
	put("cache/kernels/d/vmlinux", "no release");
	put("cache/kernels/e", "a file");
	entry(".f.new", "6.5", "6.5.1", "vmlinux");
	put("cache/kernels/g/about", "\xff\xfe\n\n=\nseries\nrelease=6.6.1\nseries=");
	put("cache/kernels/g/vmlinux", "no series");
	assert_int_equal(symlink("nowhere", in_tree("cache/kernels/h")), 0);
	assert_int_equal(symlink("a", in_tree("cache/kernels/i")), 0);
	put("cache/kernels/j/about", "series=6.7\nrelease=6.7.1");
	assert_int_equal(mkdir(in_tree("cache/kernels/j/vmlinux"), 0755), 0);
	found("6.1", "6.1.1");
	refused("6.3", -ENOENT, "not in the cache, which has 6.1");
	refused("6.4", -ENOENT, "not in the cache");
	refused("6.5", -ENOENT, "not in the cache");
	refused("6.6", -ENOENT, "not in the cache");
	refused("6.7", -ENOENT, "not in the cache");
}

/* What is booted must not be another user's. */
static void test_owner(void **state)
{
	(void)state;
	fill();
	found("6.1", "6.1.0");
	assert_int_equal(chmod(in_tree("cache/kernels"), 0777), 0);
	refused("6.1", -ENOENT, "not in the cache");
	assert_int_equal(chmod(in_tree("cache/kernels"), 0775), 0);
	refused("6.1", -ENOENT, "not in the cache");
	assert_int_equal(chmod(in_tree("cache/kernels"), 0755), 0);
	found("6.1", "6.1.0");
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(in_tree("cache/kernels"), 65534, 65534), 0);
	refused("6.1", -ENOENT, "not in the cache");
}

static void test_path(void **state)
{
	struct guest_kernel *k = NULL;
	size_t count = 0;
	(void)state;
	fill();
	put("vmlinuz-mine", "an image");
	assert_int_equal(guest_kernels_find(in_tree("vmlinuz-mine"), stderr, &k, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(k->name, "vmlinuz-mine");
	assert_string_equal(k->release, "");
	assert_string_equal(k->image, in_tree("vmlinuz-mine"));
	assert_string_equal(k->modules, "");
	free(k);
	/* beside modules, as ci/kernels lays them out */
	put("cache/kernels/5.10.0-46-cloud-amd64/modules/order", "zram.ko\n");
	assert_int_equal(guest_kernels_find(in_tree("cache/kernels/5.10.0-46-cloud-amd64/vmlinuz"), stderr, &k, &count),
			 0);
	assert_string_equal(k->name, "5.10");
	assert_string_equal(k->modules, in_tree("cache/kernels/5.10.0-46-cloud-amd64/modules"));
	free(k);
	found(in_tree("cache/kernels/6.12.117+deb12-cloud-amd64"), "6.12.117"); /* its directory */
	refused(in_tree("nothing"), -ENOENT, "no kernel image to read (ENOENT)");
	refused(tree, -EINVAL, "neither a kernel image nor");
	refused("/dev/null", -EINVAL, "/dev/null: neither");
	refused("/", -EINVAL, "neither");
}

static void put_bzimage(const char *name, const char *release)
{
	unsigned char bytes[5 * 512] = {
		[0x1fe] = 0x55, [0x1ff] = 0xaa, [0x206] = 0x0f, [0x207] = 2, [0x20f] = 3, [0x236] = 1};
	memcpy(bytes + 0x202, "HdrS", 4);
	(void)snprintf((char *)bytes + 0x500, 100, "%s (somebody) #1", release);
	put_bytes(name, (const char *)bytes, sizeof(bytes));
}

static void modules_of(const char *image, const char *expected)
{
	struct guest_kernel *k = NULL;
	size_t count = 0;
	assert_int_equal(guest_kernels_find(in_tree(image), stderr, &k, &count), 0);
	assert_string_equal(k->modules, expected);
	free(k);
}

static void not_taken(const char *image, const char *told)
{
	struct guest_kernel *k = NULL;
	size_t count = 0;
	FILE *errors = open_messages();
	assert_int_equal(guest_kernels_find(in_tree(image), errors, &k, &count), 0);
	(void)fclose(errors);
	assert_string_equal(k->modules, "");
	assert_told(told);
	free(k);
}

/* An image away from ci/kernels' directory: its release says which modules are its own. */
static void test_module_tree(void **state)
{
	(void)state;
	put_bzimage("a/boot/bzImage", "6.9.1-mine");
	modules_of("a/boot/bzImage", "");
	put("a/lib/modules/6.9.2-mine/modules.order", "");
	modules_of("a/boot/bzImage", "");
	put("lib/modules/6.9.1-mine/modules.order", "");
	modules_of("a/boot/bzImage", in_tree("lib/modules/6.9.1-mine"));
	put("a/usr/lib/modules/6.9.1-mine/modules.order", "");
	modules_of("a/boot/bzImage", in_tree("a/usr/lib/modules/6.9.1-mine")); /* the nearest */
	put("a/boot/lib/modules/6.9.1-mine/modules.order", "");
	modules_of("a/boot/bzImage", in_tree("a/boot/lib/modules/6.9.1-mine"));
	/* what everybody may write to is nobody's, and so is what another user owns */
	assert_int_equal(chmod(in_tree("a/boot/lib/modules/6.9.1-mine"), 0777), 0);
	modules_of("a/boot/bzImage", in_tree("a/usr/lib/modules/6.9.1-mine"));
	if (geteuid() == 0) {
		assert_int_equal(chown(in_tree("a/usr/lib/modules/6.9.1-mine"), 65534, 65534), 0);
		modules_of("a/boot/bzImage", in_tree("lib/modules/6.9.1-mine"));
		assert_int_equal(chown(in_tree("a/boot/bzImage"), 65534, 65534), 0); /* the image's owner is trusted */
		modules_of("a/boot/bzImage", in_tree("a/usr/lib/modules/6.9.1-mine"));
	}
	/* nor is what the way there is open to others, or leads away from where the image is */
	put_bzimage("b/bzImage", "6.9.3-mine");
	put("b/lib/modules/6.9.3-mine/modules.order", "");
	modules_of("b/bzImage", in_tree("b/lib/modules/6.9.3-mine"));
	assert_int_equal(chmod(in_tree("b/lib/modules/6.9.3-mine"), 0775), 0);
	not_taken("b/bzImage", "b/lib/modules/6.9.3-mine: its modules are not taken");
	assert_int_equal(chmod(in_tree("b/lib/modules/6.9.3-mine"), 0755), 0);
	assert_int_equal(chmod(in_tree("b/lib"), 0777), 0);
	not_taken("b/bzImage", "belongs to somebody else, or others may write to it (chmod go-w)");
	assert_int_equal(chmod(in_tree("b/lib"), 0755), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(in_tree("b/lib/modules"), 65534, 65534), 0);
		not_taken("b/bzImage", "its modules are not taken");
		assert_int_equal(chown(in_tree("b/lib/modules"), 0, 0), 0);
	}
	modules_of("b/bzImage", in_tree("b/lib/modules/6.9.3-mine"));
	assert_int_equal(rename(in_tree("b/lib"), in_tree("elsewhere")), 0);
	assert_int_equal(symlink("../elsewhere", in_tree("b/lib")), 0);
	modules_of("b/bzImage", "");
	/* as on Debian */
	assert_int_equal(unlink(in_tree("b/lib")), 0);
	assert_int_equal(mkdir(in_tree("b/usr"), 0755), 0);
	assert_int_equal(rename(in_tree("elsewhere"), in_tree("b/usr/lib")), 0);
	assert_int_equal(symlink("usr/lib", in_tree("b/lib")), 0);
	modules_of("b/bzImage", in_tree("b/usr/lib/modules/6.9.3-mine"));
	put_bzimage("a/boot/bzImage", "../../lib/modules/6.9.1-mine");
	modules_of("a/boot/bzImage", "");
}

/* What is told of an image before it is booted. */
static void test_check(void **state)
{
	struct guest_kernel *k = NULL;
	char why[1200];
	size_t count = 0;
	(void)state;
	fill();
	put_bzimage("mine", "6.9.1");
	assert_int_equal(guest_kernels_find(in_tree("mine"), stderr, &k, &count), 0);
	assert_string_equal(k->release, "6.9.1");
	assert_int_equal(guest_kernel_check(k, why, sizeof(why)), 0);
	assert_int_equal(truncate(in_tree("mine"), 2000), 0);
	assert_int_equal(guest_kernel_check(k, why, sizeof(why)), -ENOEXEC);
	assert_string_equal(strstr(why, "/mine: "), "/mine: a kernel image that is cut off: it has 2000 bytes of at "
						    "least 2560");
	free(k);
	assert_int_equal(guest_kernels_find("5.10", stderr, &k, &count), 0);
	assert_int_equal(guest_kernel_check(k, why, sizeof(why)), -ENOEXEC);
	assert_non_null(strstr(why, "5.10.0-46-cloud-amd64/vmlinuz: no kernel image"));
	assert_non_null(strstr(why, "cache/kernels/5.10.0-46-cloud-amd64 && ci/kernels 5.10 brings it again"));
	/* lack of descriptors is no damage: nothing is to be removed for it */
	struct rlimit before, none;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){0, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int r = guest_kernel_check(k, why, sizeof(why));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
	assert_non_null(strstr(why, "5.10.0-46-cloud-amd64/vmlinuz: cannot be read (EMFILE)"));
	assert_null(strstr(why, "rm -r"));
	free(k);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_tree, remove_tree)
	(void)umask(022); /* what others may write to is not taken */
	const struct CMUnitTest tests[] = {
		TEST(test_names),  TEST(test_series), TEST(test_default), TEST(test_unknown),     TEST(test_too_many),
		TEST(test_broken), TEST(test_owner),  TEST(test_path),    TEST(test_module_tree), TEST(test_check),
	};
	return cmocka_run_group_tests_name("guest_kernel", tests, NULL, NULL);
}
