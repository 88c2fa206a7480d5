// SPDX-License-Identifier: MIT
/*
 * What a program links to, as the machine's own loader finds it.
 */
#pragma once

#include <stddef.h>

/* Call `found` with the path of the program's loader and of each library; nothing for a static one or a script.
 * -errno, -ENOENT when a library is missing, -EBADMSG for an ELF file that makes no sense */
int elf_libraries(const char *program, void (*found)(const char *path, void *data), void *data);

/*
 * The length of an ELF program or library up to the last byte that is ever loaded, as `strip --strip-all` would leave
 * it but for the section table, which is marked as missing in `data`. The length given for anything else.
 */
size_t elf_strip(void *data, size_t length);
