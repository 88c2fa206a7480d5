// SPDX-License-Identifier: MIT
/*
 * See demangle.h.
 */
#include "demangle.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define CXX_LIBRARY "libstdc++.so.6"

/* cxxabi.h: into memory of malloc(3); NULL where the name is none of C++. */
typedef char *demangler(const char *mangled, char *buffer, size_t *length, int *status);

static demangler *load(void)
{
	static bool tried;
	static demangler *found;
	if (tried)
		return found;
	tried = true;
	void *library = dlopen(CXX_LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	if (library)
		found = (demangler *)dlsym(library, "__cxa_demangle");
	return found;
}

void demangle(const char *symbol, char *ret, size_t size)
{
	/* All of them begin so; without it single letters are types ("i" is int). */
	demangler *read_name = strncmp(symbol, "_Z", 2) == 0 ? load() : NULL;
	int status = 0;
	auto_free char *name = read_name ? read_name(symbol, NULL, NULL, &status) : NULL;
	(void)snprintf(ret, size, "%s", name ? name : symbol);
}
