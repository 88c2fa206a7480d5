// SPDX-License-Identifier: MIT
/*
 * Any text as what to inject: nothing may crash, a refusal says what is wrong, and what is taken can be written and
 * read again as the same.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inject-spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inject_spec spec, again;
	struct inject_complaint complaint;
	char buf[INJECT_SPEC_TEXT], *text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	int r = inject_spec_parse(text, &spec, &complaint);
	free(text);
	if ((r == 0) != (complaint.what[0] == '\0') || (r != 0 && r != -EINVAL))
		abort();
	if (r != 0)
		return 0;
	if (!spec.calls || spec.first == 0 || spec.last < spec.first || spec.step == 0 ||
	    !inject_spec_is_due(&spec, spec.first) ||
	    inject_spec_parse(inject_spec_format(&spec, buf, sizeof(buf)), &again, &complaint) != 0 ||
	    again.calls != spec.calls || again.error != spec.error || again.least != spec.least ||
	    again.first != spec.first || again.last != spec.last)
		abort();
	return 0;
}
