// SPDX-License-Identifier: MIT
/*
 * Looking up kernels. See guest-kernel.h. An entry of the cache is complete when it has its file "about".
 */
#include "guest-kernel.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "cache.h"
#include "cleanup.h"
#include "guest-modules.h"
#include "kernel-image.h"

#define KERNELS_MAX 32
#define PREFERRED   "6.1"

struct found {
	struct guest_kernel item[KERNELS_MAX];
	size_t count;
};

static void read_about(const char *directory, struct guest_kernel *k)
{
	char path[PATH_MAX], line[512];
	(void)snprintf(path, sizeof(path), "%s/about", directory);
	auto_fclose FILE *about = fopen(path, "re");
	while (about && fgets(line, sizeof(line), about)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "series=", 7) == 0)
			(void)snprintf(k->name, sizeof(k->name), "%.60s", line + 7);
		else if (strncmp(line, "release=", 8) == 0)
			(void)snprintf(k->release, sizeof(k->release), "%.120s", line + 8);
	}
}

/* A directory as ci/kernels makes them. The uncompressed image boots faster, where there is one. */
static int read_entry(const char *directory, struct guest_kernel *ret)
{
	struct guest_kernel k = {0};
	struct stat st;
	static const char *const image[] = {"vmlinux", "vmlinuz"};
	read_about(directory, &k);
	for (size_t i = 0; i < ARRAY_SIZE(image) && !k.image[0]; i++) {
		(void)snprintf(k.image, sizeof(k.image), "%s/%s", directory, image[i]);
		if (stat(k.image, &st) < 0 || !S_ISREG(st.st_mode) || access(k.image, R_OK) < 0)
			k.image[0] = '\0';
	}
	if (!k.name[0] || !k.release[0] || !k.image[0])
		return -ENOENT;
	(void)snprintf(k.modules, sizeof(k.modules), "%s/modules", directory);
	*ret = k;
	return 0;
}

static int by_version(const void *a, const void *b)
{
	return strverscmp(((const struct guest_kernel *)a)->release, ((const struct guest_kernel *)b)->release);
}

static void read_cache(struct found *ret)
{
	char kernels[PATH_MAX / 2], directory[PATH_MAX + 32];
	struct stat st;
	ret->count = 0;
	if (cache_path("kernels", kernels, sizeof(kernels)) < 0 || stat(kernels, &st) < 0 ||
	    (st.st_uid != geteuid() && st.st_uid != 0) || st.st_mode & 022)
		return; /* what is booted must be ours, or root's */
	auto_closedir DIR *dir = opendir(kernels);
	for (const struct dirent *d; dir && (d = readdir(dir)) && ret->count < KERNELS_MAX;) {
		if (d->d_name[0] == '.')
			continue;
		(void)snprintf(directory, sizeof(directory), "%s/%s", kernels, d->d_name);
		if (read_entry(directory, &ret->item[ret->count]) == 0)
			ret->item[ret->count++].cached = true;
	}
	qsort(ret->item, ret->count, sizeof(ret->item[0]), by_version);
}

/* An image somewhere; modules lie beside it as ci/kernels lays them out, or where its release has them. */
static int from_path(const char *path, FILE *errors, struct guest_kernel *ret)
{
	char real[PATH_MAX], directory[PATH_MAX + 32], why[256];
	struct guest_kernel k = {0};
	struct stat st;
	if (!realpath(path, real) || stat(real, &st) < 0 || access(real, R_OK) < 0) {
		int r = -errno;
		fprintf(errors, "enomem: %s: no kernel image to read (%s)\n", path, strerrorname_np(-r));
		return r;
	}
	if (S_ISDIR(st.st_mode) && read_entry(real, ret) == 0)
		return 0;
	char *slash = strrchr(real, '/');
	if (!S_ISREG(st.st_mode) || strlen(real) >= sizeof(k.image)) {
		fprintf(errors, "enomem: %s: neither a kernel image nor a directory that ci/kernels made\n", path);
		return -EINVAL;
	}
	memcpy(k.image, real, strlen(real));
	/* What is wrong with it is told before it is booted; without having read it, its modules cannot be found. */
	int r = kernel_image_read(real, k.release, why, sizeof(why));
	if (r < 0 && r != -ENOEXEC) {
		fprintf(errors, "enomem: %s: %s\n", path, why);
		return r;
	}
	(void)snprintf(k.name, sizeof(k.name), "%.60s", slash + 1);
	*slash = '\0';
	(void)snprintf(directory, sizeof(directory), "%s/modules/order", real);
	if (access(directory, R_OK) == 0) {
		read_about(real, &k);
		(void)snprintf(k.modules, sizeof(k.modules), "%.480s/modules", real);
	} else {
		r = guest_modules_find(k.image, k.release, k.modules, sizeof(k.modules), errors);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	*ret = k;
	return 0;
}

/* The newest of a series, or the one of a release. */
static const struct guest_kernel *by_name(const struct found *cache, const char *name)
{
	for (size_t i = cache->count; i-- > 0;)
		if (strcmp(cache->item[i].name, name) == 0 || strcmp(cache->item[i].release, name) == 0)
			return &cache->item[i];
	if (strcmp(name, "newest") == 0 && cache->count)
		return &cache->item[cache->count - 1];
	return NULL;
}

static int unknown(const struct found *cache, const char *name, FILE *errors)
{
	bool each = !*name || strcmp(name, "all") == 0;
	if (each && cache->count == 0)
		fprintf(errors, "enomem: no kernel in the cache");
	else
		fprintf(errors, "enomem: kernel '%s': not in the cache%s", name, cache->count ? ", which has" : "");
	for (size_t i = 0; i < cache->count; i++)
		fprintf(errors, " %s", cache->item[i].name);
	fprintf(errors, "\nHint: ci/kernels%s%s, or name an image: --guest=/boot/vmlinuz-...\n", each ? "" : " ",
		each ? "" : name);
	return -ENOENT;
}

static int too_many(FILE *errors)
{
	fprintf(errors, "enomem: --guest: at most %d kernels\n", KERNELS_MAX);
	return -E2BIG;
}

/* Once each: two columns of one kernel would tell nothing. */
static int choose(struct found *chosen, const struct guest_kernel *kernel, FILE *errors)
{
	for (size_t i = 0; i < chosen->count; i++)
		if (strcmp(chosen->item[i].image, kernel->image) == 0)
			return 0;
	if (chosen->count == KERNELS_MAX)
		return too_many(errors);
	chosen->item[chosen->count++] = *kernel;
	return 0;
}

static int choose_word(struct found *chosen, const struct found *cache, const char *word, FILE *errors)
{
	struct guest_kernel own;
	if (strcmp(word, "all") == 0) {
		int r = cache->count ? 0 : unknown(cache, "all", errors);
		for (size_t i = 0; r == 0 && i < cache->count; i++)
			r = choose(chosen, &cache->item[i], errors);
		return r;
	}
	if (strchr(word, '/')) {
		int r = from_path(word, errors, &own);
		return r < 0 ? r : choose(chosen, &own, errors);
	}
	const struct guest_kernel *known = by_name(cache, word);
	return known ? choose(chosen, known, errors) : unknown(cache, word, errors);
}

int guest_kernels_find(const char *spec, FILE *errors, struct guest_kernel **ret, size_t *ret_count)
{
	struct found cache, chosen = {.count = 0};
	char words[1024];
	int r = 0;
	read_cache(&cache);
	if (strlen(spec) >= sizeof(words))
		return too_many(errors);
	memcpy(words, spec, strlen(spec) + 1);
	char *save = NULL;
	for (char *word = strtok_r(words, ",", &save); r == 0 && word; word = strtok_r(NULL, ",", &save))
		r = choose_word(&chosen, &cache, word, errors);
	if (r == 0 && chosen.count == 0)
		r = unknown(&cache, "", errors);
	if (r < 0 || chosen.count == 0)
		return r < 0 ? r : -ENOENT;
	struct guest_kernel *kernels = calloc(chosen.count, sizeof(*kernels));
	if (!kernels)
		return -ENOMEM;
	memcpy(kernels, chosen.item, chosen.count * sizeof(*kernels));
	*ret = kernels;
	*ret_count = chosen.count;
	return 0;
}

int guest_kernel_check(const struct guest_kernel *kernel, char *why, size_t size)
{
	char release[KERNEL_RELEASE_MAX], wrong[256];
	int r = kernel_image_read(kernel->image, release, wrong, sizeof(wrong));
	if (r == -ENOEXEC && kernel->cached)
		(void)snprintf(why, size, "%s: %s; rm -r %.*s && ci/kernels %s brings it again", kernel->image, wrong,
			       (int)(strrchr(kernel->image, '/') - kernel->image), kernel->image, kernel->name);
	else if (r < 0)
		(void)snprintf(why, size, "%s: %s", kernel->image, wrong);
	return r;
}

int guest_kernel_default(struct guest_kernel *ret)
{
	struct found cache;
	read_cache(&cache);
	if (cache.count == 0)
		return -ENOENT;
	const struct guest_kernel *preferred = by_name(&cache, PREFERRED);
	*ret = preferred ? *preferred : cache.item[cache.count - 1];
	return 0;
}

bool guest_kernel_cached(const char *name, struct guest_kernel *ret)
{
	struct found cache;
	read_cache(&cache);
	const struct guest_kernel *known = by_name(&cache, name);
	if (known)
		*ret = *known;
	return known != NULL;
}
