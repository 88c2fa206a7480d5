// SPDX-License-Identifier: MIT
/*
 * A tree of files as one piece of memory: what is unpacked is what was packed, and what is garbled or leaves the
 * directory makes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture-guest.h"
#include "capture-tree.h"
#include "guest-tree.h"

static int prepare(void **state)
{
	if (make_tree(state) < 0)
		return -1;
	put("from/b/c/file", "text\n");
	put_bytes("from/a", "\0\1binary\0", 9);
	put("from/b/empty", "");
	put("from/z", "last");
	return mkdir(in_tree("to"), 0755);
}

static void test_round_trip(void **state)
{
	char *data = NULL, at[600];
	size_t length = 0;
	char line[1400];
	(void)state;
	assert_int_equal(symlink("/etc/passwd", in_tree("from/link")), 0); /* no file: left out */
	assert_int_equal(capture_tree_pack(in_tree("from"), &data, &length), 0);
	assert_memory_equal(data,
			    "a\0"
			    "9\0\0\1binary\0b/c/file\0"
			    "5\0text\n",
			    29);
	assert_int_equal(capture_tree_unpack(in_tree("to"), data, length, at, sizeof(at)), 0);
	(void)snprintf(line, sizeof(line), "rm %s && diff -r %s %s", in_tree("from/link"), in_tree("from"),
		       in_tree("to"));
	assert_int_equal(system(line), 0);
	/* what is there is not written over */
	assert_int_equal(capture_tree_unpack(in_tree("to"), data, length, at, sizeof(at)), -EEXIST);
	assert_string_equal(at, in_tree("to/a"));
	free(data);
	data = at;
	assert_int_equal(capture_tree_pack(in_tree("nowhere"), &data, &length), -ENOENT);
	assert_ptr_equal(data, at); /* untouched */
}

#define UNPACK(text) capture_tree_unpack(in_tree("to"), text, sizeof(text) - 1, at, sizeof(at))

static void test_garbled(void **state)
{
	char at[600];
	(void)state;
	assert_int_equal(UNPACK(""), 0);
	assert_int_equal(UNPACK("name"), -EBADMSG);
	assert_int_equal(UNPACK("name\0"
				"3"),
			 -EBADMSG);
	assert_int_equal(UNPACK("name\0"
				"3\0ab"),
			 -EBADMSG);
	assert_int_equal(UNPACK("name\0"
				"x\0abc"),
			 -EBADMSG);
	assert_int_equal(UNPACK("name\0\0abc"), -EBADMSG);
	assert_int_equal(UNPACK("name\0 3\0abc"), -EBADMSG);
	assert_int_equal(UNPACK("name\0-1\0abc"), -EBADMSG);
	assert_int_equal(UNPACK("name\0"
				"99999999999999999999\0abc"),
			 -EBADMSG);
	assert_int_equal(UNPACK("/name\0"
				"1\0a"),
			 -EBADMSG);
	assert_int_equal(UNPACK("\0"
				"1\0a"),
			 -EBADMSG);
	assert_int_equal(UNPACK(".\0"
				"1\0a"),
			 -EBADMSG);
	assert_int_equal(UNPACK("..\0"
				"1\0a"),
			 -EBADMSG);
	assert_int_equal(UNPACK("a/../b\0"
				"1\0a"),
			 -EBADMSG);
	assert_int_equal(UNPACK("a/..\0"
				"1\0a"),
			 -EBADMSG);
	assert_int_equal(UNPACK("a//b\0"
				"1\0a"),
			 -EBADMSG);
	assert_int_equal(UNPACK("a/\0"
				"1\0a"),
			 -EBADMSG);
	assert_int_equal(rmdir(in_tree("to")), 0); /* nothing was made */
	assert_int_equal(mkdir(in_tree("to"), 0755), 0);
	assert_int_equal(UNPACK("..a/...\0"
				"1\0a"),
			 0);
	assert_int_equal(access(in_tree("to/..a/..."), F_OK), 0);
	/* nor does a link lead out */
	assert_int_equal(symlink(in_tree("from"), in_tree("to/link")), 0);
	assert_int_equal(UNPACK("link\0"
				"1\0a"),
			 -EEXIST);
}

/* The frame: what was counted, then the tree. */
static void test_frame(void **state)
{
	struct capture c = {.directory = in_tree("to")};
	(void)state;
#define TAKE(text) capture_guest_take(&c, text, sizeof(text) - 1)
	assert_int_equal(TAKE(""), -EBADMSG);
	assert_int_equal(TAKE("{\"moments\": 3, \"files\": 1, \"error\": 0}"), -EBADMSG);
	assert_int_equal(TAKE("{\"moments\": 3, \"files\": 1}\0a\0"
			      "1\0b"),
			 -EBADMSG);
	assert_int_equal(TAKE("[]\0a\0"
			      "1\0b"),
			 -EBADMSG);
	assert_int_equal(TAKE("{\"moments\": 3, \"files\": 1, \"error\": 0}\0a\0"
			      "2\0b"),
			 -EBADMSG);
	assert_int_equal(c.moments, 0);
	assert_int_equal(TAKE("{\"moments\": 3, \"files\": 1, \"error\": -28}\0a\0"
			      "1\0b"),
			 0);
	assert_int_equal(c.moments, 3);
	assert_int_equal(c.files, 1);
	assert_int_equal(c.error, -28);
	assert_int_equal(TAKE("{\"moments\": 3, \"files\": 1, \"error\": 0}\0a\0"
			      "1\0b"),
			 0);
	assert_int_equal(c.error, -EEXIST); /* what cannot be written here */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, remove_tree)
	const struct CMUnitTest tests[] = {TEST(test_round_trip), TEST(test_garbled), TEST(test_frame)};
	return cmocka_run_group_tests_name("capture_tree", tests, NULL, NULL);
}
